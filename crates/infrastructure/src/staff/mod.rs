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
use comanda_security::refresh::{RefreshKeys, RefreshToken};
use comanda_security::tokens::{STAFF_LIFETIME, StaffClaims};

pub use login::Login;

use crate::audit::Caller;
use crate::db::{Act, Ask, Db, Origin};
use crate::refusal::Refusal;
use crate::tokens::TokenIssuer;
use crate::views::{LoginView, user};
use hashing::Hashing;
use standing::Standings;
use store::Person;

/// Logins of staff.
#[derive(Clone)]
pub struct StaffService {
    db: Db,
    tokens: TokenIssuer,
    refresh_keys: RefreshKeys,
    hashing: Hashing,
    standings: Arc<Standings>,
}

impl StaffService {
    /// Over this database, with the keys of access and refresh tokens.
    pub fn new(db: Db, tokens: TokenIssuer, refresh_keys: RefreshKeys, hasher: PasswordHasher) -> Self {
        Self {
            db,
            tokens,
            refresh_keys,
            hashing: Hashing::new(hasher),
            standings: Arc::default(),
        }
    }

    /// Every tenant, for jobs that go through them one by one.
    ///
    /// # Errors
    /// Only a failure of the database.
    pub async fn tenants(&self) -> Result<Vec<TenantId>, Refusal> {
        self.db
            .directory(async |conn| Ok(store::tenants(conn).await?))
            .await
    }

    /// What a login or a refresh answers.
    fn answer(
        &self,
        person: &Person,
        family: FamilyId,
        token: &RefreshToken,
        act: &mut Act<'_>,
    ) -> Result<LoginOutcome, Refusal> {
        let claims = StaffClaims::new(&person.principal(family), act.now, act.ids.uuid());
        let view = LoginView {
            access_token: self.tokens.issue(&claims)?,
            token_type: "Bearer".to_owned(),
            expires_in: STAFF_LIFETIME.num_seconds(),
            refresh_token: None,
            user: user(person),
        };
        Ok(LoginOutcome {
            view,
            refresh_token: token.expose().to_owned(),
        })
    }
}

/// A login that begins or goes on. The door decides how its refresh token travels: in the view, or in a cookie.
pub struct LoginOutcome {
    /// The answer, without the refresh token.
    pub view: LoginView,
    /// The refresh token.
    pub refresh_token: String,
}

/// Someone who has not proved yet who they are.
#[derive(Debug, Clone, Default)]
pub struct Stranger {
    /// The request, in the client's words or ours.
    pub request_id: String,
    /// What led to the request.
    pub origin: Origin,
    /// From where.
    pub client_ip: Option<String>,
    /// With what.
    pub user_agent: Option<String>,
}

impl Stranger {
    /// The frame of an operation, now that the tenant is known and perhaps who it is. What a nameless phone sets off,
    /// Comanda does.
    pub(crate) fn ask(&self, tenant: TenantId, user: Option<UserId>) -> Ask {
        Ask {
            tenant,
            caller: Caller {
                kind: user.map_or(ActorKind::System, |_| ActorKind::User),
                id: user.map(|user| user.0),
                client_ip: self.client_ip.clone(),
                user_agent: self.user_agent.clone(),
            },
            request_id: self.request_id.clone(),
            origin: self.origin.clone(),
            language: None,
            found_at: "",
            nonce: None,
            idempotency: None,
        }
    }
}
