//! The folder of a run. Whatever works in it belongs to the run, and nothing of it outlives the run.
//!
//! The rig adopts what its children leave behind (PostgreSQL detaches itself), so that it sees everything end. Should
//! the rig itself be killed with `kill -9`, a shell notices that its pipe closed and ends what is left.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// Waits for the end of its input, then ends all whose working folder is in `$1`.
const GUARD: &str = r#"read -r _
for process in /proc/[0-9]*; do
    case "$(readlink "$process/cwd")" in "$1" | "$1"/*) kill -9 "${process#/proc/}" ;; esac
done 2>/dev/null
rm -rf "$1/data""#;

/// How long what was killed may take to be gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// The folder of a run.
#[derive(Debug)]
pub struct Place {
    /// Where.
    pub folder: PathBuf,
    guard: Option<Child>,
}

impl Place {
    /// A folder of our own, and the guard before it.
    pub fn open() -> Self {
        #[cfg(target_os = "linux")]
        nix::sys::prctl::set_child_subreaper(true).expect("the system lets us adopt orphans");
        // PostgreSQL's account must pass when we are root, so it lies in /tmp.
        let folder = PathBuf::from(format!("/tmp/comanda-rig-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).expect("a folder of our own");
        fs::set_permissions(&folder, PermissionsExt::from_mode(0o755)).expect("our own folder");
        let guard = Command::new("sh")
            .args(["-c", GUARD, "sh"])
            .arg(&folder)
            .current_dir("/")
            // What is sent to all of the rig's group is not for the guard.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh is there");
        Self {
            folder,
            guard: Some(guard),
        }
    }

    /// The part of it that servers write to.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Ends what still works in the folder; says what that was.
    pub fn sweep(&self) -> Vec<String> {
        let left = working_in(&self.folder);
        let names = left
            .iter()
            .map(|pid| format!("{pid} {}", name_of(*pid)))
            .collect();
        for pid in left {
            end(pid);
        }
        names
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.sweep();
        let _ = fs::remove_dir_all(self.data());
        if let Some(mut guard) = self.guard.take() {
            drop(guard.stdin.take());
            let _ = guard.wait();
        }
    }
}

/// `kill -9`, until it is gone. Says whether it died of that.
pub fn end(pid: i32) -> bool {
    let pid = Pid::from_raw(pid);
    let _ = kill(pid, Signal::SIGKILL);
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        match waitpid(pid, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Signaled(_, signal, _)) => return signal == Signal::SIGKILL,
            Ok(WaitStatus::Exited(..)) => return false,
            // Not, or not yet, our child: gone is gone.
            Err(_) if kill(pid, None::<Signal>).is_err() => return true,
            _ => std::thread::sleep(Duration::from_millis(2)),
        }
    }
    false
}

/// The processes whose parent this is.
pub fn children_of(parent: i32) -> Vec<i32> {
    let is_child = |pid: &i32| {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name in brackets may hold anything.
        let after = text.rsplit_once(") ").map(|(_, after)| after.to_owned());
        after.and_then(|after| after.split(' ').nth(1)?.parse().ok()) == Some(parent)
    };
    all().filter(is_child).collect()
}

/// Whether the process is stopped, where the system tells.
pub fn is_stopped(pid: i32) -> bool {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    text.rsplit_once(") ")
        .is_some_and(|(_, after)| after.starts_with('T'))
}

fn working_in(folder: &Path) -> Vec<i32> {
    let works =
        |pid: &i32| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|place| place.starts_with(folder));
    all().filter(works).collect()
}

fn all() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn name_of(pid: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm"))
        .unwrap_or_default()
        .trim()
        .to_owned()
}
