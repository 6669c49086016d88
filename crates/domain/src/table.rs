//! Physical tables and their status, which is derived and never stored.

use crate::enums::text_enum;
use crate::ids::{BranchId, SectorId, TableId};
use crate::session::SessionStatus;

/// A table on the floor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    /// The table.
    pub id: TableId,
    /// Its branch.
    pub branch_id: BranchId,
    /// Its sector.
    pub sector_id: SectorId,
    /// What is printed on it, such as `SAL-01`.
    pub code: String,
    /// Seats.
    pub capacity: i32,
    /// Not to be used.
    pub out_of_service: bool,
    /// Why not.
    pub out_of_service_reason: Option<String>,
    /// Version of the printed code.
    pub qr_version: i32,
    /// Rises with each change of the table, and of its derived status.
    pub version: i64,
}

impl Table {
    /// The table once its derived status is another one. The status is no column, but whoever holds the table by its
    /// version has to learn that it looks different.
    #[must_use]
    pub fn with_other_status(&self) -> Self {
        Self {
            version: self.version.saturating_add(1),
            ..self.clone()
        }
    }
}

text_enum! {
    /// How a table looks on the floor plan.
    TableStatus {
        /// Nobody sits there.
        Free = "free",
        /// A party orders.
        Open = "open",
        /// A party pays.
        Paying = "paying",
        /// Not to be used.
        OutOfService = "out_of_service",
    }
}

/// The status of a table, from its flag and its live session.
pub fn table_status(out_of_service: bool, session: Option<SessionStatus>) -> TableStatus {
    match (out_of_service, session) {
        (true, _) => TableStatus::OutOfService,
        (false, Some(SessionStatus::Open)) => TableStatus::Open,
        (false, Some(SessionStatus::Paying)) => TableStatus::Paying,
        (false, Some(SessionStatus::Closed) | None) => TableStatus::Free,
    }
}
