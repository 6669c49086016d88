//! Ending one login, or all of them.

use comanda_domain::audit::AuditEntry;
use comanda_security::policy::StaffPrincipal;

use super::StaffService;
use super::store;
use crate::db::{Ask, Locks};
use crate::outbox::Ended;
use crate::refusal::Refusal;

impl StaffService {
    /// Ends this login. Ending one that has ended is no error.
    ///
    /// # Errors
    /// Only a failure of the database.
    pub async fn logout(&self, ask: &Ask, who: &StaffPrincipal) -> Result<(), Refusal> {
        self.db
            .transact(
                ask,
                Locks::user(who.user),
                async |conn| Ok(store::family(conn, ask.tenant, who.family).await?),
                |_, family, act| {
                    if let Some(family) = family?.filter(|family| family.is_live(act.now)) {
                        act.rows.update(&family.ended(act.now));
                        act.end(Ended::FamilyId(who.family));
                        let entry = AuditEntry::new("auth.logout", "user", who.user);
                        act.trace(None, &entry.set("family_id", who.family.to_string()));
                    }
                    Ok(())
                },
            )
            .await?;
        self.standings.forget(who.family);
        Ok(())
    }

    /// Ends all logins of the person, and makes every access token useless.
    ///
    /// # Errors
    /// Only a failure of the database.
    pub async fn logout_all(&self, ask: &Ask, who: &StaffPrincipal) -> Result<(), Refusal> {
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
                    let ended: Vec<_> = families.iter().map(|family| family.ended(act.now)).collect();
                    act.rows.update_all(&ended);
                    act.rows.update(&person.user.cut_off());
                    act.end(Ended::UserId(who.user));
                    act.trace(None, &AuditEntry::new("auth.logout_all", "user", who.user));
                    Ok(())
                },
            )
            .await?;
        self.standings.forget_user(who.user);
        Ok(())
    }
}
