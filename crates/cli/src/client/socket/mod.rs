//! A small client of Comanda's sockets (`events.md` 7).

mod address;
mod error;
mod frame;

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

pub use address::SocketAddress;
pub use error::SocketError;
pub use frame::{Frame, Happened, Op};

use super::wire::Problem;

/// What this client speaks.
const PROTOCOL: &str = "comanda.v1";
/// How much is read and written at once. Thousands of sockets of one process must not take much each.
const BUFFER: usize = 4 * 1024;

/// An open socket.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<TcpStream>,
    /// What the server said is wrong; a close follows.
    problem: Option<Box<Problem>>,
    patience: Duration,
}

impl Socket {
    /// Opens a socket. A token may come with the handshake, as a sub-protocol. `patience` is how long one answer may take.
    ///
    /// # Errors
    /// Nobody answers, or the handshake is refused.
    pub async fn open(
        address: &SocketAddress,
        token: Option<&str>,
        patience: Duration,
    ) -> Result<Self, SocketError> {
        let request = request(address, token)?;
        let opening = async {
            let tcp = address
                .connect()
                .await
                .map_err(|error| SocketError::Unreachable {
                    address: address.authority(),
                    why: error.to_string(),
                })?;
            tcp.set_nodelay(true)
                .map_err(|error| SocketError::Broken(error.to_string()))?;
            let config = WebSocketConfig::default()
                .read_buffer_size(BUFFER)
                .write_buffer_size(BUFFER);
            let (stream, _) = client_async_with_config(request, tcp, Some(config)).await?;
            Ok::<_, SocketError>(stream)
        };
        let stream = timeout(patience, opening)
            .await
            .map_err(|_| SocketError::Late(patience))??;
        Ok(Self {
            stream,
            problem: None,
            patience,
        })
    }

    /// Sends a frame.
    ///
    /// # Errors
    /// A connection that is gone.
    pub async fn send(&mut self, frame: &Value) -> Result<(), SocketError> {
        Ok(self.stream.send(Message::text(frame.to_string())).await?)
    }

    /// What comes next, however long it takes.
    ///
    /// # Errors
    /// [`SocketError::Closed`], or a connection that is gone.
    pub async fn next(&mut self) -> Result<Utf8Bytes, SocketError> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text),
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Err(SocketError::Closed {
                        code: frame.code.into(),
                        reason: frame.reason.to_string(),
                        problem: self.problem.take(),
                    });
                }
                Some(Ok(Message::Close(None))) | None => {
                    return Err(SocketError::Broken("ended without a word".to_owned()));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
            }
        }
    }

    /// The next frame of this kind, in time; others are passed over.
    ///
    /// # Errors
    /// As [`Self::next`]; [`SocketError::Late`].
    pub async fn hear(&mut self, op: Op) -> Result<Frame, SocketError> {
        let patience = self.patience;
        let hearing = async {
            loop {
                let frame = Frame::read(&self.next().await?)?;
                if frame.op == Op::Error {
                    self.problem = frame.problem;
                } else if frame.op == op {
                    return Ok::<_, SocketError>(frame);
                }
            }
        };
        timeout(patience, hearing)
            .await
            .map_err(|_| SocketError::Late(patience))?
    }

    /// Closes from this side. Whether the server hears it is no matter of the client's any more.
    pub async fn leave(mut self) {
        let _ = timeout(self.patience, self.stream.close(None)).await;
    }
}

fn request(address: &SocketAddress, token: Option<&str>) -> Result<Request, SocketError> {
    let mut request = address.text().into_client_request()?;
    let offer = match token {
        Some(token) => format!("{PROTOCOL}, bearer.{token}"),
        None => PROTOCOL.to_owned(),
    };
    let mut offer = HeaderValue::try_from(offer).map_err(|_| SocketError::Token)?;
    offer.set_sensitive(true);
    request.headers_mut().insert("sec-websocket-protocol", offer);
    Ok(request)
}
