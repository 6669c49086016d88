//! A table, its session and its guests for the tests of this crate.

use uuid::Uuid;

use crate::actor::{Actor, Role, Roles};
use crate::diner::{Diner, Preferences};
use crate::ids::{IdSource, UserId};
use crate::menu::fixtures::{at, id};
use crate::session::{Session, SessionStatus};
use crate::table::Table;

/// Counts, so that every id is greater than the one before.
#[derive(Default)]
pub struct Counter(u128);

impl IdSource for Counter {
    fn uuid(&mut self) -> Uuid {
        self.0 += 1;
        Uuid::from_u128(self.0)
    }
}

/// SAL-01.
pub fn table() -> Table {
    Table {
        id: id("SAL-01"),
        branch_id: id("centro"),
        sector_id: id("SAL"),
        code: "SAL-01".to_owned(),
        capacity: 4,
        out_of_service: false,
        qr_version: 1,
    }
}

/// A session at SAL-01.
pub fn session(status: SessionStatus) -> Session {
    let stamp = |wanted: &[SessionStatus], seconds| {
        wanted.contains(&status).then(|| Actor::SYSTEM.stamp(at(seconds)))
    };
    Session {
        id: id("session"),
        branch_id: id("centro"),
        table_id: id("SAL-01"),
        status,
        seating: 1,
        join_code: "4821".to_owned(),
        party_size: Some(3),
        note: None,
        assigned_waiter_id: None,
        cart_version: 0,
        next_round_number: 1,
        opened: Actor::SYSTEM.stamp(at(0)),
        paying: stamp(&[SessionStatus::Paying, SessionStatus::Closed], 1),
        closed: stamp(&[SessionStatus::Closed], 2),
        close_reason: None,
        last_activity_at: at(2),
        version: 1,
    }
}

/// A guest of that session.
pub fn diner(name: &str) -> Diner {
    Diner {
        id: id(name),
        branch_id: id("centro"),
        session_id: id("session"),
        name: name.to_owned(),
        color: "#E4572E".to_owned(),
        client_ref: None,
        device_id: None,
        registered_by_user_id: None,
        preferences: Preferences::default(),
        joined_at: at(1),
        version: 1,
    }
}

/// A member of staff.
pub fn staff(role: Role) -> Actor {
    Actor::user(id::<UserId>(role.as_str()), Roles::NONE.with(role))
}
