//! One module per command.

pub mod db_migrate;
pub mod db_seed;
pub mod dinner;
mod open;
pub mod version;
