//! Puts the demo restaurants into a database, each in one transaction.

use comanda_domain::audit::AuditEntry;
use comanda_domain::ids::{BranchId, IdSource, TenantId};
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
use crate::db::{Act, Ask, Db, DbError, Locks};
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

/// Puts in each demo restaurant that is not there yet.
///
/// # Errors
/// [`SeedError`]; restaurants put in before the error stay.
pub async fn seed(db: &Db, hasher: &PasswordHasher, options: SeedOptions) -> Result<Seeded, SeedError> {
    if matches!(
        options.environment,
        Environment::Staging | Environment::Production
    ) {
        return Err(SeedError::Environment(options.environment));
    }
    let mut present = present(db).await?;
    let foreign = present
        .iter()
        .find(|(slug, _)| RESTAURANTS.iter().all(|demo| demo.slug != slug));
    if let Some((slug, _)) = foreign.filter(|_| !force) {
        return Err(SeedError::ForeignTenant { slug: slug.clone() });
    }
    let mut tenants = Vec::new();
    for restaurant in &RESTAURANTS {
        let there = |all: &[(String, Uuid)]| {
            all.iter()
                .find(|(slug, _)| slug == restaurant.slug)
                .map(|(_, id)| *id)
        };
        let (id, created) = match there(&present) {
            Some(id) => (TenantId(id), false),
            None => match create(db, restaurant, config.passwords).await {
                Ok(id) => (id, true),
                // Somebody else seeds at the same time and was first.
                Err(SeedError::Storage(Refusal::Database(DbError::Unique { constraint }))) => {
                    present = self::present(db).await?;
                    let id = there(&present).ok_or(Refusal::Database(DbError::Unique { constraint }))?;
                    (TenantId(id), false)
                }
                Err(error) => return Err(error),
            },
        };
        tenants.push(count(db, id, restaurant.slug, created).await?);
    }
    Ok(Seeded { tenants })
}

/// The slugs and ids of all tenants.
async fn present(db: &Db) -> Result<Vec<(String, Uuid)>, Refusal> {
    db.directory(async |conn| {
        let rows = tenant_directory::table
            .order(tenant_directory::slug)
            .select((tenant_directory::slug, tenant_directory::tenant_id))
            .load(&mut &*conn)
            .await?;
        Ok(rows)
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
        request_id: crate::db::request_id(&mut ids).to_string(),
        traceparent: None,
        language: None,
        found_at: "",
        idempotency: None,
    };
    db.transact(
        &ask,
        Locks::none(),
        async |_| Ok(()),
        |_, (), act| record(restaurant, &menu, &staff, act),
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
        webhook_hosts: None,
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
