//! Puts the demo restaurants into a database, each in one transaction.

use std::collections::BTreeMap;

use comanda_domain::audit::AuditEntry;
use comanda_domain::ids::{BranchId, IdSource, RequestId, TenantId};
use comanda_security::password::PasswordParams;
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use futures_util::try_join;
use uuid::Uuid;

use super::menu::{DemoMenu, MenuError};
use super::people::{self, Hashed, Place};
use super::restaurants::{LOCALE, RESTAURANTS, Restaurant};
use super::{catalogue, floor};
use crate::audit::Caller;
use crate::config::{Config, Environment};
use crate::db::{Act, Ask, Db, DbError, Locks, Origin};
use crate::refusal::Refusal;
use crate::schema::{app_user, branch, product, restaurant_table, tenant_directory};
use crate::staff::rows::{TenantDirectoryRow, TenantRow};

/// Why the demo restaurants were not put in.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// Everybody knows the passwords of the demo people.
    #[error("demo data is refused in {}: everybody knows its passwords", .0.as_str())]
    Environment(Environment),
    /// The database holds somebody else's restaurant.
    #[error("the database holds the restaurant {slug:?}, which is no demo")]
    ForeignTenant {
        /// Which one.
        slug: String,
    },
    /// A defect of the menus in the binary.
    #[error(transparent)]
    Menu(#[from] MenuError),
    /// A password could not be hashed.
    #[error("a password could not be hashed")]
    Hashing,
    /// The database refused or failed.
    #[error(transparent)]
    Storage(#[from] Refusal),
}

/// What there is now.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Seeded {
    /// The demo restaurants.
    pub tenants: Vec<SeededTenant>,
}

/// One of the demo restaurants.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SeededTenant {
    /// Its slug.
    pub tenant: &'static str,
    /// Whether this call made it; otherwise it was there.
    pub created: bool,
    /// How many live branches.
    pub branches: i64,
    /// How many live tables in them.
    pub tables: i64,
    /// How many live dishes.
    pub products: i64,
    /// How many live staff members.
    pub users: i64,
}

/// Demo data has no place in staging and production.
///
/// # Errors
/// [`SeedError::Environment`].
pub fn refuse_guarded(environment: Environment) -> Result<(), SeedError> {
    if environment.is_guarded() {
        Err(SeedError::Environment(environment))
    } else {
        Ok(())
    }
}

/// Puts in each demo restaurant that is not there yet; with `force` also beside restaurants that are no demo.
///
/// # Errors
/// [`SeedError`]; restaurants put in before the error stay.
pub async fn seed(db: &Db, config: &Config, force: bool) -> Result<Seeded, SeedError> {
    refuse_guarded(config.environment)?;
    let present = present(db).await?;
    let foreign = present
        .keys()
        .find(|slug| RESTAURANTS.iter().all(|demo| demo.slug != slug.as_str()));
    if let Some(slug) = foreign.filter(|_| !force) {
        return Err(SeedError::ForeignTenant { slug: slug.clone() });
    }
    let mut tenants = Vec::new();
    for restaurant in &RESTAURANTS {
        let (id, created) = match present.get(restaurant.slug) {
            Some(id) => (*id, false),
            None => create_or_find(db, restaurant, config.passwords).await?,
        };
        tenants.push(count(db, id, restaurant.slug, created).await?);
    }
    Ok(Seeded { tenants })
}

/// Somebody else may seed at the same time and be first.
async fn create_or_find(
    db: &Db,
    restaurant: &Restaurant,
    passwords: PasswordParams,
) -> Result<(TenantId, bool), SeedError> {
    match create(db, restaurant, passwords).await {
        Err(SeedError::Storage(refusal @ Refusal::Database(DbError::Unique { .. }))) => {
            let id = present(db).await?.get(restaurant.slug).copied();
            Ok((id.ok_or(refusal)?, false))
        }
        created => Ok((created?, true)),
    }
}

/// The slugs and ids of all tenants.
async fn present(db: &Db) -> Result<BTreeMap<String, TenantId>, Refusal> {
    db.directory(async |conn| {
        let rows: Vec<(String, Uuid)> = tenant_directory::table
            .select((tenant_directory::slug, tenant_directory::tenant_id))
            .load(&mut &*conn)
            .await?;
        Ok(rows.into_iter().map(|(slug, id)| (slug, TenantId(id))).collect())
    })
    .await
}

async fn create(db: &Db, restaurant: &Restaurant, passwords: PasswordParams) -> Result<TenantId, SeedError> {
    let menu = restaurant.menu()?;
    let staff = people::hashed(restaurant.people, passwords).await?;
    let mut ids = db.sources().ids();
    let ask = Ask {
        tenant: ids.next(),
        caller: Caller::system(),
        request_id: ids.next::<RequestId>().to_string(),
        origin: Origin::default(),
        language: None,
        found_at: "",
        nonce: None,
        idempotency: None,
    };
    db.transact(
        &ask,
        Locks::none(),
        async |_| Ok(()),
        |_, loaded, act| loaded.and_then(|()| record(restaurant, &menu, &staff, act)),
    )
    .await?;
    Ok(ask.tenant)
}

/// Everything of one restaurant, as one statement.
fn record(
    restaurant: &Restaurant,
    menu: &DemoMenu,
    staff: &[Hashed],
    act: &mut Act<'_>,
) -> Result<(), Refusal> {
    let tenant = act.ask.tenant;
    act.rows.insert(&TenantRow {
        tenant_id: tenant.0,
        created_at: act.now,
        name: restaurant.name.to_owned(),
        default_locale: LOCALE.to_owned(),
        allowed_origins: Vec::new(),
        status: "active".to_owned(),
        sandbox: true,
        version: 1,
    });
    act.rows.insert(&TenantDirectoryRow {
        slug: restaurant.slug.to_owned(),
        tenant_id: tenant.0,
        created_at: act.now,
    });
    let mut places = Vec::new();
    for demo in restaurant.branches {
        let id: BranchId = act.ids.next();
        places.push(Place {
            id,
            demo,
            sectors: floor::record(id, demo, act),
        });
    }
    let shows: Vec<_> = places.iter().map(|place| (place.id, place.demo)).collect();
    catalogue::record(menu, &shows, act);
    people::record(staff, &places, act)?;
    let entry = AuditEntry::new("tenant.create", "tenant", tenant)
        .because("demo data".to_owned())
        .set("slug", restaurant.slug);
    act.trace(None, &entry);
    Ok(())
}

async fn count(
    db: &Db,
    tenant: TenantId,
    slug: &'static str,
    created: bool,
) -> Result<SeededTenant, Refusal> {
    db.read(tenant, async |conn| {
        let (mut a, mut b, mut c, mut d) = (conn, conn, conn, conn);
        let (branches, tables, products, users) = try_join!(
            branch::table
                .filter(branch::tenant_id.eq(tenant.0))
                .filter(branch::deleted_at.is_null())
                .count()
                .get_result(&mut a),
            restaurant_table::table
                .filter(restaurant_table::tenant_id.eq(tenant.0))
                .filter(restaurant_table::deleted_at.is_null())
                .count()
                .get_result(&mut b),
            product::table
                .filter(product::tenant_id.eq(tenant.0))
                .filter(product::deleted_at.is_null())
                .count()
                .get_result(&mut c),
            app_user::table
                .filter(app_user::tenant_id.eq(tenant.0))
                .filter(app_user::deleted_at.is_null())
                .count()
                .get_result(&mut d),
        )?;
        Ok(SeededTenant {
            tenant: slug,
            created,
            branches,
            tables,
            products,
            users,
        })
    })
    .await
}
