//! Queries over tickets: two or three, whatever the number of tickets and lines.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use comanda_domain::ids::{BranchId, RoundId, TenantId, TicketId};
use comanda_domain::kitchen::{Ticket, TicketItem, TicketStatus};
use comanda_domain::menu::Station;
use comanda_domain::round::{ItemModifier, Round, RoundItem};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, SelectableHelper,
};
use diesel_async::RunQueryDsl;
use futures_util::try_join;
use uuid::Uuid;

use super::rows::{TicketItemRow, TicketRow};
use crate::db::{Conn, DbError};
use crate::rounds::rows::{ItemModifierRow, RoundItemRow, RoundRow};
use crate::schema::{
    kitchen_ticket, kitchen_ticket_item, restaurant_table, round, round_item, round_item_modifier,
    table_session,
};
use crate::views::TableRef;

/// What of a branch's work is wanted on a screen.
#[derive(Debug, Clone, Default)]
pub struct BoardFilter {
    /// These stations; all if empty.
    pub stations: Vec<Station>,
    /// These statuses; what is neither delivered nor canceled if empty.
    pub statuses: Vec<TicketStatus>,
}

/// A ticket with what a screen tells of its round. The round holds only the lines of the tickets that are shown,
/// and of these not who shares them.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) ticket: Ticket,
    pub(crate) round: Round,
    pub(crate) table: TableRef,
}

/// The tickets of a round, in order of station.
pub(crate) async fn of_round(conn: Conn<'_>, tenant: TenantId, id: RoundId) -> Result<Vec<Ticket>, DbError> {
    of_rounds(conn, tenant, &[id.0]).await
}

/// The tickets of several rounds.
pub(crate) async fn of_rounds(
    conn: Conn<'_>,
    tenant: TenantId,
    rounds: &[Uuid],
) -> Result<Vec<Ticket>, DbError> {
    if rounds.is_empty() {
        return Ok(Vec::new());
    }
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
pub(crate) async fn round_of(
    conn: Conn<'_>,
    tenant: TenantId,
    id: TicketId,
) -> Result<Option<RoundId>, DbError> {
    let round = kitchen_ticket::table
        .filter(kitchen_ticket::tenant_id.eq(tenant.0))
        .filter(kitchen_ticket::id.eq(id.0))
        .select(kitchen_ticket::round_id)
        .first::<Uuid>(&mut &*conn)
        .await
        .optional()?;
    Ok(round.map(RoundId))
}

/// A branch's work, oldest submission first: three queries. `after` is when the last ticket seen reached its
/// station, and its id.
pub(crate) async fn board(
    conn: Conn<'_>,
    tenant: TenantId,
    branch: BranchId,
    board: &BoardFilter,
    after: Option<(DateTime<Utc>, TicketId)>,
    limit: i64,
) -> Result<Vec<Shown>, DbError> {
    let statuses: Vec<&str> = if board.statuses.is_empty() {
        vec![
            TicketStatus::Pending.as_str(),
            TicketStatus::InProgress.as_str(),
            TicketStatus::Ready.as_str(),
        ]
    } else {
        board.statuses.iter().map(|status| status.as_str()).collect()
    };
    let mut query = kitchen_ticket::table
        .inner_join(
            round::table.on(round::tenant_id
                .eq(kitchen_ticket::tenant_id)
                .and(round::id.eq(kitchen_ticket::round_id))),
        )
        .inner_join(
            table_session::table.on(table_session::tenant_id
                .eq(kitchen_ticket::tenant_id)
                .and(table_session::id.eq(round::session_id))),
        )
        .inner_join(
            restaurant_table::table.on(restaurant_table::tenant_id
                .eq(kitchen_ticket::tenant_id)
                .and(restaurant_table::id.eq(table_session::table_id))),
        )
        .filter(kitchen_ticket::tenant_id.eq(tenant.0))
        .filter(kitchen_ticket::branch_id.eq(branch.0))
        .filter(kitchen_ticket::status.eq_any(statuses))
        .select((
            TicketRow::as_select(),
            RoundRow::as_select(),
            restaurant_table::id,
            restaurant_table::code,
        ))
        .into_boxed();
    if !board.stations.is_empty() {
        let names: Vec<&str> = board.stations.iter().map(|station| station.as_str()).collect();
        query = query.filter(kitchen_ticket::station.eq_any(names));
    }
    if let Some((at, id)) = after {
        query = query.filter(
            kitchen_ticket::created_at
                .gt(at)
                .or(kitchen_ticket::created_at.eq(at).and(kitchen_ticket::id.gt(id.0))),
        );
    }
    let heads = query
        .order((kitchen_ticket::created_at, kitchen_ticket::id))
        .limit(limit)
        .load::<(TicketRow, RoundRow, Uuid, String)>(&mut &*conn)
        .await?;
    let ids: Vec<Uuid> = heads.iter().map(|(ticket, ..)| ticket.id).collect();
    let (mut items, mut lines) = with_lines(conn, tenant, &ids).await?;
    heads
        .into_iter()
        .map(|(ticket, round, table_id, code)| {
            let ticket_id = ticket.id;
            Ok(Shown {
                ticket: ticket.into_domain(items.remove(&ticket_id).unwrap_or_default())?,
                round: round.into_domain(lines.remove(&ticket_id).unwrap_or_default())?,
                table: TableRef::new(table_id.into(), &code),
            })
        })
        .collect()
}

type ByTicket<T> = HashMap<Uuid, Vec<T>>;

/// The lines of tickets and the round items behind them, by ticket: two queries.
async fn with_lines(
    conn: Conn<'_>,
    tenant: TenantId,
    tickets: &[Uuid],
) -> Result<(ByTicket<TicketItem>, ByTicket<RoundItem>), DbError> {
    if tickets.is_empty() {
        return Ok((HashMap::new(), HashMap::new()));
    }
    let (mut a, mut b) = (conn, conn);
    let shown = kitchen_ticket_item::table
        .filter(kitchen_ticket_item::tenant_id.eq(tenant.0))
        .filter(kitchen_ticket_item::ticket_id.eq_any(tickets))
        .select(kitchen_ticket_item::round_item_id);
    let (rows, modifiers) = try_join!(
        kitchen_ticket_item::table
            .inner_join(
                round_item::table.on(round_item::tenant_id
                    .eq(kitchen_ticket_item::tenant_id)
                    .and(round_item::id.eq(kitchen_ticket_item::round_item_id))),
            )
            .filter(kitchen_ticket_item::tenant_id.eq(tenant.0))
            .filter(kitchen_ticket_item::ticket_id.eq_any(tickets))
            .order((kitchen_ticket_item::ticket_id, round_item::line_no))
            .select((TicketItemRow::as_select(), RoundItemRow::as_select()))
            .load::<(TicketItemRow, RoundItemRow)>(&mut a),
        round_item_modifier::table
            .filter(round_item_modifier::tenant_id.eq(tenant.0))
            .filter(round_item_modifier::round_item_id.eq_any(shown))
            .order(round_item_modifier::option_id)
            .select(ItemModifierRow::as_select())
            .load(&mut b),
    )?;
    let mut modifiers_of: HashMap<Uuid, Vec<ItemModifier>> = HashMap::new();
    for row in modifiers {
        modifiers_of
            .entry(row.round_item_id)
            .or_default()
            .push(row.into_domain()?);
    }
    let (mut items, mut lines) = (ByTicket::new(), ByTicket::new());
    for (item, line) in rows {
        items.entry(item.ticket_id).or_default().push(item.to_domain()?);
        let modifiers = modifiers_of.get(&line.id).cloned().unwrap_or_default();
        lines
            .entry(item.ticket_id)
            .or_default()
            .push(line.into_domain(modifiers, Vec::new())?);
    }
    Ok((items, lines))
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
