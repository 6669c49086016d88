//! Whether a key may be given another secret, and for how long the one before goes on working.

use chrono::TimeDelta;
use comanda_domain::Timestamp;

use super::validate::StoredApiKey;

/// How long the secret before goes on working.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Overlap {
    /// It ends at once.
    None,
    /// An hour.
    Hour,
    /// A day.
    #[default]
    Day,
    /// A week.
    Week,
}

impl Overlap {
    /// The names, shortest first.
    pub const NAMES: &'static [&'static str] = &["0", "1h", "24h", "7d"];

    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::None, Self::Hour, Self::Day, Self::Week]
            .into_iter()
            .find(|overlap| overlap.as_str() == text)
    }

    /// The name, as it is typed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "0",
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
        }
    }

    const fn long(self) -> TimeDelta {
        match self {
            Self::None => TimeDelta::zero(),
            Self::Hour => TimeDelta::hours(1),
            Self::Day => TimeDelta::hours(24),
            Self::Week => TimeDelta::days(7),
        }
    }
}

/// Why a key gets no other secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RotationRefusal {
    /// It was revoked.
    #[error("the key is revoked")]
    Revoked,
    /// Its time is over.
    #[error("the key is expired")]
    Expired,
    /// It was rotated just now, and both secrets work; only force ends the older one.
    #[error("the key is being rotated")]
    Rotating,
}

impl RotationRefusal {
    /// The status of the key that is in the way.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::Rotating => "rotating",
        }
    }
}

impl StoredApiKey {
    /// Until when the present secret works beside a new one; nothing if it ends at once. Never longer than the key
    /// itself. `force` ends the secret before the present one now, if it still works.
    ///
    /// # Errors
    /// [`RotationRefusal`].
    pub fn rotation(
        &self,
        overlap: Overlap,
        force: bool,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, RotationRefusal> {
        if self.revoked_at.is_some() {
            return Err(RotationRefusal::Revoked);
        }
        if self.expires_at.is_some_and(|end| end <= now) {
            return Err(RotationRefusal::Expired);
        }
        let both_work = self
            .previous
            .as_ref()
            .is_some_and(|previous| now < previous.valid_until);
        if both_work && !force {
            return Err(RotationRefusal::Rotating);
        }
        let until = now + overlap.long();
        let until = self.expires_at.map_or(until, |end| until.min(end));
        Ok((until > now).then_some(until))
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use comanda_domain::ids::{ApiKeyId, TenantId};

    use super::super::{KeyEnvironment, KeyId, PreviousMac, StoredMac};
    use super::*;

    const HOUR: i64 = 3_600;

    fn at(seconds: i64) -> Timestamp {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn key() -> StoredApiKey {
        let mac = StoredMac {
            pepper_id: "1".to_owned(),
            mac: vec![0; 32],
        };
        StoredApiKey {
            tenant: TenantId(uuid::Uuid::nil()),
            id: ApiKeyId(uuid::Uuid::nil()),
            key_id: KeyId::parse("041061050r3gg28a").unwrap(),
            name: "Till".to_owned(),
            environment: KeyEnvironment::Live,
            current: mac,
            previous: None,
            branches: Vec::new(),
            scopes: Vec::new(),
            ip_allow: None,
            requires_signature: false,
            expires_at: None,
            revoked_at: None,
        }
    }

    #[test]
    fn the_secret_before_works_for_the_overlap() {
        for (overlap, long) in [("0", 0), ("1h", HOUR), ("24h", 24 * HOUR), ("7d", 168 * HOUR)] {
            let parsed = Overlap::parse(overlap).unwrap();
            assert_eq!(parsed.as_str(), overlap);
            let until = (long > 0).then(|| at(HOUR + long));
            assert_eq!(key().rotation(parsed, false, at(HOUR)), Ok(until), "{overlap}");
        }
        assert_eq!(Overlap::NAMES.len(), 4);
        assert_eq!(Overlap::parse("2h"), None);
    }

    #[test]
    fn never_longer_than_the_key() {
        let ending = StoredApiKey {
            expires_at: Some(at(HOUR)),
            ..key()
        };
        assert_eq!(ending.rotation(Overlap::Week, false, at(0)), Ok(Some(at(HOUR))));
        assert_eq!(
            ending.rotation(Overlap::Week, true, at(HOUR)),
            Err(RotationRefusal::Expired)
        );
    }

    #[test]
    fn one_rotation_at_a_time_unless_forced() {
        let rotated = StoredApiKey {
            previous: Some(PreviousMac {
                mac: key().current,
                valid_until: at(HOUR),
            }),
            ..key()
        };
        let rotate = |force, now| rotated.rotation(Overlap::Hour, force, at(now));
        assert_eq!(rotate(false, HOUR - 1), Err(RotationRefusal::Rotating));
        assert_eq!(rotate(true, HOUR - 1), Ok(Some(at(2 * HOUR - 1))));
        assert_eq!(rotate(false, HOUR), Ok(Some(at(2 * HOUR))));
        let revoked = StoredApiKey {
            revoked_at: Some(at(1)),
            ..rotated
        };
        assert_eq!(
            revoked.rotation(Overlap::Hour, true, at(2)),
            Err(RotationRefusal::Revoked)
        );
    }
}
