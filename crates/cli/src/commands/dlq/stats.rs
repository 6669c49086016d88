//! `comanda dlq stats`: how many letters there are, and whether nothing is lost.

use comanda_infrastructure::dead_letters::{Stats, stats};
use comanda_infrastructure::postgres::Database;

use crate::columns::{self, Side};
use crate::commands::open::config;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Counts, and shows it.
///
/// # Errors
/// Settings, the database, or [`Exit::ProblemsFound`] when a queue is not conserved.
pub async fn run(output: Output) -> Result<(), Failure> {
    let config = config()?;
    let database = Database::open_for_command(&config, false).await?;
    let stats = stats(&database.relay).await;
    database.close().await?;
    let stats = stats?;
    if output.json {
        output.document(&stats)?;
    } else {
        output.text(&page(&stats))?;
    }
    if stats.is_conserved() {
        return Ok(());
    }
    let broken = stats.conservation.iter().filter(|line| !line.holds());
    let names: Vec<&str> = broken.map(|line| line.queue.as_str()).collect();
    Err(Failure::new(
        Exit::ProblemsFound,
        "not_conserved",
        format!("accepted is not settled + pending + dead: {}", names.join(", ")),
        "keep the database as it is and report it: something was lost or counted twice",
    ))
}

fn page(stats: &Stats) -> String {
    let left = |head| (Side::Left, head);
    let right = |head| (Side::Right, head);
    let groups = stats.groups.iter().map(|group| {
        vec![
            group.source.to_string(),
            group.state.to_string(),
            group.count.to_string(),
            group.oldest.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        ]
    });
    let classes = stats.classes.iter().map(|class| {
        vec![
            class.source.to_string(),
            class.error_class.to_string(),
            class.error_code.clone(),
            class.count.to_string(),
            class.open.to_string(),
        ]
    });
    let queues = stats.conservation.iter().map(|line| {
        let mut row = vec![line.queue.clone()];
        row.extend([line.accepted, line.settled, line.pending, line.dead].map(|count| count.to_string()));
        row.push(if line.holds() { "yes" } else { "NO" }.to_owned());
        row
    });
    let tables = [
        columns::table(
            &[left("SOURCE"), left("STATE"), right("COUNT"), left("OLDEST")],
            &groups.collect::<Vec<_>>(),
        ),
        columns::table(
            &[
                left("SOURCE"),
                left("CLASS"),
                left("CODE"),
                right("COUNT"),
                right("OPEN"),
            ],
            &classes.collect::<Vec<_>>(),
        ),
        columns::table(
            &[
                left("QUEUE"),
                right("ACCEPTED"),
                right("SETTLED"),
                right("PENDING"),
                right("DEAD"),
                left("CONSERVED"),
            ],
            &queues.collect::<Vec<_>>(),
        ),
    ];
    tables.join("\n")
}
