//! Frames of RFC 6455 in and out of buffers.

use actix_http::ws::{OpCode, Parser, ProtocolError};
use bytes::{BufMut, BytesMut};

use super::close::Close;

/// The longest message that a client may send, in bytes.
pub const MAX_FRAME: usize = 16 * 1024;

/// What a client has sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A whole message.
    Text(BytesMut),
    /// To be answered with the same bytes.
    Ping(BytesMut),
    /// It is there.
    Pong,
    /// It is going.
    Close,
}

/// Reads messages, put together from their fragments.
#[derive(Debug, Default)]
pub struct Reader {
    buffer: BytesMut,
    fragments: Option<BytesMut>,
}

impl Reader {
    /// Adds what has arrived.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Bytes that no message has been made of yet.
    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    /// The next message, if it is complete.
    pub fn next(&mut self) -> Result<Option<Incoming>, Close> {
        loop {
            let parsed = Parser::parse(&mut self.buffer, true, MAX_FRAME);
            let Some((finished, op, data)) = parsed.map_err(|error| fault(&error))? else {
                if self.buffer.is_empty() {
                    // Nothing is kept for a connection that says nothing.
                    self.buffer = BytesMut::new();
                }
                return Ok(None);
            };
            let data = data.unwrap_or_default();
            match (op, finished) {
                (OpCode::Ping, true) => return Ok(Some(Incoming::Ping(data))),
                (OpCode::Pong, true) => return Ok(Some(Incoming::Pong)),
                (OpCode::Close, true) => return Ok(Some(Incoming::Close)),
                (OpCode::Text, true) if self.fragments.is_none() => return Ok(Some(Incoming::Text(data))),
                (OpCode::Text, false) if self.fragments.is_none() => self.fragments = Some(data),
                (OpCode::Continue, _) => {
                    if let Some(whole) = self.join(&data, finished)? {
                        return Ok(Some(Incoming::Text(whole)));
                    }
                }
                _ => return Err(Close::malformed("text messages, please")),
            }
        }
    }

    fn join(&mut self, data: &[u8], finished: bool) -> Result<Option<BytesMut>, Close> {
        let mut whole = self
            .fragments
            .take()
            .ok_or_else(|| Close::malformed("a continuation of nothing"))?;
        if whole.len() + data.len() > MAX_FRAME {
            return Err(Close::too_big());
        }
        whole.extend_from_slice(data);
        if finished {
            return Ok(Some(whole));
        }
        self.fragments = Some(whole);
        Ok(None)
    }
}

fn fault(error: &ProtocolError) -> Close {
    match error {
        ProtocolError::Overflow => Close::too_big(),
        other => Close::malformed(&other.to_string()),
    }
}

/// Writes a text message.
pub fn text(out: &mut BytesMut, payload: &[u8]) {
    Parser::write_message(out, payload, OpCode::Text, true, false);
}

/// Writes a ping.
pub fn ping(out: &mut BytesMut) {
    Parser::write_message(out, b"", OpCode::Ping, true, false);
}

/// Writes the answer to a ping.
pub fn pong(out: &mut BytesMut, payload: &[u8]) {
    Parser::write_message(out, payload, OpCode::Pong, true, false);
}

/// Writes the last frame.
pub fn close(out: &mut BytesMut, code: u16, reason: &str) {
    let mut payload = BytesMut::with_capacity(2 + reason.len());
    payload.put_u16(code);
    payload.extend_from_slice(reason.as_bytes());
    Parser::write_message(out, &payload, OpCode::Close, true, false);
}
