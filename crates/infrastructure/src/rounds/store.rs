//! Queries over rounds: two, whatever the number of rounds and lines.

use std::collections::{BTreeSet, HashMap};

use comanda_domain::ids::{BranchId, RoundId, SessionId, TenantId};
use comanda_domain::round::{ItemModifier, Round, RoundStatus};
use diesel::dsl::array;
use diesel::{BoolExpressionMethods, ExpressionMethods, JoinOnDsl, QueryDsl, SelectableHelper, sql_types};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use super::rows::{RoundItemRow, RoundRow};
use crate::db::{Conn, DbError};
use crate::people::person;
use crate::schema::{
    restaurant_table, round, round_item, round_item_modifier, round_item_sharer, table_session,
};
use crate::stored::i18n;
use crate::views::TableRef;

/// Which rounds are wanted.
#[derive(Debug, Clone)]
pub(crate) enum Wanted {
    /// One.
    One(RoundId),
    /// All of a visit, in order.
    OfSession(SessionId),
    /// A page of a branch's, newest first.
    OfBranch {
        branch: BranchId,
        session: Option<SessionId>,
        statuses: Vec<RoundStatus>,
        /// Only rounds that come after this one in the list.
        after: Option<RoundId>,
        limit: i64,
    },
}

/// A round and the table of its visit.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) round: Round,
    pub(crate) table: TableRef,
}

/// The rounds, with their lines.
pub(crate) async fn find(conn: Conn<'_>, tenant: TenantId, wanted: &Wanted) -> Result<Vec<Found>, DbError> {
    let heads = heads(conn, tenant, wanted).await?;
    let ids: Vec<Uuid> = heads.iter().map(|(row, ..)| row.id).collect();
    let mut items = items_of(conn, tenant, &ids).await?;
    heads
        .into_iter()
        .map(|(row, table_id, code)| {
            let items = items.remove(&row.id).unwrap_or_default();
            Ok(Found {
                round: row.into_domain(items)?,
                table: TableRef::new(table_id.into(), &code),
            })
        })
        .collect()
}

/// One round.
pub(crate) async fn one(conn: Conn<'_>, tenant: TenantId, id: RoundId) -> Result<Option<Found>, DbError> {
    Ok(find(conn, tenant, &Wanted::One(id)).await?.pop())
}

type Head = (RoundRow, Uuid, String);

async fn heads(conn: Conn<'_>, tenant: TenantId, wanted: &Wanted) -> Result<Vec<Head>, DbError> {
    let base = round::table
        .inner_join(
            table_session::table.on(table_session::tenant_id
                .eq(round::tenant_id)
                .and(table_session::id.eq(round::session_id))),
        )
        .inner_join(
            restaurant_table::table.on(restaurant_table::tenant_id
                .eq(round::tenant_id)
                .and(restaurant_table::id.eq(table_session::table_id))),
        )
        .filter(round::tenant_id.eq(tenant.0))
        .select((
            RoundRow::as_select(),
            restaurant_table::id,
            restaurant_table::code,
        ));
    let mut conn = conn;
    let heads = match wanted {
        Wanted::One(id) => base.filter(round::id.eq(id.0)).load(&mut conn).await?,
        Wanted::OfSession(id) => {
            base.filter(round::session_id.eq(id.0))
                .order(round::number)
                .load(&mut conn)
                .await?
        }
        Wanted::OfBranch {
            branch,
            session,
            statuses,
            after,
            limit,
        } => {
            let mut query = base.filter(round::branch_id.eq(branch.0)).into_boxed();
            if let Some(session) = session {
                query = query.filter(round::session_id.eq(session.0));
            }
            if !statuses.is_empty() {
                let names: Vec<&str> = statuses.iter().map(|status| status.as_str()).collect();
                query = query.filter(round::status.eq_any(names));
            }
            if let Some(after) = after {
                query = query.filter(round::id.lt(after.0));
            }
            query
                .order(round::id.desc())
                .limit(*limit)
                .load(&mut conn)
                .await?
        }
    };
    Ok(heads)
}

/// The lines of rounds, by round, in order.
async fn items_of(
    conn: Conn<'_>,
    tenant: TenantId,
    rounds: &[Uuid],
) -> Result<HashMap<Uuid, Vec<comanda_domain::round::RoundItem>>, DbError> {
    if rounds.is_empty() {
        return Ok(HashMap::new());
    }
    let modifiers = || {
        round_item_modifier::table
            .filter(round_item_modifier::tenant_id.eq(round_item::tenant_id))
            .filter(round_item_modifier::round_item_id.eq(round_item::id))
            .order(round_item_modifier::option_id)
    };
    let sharers = round_item_sharer::table
        .filter(round_item_sharer::tenant_id.eq(round_item::tenant_id))
        .filter(round_item_sharer::round_item_id.eq(round_item::id))
        .order(round_item_sharer::diner_id)
        .select(round_item_sharer::diner_id);
    let rows: Vec<ItemParts> = round_item::table
        .filter(round_item::tenant_id.eq(tenant.0))
        .filter(round_item::round_id.eq_any(rounds))
        .order((round_item::round_id, round_item::line_no))
        .select((
            RoundItemRow::as_select(),
            array::<sql_types::Uuid, _>(modifiers().select(round_item_modifier::option_id)),
            array::<sql_types::Jsonb, _>(modifiers().select(round_item_modifier::name)),
            array::<sql_types::Integer, _>(modifiers().select(round_item_modifier::qty)),
            array::<sql_types::BigInt, _>(modifiers().select(round_item_modifier::unit_amount)),
            array::<sql_types::Uuid, _>(sharers),
        ))
        .load(&mut &*conn)
        .await?;
    let mut items_of: HashMap<Uuid, Vec<_>> = HashMap::new();
    for (row, options, names, quantities, amounts, sharers) in rows {
        let modifiers = options
            .into_iter()
            .zip(names)
            .zip(quantities.into_iter().zip(amounts))
            .map(|((option, name), (qty, unit_amount))| {
                Ok(ItemModifier {
                    option_id: option.into(),
                    name: i18n(name)?,
                    qty,
                    unit_amount,
                })
            })
            .collect::<Result<_, DbError>>()?;
        items_of
            .entry(row.round_id)
            .or_default()
            .push(row.into_domain(modifiers, sharers)?);
    }
    Ok(items_of)
}

/// A line; option, name, quantity and price of each of its modifiers; who shares it.
type ItemParts = (RoundItemRow, Vec<Uuid>, Vec<Value>, Vec<i32>, Vec<i64>, Vec<Uuid>);

/// Everybody who left a stamp on these rounds.
pub(crate) fn people_of<'a>(rounds: impl IntoIterator<Item = &'a Round>) -> BTreeSet<Uuid> {
    rounds
        .into_iter()
        .flat_map(|round| {
            let stamps = [
                Some(&round.pending),
                round.confirmed.as_ref(),
                round.submitted.as_ref(),
                round.in_kitchen.as_ref(),
                round.ready.as_ref(),
                round.served.as_ref(),
                round.canceled.as_ref(),
            ];
            stamps.into_iter().filter_map(person)
        })
        .collect()
}
