//! What tests stand on: a PostgreSQL that nobody started by hand, applications on it, and people who use them.
//!
//! - [`cluster`]: one throw-away cluster for all test processes, and a database per test, copied from a template
//!   that holds the migrated schema and the demo restaurants.
//! - [`TestApp`]: a whole server on a free port.
//! - [`process::Process`]: the real binary, to be killed.
//! - [`redis`]: throw-away Redis, as one server, as a Cluster and behind a Sentinel.
//! - [`Client`]: anybody who talks to it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a test that cannot go on panics and says where"
)]

pub mod app;
pub mod client;
pub mod cluster;
pub mod dinner;
pub mod process;
pub mod proxy;
pub mod receiver;
pub mod redis;
pub mod rig;
pub mod screen;
pub mod stream;

pub use app::TestApp;
pub use client::{Answer, Client};
