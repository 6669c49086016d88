//! The dinner on a terminal, or as NDJSON.

use std::io;

use comanda_domain::money::Money;
use serde::Serialize;

use super::{DinnerOptions, Step, Summary, serve};
use crate::client::Client;
use crate::columns::{self, Side};
use crate::failure::Failure;
use crate::output::Output;

/// Steps appear one by one, so the widths stand before them.
const COLUMNS: [(Side, usize); 5] = [
    (Side::Right, 4),
    (Side::Left, 5),
    (Side::Left, 50),
    (Side::Right, 12),
    (Side::Left, 0),
];
const HEADS: [&str; 5] = ["STEP", "WHO", "WHAT", "AMOUNT", "STATUS"];

/// Serves the dinner and shows it.
///
/// # Errors
/// The step that failed, as the command's failure.
pub async fn show(client: &Client, options: &DinnerOptions, output: Output) -> Result<(), Failure> {
    if !output.json {
        let guests = if options.guests == 1 { "guest" } else { "guests" };
        output.talk(&format!(
            "Dinner for {} {guests} at {} of Buen Sabor Centro",
            options.guests, options.table
        ));
    }
    let mut last = 0;
    let mut audience = |step: &Step| -> io::Result<()> {
        if output.json {
            return output.document(step);
        }
        if last == 0 {
            output.text(&format!("{}\n", columns::line(&COLUMNS, &HEADS)))?;
        }
        let number = if step.step == last {
            String::new()
        } else {
            step.step.to_string()
        };
        last = step.step;
        output.text(&format!("{}\n", line(step, &number, output.is_coloured())))
    };
    let summary = serve(client, options, &mut audience).await?;
    if output.json {
        output.document(&Done { done: true, summary })?;
    } else {
        output.text(&text(&summary))?;
    }
    Ok(())
}

/// The last line of the NDJSON.
#[derive(Serialize)]
struct Done {
    done: bool,
    #[serde(flatten)]
    summary: Summary,
}

fn line(step: &Step, number: &str, coloured: bool) -> String {
    let amount = step.amount.map(Money::to_decimal).unwrap_or_default();
    let cells = [number, &step.who, &step.what, &amount, &step.status];
    let line = columns::line(&COLUMNS, &cells);
    if coloured && step.status.starts_with("refused") {
        // Yellow: a refusal that had to come.
        format!("\u{1b}[33m{line}\u{1b}[0m")
    } else {
        line
    }
}

fn text(summary: &Summary) -> String {
    let heads = [
        (Side::Left, "GUEST"),
        (Side::Right, "SHARE"),
        (Side::Right, "TIP"),
        (Side::Left, "PAID WITH"),
    ];
    let rows: Vec<Vec<String>> = summary
        .guests
        .iter()
        .map(|paid| {
            vec![
                paid.name.clone(),
                paid.share.to_decimal(),
                paid.tip.to_decimal(),
                paid.provider.to_owned(),
            ]
        })
        .collect();
    let currency = summary.total.currency;
    let mut text = format!(
        "\nCheck {} of table {}: {} {currency}, and {} {currency} for the staff.\n\n{}",
        summary.check_number,
        summary.table,
        summary.total.to_decimal(),
        summary.tips.to_decimal(),
        columns::table(&heads, &rows),
    );
    if let Some(url) = &summary.receipt_url {
        text.push_str("\nReceipt: ");
        text.push_str(url);
        text.push('\n');
    }
    text
}
