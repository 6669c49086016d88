//! What every handler shares.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use comanda_infrastructure::gateway::{Door, EventService};
use comanda_infrastructure::services::{Keys, Services};

use crate::readiness::Readiness;

/// The use cases and keys of the process.
pub struct State {
    /// The use cases.
    pub services: Services,
    /// What signs tokens, codes and cursors.
    pub keys: Keys,
    /// Where guests reach this installation; also the issuer of its tokens.
    pub public_url: String,
    /// Events to read and to listen to.
    pub events: EventService,
    /// The open connections that listen.
    pub door: Arc<Door>,
    /// Set once the process is to stop: not ready any more.
    pub draining: Arc<AtomicBool>,
}

impl State {
    /// Whether this process may be given work.
    pub fn readiness(&self) -> Readiness {
        Readiness {
            services: self.services.clone(),
            events: self.events.clone(),
            draining: Arc::clone(&self.draining),
        }
    }
}
