//! Rows of the demo people: logins, roles, and who serves where.

use std::collections::HashMap;

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use comanda_domain::business_day::business_day;
use comanda_domain::ids::{BranchId, IdSource};
use comanda_security::SystemEntropy;
use comanda_security::password::{PasswordError, PasswordHasher, PasswordParams};
use futures_util::future::try_join_all;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::floor::day_start;
use super::restaurants::{DemoBranch, Person};
use super::seed::SeedError;
use crate::db::{Act, DbError};
use crate::refusal::Refusal;
use crate::staff::rows::{GrantRow, SectorAssignmentRow, UserRow};

/// After the day of seeding.
const DAYS_AHEAD: u64 = 30;

/// Somebody with the hash of their password.
pub(super) type Hashed = (&'static Person, String);

/// Hashes every password with its own salt, side by side and away from the threads that serve.
pub(super) async fn hashed(
    people: &'static [Person],
    params: PasswordParams,
) -> Result<Vec<Hashed>, SeedError> {
    let made = spawn_blocking(move || PasswordHasher::new(params, &SystemEntropy::new())).await;
    let hasher = made.ok().and_then(Result::ok).ok_or(SeedError::Hashing)?;
    let tasks = people.iter().map(|person| {
        let hasher = hasher.clone();
        spawn_blocking(move || Ok((person, hasher.hash(person.password, &SystemEntropy::new())?)))
    });
    let verifiers = try_join_all(tasks).await.map_err(|_| SeedError::Hashing)?;
    verifiers
        .into_iter()
        .collect::<Result<_, PasswordError>>()
        .map_err(|_| SeedError::Hashing)
}

/// A branch as the people know it.
pub(super) struct Place {
    pub(super) id: BranchId,
    pub(super) demo: &'static DemoBranch,
    pub(super) sectors: Vec<(&'static str, Uuid)>,
}

/// Records the people, their roles and who serves where.
pub(super) fn record(people: &[Hashed], places: &[Place], act: &mut Act<'_>) -> Result<(), Refusal> {
    let mut ids = HashMap::new();
    for (person, verifier) in people {
        let row = user(person, verifier, act);
        act.rows.insert(&row);
        ids.insert(person.email, row.id);
        for place in places {
            for (_, role) in person.grants.iter().filter(|(slug, _)| *slug == place.demo.slug) {
                let grant = GrantRow {
                    tenant_id: row.tenant_id,
                    id: act.ids.uuid(),
                    created_at: act.now,
                    branch_id: place.id.0,
                    user_id: row.id,
                    role: role.to_string(),
                    deleted_at: None,
                };
                act.rows.insert(&grant);
            }
        }
    }
    places.iter().try_for_each(|place| assign(place, &ids, act))
}

fn user(person: &Person, verifier: &str, act: &mut Act<'_>) -> UserRow {
    UserRow {
        tenant_id: act.ask.tenant.0,
        id: act.ids.uuid(),
        created_at: act.now,
        email: person.email.to_owned(),
        name: person.name.to_owned(),
        password_verifier: verifier.to_owned(),
        is_owner: person.is_owner,
        token_epoch: 1,
        disabled_at: None,
        last_login_at: None,
        deleted_at: None,
        version: 1,
    }
}

fn assign(place: &Place, users: &HashMap<&str, Uuid>, act: &mut Act<'_>) -> Result<(), Refusal> {
    let today = today(place.demo, act)?;
    for (email, prefix) in place.demo.served_by {
        let sector = place
            .sectors
            .iter()
            .find(|(other, _)| other == prefix)
            .map(|(_, id)| *id);
        let Some((user, sector)) = users.get(email).copied().zip(sector) else {
            continue;
        };
        for date in (0..=DAYS_AHEAD).filter_map(|days| today.checked_add_days(Days::new(days))) {
            let row = SectorAssignmentRow {
                tenant_id: act.ask.tenant.0,
                id: act.ids.uuid(),
                created_at: act.now,
                branch_id: place.id.0,
                sector_id: sector,
                user_id: user,
                business_date: date,
                shift: "all_day".to_owned(),
                deleted_at: None,
            };
            act.rows.insert(&row);
        }
    }
    Ok(())
}

fn today(demo: &DemoBranch, act: &Act<'_>) -> Result<NaiveDate, Refusal> {
    let zone: Tz = demo
        .timezone
        .parse()
        .map_err(|_| DbError::Corrupt(demo.timezone.to_owned()))?;
    Ok(business_day(act.now, zone, day_start()))
}
