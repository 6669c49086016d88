//! One throw-away cluster for all test processes of a run, with nothing to start or stop by hand.
//!
//! Test runners start many processes, at once and in any order, and kill some of them. Three locks of the
//! operating system (`flock`), which die with their holders, keep order:
//!
//! - `start.lock` (exclusive): one process at a time looks at the cluster; the first one makes and starts it.
//! - `users.lock` (shared): held by each process as long as it uses the cluster.
//! - `reaper.lock` (exclusive): held by the *reaper*, a detached shell that waits until it can have `users.lock`
//!   to itself, waits two seconds more for the next test, and stops the cluster. A process that comes while the
//!   reaper stops it waits for `users.lock` and starts it again.
//!
//! When the folder is deleted the reaper leaves, and PostgreSQL itself notices within a minute and stops.
//! Otherwise the folder stays, so that the next run starts in a tenth of a second and finds its template databases.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::account::{self, reachable_or};
use super::binaries::Binaries;
use super::cluster::Cluster;
use super::error::{EmbeddedError, IoContext};
use super::open_lock;
use super::settings::short_name;

const REAPER: &str = r#"
exec 9<>reaper.lock
flock 9
while flock users.lock true; do
    sleep 2
    flock -n users.lock sh -c '"$1" stop -m fast -D pgdata; true' sh "$1" && exit
done
"#;

/// A running throw-away cluster, shared with other processes. It runs as long as one of them holds one of these.
#[derive(Debug)]
pub struct SharedCluster {
    cluster: Cluster,
    _lease: File,
}

impl SharedCluster {
    /// The address of one database of the cluster.
    pub fn url(&self, database: &str) -> String {
        self.cluster.url(database)
    }
}

/// The throw-away cluster in `dir`, made and started if this process is the first to ask.
///
/// When we are root and PostgreSQL's account could not reach `dir`, the cluster lives in a folder in `/tmp` whose
/// name follows from `dir`. A cluster that does not start, say after a power failure, is made anew.
///
/// # Errors
/// See [`EmbeddedError`].
pub fn shared_test_cluster(dir: &Path, bin_dir: Option<&Path>) -> Result<SharedCluster, EmbeddedError> {
    let dir = std::path::absolute(dir).at("resolve", dir)?;
    let substitute = short_name(&dir);
    let (account, dir) = account::open_data_dir(&reachable_or(dir, substitute)?)?;
    let path = dir.join("start.lock");
    let start = open_lock(&path)?;
    start.lock().at("lock", &path)?;

    let cluster = Cluster::at(dir.join("postgres"), account, false);
    cluster.account.private_dir(&cluster.base)?;
    let lease = lock_file(&cluster, "users.lock")?;
    lease.lock_shared().at("lock", &cluster.base.join("users.lock"))?;
    let reaper = lock_file(&cluster, "reaper.lock")?;
    if !cluster.is_ready() {
        let binaries = start_or_renew(&cluster, bin_dir)?;
        // Always a new one: the old one may be about to leave, having just stopped the cluster. It waits for that.
        spawn_reaper(&cluster, &binaries)?;
    } else if reaper.try_lock().is_ok() {
        drop(reaper);
        spawn_reaper(&cluster, &Binaries::find(bin_dir, cluster.version())?)?;
    }
    Ok(SharedCluster {
        cluster,
        _lease: lease,
    })
}

fn lock_file(cluster: &Cluster, name: &str) -> Result<File, EmbeddedError> {
    let path = cluster.base.join(name);
    let file = open_lock(&path)?;
    cluster.account.give(&path)?;
    Ok(file)
}

fn start_or_renew(cluster: &Cluster, bin_dir: Option<&Path>) -> Result<Binaries, EmbeddedError> {
    if let Ok(binaries) = Binaries::find(bin_dir, cluster.version())
        && cluster.adopt_or_start(&binaries).is_ok()
    {
        return Ok(binaries);
    }
    if cluster.version().is_some() {
        cluster.remove()?;
    }
    let binaries = Binaries::find(bin_dir, None)?;
    cluster.adopt_or_start(&binaries)?;
    Ok(binaries)
}

fn spawn_reaper(cluster: &Cluster, binaries: &Binaries) -> Result<(), EmbeddedError> {
    let missing = EmbeddedError::Missing {
        program: "flock",
        package: "util-linux (macOS: brew install flock)",
    };
    let silent = |command: &mut Command| {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
    };
    let mut probe = Command::new("flock");
    silent(&mut probe);
    if probe.arg("-h").status().is_err() {
        return Err(missing);
    }
    let mut reaper = cluster.account.command("/bin/sh");
    silent(&mut reaper);
    reaper
        .args(["-c", REAPER, "comanda-test-pg"])
        .arg(binaries.program("pg_ctl"))
        .current_dir(&cluster.base);
    // A group of its own, so that an interrupt at the terminal does not reach it.
    reaper
        .process_group(0)
        .spawn()
        .map(drop)
        .at("run", Path::new("/bin/sh"))
}
