//! Comanda over HTTP.
//!
//! [`app::Application::build`] is what both the binary and the tests start.

pub mod app;
pub mod documents;
pub mod http;
pub mod problem;
pub mod routes;
pub mod state;
