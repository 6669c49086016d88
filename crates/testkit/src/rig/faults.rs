//! Doing what the plan says, and making sure that it happened.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::fleet::Fleet;
use super::place::is_stopped;
use super::plan::{Fault, Step};
use super::server::Slot;
use crate::redis::RedisServer;

/// How long a fault may wait for what it is to hit.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came of a plan.
#[derive(Debug, Default)]
pub struct Fired {
    /// How often each kind was seen to have happened.
    pub kinds: BTreeMap<&'static str, usize>,
    /// What was planned and did not happen, and why.
    pub missing: Vec<String>,
}

/// Carries out the plan; returns when all of it is over.
pub async fn storm(fleet: &Arc<Fleet>, steps: Vec<Step>) -> Fired {
    let mut fired = Fired::default();
    // What is paused stays so while other things go wrong.
    let mut pauses = JoinSet::new();
    for Step { wait, fault } in steps {
        sleep(wait).await;
        match fault {
            Fault::PauseLeader(_) | Fault::PauseWorker(..) => {
                let fleet = Arc::clone(fleet);
                pauses.spawn(async move { (fault, fire(&fleet, fault).await) });
            }
            _ => note(&mut fired, fault, fire(fleet, fault).await),
        }
    }
    while let Some(ended) = pauses.join_next().await {
        match ended {
            Ok((fault, outcome)) => note(&mut fired, fault, outcome),
            Err(error) => fired.missing.push(error.to_string()),
        }
    }
    fired
}

fn note(fired: &mut Fired, fault: Fault, outcome: Result<(), String>) {
    match outcome {
        Ok(()) => *fired.kinds.entry(fault.kind()).or_default() += 1,
        Err(why) => fired.missing.push(format!("{}: {why}", fault.kind())),
    }
}

async fn fire(fleet: &Arc<Fleet>, fault: Fault) -> Result<(), String> {
    match fault {
        Fault::KillApi(nth) => fleet.api[nth].kill().await,
        Fault::KillGateway(nth) => fleet.gateway[nth].kill().await,
        Fault::KillWorker(nth) => fleet.worker[nth].kill().await,
        Fault::KillLeader => leader(fleet).await?.kill().await,
        Fault::PauseLeader(length) => pause(leader(fleet).await?, length).await,
        Fault::PauseWorker(nth, length) => pause(&fleet.worker[nth], length).await,
        Fault::KillPostgres => seen(fleet.kill_postgres().await?, "PostgreSQL did not die of kill -9"),
        Fault::FlushRedis => {
            let flushed = fleet
                .with_redis(|redis| redis.command("FLUSHALL") == "+OK\r\n")
                .await?;
            seen(flushed, "Redis refused")
        }
        Fault::RollRedisBack => {
            fleet.with_redis(|redis| redis.command("SAVE")).await?;
            // What happens now will be forgotten.
            sleep(Duration::from_millis(700)).await;
            let replaced = fleet.with_redis(replace).await?;
            seen(replaced, "Redis did not die of kill -9")
        }
        Fault::EmptyRedis => {
            let emptied = fleet.with_redis(|redis| {
                let folder = folder_of(redis);
                let _ = fs::remove_file(Path::new(&folder).join("dump.rdb"));
                replace(redis)
            });
            seen(emptied.await?, "Redis did not die of kill -9")
        }
    }
}

fn seen(happened: bool, otherwise: &str) -> Result<(), String> {
    happened.then_some(()).ok_or_else(|| otherwise.to_owned())
}

/// Whoever leads, when somebody does again and PostgreSQL can tell.
async fn leader(fleet: &Fleet) -> Result<&Slot, String> {
    let began = Instant::now();
    loop {
        match fleet.leader().await {
            Err(why) if began.elapsed() > PATIENCE => return Err(why),
            Err(_) => sleep(Duration::from_millis(100)).await,
            found => return found,
        }
    }
}

async fn pause(slot: &Slot, length: Duration) -> Result<(), String> {
    let running = slot.up().await?;
    let pid = Pid::from_raw(running.pid);
    let sent = kill(pid, Signal::SIGSTOP);
    sent.map_err(|error| format!("{}: {error}", slot.name))?;
    let began = Instant::now();
    while !is_stopped(running.pid) {
        if began.elapsed() > Duration::from_secs(2) {
            let _ = kill(pid, Signal::SIGCONT);
            return Err(format!("{} did not stop", slot.name));
        }
        sleep(Duration::from_millis(5)).await;
    }
    sleep(length).await;
    // It may have been killed meanwhile; what was stopped was stopped.
    let _ = kill(pid, Signal::SIGCONT);
    Ok(())
}

/// `kill -9`, and another one on the same port. Says whether it is another one.
fn replace(redis: &mut RedisServer) -> bool {
    let before = run_id(redis);
    redis.kill();
    redis.run();
    before.is_some() && run_id(redis) != before
}

fn run_id(redis: &RedisServer) -> Option<String> {
    let info = redis.command("INFO server");
    let line = info.lines().find(|line| line.starts_with("run_id:"))?;
    Some(line.to_owned())
}

/// Its working folder, from `CONFIG GET dir`.
fn folder_of(redis: &RedisServer) -> String {
    let answer = redis.command("CONFIG GET dir");
    let last = answer.lines().rfind(|line| line.starts_with('/'));
    last.expect("Redis has a folder").to_owned()
}
