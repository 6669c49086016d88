//! `comanda dlq process`: one run over what is due.

use comanda_infrastructure::dead_letters::{Outcome, Report, Run};
use comanda_infrastructure::postgres::Database;

use super::processor;
use crate::columns::{self, Side};
use crate::commands::open::config;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Runs it, and shows what became of every letter.
///
/// # Errors
/// Settings, the database, or letters that nothing could be done with.
pub async fn run(run: &Run, output: Output) -> Result<(), Failure> {
    let config = config()?;
    let database = Database::open_for_command(&config, false).await?;
    let report = processor(&database, &config).process(run).await;
    database.close().await?;
    let report = report?;
    if output.json {
        output.document(&report)?;
    } else {
        output.text(&page(&report))?;
    }
    // A handler that fails has done its work, and the letter is due again.
    let helpless = report.items.iter().filter(|item| {
        item.result == Outcome::NoHandler || item.decision == "archive" && item.result == Outcome::Failed
    });
    match helpless.count() {
        0 => Ok(()),
        count => Err(Failure::new(
            Exit::Failed,
            "letters_kept",
            format!("{count} letters stay: nothing here can do their work, or the archive cannot be written"),
            "see RESULT and CODE, and COMANDA_DEAD_LETTER_EXPORT_DIR",
        )),
    }
}

fn page(report: &Report) -> String {
    let heads = ["ID", "SOURCE", "CLASS", "DECISION", "RESULT", "CODE"].map(|head| (Side::Left, head));
    let rows: Vec<Vec<String>> = report
        .items
        .iter()
        .map(|item| {
            vec![
                item.id.to_string(),
                item.source.to_string(),
                item.class.to_string(),
                item.decision.to_owned(),
                item.result.as_str().to_owned(),
                item.code.clone().unwrap_or_default(),
            ]
        })
        .collect();
    let Report {
        examined,
        retried,
        resolved,
        archived,
        kept,
        failed,
        remaining,
        ..
    } = report;
    let counts = format!(
        "examined {examined}, retried {retried}, resolved {resolved}, archived {archived}, kept {kept}, \
         failed {failed}, remaining {remaining}\n"
    );
    if rows.is_empty() {
        return counts;
    }
    format!("{}\n{counts}", columns::table(&heads, &rows))
}
