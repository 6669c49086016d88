//! The one door to PostgreSQL.
//!
//! Every access names a tenant: a transaction begins by setting `comanda.tenant_id`, and row level security shows
//! and accepts nothing else. A write is *load → decide → record*, in at most three round trips:
//!
//! 1. `BEGIN`, the tenant, the claim on the idempotency key and the row locks travel as one message; the queries
//!    that load the facts follow behind it without waiting (pipelined).
//! 2. The decision is made in memory. All rows it changes go out as **one** statement, and `COMMIT` behind it.
//!
//! Why the order is safe: PostgreSQL executes a connection's messages in the order of their arrival; the opening
//! message is sent when its future is first polled, before any other; and diesel-async hands prepared statements
//! out under a fair mutex, so a `COMMIT` (prepared, too) cannot overtake the statement before it. Should that ever
//! change, a misplaced statement runs without a tenant and row level security refuses it.

mod act;
mod error;
mod frame;
mod locks;
mod open;
mod pool;
mod record;
mod relay;
mod row;
mod seen;

pub use act::{Act, Ask, Origin};
pub use error::DbError;
pub use frame::{Conn, Tenant, request_id};
pub use locks::Locks;
pub use pool::{Db, DbOptions};
pub use record::Recorder;
pub use relay::Relay;
pub use row::Row;
pub(crate) use row::{bytes_as_hex, column, optional_bytes_as_hex, row};
pub use seen::Seen;
pub(crate) use seen::{EVENT_SEQ, cursor, head};
