//! Whether a key may be used here and now.

use std::net::IpAddr;

use comanda_domain::Timestamp;
use comanda_domain::ids::{ApiKeyId, BranchId, TenantId};
use ipnet::IpNet;

use super::network;
use super::peppers::{ApiKeyPeppers, StoredMac};
use super::text::{KeyEnvironment, KeyId, Malformed, PresentedKey};
use crate::policy::{ApiKeyPrincipal, Scope};

/// A key as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredApiKey {
    /// Whose.
    pub tenant: TenantId,
    /// Which.
    pub id: ApiKeyId,
    /// By which it was found.
    pub key_id: KeyId,
    /// What its owner calls it.
    pub name: String,
    /// On which side it works.
    pub environment: KeyEnvironment,
    /// The secret that was given out last.
    pub current: StoredMac,
    /// The one before, while both work.
    pub previous: Option<PreviousMac>,
    /// Where it acts; an empty list is nowhere.
    pub branches: Vec<BranchId>,
    /// What it may; an empty list is nothing.
    pub scopes: Vec<Scope>,
    /// From where it may be used: anywhere if there is no list, from nowhere if the list is empty.
    pub ip_allow: Option<Vec<IpNet>>,
    /// Whether it accepts signed requests only.
    pub requires_signature: bool,
    /// When it ends, if ever.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// A secret that was replaced and still works for a while.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PreviousMac {
    /// What is stored of it.
    pub mac: StoredMac,
    /// The first moment at which it does not work.
    pub valid_until: Timestamp,
}

/// Why a key is refused. For logs and metrics; the client learns only that it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub enum KeyRefusal {
    /// No key of ours, or damaged.
    #[error("malformed")]
    Malformed,
    /// Nobody was given this key, or its secret was replaced.
    #[error("unknown")]
    Unknown,
    /// Its time is over.
    #[error("expired")]
    Expired,
    /// It was revoked.
    #[error("revoked")]
    Revoked,
    /// Used from an address that is not on its list.
    #[error("address")]
    Address,
    /// A live key that calls itself a test key, or the other way round.
    #[error("environment")]
    Environment,
    /// It accepts signed requests only.
    #[error("signature_required")]
    SignatureRequired,
}

impl KeyRefusal {
    /// The reason, as logs and metric labels write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Address => "address",
            Self::Environment => "environment",
            Self::SignatureRequired => "signature_required",
        }
    }
}

impl From<Malformed> for KeyRefusal {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

/// With which of its secrets a key was used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UsedSecret {
    /// The one given out last.
    Current,
    /// The one before, which stops working at this time.
    Previous {
        /// The first moment at which it does not work.
        valid_until: Timestamp,
    },
}

/// A key that may be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Accepted {
    /// Who asks.
    pub principal: ApiKeyPrincipal,
    /// With which secret.
    pub used: UsedSecret,
    /// What to store instead for that secret, when it was verified under an older pepper.
    pub rewrite: Option<StoredMac>,
}

/// Judges a key against the row that its id found. Whoever does not know the secret learns nothing about the key,
/// so the secret is looked at first.
///
/// `ip` is the client's address, if it is known.
///
/// # Errors
/// [`KeyRefusal`] says why not.
pub fn validate(
    peppers: &ApiKeyPeppers,
    presented: &PresentedKey,
    stored: &StoredApiKey,
    ip: Option<IpAddr>,
    now: Timestamp,
) -> Result<Accepted, KeyRefusal> {
    let (used, mac) = find_secret(peppers, presented, stored, now).ok_or(KeyRefusal::Unknown)?;
    if presented.environment != stored.environment {
        return Err(KeyRefusal::Environment);
    }
    stored.may_be_used(ip, now)?;
    if stored.requires_signature {
        return Err(KeyRefusal::SignatureRequired);
    }
    Ok(Accepted {
        principal: stored.principal(),
        used,
        rewrite: (!peppers.is_current(mac)).then(|| peppers.mac(&presented.secret)),
    })
}

/// Compares with every live MAC, also once one has fitted.
fn find_secret<'a>(
    peppers: &ApiKeyPeppers,
    presented: &PresentedKey,
    stored: &'a StoredApiKey,
    now: Timestamp,
) -> Option<(UsedSecret, &'a StoredMac)> {
    if presented.key_id != stored.key_id {
        return None;
    }
    let current = peppers
        .fits(&presented.secret, &stored.current)
        .then_some((UsedSecret::Current, &stored.current));
    let previous = stored.previous.as_ref().and_then(|previous| {
        let PreviousMac { mac, valid_until } = previous;
        let fits = peppers.fits(&presented.secret, mac) && now < *valid_until;
        fits.then_some((
            UsedSecret::Previous {
                valid_until: *valid_until,
            },
            mac,
        ))
    });
    current.or(previous)
}

impl StoredApiKey {
    /// Whether the key lives and may be used from this address, however it proved itself.
    ///
    /// # Errors
    /// [`KeyRefusal::Revoked`], [`KeyRefusal::Expired`] or [`KeyRefusal::Address`].
    pub fn may_be_used(&self, ip: Option<IpAddr>, now: Timestamp) -> Result<(), KeyRefusal> {
        if self.revoked_at.is_some() {
            return Err(KeyRefusal::Revoked);
        }
        if self.expires_at.is_some_and(|end| end <= now) {
            return Err(KeyRefusal::Expired);
        }
        match &self.ip_allow {
            Some(allowed) if !ip.is_some_and(|ip| network::contains(allowed, ip)) => Err(KeyRefusal::Address),
            _ => Ok(()),
        }
    }

    /// Who asks with this key.
    pub fn principal(&self) -> ApiKeyPrincipal {
        ApiKeyPrincipal {
            tenant: self.tenant,
            id: self.id,
            key_id: self.key_id.clone(),
            name: self.name.clone(),
            branches: self.branches.clone(),
            scopes: self.scopes.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use proptest::prelude::*;
    use secrecy::ExposeSecret;
    use uuid::Uuid;

    use super::super::parse_network;
    use super::super::text::{IssuedKey, issue, parse, reissue};
    use super::*;
    use crate::encoding::base64;
    use crate::entropy::SystemEntropy;
    use crate::keys::KeyList;

    fn at(seconds: i64) -> Timestamp {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn peppers(ids: &[u8]) -> ApiKeyPeppers {
        let text: Vec<String> = ids
            .iter()
            .map(|id| format!("p{id}:{}", base64([*id; 32])))
            .collect();
        ApiKeyPeppers::new(KeyList::parse(&text.join(",").into()).unwrap())
    }

    fn new_key() -> IssuedKey {
        issue(KeyEnvironment::Live, &SystemEntropy::new()).unwrap()
    }

    fn stored(key: &IssuedKey, peppers: &ApiKeyPeppers) -> StoredApiKey {
        StoredApiKey {
            tenant: TenantId(Uuid::from_u128(1)),
            id: ApiKeyId(Uuid::from_u128(2)),
            key_id: key.key_id.clone(),
            name: "Till".to_owned(),
            environment: KeyEnvironment::Live,
            current: peppers.mac(&key.secret),
            previous: None,
            branches: vec![BranchId(Uuid::from_u128(3))],
            scopes: vec![Scope::TicketsRead],
            ip_allow: None,
            requires_signature: false,
            expires_at: None,
            revoked_at: None,
        }
    }

    fn try_key(
        key: &IssuedKey,
        stored: &StoredApiKey,
        ip: &str,
        now: Timestamp,
    ) -> Result<Accepted, KeyRefusal> {
        let presented = parse(key.text.expose_secret())?;
        validate(&peppers(&[1]), &presented, stored, ip.parse().ok(), now)
    }

    #[test]
    fn a_good_key_is_its_principal() {
        let key = new_key();
        let row = stored(&key, &peppers(&[1]));
        let accepted = try_key(&key, &row, "192.0.2.1", at(0)).unwrap();
        assert_eq!(accepted.principal, row.principal());
        assert_eq!((accepted.used, accepted.rewrite), (UsedSecret::Current, None));
    }

    #[test]
    fn every_reason_has_its_name() {
        let key = new_key();
        let good = stored(&key, &peppers(&[1]));
        let cases = [
            (
                KeyRefusal::Revoked,
                StoredApiKey {
                    revoked_at: Some(at(0)),
                    ..good.clone()
                },
            ),
            (
                KeyRefusal::Expired,
                StoredApiKey {
                    expires_at: Some(at(10)),
                    ..good.clone()
                },
            ),
            (
                KeyRefusal::Address,
                StoredApiKey {
                    ip_allow: Some(vec![]),
                    ..good.clone()
                },
            ),
            (
                KeyRefusal::Address,
                StoredApiKey {
                    ip_allow: Some(vec![parse_network("192.0.3.0/24").unwrap()]),
                    ..good.clone()
                },
            ),
            (
                KeyRefusal::Environment,
                StoredApiKey {
                    environment: KeyEnvironment::Test,
                    ..good.clone()
                },
            ),
            (
                KeyRefusal::SignatureRequired,
                StoredApiKey {
                    requires_signature: true,
                    ..good.clone()
                },
            ),
            (KeyRefusal::Unknown, stored(&new_key(), &peppers(&[1]))),
            (KeyRefusal::Unknown, stored(&key, &peppers(&[2]))),
        ];
        for (reason, row) in cases {
            assert_eq!(try_key(&key, &row, "192.0.2.1", at(10)), Err(reason), "{row:?}");
            assert_eq!(reason.as_str(), reason.to_string());
        }
        assert_eq!(
            parse("cmd_live_").map_err(KeyRefusal::from).unwrap_err(),
            KeyRefusal::Malformed
        );
    }

    #[test]
    fn who_does_not_know_the_secret_learns_nothing_else() {
        let key = new_key();
        let row = StoredApiKey {
            revoked_at: Some(at(0)),
            expires_at: Some(at(0)),
            ip_allow: Some(vec![]),
            requires_signature: true,
            ..stored(&key, &peppers(&[1]))
        };
        let guess = reissue(KeyEnvironment::Test, key.key_id.clone(), &SystemEntropy::new()).unwrap();
        assert_eq!(
            try_key(&guess, &row, "192.0.2.1", at(10)),
            Err(KeyRefusal::Unknown)
        );
    }

    #[test]
    fn an_unknown_address_is_on_no_list() {
        let key = new_key();
        let mut row = stored(&key, &peppers(&[1]));
        assert!(try_key(&key, &row, "not known", at(0)).is_ok());
        row.ip_allow = Some(vec![parse_network("0.0.0.0/0").unwrap()]);
        assert!(try_key(&key, &row, "192.0.2.1", at(0)).is_ok());
        assert_eq!(try_key(&key, &row, "not known", at(0)), Err(KeyRefusal::Address));
        assert_eq!(
            try_key(&key, &row, "2001:db8::1", at(0)),
            Err(KeyRefusal::Address)
        );
    }

    #[test]
    fn an_older_pepper_verifies_and_is_replaced() {
        let key = new_key();
        let mut row = stored(&key, &peppers(&[1]));
        let presented = parse(key.text.expose_secret()).unwrap();
        let both = peppers(&[2, 1]);
        let accepted = validate(&both, &presented, &row, None, at(0)).unwrap();
        assert_eq!(accepted.rewrite, Some(both.mac(&key.secret)));

        row.current = accepted.rewrite.unwrap();
        assert_eq!(row.current.pepper_id, "p2");
        let again = validate(&peppers(&[2]), &presented, &row, None, at(0)).unwrap();
        assert_eq!(again.rewrite, None);
    }

    #[test]
    fn the_rewrite_of_a_previous_secret_is_its_own() {
        let (old, new) = (new_key(), new_key());
        let mut row = stored(&old, &peppers(&[1]));
        row.previous = Some(PreviousMac {
            mac: row.current.clone(),
            valid_until: at(5),
        });
        let both = peppers(&[2, 1]);
        row.current = both.mac(&new.secret);
        let presented = parse(old.text.expose_secret()).unwrap();
        let accepted = validate(&both, &presented, &row, None, at(0)).unwrap();
        assert_eq!(accepted.used, UsedSecret::Previous { valid_until: at(5) });
        assert_eq!(accepted.rewrite, Some(both.mac(&old.secret)));
    }

    proptest! {
        #[test]
        fn a_replaced_secret_works_until_its_time(overlap in 0_i64..100, now in 0_i64..100) {
            let entropy = SystemEntropy::new();
            let old = new_key();
            let new = reissue(KeyEnvironment::Live, old.key_id.clone(), &entropy).unwrap();
            let mut row = stored(&new, &peppers(&[1]));
            let valid_until = at(overlap);
            row.previous = Some(PreviousMac { mac: peppers(&[1]).mac(&old.secret), valid_until });

            let with_new = try_key(&new, &row, "192.0.2.1", at(now)).map(|accepted| accepted.used);
            prop_assert_eq!(with_new, Ok(UsedSecret::Current));
            let with_old = try_key(&old, &row, "192.0.2.1", at(now)).map(|accepted| accepted.used);
            let expected = if now < overlap {
                Ok(UsedSecret::Previous { valid_until })
            } else {
                Err(KeyRefusal::Unknown)
            };
            prop_assert_eq!(with_old, expected);
        }

        #[test]
        fn no_key_outlives_its_end(end in 0_i64..100, now in 0_i64..100) {
            let key = new_key();
            let row = StoredApiKey { expires_at: Some(at(end)), ..stored(&key, &peppers(&[1])) };
            let answer = try_key(&key, &row, "192.0.2.1", at(now));
            prop_assert_eq!(answer.is_ok(), at(now) + TimeDelta::seconds(1) <= at(end));
            if now >= end {
                prop_assert_eq!(answer, Err(KeyRefusal::Expired));
            }
        }
    }
}
