//! A PostgreSQL proxy that counts round trips: how often the client, having heard the server, speaks again.

use std::sync::Arc;
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
    let (heard_up, trips) = (heard.clone(), counts.trips.clone());
    let up = async move {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read) = from_client.read(&mut buffer).await {
            if read == 0 {
                break;
            }
            if heard_up.swap(false, Ordering::SeqCst) {
                trips.fetch_add(1, Ordering::SeqCst);
            }
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

/// `CommandComplete` names what was done: `COMMIT`.
fn count(bytes: &[u8], needle: &[u8]) -> u64 {
    let found = bytes
        .windows(needle.len())
        .filter(|window| *window == needle)
        .count();
    u64::try_from(found).unwrap_or(0)
}
