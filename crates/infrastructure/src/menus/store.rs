//! The products of a branch in two queries, whatever the size of the menu; its categories and allergens in one each.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use comanda_domain::diner::Diet;
use comanda_domain::ids::{BranchId, ModifierOptionId, ProductId, SessionId, TenantId};
use comanda_domain::menu::{
    Allergen, Availability, BranchMenu, MenuCategory, MenuGroup, MenuOption, MenuProduct, Presence,
    ProductAllergens, Station,
};
use diesel::dsl::array;
use diesel::sql_types::Text;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods, OptionalExtension,
    QueryDsl, SelectableHelper,
};
use diesel_async::RunQueryDsl;
use futures_util::try_join;
use uuid::Uuid;

use super::rows::{
    AllergenRow, BranchOptionRow, BranchProductRow, CategoryRow, ModifierGroupRow, ModifierOptionRow,
    ProductRow,
};
use crate::db::{Conn, DbError};
use crate::schema::{
    allergen, branch_hidden_category, branch_modifier_option, branch_product, cart_line, category,
    modifier_group, modifier_option, modifier_option_allergen, product, product_allergen,
    product_modifier_group,
};
use crate::stored::{i18n, named};

/// Which products are wanted.
#[derive(Debug, Clone)]
pub(crate) enum Wanted {
    /// All.
    All,
    /// These.
    Of(Vec<ProductId>),
    /// Those in a visit's cart, and these.
    InCart(SessionId, Vec<ProductId>),
}

/// Narrows a query over the given column to the wanted products.
macro_rules! wanted {
    ($query:expr, $column:path, $wanted:expr, $tenant:expr) => {{
        let query = $query.into_boxed();
        match $wanted {
            Wanted::All => query,
            Wanted::Of(ids) => query.filter($column.eq_any(ids.iter().map(|id| id.0).collect::<Vec<_>>())),
            Wanted::InCart(session, more) => query.filter(
                $column
                    .eq_any(
                        cart_line::table
                            .filter(cart_line::tenant_id.eq($tenant.0))
                            .filter(cart_line::session_id.eq(session.0))
                            .select(cart_line::product_id),
                    )
                    .or($column.eq_any(more.iter().map(|id| id.0).collect::<Vec<_>>())),
            ),
        }
    }};
}

/// A product in a branch, its category, and what it contains, may contain and is free from.
type Head = (
    ProductRow,
    BranchProductRow,
    String,
    Option<DateTime<Utc>>,
    Option<Uuid>,
    Vec<String>,
    Vec<String>,
    Vec<String>,
);

/// A choice of a product with one of its answers, and what that contains, may contain and is free from.
type Choice = (
    Uuid,
    ModifierGroupRow,
    Option<ModifierOptionRow>,
    Option<i64>,
    Option<bool>,
    Option<DateTime<Utc>>,
    Vec<String>,
    Vec<String>,
    Vec<String>,
);

/// The products as the branch offers them.
pub(crate) async fn products(
    conn: Conn<'_>,
    tenant: TenantId,
    branch: BranchId,
    wanted: &Wanted,
) -> Result<BranchMenu, DbError> {
    let (heads, choices) = try_join!(
        heads(conn, tenant, branch, wanted),
        choices(conn, tenant, branch, wanted)
    )?;
    assemble(heads, choices)
}

async fn heads(
    conn: Conn<'_>,
    tenant: TenantId,
    branch: BranchId,
    wanted: &Wanted,
) -> Result<Vec<Head>, DbError> {
    let declared = |presence: Presence| {
        product_allergen::table
            .inner_join(
                allergen::table.on(allergen::tenant_id
                    .eq(product_allergen::tenant_id)
                    .and(allergen::id.eq(product_allergen::allergen_id))),
            )
            .filter(product_allergen::tenant_id.eq(product::tenant_id))
            .filter(product_allergen::product_id.eq(product::id))
            .filter(product_allergen::presence.eq(presence.as_str()))
            .filter(allergen::deleted_at.is_null())
            .order(allergen::code)
            .select(allergen::code)
    };
    let query = product::table
        .inner_join(
            branch_product::table.on(branch_product::tenant_id
                .eq(product::tenant_id)
                .and(branch_product::product_id.eq(product::id))),
        )
        .inner_join(
            category::table.on(category::tenant_id
                .eq(product::tenant_id)
                .and(category::id.eq(product::category_id))),
        )
        .left_join(
            branch_hidden_category::table.on(branch_hidden_category::tenant_id
                .eq(product::tenant_id)
                .and(branch_hidden_category::branch_id.eq(branch_product::branch_id))
                .and(branch_hidden_category::category_id.eq(product::category_id))),
        )
        .filter(product::tenant_id.eq(tenant.0))
        .filter(branch_product::branch_id.eq(branch.0))
        .select((
            ProductRow::as_select(),
            BranchProductRow::as_select(),
            category::station,
            category::deleted_at,
            branch_hidden_category::category_id.nullable(),
            array::<Text, _>(declared(Presence::Contains)),
            array::<Text, _>(declared(Presence::MayContain)),
            array::<Text, _>(declared(Presence::FreeFrom)),
        ));
    Ok(wanted!(query, product::id, wanted, tenant)
        .load(&mut &*conn)
        .await?)
}

async fn choices(
    conn: Conn<'_>,
    tenant: TenantId,
    branch: BranchId,
    wanted: &Wanted,
) -> Result<Vec<Choice>, DbError> {
    let declared = |presence: Presence| {
        modifier_option_allergen::table
            .inner_join(
                allergen::table.on(allergen::tenant_id
                    .eq(modifier_option_allergen::tenant_id)
                    .and(allergen::id.eq(modifier_option_allergen::allergen_id))),
            )
            .filter(modifier_option_allergen::tenant_id.eq(modifier_option::tenant_id))
            .filter(modifier_option_allergen::option_id.eq(modifier_option::id))
            .filter(modifier_option_allergen::presence.eq(presence.as_str()))
            .filter(allergen::deleted_at.is_null())
            .order(allergen::code)
            .select(allergen::code)
    };
    let query = product_modifier_group::table
        .inner_join(
            modifier_group::table.on(modifier_group::tenant_id
                .eq(product_modifier_group::tenant_id)
                .and(modifier_group::id.eq(product_modifier_group::group_id))),
        )
        .left_join(
            modifier_option::table.on(modifier_option::tenant_id
                .eq(modifier_group::tenant_id)
                .and(modifier_option::group_id.eq(modifier_group::id))
                .and(modifier_option::deleted_at.is_null())),
        )
        .left_join(
            branch_modifier_option::table.on(branch_modifier_option::tenant_id
                .eq(modifier_option::tenant_id)
                .and(branch_modifier_option::option_id.eq(modifier_option::id))
                .and(branch_modifier_option::branch_id.eq(branch.0))),
        )
        .filter(product_modifier_group::tenant_id.eq(tenant.0))
        .filter(modifier_group::deleted_at.is_null())
        .order((
            product_modifier_group::product_id,
            product_modifier_group::position,
            modifier_group::id,
            modifier_option::position,
            modifier_option::id,
        ))
        .select((
            product_modifier_group::product_id,
            ModifierGroupRow::as_select(),
            Option::<ModifierOptionRow>::as_select(),
            branch_modifier_option::price_amount.nullable(),
            branch_modifier_option::available.nullable(),
            branch_modifier_option::unavailable_until.nullable(),
            array::<Text, _>(declared(Presence::Contains)),
            array::<Text, _>(declared(Presence::MayContain)),
            array::<Text, _>(declared(Presence::FreeFrom)),
        ));
    Ok(wanted!(query, product_modifier_group::product_id, wanted, tenant)
        .load(&mut &*conn)
        .await?)
}

fn assemble(heads: Vec<Head>, choices: Vec<Choice>) -> Result<BranchMenu, DbError> {
    let mut groups_of = groups_of(choices)?;
    heads
        .into_iter()
        .map(
            |(row, branch, category_station, category_deleted, hidden, contains, may_contain, free_from)| {
                let station = row.station.as_deref().unwrap_or(&category_station);
                let product = MenuProduct {
                    id: row.id.into(),
                    code: row.code,
                    category_id: row.category_id.into(),
                    name: i18n(row.name)?,
                    description: row.description.map(i18n).transpose()?,
                    image_url: row.image_url,
                    position: row.position,
                    station: named(station, Station::parse)?,
                    diets: row
                        .diets
                        .iter()
                        .map(|diet| named(diet, Diet::parse))
                        .collect::<Result<_, _>>()?,
                    price_amount: branch.price_amount,
                    on_menu: branch.on_menu
                        && row.deleted_at.is_none()
                        && category_deleted.is_none()
                        && hidden.is_none(),
                    availability: Availability {
                        available: branch.available,
                        unavailable_until: branch.unavailable_until,
                    },
                    allergens: ProductAllergens {
                        contains,
                        may_contain,
                        free_from,
                    },
                    groups: groups_of.remove(&row.id).unwrap_or_default(),
                };
                Ok((product.id, product))
            },
        )
        .collect()
}

/// The choices by product. A choice whose answers the branch does not offer is still a choice.
fn groups_of(choices: Vec<Choice>) -> Result<HashMap<Uuid, Vec<MenuGroup>>, DbError> {
    let mut groups_of: HashMap<Uuid, Vec<MenuGroup>> = HashMap::new();
    for (product, row, option, price, available, unavailable_until, contains, may_contain, free_from) in
        choices
    {
        let groups = groups_of.entry(product).or_default();
        if groups.last().is_none_or(|last| last.id.0 != row.id) {
            groups.push(MenuGroup {
                id: row.id.into(),
                code: row.code,
                name: i18n(row.name)?,
                min_select: row.min_select,
                max_select: row.max_select,
                options: Vec::new(),
            });
        }
        let Some((((option, price_amount), available), group)) =
            option.zip(price).zip(available).zip(groups.last_mut())
        else {
            continue;
        };
        group.options.push(MenuOption {
            id: option.id.into(),
            code: option.code,
            name: i18n(option.name)?,
            price_amount,
            max_qty: option.max_qty,
            availability: Availability {
                available,
                unavailable_until,
            },
            allergens: ProductAllergens {
                contains,
                may_contain,
                free_from,
            },
        });
    }
    Ok(groups_of)
}

/// A live product as the branch has it, whether it is on the menu or not.
pub(crate) async fn product_in(
    conn: Conn<'_>,
    tenant: TenantId,
    branch: BranchId,
    id: ProductId,
) -> Result<Option<BranchProductRow>, DbError> {
    let row = branch_product::table
        .inner_join(
            product::table.on(product::tenant_id
                .eq(branch_product::tenant_id)
                .and(product::id.eq(branch_product::product_id))),
        )
        .filter(branch_product::tenant_id.eq(tenant.0))
        .filter(branch_product::branch_id.eq(branch.0))
        .filter(branch_product::product_id.eq(id.0))
        .filter(product::deleted_at.is_null())
        .select(BranchProductRow::as_select())
        .first(&mut &*conn)
        .await
        .optional()?;
    Ok(row)
}

/// A live option as the branch offers it.
pub(crate) async fn option_in(
    conn: Conn<'_>,
    tenant: TenantId,
    branch: BranchId,
    id: ModifierOptionId,
) -> Result<Option<BranchOptionRow>, DbError> {
    let row = branch_modifier_option::table
        .inner_join(
            modifier_option::table.on(modifier_option::tenant_id
                .eq(branch_modifier_option::tenant_id)
                .and(modifier_option::id.eq(branch_modifier_option::option_id))),
        )
        .filter(branch_modifier_option::tenant_id.eq(tenant.0))
        .filter(branch_modifier_option::branch_id.eq(branch.0))
        .filter(branch_modifier_option::option_id.eq(id.0))
        .filter(modifier_option::deleted_at.is_null())
        .select(BranchOptionRow::as_select())
        .first(&mut &*conn)
        .await
        .optional()?;
    Ok(row)
}

/// The live categories of the tenant, in order.
pub(crate) async fn categories(conn: Conn<'_>, tenant: TenantId) -> Result<Vec<MenuCategory>, DbError> {
    let rows: Vec<CategoryRow> = category::table
        .filter(category::tenant_id.eq(tenant.0))
        .filter(category::deleted_at.is_null())
        .order((category::position, category::id))
        .select(CategoryRow::as_select())
        .load(&mut &*conn)
        .await?;
    rows.into_iter()
        .map(|row| {
            Ok(MenuCategory {
                id: row.id.into(),
                code: row.code,
                name: i18n(row.name)?,
                position: row.position,
            })
        })
        .collect()
}

/// The live allergens of the tenant, in order of code.
pub(crate) async fn allergens(conn: Conn<'_>, tenant: TenantId) -> Result<Vec<Allergen>, DbError> {
    let rows: Vec<AllergenRow> = allergen::table
        .filter(allergen::tenant_id.eq(tenant.0))
        .filter(allergen::deleted_at.is_null())
        .order(allergen::code)
        .select(AllergenRow::as_select())
        .load(&mut &*conn)
        .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Allergen {
                id: row.id.into(),
                code: row.code,
                name: i18n(row.name)?,
                is_regulated: row.is_regulated,
            })
        })
        .collect()
}
