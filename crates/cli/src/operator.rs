//! Who types: the name that the operating system knows, for the audit log.

use std::fs;
use std::os::unix::fs::MetadataExt;

/// The account of this process; its number where the account has no name in `/etc/passwd`.
pub fn name() -> String {
    let Ok(process) = fs::metadata("/proc/self") else {
        return "unknown".to_owned();
    };
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    lookup(&passwd, process.uid())
}

fn lookup(passwd: &str, uid: u32) -> String {
    let named = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid.to_string()).then(|| name.to_owned())
    });
    named.unwrap_or_else(|| format!("uid {uid}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_found_by_their_number() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nolga:x:1000:1000::/home/olga:/bin/sh\n";
        assert_eq!(lookup(passwd, 0), "root");
        assert_eq!(lookup(passwd, 1000), "olga");
        assert_eq!(lookup(passwd, 7), "uid 7");
    }
}
