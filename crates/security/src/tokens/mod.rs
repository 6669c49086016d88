//! Access tokens of staff, of tables and of diners: their claims, and the one way to read them.

mod claims;

use std::borrow::Cow;

use chrono::TimeDelta;
use chrono::serde::ts_seconds;
use comanda_domain::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use self::claims::after;
pub use self::claims::{
    Claims, DINER_LIFETIME, DinerClaims, GrantClaim, STAFF_LIFETIME, StaffClaims, TABLE_LIFETIME, TableClaims,
};
use crate::device::DEVICE_PREFIX;
use crate::encoding::Unwritable;
use crate::jwt::{InvalidToken, TokenKeys};
use crate::policy::Principal;
use crate::refresh::REFRESH_PREFIX;

/// How far the clocks of two processes may be apart.
pub const CLOCK_TOLERANCE: TimeDelta = TimeDelta::seconds(5);

/// How credentials begin that are no access tokens: refresh tokens, device tokens, API keys.
const OTHER_CREDENTIALS: [&str; 3] = [REFRESH_PREFIX, DEVICE_PREFIX, "cmd_"];

/// Why a bearer is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TokenError {
    /// Damaged, forged, or signed with a key that is gone.
    #[error("the token is not valid: {0}")]
    Invalid(InvalidToken),
    /// Genuine, but too old.
    #[error("the token has expired")]
    Expired,
    /// A credential of another kind.
    #[error("the credential is of another kind")]
    WrongAudience,
}

/// What an access token proves. A kind that a route does not want is `token_wrong_audience` there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Credential {
    /// A member of staff.
    Staff(StaffClaims),
    /// Someone at a table who has not registered.
    Table(TableClaims),
    /// A diner.
    Diner(DinerClaims),
}

impl Credential {
    /// Who asks with this credential.
    pub fn principal(&self) -> Principal {
        match self {
            Self::Staff(claims) => Principal::Staff(claims.principal()),
            Self::Table(claims) => Principal::Table(claims.principal()),
            Self::Diner(claims) => Principal::Diner(claims.principal()),
        }
    }

    /// When the token that proved it ends.
    pub fn expires_at(&self) -> Timestamp {
        match self {
            Self::Staff(claims) => claims.expires_at,
            Self::Table(claims) => claims.expires_at,
            Self::Diner(claims) => claims.expires_at,
        }
    }
}

#[derive(Serialize)]
struct Envelope<'a, C> {
    iss: &'a str,
    aud: &'a str,
    #[serde(flatten)]
    claims: &'a C,
}

#[derive(Deserialize)]
struct Registered<'a> {
    #[serde(borrow)]
    iss: Cow<'a, str>,
    #[serde(borrow)]
    aud: Cow<'a, str>,
    #[serde(with = "ts_seconds")]
    exp: Timestamp,
}

/// Writes and signs a token. `issuer` is the public address of this installation.
///
/// # Errors
/// [`Unwritable`] never happens for the claims of this module.
pub fn issue<C: Claims>(keys: &TokenKeys, issuer: &str, claims: &C) -> Result<SecretString, Unwritable> {
    keys.sign(&Envelope {
        iss: issuer,
        aud: C::AUDIENCE,
        claims,
    })
}

/// Reads what came as bearer. Epoch, family and seating are compared with their current values by the caller.
///
/// # Errors
/// [`TokenError`] for everything but a live access token of this issuer.
pub fn authenticate(
    keys: &TokenKeys,
    issuer: &str,
    token: &str,
    now: Timestamp,
) -> Result<Credential, TokenError> {
    if OTHER_CREDENTIALS.iter().any(|prefix| token.starts_with(prefix)) {
        return Err(TokenError::WrongAudience);
    }
    let payload = keys.verify(token).map_err(TokenError::Invalid)?;
    let registered: Registered<'_> = read(&payload)?;
    if registered.iss != issuer {
        return Err(TokenError::Invalid(InvalidToken::WrongIssuer));
    }
    let credential = match registered.aud.as_ref() {
        StaffClaims::AUDIENCE => Credential::Staff(read(&payload)?),
        TableClaims::AUDIENCE => Credential::Table(read(&payload)?),
        DinerClaims::AUDIENCE => Credential::Diner(read(&payload)?),
        _ => return Err(TokenError::WrongAudience),
    };
    if now >= after(registered.exp, CLOCK_TOLERANCE) {
        return Err(TokenError::Expired);
    }
    Ok(credential)
}

fn read<'a, T: Deserialize<'a>>(payload: &'a [u8]) -> Result<T, TokenError> {
    serde_json::from_slice(payload).map_err(|_| TokenError::Invalid(InvalidToken::BadClaims))
}

#[cfg(test)]
mod tests {
    use comanda_domain::actor::{Role, Roles};
    use comanda_domain::ids::{BranchId, FamilyId, TenantId, UserId};
    use proptest::prelude::*;
    use secrecy::ExposeSecret;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;
    use crate::encoding::from_base64url;
    use crate::keys::testing::list;
    use crate::policy::{DinerPrincipal, StaffPrincipal, TablePrincipal};

    const ISSUER: &str = "https://comanda.example";

    fn keys() -> TokenKeys {
        TokenKeys::new(&list(&[1])).unwrap()
    }

    fn now() -> Timestamp {
        "2026-11-20T12:00:00.750Z".parse().unwrap()
    }

    fn id<T: From<Uuid>>(bits: u128) -> T {
        T::from(Uuid::from_u128(bits))
    }

    fn staff() -> StaffPrincipal {
        StaffPrincipal {
            tenant: id(1),
            user: id(2),
            family: id(3),
            epoch: 4,
            owner: false,
            grants: vec![
                (id(5), Roles::NONE.with(Role::Waiter).with(Role::Manager)),
                (id(6), Roles::NONE.with(Role::Kitchen)),
            ],
        }
    }

    fn table() -> TablePrincipal {
        TablePrincipal {
            tenant: id(1),
            branch: id(5),
            session: id(7),
            seating: 2,
        }
    }

    fn diner() -> DinerPrincipal {
        DinerPrincipal {
            tenant: id(1),
            branch: id(5),
            session: id(7),
            seating: 2,
            diner: id(8),
        }
    }

    fn write<C: Claims>(claims: &C) -> String {
        issue(&keys(), ISSUER, claims).unwrap().expose_secret().to_owned()
    }

    fn read_at(token: &str, now: Timestamp) -> Result<Credential, TokenError> {
        authenticate(&keys(), ISSUER, token, now)
    }

    #[test]
    fn each_kind_comes_back_as_itself() {
        let claims = StaffClaims::new(&staff(), now(), id(9));
        assert_eq!(
            read_at(&write(&claims), now()),
            Ok(Credential::Staff(claims.clone()))
        );
        assert_eq!(Credential::Staff(claims).principal(), Principal::Staff(staff()));
        let claims = TableClaims::new(&table(), now(), id(9));
        assert_eq!(
            read_at(&write(&claims), now()),
            Ok(Credential::Table(claims.clone()))
        );
        assert_eq!(Credential::Table(claims).principal(), Principal::Table(table()));
        let claims = DinerClaims::new(&diner(), now(), id(9));
        assert_eq!(
            read_at(&write(&claims), now()),
            Ok(Credential::Diner(claims.clone()))
        );
        assert_eq!(Credential::Diner(claims).principal(), Principal::Diner(diner()));
    }

    #[test]
    fn claims_have_the_specified_names() {
        let token = write(&StaffClaims::new(&staff(), now(), id(9)));
        let payload = from_base64url(token.split('.').nth(1).unwrap()).unwrap();
        let payload: Value = serde_json::from_slice(&payload).unwrap();
        let (five, six): (BranchId, BranchId) = (id(5), id(6));
        assert_eq!(
            payload,
            json!({
                "iss": ISSUER, "aud": "comanda:staff",
                "sub": id::<UserId>(2).to_string(), "tid": id::<TenantId>(1).to_string(),
                "fam": id::<FamilyId>(3).to_string(), "ep": 4, "own": false,
                "grants": [{"b": five.to_string(), "r": ["waiter", "manager"]},
                           {"b": six.to_string(), "r": ["kitchen"]}],
                "iat": 1_795_176_000, "exp": 1_795_176_900, "jti": Uuid::from_u128(9).to_string(),
            })
        );
    }

    #[test]
    fn a_token_lives_its_time_and_five_seconds() {
        let claims = [
            (write(&StaffClaims::new(&staff(), now(), id(9))), 15 * 60),
            (write(&TableClaims::new(&table(), now(), id(9))), 30 * 60),
            (write(&DinerClaims::new(&diner(), now(), id(9))), 12 * 3600),
        ];
        let issued: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        for (token, seconds) in claims {
            let end = issued + TimeDelta::seconds(seconds + 5);
            assert!(read_at(&token, end - TimeDelta::milliseconds(1)).is_ok());
            assert_eq!(read_at(&token, end), Err(TokenError::Expired));
        }
    }

    #[test]
    fn other_credentials_are_of_the_wrong_audience() {
        for token in ["cmdr_x_y", "cmdd_x", "cmd_live_x", "cmd_test_x"] {
            assert_eq!(read_at(token, now()), Err(TokenError::WrongAudience), "{token}");
        }
        let foreign = keys()
            .sign(&json!({"iss": ISSUER, "aud": "other", "exp": 9_999_999_999_i64}))
            .unwrap();
        assert_eq!(
            read_at(foreign.expose_secret(), now()),
            Err(TokenError::WrongAudience)
        );
    }

    #[test]
    fn issuer_and_claims_are_checked() {
        let token = write(&TableClaims::new(&table(), now(), id(9)));
        assert_eq!(
            authenticate(&keys(), "https://comanda.example/", &token, now()),
            Err(TokenError::Invalid(InvalidToken::WrongIssuer))
        );
        let far = 9_999_999_999_i64;
        for payload in [
            json!({"iss": ISSUER, "aud": "comanda:staff"}),
            json!({"iss": ISSUER, "aud": ["comanda:staff"], "exp": far}),
            json!({"iss": ISSUER, "aud": "comanda:staff", "exp": "soon"}),
            json!({"iss": ISSUER, "aud": "comanda:staff", "exp": far}),
            json!({"iss": ISSUER, "aud": "comanda:diner", "exp": far, "tid": "usr_0"}),
            json!({"iss": ISSUER, "aud": "comanda:diner", "exp": i64::MAX}),
            json!([]),
        ] {
            let token = keys().sign(&payload).unwrap();
            let read = read_at(token.expose_secret(), now());
            assert_eq!(
                read,
                Err(TokenError::Invalid(InvalidToken::BadClaims)),
                "{payload}"
            );
        }
    }

    #[test]
    fn the_claims_of_one_kind_do_not_pass_as_another() {
        // A table token relabelled by a holder of the key still lacks what a diner token must have.
        let claims = serde_json::to_value(TableClaims::new(&table(), now(), id(9))).unwrap();
        let envelope = Envelope {
            iss: ISSUER,
            aud: DinerClaims::AUDIENCE,
            claims: &claims,
        };
        let token = keys().sign(&envelope).unwrap();
        assert_eq!(
            read_at(token.expose_secret(), now()),
            Err(TokenError::Invalid(InvalidToken::BadClaims))
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn staff_tokens_round_trip(epoch: i32, owner: bool, grants in prop::collection::vec((any::<u128>(), 0_u8..16), 0..6)) {
            let roles = |bits: u8| {
                Role::ALL.iter().zip(0..).filter(|(_, bit)| bits & (1 << bit) != 0).map(|(role, _)| *role).collect()
            };
            let principal = StaffPrincipal {
                epoch,
                owner,
                grants: grants.into_iter().map(|(branch, bits)| (id(branch), roles(bits))).collect(),
                ..staff()
            };
            let token = write(&StaffClaims::new(&principal, now(), id(9)));
            prop_assert_eq!(read_at(&token, now()).unwrap().principal(), Principal::Staff(principal));
        }
    }
}
