//! Names of whoever stamps and lines mention.

use std::collections::{BTreeSet, HashMap};

use comanda_domain::actor::{ActorKind, Stamp};
use comanda_domain::diner::Diner;
use comanda_domain::ids::TenantId;
use diesel::{CombineDsl, ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::db::{Conn, DbError};
use crate::schema::{api_key, app_user, diner};

/// Names by id, of guests, staff and integrations alike.
#[derive(Debug, Clone, Default)]
pub struct People(HashMap<Uuid, String>);

impl People {
    /// Whoever these ids name; ids of others are ignored.
    pub(crate) async fn load(conn: Conn<'_>, tenant: TenantId, ids: BTreeSet<Uuid>) -> Result<Self, DbError> {
        if ids.is_empty() {
            return Ok(Self::default());
        }
        let ids: Vec<Uuid> = ids.into_iter().collect();
        let staff = app_user::table
            .filter(app_user::tenant_id.eq(tenant.0))
            .filter(app_user::id.eq_any(ids.clone()))
            .select((app_user::id, app_user::name));
        let guests = diner::table
            .filter(diner::tenant_id.eq(tenant.0))
            .filter(diner::id.eq_any(ids.clone()))
            .select((diner::id, diner::name));
        let keys = api_key::table
            .filter(api_key::tenant_id.eq(tenant.0))
            .filter(api_key::id.eq_any(ids))
            .select((api_key::id, api_key::name));
        let all = staff.union_all(guests).union_all(keys);
        let names: Vec<(Uuid, String)> = all.load(&mut &*conn).await?;
        Ok(Self(names.into_iter().collect()))
    }

    /// The guests of a visit, without a query.
    pub fn of_diners<'a>(diners: impl IntoIterator<Item = &'a Diner>) -> Self {
        Self(
            diners
                .into_iter()
                .map(|diner| (diner.id.0, diner.name.clone()))
                .collect(),
        )
    }

    /// And these.
    #[must_use]
    pub fn with(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// The name, if the id is known.
    pub fn name(&self, id: Option<Uuid>) -> Option<&str> {
        id.and_then(|id| self.0.get(&id)).map(String::as_str)
    }
}

/// The id of whoever left a stamp, if they have a name.
pub(crate) fn person(stamp: Option<&Stamp>) -> Option<Uuid> {
    stamp
        .filter(|stamp| matches!(stamp.kind, ActorKind::Diner | ActorKind::User | ActorKind::ApiKey))
        .and_then(|stamp| stamp.id)
}
