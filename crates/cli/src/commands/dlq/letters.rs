//! `comanda dlq list` and `comanda dlq show`.

use comanda_domain::Timestamp;
use comanda_domain::ids::DeadLetterId;
use comanda_infrastructure::dead_letters::{Filter, Letter};
use comanda_infrastructure::postgres::Database;
use serde::Serialize;
use serde_json::Value;

use super::processor;
use crate::columns::{self, Side};
use crate::commands::open::config;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

#[derive(Serialize)]
struct Page {
    data: Vec<Letter>,
}

/// Shows letters, oldest first.
///
/// # Errors
/// Settings or the database.
pub async fn list(filter: Filter, output: Output) -> Result<(), Failure> {
    let config = config()?;
    let database = Database::open_for_command(&config, false).await?;
    let found = processor(&database, &config).list(filter).await;
    let now = database.relay.sources().now();
    database.close().await?;
    let data = found?;
    if output.json {
        output.document(&Page { data })?;
    } else {
        output.text(&table(&data, now))?;
    }
    Ok(())
}

/// Shows one letter with its payload.
///
/// # Errors
/// Settings, the database, or [`Exit::NotFound`].
pub async fn show(id: DeadLetterId, output: Output) -> Result<(), Failure> {
    let config = config()?;
    let database = Database::open_for_command(&config, false).await?;
    let found = processor(&database, &config).find(id).await;
    database.close().await?;
    let Some(letter) = found? else {
        let message = format!("there is no letter {id}");
        return Err(Failure::new(
            Exit::NotFound,
            "letter_not_found",
            message,
            "see `comanda dlq list`",
        ));
    };
    if output.json {
        output.document(&letter)?;
    } else {
        output.text(&full(&letter)?)?;
    }
    Ok(())
}

/// A line for each member that has a value.
fn full(letter: &Letter) -> Result<String, Failure> {
    let value = serde_json::to_value(letter).map_err(std::io::Error::from)?;
    let members = value.as_object().into_iter().flatten();
    let lines = members
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| {
            let text = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            format!("{name:<16} {text}\n")
        });
    Ok(lines.collect())
}

fn table(letters: &[Letter], now: Timestamp) -> String {
    let heads = [
        (Side::Left, "ID"),
        (Side::Left, "SOURCE"),
        (Side::Left, "EVENT"),
        (Side::Left, "CLASS"),
        (Side::Right, "ATTEMPTS"),
        (Side::Right, "AGE"),
        (Side::Left, "STATE"),
    ];
    let row = |letter: &Letter| {
        vec![
            letter.id.to_string(),
            letter.source.to_string(),
            letter.event_type.clone().unwrap_or_default(),
            letter.error_class.to_string(),
            letter.attempts.to_string(),
            age((now - letter.first_failed_at).num_seconds()),
            letter.state.to_string(),
        ]
    };
    columns::table(&heads, &letters.iter().map(row).collect::<Vec<_>>())
}

/// In the largest unit that it fills.
fn age(seconds: i64) -> String {
    let units = [(86_400, 'd'), (3_600, 'h'), (60, 'm')];
    units.iter().find(|(size, _)| seconds >= *size).map_or_else(
        || format!("{}s", seconds.max(0)),
        |(size, unit)| format!("{}{unit}", seconds / size),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        let ages = [-5, 0, 59, 60, 3_599, 3_600, 86_399, 86_400, 900_000].map(age);
        assert_eq!(ages, ["0s", "0s", "59s", "1m", "59m", "1h", "23h", "1d", "10d"]);
    }
}
