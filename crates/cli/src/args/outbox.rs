//! Of `comanda outbox …`.

use clap::{Args, Subcommand};
use comanda_domain::ids::BranchId;
use comanda_infrastructure::events::verify::Part;

/// Longest reason, in characters.
const REASON_CHARS: usize = 200;

/// Commands on the event log.
#[derive(Debug, Subcommand)]
pub enum OutboxCommand {
    /// Show where every shard stands, and who leads it
    #[command(before_help = "Examples:\n  comanda outbox stats\n  comanda outbox stats --json")]
    Stats,
    /// Write the streams of Redis anew from the log
    Replay(ReplayArgs),
    /// Look for holes and repeats
    Verify(VerifyArgs),
    /// Begin a new life of the log, after the database was restored
    NewEpoch(NewEpochArgs),
}

/// Of `outbox replay`.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  comanda outbox replay --all --dry-run\n  comanda outbox replay --shard 3"
)]
#[group(id = "which", required = true, multiple = false, args = ["shard", "all"])]
pub struct ReplayArgs {
    /// Only this shard
    #[arg(long)]
    pub shard: Option<i32>,
    /// Every shard
    #[arg(long)]
    all: bool,
    /// Only show what would be written
    #[arg(long)]
    pub dry_run: bool,
}

/// Of `outbox verify`.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  comanda outbox verify\n  comanda outbox verify --shard 3 --json")]
pub struct VerifyArgs {
    /// Only this shard
    #[arg(long)]
    shard: Option<i32>,
    /// Only this branch: brn_…
    #[arg(long)]
    branch: Option<BranchId>,
}

impl VerifyArgs {
    /// Which part of the log.
    pub fn part(&self) -> Part {
        Part {
            shard: self.shard,
            branch: self.branch,
        }
    }
}

/// Of `outbox new-epoch`.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  comanda outbox new-epoch --reason \"restored from backup\"\n  \
                   comanda outbox new-epoch --reason test --dry-run"
)]
pub struct NewEpochArgs {
    /// Why: 1 to 200 characters, kept in the database
    #[arg(long, value_parser = reason, value_name = "TEXT")]
    pub reason: String,
    /// Only show the present epoch
    #[arg(long)]
    pub dry_run: bool,
}

fn reason(text: &str) -> Result<String, String> {
    match text.chars().count() {
        1..=REASON_CHARS => Ok(text.to_owned()),
        _ => Err(format!("1 to {REASON_CHARS} characters")),
    }
}
