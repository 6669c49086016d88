//! Where a socket is opened.

use std::io;

use reqwest::Url;
use tokio::net::{TcpSocket, TcpStream, lookup_host};

use crate::client::{ClientError, usable};

/// The address of a socket on this machine.
#[derive(Debug, Clone)]
pub struct SocketAddress {
    /// With the scheme `http`; the two kinds of address differ in nothing else.
    url: Url,
    keeping: Option<u32>,
}

impl SocketAddress {
    /// Reads `ws://host:port/v1/ws/view`.
    ///
    /// # Errors
    /// An address that cannot be used.
    pub fn parse(text: &str) -> Result<Self, ClientError> {
        let unusable = || ClientError::Address {
            address: text.to_owned(),
            why: "the address of a socket begins with ws://".to_owned(),
        };
        if text.starts_with("wss://") {
            return Err(ClientError::Https(text.to_owned()));
        }
        let rest = text.strip_prefix("ws://").ok_or_else(unusable)?;
        let url = usable(&format!("http://{rest}"))?;
        Ok(Self { url, keeping: None })
    }

    /// The socket of a view, on a server whose address is good.
    pub(in crate::client) fn of_view(mut url: Url, view: &str) -> Self {
        url.set_path(&format!("{}/v1/ws/{view}", url.path().trim_end_matches('/')));
        Self { url, keeping: None }
    }

    /// The system shall keep no more than so many bytes, about, for a connection that does not read.
    #[must_use]
    pub fn keeping(mut self, bytes: u32) -> Self {
        self.keeping = Some(bytes);
        self
    }

    /// Connects.
    pub(super) async fn connect(&self) -> io::Result<TcpStream> {
        let authority = self.authority();
        let Some(bytes) = self.keeping else {
            return TcpStream::connect(authority).await;
        };
        let address = lookup_host(authority).await?.next();
        let address = address.ok_or(io::ErrorKind::AddrNotAvailable)?;
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        socket.set_recv_buffer_size(bytes)?;
        socket.connect(address).await
    }

    /// With its scheme.
    pub fn text(&self) -> String {
        self.url.as_str().replacen("http", "ws", 1)
    }

    /// Host and port.
    pub(super) fn authority(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        let port = self.url.port_or_known_default().unwrap_or_default();
        format!("{host}:{port}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_opened_on_this_machine_only() {
        let address = SocketAddress::parse("ws://localhost:8080/v1/ws/waiter").unwrap();
        assert_eq!(address.text(), "ws://localhost:8080/v1/ws/waiter");
        assert_eq!(address.authority(), "localhost:8080");
        assert_eq!(
            SocketAddress::parse("ws://[::1]/v1/ws/admin")
                .unwrap()
                .authority(),
            "[::1]:80"
        );
        for wrong in [
            "ws://example.org/v1/ws/waiter",
            "wss://localhost/v1/ws/waiter",
            "http://localhost/v1/ws/waiter",
            "localhost",
        ] {
            assert!(SocketAddress::parse(wrong).is_err(), "{wrong}");
        }
    }
}
