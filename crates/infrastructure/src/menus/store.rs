//! The menu of a branch in five queries, whatever its size; six with its categories and allergens.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use comanda_domain::diner::Diet;
use comanda_domain::ids::{BranchId, ProductId, SessionId, TenantId};
use comanda_domain::menu::{
    Allergen, Availability, BranchMenu, MenuCategory, MenuGroup, MenuOption, MenuProduct, Presence, ProductAllergens,
    Station,
};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl, SelectableHelper,
};
use diesel_async::RunQueryDsl;
use futures_util::try_join;
use uuid::Uuid;

use super::rows::{BranchProductRow, CategoryRow, ModifierGroupRow, ModifierOptionRow, ProductRow};
use crate::db::{Conn, DbError};
use crate::schema::{
    allergen, branch_hidden_category, branch_modifier_option, branch_product, cart_line, category, modifier_group,
    modifier_option, modifier_option_allergen, product, product_allergen, product_modifier_group,
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

type ProductHead = (ProductRow, BranchProductRow, String, Option<DateTime<Utc>>, Option<Uuid>);
type OptionHead = (ModifierOptionRow, i64, bool, Option<DateTime<Utc>>);

/// The products as the branch offers them.
pub(crate) async fn products(
    conn: Conn<'_>,
    tenant: TenantId,
    branch: BranchId,
    wanted: &Wanted,
) -> Result<BranchMenu, DbError> {
    let (mut a, mut b, mut c, mut d, mut e) = (conn, conn, conn, conn, conn);
    let (heads, declared, groups, options, option_declared) = try_join!(
        wanted!(
            product::table
                .inner_join(
                    branch_product::table.on(branch_product::tenant_id
                        .eq(product::tenant_id)
                        .and(branch_product::product_id.eq(product::id))),
                )
                .inner_join(
                    category::table
                        .on(category::tenant_id.eq(product::tenant_id).and(category::id.eq(product::category_id))),
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
                )),
            product::id,
            wanted,
            tenant
        )
        .load::<ProductHead>(&mut a),
        wanted!(
            product_allergen::table
                .inner_join(
                    allergen::table.on(allergen::tenant_id
                        .eq(product_allergen::tenant_id)
                        .and(allergen::id.eq(product_allergen::allergen_id))),
                )
                .filter(product_allergen::tenant_id.eq(tenant.0))
                .filter(allergen::deleted_at.is_null())
                .order(allergen::code)
                .select((product_allergen::product_id, allergen::code, product_allergen::presence)),
            product_allergen::product_id,
            wanted,
            tenant
        )
        .load::<(Uuid, String, String)>(&mut b),
        wanted!(
            product_modifier_group::table
                .inner_join(
                    modifier_group::table.on(modifier_group::tenant_id
                        .eq(product_modifier_group::tenant_id)
                        .and(modifier_group::id.eq(product_modifier_group::group_id))),
                )
                .filter(product_modifier_group::tenant_id.eq(tenant.0))
                .filter(modifier_group::deleted_at.is_null())
                .order((product_modifier_group::position, modifier_group::id))
                .select((product_modifier_group::product_id, ModifierGroupRow::as_select())),
            product_modifier_group::product_id,
            wanted,
            tenant
        )
        .load::<(Uuid, ModifierGroupRow)>(&mut c),
        modifier_option::table
            .inner_join(
                branch_modifier_option::table.on(branch_modifier_option::tenant_id
                    .eq(modifier_option::tenant_id)
                    .and(branch_modifier_option::option_id.eq(modifier_option::id))),
            )
            .filter(modifier_option::tenant_id.eq(tenant.0))
            .filter(branch_modifier_option::branch_id.eq(branch.0))
            .filter(modifier_option::deleted_at.is_null())
            .order((modifier_option::position, modifier_option::id))
            .select((
                ModifierOptionRow::as_select(),
                branch_modifier_option::price_amount,
                branch_modifier_option::available,
                branch_modifier_option::unavailable_until,
            ))
            .load::<OptionHead>(&mut d),
        modifier_option_allergen::table
            .inner_join(
                allergen::table.on(allergen::tenant_id
                    .eq(modifier_option_allergen::tenant_id)
                    .and(allergen::id.eq(modifier_option_allergen::allergen_id))),
            )
            .filter(modifier_option_allergen::tenant_id.eq(tenant.0))
            .filter(allergen::deleted_at.is_null())
            .order(allergen::code)
            .select((modifier_option_allergen::option_id, allergen::code, modifier_option_allergen::presence))
            .load::<(Uuid, String, String)>(&mut e),
    )?;
    assemble(heads, declared, groups, options, option_declared)
}

fn assemble(
    heads: Vec<ProductHead>,
    declared: Vec<(Uuid, String, String)>,
    groups: Vec<(Uuid, ModifierGroupRow)>,
    options: Vec<OptionHead>,
    option_declared: Vec<(Uuid, String, String)>,
) -> Result<BranchMenu, DbError> {
    let mut allergens = by_owner(declared)?;
    let mut option_allergens = by_owner(option_declared)?;
    let mut options_of: HashMap<Uuid, Vec<MenuOption>> = HashMap::new();
    for (row, price_amount, available, unavailable_until) in options {
        options_of.entry(row.group_id).or_default().push(MenuOption {
            id: row.id.into(),
            code: row.code,
            name: i18n(row.name)?,
            price_amount,
            max_qty: row.max_qty,
            availability: Availability { available, unavailable_until },
            allergens: option_allergens.remove(&row.id).unwrap_or_default(),
        });
    }
    let mut groups_of: HashMap<Uuid, Vec<MenuGroup>> = HashMap::new();
    for (product, row) in groups {
        groups_of.entry(product).or_default().push(MenuGroup {
            id: row.id.into(),
            code: row.code,
            name: i18n(row.name)?,
            min_select: row.min_select,
            max_select: row.max_select,
            options: options_of.get(&row.id).cloned().unwrap_or_default(),
        });
    }
    let mut menu = BTreeMap::new();
    for (row, branch, category_station, category_deleted, hidden) in heads {
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
            diets: row.diets.iter().map(|diet| named(diet, Diet::parse)).collect::<Result<_, _>>()?,
            price_amount: branch.price_amount,
            on_menu: branch.on_menu
                && row.deleted_at.is_none()
                && category_deleted.is_none()
                && hidden.is_none(),
            availability: Availability {
                available: branch.available,
                unavailable_until: branch.unavailable_until,
            },
            allergens: allergens.remove(&row.id).unwrap_or_default(),
            groups: groups_of.remove(&row.id).unwrap_or_default(),
        };
        menu.insert(product.id, product);
    }
    Ok(menu)
}

fn by_owner(declared: Vec<(Uuid, String, String)>) -> Result<HashMap<Uuid, ProductAllergens>, DbError> {
    let mut by_owner: HashMap<Uuid, ProductAllergens> = HashMap::new();
    for (owner, code, presence) in declared {
        let allergens = by_owner.entry(owner).or_default();
        match named(&presence, Presence::parse)? {
            Presence::Contains => allergens.contains.push(code),
            Presence::MayContain => allergens.may_contain.push(code),
            Presence::FreeFrom => allergens.free_from.push(code),
        }
    }
    Ok(by_owner)
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
            Ok(MenuCategory { id: row.id.into(), code: row.code, name: i18n(row.name)?, position: row.position })
        })
        .collect()
}

/// The live allergens of the tenant, in order of code.
pub(crate) async fn allergens(conn: Conn<'_>, tenant: TenantId) -> Result<Vec<Allergen>, DbError> {
    let rows: Vec<super::rows::AllergenRow> = allergen::table
        .filter(allergen::tenant_id.eq(tenant.0))
        .filter(allergen::deleted_at.is_null())
        .order(allergen::code)
        .select(super::rows::AllergenRow::as_select())
        .load(&mut &*conn)
        .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Allergen { id: row.id.into(), code: row.code, name: i18n(row.name)?, is_regulated: row.is_regulated })
        })
        .collect()
}
