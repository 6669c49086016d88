//! Queries over tickets: two, whatever the number of tickets and lines.

use std::collections::HashMap;

use comanda_domain::ids::{BranchId, RoundId, TenantId, TicketId};
use comanda_domain::kitchen::{Ticket, TicketItem, TicketStatus};
use comanda_domain::menu::Station;
use diesel::{BoolExpressionMethods, ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::rows::{TicketItemRow, TicketRow};
use crate::db::{Conn, DbError};
use crate::schema::{kitchen_ticket, kitchen_ticket_item, round, round_item};

/// What of a branch's work is wanted on a screen.
#[derive(Debug, Clone, Default)]
pub struct Board {
    /// These stations; all if empty.
    pub stations: Vec<Station>,
    /// These statuses; what is neither delivered nor canceled if empty.
    pub statuses: Vec<TicketStatus>,
    /// Only what comes after this ticket: when it reached its station, and its id.
    pub after: Option<(chrono::DateTime<chrono::Utc>, TicketId)>,
    /// At most this many.
    pub limit: i64,
}

/// The tickets of a round, in order of station.
pub(crate) async fn of_round(conn: Conn<'_>, tenant: TenantId, id: RoundId) -> Result<Vec<Ticket>, DbError> {
    of_rounds(conn, tenant, &[id.0]).await
}

/// The tickets of several rounds.
pub(crate) async fn of_rounds(conn: Conn<'_>, tenant: TenantId, rounds: &[Uuid]) -> Result<Vec<Ticket>, DbError> {
    let heads: Vec<TicketRow> = kitchen_ticket::table
        .filter(kitchen_ticket::tenant_id.eq(tenant.0))
        .filter(kitchen_ticket::round_id.eq_any(rounds))
        .order((kitchen_ticket::created_at, kitchen_ticket::id))
        .select(TicketRow::as_select())
        .load(&mut &*conn)
        .await?;
    with_items(conn, tenant, heads).await
}

/// The round that a ticket belongs to.
pub(crate) async fn round_of(conn: Conn<'_>, tenant: TenantId, id: TicketId) -> Result<Option<RoundId>, DbError> {
    let round = kitchen_ticket::table
        .filter(kitchen_ticket::tenant_id.eq(tenant.0))
        .filter(kitchen_ticket::id.eq(id.0))
        .select(kitchen_ticket::round_id)
        .first::<Uuid>(&mut &*conn)
        .await
        .optional()?;
    Ok(round.map(RoundId))
}

/// A branch's work, oldest submission first.
pub(crate) async fn board(
    conn: Conn<'_>,
    tenant: TenantId,
    branch: BranchId,
    board: &Board,
) -> Result<Vec<Ticket>, DbError> {
    let statuses: Vec<&str> = if board.statuses.is_empty() {
        vec![TicketStatus::Pending.as_str(), TicketStatus::InProgress.as_str(), TicketStatus::Ready.as_str()]
    } else {
        board.statuses.iter().map(|status| status.as_str()).collect()
    };
    let mut query = kitchen_ticket::table
        .inner_join(
            round::table.on(round::tenant_id.eq(kitchen_ticket::tenant_id).and(round::id.eq(kitchen_ticket::round_id))),
        )
        .filter(kitchen_ticket::tenant_id.eq(tenant.0))
        .filter(kitchen_ticket::branch_id.eq(branch.0))
        .filter(kitchen_ticket::status.eq_any(statuses))
        .select(TicketRow::as_select())
        .into_boxed();
    if !board.stations.is_empty() {
        let names: Vec<&str> = board.stations.iter().map(|station| station.as_str()).collect();
        query = query.filter(kitchen_ticket::station.eq_any(names));
    }
    if let Some((at, id)) = board.after {
        query = query.filter(
            kitchen_ticket::created_at
                .gt(at)
                .or(kitchen_ticket::created_at.eq(at).and(kitchen_ticket::id.gt(id.0))),
        );
    }
    let heads: Vec<TicketRow> = query
        .order((kitchen_ticket::created_at, kitchen_ticket::id))
        .limit(board.limit)
        .load(&mut &*conn)
        .await?;
    with_items(conn, tenant, heads).await
}

async fn with_items(conn: Conn<'_>, tenant: TenantId, heads: Vec<TicketRow>) -> Result<Vec<Ticket>, DbError> {
    if heads.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = heads.iter().map(|row| row.id).collect();
    let rows: Vec<TicketItemRow> = kitchen_ticket_item::table
        .inner_join(
            round_item::table.on(round_item::tenant_id
                .eq(kitchen_ticket_item::tenant_id)
                .and(round_item::id.eq(kitchen_ticket_item::round_item_id))),
        )
        .filter(kitchen_ticket_item::tenant_id.eq(tenant.0))
        .filter(kitchen_ticket_item::ticket_id.eq_any(&ids))
        .order((kitchen_ticket_item::ticket_id, round_item::line_no))
        .select(TicketItemRow::as_select())
        .load(&mut &*conn)
        .await?;
    let mut items: HashMap<Uuid, Vec<TicketItem>> = HashMap::new();
    for row in rows {
        items.entry(row.ticket_id).or_default().push(row.to_domain()?);
    }
    heads
        .into_iter()
        .map(|row| {
            let items = items.remove(&row.id).unwrap_or_default();
            row.into_domain(items)
        })
        .collect()
}
