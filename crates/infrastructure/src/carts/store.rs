//! The cart of a visit in one query, whatever its size.

use comanda_domain::cart::{CartLine, ChosenModifier};
use comanda_domain::ids::{SessionId, TenantId};
use diesel::dsl::array;
use diesel::{ExpressionMethods, QueryDsl, SelectableHelper, sql_types};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::rows::CartLineRow;
use crate::db::{Conn, DbError};
use crate::schema::{cart_line, cart_line_modifier, cart_line_sharer};

/// A line, its options, how often each is wanted, and who shares it.
type Parts = (CartLineRow, Vec<Uuid>, Vec<i32>, Vec<Uuid>);

/// The lines of a visit's cart, oldest first.
pub(crate) async fn of_session(
    conn: Conn<'_>,
    tenant: TenantId,
    id: SessionId,
) -> Result<Vec<CartLine>, DbError> {
    let modifiers = || {
        cart_line_modifier::table
            .filter(cart_line_modifier::tenant_id.eq(cart_line::tenant_id))
            .filter(cart_line_modifier::cart_line_id.eq(cart_line::id))
            .order(cart_line_modifier::option_id)
    };
    let sharers = cart_line_sharer::table
        .filter(cart_line_sharer::tenant_id.eq(cart_line::tenant_id))
        .filter(cart_line_sharer::cart_line_id.eq(cart_line::id))
        .order(cart_line_sharer::diner_id)
        .select(cart_line_sharer::diner_id);
    let rows: Vec<Parts> = cart_line::table
        .filter(cart_line::tenant_id.eq(tenant.0))
        .filter(cart_line::session_id.eq(id.0))
        .order(cart_line::id)
        .select((
            CartLineRow::as_select(),
            array::<sql_types::Uuid, _>(modifiers().select(cart_line_modifier::option_id)),
            array::<sql_types::Integer, _>(modifiers().select(cart_line_modifier::qty)),
            array::<sql_types::Uuid, _>(sharers),
        ))
        .load(&mut &*conn)
        .await?;
    rows.into_iter()
        .map(|(line, options, quantities, sharers)| {
            let chosen = options
                .into_iter()
                .zip(quantities)
                .map(|(option, qty)| ChosenModifier {
                    option_id: option.into(),
                    qty,
                });
            line.into_domain(chosen.collect(), sharers)
        })
        .collect()
}
