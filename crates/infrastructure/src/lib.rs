//! What Comanda performs: configuration, PostgreSQL and the use cases.

pub mod postgres;
