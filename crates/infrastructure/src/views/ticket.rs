use std::collections::HashMap;

use comanda_domain::ids::RoundItemId;
use comanda_domain::kitchen::{Ticket, TicketItem};
use comanda_domain::round::{Round, RoundItem};
use serde::Serialize;
use utoipa::ToSchema;

use super::{TableRef, Texts, time};

/// One line of a station's work.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TicketItemView {
    /// Its id.
    pub id: String,
    /// The round item.
    pub round_item_id: String,
    /// What to make.
    pub name: String,
    /// How many at submission.
    pub qty: i32,
    /// How many were taken back since.
    pub canceled_qty: i32,
    /// `pending`, `in_progress`, `ready` or `canceled`.
    pub status: String,
    /// Chosen options, as often as wanted.
    pub modifiers: Vec<String>,
    /// A wish to the kitchen.
    pub notes: String,
    /// Codes of allergens that the guest avoids.
    pub allergen_alerts: Vec<String>,
}

/// The work of one station for one round.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TicketView {
    /// Its id.
    pub id: String,
    /// The branch.
    pub branch_id: String,
    /// The round.
    pub round_id: String,
    /// Its number within the visit.
    pub round_number: i32,
    /// Where the party sits now.
    pub table: Option<TableRef>,
    /// The station.
    pub station: String,
    /// `pending`, `in_progress`, `ready`, `delivered` or `canceled`.
    pub status: String,
    /// Its lines.
    pub items: Vec<TicketItemView>,
    /// When it reached the station.
    pub submitted_at: String,
    /// When the work began.
    pub started_at: Option<String>,
    /// When everything was made.
    pub ready_at: Option<String>,
    /// When it was handed over.
    pub delivered_at: Option<String>,
    /// Rises with each update.
    pub version: i64,
}

/// A ticket with the texts of its round.
pub fn ticket(ticket: &Ticket, round: &Round, table: Option<&TableRef>, texts: &Texts) -> TicketView {
    let lines: HashMap<RoundItemId, &RoundItem> = round.items.iter().map(|item| (item.id, item)).collect();
    TicketView {
        id: ticket.id.to_string(),
        branch_id: ticket.branch_id.to_string(),
        round_id: ticket.round_id.to_string(),
        round_number: round.number,
        table: table.cloned(),
        station: ticket.station.to_string(),
        status: ticket.status.to_string(),
        items: ticket
            .items
            .iter()
            .map(|item| item_view(item, lines.get(&item.round_item_id).copied(), texts))
            .collect(),
        submitted_at: time(ticket.created_at),
        started_at: ticket.in_progress.map(|stamp| time(stamp.at)),
        ready_at: ticket.ready.map(|stamp| time(stamp.at)),
        delivered_at: ticket.delivered.map(|stamp| time(stamp.at)),
        version: ticket.version,
    }
}

fn item_view(item: &TicketItem, line: Option<&RoundItem>, texts: &Texts) -> TicketItemView {
    TicketItemView {
        id: item.id.to_string(),
        round_item_id: item.round_item_id.to_string(),
        name: line
            .map(|line| texts.pick(&line.product_name))
            .unwrap_or_default(),
        qty: item.qty,
        canceled_qty: item.canceled_qty,
        status: item.status.to_string(),
        modifiers: line.map(|line| modifiers(line, texts)).unwrap_or_default(),
        notes: line.map(|line| line.notes.clone()).unwrap_or_default(),
        allergen_alerts: line.map(|line| line.allergen_alerts.clone()).unwrap_or_default(),
    }
}

/// The chosen options of a line, as often as wanted.
pub(super) fn modifiers(line: &RoundItem, texts: &Texts) -> Vec<String> {
    line.modifiers
        .iter()
        .map(|modifier| {
            let name = texts.pick(&modifier.name);
            if modifier.qty > 1 {
                format!("{} × {name}", modifier.qty)
            } else {
                name
            }
        })
        .collect()
}
