//! Columns of tickets.

use chrono::{DateTime, Utc};
use comanda_domain::ids::TenantId;
use comanda_domain::kitchen::{Ticket, TicketItem, TicketItemStatus, TicketStatus};
use comanda_domain::menu::Station;
use uuid::Uuid;

use crate::db::{DbError, Recorder, row};
use crate::stored::{columns, named, optional_stamp};

row! {
    /// The work of one station for one round.
    TicketRow = kitchen_ticket, key (tenant_id, id), guard "t.version < r.version" {
        tenant_id: Uuid,
        id: Uuid,
        created_at: DateTime<Utc>,
        branch_id: Uuid,
        round_id: Uuid,
        station: String,
        status: String,
        in_progress_at: Option<DateTime<Utc>>,
        in_progress_by_kind: Option<String>,
        in_progress_by_id: Option<Uuid>,
        ready_at: Option<DateTime<Utc>>,
        ready_by_kind: Option<String>,
        ready_by_id: Option<Uuid>,
        delivered_at: Option<DateTime<Utc>>,
        delivered_by_kind: Option<String>,
        delivered_by_id: Option<Uuid>,
        canceled_at: Option<DateTime<Utc>>,
        canceled_by_kind: Option<String>,
        canceled_by_id: Option<Uuid>,
        version: i64,
    }
}

row! {
    /// One line of the work.
    TicketItemRow = kitchen_ticket_item, key (tenant_id, id) {
        tenant_id: Uuid,
        id: Uuid,
        created_at: DateTime<Utc>,
        branch_id: Uuid,
        ticket_id: Uuid,
        round_item_id: Uuid,
        qty: i32,
        canceled_qty: i32,
        status: String,
    }
}

impl TicketRow {
    pub(crate) fn of(tenant: TenantId, ticket: &Ticket) -> Self {
        let (in_progress_at, in_progress_by_kind, in_progress_by_id) = columns(ticket.in_progress.as_ref());
        let (ready_at, ready_by_kind, ready_by_id) = columns(ticket.ready.as_ref());
        let (delivered_at, delivered_by_kind, delivered_by_id) = columns(ticket.delivered.as_ref());
        let (canceled_at, canceled_by_kind, canceled_by_id) = columns(ticket.canceled.as_ref());
        Self {
            tenant_id: tenant.0,
            id: ticket.id.0,
            created_at: ticket.created_at,
            branch_id: ticket.branch_id.0,
            round_id: ticket.round_id.0,
            station: ticket.station.to_string(),
            status: ticket.status.to_string(),
            in_progress_at,
            in_progress_by_kind,
            in_progress_by_id,
            ready_at,
            ready_by_kind,
            ready_by_id,
            delivered_at,
            delivered_by_kind,
            delivered_by_id,
            canceled_at,
            canceled_by_kind,
            canceled_by_id,
            version: ticket.version,
        }
    }

    pub(crate) fn into_domain(self, items: Vec<TicketItem>) -> Result<Ticket, DbError> {
        Ok(Ticket {
            id: self.id.into(),
            branch_id: self.branch_id.into(),
            round_id: self.round_id.into(),
            station: named(&self.station, Station::parse)?,
            status: named(&self.status, TicketStatus::parse)?,
            created_at: self.created_at,
            in_progress: optional_stamp(
                self.in_progress_at,
                self.in_progress_by_kind.as_deref(),
                self.in_progress_by_id,
            )?,
            ready: optional_stamp(self.ready_at, self.ready_by_kind.as_deref(), self.ready_by_id)?,
            delivered: optional_stamp(
                self.delivered_at,
                self.delivered_by_kind.as_deref(),
                self.delivered_by_id,
            )?,
            canceled: optional_stamp(
                self.canceled_at,
                self.canceled_by_kind.as_deref(),
                self.canceled_by_id,
            )?,
            version: self.version,
            items,
        })
    }
}

impl TicketItemRow {
    pub(crate) fn of(tenant: TenantId, ticket: &Ticket, item: &TicketItem) -> Self {
        Self {
            tenant_id: tenant.0,
            id: item.id.0,
            created_at: ticket.created_at,
            branch_id: ticket.branch_id.0,
            ticket_id: ticket.id.0,
            round_item_id: item.round_item_id.0,
            qty: item.qty,
            canceled_qty: item.canceled_qty,
            status: item.status.to_string(),
        }
    }

    pub(crate) fn to_domain(&self) -> Result<TicketItem, DbError> {
        Ok(TicketItem {
            id: self.id.into(),
            round_item_id: self.round_item_id.into(),
            qty: self.qty,
            canceled_qty: self.canceled_qty,
            status: named(&self.status, TicketItemStatus::parse)?,
        })
    }
}

/// Records new tickets with their lines.
pub(crate) fn insert_tickets(rows: &mut Recorder, tenant: TenantId, tickets: &[Ticket]) {
    for ticket in tickets {
        rows.insert(&TicketRow::of(tenant, ticket));
        ticket
            .items
            .iter()
            .for_each(|item| rows.insert(&TicketItemRow::of(tenant, ticket, item)));
    }
}

/// Records changed tickets with their lines.
pub(crate) fn update_tickets(rows: &mut Recorder, tenant: TenantId, tickets: &[Ticket]) {
    for ticket in tickets {
        rows.update(&TicketRow::of(tenant, ticket));
        ticket
            .items
            .iter()
            .for_each(|item| rows.update(&TicketItemRow::of(tenant, ticket, item)));
    }
}
