//! Staff: logging in, staying logged in, and being cut off.

mod hashing;
mod login;
mod logout;
mod me;
mod password;
mod refresh;
pub(crate) mod rows;
mod standing;
pub(crate) mod store;

use std::sync::Arc;

use comanda_domain::actor::ActorKind;
use comanda_domain::ids::{FamilyId, IdSource, TenantId, UserId};
use comanda_security::password::PasswordHasher;
use comanda_security::refresh::RefreshToken;
use comanda_security::tokens::{STAFF_LIFETIME, StaffClaims, issue};
use secrecy::ExposeSecret;

pub use login::Login;

use crate::audit::Caller;
use crate::config::Keys;
use crate::db::{Act, Ask, Db};
use crate::refusal::Refusal;
use crate::views::{LoginView, user};
use hashing::Hashing;
use standing::Standings;
use store::Person;

/// Logins of staff.
#[derive(Clone)]
pub struct StaffService {
    db: Db,
    keys: Keys,
    issuer: Arc<str>,
    hashing: Hashing,
    standings: Arc<Standings>,
}

impl StaffService {
    /// Over this database. `issuer` is the public address of the installation.
    pub fn new(db: Db, keys: Keys, issuer: &str, hasher: PasswordHasher) -> Self {
        Self { db, keys, issuer: issuer.into(), hashing: Hashing::new(hasher), standings: Arc::default() }
    }

    /// What a login or a refresh answers.
    fn answer(&self, person: &Person, family: FamilyId, token: &RefreshToken, act: &mut Act<'_>) -> Result<LoginView, Refusal> {
        let claims = StaffClaims::new(&person.principal(family), act.now, act.ids.uuid());
        let access = issue(&self.keys.tokens, &self.issuer, &claims)
            .map_err(|error| Refusal::Internal(error.to_string()))?;
        Ok(LoginView {
            access_token: access.expose_secret().to_owned(),
            token_type: "Bearer".to_owned(),
            expires_in: STAFF_LIFETIME.num_seconds(),
            refresh_token: Some(token.expose().to_owned()),
            user: user(person),
        })
    }
}

/// Someone who has not proved yet who they are.
#[derive(Debug, Clone, Default)]
pub struct Stranger {
    /// The request, in the client's words or ours.
    pub request_id: String,
    /// `traceparent` of the request, if it had one.
    pub traceparent: Option<String>,
    /// From where.
    pub client_ip: Option<String>,
    /// With what.
    pub user_agent: Option<String>,
}

impl Stranger {
    /// The frame of an operation, now that the tenant is known and perhaps who it is.
    fn ask(&self, tenant: TenantId, user: Option<UserId>) -> Ask {
        Ask {
            tenant,
            caller: Caller {
                kind: ActorKind::User,
                id: user.map(|user| user.0),
                client_ip: self.client_ip.clone(),
                user_agent: self.user_agent.clone(),
            },
            request_id: self.request_id.clone(),
            traceparent: self.traceparent.clone(),
            language: None,
            found_at: "",
            idempotency: None,
        }
    }
}
