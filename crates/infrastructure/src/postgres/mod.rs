//! PostgreSQL, the one store.

pub mod embedded;
