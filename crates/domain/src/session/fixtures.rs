//! A table, its session and its guests for the tests of this crate.

use uuid::Uuid;

use crate::actor::{Actor, Role, Roles};
use crate::billing::{Check, CheckStatus};
use crate::diner::{Diner, Preferences};
use crate::ids::{IdSource, UserId};
use crate::menu::fixtures::{at, id};
use crate::money::Currency;
use crate::round::{Round, RoundSource, RoundStatus};
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
        out_of_service_reason: None,
        qr_version: 1,
        version: 1,
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

/// A live check of that session.
pub fn check(total_amount: i64, paid_amount: i64, surplus_amount: i64) -> Check {
    Check {
        id: id("check"),
        branch_id: id("centro"),
        session_id: id("session"),
        number: 1,
        status: if paid_amount == total_amount {
            CheckStatus::Paid
        } else if paid_amount > 0 {
            CheckStatus::InPayment
        } else {
            CheckStatus::Requested
        },
        currency: Currency::parse("ARS").unwrap(),
        total_amount,
        paid_amount,
        surplus_amount,
        split_revision: 0,
        requested: Actor::SYSTEM.stamp(at(1)),
        voided: None,
        paid_at: None,
        settled_at: None,
        business_day: None,
        version: 1,
    }
}

/// A round of that session, without items.
pub fn round(number: i32, status: RoundStatus) -> Round {
    Round {
        id: id(&format!("round {number}")),
        branch_id: id("centro"),
        session_id: id("session"),
        number,
        status,
        source: RoundSource::Diner,
        notes: String::new(),
        menu_version: 1,
        cancel_reason: None,
        pending: Actor::SYSTEM.stamp(at(1)),
        confirmed: None,
        submitted: None,
        in_kitchen: None,
        ready: None,
        served: None,
        canceled: None,
        version: 1,
        items: Vec::new(),
    }
}
