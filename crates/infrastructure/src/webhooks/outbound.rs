//! The only way to call an address that came from a user. What is judged is what is connected to: names are resolved
//! once, by us, and a connection is never used again.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use comanda_domain::webhook::Reply;
use comanda_security::address::{AddressPolicy, AddressRefusal, OutboundUrl, is_globally_routable};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, ClientBuilder, redirect};
use tokio::time::{Instant, timeout_at};
use tracing::warn;

const CONNECT: Duration = Duration::from_secs(5);
/// For the whole call.
const CALL: Duration = Duration::from_secs(15);
/// How long registering waits for the resolver.
const RESOLVE: Duration = Duration::from_secs(2);
/// What is kept of a reply, in bytes.
const KEPT: usize = 1024;

/// Calls receivers.
#[derive(Clone)]
pub struct Outbound {
    /// None on a machine without root certificates.
    public: Option<Client>,
    /// Plain http to this machine, in development and test only.
    local: Option<Client>,
}

/// What came of a call.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    Status {
        code: u16,
        retry_after: Option<String>,
        /// The beginning of what it said.
        text: String,
    },
    Timeout,
    Unreachable(String),
    Refused(AddressRefusal),
}

impl Answer {
    /// As the domain judges it.
    pub(super) fn reply(&self) -> Reply<'_> {
        match self {
            Self::Status {
                code, retry_after, ..
            } => Reply::Status {
                code: *code,
                retry_after: retry_after.as_deref(),
            },
            Self::Timeout => Reply::Timeout,
            Self::Unreachable(_) => Reply::Unreachable,
            Self::Refused(_) => Reply::RefusedAddress,
        }
    }

    /// The HTTP status, if there was one that can be one.
    pub(super) fn code(&self) -> Option<i32> {
        match self {
            Self::Status { code, .. } => Some(i32::from(*code)).filter(|code| (100..600).contains(code)),
            _ => None,
        }
    }

    /// For programs.
    pub(super) fn error_code(&self) -> String {
        match self {
            Self::Status { code, .. } => format!("http_{code}"),
            Self::Timeout => "timeout".to_owned(),
            Self::Unreachable(_) => "unreachable".to_owned(),
            Self::Refused(_) => "address_refused".to_owned(),
        }
    }

    /// For people: what the receiver said, or why it said nothing.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Status { text, .. } => text.clone(),
            Self::Timeout => format!("no answer within {} s", CALL.as_secs()),
            Self::Unreachable(why) => kept(why.as_bytes()),
            Self::Refused(why) => why.to_string(),
        }
    }
}

impl Outbound {
    /// Calls public addresses by https; also this machine by plain http where `development` allows it.
    pub fn new(development: bool) -> Self {
        crate::tls::install();
        let public = client(Client::builder().https_only(true), true);
        let local = development.then(|| client(Client::builder(), false)).transpose();
        let told = |error: &reqwest::Error| warn!(error = %causes(error), "webhooks.no_client");
        Self {
            public: public.inspect_err(told).ok(),
            local: local.inspect_err(told).ok().flatten(),
        }
    }

    /// Judges an address as it is registered: the text, and what its host resolves to. A name that cannot be
    /// resolved just now is not held against it; every call looks again.
    ///
    /// # Errors
    /// [`AddressRefusal`].
    pub async fn judge(&self, url: &str) -> Result<OutboundUrl, AddressRefusal> {
        let judged = self.judge_text(url)?;
        if judged.address().is_none() {
            let found = tokio::time::timeout(RESOLVE, lookup(judged.host())).await;
            if let Ok(Ok(addresses)) = found
                && !addresses.is_empty()
            {
                judged.judge_resolved(&addresses)?;
            }
        }
        Ok(judged)
    }

    fn judge_text(&self, url: &str) -> Result<OutboundUrl, AddressRefusal> {
        let policy = AddressPolicy {
            loopback_http: self.local.is_some(),
            ..AddressPolicy::default()
        };
        OutboundUrl::judge(url, &policy)
    }

    /// Posts a body. Never fails: whatever happens is an answer.
    pub(super) async fn post(&self, url: &str, headers: HeaderMap, body: Vec<u8>) -> Answer {
        let judged = match self.judge_text(url) {
            Ok(judged) => judged,
            Err(refusal) => return Answer::Refused(refusal),
        };
        let client = if judged.is_https() {
            &self.public
        } else {
            &self.local
        };
        let Some(client) = client else {
            return Answer::Unreachable("no root certificates on this machine".to_owned());
        };
        let until = Instant::now() + CALL;
        match client
            .post(judged.as_str())
            .headers(headers)
            .body(body)
            .send()
            .await
        {
            Ok(response) => read(response, until).await,
            Err(error) => failure(&error),
        }
    }
}

fn client(builder: ClientBuilder, public: bool) -> reqwest::Result<Client> {
    builder
        .dns_resolver(Arc::new(Judging { public }))
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
        // A connection is judged when it is made, for the call that it is made for.
        .pool_max_idle_per_host(0)
        .http1_only()
        .connect_timeout(CONNECT)
        .timeout(CALL)
        .user_agent(concat!("Comanda/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// The status is the answer; its body is for people, and whatever is wrong with it changes nothing.
async fn read(mut response: reqwest::Response, until: Instant) -> Answer {
    let code = response.status().as_u16();
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let mut bytes: Vec<u8> = Vec::new();
    while bytes.len() < KEPT {
        match timeout_at(until, response.chunk()).await {
            Ok(Ok(Some(chunk))) => bytes.extend_from_slice(&chunk),
            _ => break,
        }
    }
    Answer::Status {
        code,
        retry_after,
        text: kept(&bytes),
    }
}

/// As text that the database takes, 1 KiB at most.
fn kept(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}");
    let end = (0..=KEPT.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or(0);
    text.get(..end).unwrap_or_default().to_owned()
}

fn failure(error: &reqwest::Error) -> Answer {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(refusal) = error.downcast_ref::<AddressRefusal>() {
            return Answer::Refused(*refusal);
        }
        cause = error.source();
    }
    if error.is_timeout() {
        Answer::Timeout
    } else {
        Answer::Unreachable(causes(error))
    }
}

/// The whole chain: the first link alone says only that something went wrong.
fn causes(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = cause {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

async fn lookup(host: &str) -> std::io::Result<Vec<IpAddr>> {
    let found = tokio::net::lookup_host((host, 0)).await?;
    Ok(found.map(|address| address.ip()).collect())
}

/// Resolves, and refuses a name of which any address is not allowed. Literal addresses do not come here: they are
/// judged with the text.
struct Judging {
    /// Else this machine only.
    public: bool,
}

impl Resolve for Judging {
    fn resolve(&self, name: Name) -> Resolving {
        let public = self.public;
        Box::pin(async move {
            let addresses = lookup(name.as_str()).await?;
            let allowed = |address: &IpAddr| {
                if public {
                    is_globally_routable(*address)
                } else {
                    address.is_loopback()
                }
            };
            if addresses.is_empty() {
                return Err(AddressRefusal::NoAddress.into());
            }
            if !addresses.iter().all(allowed) {
                return Err(AddressRefusal::NotPublic.into());
            }
            let sockets = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok::<Addrs, _>(Box::new(sockets))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_reply_is_text_of_at_most_a_kibibyte() {
        assert_eq!(kept(b"a\0b\xff"), "a\u{fffd}b\u{fffd}");
        let long = "ñ".repeat(2000);
        assert_eq!(kept(&long.as_bytes()[1..]).len() % 2, 1);
        assert!(kept(long.as_bytes()).len() <= KEPT);
    }

    #[tokio::test]
    async fn names_of_this_machine_are_refused_where_only_the_public_is_called() {
        let headers = HeaderMap::new();
        let closed = Outbound::new(false);
        let answer = closed
            .post("https://localhost/", headers.clone(), Vec::new())
            .await;
        assert!(
            matches!(answer, Answer::Refused(AddressRefusal::NotPublic)),
            "{answer:?}"
        );
        let answer = closed
            .post("http://127.0.0.1:1/", headers.clone(), Vec::new())
            .await;
        assert!(
            matches!(answer, Answer::Refused(AddressRefusal::Scheme)),
            "{answer:?}"
        );
        // Where it is allowed, it is at least tried.
        let open = Outbound::new(true);
        let answer = open.post("http://localhost:1/", headers, Vec::new()).await;
        assert!(matches!(answer, Answer::Unreachable(_)), "{answer:?}");
    }
}
