//! Asking for the next events: one question is held back by the server until something happens.

use std::time::Duration;

use comanda_domain::cursor::{Epoch, StreamCursor};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::Value;

use super::Tail;
use crate::client::{Client, ClientError};

/// How long the server may hold back an empty answer; 25 seconds is its own limit.
const WAIT: Duration = Duration::from_secs(20);

/// The answer to `GET /v1/events`.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    /// Envelopes.
    pub(super) data: Vec<Value>,
    /// After which number to go on.
    pub(super) last: u64,
    /// The newest number.
    pub(super) head: u64,
    /// The life of the log.
    pub(super) epoch: Epoch,
    /// What was asked for is not there any more.
    pub(super) truncated: bool,
}

impl Answer {
    /// Where to go on: after what was told, or from now where something is lost.
    pub(super) fn cursor(&self) -> StreamCursor {
        StreamCursor {
            epoch: Some(self.epoch),
            seq: if self.truncated { self.head } else { self.last },
        }
    }
}

/// What happened after `after`. Waits for something unless `at_once`.
pub(super) async fn ask(
    client: &Client,
    tail: &Tail,
    after: StreamCursor,
    at_once: bool,
) -> Result<Answer, ClientError> {
    // The client gives an answer up after its patience; the server must be quicker.
    let wait = if at_once {
        Duration::ZERO
    } else {
        WAIT.min(tail.patience / 2)
    };
    let mut draft = client
        .get("/v1/events")
        .query("after", &after.to_string())
        .query("wait", &wait.as_secs().to_string());
    if let Some(branch) = tail.branch {
        draft = draft.query("branch_id", &branch.to_string());
    }
    if let Some(view) = tail.view {
        draft = draft.query("view", view.as_str());
    }
    if let Some(types) = &tail.types {
        draft = draft.query("types", types);
    }
    if let Some(token) = &tail.token {
        draft = draft.bearer(token.expose_secret());
    }
    draft.send().await?.json(200)
}
