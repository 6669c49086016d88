//! Changing one's own password.

use comanda_domain::audit::AuditEntry;
use comanda_security::password::{PolicyError, check_policy};
use comanda_security::policy::{Action, Principal, Resource, StaffPrincipal, authorize};
use secrecy::{ExposeSecret, SecretString};

use super::StaffService;
use super::store;
use crate::db::{Ask, Locks};
use crate::outbox::Ended;
use crate::refusal::Refusal;

impl StaffService {
    /// Sets a new password. All other logins end; this one goes on with its next refresh.
    ///
    /// # Errors
    /// `validation_failed` for a password that may not be chosen, `credentials_invalid` when the current one is
    /// wrong.
    pub async fn change_password(
        &self,
        ask: &Ask,
        who: &StaffPrincipal,
        current: &SecretString,
        new: &SecretString,
    ) -> Result<(), Refusal> {
        let principal = Principal::Staff(who.clone());
        let _permit = authorize(&principal, Action::SelfManage, &Resource::of_tenant(ask.tenant))?;
        let before = self
            .db
            .read(ask.tenant, async |conn| {
                Ok(store::person(conn, ask.tenant, who.user).await?)
            })
            .await?;
        let before = before.ok_or(Refusal::CredentialRevoked)?.user;
        check_policy(new.expose_secret(), &before.email).map_err(refused)?;
        let current = self
            .hashing
            .verify(current.clone(), Some(before.password_verifier.clone()))
            .await?;
        current.map_err(|_| Refusal::CredentialsInvalid)?;
        let hash = self.hashing.hash(new.clone()).await?;
        self.db
            .transact(
                ask,
                Locks::user(who.user),
                async |conn| {
                    let person = store::person(conn, ask.tenant, who.user).await?;
                    let families = store::families(conn, ask.tenant, who.user).await?;
                    Ok((person.ok_or(Refusal::CredentialRevoked)?, families))
                },
                |_, facts, act| {
                    let (person, families) = facts?;
                    if person.user.password_verifier != before.password_verifier {
                        return Err(Refusal::CredentialsInvalid);
                    }
                    let others = families.iter().filter(|family| family.id != who.family.0);
                    let ended: Vec<_> = others.map(|family| family.ended(act.now)).collect();
                    act.rows.update_all(&ended);
                    let mut user = person.user.cut_off();
                    user.password_verifier.clone_from(&hash);
                    act.rows.update(&user);
                    act.end(Ended::UserId(who.user));
                    act.trace(None, &AuditEntry::new("auth.password", "user", who.user));
                    Ok(())
                },
            )
            .await?;
        self.standings.forget_user(who.user);
        Ok(())
    }
}

fn refused(error: PolicyError) -> Refusal {
    let code = match error {
        PolicyError::TooShort => "too_short",
        PolicyError::TooLong => "too_long",
        PolicyError::TooCommon | PolicyError::OwnEmail => "not_allowed",
    };
    Refusal::Invalid {
        pointer: "/new".to_owned(),
        code,
        detail: error.to_string(),
    }
}
