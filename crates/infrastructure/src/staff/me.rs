//! Who am I.

use comanda_security::policy::{Action, Principal, Resource, StaffPrincipal, authorize};

use super::StaffService;
use super::store;
use crate::db::Ask;
use crate::refusal::Refusal;
use crate::views::{UserView, user};

impl StaffService {
    /// The person with their roles of now.
    ///
    /// # Errors
    /// `token_invalid` for a person who is gone.
    pub async fn me(&self, ask: &Ask, who: &StaffPrincipal) -> Result<UserView, Refusal> {
        let principal = Principal::Staff(who.clone());
        let _permit = authorize(&principal, Action::SelfManage, &Resource::of_tenant(ask.tenant))?;
        let person = self
            .db
            .read(ask.tenant, async |conn| {
                Ok(store::person(conn, ask.tenant, who.user).await?)
            })
            .await?;
        person.as_ref().map(user).ok_or(Refusal::CredentialRevoked)
    }
}
