//! `comanda dlq …`: what workers gave up on.

mod hand;
mod letters;
mod process;
mod stats;

pub use hand::run as by_hand;
pub use letters::{list, show};
pub use process::run as process;
pub use stats::run as stats;

use comanda_infrastructure::config::Config;
use comanda_infrastructure::dead_letters::{Actor, DeadLetterProcessor};
use comanda_infrastructure::postgres::Database;

use crate::operator;

/// The processor, on behalf of whoever typed the command.
fn processor(database: &Database, config: &Config) -> DeadLetterProcessor {
    DeadLetterProcessor::assemble(
        &database.relay,
        database.db.bell(),
        config,
        Actor::Operator(operator::name()),
    )
}
