//! The real binary as a process of its own: started, watched, ended and killed.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a process may take to start or to end.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running server; killed when dropped.
pub struct Process {
    /// `http://127.0.0.1:port`
    pub url: String,
    /// Its operations listener.
    pub operations: String,
    child: Child,
}

impl Process {
    /// Starts `program` with nothing but these variables and waits until it says where it listens.
    pub fn start(program: &str, arguments: &[&str], vars: &BTreeMap<String, String>) -> Self {
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .envs(vars)
            .env("COMANDA_LOG", "info")
            .env("COMANDA_LOG_FORMAT", "json")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program is there");
        let lines = follow(&mut child);
        let mut said = String::new();
        let [address, operations] = loop {
            let line = lines
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|_| panic!("the server does not start:\n{said}"));
            let entry: Value = serde_json::from_str(&line).unwrap_or_default();
            if entry["message"] == "listening" {
                break ["address", "operations"]
                    .map(|name| entry[name].as_str().expect("an address").to_owned());
            }
            said.push_str(&line);
            said.push('\n');
        };
        Self {
            url: format!("http://{address}"),
            operations: format!("http://{operations}"),
            child,
        }
    }

    /// How it ended; waits for it.
    pub fn ended(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("our own child") {
                return status;
            }
            assert!(began.elapsed() < PATIENCE, "the process does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// `kill -9`
    pub fn kill(&mut self) {
        self.child.kill().expect("our own child");
        let _ = self.ended();
    }

    /// Stops it in its tracks (`STOP`), or lets it go on (`CONT`).
    pub fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{signal}"), &id]).status();
        assert!(sent.expect("kill is there").success());
    }

    /// Asks it to end, and gives how it did.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.ended()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the child writes to stderr, line by line; read to its end whether or not anyone listens.
fn follow(child: &mut Child) -> Receiver<String> {
    let stderr = child.stderr.take().expect("stderr is a pipe");
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    lines
}
