//! One cluster on disk: making it, starting it, adopting it, stopping it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::account::Account;
use super::binaries::Binaries;
use super::error::{EmbeddedError, IoContext};
use super::settings::{SOCKET, settings, socket_dir, url};

/// How long a cluster may take to start, stop or make up its mind.
const PATIENCE: Duration = Duration::from_mins(1);
/// A log larger than this is put aside at the next start.
const LARGEST_LOG: u64 = 16 * 1024 * 1024;

/// Collation by code point everywhere, so that an index means the same on each machine; letters by Unicode.
const LOCALE: &[&str] = if cfg!(target_os = "macos") {
    &["--locale=C", "--lc-ctype=en_US.UTF-8"]
} else {
    &["--locale=C.UTF-8"]
};

/// A cluster's place and owner, whether or not it exists or runs.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) base: PathBuf,
    pub(super) account: Account,
    socket_dir: PathBuf,
    durable: bool,
}

/// What a look at a cluster says.
enum State {
    Ready,
    /// Starting or stopping.
    Changing,
    Down,
}

impl Cluster {
    /// The cluster whose place is `base`, an absolute path.
    pub(super) fn at(base: PathBuf, account: Account, durable: bool) -> Self {
        let socket_dir = socket_dir(&base);
        Self {
            base,
            account,
            socket_dir,
            durable,
        }
    }

    /// The major version of PostgreSQL that made the cluster; `None` when there is none yet.
    pub(super) fn version(&self) -> Option<u32> {
        fs::read_to_string(self.data().join("PG_VERSION"))
            .ok()?
            .trim()
            .parse()
            .ok()
    }

    /// The address of one of its databases.
    pub(super) fn url(&self, database: &str) -> String {
        url(&self.socket_dir, database)
    }

    /// Makes sure that the cluster exists and runs. Says whether it was running already.
    pub(super) fn adopt_or_start(&self, binaries: &Binaries) -> Result<bool, EmbeddedError> {
        self.create(binaries)?;
        let began = Instant::now();
        loop {
            match self.state(binaries)? {
                State::Ready => return Ok(true),
                State::Down => break,
                State::Changing if began.elapsed() > PATIENCE => break,
                State::Changing => sleep(Duration::from_millis(20)),
            }
        }
        self.start(binaries).map(|()| false)
    }

    /// Whether the cluster answers.
    pub(super) fn is_ready(&self) -> bool {
        // The eighth line of postmaster.pid tells a server that takes sessions from one that starts or stops.
        let status = fs::read_to_string(self.pid_file()).unwrap_or_default();
        status.lines().nth(7).is_some_and(|line| line.trim() == "ready")
            && UnixStream::connect(self.socket_dir.join(SOCKET)).is_ok()
    }

    /// Ends all sessions and stops the cluster, if it runs.
    pub(super) fn stop(&self, binaries: &Binaries) -> Result<(), EmbeddedError> {
        let stopped = self.pg_ctl(binaries, &["stop", "-m", "fast", "-w", "-t", "60"]);
        match (stopped, self.state(binaries)?) {
            (_, State::Down) => Ok(()),
            (outcome, _) => outcome,
        }
    }

    /// Throws the cluster away. Only for clusters of tests.
    pub(super) fn remove(&self) -> Result<(), EmbeddedError> {
        fs::remove_dir_all(self.data()).at("remove", &self.data())
    }

    fn data(&self) -> PathBuf {
        self.base.join("pgdata")
    }

    fn pid_file(&self) -> PathBuf {
        self.data().join("postmaster.pid")
    }

    /// Makes folders and cluster where they are missing. `initdb` works beside the final place, and the rename
    /// comes last: a run that was cut short leaves nothing that could be taken for a cluster.
    fn create(&self, binaries: &Binaries) -> Result<(), EmbeddedError> {
        self.account.private_dir(&self.base)?;
        self.account.private_dir(&self.socket_dir)?;
        let data = self.data();
        if data.exists() {
            return Ok(());
        }
        let unfinished = self.base.join("pgdata.new");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).at("remove", &unfinished)?;
        }
        let sync: &[&str] = if self.durable { &[] } else { &["--no-sync"] };
        let fixed = [
            "-D",
            "pgdata.new",
            "-U",
            "postgres",
            "--data-checksums",
            "--encoding=UTF8",
            "--auth=trust",
        ];
        let arguments: Vec<&str> = fixed.iter().chain(LOCALE).chain(sync).copied().collect();
        self.run(binaries, "initdb", &arguments)?;
        let conf = unfinished.join("postgresql.conf");
        let include = |mut file: File| file.write_all(b"\ninclude 'comanda.conf'\n");
        File::options()
            .append(true)
            .open(&conf)
            .and_then(include)
            .at("write", &conf)?;
        fs::rename(&unfinished, &data).at("rename", &unfinished)?;
        File::open(&self.base)
            .and_then(|folder| folder.sync_all())
            .at("sync", &self.base)
    }

    fn start(&self, binaries: &Binaries) -> Result<(), EmbeddedError> {
        let log = self.log();
        if fs::metadata(&log).is_ok_and(|found| found.len() > LARGEST_LOG) {
            fs::rename(&log, self.base.join("postgres.log.old")).at("rename", &log)?;
        }
        self.configure()?;
        let start = || self.pg_ctl(binaries, &["start", "-l", "postgres.log", "-w", "-t", "60"]);
        // Sessions of a server that was killed notice within a moment, and until then the new one may not start.
        for _ in 0..2 {
            if start().is_ok() {
                return Ok(());
            }
            sleep(Duration::from_secs(1));
        }
        start()
    }

    /// Writes the settings that are ours to choose. `ALTER SYSTEM` overrides all of them.
    fn configure(&self) -> Result<(), EmbeddedError> {
        let path = self.data().join("comanda.conf");
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error).at("remove", &path),
            _ => {}
        }
        let text = settings(&self.socket_dir, self.durable);
        File::create_new(&path)
            .and_then(|mut file| file.write_all(&text))
            .at("write", &path)?;
        self.account.give(&path)
    }

    fn state(&self, binaries: &Binaries) -> Result<State, EmbeddedError> {
        if self.is_ready() {
            return Ok(State::Ready);
        }
        if self.pg_ctl(binaries, &["status"]).is_err() {
            return Ok(State::Down);
        }
        // The process id may have gone to another program since, above all in a container that was restarted,
        // and PostgreSQL would then refuse to start for ever.
        let pid_file = self.pid_file();
        match fs::read_to_string(&pid_file)
            .ok()
            .and_then(|text| program_of(text.lines().next()?))
        {
            Some(program) if program != "postgres" => {
                fs::remove_file(&pid_file).at("remove", &pid_file)?;
                Ok(State::Down)
            }
            _ => Ok(State::Changing),
        }
    }

    fn pg_ctl(&self, binaries: &Binaries, arguments: &[&str]) -> Result<(), EmbeddedError> {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["-D", "pgdata"]).collect();
        self.run(binaries, "pg_ctl", &arguments)
    }

    /// Runs one of PostgreSQL's programs as the cluster's account, in its folder. A shell opens the log, so that
    /// the log is the account's, and so that no pipe of ours reaches the server, which outlives us.
    fn run(
        &self,
        binaries: &Binaries,
        program: &'static str,
        arguments: &[&str],
    ) -> Result<(), EmbeddedError> {
        let path = binaries.program(program);
        let status = self
            .account
            .command("/bin/sh")
            .args(["-c", r#"umask 077; exec "$@" >>postgres.log 2>&1"#, "sh"])
            .arg(&path)
            .args(arguments)
            .env("LC_ALL", "C")
            .current_dir(&self.base)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .at("run", &path)?;
        if status.success() {
            return Ok(());
        }
        let tail = tail(&fs::read(self.log()).unwrap_or_default());
        Err(EmbeddedError::Program {
            program,
            status: status.to_string(),
            log: self.log(),
            tail,
        })
    }

    fn log(&self) -> PathBuf {
        self.base.join("postgres.log")
    }
}

/// The name of the program a process runs, where the system tells (Linux).
fn program_of(pid: &str) -> Option<String> {
    let name = fs::read_to_string(format!("/proc/{}/comm", pid.trim())).ok()?;
    Some(name.trim().to_owned())
}

/// The last lines of a log.
fn tail(log: &[u8]) -> String {
    let text = String::from_utf8_lossy(log);
    let lines: Vec<&str> = text.lines().collect();
    lines
        .get(lines.len().saturating_sub(12)..)
        .unwrap_or_default()
        .join("\n")
}
