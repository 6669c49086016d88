//! How a cluster is spoken to: its socket, its address, its settings.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The socket's name in its folder; PostgreSQL makes it from the port.
pub(super) const SOCKET: &str = ".s.PGSQL.5432";
/// The shortest limit among the systems we run on (Linux 107, macOS 103).
const LONGEST_SOCKET_PATH: usize = 103;

/// `<base>/run`, or a folder in `/tmp` named after `base` when a socket's path would be too long there.
pub(super) fn socket_dir(base: &Path) -> PathBuf {
    let near = base.join("run");
    if near.join(SOCKET).as_os_str().len() <= LONGEST_SOCKET_PATH {
        return near;
    }
    short_name(base)
}

/// A short folder in `/tmp` whose name follows from `path` alone.
pub(super) fn short_name(path: &Path) -> PathBuf {
    // FNV-1a: what the standard library offers may change between its versions, and the name must not.
    let fnv = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = path
        .as_os_str()
        .as_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, fnv);
    PathBuf::from(format!("/tmp/comanda-{hash:016x}"))
}

/// The address of a database. The socket's folder stands in the place of the host, percent-encoded.
pub(super) fn url(socket_dir: &Path, database: &str) -> String {
    let host = percent_encode(socket_dir.as_os_str().as_bytes());
    format!(
        "postgres://postgres@{host}/{}",
        percent_encode(database.as_bytes())
    )
}

/// The settings file that PostgreSQL's own includes.
pub(super) fn settings(socket_dir: &Path, durable: bool) -> Vec<u8> {
    let careless = if durable {
        "max_connections = 100\n"
    } else {
        "max_connections = 400\nfsync = off\nsynchronous_commit = off\nfull_page_writes = off\n\
         wal_level = minimal\nmax_wal_senders = 0\nautovacuum = off\n"
    };
    [
        b"# Written at each start; settings of your own go into ALTER SYSTEM.\nlisten_addresses = ''\nport = 5432\n\
          unix_socket_permissions = 0700\nunix_socket_directories = "
            .as_slice(),
        &quoted_folder(socket_dir.as_os_str()),
        b"\ntimezone = 'UTC'\nlog_timezone = 'UTC'\nlog_checkpoints = off\njit = off\n",
        careless.as_bytes(),
    ]
    .concat()
}

/// A folder as the only one of a list of folders: quoted as a list's item, then as a setting's text.
fn quoted_folder(folder: &OsStr) -> Vec<u8> {
    let mut quoted = b"'\"".to_vec();
    for byte in folder.as_bytes() {
        if matches!(byte, b'\'' | b'"' | b'\\') {
            quoted.push(*byte);
        }
        quoted.push(*byte);
    }
    quoted.extend_from_slice(b"\"'");
    quoted
}

/// Keeps the unreserved characters of RFC 3986 and encodes all others.
fn percent_encode(bytes: &[u8]) -> String {
    let encode = |byte: &u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(*byte).to_string(),
        other => format!("%{other:02X}"),
    };
    bytes.iter().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_path_that_is_too_long_moves_to_tmp_and_stays_the_same() {
        assert_eq!(
            socket_dir(Path::new("/srv/comanda/postgres")),
            Path::new("/srv/comanda/postgres/run")
        );
        let long = PathBuf::from(format!("/{}", "x".repeat(200)));
        let short = socket_dir(&long);
        assert!(
            short.as_os_str().len() < 40 && short.starts_with("/tmp"),
            "{short:?}"
        );
        assert_eq!(short, socket_dir(&long));
        assert_ne!(short, socket_dir(&long.join("y")));
    }

    #[test]
    fn urls_carry_any_folder_and_name() {
        assert_eq!(
            url(Path::new("/da ta/ñ,1/run"), "a/b"),
            "postgres://postgres@%2Fda%20ta%2F%C3%B1%2C1%2Frun/a%2Fb"
        );
    }

    #[test]
    fn folders_are_quoted_for_the_settings_file() {
        assert_eq!(
            quoted_folder(OsStr::new(r#"/a b/it's "\"#)),
            br#"'"/a b/it''s ""\\"'"#
        );
    }
}
