//! Every use case of the process, built once.

use comanda_security::SystemEntropy;
use comanda_security::password::{PasswordError, PasswordHasher};

use crate::billing::BillingService;
use crate::carts::CartService;
use crate::clock::Sources;
use crate::config::Config;
pub use crate::config::Keys;
use crate::db::Db;
use crate::diners::DinerService;
use crate::floor::FloorService;
use crate::kitchen::KitchenService;
use crate::menus::MenuService;
use crate::rounds::RoundService;
use crate::service_calls::ServiceCallService;
use crate::sessions::SessionService;
use crate::staff::StaffService;
use crate::tokens::TokenIssuer;

/// The services, each cheap to clone.
#[derive(Clone)]
pub struct Services {
    /// Visits and the tables they take place at.
    pub sessions: SessionService,
    /// Guests.
    pub diners: DinerService,
    /// Carts.
    pub carts: CartService,
    /// Menus.
    pub menus: MenuService,
    /// Calls for a person.
    pub calls: ServiceCallService,
    /// Rounds.
    pub rounds: RoundService,
    /// Checks and payments.
    pub billing: BillingService,
    /// Tickets.
    pub kitchen: KitchenService,
    /// Branches and tables.
    pub floor: FloorService,
    /// Logins.
    pub staff: StaffService,
    /// Time and ids.
    pub sources: Sources,
}

impl Services {
    /// Over this database. Takes as long as hashing a password.
    ///
    /// # Errors
    /// [`PasswordError`] for parameters that Argon2 does not take.
    pub fn new(db: &Db, config: &Config) -> Result<Self, PasswordError> {
        let (keys, url) = (&config.keys, config.public_url.as_str());
        let hasher = PasswordHasher::new(config.passwords, &SystemEntropy::new())?;
        let tokens = TokenIssuer::new(keys.tokens.clone(), url);
        Ok(Self {
            sessions: SessionService::new(db.clone(), keys.codes.clone(), tokens.clone()),
            diners: DinerService::new(db.clone(), tokens),
            carts: CartService::new(db.clone()),
            menus: MenuService::new(db.clone()),
            calls: ServiceCallService::new(db.clone()),
            rounds: RoundService::new(db.clone()),
            billing: BillingService::new(db.clone(), keys.codes.clone(), url),
            kitchen: KitchenService::new(db.clone()),
            floor: FloorService::new(db.clone(), keys.codes.clone(), url),
            staff: StaffService::new(db.clone(), keys.clone(), url, hasher),
            sources: db.sources().clone(),
        })
    }
}
