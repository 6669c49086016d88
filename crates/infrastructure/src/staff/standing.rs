//! Whether a login still counts. Known for at most a second, so that whoever is cut off is out within that.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use comanda_domain::ids::{FamilyId, UserId};
use comanda_security::policy::StaffPrincipal;

use super::rows::ACTIVE;
use super::{StaffService, store};
use crate::refusal::Refusal;

/// How long an answer is believed: the promise of every revocation.
const BELIEVED: Duration = Duration::from_secs(1);
/// Logins that are remembered at most; beyond that, they are looked up more often.
const REMEMBERED: usize = 10_000;

/// How a login stands.
#[derive(Debug, Clone, Copy)]
struct Standing {
    user: UserId,
    /// The person's token epoch; none when the login has ended or the person is gone.
    epoch: Option<i32>,
    tenant_active: bool,
    asked_at: Instant,
}

impl Standing {
    fn judge(&self, who: &StaffPrincipal) -> Result<(), Refusal> {
        match self.epoch {
            Some(_) if !self.tenant_active => Err(Refusal::TenantSuspended),
            Some(epoch) if who.epoch >= epoch => Ok(()),
            _ => Err(Refusal::CredentialRevoked),
        }
    }
}

/// What is known of logins.
#[derive(Default)]
pub(super) struct Standings(Mutex<HashMap<FamilyId, Standing>>);

impl Standings {
    fn known(&self) -> MutexGuard<'_, HashMap<FamilyId, Standing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, family: FamilyId, now: Instant) -> Option<Standing> {
        self.known()
            .get(&family)
            .copied()
            .filter(|standing| standing.asked_at + BELIEVED > now)
    }

    fn put(&self, family: FamilyId, standing: Standing) {
        let mut known = self.known();
        if known.len() >= REMEMBERED && !known.contains_key(&family) {
            known.retain(|_, old| old.asked_at + BELIEVED > standing.asked_at);
            if known.len() >= REMEMBERED {
                known.clear();
            }
        }
        known.insert(family, standing);
    }

    /// Looks a login up again at its next use.
    pub(super) fn forget(&self, family: FamilyId) {
        self.known().remove(&family);
    }

    /// Looks all logins of a person up again.
    pub(super) fn forget_user(&self, user: UserId) {
        self.known().retain(|_, standing| standing.user != user);
    }
}

impl StaffService {
    /// Whether an access token still counts: its login goes on, and nothing about the person has changed since.
    ///
    /// # Errors
    /// `token_invalid`, `tenant_suspended`; `service_unavailable` when it cannot be found out, for an outage must
    /// not log people out.
    pub async fn still_valid(&self, who: &StaffPrincipal) -> Result<(), Refusal> {
        // From before the query: what is read may change while it is under way.
        let asked_at = Instant::now();
        if let Some(standing) = self.standings.get(who.family, asked_at) {
            return standing.judge(who);
        }
        let found = self
            .db
            .read(who.tenant, async |conn| {
                Ok(store::standing(conn, who.tenant, who.family).await?)
            })
            .await?;
        let now = self.db.sources().now();
        let (epoch, tenant_active) = match found {
            Some((epoch, disabled, deleted, revoked, expires_at, status)) => {
                let counts = disabled.is_none() && deleted.is_none() && revoked.is_none() && expires_at > now;
                (counts.then_some(epoch), status == ACTIVE)
            }
            None => (None, false),
        };
        let standing = Standing {
            user: who.user,
            epoch,
            tenant_active,
            asked_at,
        };
        self.standings.put(who.family, standing);
        standing.judge(who)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn who(epoch: i32) -> StaffPrincipal {
        StaffPrincipal {
            tenant: Uuid::from_u128(1).into(),
            user: Uuid::from_u128(2).into(),
            family: Uuid::from_u128(3).into(),
            epoch,
            owner: false,
            grants: Vec::new(),
        }
    }

    fn standing(epoch: Option<i32>, tenant_active: bool) -> Standing {
        Standing {
            user: who(0).user,
            epoch,
            tenant_active,
            asked_at: Instant::now(),
        }
    }

    #[test]
    fn a_lower_epoch_is_outdated() {
        assert!(standing(Some(4), true).judge(&who(4)).is_ok());
        assert!(matches!(
            standing(Some(5), true).judge(&who(4)),
            Err(Refusal::CredentialRevoked)
        ));
        assert!(matches!(
            standing(None, true).judge(&who(4)),
            Err(Refusal::CredentialRevoked)
        ));
        assert!(matches!(
            standing(Some(4), false).judge(&who(4)),
            Err(Refusal::TenantSuspended)
        ));
    }

    #[test]
    fn an_answer_is_believed_for_a_second_and_can_be_forgotten() {
        let (known, login) = (Standings::default(), who(0).family);
        let asked = standing(Some(1), true);
        known.put(login, asked);
        let just_so = asked.asked_at + Duration::from_millis(999);
        assert!(known.get(login, just_so).is_some());
        assert!(known.get(login, asked.asked_at + BELIEVED).is_none());
        known.forget_user(Uuid::from_u128(9).into());
        assert!(known.get(login, asked.asked_at).is_some());
        known.forget_user(asked.user);
        assert!(known.get(login, asked.asked_at).is_none());
        known.put(login, asked);
        known.forget(login);
        assert!(known.get(login, asked.asked_at).is_none());
    }

    #[test]
    fn memory_is_bounded() {
        let known = Standings::default();
        for bits in 0..25_000 {
            known.put(Uuid::from_u128(bits).into(), standing(Some(1), true));
        }
        assert!(known.known().len() <= REMEMBERED);
    }
}
