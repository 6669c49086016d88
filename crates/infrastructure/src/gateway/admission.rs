//! Who may listen to what.

use std::collections::BTreeSet;

use comanda_domain::actor::{Forbidden, Role, Roles};
use comanda_domain::event::{ScopeFamily, Subscription, View, Viewer};
use comanda_domain::ids::{BranchId, TenantId};
use comanda_security::policy::{
    Action, ApiKeyPrincipal, DinerPrincipal, Principal, Resource, StaffPrincipal, authorize,
};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;

use super::EventService;
use crate::db::DbError;
use crate::floor;
use crate::refusal::Refusal;
use crate::schema::tenant;
use crate::sessions::scene::{Scene, require_seating};

/// Somebody who may listen.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// To which branch.
    pub branch: BranchId,
    /// As whom.
    pub subscription: Subscription,
}

impl EventService {
    /// Whether somebody may listen to a branch through a view; through the best one that is theirs if none is named.
    /// A guest's branch is that of the token.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, `scope_missing`, `seating_ended`, `registration_required`.
    pub async fn admit(
        &self,
        who: &Principal,
        view: Option<View>,
        branch: Option<BranchId>,
    ) -> Result<Admitted, Refusal> {
        match who {
            Principal::Staff(staff) => self.admit_staff(who, staff, view, branch).await,
            Principal::Diner(diner) => self.admit_diner(who, diner, view, branch).await,
            Principal::Table(_) => Err(Refusal::RegistrationRequired),
            Principal::ApiKey(key) => self.admit_key(who, key, view, branch).await,
        }
    }

    async fn admit_staff(
        &self,
        who: &Principal,
        staff: &StaffPrincipal,
        view: Option<View>,
        branch: Option<BranchId>,
    ) -> Result<Admitted, Refusal> {
        let branch = self.known(staff.tenant, branch).await?;
        let permit = authorize(who, Action::EventRead, &Resource::of_branch(staff.tenant, branch))?;
        let viewer = staff_viewer(staff.user, permit.actor().roles, view)?;
        Ok(admitted(staff.tenant, branch, viewer))
    }

    async fn admit_diner(
        &self,
        who: &Principal,
        diner: &DinerPrincipal,
        view: Option<View>,
        branch: Option<BranchId>,
    ) -> Result<Admitted, Refusal> {
        if view.is_some_and(|view| view != View::Diner) {
            return Err(Refusal::WrongCredential);
        }
        if branch.is_some_and(|branch| branch != diner.branch) {
            return Err(Refusal::NotFound);
        }
        let scene = self
            .db
            .read(diner.tenant, async |conn| {
                Ok(Scene::find(conn, diner.tenant, diner.session).await?)
            })
            .await?
            .ok_or(Refusal::SeatingEnded)?;
        require_seating(who, &scene.session)?;
        let _permit = authorize(who, Action::EventRead, &scene.resource())?;
        let session = diner.session;
        Ok(admitted(diner.tenant, diner.branch, Viewer::Diner { session }))
    }

    async fn admit_key(
        &self,
        who: &Principal,
        key: &ApiKeyPrincipal,
        view: Option<View>,
        branch: Option<BranchId>,
    ) -> Result<Admitted, Refusal> {
        if view.is_some_and(|view| view != View::Integration) {
            return Err(Refusal::WrongCredential);
        }
        let branch = self.known(key.tenant, branch).await?;
        let _permit = authorize(who, Action::EventRead, &Resource::of_branch(key.tenant, branch))?;
        let families = key
            .scopes
            .iter()
            .filter_map(|scope| ScopeFamily::parse(scope.as_str()));
        let viewer = Viewer::Integration {
            scopes: families.collect(),
        };
        Ok(admitted(key.tenant, branch, viewer))
    }

    /// Whether a page of this origin may listen for a tenant: one of its own list.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn allows_origin(&self, tenant: TenantId, origin: &str) -> Result<bool, Refusal> {
        let allowed: Option<Vec<String>> = self
            .db
            .read(tenant, async |conn| {
                let found = tenant::table
                    .filter(tenant::tenant_id.eq(tenant.0))
                    .select(tenant::allowed_origins)
                    .first(&mut &*conn)
                    .await
                    .optional();
                Ok(found.map_err(DbError::from)?)
            })
            .await?;
        Ok(allowed.is_some_and(|allowed| allowed.iter().any(|known| known == origin)))
    }

    /// The branch, if there is one of this tenant.
    async fn known(&self, tenant: TenantId, branch: Option<BranchId>) -> Result<BranchId, Refusal> {
        let branch = branch.ok_or(Refusal::Invalid {
            pointer: "/branch_id".to_owned(),
            code: "required",
            detail: "which branch?".to_owned(),
        })?;
        if self.hub().knows(tenant, branch) {
            return Ok(branch);
        }
        self.db
            .read(tenant, async |conn| {
                Ok(floor::store::branch(conn, tenant, branch).await?)
            })
            .await?
            .map(|_| branch)
            .ok_or(Refusal::NotFound)
    }
}

fn admitted(tenant: TenantId, branch: BranchId, viewer: Viewer) -> Admitted {
    let branches = BTreeSet::from([branch]);
    Admitted {
        branch,
        subscription: Subscription {
            tenant,
            branches,
            viewer,
        },
    }
}

/// The roles that open a view (`events.md` 4.1).
fn opened_by(view: View) -> &'static [Role] {
    match view {
        View::Admin => &[Role::Manager, Role::Admin],
        View::Waiter => &[Role::Waiter, Role::Manager, Role::Admin],
        View::Kitchen => &[Role::Kitchen, Role::Manager, Role::Admin],
        View::Diner | View::Integration => &[],
    }
}

fn staff_viewer(
    user: comanda_domain::ids::UserId,
    roles: Roles,
    view: Option<View>,
) -> Result<Viewer, Refusal> {
    let may = |view: &View| roles.any(opened_by(*view));
    let own = [View::Admin, View::Waiter, View::Kitchen].into_iter().find(may);
    let view = view.or(own).filter(may).ok_or_else(|| {
        let required_roles = opened_by(view.unwrap_or(View::Waiter)).to_vec();
        Refusal::Forbidden(Forbidden { required_roles })
    })?;
    Ok(match view {
        View::Waiter => Viewer::Waiter {
            user,
            unfiltered: roles.any(opened_by(View::Admin)),
        },
        View::Kitchen => Viewer::Kitchen { user, stations: None },
        _ => Viewer::Admin,
    })
}
