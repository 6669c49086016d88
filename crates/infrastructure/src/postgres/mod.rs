//! PostgreSQL, the one store: where it runs, its schema, and opening it.

mod claim;
mod database;
pub mod embedded;
mod error;
mod migrations;

pub use claim::{Claim, ClaimError, Company};
pub use database::Database;
pub use error::OpenError;
pub use migrations::{Schema, known_migrations, migrate_up, pending, revert_all};
