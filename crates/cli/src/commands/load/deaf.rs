//! Sockets that are opened and never read, as of a phone that has gone out of the room.

use std::time::Duration;

use futures_util::future::try_join_all;
use serde::Serialize;

use super::audience::Audience;
use super::listener::subscribe;
use crate::client::Client;
use crate::client::socket::{Socket, SocketError};

/// What the system keeps for one of them; the rest waits at the server.
const KEPT: u32 = 4096;
/// The close code of one that does not read as fast as things happen (`events.md` 7.3).
const TOO_SLOW: u16 = 4410;

/// The open ones.
#[derive(Debug, Default)]
pub(super) struct Deaf(Vec<Socket>);

/// What became of them.
#[derive(Debug, Serialize)]
pub(super) struct Cut {
    /// How many there were.
    pub(super) deaf: usize,
    /// How many of them the server has cut, with the right code.
    pub(super) cut: usize,
}

impl Deaf {
    /// Opens so many for an audience.
    pub(super) async fn open(
        client: &Client,
        audience: &Audience,
        count: usize,
        patience: Duration,
    ) -> Result<Self, SocketError> {
        let address = client.socket(audience.view).keeping(KEPT);
        let opening = (0..count).map(|_| subscribe(&address, audience, None, patience));
        let open = try_join_all(opening).await?;
        Ok(Self(open.into_iter().map(|(socket, _)| socket).collect()))
    }

    /// Reads, at last, what they were told, and how it ended.
    pub(super) async fn cut(self, patience: Duration) -> Cut {
        let deaf = self.0.len();
        let mut cut = 0;
        for socket in self.0 {
            cut += usize::from(ends_as_too_slow(socket, patience).await);
        }
        Cut { deaf, cut }
    }
}

async fn ends_as_too_slow(mut socket: Socket, patience: Duration) -> bool {
    let reading = async {
        loop {
            if let Err(error) = socket.next().await {
                return matches!(error, SocketError::Closed { code: TOO_SLOW, .. });
            }
        }
    };
    tokio::time::timeout(patience, reading).await.unwrap_or(false)
}
