//! `comanda api-key …`: the keys of integrations.

mod end;
mod list;
mod make;
mod sign;

pub use end::run as revoke;
pub use list::run as list;
pub use make::{create, rotate};
pub use sign::run as sign;

use comanda_domain::ids::{ApiKeyId, TenantId};
use comanda_infrastructure::api_keys::ApiKeyService;
use comanda_infrastructure::config::Config;
use comanda_infrastructure::postgres::Database;
use comanda_infrastructure::refusal::Refusal;
use comanda_security::api_key::{ApiKeyPeppers, KeyId};
use comanda_security::seal::SealKeys;

use crate::exit::Exit;
use crate::failure::Failure;

fn service(database: &Database, config: &Config) -> ApiKeyService {
    ApiKeyService::new(
        database.db.clone(),
        ApiKeyPeppers::new(config.keys.peppers.clone()),
        SealKeys::new(&config.keys.master),
    )
}

async fn tenant(keys: &ApiKeyService, slug: Option<&str>) -> Result<TenantId, Failure> {
    let found = keys.tenant(slug).await?;
    found.ok_or_else(|| match slug {
        Some(slug) => {
            let message = format!("there is no restaurant {slug}");
            Failure::new(Exit::NotFound, "tenant_not_found", message, "look at --tenant")
        }
        None => Failure::new(
            Exit::Usage,
            "tenant_needed",
            "there is not exactly one restaurant",
            "say which: --tenant SLUG",
        ),
    })
}

async fn find(keys: &ApiKeyService, id: &KeyId) -> Result<(TenantId, ApiKeyId), Failure> {
    let found = keys.find_shown(id).await?;
    found.ok_or_else(|| {
        let message = format!("there is no key {id}");
        Failure::new(
            Exit::NotFound,
            "key_not_found",
            message,
            "see `comanda api-key list`",
        )
    })
}

/// How a refusal of this kind of work ends.
fn refused(refusal: Refusal) -> Failure {
    let message = refusal.to_string();
    match refusal {
        Refusal::NotFound => {
            let hint = "look at the ids: branches must be the restaurant's own";
            Failure::new(Exit::NotFound, "not_found", message, hint)
        }
        Refusal::Rotation(_) => {
            let hint = "see `comanda api-key list`; --force ends the older of two secrets";
            Failure::new(Exit::Conflict, "api_key_wrong_state", message, hint)
        }
        other => other.into(),
    }
}
