//! What the command line needs besides: which restaurant, and which key by the part of it that may be shown.

use comanda_domain::ids::{ApiKeyId, TenantId};
use comanda_security::api_key::KeyId;

use super::{ApiKeyService, store};
use crate::db::Ask;
use crate::refusal::Refusal;
use crate::staff::store::{tenant_of_slug, tenants};
use crate::views::{ApiKeyView, api_key};

/// More keys than any restaurant has.
const MOST: i64 = 10_000;

impl ApiKeyService {
    /// The restaurant of this name; without a name, the only one there is.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn tenant(&self, slug: Option<&str>) -> Result<Option<TenantId>, Refusal> {
        self.db
            .directory(async |conn| match slug {
                Some(slug) => Ok(tenant_of_slug(conn, slug).await?),
                None => Ok(match tenants(conn).await?.as_slice() {
                    [only] => Some(*only),
                    _ => None,
                }),
            })
            .await
    }

    /// The key that shows this, and whose it is.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn find_shown(&self, id: &KeyId) -> Result<Option<(TenantId, ApiKeyId)>, Refusal> {
        let tenant = self
            .db
            .directory(async |conn| Ok(store::tenant_of(conn, id).await?))
            .await?;
        let Some(tenant) = tenant else {
            return Ok(None);
        };
        let found = self
            .db
            .read(tenant, async |conn| Ok(store::presented(conn, tenant, id).await?))
            .await?;
        Ok(found.map(|((row, _), _)| (tenant, row.id.into())))
    }

    /// All keys of a restaurant, newest first.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn all(&self, tenant: TenantId) -> Result<Vec<ApiKeyView>, Refusal> {
        let found = self
            .db
            .read(tenant, async |conn| {
                Ok(store::all(conn, tenant, None, MOST).await?)
            })
            .await?;
        let now = self.db.sources().now();
        Ok(found
            .iter()
            .map(|(row, branches)| api_key(row, branches, now))
            .collect())
    }

    /// The frame of an operation that nobody asks for over the network.
    pub fn ask(&self, tenant: TenantId) -> Ask {
        self.ask_of_system(tenant)
    }
}
