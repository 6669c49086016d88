//! A screen that listens over a WebSocket, with a client that is not ours.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::{Client, TestApp};

/// How long a screen waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connected screen.
pub struct Screen {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// What the handshake chose.
    pub protocol: Option<String>,
}

/// What a screen hears.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// A frame.
    Frame(Value),
    /// The connection ended with this code and reason.
    Closed(u16, String),
}

impl Screen {
    /// Opens `/v1/ws/{view}` with these headers; gives the status of a refused handshake.
    pub async fn open(url: &str, view: &str, headers: &[(&str, &str)]) -> Result<Self, (u16, Value)> {
        let address = format!("{}/v1/ws/{view}", url.replacen("http", "ws", 1));
        let mut request = address.into_client_request().expect("an address");
        for (name, value) in headers {
            let name: tokio_tungstenite::tungstenite::http::HeaderName = name.parse().expect("a header name");
            request
                .headers_mut()
                .insert(name, HeaderValue::from_str(value).expect("a header value"));
        }
        match connect_async(request).await {
            Ok((socket, answer)) => {
                let protocol = answer.headers().get("sec-websocket-protocol");
                let protocol = protocol.map(|value| value.to_str().expect("a text").to_owned());
                Ok(Self { socket, protocol })
            }
            Err(Error::Http(answer)) => {
                let body = answer.body().as_deref().unwrap_or_default();
                Err((
                    answer.status().as_u16(),
                    serde_json::from_slice(body).unwrap_or_default(),
                ))
            }
            Err(error) => panic!("the socket does not open: {error}"),
        }
    }

    /// Opens, hears the greeting, and says who it is and what it wants to hear.
    pub async fn greeted(app: &TestApp, view: &str, who: &Client, auth: Value) -> Self {
        Self::greeted_at(&app.url, view, who, auth).await
    }

    /// The same at an address.
    pub async fn greeted_at(url: &str, view: &str, who: &Client, auth: Value) -> Self {
        let mut screen = Self::open(url, view, &[]).await.expect("the socket opens");
        let hello = screen.frame().await;
        assert_eq!(hello["op"], "hello", "{hello}");
        let mut frame = json!({ "op": "auth", "token": who.token() });
        for (name, value) in auth.as_object().expect("members") {
            frame[name] = value.clone();
        }
        screen.send(&frame).await;
        screen
    }

    /// Subscribed: the screen, and its `ready` frame.
    pub async fn ready(app: &TestApp, view: &str, who: &Client, auth: Value) -> (Self, Value) {
        Self::ready_at(&app.url, view, who, auth).await
    }

    /// The same at an address.
    pub async fn ready_at(url: &str, view: &str, who: &Client, auth: Value) -> (Self, Value) {
        let mut screen = Self::greeted_at(url, view, who, auth).await;
        let ready = screen.frame().await;
        assert_eq!(ready["op"], "ready", "{ready}");
        (screen, ready)
    }

    /// Sends a frame.
    pub async fn send(&mut self, frame: &Value) {
        self.raw(&frame.to_string()).await;
    }

    /// Sends a text as it is.
    pub async fn raw(&mut self, text: &str) {
        self.socket
            .send(Message::text(text))
            .await
            .expect("the socket is open");
    }

    /// What comes next.
    pub async fn hear(&mut self) -> Heard {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.socket.next()).await;
            match next.expect("something is heard in time") {
                Some(Ok(Message::Text(text))) => {
                    return Heard::Frame(serde_json::from_str(&text).expect("frames are JSON"));
                }
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Heard::Closed(frame.code.into(), frame.reason.to_string());
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("the socket ended without a close frame: {other:?}"),
            }
        }
    }

    /// The next frame.
    pub async fn frame(&mut self) -> Value {
        match self.hear().await {
            Heard::Frame(frame) => frame,
            Heard::Closed(code, reason) => panic!("closed with {code} {reason}"),
        }
    }

    /// The next frame of this kind; others are passed over.
    pub async fn frame_of(&mut self, op: &str) -> Value {
        loop {
            let frame = self.frame().await;
            if frame["op"] == op {
                return frame;
            }
        }
    }

    /// The next event of this name; other frames are passed over.
    pub async fn event(&mut self, name: &str) -> Value {
        let wanted = format!("dev.comanda.{name}.v1");
        loop {
            let frame = self.frame_of("event").await;
            if frame["event"]["type"] == wanted {
                return frame;
            }
        }
    }

    /// The close code and reason; frames before it are passed over.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            if let Heard::Closed(code, reason) = self.hear().await {
                return (code, reason);
            }
        }
    }

    /// Closes from this side.
    pub async fn leave(mut self) {
        let _ = self.socket.close(None).await;
    }
}
