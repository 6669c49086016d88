//! Identifiers: UUIDv7 inside, TypeIDs (`rnd_01m87x22y0e8f8rxrv8hye95g7`) outside.
//!
//! The text form follows the TypeID specification 0.3: a prefix, `_`, and the 128 bits as 26 characters of
//! Crockford base32 in lower case.

use std::fmt;

use uuid::Uuid;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const SUFFIX_LEN: usize = 26;

/// Where new ids come from. The binaries draw from the clock and the system's randomness, tests count.
pub trait IdSource {
    /// A fresh UUIDv7, greater than every one given before.
    fn uuid(&mut self) -> Uuid;

    /// A fresh id of the wanted kind.
    fn next<T: TypedId>(&mut self) -> T
    where
        Self: Sized,
    {
        T::from_uuid(self.uuid())
    }
}

impl IdSource for &mut dyn IdSource {
    fn uuid(&mut self) -> Uuid {
        (**self).uuid()
    }
}

/// An id that knows what it names.
pub trait TypedId: Copy + Ord {
    /// The text before the underscore.
    const PREFIX: &'static str;
    /// Wraps a raw UUID.
    fn from_uuid(uuid: Uuid) -> Self;
    /// The raw UUID.
    fn uuid(self) -> Uuid;
}

/// Why a text is not the wanted id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not a TypeID at all.
    #[error("not an id")]
    Malformed,
    /// A well-formed id of another kind.
    #[error("expected an id that begins with {expected}_, got {got}_")]
    WrongPrefix {
        /// The wanted prefix.
        expected: &'static str,
        /// The prefix found.
        got: String,
    },
}

/// Writes the TypeID of `uuid` with `prefix`.
pub fn encode(prefix: &str, uuid: Uuid) -> String {
    let bits = uuid.as_u128();
    let mut text = String::with_capacity(prefix.len() + 1 + SUFFIX_LEN);
    text.push_str(prefix);
    text.push('_');
    text.push_str(&base32(bits));
    text
}

/// The 26 characters of Crockford base32 of 128 bits, most significant first.
pub fn base32(bits: u128) -> String {
    (0..SUFFIX_LEN)
        .rev()
        .map(|i| {
            let digit = usize::try_from((bits >> (5 * i)) & 31).unwrap_or(0);
            char::from(ALPHABET.get(digit).copied().unwrap_or(b'0'))
        })
        .collect()
}

/// Reads what [`base32`] wrote; nothing else is accepted.
pub fn parse_base32(text: &str) -> Option<u128> {
    if text.len() != SUFFIX_LEN || text.as_bytes().first().is_none_or(|c| !(b'0'..=b'7').contains(c)) {
        return None;
    }
    text.bytes().try_fold(0_u128, |bits, c| {
        let digit = ALPHABET.iter().position(|a| *a == c)?;
        Some((bits << 5) | u128::try_from(digit).ok()?)
    })
}

/// Reads a TypeID with the given prefix.
///
/// # Errors
/// [`IdError`] when the text is no TypeID or one of another kind.
pub fn decode(expected: &'static str, text: &str) -> Result<Uuid, IdError> {
    let (prefix, suffix) = text.rsplit_once('_').ok_or(IdError::Malformed)?;
    let bits = parse_base32(suffix).ok_or(IdError::Malformed)?;
    if prefix.is_empty() || prefix.len() > 63 || !prefix.bytes().all(|b| b.is_ascii_lowercase()) {
        return Err(IdError::Malformed);
    }
    if prefix != expected {
        return Err(IdError::WrongPrefix {
            expected,
            got: prefix.to_owned(),
        });
    }
    Ok(Uuid::from_u128(bits))
}

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl TypedId for $name {
            const PREFIX: &'static str = $prefix;
            fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }
            fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&encode($prefix, self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                decode($prefix, text).map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )*};
}

typed_ids! {
    /// A restaurant business.
    TenantId = "tnt",
    /// One of its places.
    BranchId = "brn",
    /// A named area of a branch.
    SectorId = "sec",
    /// A physical table.
    TableId = "tbl",
    /// A member of staff.
    UserId = "usr",
    /// One role of one user in one branch.
    GrantId = "grt",
    /// A waiter's sector on a business day.
    AssignmentId = "asg",
    /// A remembered phone.
    DeviceId = "dev",
    /// An integration credential.
    ApiKeyId = "key",
    /// A menu category.
    CategoryId = "cat",
    /// A dish or drink.
    ProductId = "prd",
    /// An allergen.
    AllergenId = "alg",
    /// A choice such as the cooking point.
    ModifierGroupId = "mdg",
    /// One answer to that choice.
    ModifierOptionId = "mdo",
    /// One visit of one party at a table.
    SessionId = "ses",
    /// One named person of a session.
    DinerId = "dnr",
    /// A line of the shared cart.
    CartLineId = "crt",
    /// One order of a session.
    RoundId = "rnd",
    /// One line of a round.
    RoundItemId = "rit",
    /// What was taken back of a round item.
    ItemVoidId = "vod",
    /// The work of one station for one round.
    TicketId = "tkt",
    /// One line of that work.
    TicketItemId = "tki",
    /// A diner asking for a person.
    ServiceCallId = "cal",
    /// The bill.
    CheckId = "chk",
    /// What one round item costs on a check.
    ChargeId = "chg",
    /// Money given.
    PaymentId = "pay",
    /// Money for the staff.
    TipId = "tip",
    /// The part of a payment that covers a charge.
    AllocationId = "alc",
    /// A durable event.
    EventId = "evt",
    /// An audit entry.
    AuditId = "aud",
    /// A receiver of webhooks.
    WebhookId = "whk",
    /// One event on its way to one receiver.
    DeliveryId = "dlv",
    /// Work that was given up.
    DeadLetterId = "dlt",
    /// A staff login.
    FamilyId = "fam",
    /// One request.
    RequestId = "req",
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_example_of_the_specification_holds() {
        let uuid: Uuid = "01a19c21-7200-78b2-b69a-272c373b8989".parse().unwrap();
        assert_eq!(TenantId(uuid).to_string(), "tnt_01m6e22wg0f2sbd6h75gvkq2c9");
        assert_eq!("tnt_01m6e22wg0f2sbd6h75gvkq2c9".parse(), Ok(TenantId(uuid)));
    }

    proptest! {
        // P17
        #[test]
        fn ids_round_trip_and_other_prefixes_are_refused(bits: u128) {
            let id = RoundId(Uuid::from_u128(bits));
            let text = id.to_string();
            prop_assert_eq!(text.len(), 30);
            prop_assert_eq!(text.parse::<RoundId>(), Ok(id));
            prop_assert_eq!(
                text.parse::<TicketId>(),
                Err(IdError::WrongPrefix { expected: "tkt", got: "rnd".to_owned() })
            );
        }

        #[test]
        fn garbage_is_malformed_and_never_panics(text in "\\PC{0,40}") {
            if let Ok(id) = text.parse::<RoundId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
