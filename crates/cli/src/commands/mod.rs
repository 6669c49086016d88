//! One module per command.

pub mod api_key;
pub mod db_migrate;
pub mod db_seed;
pub mod dinner;
pub mod dlq;
pub mod events;
pub mod load;
mod open;
pub mod outbox;
pub mod version;
pub mod ws_test;
