//! When what is due on a socket.

use std::time::Duration;

use tokio::time::Instant;

use super::frames::{AUTH_WITHIN_MS, HEARTBEAT_MS};

/// How often the client is pinged.
pub const PING: Duration = Duration::from_secs(20);
/// Frames that may come at once, and how often another one may.
const BURST: u32 = 20;
const PER_FRAME: Duration = Duration::from_millis(100);

/// When what is due.
pub struct Times {
    /// Until when the client must have said who it is.
    pub auth: Option<Instant>,
    /// When it was heard last.
    pub heard: Instant,
    /// When it is pinged next.
    pub ping: Instant,
    /// When it hears next that it has been told everything.
    pub heartbeat: Instant,
    /// The holder of this token's end has been told.
    pub told_expiry: bool,
    /// How far ahead of its allowance the client is.
    frames: Instant,
}

impl Times {
    /// Of a client that has just come.
    pub fn new(now: Instant) -> Self {
        Self {
            auth: Some(now + Duration::from_millis(AUTH_WITHIN_MS)),
            heard: now,
            ping: now + PING,
            heartbeat: now + Duration::from_millis(HEARTBEAT_MS),
            told_expiry: false,
            frames: now,
        }
    }

    /// Whether the client may send another frame: ten a second, twenty at once.
    pub fn allows_frame(&mut self, now: Instant) -> bool {
        self.frames = self.frames.max(now) + PER_FRAME;
        self.frames <= now + PER_FRAME * BURST
    }
}
