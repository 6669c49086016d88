//! The operator command of Comanda, as a library so that tests can run its commands.

pub mod client;
mod columns;
pub mod commands;
pub mod exit;
pub mod failure;
pub mod output;
