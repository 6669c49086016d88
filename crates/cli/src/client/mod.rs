//! A small client of Comanda's public HTTP interface (`api.md`).

mod draft;
mod error;
pub mod socket;
mod wire;

use std::fmt::Display;
use std::net::IpAddr;
use std::time::Duration;

use comanda_infrastructure::draw::draw;
use reqwest::{Method, Url, redirect};

pub use draft::{Answer, Draft};
pub use error::ClientError;
use socket::SocketAddress;
pub use wire::{
    Allocation, Branch, Cart, Charge, Check, Diner, Login, Menu, Opened, Page, Payment, Problem, Product,
    QrCode, Receipt, Registered, Round, Session, Share, Split, Table, Ticket,
};

/// Talks to one server.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
}

impl Client {
    /// A client of the server at `address`, which must be plain http on this machine. Nothing is sent yet.
    ///
    /// # Errors
    /// An address that cannot be used.
    pub fn new(address: &str, timeout: Duration) -> Result<Self, ClientError> {
        let base = usable(address)?;
        comanda_infrastructure::tls::install();
        let http = reqwest::Client::builder()
            .timeout(timeout)
            .redirect(redirect::Policy::none())
            // A loopback address means this machine, not that of a proxy.
            .no_proxy()
            .user_agent(concat!("comanda/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| ClientError::Address {
                address: address.to_owned(),
                why: error.to_string(),
            })?;
        Ok(Self { http, base })
    }

    /// A read. `path` begins with `/` and holds no query.
    pub fn get(&self, path: impl Display) -> Draft {
        self.draft(Method::GET, &path.to_string())
    }

    /// A command.
    pub fn post(&self, path: impl Display) -> Draft {
        self.draft(Method::POST, &path.to_string())
    }

    /// The socket of a view of the same server.
    pub fn socket(&self, view: &str) -> SocketAddress {
        SocketAddress::of_view(self.base.clone(), view)
    }

    fn draft(&self, method: Method, path: &str) -> Draft {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        Draft::new(self.http.clone(), method, url, path)
    }
}

/// The longest wait after the first failure, and the longest of all (`events.md` 7.5).
const FIRST_WAIT: Duration = Duration::from_millis(500);
const MOST_WAIT: Duration = Duration::from_secs(30);

/// How long to wait after so many failures in a row: anything up to twice as much as the time before.
pub fn backoff(failures: u32) -> Duration {
    let longest = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
    longest.min(MOST_WAIT) * u32::from(draw().0) / u32::from(u16::MAX)
}

/// The address as a URL, if it is one that may be used.
fn usable(address: &str) -> Result<Url, ClientError> {
    let unusable = |why: &str| ClientError::Address {
        address: address.to_owned(),
        why: why.to_owned(),
    };
    let url = Url::parse(address).map_err(|error| unusable(&error.to_string()))?;
    match url.scheme() {
        "http" => {}
        "https" => return Err(ClientError::Https(address.to_owned())),
        other => return Err(unusable(&format!("{other:?} is not http"))),
    }
    let host = url.host_str().ok_or_else(|| unusable("it names no host"))?;
    let number = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>();
    if host == "localhost" || number.is_ok_and(|ip| ip.is_loopback()) {
        Ok(url)
    } else {
        Err(ClientError::NotLoopback(address.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_drawn_and_bounded() {
        assert!((0..200).all(|_| backoff(1) <= FIRST_WAIT && backoff(40) <= MOST_WAIT));
        assert!((0..200).any(|_| backoff(40) > FIRST_WAIT));
    }

    #[test]
    fn only_this_machine_is_spoken_to_in_the_clear() {
        for address in [
            "http://localhost:8080",
            "http://127.0.0.1:8080/",
            "http://[::1]:8080/base",
        ] {
            assert!(usable(address).is_ok(), "{address}");
        }
        assert!(matches!(
            usable("http://example.org"),
            Err(ClientError::NotLoopback(_))
        ));
        assert!(matches!(
            usable("http://localhost.example.org"),
            Err(ClientError::NotLoopback(_))
        ));
        assert!(matches!(
            usable("https://localhost:8443"),
            Err(ClientError::Https(_))
        ));
        assert!(matches!(
            usable("localhost:8080"),
            Err(ClientError::Address { .. })
        ));
        assert!(matches!(usable("what"), Err(ClientError::Address { .. })));
    }
}
