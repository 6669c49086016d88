//! `comanda api-key create` and `comanda api-key rotate`: what is secret is shown once, and alone on stdout.

use comanda_infrastructure::api_keys::KeyManager;
use comanda_infrastructure::config::Config;
use comanda_infrastructure::idempotency::Stored;
use comanda_infrastructure::postgres::Database;
use serde_json::{Map, Value};

use super::{find, refused, service, tenant};
use crate::args::{CreateArgs, RotateArgs};
use crate::commands::open::config;
use crate::failure::Failure;
use crate::operator;
use crate::output::Output;

/// Makes a key and shows it.
///
/// # Errors
/// Settings, the database, or a branch that is not the restaurant's.
pub async fn create(args: &CreateArgs, output: Output) -> Result<(), Failure> {
    let config = config()?;
    let database = Database::open_for_command(&config, false).await?;
    let made = make(&database, &config, args).await;
    database.close().await?;
    let members = ["id", "key_id", "key", "signing_secret", "expires_at"];
    show(&made?, &members, output)
}

async fn make(database: &Database, config: &Config, args: &CreateArgs) -> Result<Stored, Failure> {
    let keys = service(database, config);
    let tenant = tenant(&keys, args.tenant.tenant.as_deref()).await?;
    let new = args.key(database.db.sources().now());
    let name = operator::name();
    let (ask, who) = (keys.ask(tenant), KeyManager::Operator(&name));
    keys.create(&ask, &who, &new).await.map_err(refused)
}

/// Gives a key another secret and shows it.
///
/// # Errors
/// Settings, the database, a key that is not there or may not be rotated.
pub async fn rotate(args: &RotateArgs, output: Output) -> Result<(), Failure> {
    let config = config()?;
    let database = Database::open_for_command(&config, false).await?;
    let renewed = renew(&database, &config, args).await;
    database.close().await?;
    let members = ["key_id", "key", "signing_secret", "previous_valid_until"];
    show(&renewed?, &members, output)
}

async fn renew(database: &Database, config: &Config, args: &RotateArgs) -> Result<Stored, Failure> {
    let keys = service(database, config);
    let (tenant, id) = find(&keys, &args.id).await?;
    let name = operator::name();
    let (ask, who) = (keys.ask(tenant), KeyManager::Operator(&name));
    keys.rotate(&ask, &who, id, None, args.rotation())
        .await
        .map_err(refused)
}

/// The key alone, and what signs below it if it signs; as JSON, these members.
fn show(stored: &Stored, members: &[&str], output: Output) -> Result<(), Failure> {
    let mut issued: Map<String, Value> =
        serde_json::from_slice(&stored.body).map_err(std::io::Error::from)?;
    if let Some(key) = issued.remove("secret") {
        issued.insert("key".to_owned(), key);
    }
    if output.json {
        issued.retain(|name, _| members.contains(&name.as_str()));
        output.document(&issued)?;
        return Ok(());
    }
    let secrets = ["key", "signing_secret"].map(|name| issued.get(name).and_then(Value::as_str));
    for secret in secrets.into_iter().flatten() {
        output.text(&format!("{secret}\n"))?;
    }
    output.talk("Keep it now: it is not shown again");
    Ok(())
}
