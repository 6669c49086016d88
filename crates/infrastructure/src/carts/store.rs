//! Queries over cart lines: three, whatever the size of the cart.

use comanda_domain::cart::CartLine;
use comanda_domain::ids::{SessionId, TenantId};
use diesel::{BoolExpressionMethods, ExpressionMethods, JoinOnDsl, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use futures_util::try_join;

use super::rows::{CartLineRow, CartModifierRow, CartSharerRow, assemble};
use crate::db::{Conn, DbError};
use crate::schema::{cart_line, cart_line_modifier, cart_line_sharer};

/// The lines of a visit's cart, oldest first.
pub(crate) async fn of_session(conn: Conn<'_>, tenant: TenantId, id: SessionId) -> Result<Vec<CartLine>, DbError> {
    let (mut a, mut b, mut c) = (conn, conn, conn);
    let (lines, modifiers, sharers) = try_join!(
        cart_line::table
            .filter(cart_line::tenant_id.eq(tenant.0))
            .filter(cart_line::session_id.eq(id.0))
            .order(cart_line::id)
            .select(CartLineRow::as_select())
            .load(&mut a),
        cart_line_modifier::table
            .inner_join(
                cart_line::table.on(cart_line::tenant_id
                    .eq(cart_line_modifier::tenant_id)
                    .and(cart_line::id.eq(cart_line_modifier::cart_line_id))),
            )
            .filter(cart_line::tenant_id.eq(tenant.0))
            .filter(cart_line::session_id.eq(id.0))
            .order(cart_line_modifier::option_id)
            .select(CartModifierRow::as_select())
            .load(&mut b),
        cart_line_sharer::table
            .filter(cart_line_sharer::tenant_id.eq(tenant.0))
            .filter(cart_line_sharer::session_id.eq(id.0))
            .order(cart_line_sharer::diner_id)
            .select(CartSharerRow::as_select())
            .load(&mut c),
    )?;
    assemble(lines, modifiers, sharers)
}
