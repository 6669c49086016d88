//! Logging in. Whatever is wrong with a login, it takes one path, one time and one answer.

use chrono::TimeDelta;
use comanda_domain::Timestamp;
use comanda_domain::actor::{Forbidden, Role};
use comanda_domain::audit::AuditEntry;
use comanda_domain::ids::{FamilyId, IdSource, TenantId};
use comanda_security::SystemEntropy;
use comanda_security::password::Refused;
use comanda_security::refresh::{RefreshKeys, RefreshToken};
use secrecy::SecretString;
use tracing::info;
use uuid::Uuid;

use super::hashing::Right;
use super::rows::{FamilyRow, UserRow};
use super::store::{self, Person};
use super::{LoginOutcome, StaffService, Stranger};
use crate::db::{Act, Locks};
use crate::refusal::Refusal;

/// A login ends after this long without use …
pub(super) const IDLE: TimeDelta = TimeDelta::days(7);
/// … and in any case after this long.
pub(super) const WHOLE: TimeDelta = TimeDelta::days(30);

/// What a login is tried with.
#[derive(Debug, Clone)]
pub struct Login {
    /// The restaurant's name in addresses.
    pub tenant: String,
    /// The person's address.
    pub email: String,
    /// The password.
    pub password: SecretString,
}

impl StaffService {
    /// Begins a login.
    ///
    /// # Errors
    /// `credentials_invalid` whatever is wrong; for right ones, `tenant_suspended`, and `forbidden` for a person
    /// without any role. `service_unavailable` while too many others log in.
    pub async fn login(&self, from: &Stranger, login: &Login) -> Result<LoginOutcome, Refusal> {
        let (tenant, candidate) = self.candidate(login).await?;
        let stored = candidate.as_ref().map(|user| user.password_verifier.clone());
        let checked = self.hashing.verify(login.password.clone(), stored).await?;
        let (user, right) = match (candidate, checked) {
            (Some(user), Ok(right)) => (user, right),
            (_, checked) => {
                let reason = checked.err().unwrap_or(Refused::UnknownUser);
                info!(request_id = from.request_id, tenant = %tenant, email = masked(&login.email), %reason, "login refused");
                return Err(Refusal::CredentialsInvalid);
            }
        };
        let ask = from.ask(tenant, Some(user.id.into()));
        self.db
            .transact(
                &ask,
                Locks::user(user.id.into()),
                async |conn| {
                    store::person(conn, tenant, user.id.into())
                        .await?
                        .ok_or(Refusal::CredentialsInvalid)
                },
                |_, person, act| self.begin(&person?, &user, &right, act),
            )
            .await
    }

    /// Whose login this would be. An unknown restaurant costs the same queries as a known one.
    async fn candidate(&self, login: &Login) -> Result<(TenantId, Option<UserRow>), Refusal> {
        let slug = login.tenant.as_str();
        let known = self
            .db
            .directory(async |conn| Ok(store::tenant_of_slug(conn, slug).await?))
            .await?;
        let tenant = known.unwrap_or(TenantId(Uuid::nil()));
        let email = login.email.trim().to_lowercase();
        let user = self
            .db
            .read(tenant, async |conn| {
                Ok(store::user_of_email(conn, tenant, &email).await?)
            })
            .await?;
        Ok((tenant, user))
    }

    fn begin(
        &self,
        person: &Person,
        verified: &UserRow,
        right: &Right,
        act: &mut Act<'_>,
    ) -> Result<LoginOutcome, Refusal> {
        // Changed between the comparison and the lock: the password is no longer known to be right.
        if person.user.password_verifier != verified.password_verifier {
            return Err(Refusal::CredentialsInvalid);
        }
        admit(person, Refusal::CredentialsInvalid)?;
        let id: FamilyId = act.ids.next();
        let token = RefreshKeys::first(id, &SystemEntropy::new())
            .map_err(|error| Refusal::Internal(error.to_string()))?;
        act.rows.insert(&family(person, &token, act.now));
        let mut user = person.user.changed();
        user.last_login_at = Some(act.now);
        if let Some(rehash) = &right.rehash {
            user.password_verifier.clone_from(rehash);
        }
        act.rows.update(&user);
        act.trace(
            None,
            &AuditEntry::new("auth.login", "user", person.user.id).set("family_id", id.to_string()),
        );
        self.answer(person, id, &token, act)
    }
}

fn family(person: &Person, token: &RefreshToken, now: Timestamp) -> FamilyRow {
    FamilyRow {
        tenant_id: person.tenant.tenant_id,
        id: token.family().0,
        created_at: now,
        user_id: person.user.id,
        token_hash: token.hash().to_vec(),
        previous_hash: None,
        rotated_at: None,
        generation: 1,
        expires_at: now + IDLE,
        revoked_at: None,
    }
}

/// Whether a person with the right credential is let in. `outdated` is what one is told who may no longer log in.
pub(super) fn admit(person: &Person, outdated: Refusal) -> Result<(), Refusal> {
    if !person.user.is_enabled() {
        return Err(outdated);
    }
    if !person.tenant.is_active() {
        return Err(Refusal::TenantSuspended);
    }
    if !person.has_rights() {
        return Err(Forbidden {
            required_roles: Role::ALL.to_vec(),
        }
        .into());
    }
    Ok(())
}

/// An address as logs may show it.
fn masked(email: &str) -> String {
    let clean = |text: &str| {
        text.chars()
            .filter(char::is_ascii_graphic)
            .take(100)
            .collect::<String>()
    };
    match email.trim().split_once('@') {
        Some((name, domain)) => format!(
            "{}***@{}",
            clean(name).get(..1).unwrap_or_default(),
            clean(domain)
        ),
        None => "***".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn logs_do_not_hold_addresses() {
        for (email, shown) in [
            ("leo@buensabor.demo", "l***@buensabor.demo"),
            ("@x", "***@x"),
            ("nobody", "***"),
            ("ñu@a\nb\u{202e}", "u***@ab"),
        ] {
            assert_eq!(masked(email), shown);
        }
    }
}
