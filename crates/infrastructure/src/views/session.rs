use comanda_domain::diner::{Diner, Preferences};
use comanda_domain::ids::CheckId;
use comanda_domain::session::Session;
use serde::Serialize;
use utoipa::ToSchema;

use super::{CallView, CheckTotalsView, PersonRef, RoundView, time};
use crate::people::People;
use crate::sessions::Scene;

/// The branch of a session.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BranchRef {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its currency.
    pub currency: String,
    /// Its IANA zone.
    pub timezone: String,
}

/// The table of a session.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SessionTable {
    /// Its id.
    pub id: String,
    /// What is printed on it.
    pub code: String,
    /// Its sector.
    pub sector: NamedRef,
}

/// Something with a name.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct NamedRef {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A guest as the table sees them.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DinerView {
    /// Their id.
    pub id: String,
    /// Their name.
    pub name: String,
    /// `#RRGGBB`
    pub color: String,
    /// When they joined.
    pub joined_at: String,
}

/// A guest as they see themselves.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OwnDinerView {
    /// Their id.
    pub id: String,
    /// Their name.
    pub name: String,
    /// `#RRGGBB`
    pub color: String,
    /// When they joined.
    pub joined_at: String,
    /// What they eat and read.
    #[schema(value_type = Object)]
    pub preferences: Preferences,
}

/// The answer to registering.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DinerRegisteredView {
    /// The guest.
    pub diner: OwnDinerView,
    /// Opens `/v1/diner`.
    pub diner_token: String,
    /// Seconds.
    pub expires_in: i64,
    /// Shown once, when the phone is remembered.
    pub device_token: Option<String>,
}

/// One visit of one party.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SessionView {
    /// Its id.
    pub id: String,
    /// `open`, `paying` or `closed`.
    pub status: String,
    /// Rises when the phones are revoked and at the end.
    pub seating: i32,
    /// Four digits that let further phones join.
    pub join_code: String,
    /// Rises with each update.
    pub version: i64,
    /// Where.
    pub branch: BranchRef,
    /// At which table.
    pub table: SessionTable,
    /// How many came.
    pub party_size: Option<i32>,
    /// A remark of the staff.
    pub note: Option<String>,
    /// Who serves.
    pub assigned_waiter: Option<PersonRef>,
    /// Who sits there.
    pub diners: Vec<DinerView>,
    /// Rises with each change of the cart.
    pub cart_version: i64,
    /// The unsettled check, else the latest.
    pub check_id: Option<String>,
    /// When it began.
    pub opened_at: String,
    /// When it ended.
    pub closed_at: Option<String>,
    /// How it ended: `paid`, `empty` or `forced`.
    pub close_reason: Option<String>,
}

/// The answer to scanning a table code.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ScannedView {
    /// The visit.
    pub session: SessionView,
    /// Reads visit and menu, and registers.
    pub table_token: String,
    /// Seconds.
    pub expires_in: i64,
}

/// One visit with all that happens in it, for staff.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SessionDetailView {
    /// The visit.
    #[serde(flatten)]
    pub session: SessionView,
    /// Its rounds, in order.
    pub rounds: Vec<RoundView>,
    /// Its calls, oldest first.
    pub calls: Vec<CallView>,
    /// The numbers of the unsettled check, else of the latest.
    pub check: Option<CheckTotalsView>,
}

/// A guest as the table sees them.
pub fn diner(diner: &Diner) -> DinerView {
    DinerView {
        id: diner.id.to_string(),
        name: diner.name.clone(),
        color: diner.color.clone(),
        joined_at: time(diner.joined_at),
    }
}

/// A guest as they see themselves.
pub fn own_diner(diner: &Diner) -> OwnDinerView {
    OwnDinerView {
        id: diner.id.to_string(),
        name: diner.name.clone(),
        color: diner.color.clone(),
        joined_at: time(diner.joined_at),
        preferences: diner.preferences.clone(),
    }
}

fn waiter(session: &Session, people: &People) -> Option<PersonRef> {
    let id = session.assigned_waiter_id?;
    Some(PersonRef {
        id: id.to_string(),
        name: people.name(Some(id.0)).unwrap_or_default().to_owned(),
    })
}

/// A session with its table and guests.
pub fn session(scene: &Scene, diners: &[Diner], check_id: Option<CheckId>, people: &People) -> SessionView {
    let session = &scene.session;
    SessionView {
        id: session.id.to_string(),
        status: session.status.to_string(),
        seating: session.seating,
        join_code: session.join_code.clone(),
        version: session.version,
        branch: BranchRef {
            id: scene.branch.id.to_string(),
            name: scene.branch.name.clone(),
            currency: scene.branch.currency.to_string(),
            timezone: scene.branch.timezone.to_string(),
        },
        table: SessionTable {
            id: scene.table.id.to_string(),
            code: scene.table.code.clone(),
            sector: NamedRef {
                id: scene.table.sector_id.to_string(),
                name: scene.sector_name.clone(),
            },
        },
        party_size: session.party_size,
        note: session.note.clone(),
        assigned_waiter: waiter(session, people),
        diners: diners.iter().map(diner).collect(),
        cart_version: session.cart_version,
        check_id: check_id.map(|id| id.to_string()),
        opened_at: time(session.opened.at),
        closed_at: session.closed.map(|stamp| time(stamp.at)),
        close_reason: session.close_reason.map(|reason| reason.to_string()),
    }
}
