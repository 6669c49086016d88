//! How much memory a process of this machine takes.

use std::fs;

use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;

/// What the sockets took of it.
#[derive(Debug, Serialize)]
pub(super) struct Memory {
    before_kib: u64,
    open_kib: u64,
    bytes_per_socket: u64,
}

impl Memory {
    /// Of a process that took so much before the sockets were open; none if nobody asks.
    pub(super) fn of(pid: Option<u32>, before: Option<u64>, sockets: usize) -> Result<Option<Self>, Failure> {
        let Some((pid, before_kib)) = pid.zip(before) else {
            return Ok(None);
        };
        let open_kib = resident(pid)?;
        let sockets = u64::try_from(sockets).unwrap_or(u64::MAX).max(1);
        Ok(Some(Self {
            before_kib,
            open_kib,
            bytes_per_socket: open_kib.saturating_sub(before_kib) * 1024 / sockets,
        }))
    }

    /// A line.
    pub(super) fn text(&self) -> String {
        let Self {
            before_kib,
            open_kib,
            bytes_per_socket,
        } = self;
        format!(
            "memory {before_kib} KiB before, {open_kib} KiB with idle sockets: {bytes_per_socket} bytes each\n"
        )
    }
}

/// Resident memory of a process, in KiB.
pub(super) fn resident(pid: u32) -> Result<u64, Failure> {
    let path = format!("/proc/{pid}/status");
    let unknown = |why: String| {
        let message = format!("the memory of process {pid} cannot be read: {why}");
        Failure::new(
            Exit::NotFound,
            "process_not_found",
            message,
            "give the server's process id with --pid",
        )
    };
    let status = fs::read_to_string(path).map_err(|error| unknown(error.to_string()))?;
    parse(&status).ok_or_else(|| unknown("it has none".to_owned()))
}

fn parse(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_tells() {
        assert_eq!(parse("Name:\tapi\nVmRSS:\t   61234 kB\n"), Some(61_234));
        assert_eq!(parse("Name:\tkthreadd\n"), None);
        assert!(resident(std::process::id()).unwrap() > 0);
        assert_eq!(resident(u32::MAX).unwrap_err().exit, Exit::NotFound);
    }
}
