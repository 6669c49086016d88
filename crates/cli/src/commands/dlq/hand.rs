//! `comanda dlq retry`, `archive`, `discard` and `reopen`.

use comanda_domain::dead_letter::LetterState;
use comanda_infrastructure::dead_letters::{Hand, Move, Moved, Outcome};
use comanda_infrastructure::postgres::Database;
use serde::Serialize;

use super::processor;
use crate::columns::{self, Side};
use crate::commands::open::config;
use crate::confirm::confirm;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

#[derive(Serialize)]
struct Items<'a> {
    items: &'a [Moved],
    dry_run: bool,
}

/// Changes letters and shows what became of each.
///
/// # Errors
/// Settings, the database, or the worst of what became of the letters.
pub async fn run(hand: &Hand, yes: bool, output: Output) -> Result<(), Failure> {
    let config = config()?;
    if hand.what == Move::Discard && !hand.dry_run {
        confirm("Give these letters up for good?", yes)?;
    }
    let database = Database::open_for_command(&config, false).await?;
    let moved = processor(&database, &config).by_hand(hand).await;
    database.close().await?;
    let moved = moved?;
    if output.json {
        let items = Items {
            items: &moved,
            dry_run: hand.dry_run,
        };
        output.document(&items)?;
    } else if moved.is_empty() {
        output.talk("There is no such letter; nothing was changed");
    } else {
        output.text(&table(&moved))?;
    }
    worst(&moved)
}

fn worst(moved: &[Moved]) -> Result<(), Failure> {
    let count = |outcomes: &[Outcome]| {
        moved
            .iter()
            .filter(|moved| outcomes.contains(&moved.result))
            .count()
    };
    let failures = [
        (
            count(&[Outcome::NotFound]),
            Exit::NotFound,
            "letter_not_found",
            "letters are not there",
            "see `comanda dlq list`",
        ),
        (
            count(&[Outcome::Refused]),
            Exit::Conflict,
            "letter_wrong_state",
            "letters are in a state that does not allow it",
            "pending letters are retried, archived and discarded; archived ones reopened",
        ),
        (
            count(&[Outcome::Failed, Outcome::NoHandler, Outcome::Lost]),
            Exit::Failed,
            "letters_kept",
            "letters stay as they were",
            "see RESULT and CODE",
        ),
    ];
    match failures.iter().find(|(count, ..)| *count > 0) {
        None => Ok(()),
        Some((count, exit, code, what, hint)) => {
            let message = format!("{count} of {} {what}", moved.len());
            Err(Failure::new(*exit, code, message, *hint))
        }
    }
}

fn table(moved: &[Moved]) -> String {
    let heads = ["ID", "FROM", "TO", "RESULT", "CODE"].map(|head| (Side::Left, head));
    let named = |state: Option<LetterState>| state.map(|state| state.to_string()).unwrap_or_default();
    let row = |moved: &Moved| {
        vec![
            moved.id.to_string(),
            named(moved.from),
            named(moved.to),
            moved.result.as_str().to_owned(),
            moved.code.clone().unwrap_or_default(),
        ]
    };
    columns::table(&heads, &moved.iter().map(row).collect::<Vec<_>>())
}
