//! Of `comanda dlq …`.

use clap::{Args, Subcommand};
use comanda_domain::dead_letter::{LetterState, Source};
use comanda_domain::ids::DeadLetterId;
use comanda_infrastructure::dead_letters::{Filter, Hand, Move, Run, Target};

/// Longest note, in characters.
const NOTE_CHARS: usize = 500;

/// Commands on dead letters.
#[derive(Debug, Subcommand)]
pub enum DlqCommand {
    /// Count what workers gave up on, and whether nothing is lost
    #[command(before_help = "Examples:\n  comanda dlq-stats\n  comanda dlq stats --json")]
    Stats,
    /// Retry, archive or keep what is due, oldest first
    Process(ProcessArgs),
    /// Show letters, oldest first
    List(ListArgs),
    /// Show one letter with its payload
    Show(ShowArgs),
    /// Do the work of pending letters again, now
    Retry(HandArgs),
    /// Put pending letters away
    Archive(HandArgs),
    /// Give pending letters up for good
    Discard(HandArgs),
    /// Take letters out of the archive; they wait for `dlq retry`
    Reopen(HandArgs),
}

/// Of `dlq process`.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  comanda dlq-process --dry-run\n  comanda dlq process --source webhook --max-messages 20"
)]
pub struct ProcessArgs {
    /// How many letters are looked at: 1 to 10000
    #[arg(long, visible_alias = "max", default_value = "100", value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    max_messages: u32,
    /// Only show what would be done
    #[arg(long)]
    dry_run: bool,
    /// Only letters of this source
    #[arg(long, value_parser = source)]
    source: Option<Source>,
}

impl ProcessArgs {
    /// Which run.
    pub fn run(&self) -> Run {
        Run {
            max_messages: self.max_messages,
            dry_run: self.dry_run,
            source: self.source,
        }
    }
}

/// Of `dlq list`.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  comanda dlq list\n  comanda dlq list --source webhook --state pending")]
pub struct ListArgs {
    /// Only letters of this source: webhook, `provider_notification`, event, audit
    #[arg(long, value_parser = source)]
    source: Option<Source>,
    /// Only letters in this state: pending, retrying, resolved, archived, discarded
    #[arg(long, value_parser = state)]
    state: Option<LetterState>,
    /// How many: 1 to 10000
    #[arg(long, default_value = "100", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

impl ListArgs {
    /// Which letters.
    pub fn filter(&self) -> Filter {
        Filter {
            source: self.source,
            state: self.state,
            limit: self.limit,
        }
    }
}

/// Of `dlq show`.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  comanda dlq show dlt_01m87xbcs8e17r0avdqztd2p3x\n  \
                   comanda dlq show dlt_01m87xbcs8e17r0avdqztd2p3x --json"
)]
pub struct ShowArgs {
    /// Which letter
    pub id: DeadLetterId,
}

/// Of what people do with letters.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  comanda dlq retry dlt_01m87xbcs8e17r0avdqztd2p3x\n  \
                   comanda dlq archive --all --source webhook --note \"the receiver is gone\""
)]
pub struct HandArgs {
    /// Which letters
    #[arg(required_unless_present = "all", value_name = "ID")]
    ids: Vec<DeadLetterId>,
    /// All letters of the source
    #[arg(long, requires = "source", conflicts_with = "ids")]
    all: bool,
    /// With --all: webhook, `provider_notification`, event, audit
    #[arg(long, requires = "all", value_parser = source)]
    source: Option<Source>,
    /// Why, for the log: 500 characters at most
    #[arg(long, value_parser = note, value_name = "TEXT")]
    note: Option<String>,
    /// Only show what would be done
    #[arg(long)]
    dry_run: bool,
}

impl HandArgs {
    /// What is done with which letters.
    pub fn hand(&self, what: Move) -> Hand {
        let target = match self.source {
            Some(source) => Target::All(source),
            None => Target::Ids(self.ids.clone()),
        };
        Hand {
            what,
            target,
            note: self.note.clone(),
            dry_run: self.dry_run,
        }
    }
}

fn source(text: &str) -> Result<Source, String> {
    Source::parse(text).ok_or_else(|| format!("one of {}", Source::NAMES.join(", ")))
}

fn state(text: &str) -> Result<LetterState, String> {
    LetterState::parse(text).ok_or_else(|| format!("one of {}", LetterState::NAMES.join(", ")))
}

fn note(text: &str) -> Result<String, String> {
    match text.chars().count() {
        1..=NOTE_CHARS => Ok(text.to_owned()),
        _ => Err(format!("1 to {NOTE_CHARS} characters")),
    }
}
