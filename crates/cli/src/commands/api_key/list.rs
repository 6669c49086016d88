//! `comanda api-key list`.

use comanda_infrastructure::config::Config;
use comanda_infrastructure::postgres::Database;
use comanda_infrastructure::views::ApiKeyView;
use serde::Serialize;

use super::{service, tenant};
use crate::args::KeyListArgs;
use crate::columns::{self, Side};
use crate::commands::open::config;
use crate::failure::Failure;
use crate::output::Output;

#[derive(Serialize)]
struct Page {
    data: Vec<ApiKeyView>,
}

/// Shows keys, newest first.
///
/// # Errors
/// Settings or the database.
pub async fn run(args: &KeyListArgs, output: Output) -> Result<(), Failure> {
    let config = config()?;
    let database = Database::open_for_command(&config, false).await?;
    let found = all(&database, &config, args).await;
    database.close().await?;
    let data = found?;
    if output.json {
        output.document(&Page { data })?;
    } else {
        output.text(&table(&data))?;
    }
    Ok(())
}

async fn all(database: &Database, config: &Config, args: &KeyListArgs) -> Result<Vec<ApiKeyView>, Failure> {
    let keys = service(database, config);
    let tenant = tenant(&keys, args.tenant.tenant.as_deref()).await?;
    Ok(keys.all(tenant).await?)
}

fn table(keys: &[ApiKeyView]) -> String {
    let heads = ["KEY ID", "NAME", "ENV", "SCOPES", "STATE", "EXPIRES", "LAST USED"];
    let heads = heads.map(|head| (Side::Left, head));
    let row = |key: &ApiKeyView| {
        vec![
            key.key_id.clone(),
            key.name.clone(),
            key.environment.clone(),
            key.scopes.join(","),
            key.state.clone(),
            key.expires_at.clone().unwrap_or_else(|| "-".to_owned()),
            key.last_used_at.clone().unwrap_or_else(|| "-".to_owned()),
        ]
    };
    columns::table(&heads, &keys.iter().map(row).collect::<Vec<_>>())
}
