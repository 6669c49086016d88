//! `comanda api-key revoke`.

use comanda_infrastructure::api_keys::KeyManager;
use comanda_infrastructure::config::Config;
use comanda_infrastructure::postgres::Database;
use serde::Serialize;

use super::{find, refused, service};
use crate::args::RevokeArgs;
use crate::commands::open::config;
use crate::confirm::confirm;
use crate::failure::Failure;
use crate::operator;
use crate::output::Output;

#[derive(Serialize)]
struct Revoked {
    key_id: String,
    changed: bool,
}

/// Ends a key.
///
/// # Errors
/// Settings, the database, or a key that is not there.
pub async fn run(args: &RevokeArgs, yes: bool, output: Output) -> Result<(), Failure> {
    let config = config()?;
    confirm("End this key for good?", yes)?;
    let database = Database::open_for_command(&config, false).await?;
    let changed = revoke(&database, &config, args).await;
    database.close().await?;
    let revoked = Revoked {
        key_id: args.id.to_string(),
        changed: changed?,
    };
    if output.json {
        output.document(&revoked)?;
    } else {
        output.text(if revoked.changed {
            "revoked\n"
        } else {
            "was revoked already\n"
        })?;
    }
    Ok(())
}

/// Whether it changed anything.
async fn revoke(database: &Database, config: &Config, args: &RevokeArgs) -> Result<bool, Failure> {
    let keys = service(database, config);
    let (tenant, id) = find(&keys, &args.id).await?;
    let name = operator::name();
    let (ask, who) = (keys.ask(tenant), KeyManager::Operator(&name));
    let (_, before) = keys.one(&ask, &who, id).await?;
    let reason = args.reason.as_deref();
    let revoked = keys.revoke(&ask, &who, id, None, reason).await.map_err(refused)?;
    Ok(revoked.version != Some(before))
}
