//! `comanda db-seed`: puts the demo restaurants into the database.

use comanda_infrastructure::demo::{SeedError, Seeded, SeededTenant, refuse_guarded, seed};
use comanda_infrastructure::postgres::Database;

use super::open::config;
use crate::columns::{self, Side};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Seeds what is missing and shows what there is.
///
/// # Errors
/// Settings, the database, or a refusal to seed there.
pub async fn run(force: bool, output: Output) -> Result<(), Failure> {
    let config = config()?;
    // Before anything is opened, started or migrated.
    refuse_guarded(config.environment)?;
    let database = Database::open_for_command(&config, false).await?;
    let seeded = seed(&database.db, &config, force).await;
    database.close().await?;
    show(&seeded?, output)
}

fn show(seeded: &Seeded, output: Output) -> Result<(), Failure> {
    if output.json {
        output.document(seeded)?;
        return Ok(());
    }
    output.text(&table(seeded))?;
    if seeded.tenants.iter().any(|tenant| tenant.created) {
        output
            .talk("People and passwords: docs/demo.md. Next: start the server and run `comanda demo dinner`");
    } else {
        output.talk("Everything was there already; nothing was changed");
    }
    Ok(())
}

fn table(seeded: &Seeded) -> String {
    let heads = [
        (Side::Left, "TENANT"),
        (Side::Right, "BRANCHES"),
        (Side::Right, "TABLES"),
        (Side::Right, "PRODUCTS"),
        (Side::Right, "USERS"),
    ];
    let row = |tenant: &SeededTenant| {
        let counts = [tenant.branches, tenant.tables, tenant.products, tenant.users];
        let mut row = vec![tenant.tenant.to_owned()];
        row.extend(counts.iter().map(ToString::to_string));
        row
    };
    columns::table(&heads, &seeded.tenants.iter().map(row).collect::<Vec<_>>())
}

impl From<SeedError> for Failure {
    fn from(error: SeedError) -> Self {
        let message = error.to_string();
        match error {
            SeedError::Environment(_) => {
                let hint = "seed a database of development or test, or create a tenant of your own";
                Self::new(Exit::Conflict, "environment_refused", message, hint)
            }
            SeedError::ForeignTenant { .. } => {
                let hint = "use another database, or add --force to put the demo beside it";
                Self::new(Exit::Conflict, "foreign_tenant", message, hint)
            }
            SeedError::Menu(_) | SeedError::Hashing => Self::new(
                Exit::Failed,
                "seed_failed",
                message,
                "run `comanda version` and report it",
            ),
            SeedError::Storage(refusal) => refusal.into(),
        }
    }
}
