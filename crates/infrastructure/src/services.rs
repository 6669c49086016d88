//! Every use case of the process, built once.

use comanda_security::SystemEntropy;
use comanda_security::password::{PasswordError, PasswordHasher};

use crate::billing::BillingService;
use crate::clock::Sources;
use crate::config::Config;
pub use crate::config::Keys;
use crate::db::Db;
use crate::floor::FloorService;
use crate::kitchen::KitchenService;
use crate::rounds::RoundService;
use crate::staff::StaffService;

/// The services, each cheap to clone.
#[derive(Clone)]
pub struct Services {
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
        Ok(Self {
            rounds: RoundService::new(db.clone()),
            billing: BillingService::new(db.clone(), keys.codes.clone(), url),
            kitchen: KitchenService::new(db.clone()),
            floor: FloorService::new(db.clone(), keys.codes.clone(), url),
            staff: StaffService::new(db.clone(), keys.clone(), url, hasher),
            sources: db.sources().clone(),
        })
    }
}
