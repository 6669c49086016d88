//! A PostgreSQL proxy that counts round trips, how often the client, having heard the server, speaks again, and
//! notes the statements that the client has run.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};

/// Holds every answer back this long, so that what is pipelined is certainly under way before it arrives.
const DELAY: Duration = Duration::from_millis(15);

/// Counts of everything that has passed.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    trips: Arc<AtomicU64>,
    commits: Arc<AtomicU64>,
    statements: Arc<Mutex<Vec<String>>>,
}

impl Counts {
    /// Round trips so far.
    pub fn trips(&self) -> u64 {
        self.trips.load(Ordering::SeqCst)
    }

    /// Transactions that the server has committed.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::SeqCst)
    }

    /// The statements that were run since this was last asked, in order, each as often as it was run. Left out is
    /// what only opens or ends a transaction or sets its tenant.
    pub fn take_statements(&self) -> Vec<String> {
        let all = std::mem::take(&mut *self.statements.lock().unwrap());
        all.into_iter()
            .filter(|sql| !is_control(sql) && !is_standing(sql))
            .collect()
    }
}

fn is_control(sql: &str) -> bool {
    let begins = |word: &str| sql.starts_with(word);
    begins("BEGIN") || begins("COMMIT") || begins("ROLLBACK") || begins("SET LOCAL comanda.tenant_id")
}

/// A proxy in front of the server at `socket`; gives the port it listens on.
pub async fn start(socket: std::path::PathBuf) -> (u16, Counts) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let port = listener.local_addr().unwrap().port();
    let counts = Counts::default();
    let shared = counts.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = UnixStream::connect(&socket).await.expect("the server answers");
            tokio::spawn(pass(client, server, shared.clone()));
        }
    });
    (port, counts)
}

async fn pass(client: TcpStream, server: UnixStream, counts: Counts) {
    let _ = client.set_nodelay(true);
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    // The client's first word opens a trip; the server's answer closes it.
    let heard = Arc::new(AtomicBool::new(true));
    let (heard_up, trips, statements) = (heard.clone(), counts.trips.clone(), counts.statements.clone());
    let up = async move {
        let mut buffer = vec![0; 64 * 1024];
        let mut reader = Reader::default();
        while let Ok(read) = from_client.read(&mut buffer).await {
            if read == 0 {
                break;
            }
            if heard_up.swap(false, Ordering::SeqCst) {
                trips.fetch_add(1, Ordering::SeqCst);
            }
            let run = reader.read(&buffer[..read]);
            statements.lock().unwrap().extend(run);
            if to_server.write_all(&buffer[..read]).await.is_err() {
                break;
            }
        }
        let _ = to_server.shutdown().await;
    };
    let down = async move {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read) = from_server.read(&mut buffer).await {
            if read == 0 {
                break;
            }
            tokio::time::sleep(DELAY).await;
            let commits = count(&buffer[..read], b"COMMIT\0");
            counts.commits.fetch_add(commits, Ordering::SeqCst);
            heard.store(true, Ordering::SeqCst);
            if to_client.write_all(&buffer[..read]).await.is_err() {
                break;
            }
        }
        let _ = to_client.shutdown().await;
    };
    tokio::join!(up, down);
}

/// Whether a login still stands is asked at most once a second per process, whatever the request: no request's cost.
fn is_standing(sql: &str) -> bool {
    sql.contains("\"token_epoch\"")
}

/// `CommandComplete` names what was done: `COMMIT`.
fn count(bytes: &[u8], needle: &[u8]) -> u64 {
    let found = bytes
        .windows(needle.len())
        .filter(|window| *window == needle)
        .count();
    u64::try_from(found).unwrap_or(0)
}

/// Understands what a client says, as far as it tells which statements are run.
#[derive(Default)]
struct Reader {
    pending: Vec<u8>,
    started: bool,
    prepared: HashMap<String, String>,
    portals: HashMap<String, String>,
}

impl Reader {
    /// The statements that these bytes run.
    fn read(&mut self, bytes: &[u8]) -> Vec<String> {
        self.pending.extend_from_slice(bytes);
        let mut run = Vec::new();
        loop {
            // The first message alone has no letter.
            let letters = usize::from(self.started);
            let Some(length) = self.pending.get(letters..letters + 4) else {
                return run;
            };
            let length = u32::from_be_bytes(length.try_into().unwrap());
            let end = letters + usize::try_from(length).unwrap();
            if self.pending.len() < end {
                return run;
            }
            let message: Vec<u8> = self.pending.drain(..end).collect();
            if self.started {
                self.message(message[0], &message[5..], &mut run);
            }
            self.started = true;
        }
    }

    fn message(&mut self, letter: u8, body: &[u8], run: &mut Vec<String>) {
        let mut texts = body
            .split(|byte| *byte == 0)
            .map(|text| String::from_utf8_lossy(text).into_owned());
        let mut text = || texts.next().unwrap_or_default();
        match letter {
            b'Q' => run.extend(
                text()
                    .split(';')
                    .map(|sql| sql.trim().to_owned())
                    .filter(|sql| !sql.is_empty()),
            ),
            b'P' => {
                let (name, sql) = (text(), text());
                self.prepared.insert(name, sql);
            }
            b'B' => {
                let (portal, name) = (text(), text());
                let sql = self.prepared.get(&name).cloned().unwrap_or_default();
                self.portals.insert(portal, sql);
            }
            b'E' => run.extend(self.portals.get(&text()).cloned()),
            _ => {}
        }
    }
}
