//! Every use case of the process, built once.

use comanda_security::SystemEntropy;
use comanda_security::api_key::ApiKeyPeppers;
pub use comanda_security::password::PasswordError;
use comanda_security::password::PasswordHasher;
use comanda_security::seal::SealKeys;

use crate::api_keys::ApiKeyService;
use crate::billing::BillingService;
use crate::carts::CartService;
use crate::clock::Sources;
use crate::config::Config;
pub use crate::config::Keys;
use crate::db::{Db, DbError};
use crate::diners::DinerService;
use crate::floor::FloorService;
use crate::kitchen::KitchenService;
use crate::menus::MenuService;
use crate::rounds::RoundService;
use crate::service_calls::ServiceCallService;
use crate::sessions::SessionService;
use crate::staff::StaffService;
use crate::tokens::TokenIssuer;
use crate::webhooks::{Outbound, WebhookService};

/// The services, each cheap to clone.
#[derive(Clone)]
pub struct Services {
    /// Visits.
    pub sessions: SessionService,
    /// Guests.
    pub diners: DinerService,
    /// What a visit is about to order.
    pub carts: CartService,
    /// Rounds.
    pub rounds: RoundService,
    /// Tickets.
    pub kitchen: KitchenService,
    /// Guests asking for a person.
    pub calls: ServiceCallService,
    /// Checks and payments.
    pub billing: BillingService,
    /// Menus.
    pub menus: MenuService,
    /// Branches and tables.
    pub floor: FloorService,
    /// Logins.
    pub staff: StaffService,
    /// Keys of integrations.
    pub api_keys: ApiKeyService,
    /// Receivers of webhooks.
    pub webhooks: WebhookService,
    /// Time and ids.
    pub sources: Sources,
    db: Db,
}

impl Services {
    /// Over this database. Takes as long as hashing a password.
    ///
    /// # Errors
    /// [`PasswordError`] for parameters that Argon2 does not take.
    pub fn new(db: &Db, config: &Config) -> Result<Self, PasswordError> {
        let (keys, url) = (&config.keys, config.public_url.as_str());
        // Plain http to this machine is for developing and trying.
        let outbound = Outbound::new(!config.environment.is_guarded());
        let tokens = TokenIssuer::new(keys.tokens.clone(), url);
        let hasher = PasswordHasher::new(config.passwords, &SystemEntropy::new())?;
        Ok(Self {
            sessions: SessionService::new(db.clone(), keys.codes.clone(), tokens.clone()),
            diners: DinerService::new(db.clone(), tokens.clone()),
            carts: CartService::new(db.clone()),
            rounds: RoundService::new(db.clone()),
            kitchen: KitchenService::new(db.clone()),
            calls: ServiceCallService::new(db.clone()),
            billing: BillingService::new(db.clone(), keys.codes.clone(), url),
            menus: MenuService::new(db.clone()),
            floor: FloorService::new(db.clone(), keys.codes.clone(), url),
            staff: StaffService::new(db.clone(), tokens, keys.refresh.clone(), hasher),
            api_keys: ApiKeyService::new(
                db.clone(),
                ApiKeyPeppers::new(keys.peppers.clone()),
                SealKeys::new(&keys.master),
            ),
            webhooks: WebhookService::new(db.clone(), SealKeys::new(&keys.master), outbound, url),
            sources: db.sources().clone(),
            db: db.clone(),
        })
    }

    /// Whether work can be done: the database answers.
    ///
    /// # Errors
    /// [`DbError::Unavailable`].
    pub async fn ready(&self) -> Result<(), DbError> {
        self.db.ping().await
    }
}
