//! The menu as somebody sees it.

use comanda_domain::branch::Branch;
use comanda_domain::diner::{AllergenMode, Diet, Preferences};
use comanda_domain::ids::{BranchId, base32};
use comanda_domain::menu::{Allergen, BranchMenu, MenuCategory, MenuFacts, MenuFilter, filter_menu};
use comanda_security::hash::sha256;
use comanda_security::policy::{Action, Principal, Resource, authorize};
use futures_util::try_join;

use super::MenuService;
use super::store::{self, Wanted};
use crate::db::{Ask, Conn, DbError, Tenant};
use crate::refusal::Refusal;
use crate::sessions::{Scene, require_seating};
use crate::views::{self, MenuView, Texts};
use crate::{diners, floor};

/// What somebody asks of a menu. The default hides nothing.
#[derive(Debug, Clone, Default)]
pub struct MenuQuery {
    /// Codes of allergens to avoid.
    pub exclude: Vec<String>,
    /// How strictly; if not said, as the preferences say where they count, else `traces`.
    pub mode: Option<AllergenMode>,
    /// Ways of eating, all of which a product must satisfy.
    pub diets: Vec<Diet>,
    /// Also what the guest's own preferences say.
    pub apply_preferences: bool,
    /// The language asked for.
    pub lang: Option<String>,
}

impl MenuQuery {
    fn filter(&self, preferences: Option<&Preferences>) -> MenuFilter {
        let mut filter = preferences.map(MenuFilter::from).unwrap_or_default();
        filter.exclude.extend(self.exclude.iter().cloned());
        filter.exclude.sort();
        filter.exclude.dedup();
        filter.diets.extend(&self.diets);
        filter.diets.sort();
        filter.diets.dedup();
        filter.mode = self.mode.unwrap_or(filter.mode);
        filter
    }
}

struct Offer {
    products: BranchMenu,
    categories: Vec<MenuCategory>,
    allergens: Vec<Allergen>,
}

impl MenuService {
    /// The menu where a guest sits, and its entity tag.
    ///
    /// # Errors
    /// `seating_ended`.
    pub async fn of_visit(
        &self,
        ask: &Ask,
        who: &Principal,
        query: &MenuQuery,
    ) -> Result<(MenuView, String), Refusal> {
        let (session, branch, diner) = match who {
            Principal::Diner(diner) => (diner.session, diner.branch, Some(diner.diner)),
            Principal::Table(table) => (table.session, table.branch, None),
            Principal::Staff(_) | Principal::ApiKey(_) => return Err(Refusal::WrongCredential),
        };
        let diner = diner.filter(|_| query.apply_preferences);
        let (scene, offer, own) = self
            .db
            .read(ask.tenant, async |conn| {
                Ok(try_join!(
                    Scene::find(conn, ask.tenant, session),
                    Offer::load(conn, ask.tenant, branch),
                    async {
                        match diner {
                            Some(id) => diners::store::with_device(conn, ask.tenant, session, id).await,
                            None => Ok(None),
                        }
                    },
                )?)
            })
            .await?;
        let scene = scene.ok_or(Refusal::SeatingEnded)?;
        require_seating(who, &scene.session)?;
        let _permit = authorize(who, Action::MenuRead, &scene.resource())?;
        let preferences = own.map(|(diner, _)| diner.preferences);
        self.view(&scene.branch, &offer, query, preferences.as_ref())
    }

    /// The menu of a branch for its staff, and its entity tag.
    ///
    /// # Errors
    /// `not_found`, `forbidden`.
    pub async fn of_branch(
        &self,
        ask: &Ask,
        who: &Principal,
        id: BranchId,
        query: &MenuQuery,
    ) -> Result<(MenuView, String), Refusal> {
        let (branch, offer) = self
            .db
            .read(ask.tenant, async |conn| {
                Ok(try_join!(
                    floor::store::branch(conn, ask.tenant, id),
                    Offer::load(conn, ask.tenant, id)
                )?)
            })
            .await?;
        let branch = branch.ok_or(Refusal::NotFound)?.to_domain()?;
        let _permit = authorize(who, Action::MenuRead, &Resource::of_branch(ask.tenant, id))?;
        self.view(&branch, &offer, query, None)
    }

    fn view(
        &self,
        branch: &Branch,
        offer: &Offer,
        query: &MenuQuery,
        preferences: Option<&Preferences>,
    ) -> Result<(MenuView, String), Refusal> {
        let filter = query.filter(preferences);
        let facts = MenuFacts {
            categories: &offer.categories,
            products: &offer.products,
            allergens: &offer.allergens,
        };
        let menu = filter_menu(facts, &filter, self.db.sources().now());
        let preferred = preferences.and_then(|preferences| preferences.locale.as_deref());
        let texts = Texts::wanted(query.lang.as_deref().or(preferred), branch);
        let view = views::menu(branch, &menu, &filter, &texts);
        let tag = tag(&view)?;
        Ok((view, tag))
    }
}

impl Offer {
    async fn load(conn: Conn<'_>, tenant: Tenant, branch: BranchId) -> Result<Self, DbError> {
        let (products, categories, allergens) = try_join!(
            store::products(conn, tenant, branch, &Wanted::All),
            store::categories(conn, tenant),
            store::allergens(conn, tenant),
        )?;
        Ok(Self {
            products,
            categories,
            allergens,
        })
    }
}

/// The entity tag of a menu: by its content, because a dish that comes back by itself changes the menu, too.
fn tag(view: &MenuView) -> Result<String, Refusal> {
    let bytes = serde_json::to_vec(view).map_err(|error| Refusal::Internal(error.to_string()))?;
    let digest = base32_of(&sha256(&[&bytes]));
    Ok(format!("\"m{}-{digest}\"", view.menu_version))
}

/// The first 128 bits as text.
fn base32_of(digest: &[u8; 32]) -> String {
    let first = digest.first_chunk::<16>().copied().unwrap_or_default();
    base32(u128::from_be_bytes(first))
}
