//! What can go wrong with the embedded cluster, in words for the person who must mend it.

use std::io;
use std::path::{Path, PathBuf};

/// Why the embedded cluster is not running.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// The server programs are nowhere to be found.
    #[error(
        "found no PostgreSQL server programs (initdb, pg_ctl, postgres) in {searched}. Install PostgreSQL 15 or \
         newer:\n  Debian, Ubuntu:  apt install postgresql\n  Fedora, RHEL:    dnf install postgresql-server\n  \
         macOS:           brew install postgresql@16\nor set COMANDA_POSTGRES_BIN to the folder that holds them, \
         or DATABASE_URL to a server of your own"
    )]
    NoBinaries {
        /// Where they were looked for.
        searched: String,
    },
    /// The newest programs found are older than Comanda supports.
    #[error("PostgreSQL {found} in {dir} is too old: Comanda needs version 15 or newer")]
    TooOld {
        /// The major version found.
        found: u32,
        /// The folder it was found in.
        dir: PathBuf,
    },
    /// The cluster was made by another major version than the one found.
    #[error(
        "the cluster in the data folder was made by PostgreSQL {cluster}, but {dir} holds version {found}: \
         install PostgreSQL {cluster}, or choose another COMANDA_DATA_DIR"
    )]
    OtherVersion {
        /// The major version of the cluster.
        cluster: u32,
        /// The major version found.
        found: u32,
        /// The folder it was found in.
        dir: PathBuf,
    },
    /// Another live process owns the data folder.
    #[error(
        "the data folder {data_dir} is in use by process {}: stop it, or choose another COMANDA_DATA_DIR",
        pid.map_or_else(|| "(unknown)".to_owned(), |pid| pid.to_string())
    )]
    InUse {
        /// The data folder.
        data_dir: PathBuf,
        /// The process that owns it, if it has said so yet.
        pid: Option<u32>,
    },
    /// We are root, and the account that PostgreSQL must run as cannot reach the folder.
    #[error(
        "PostgreSQL refuses to run as root and the account {account} cannot reach the data folder, because \
         {closed} is closed to it: choose another COMANDA_DATA_DIR, for instance /var/lib/comanda"
    )]
    Unreachable {
        /// The first folder on the way that is closed.
        closed: PathBuf,
        /// The account PostgreSQL would run as.
        account: String,
    },
    /// We are root and there is no account to run PostgreSQL as.
    #[error("PostgreSQL refuses to run as root, and /etc/passwd has neither an account postgres nor nobody")]
    NoAccount,
    /// A folder that must be ours belongs to someone else.
    #[error("{path} belongs to someone else: remove it, or choose a shorter COMANDA_DATA_DIR")]
    NotOurs {
        /// The folder.
        path: PathBuf,
    },
    /// A program is not installed.
    #[error("the program {program} is missing: install {package}")]
    Missing {
        /// The program.
        program: &'static str,
        /// What brings it.
        package: &'static str,
    },
    /// One of PostgreSQL's programs failed.
    #[error("{program} failed ({status}). The end of {log}:\n{tail}")]
    Program {
        /// Which program.
        program: &'static str,
        /// How it ended.
        status: String,
        /// The log that all of them write.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// The file system said no.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
}

/// Says what was being done to which path when the file system said no.
pub(super) trait IoContext<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T, EmbeddedError>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T, EmbeddedError> {
        self.map_err(|source| EmbeddedError::Io {
            action,
            path: path.to_owned(),
            source,
        })
    }
}
