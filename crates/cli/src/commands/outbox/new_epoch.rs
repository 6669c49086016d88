//! `comanda outbox new-epoch`: tells everyone that the log is not the one it was.

use comanda_infrastructure::events::{EpochError, log, new_epoch};
use comanda_infrastructure::postgres::Database;
use serde::Serialize;

use crate::args::NewEpochArgs;
use crate::commands::open::config;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::operator;
use crate::output::Output;

#[derive(Serialize)]
struct Begun {
    from: String,
    /// Nothing in a dry run: the name is drawn when the epoch begins.
    to: Option<String>,
    dry_run: bool,
}

/// Begins it.
///
/// # Errors
/// Settings or the database.
pub async fn run(args: &NewEpochArgs, output: Output) -> Result<(), Failure> {
    let config = config()?;
    let database = Database::open_for_command(&config, false).await?;
    let begun = begin(&database, args).await;
    database.close().await?;
    let begun = begun?;
    if output.json {
        output.document(&begun)?;
    } else {
        let to = begun.to.as_deref().unwrap_or("a new one");
        output.text(&format!("from  {}\nto    {to}\n", begun.from))?;
    }
    if begun.to.is_some() {
        output.talk(&format!(
            "New epoch, by {}: {}. Every client will read its state again",
            operator::name(),
            args.reason
        ));
    }
    Ok(())
}

async fn begin(database: &Database, args: &NewEpochArgs) -> Result<Begun, Failure> {
    if args.dry_run {
        let (from, _) = log::positions(&database.relay).await?;
        return Ok(Begun {
            from,
            to: None,
            dry_run: true,
        });
    }
    let begun = new_epoch(&database.relay, &args.reason).await?;
    Ok(Begun {
        from: begun.from,
        to: Some(begun.to),
        dry_run: false,
    })
}

impl From<EpochError> for Failure {
    fn from(error: EpochError) -> Self {
        match error {
            EpochError::Database(error) => error.into(),
            EpochError::Entropy(error) => {
                Self::new(Exit::Failed, "no_randomness", error.to_string(), "try again")
            }
        }
    }
}
