//! What a server says, as far as it is read here. Members that are not named are ignored.

use comanda_domain::Timestamp;
use comanda_domain::cursor::Epoch;
use serde::Deserialize;

use super::SocketError;
use crate::client::wire::Problem;

/// Kinds of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// The first one.
    Hello,
    /// Subscribed.
    Ready,
    /// Something happened.
    Event,
    /// Everything has been told.
    Heartbeat,
    /// The state must be read again.
    Resync,
    /// The answer to a ping.
    Pong,
    /// Something is wrong; the end follows.
    Error,
    /// The process is about to stop.
    Reconnect,
    /// Whatever else.
    #[serde(other)]
    Other,
}

/// A frame. The event in it is passed over: see [`Happened`].
#[derive(Debug, Deserialize)]
pub struct Frame {
    /// Its kind.
    pub op: Op,
    /// Number of an event.
    #[serde(default)]
    pub seq: Option<u64>,
    /// Number of the event that this listener was told before.
    #[serde(default)]
    pub prev: Option<u64>,
    /// After which number it goes on.
    #[serde(default)]
    pub from: Option<u64>,
    /// The newest number.
    #[serde(default)]
    pub head: Option<u64>,
    /// The life of the log.
    #[serde(default)]
    pub epoch: Option<Epoch>,
    /// Whether what was missed follows.
    #[serde(default)]
    pub recovered: Option<bool>,
    /// Why not.
    #[serde(default)]
    pub reason: Option<String>,
    /// How long the server waits to be told who it is, in milliseconds.
    #[serde(default)]
    pub auth_within_ms: Option<u64>,
    /// When to come back, in milliseconds.
    #[serde(default)]
    pub after_ms: Option<u64>,
    /// What is wrong.
    #[serde(default)]
    pub problem: Option<Box<Problem>>,
}

impl Frame {
    /// Reads a text.
    ///
    /// # Errors
    /// [`SocketError::Unreadable`].
    pub fn read(text: &str) -> Result<Self, SocketError> {
        serde_json::from_str(text).map_err(SocketError::Unreadable)
    }
}

/// What the event of a frame is about.
#[derive(Debug, Deserialize)]
pub struct Happened {
    event: About,
}

#[derive(Debug, Deserialize)]
struct About {
    #[serde(rename = "type")]
    kind: String,
    subject: String,
    time: Timestamp,
}

impl Happened {
    /// Reads the text of a frame of kind [`Op::Event`]: its type and the object it is about, and when it was decided.
    ///
    /// # Errors
    /// [`SocketError::Unreadable`].
    pub fn read(text: &str) -> Result<((String, String), Timestamp), SocketError> {
        let happened: Self = serde_json::from_str(text).map_err(SocketError::Unreadable)?;
        let About { kind, subject, time } = happened.event;
        Ok(((kind, subject), time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_as_far_as_they_are_known() {
        let text = r#"{"op":"event","branch_id":"brn_x","seq":58,"prev":55,"event":{"type":"t","subject":"rnd_1","time":"2026-11-24T23:13:13.000Z","data":{"op":"no"}}}"#;
        let frame = Frame::read(text).unwrap();
        assert_eq!((frame.op, frame.seq, frame.prev), (Op::Event, Some(58), Some(55)));
        assert_eq!(
            Happened::read(text).unwrap().0,
            ("t".to_owned(), "rnd_1".to_owned())
        );
        assert_eq!(
            Frame::read(r#"{"op":"notice","code":"x"}"#).unwrap().op,
            Op::Other
        );
        assert!(Frame::read("[]").is_err() && Happened::read(r#"{"op":"pong"}"#).is_err());
    }
}
