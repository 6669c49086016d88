//! A private PostgreSQL cluster in a data folder, for those who bring no `DATABASE_URL`.
//!
//! Comanda has one store, also in its embedded default and in its tests. Instead of shipping a second database
//! for small installations it runs the PostgreSQL programs that are on the machine, reachable through a Unix
//! socket only, in a folder that nobody else may enter. That is why trust authentication is enough here.
//!
//! ```text
//! <data>/postgres.lock      held, with the process id in it, by the one process that owns the cluster
//! <data>/postgres/pgdata    the cluster; appears by a rename, so it is either whole or not there
//! <data>/postgres/run       the socket (a folder in /tmp when that path is too long for a socket)
//! <data>/postgres/postgres.log
//! ```
//!
//! - **The lock is the operating system's** (`flock`), so it is gone when its process is, however it died. The
//!   process id in the file only serves the message to a second process.
//! - **Who holds the lock stops the cluster**, also one that it found running: a cluster outlives an owner that
//!   was killed, and the next owner adopts it.
//! - **PostgreSQL refuses to run as root.** When we are root its programs run as `postgres` or else `nobody`.
//! - **The cluster is detached from the terminal**: an interrupt reaches Comanda alone, which finishes its work
//!   and then stops the cluster.
//!
//! Everything here blocks; asynchronous callers go through `spawn_blocking`. Nothing here creates databases:
//! connect to [`url("postgres")`](EmbeddedPostgres::url) and say `CREATE DATABASE`.

mod account;
mod binaries;
mod cluster;
mod error;
mod settings;
mod shared;

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

pub use account::reachable_or;
use binaries::Binaries;
use cluster::Cluster;
pub use error::EmbeddedError;
use error::IoContext;
pub use shared::{SharedCluster, shared_test_cluster};

/// Where the cluster lives and how careful it is.
#[derive(Debug, Clone)]
pub struct EmbeddedOptions {
    /// The data folder (`COMANDA_DATA_DIR`). Created when missing.
    pub data_dir: PathBuf,
    /// Where `initdb`, `pg_ctl` and `postgres` are (`COMANDA_POSTGRES_BIN`); searched when `None`.
    pub bin_dir: Option<PathBuf>,
    /// `false` turns off everything that protects data when the machine loses power. For tests only.
    pub durable: bool,
}

/// A running private cluster that this process owns. Dropping it stops the cluster.
///
/// `std::process::exit` drops nothing: return from `main`, or call [`stop`](Self::stop) first.
#[derive(Debug)]
pub struct EmbeddedPostgres {
    cluster: Cluster,
    binaries: Binaries,
    adopted: bool,
    stopped: bool,
    // Last, so that the cluster is down before the folder is free for others.
    _lock: File,
}

impl EmbeddedPostgres {
    /// Creates the cluster if there is none, and starts it, or adopts it if a killed owner left it running.
    ///
    /// # Errors
    /// See [`EmbeddedError`]; each message says what to do.
    pub fn start(options: &EmbeddedOptions) -> Result<Self, EmbeddedError> {
        let (account, data_dir) = account::open_data_dir(&options.data_dir)?;
        let lock = own(&data_dir)?;
        let base = data_dir.join("postgres");
        let cluster = Cluster::at(base, account, options.durable);
        let binaries = Binaries::find(options.bin_dir.as_deref(), cluster.version())?;
        let adopted = cluster.adopt_or_start(&binaries)?;
        Ok(Self {
            cluster,
            binaries,
            adopted,
            stopped: false,
            _lock: lock,
        })
    }

    /// The address of one database of the cluster that another process runs in this data folder, and may stop at
    /// any moment.
    ///
    /// # Errors
    /// A data folder that we may not use.
    pub fn url_of_running(options: &EmbeddedOptions, database: &str) -> Result<String, EmbeddedError> {
        let (account, data_dir) = account::open_data_dir(&options.data_dir)?;
        Ok(Cluster::at(data_dir.join("postgres"), account, options.durable).url(database))
    }

    /// The address of one database of the cluster, as `tokio-postgres`, `diesel-async` and `psql` read it.
    pub fn url(&self, database: &str) -> String {
        self.cluster.url(database)
    }

    /// Whether the cluster was already running, left by an owner that was killed.
    pub fn adopted(&self) -> bool {
        self.adopted
    }

    /// Ends all sessions, writes everything down and stops the cluster.
    ///
    /// # Errors
    /// [`EmbeddedError::Program`] when the cluster did not stop within a minute.
    pub fn stop(mut self) -> Result<(), EmbeddedError> {
        self.stopped = true;
        self.cluster.stop(&self.binaries)
    }
}

impl Drop for EmbeddedPostgres {
    fn drop(&mut self) {
        if !self.stopped
            && let Err(error) = self.cluster.stop(&self.binaries)
        {
            tracing::error!(%error, "the embedded PostgreSQL did not stop");
        }
    }
}

/// Takes the lock of a data folder and leaves our process id in it.
fn own(data_dir: &Path) -> Result<File, EmbeddedError> {
    let path = data_dir.join("postgres.lock");
    let mut file = open_lock(&path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            file.read_to_string(&mut pid).at("read", &path)?;
            return Err(EmbeddedError::InUse {
                data_dir: data_dir.to_owned(),
                pid: pid.trim().parse().ok(),
            });
        }
        Err(TryLockError::Error(source)) => return Err(source).at("lock", &path),
    }
    file.set_len(0).and_then(|()| file.rewind()).at("empty", &path)?;
    writeln!(file, "{}", std::process::id()).at("write", &path)?;
    Ok(file)
}

/// Opens a lock file without touching what it says.
fn open_lock(path: &Path) -> Result<File, EmbeddedError> {
    File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .at("open", path)
}
