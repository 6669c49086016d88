//! An event with what is worked out about it once, however many hear of it.

use std::sync::{Arc, OnceLock};

use comanda_domain::event::{EventName, Routing, View};

use crate::events::LoggedEvent;
use crate::events::render::envelope;

/// Something as it travels, rendered and encoded once for all who may see it.
#[derive(Debug)]
pub struct Rendered {
    /// `round.submitted`
    pub name: &'static str,
    /// The envelope.
    pub json: Vec<u8>,
}

/// A logged event, its routing, and its envelopes as far as somebody has asked for them.
#[derive(Debug)]
pub struct SharedEvent {
    /// As the log keeps it.
    pub logged: Arc<LoggedEvent>,
    /// What it is; nothing for what is internal or unknown.
    pub name: Option<EventName>,
    /// What decides about who is told; nothing if its data is not what Comanda writes.
    pub routing: Option<Routing>,
    envelopes: [OnceLock<Option<Arc<Rendered>>>; View::ALL.len()],
}

impl SharedEvent {
    /// Reads what an event says about its recipients.
    pub fn new(logged: Arc<LoggedEvent>) -> Arc<Self> {
        let name = EventName::of_type(&logged.type_);
        let routing = name.and_then(|_| logged.data.read().ok());
        Arc::new(Self {
            logged,
            name,
            routing,
            envelopes: Default::default(),
        })
    }

    /// Its number in the branch; 0 for what has none.
    pub fn seq(&self) -> u64 {
        self.logged
            .seq
            .and_then(|seq| u64::try_from(seq).ok())
            .unwrap_or(0)
    }

    /// The envelope in a view; nothing if it is never shown there.
    pub fn rendered(&self, view: View, epoch: &str, public_url: &str) -> Option<Arc<Rendered>> {
        let place = View::ALL.iter().position(|known| *known == view)?;
        let render = || {
            let envelope = envelope(&self.logged, view, epoch, public_url)?;
            metrics::counter!("comanda_ws_broadcasts_total", "view" => view.as_str()).increment(1);
            Some(Arc::new(Rendered {
                name: self.name?.as_str(),
                json: serde_json::to_vec(&envelope).ok()?,
            }))
        };
        self.envelopes.get(place)?.get_or_init(render).clone()
    }
}
