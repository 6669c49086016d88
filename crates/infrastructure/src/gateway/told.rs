//! Who hears what happens in this process: the screens, and whoever remembers credentials.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::Hub;
use crate::api_keys::ApiKeyService;
use crate::events::bus::Signal;
use crate::events::{self, LoggedEvent};
use crate::outbox::Ended;

pub(super) struct Told {
    pub(super) hub: Arc<Hub>,
    pub(super) api_keys: ApiKeyService,
}

impl events::Listener for Told {
    fn event(&self, event: &Arc<LoggedEvent>) -> Option<BoxFuture<'static, ()>> {
        // Internal events have no branch.
        if event.branch_id.is_none()
            && let Ok(Ended::KeyId(key) | Ended::RotatedKeyId(key)) = event.data.read::<Ended>()
        {
            self.api_keys.forget(key);
        }
        self.hub.event(event)
    }

    fn epoch_changed(&self, epoch: &str) {
        self.hub.epoch_changed(epoch);
    }

    fn signal(&self, signal: &Arc<Signal>) {
        self.hub.signal(signal);
    }
}
