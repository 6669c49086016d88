//! Somebody else's server that is called by ours, on this machine.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long a test waits for a call.
const PATIENCE: Duration = Duration::from_secs(20);

/// A call as it came in.
#[derive(Debug, Clone)]
pub struct Received {
    /// `POST /hook`
    pub line: String,
    /// Every header.
    pub headers: HeaderMap,
    /// The body, untouched.
    pub body: Vec<u8>,
}

impl Received {
    /// A header as text; empty if it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The body.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
    held: bool,
}

impl Reply {
    /// This status and nothing else.
    pub fn status(status: u16) -> Self {
        Self {
            status,
            headers: BTreeMap::new(),
            body: String::new(),
            held: false,
        }
    }

    /// Also with a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Also with a body.
    #[must_use]
    pub fn body(self, body: &str) -> Self {
        Self {
            body: body.to_owned(),
            ..self
        }
    }

    /// Not before [`Receiver::let_go`] was called.
    #[must_use]
    pub fn held(self) -> Self {
        Self { held: true, ..self }
    }
}

type Script = dyn Fn(usize, &Received) -> Reply + Send + Sync;

struct Shared {
    script: Box<Script>,
    calls: watch::Sender<Vec<Received>>,
    open: watch::Sender<bool>,
    /// Calls under way, by `webhook-id`, and the most there ever were.
    under_way: Mutex<(BTreeMap<String, usize>, usize)>,
}

/// A server that keeps what it gets and answers by a script.
pub struct Receiver {
    /// `http://127.0.0.1:port/hook`
    pub url: String,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

impl Receiver {
    /// Answers everything with 204.
    pub async fn content() -> Self {
        Self::scripted(|_, _| Reply::status(204)).await
    }

    /// Answers by `script`, which is told how many calls there were before.
    pub async fn scripted(script: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            script: Box::new(script),
            calls: watch::Sender::default(),
            open: watch::Sender::default(),
            under_way: Mutex::default(),
        });
        let serving = tokio::spawn(serve(listener, shared.clone()));
        Self {
            url: format!("http://{address}/hook"),
            shared,
            serving,
        }
    }

    /// Every call so far.
    pub fn calls(&self) -> Vec<Received> {
        self.shared.calls.borrow().clone()
    }

    /// Until there were at least this many calls; gives all.
    pub async fn until(&self, count: usize) -> Vec<Received> {
        let mut calls = self.shared.calls.subscribe();
        let waited = timeout(PATIENCE, calls.wait_for(|calls| calls.len() >= count)).await;
        let Ok(calls) = waited else {
            panic!(
                "{} calls instead of {count}: {:#?}",
                self.calls().len(),
                self.calls()
            );
        };
        calls.expect("the receiver lives").clone()
    }

    /// Answers what is held.
    pub fn let_go(&self) {
        self.shared.open.send_replace(true);
    }

    /// The most calls with one `webhook-id` that were under way at once.
    pub fn most_at_once(&self) -> usize {
        self.shared.under_way.lock().expect("nobody panicked").1
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = shared.clone();
        tokio::spawn(async move {
            // A caller that goes away is its own affair.
            let _ = answer(stream, &shared).await;
        });
    }
}

async fn answer(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let received = read(&mut stream).await?;
    let id = received.header("webhook-id").to_owned();
    {
        let mut under_way = shared.under_way.lock().expect("nobody panicked");
        let now = under_way.0.entry(id.clone()).or_default();
        *now += 1;
        under_way.1 = under_way.1.max(*under_way.0.values().max().unwrap_or(&0));
    }
    let mut before = 0;
    shared.calls.send_modify(|calls| {
        before = calls.len();
        calls.push(received.clone());
    });
    let reply = (shared.script)(before, &received);
    if reply.held {
        let mut open = shared.open.subscribe();
        let _ = open.wait_for(|open| *open).await;
    }
    if let Some(now) = shared.under_way.lock().expect("nobody panicked").0.get_mut(&id) {
        *now -= 1;
    }
    let mut text = format!("HTTP/1.1 {} Answer\r\nconnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        let _ = write!(text, "{name}: {value}\r\n");
    }
    let _ = write!(text, "content-length: {}\r\n\r\n{}", reply.body.len(), reply.body);
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}

async fn read(stream: &mut TcpStream) -> std::io::Result<Received> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).await?;
    let mut headers = HeaderMap::new();
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header).await? == 0 || header.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = header.trim().split_once(':') {
            let name: HeaderName = name.trim().parse().map_err(std::io::Error::other)?;
            let value: HeaderValue = value.trim().parse().map_err(std::io::Error::other)?;
            headers.append(name, value);
        }
    }
    let length = headers
        .get("content-length")
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await?;
    let line = line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    Ok(Received { line, headers, body })
}
