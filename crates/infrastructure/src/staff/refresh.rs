//! Staying logged in: each refresh token is used once, and one that is used again ends the login.

use chrono::TimeDelta;
use comanda_domain::Timestamp;
use comanda_domain::audit::AuditEntry;
use comanda_security::refresh::RefreshToken;
use tracing::warn;

use super::login::{IDLE, WHOLE, admit};
use super::rows::FamilyRow;
use super::store::{self, Person};
use super::{LoginOutcome, StaffService, Stranger};
use crate::db::{Act, Locks};
use crate::outbox::Ended;
use crate::refusal::Refusal;

/// A lost answer, or a second tab, may present the token just replaced for this long.
const GRACE: TimeDelta = TimeDelta::seconds(10);

/// What was presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presented {
    /// The token of now.
    Current,
    /// The one before it, replaced a moment ago.
    JustReplaced,
    /// Any other of a login that goes on: two people hold tokens of it.
    Reused,
    /// One of a login that has ended.
    Ended,
}

/// What the transaction did; the login's end is committed although the request is refused.
enum Outcome {
    GoesOn(Box<LoginOutcome>),
    Ended,
}

impl StaffService {
    /// Replaces a refresh token and gives a new access token.
    ///
    /// # Errors
    /// `token_invalid` for a login that is unknown or has ended, `refresh_reused` for a token that was used before,
    /// which ends the login; `tenant_suspended`, `forbidden` as for a login.
    pub async fn refresh(&self, from: &Stranger, presented: &str) -> Result<LoginOutcome, Refusal> {
        let token = RefreshToken::parse(presented).map_err(|_| Refusal::CredentialRevoked)?;
        let family = token.family();
        let tenant = self
            .db
            .directory(async |conn| Ok(store::tenant_of_family(conn, family).await?))
            .await?
            .ok_or(Refusal::CredentialRevoked)?;
        let ask = from.ask(tenant, None);
        let outcome = self
            .db
            .transact(
                &ask,
                Locks::user_of_login(family),
                async |conn| {
                    let family = store::family(conn, tenant, family)
                        .await?
                        .ok_or(Refusal::CredentialRevoked)?;
                    let person = store::person(conn, tenant, family.user_id.into()).await?;
                    Ok((family, person.ok_or(Refusal::CredentialRevoked)?))
                },
                |_, facts, act| {
                    let (family, person) = facts?;
                    self.go_on(&family, &person, &token, act)
                },
            )
            .await?;
        match outcome {
            Outcome::GoesOn(view) => Ok(*view),
            Outcome::Ended => {
                warn!(request_id = from.request_id, %tenant, %family, "refresh token used again, login ended");
                self.standings.forget(family);
                Err(Refusal::RefreshReused)
            }
        }
    }

    fn go_on(
        &self,
        family: &FamilyRow,
        person: &Person,
        token: &RefreshToken,
        act: &mut Act<'_>,
    ) -> Result<Outcome, Refusal> {
        let successor = match judge(family, token, act.now) {
            Presented::Ended => return Err(Refusal::CredentialRevoked),
            Presented::Reused => {
                act.rows.update(&family.ended(act.now));
                act.rows.update(&person.user.cut_off());
                act.end(Ended::UserId(person.user.id.into()));
                let entry = AuditEntry::new("auth.refresh_reuse", "user", person.user.id)
                    .set("family_id", token.family().to_string());
                act.trace_by(person.user.id, None, &entry);
                return Ok(Outcome::Ended);
            }
            Presented::Current => {
                admit(person, Refusal::CredentialRevoked)?;
                let successor = self.refresh_keys.successor(token);
                act.rows.update(&rotated(family, &successor, act.now));
                successor
            }
            Presented::JustReplaced => {
                admit(person, Refusal::CredentialRevoked)?;
                let again = self.refresh_keys.successor_with_hash(token, &family.token_hash);
                again.ok_or(Refusal::CredentialRevoked)?
            }
        };
        Ok(Outcome::GoesOn(Box::new(self.answer(
            person,
            token.family(),
            &successor,
            act,
        )?)))
    }
}

fn judge(family: &FamilyRow, token: &RefreshToken, now: Timestamp) -> Presented {
    let replaced = |hash: &Vec<u8>| token.has_hash(hash);
    let lately = family.rotated_at.is_some_and(|at| now <= at + GRACE);
    if !family.is_live(now) {
        Presented::Ended
    } else if token.has_hash(&family.token_hash) {
        Presented::Current
    } else if lately && family.previous_hash.as_ref().is_some_and(replaced) {
        Presented::JustReplaced
    } else {
        Presented::Reused
    }
}

/// The login with its next token; using it keeps it alive, but not beyond its whole life.
fn rotated(family: &FamilyRow, successor: &RefreshToken, now: Timestamp) -> FamilyRow {
    FamilyRow {
        token_hash: successor.hash().to_vec(),
        previous_hash: Some(family.token_hash.clone()),
        rotated_at: Some(now),
        generation: family.generation.saturating_add(1),
        expires_at: (now + IDLE).min(family.created_at + WHOLE),
        ..family.clone()
    }
}

#[cfg(test)]
mod tests {
    use comanda_domain::ids::FamilyId;
    use comanda_security::SystemEntropy;
    use comanda_security::refresh::RefreshKeys;
    use uuid::Uuid;

    use super::*;

    fn token() -> RefreshToken {
        RefreshKeys::first(FamilyId(Uuid::from_u128(1)), &SystemEntropy::new()).unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(1_795_176_000 + seconds, 0).unwrap()
    }

    fn begun(token: &RefreshToken) -> FamilyRow {
        FamilyRow {
            tenant_id: Uuid::nil(),
            id: token.family().0,
            created_at: at(0),
            user_id: Uuid::nil(),
            token_hash: token.hash().to_vec(),
            previous_hash: None,
            rotated_at: None,
            generation: 1,
            expires_at: at(0) + IDLE,
            revoked_at: None,
        }
    }

    #[test]
    fn each_token_is_used_once_and_ten_seconds_more() {
        let (first, second, third) = (token(), token(), token());
        let family = rotated(&begun(&first), &second, at(100));
        assert_eq!(judge(&family, &second, at(100)), Presented::Current);
        assert_eq!(judge(&family, &first, at(110)), Presented::JustReplaced);
        assert_eq!(judge(&family, &first, at(111)), Presented::Reused);
        assert_eq!(judge(&family, &third, at(101)), Presented::Reused);
        let further = rotated(&family, &third, at(101));
        assert_eq!(judge(&further, &first, at(102)), Presented::Reused);
        assert_eq!(
            (further.generation, judge(&further, &second, at(102))),
            (3, Presented::JustReplaced)
        );
    }

    #[test]
    fn an_ended_login_is_over_whatever_is_presented() {
        let (first, other) = (token(), token());
        let family = begun(&first);
        for ended in [
            family.ended(at(5)),
            FamilyRow {
                expires_at: at(9),
                ..family
            },
        ] {
            for presented in [&first, &other] {
                assert_eq!(judge(&ended, presented, at(9)), Presented::Ended);
            }
        }
    }

    #[test]
    fn use_keeps_a_login_alive_for_thirty_days_at_most() {
        let (first, second) = (token(), token());
        let family = begun(&first);
        assert_eq!(rotated(&family, &second, at(60)).expires_at, at(60) + IDLE);
        let late = at(0) + TimeDelta::days(29);
        assert_eq!(rotated(&family, &second, late).expires_at, at(0) + WHOLE);
    }
}
