//! Whose processes and files the cluster's are: ours, or, when we are root, an unprivileged account's.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, lchown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::{EmbeddedError, IoContext};

/// The account that runs PostgreSQL when we are root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unprivileged {
    name: String,
    uid: u32,
    gid: u32,
}

/// Whom the cluster belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Account {
    /// Whoever runs this process.
    Ours {
        /// Our user id.
        uid: u32,
    },
    /// We are root, and step down.
    Lower(Unprivileged),
}

impl Account {
    /// Ourselves, or `postgres`, or `nobody`.
    fn choose() -> Result<Self, EmbeddedError> {
        match our_uid()? {
            0 => {
                let passwd = Path::new("/etc/passwd");
                let passwd = fs::read_to_string(passwd).at("read", passwd)?;
                lookup(&passwd).map(Self::Lower).ok_or(EmbeddedError::NoAccount)
            }
            uid => Ok(Self::Ours { uid }),
        }
    }

    /// A command that will run as this account.
    pub(super) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        if let Self::Lower(lower) = self {
            command.uid(lower.uid).gid(lower.gid);
        }
        command
    }

    /// Gives a path to this account.
    pub(super) fn give(&self, path: &Path) -> Result<(), EmbeddedError> {
        match self {
            Self::Ours { .. } => Ok(()),
            Self::Lower(lower) => {
                lchown(path, Some(lower.uid), Some(lower.gid)).at("change the owner of", path)
            }
        }
    }

    /// Makes a folder that only this account may enter, or makes sure that an existing one is such.
    pub(super) fn private_dir(&self, path: &Path) -> Result<(), EmbeddedError> {
        match DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => return self.give(path),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).at("create", path),
        }
        // The folder in /tmp could have been put there by anyone: never follow a link, never trust another's.
        let found = fs::symlink_metadata(path).at("inspect", path)?;
        let ours = match self {
            Self::Ours { uid } => found.uid() == *uid,
            Self::Lower(lower) => found.uid() == lower.uid || found.uid() == 0,
        };
        if !found.is_dir() || !ours || found.mode() & 0o022 != 0 {
            return Err(EmbeddedError::NotOurs {
                path: path.to_owned(),
            });
        }
        self.give(path)
    }

    /// The first folder on the way to `path` that this account may not pass.
    fn closed_on_the_way(&self, path: &Path) -> Option<PathBuf> {
        let Self::Lower(lower) = self else { return None };
        let mut way: Vec<_> = path.ancestors().filter(|folder| folder.exists()).collect();
        way.reverse();
        way.into_iter()
            .find(|folder| !fs::metadata(folder).is_ok_and(|found| lower.may_pass(&found)))
            .map(Path::to_owned)
    }

    /// Fails when this account cannot reach `path`.
    fn must_reach(&self, path: &Path) -> Result<(), EmbeddedError> {
        match (self.closed_on_the_way(path), self) {
            (Some(closed), Self::Lower(lower)) => Err(EmbeddedError::Unreachable {
                closed,
                account: lower.name.clone(),
            }),
            _ => Ok(()),
        }
    }
}

impl Unprivileged {
    fn may_pass(&self, folder: &fs::Metadata) -> bool {
        let bit = if folder.uid() == self.uid {
            0o100
        } else if folder.gid() == self.gid {
            0o010
        } else {
            0o001
        };
        folder.mode() & bit != 0
    }
}

/// Creates the data folder if it is missing and says whom the cluster in it belongs to.
/// The folder comes back as an absolute path without links.
pub(super) fn open_data_dir(data_dir: &Path) -> Result<(Account, PathBuf), EmbeddedError> {
    let account = Account::choose()?;
    let absolute = std::path::absolute(data_dir).at("resolve", data_dir)?;
    account.must_reach(&absolute)?;
    // The lower account must pass through root's folder, and need not look around in it.
    let mode = if matches!(account, Account::Ours { .. }) {
        0o700
    } else {
        0o711
    };
    DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(&absolute)
        .at("create", &absolute)?;
    let data_dir = fs::canonicalize(&absolute).at("resolve", &absolute)?;
    account.must_reach(&data_dir)?;
    Ok((account, data_dir))
}

/// `preferred`, unless we are root and PostgreSQL's account could not reach it: then `otherwise`.
///
/// Root's home is closed to others on most systems, so root's XDG data folder cannot hold a cluster.
///
/// # Errors
/// When we cannot find out who we are.
pub fn reachable_or(preferred: PathBuf, otherwise: PathBuf) -> Result<PathBuf, EmbeddedError> {
    let absolute = std::path::absolute(&preferred).at("resolve", &preferred)?;
    let closed = Account::choose()?.closed_on_the_way(&absolute);
    Ok(if closed.is_some() { otherwise } else { preferred })
}

/// The standard library does not tell; the owner of our entry in `/proc`, or `id`, does.
fn our_uid() -> Result<u32, EmbeddedError> {
    if let Ok(process) = fs::metadata("/proc/self") {
        return Ok(process.uid());
    }
    let id = Path::new("id");
    let output = Command::new(id).arg("-u").output().at("run", id)?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim()
        .parse()
        .map_err(std::io::Error::other)
        .at("understand", id)
}

/// Finds `postgres`, else `nobody`, in the text of `/etc/passwd`.
fn lookup(passwd: &str) -> Option<Unprivileged> {
    let entry = |wanted: &str| {
        passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next().filter(|name| *name == wanted)?;
            let uid = fields.nth(1)?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            Some(Unprivileged {
                name: name.to_owned(),
                uid,
                gid,
            })
        })
    };
    entry("postgres").or_else(|| entry("nobody"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefers_postgres_and_falls_back_to_nobody() {
        let both =
            "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65533::/:/bin/false\npostgres:x:101:104::/:/bin/sh\n";
        let name = |text: &str| lookup(text).map(|found| (found.name, found.uid, found.gid));
        assert_eq!(name(both), Some(("postgres".to_owned(), 101, 104)));
        let without = both.replace("postgres:", "postgres2:");
        assert_eq!(name(&without), Some(("nobody".to_owned(), 65534, 65533)));
        assert_eq!(name("root:x:0:0::/root:/bin/sh"), None);
    }

    #[test]
    fn a_closed_folder_on_the_way_is_named() {
        let stranger = Account::Lower(Unprivileged {
            name: "x".into(),
            uid: 4_000_001,
            gid: 4_000_001,
        });
        let closed = std::env::temp_dir().join(format!("comanda-closed-{}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&closed).unwrap();
        assert_eq!(
            stranger.closed_on_the_way(&closed.join("deeper/still")),
            Some(closed.clone())
        );
        let ours = Account::Ours { uid: 1 };
        assert_eq!(ours.closed_on_the_way(&closed), None);
        fs::remove_dir(&closed).unwrap();
    }
}
