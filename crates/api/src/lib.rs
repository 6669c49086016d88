//! Comanda over HTTP.
//!
//! [`process::Process::start`] is what both the binary and the tests start.

pub mod app;
pub mod asyncapi;
pub mod documents;
pub mod http;
mod ops;
pub mod problem;
pub mod process;
mod readiness;
pub mod routes;
mod sockets;
pub mod state;
