//! The cart with present prices.

use comanda_domain::Timestamp;
use comanda_domain::cart::{CartFacts, CartLine, read_cart};
use comanda_domain::diner::Diner;
use comanda_domain::ids::ProductId;
use comanda_domain::menu::BranchMenu;
use comanda_security::policy::{Action, DinerPrincipal, Principal, authorize};
use futures_util::try_join;

use super::{CartService, store};
use crate::db::{Act, Ask, Conn, Seen};
use crate::diners;
use crate::menus::store::{Wanted, products};
use crate::refusal::Refusal;
use crate::sessions::{Scene, require_seating};
use crate::views::{self, CartView, Texts};

/// What is known of a visit's cart.
pub(super) struct Facts {
    pub(super) scene: Scene,
    pub(super) diners: Vec<Diner>,
    pub(super) lines: Vec<CartLine>,
    pub(super) menu: BranchMenu,
}

impl Facts {
    /// The guest's cart, with the products in it and one more, in one round trip.
    pub(super) async fn load(
        conn: Conn<'_>,
        ask: &Ask,
        who: &DinerPrincipal,
        more: Option<ProductId>,
    ) -> Result<Seen<Self>, Refusal> {
        let wanted = Wanted::InCart(who.session, more.into_iter().collect());
        let (scene, diners, lines, menu) = try_join!(
            Scene::find_seen(conn, ask.tenant, who.session),
            diners::store::of_session(conn, ask.tenant, who.session),
            store::of_session(conn, ask.tenant, who.session),
            products(conn, ask.tenant, who.branch, &wanted),
        )?;
        let scene = scene.ok_or(Refusal::SeatingEnded)?;
        require_seating(&Principal::Diner(who.clone()), &scene.value.session)?;
        Ok(scene.map(|scene| Self {
            scene,
            diners,
            lines,
            menu,
        }))
    }

    pub(super) fn domain(&self) -> CartFacts<'_> {
        CartFacts {
            session: &self.scene.session,
            diners: &self.diners,
            lines: &self.lines,
            menu: &self.menu,
        }
    }
}

impl CartService {
    /// The cart and its version.
    ///
    /// # Errors
    /// `seating_ended`.
    pub async fn get(&self, ask: &Ask, who: &DinerPrincipal) -> Result<Seen<(CartView, i64)>, Refusal> {
        let seen = self
            .db
            .read(ask.tenant, async |conn| Facts::load(conn, ask, who, None).await)
            .await?;
        seen.try_map(|facts| {
            let who = Principal::Diner(who.clone());
            let _permit = authorize(&who, Action::CartRead, &facts.scene.resource())?;
            let view = view(ask, &facts.scene, facts.domain(), self.db.sources().now());
            Ok((view, facts.scene.session.cart_version))
        })
    }
}

/// A cart as it travels.
pub(super) fn view(ask: &Ask, scene: &Scene, facts: CartFacts<'_>, now: Timestamp) -> CartView {
    let texts = Texts::wanted(ask.language.as_deref(), &scene.branch);
    views::cart(&read_cart(facts, now), facts.session, &scene.branch, &texts)
}

/// Refuses if the guest saw another version of the cart.
pub(crate) fn require_version(
    seen: Option<i64>,
    scene: &Scene,
    diners: &[Diner],
    lines: &[CartLine],
    menu: &BranchMenu,
    act: &Act<'_>,
) -> Result<(), Refusal> {
    let version = scene.session.cart_version;
    match seen {
        Some(seen) if seen != version => {
            let facts = CartFacts {
                session: &scene.session,
                diners,
                lines,
                menu,
            };
            Err(Refusal::PreconditionFailed {
                version,
                current: crate::stored::json(&view(act.ask, scene, facts, act.now)),
            })
        }
        _ => Ok(()),
    }
}
