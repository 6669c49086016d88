//! Throw-away Redis: one server, a Cluster, a Sentinel, of the system's own programs on free ports of this machine.
//!
//! Only the standard library is used: the tests of `comanda-infrastructure`, which do not depend on this crate, take
//! in the file.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// What to do where the program is missing.
const MISSING: &str = "redis-server is missing: run `./dev setup`, or install the package redis-server (Debian, \
                       Ubuntu), redis (Fedora, Homebrew)";
/// How long a server may take to do what it was told.
const PATIENCE: Duration = Duration::from_secs(20);
/// Slots of a Cluster.
const SLOTS: u32 = 16_384;
/// The name that the Sentinel knows its master by.
const MASTER: &str = "house";

/// The server runs as child of a shell that kills it when this process ends, however it does: then the pipe closes.
const SHELL: &str =
    r#"redis-server "$@" >log 2>&1 & echo $!; read -r _; kill -9 $! 2>/dev/null; wait $! 2>/dev/null"#;

/// One server.
#[derive(Debug)]
pub struct RedisServer {
    /// Where it listens, on the loopback.
    pub port: u16,
    folder: PathBuf,
    arguments: Vec<String>,
    shell: Option<(Child, u32)>,
}

impl RedisServer {
    /// A server without persistence.
    pub fn start() -> Self {
        // A replica is not let wait for others.
        Self::with(&["--save", "", "--repl-diskless-sync-delay", "0"])
    }

    /// A server with these settings.
    pub fn with(arguments: &[&str]) -> Self {
        // Another test may take a free port before the server does.
        for _ in 0..10 {
            let mut server = Self::on(free_port(), arguments);
            if server.try_run() {
                return server;
            }
        }
        panic!("no port could be had for redis-server");
    }

    fn on(port: u16, arguments: &[&str]) -> Self {
        Self {
            port,
            folder: folder(),
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            shell: None,
        }
    }

    /// `redis://127.0.0.1:port`
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// `kill -9`: what was not saved is gone.
    pub fn kill(&mut self) {
        if let Some(running) = self.shell.take() {
            end(running);
        }
    }

    /// Runs it again, on the same port, from what it had saved.
    pub fn run(&mut self) {
        assert!(
            self.try_run(),
            "redis-server does not start again:\n{}",
            self.log()
        );
    }

    /// Sends a command, and gives what the server answers, as it is sent.
    pub fn command(&self, command: &str) -> String {
        let answer = ask(self.port, command);
        answer.unwrap_or_else(|error| panic!("{command}: {error}\n{}", self.log()))
    }

    /// Sends a command until its answer holds `wanted`.
    pub fn until(&self, command: &str, wanted: &str) {
        let began = Instant::now();
        loop {
            let answer = ask(self.port, command).unwrap_or_default();
            if answer.contains(wanted) {
                return;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{command} did not answer {wanted} within {PATIENCE:?} but {answer}\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Stops it in its tracks (`STOP`), or lets it go on (`CONT`): connections stay, answers do not come.
    pub fn signal(&self, signal: &str) {
        let (_, pid) = self.shell.as_ref().expect("the server runs");
        let sent = Command::new("kill")
            .args([&format!("-{signal}"), &pid.to_string()])
            .status();
        assert!(sent.expect("kill is there").success());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn try_run(&mut self) -> bool {
        let port = self.port.to_string();
        let mut shell = Command::new("sh")
            .args(["-c", SHELL, "sh"])
            .args(
                self.arguments
                    .iter()
                    .take_while(|argument| !argument.starts_with("--")),
            )
            .args(["--port", &port, "--bind", "127.0.0.1", "--daemonize", "no"])
            .args(
                self.arguments
                    .iter()
                    .skip_while(|argument| !argument.starts_with("--")),
            )
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh is there");
        let mut pid = String::new();
        BufReader::new(shell.stdout.take().expect("a pipe"))
            .read_line(&mut pid)
            .expect("the shell tells");
        let pid: u32 = pid.trim().parse().expect("a process id");
        self.shell = Some((shell, pid));
        // Somebody else may sit on the port.
        let ours = format!("process_id:{pid}\r");
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let log = self.log();
            assert!(!log.contains("redis-server: not found"), "{MISSING}");
            if log.contains("Address already in use") || log.contains("bind: ") {
                break;
            }
            if ask(self.port, "INFO server").is_ok_and(|info| info.contains(&ours)) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        self.kill();
        false
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Three masters that hold a third each.
#[derive(Debug)]
pub struct RedisCluster {
    /// The servers.
    pub nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Complete when this returns.
    pub fn start() -> Self {
        let nodes: Vec<RedisServer> = (0..3).map(|_| Self::node()).collect();
        let count = u32::try_from(nodes.len()).expect("three");
        for (node, nth) in nodes.iter().zip(0_u32..) {
            let (from, to) = (SLOTS * nth / count, SLOTS * (nth + 1) / count - 1);
            let slots: Vec<String> = (from..=to).map(|slot| slot.to_string()).collect();
            let added = node.command(&format!("CLUSTER ADDSLOTS {}", slots.join(" ")));
            assert_eq!(added, "+OK\r\n");
            assert_eq!(
                node.command(&format!("CLUSTER SET-CONFIG-EPOCH {}", nth + 1)),
                "+OK\r\n"
            );
        }
        for node in &nodes[1..] {
            let met = nodes[0].command(&format!("CLUSTER MEET 127.0.0.1 {}", node.port));
            assert_eq!(met, "+OK\r\n");
        }
        for node in &nodes {
            node.until("CLUSTER INFO", "cluster_known_nodes:3");
            node.until("CLUSTER INFO", "cluster_state:ok");
        }
        Self { nodes }
    }

    /// `redis+cluster://…`
    pub fn url(&self) -> String {
        let hosts: Vec<String> = self
            .nodes
            .iter()
            .map(|node| format!("127.0.0.1:{}", node.port))
            .collect();
        format!("redis+cluster://{}", hosts.join(","))
    }

    fn node() -> RedisServer {
        let settings = [
            "--save",
            "",
            "--cluster-enabled",
            "yes",
            "--cluster-node-timeout",
            "1000",
        ];
        for _ in 0..100 {
            let port = free_port();
            // The servers talk to each other ten thousand ports further on.
            if port > u16::MAX - 10_000 {
                continue;
            }
            let mut server = RedisServer::on(port, &settings);
            if server.try_run() {
                return server;
            }
        }
        panic!("no ports could be had for a node of a Cluster");
    }
}

/// A master, its replica, and the Sentinel that watches them.
#[derive(Debug)]
pub struct RedisSentinel {
    /// The server.
    pub master: RedisServer,
    /// Who takes over.
    pub replica: RedisServer,
    /// Who knows where it is.
    pub sentinel: RedisServer,
}

impl RedisSentinel {
    /// Complete when this returns.
    pub fn start() -> Self {
        let master = RedisServer::start();
        let port = master.port.to_string();
        let replica = RedisServer::with(&["--save", "", "--replicaof", "127.0.0.1", &port]);
        replica.until("INFO replication", "master_link_status:up");
        for _ in 0..10 {
            let mut sentinel = RedisServer::on(free_port(), &["sentinel.conf", "--sentinel"]);
            let watch = format!(
                "sentinel monitor {MASTER} 127.0.0.1 {port} 1\nsentinel down-after-milliseconds {MASTER} 500\n"
            );
            std::fs::write(sentinel.folder.join("sentinel.conf"), watch).expect("our own folder");
            if sentinel.try_run() {
                sentinel.until("SENTINEL masters", "num-slaves\r\n$1\r\n1\r\n");
                return Self {
                    master,
                    replica,
                    sentinel,
                };
            }
        }
        panic!("no port could be had for a Sentinel");
    }

    /// `redis+sentinel://…/house`
    pub fn url(&self) -> String {
        format!("redis+sentinel://127.0.0.1:{}/{MASTER}", self.sentinel.port)
    }
}

/// The pipe closes, and the shell ends the server; it is gone when this returns.
fn end((mut shell, pid): (Child, u32)) {
    let _ = Command::new("kill")
        .args(["-9", &pid.to_string()])
        .stderr(Stdio::null())
        .status();
    drop(shell.stdin.take());
    let _ = shell.wait();
}

fn folder() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let nth = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = Path::new("/tmp").join(format!("comanda-redis-{}-{nth}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir(&folder).expect("a folder of our own in /tmp");
    folder
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// One command on a connection of its own.
fn ask(port: u16, command: &str) -> std::io::Result<String> {
    // A second command whose answer is known tells where that of the first one ends. Sentinels have it, too.
    const LAST: &str = "+PONG\r\n";
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(format!("{command}\r\nPING\r\n").as_bytes())?;
    let mut answer = Vec::new();
    let mut piece = [0; 16 * 1024];
    while !answer.ends_with(LAST.as_bytes()) {
        match stream.read(&mut piece)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            some => answer.extend_from_slice(&piece[..some]),
        }
    }
    let answer = String::from_utf8_lossy(&answer);
    Ok(answer.strip_suffix(LAST).unwrap_or(&answer).to_owned())
}
