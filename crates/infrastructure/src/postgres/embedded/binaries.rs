//! Finding PostgreSQL's server programs on the machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::{EmbeddedError, IoContext};

/// The oldest major version Comanda supports.
const OLDEST: u32 = 15;

/// Where the system's packages put the programs; `*` stands for the version.
const USUAL_FOLDERS: [&str; 6] = [
    "/usr/lib/postgresql/*/bin",          // Debian, Ubuntu
    "/usr/pgsql-*/bin",                   // packages of postgresql.org for Fedora, RHEL
    "/opt/homebrew/opt/postgresql@*/bin", // Homebrew on Apple silicon
    "/usr/local/opt/postgresql@*/bin",    // Homebrew on Intel
    "/usr/libexec/postgresql*",           // Alpine
    "/usr/local/pgsql*/bin",              // built from source
];

/// A folder with `initdb`, `pg_ctl` and `postgres` of one supported version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    pub(super) dir: PathBuf,
    major: u32,
}

impl Binaries {
    /// Looks in `explicit` only, if given, else in `PATH`, then in the usual folders of systems.
    /// An existing cluster needs the very `cluster` version that made it; a new one gets the newest.
    pub(super) fn find(explicit: Option<&Path>, cluster: Option<u32>) -> Result<Self, EmbeddedError> {
        let (folders, searched) = match explicit {
            Some(dir) => (vec![dir.to_owned()], dir.display().to_string()),
            None => (
                search_path()
                    .into_iter()
                    .chain(USUAL_FOLDERS.iter().flat_map(|usual| expand(usual)))
                    .collect(),
                format!("PATH, {}", USUAL_FOLDERS.join(", ")),
            ),
        };
        let found = folders
            .into_iter()
            .filter(|dir| is_complete(dir))
            .filter_map(|dir| {
                let major = major_of(&dir)?;
                Some(Self { dir, major })
            });
        pick(found.collect(), cluster, searched)
    }

    /// One program's path.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

/// The best of those found, or the most helpful complaint. The first found wins among equals.
fn pick(found: Vec<Binaries>, cluster: Option<u32>, searched: String) -> Result<Binaries, EmbeddedError> {
    let newest = found.iter().rev().max_by_key(|binaries| binaries.major).cloned();
    let Some(newest) = newest else {
        return Err(EmbeddedError::NoBinaries { searched });
    };
    match cluster {
        Some(cluster) => match found.into_iter().find(|binaries| binaries.major == cluster) {
            Some(binaries) => Ok(binaries),
            None => Err(EmbeddedError::OtherVersion {
                cluster,
                found: newest.major,
                dir: newest.dir,
            }),
        },
        None if newest.major < OLDEST => Err(EmbeddedError::TooOld {
            found: newest.major,
            dir: newest.dir,
        }),
        None => Ok(newest),
    }
}

fn is_complete(dir: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres"]
        .iter()
        .all(|program| dir.join(program).is_file())
}

#[expect(
    clippy::disallowed_methods,
    reason = "PATH belongs to the system; it is no setting of Comanda"
)]
fn search_path() -> Vec<PathBuf> {
    std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default()
}

/// The folders that a pattern with one `*` in one component stands for.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else {
        return vec![PathBuf::from(pattern)];
    };
    let Some((parent, prefix)) = before.rsplit_once('/') else {
        return Vec::new();
    };
    let Ok(entries) = std::fs::read_dir(parent) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with(prefix))
        .map(|name| PathBuf::from(format!("{parent}/{name}{after}")))
        .collect()
}

/// Asks `postgres` itself for its version.
fn major_of(dir: &Path) -> Option<u32> {
    let postgres = dir.join("postgres");
    let output = Command::new(&postgres)
        .arg("--version")
        .output()
        .at("run", &postgres)
        .ok()?;
    parse_version(&String::from_utf8_lossy(&output.stdout))
}

/// `postgres (PostgreSQL) 16.4 (Debian 16.4-1)` → 16; betas read `17beta1`.
fn parse_version(text: &str) -> Option<u32> {
    let version = text.split_once("(PostgreSQL)")?.1.trim_start();
    let digits = version.split(|sign: char| !sign.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(versions: &[u32]) -> Vec<Binaries> {
        versions
            .iter()
            .map(|major| Binaries {
                dir: format!("/pg/{major}").into(),
                major: *major,
            })
            .collect()
    }

    #[test]
    fn versions_are_read_as_the_programs_print_them() {
        assert_eq!(
            parse_version("postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)\n"),
            Some(15)
        );
        assert_eq!(parse_version("postgres (PostgreSQL) 17beta1"), Some(17));
        assert_eq!(parse_version("something else"), None);
    }

    #[test]
    fn a_new_cluster_gets_the_newest_version() {
        assert_eq!(pick(found(&[15, 17, 16]), None, String::new()).unwrap().major, 17);
        assert!(matches!(
            pick(found(&[13, 14]), None, String::new()),
            Err(EmbeddedError::TooOld { found: 14, .. })
        ));
    }

    #[test]
    fn an_existing_cluster_gets_the_version_that_made_it() {
        assert_eq!(pick(found(&[17, 15]), Some(15), String::new()).unwrap().major, 15);
        let error = pick(found(&[17]), Some(15), String::new()).unwrap_err();
        assert!(error.to_string().contains("install PostgreSQL 15"), "{error}");
    }

    #[test]
    fn an_empty_folder_says_what_to_install() {
        let dir = std::env::temp_dir().join(format!("comanda-empty-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let text = Binaries::find(Some(&dir), None).unwrap_err().to_string();
        std::fs::remove_dir(&dir).unwrap();
        for wanted in [
            "apt install postgresql",
            "dnf install postgresql-server",
            "brew install postgresql@16",
        ] {
            assert!(text.contains(wanted), "{text}");
        }
        assert!(text.contains(&dir.display().to_string()), "{text}");
    }
}
