use comanda_domain::ids::UserId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::staff::store::Person;

/// One role in one branch.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct GrantView {
    /// The branch.
    pub branch_id: String,
    /// Its name.
    pub branch_name: String,
    /// `waiter`, `kitchen`, `manager` or `admin`.
    pub role: String,
}

/// A member of staff, to themselves.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UserView {
    /// Their id.
    pub id: String,
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Whether they manage the tenant.
    pub is_owner: bool,
    /// Their roles.
    pub grants: Vec<GrantView>,
}

/// What a login or a refresh answers. It holds secrets and has no `Debug`.
#[derive(Clone, Serialize, ToSchema)]
pub struct LoginView {
    /// Opens the staff routes.
    pub access_token: String,
    /// `Bearer`
    pub token_type: String,
    /// Seconds that the access token lives.
    pub expires_in: i64,
    /// Opens `/v1/auth/refresh`, once; null where it travels as a cookie.
    pub refresh_token: Option<String>,
    /// Who logged in.
    pub user: UserView,
}

/// A member of staff, to themselves.
pub(crate) fn user(person: &Person) -> UserView {
    UserView {
        id: UserId(person.user.id).to_string(),
        name: person.user.name.clone(),
        email: person.user.email.clone(),
        is_owner: person.user.is_owner,
        grants: person
            .grants
            .iter()
            .map(|grant| GrantView {
                branch_id: grant.branch.to_string(),
                branch_name: grant.branch_name.clone(),
                role: grant.role.to_string(),
            })
            .collect(),
    }
}
