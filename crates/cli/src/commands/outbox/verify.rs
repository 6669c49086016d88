//! `comanda outbox verify`: is the event log without holes?

use comanda_domain::ids::BranchId;
use comanda_infrastructure::db::Relay;
use comanda_infrastructure::events::verify::{LogProblem, Part, verify};
use comanda_infrastructure::postgres::Database;
use serde::Serialize;

use crate::columns::{self, Side};
use crate::commands::open::config;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// What was found.
#[derive(Debug, Serialize)]
pub struct Verified {
    /// Nothing is missing and nothing is there twice.
    pub ok: bool,
    /// Otherwise, where.
    pub problems: Vec<Problem>,
}

/// A place where the log is not gapless.
#[derive(Debug, Serialize)]
pub struct Problem {
    kind: String,
    of: String,
    shard: i32,
    branch_id: Option<BranchId>,
    from: i64,
    to: i64,
}

/// Looks, and shows what is wrong.
///
/// # Errors
/// Settings, the database, or [`Exit::ProblemsFound`].
pub async fn run(part: Part, output: Output) -> Result<(), Failure> {
    let config = config()?;
    let database = Database::open_for_command(&config, false).await?;
    let verified = look(&database.relay, part).await;
    database.close().await?;
    show(&verified?, output)
}

/// Looks.
///
/// # Errors
/// The database.
pub async fn look(relay: &Relay, part: Part) -> Result<Verified, Failure> {
    let found = verify(relay, part).await?;
    Ok(Verified {
        ok: found.is_empty(),
        problems: found.into_iter().map(Problem::from).collect(),
    })
}

/// Shows it; problems are a failure.
///
/// # Errors
/// [`Exit::ProblemsFound`], or a closed stdout.
pub fn show(verified: &Verified, output: Output) -> Result<(), Failure> {
    if output.json {
        output.document(verified)?;
    } else if verified.ok {
        output.talk("The log has no holes and no repeats");
    } else {
        output.text(&table(&verified.problems))?;
    }
    if verified.ok {
        return Ok(());
    }
    Err(Failure::new(
        Exit::ProblemsFound,
        "log_not_gapless",
        format!("{} problems in the event log", verified.problems.len()),
        "was the database restored? Then begin a new epoch; else report it",
    ))
}

impl From<LogProblem> for Problem {
    fn from(problem: LogProblem) -> Self {
        Self {
            kind: problem.kind,
            of: problem.of,
            shard: problem.shard,
            branch_id: problem.branch_id.map(BranchId::from),
            from: problem.from,
            to: problem.to,
        }
    }
}

fn table(problems: &[Problem]) -> String {
    let heads = [
        (Side::Left, "KIND"),
        (Side::Left, "OF"),
        (Side::Right, "SHARD"),
        (Side::Left, "BRANCH"),
        (Side::Right, "FROM"),
        (Side::Right, "TO"),
    ];
    let row = |problem: &Problem| {
        vec![
            problem.kind.clone(),
            problem.of.clone(),
            problem.shard.to_string(),
            problem.branch_id.map(|id| id.to_string()).unwrap_or_default(),
            problem.from.to_string(),
            problem.to.to_string(),
        ]
    };
    columns::table(&heads, &problems.iter().map(row).collect::<Vec<_>>())
}
