//! One server process that is started again whenever it ends.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::history::Notes;

/// How long a process may take to start, and to die.
const PATIENCE: Duration = Duration::from_secs(30);

/// What runs it.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// Its name, such as `worker-1`.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its settings.
    pub vars: BTreeMap<String, String>,
    /// Where its logs go.
    pub folder: PathBuf,
}

/// A running process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// The how-manieth it is, from 1.
    pub life: usize,
    /// Its process id.
    pub pid: i32,
    /// `http://127.0.0.1:port`
    pub url: String,
}

/// Where one process after the other runs.
#[derive(Debug)]
pub struct Slot {
    /// Its name.
    pub name: String,
    running: watch::Receiver<Option<Running>>,
    /// Which lives ended, and whether by `kill -9`.
    ended: watch::Receiver<BTreeMap<usize, bool>>,
    doomed: Arc<Mutex<BTreeSet<usize>>>,
}

impl Slot {
    /// Runs the recipe again and again, until the runtime ends. A process that was listening and ends without having
    /// been killed is an accident.
    pub fn run(recipe: Recipe, accidents: Arc<Notes<String>>) -> Self {
        let (tell_running, running) = watch::channel(None);
        let (tell_ended, ended) = watch::channel(BTreeMap::new());
        let doomed = Arc::default();
        let slot = Self {
            name: recipe.name.clone(),
            running,
            ended,
            doomed: Arc::clone(&doomed),
        };
        tokio::spawn(async move {
            for life in 1.. {
                let (mut child, log) = spawn(&recipe, life);
                let started = tokio::select! {
                    url = listening(&log) => Some(url),
                    _ = child.wait() => None,
                    () = sleep(PATIENCE) => None,
                };
                if let (Some(url), Some(pid)) = (&started, child.id()) {
                    let pid = i32::try_from(pid).expect("a process id");
                    let url = url.clone();
                    tell_running.send_replace(Some(Running { life, pid, url }));
                } else {
                    // Nothing is lost by a process that never worked; it may have found no database.
                    let _ = child.start_kill();
                    sleep(Duration::from_millis(100)).await;
                }
                let status = child.wait().await.expect("our own child");
                tell_running.send_replace(None);
                let killed = status.signal() == Some(9);
                let planned = killed && lock(&doomed).contains(&life);
                if started.is_some() && !planned {
                    let log = log.display();
                    accidents.add(format!("{} ended by itself: {status}, see {log}", recipe.name));
                }
                tell_ended.send_modify(|ended| {
                    ended.insert(life, killed);
                });
            }
        });
        slot
    }

    /// Where it listens now, if it does.
    pub fn url(&self) -> Option<String> {
        self.running.borrow().as_ref().map(|running| running.url.clone())
    }

    /// Waits until it runs.
    pub async fn up(&self) -> Result<Running, String> {
        let mut running = self.running.clone();
        let waiting = running.wait_for(Option::is_some);
        match timeout(PATIENCE, waiting).await {
            Ok(Ok(found)) => found.clone().ok_or_else(|| format!("{} is gone", self.name)),
            _ => Err(format!("{} did not come up within {PATIENCE:?}", self.name)),
        }
    }

    /// `kill -9`; returns when it is dead.
    pub async fn kill(&self) -> Result<(), String> {
        let Running { life, pid, .. } = self.up().await?;
        lock(&self.doomed).insert(life);
        kill(Pid::from_raw(pid), Signal::SIGKILL).map_err(|error| format!("{}: {error}", self.name))?;
        let mut ended = self.ended.clone();
        let waiting = ended.wait_for(|ended| ended.contains_key(&life));
        match timeout(PATIENCE, waiting).await {
            Ok(Ok(ended)) if ended.get(&life) == Some(&true) => Ok(()),
            _ => Err(format!("{} did not die of kill -9", self.name)),
        }
    }
}

fn lock(doomed: &Mutex<BTreeSet<usize>>) -> std::sync::MutexGuard<'_, BTreeSet<usize>> {
    doomed.lock().unwrap_or_else(PoisonError::into_inner)
}

fn spawn(recipe: &Recipe, life: usize) -> (Child, PathBuf) {
    let log = recipe.folder.join(format!("{}-{life}.log", recipe.name));
    let file = File::create(&log).expect("our own folder");
    let child = Command::new(&recipe.program)
        .env_clear()
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        .envs(&recipe.vars)
        .current_dir(&recipe.folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(file)
        .kill_on_drop(true)
        .spawn()
        .expect("the program is there");
    (child, log)
}

/// Waits until the log says where it listens.
async fn listening(log: &Path) -> String {
    loop {
        let text = std::fs::read_to_string(log).unwrap_or_default();
        let lines = text.lines();
        let said = lines
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find(|entry| entry["message"] == "listening");
        if let Some(address) = said.as_ref().and_then(|entry| entry["address"].as_str()) {
            return format!("http://{address}");
        }
        sleep(Duration::from_millis(20)).await;
    }
}
