//! `comanda db-migrate`: brings the schema of the database up to date.

use comanda_infrastructure::postgres::{Database, known_migrations};
use serde::Serialize;

use super::open::config;
use crate::columns::{self, Side};
use crate::failure::Failure;
use crate::output::Output;

/// What was done, or would be.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Migrated {
    from: Option<String>,
    to: Option<String>,
    dry_run: bool,
    steps: Vec<Step>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Step {
    version: String,
    name: String,
    direction: &'static str,
}

/// Runs what is pending, or only shows it.
///
/// # Errors
/// Settings, the database, or a migration.
pub async fn run(dry_run: bool, output: Output) -> Result<(), Failure> {
    let config = config()?;
    let names = if dry_run {
        Database::pending(&config).await?
    } else {
        let database = Database::open_for_command(&config, true).await?;
        let applied = database.applied.clone();
        database.close().await?;
        applied
    };
    let migrated = Migrated::of(&known_migrations(), &names, dry_run);
    if output.json {
        output.document(&migrated)?;
    } else if migrated.steps.is_empty() {
        output.talk(&format!(
            "The schema is up to date: {}",
            migrated.to.as_deref().unwrap_or("empty")
        ));
    } else {
        output.text(&migrated.table())?;
    }
    Ok(())
}

impl Migrated {
    /// `known` and `names` are sorted, and migrations run in that order.
    fn of(known: &[String], names: &[String], dry_run: bool) -> Self {
        let before = known
            .iter()
            .rev()
            .find(|name| names.first().is_none_or(|first| *name < first));
        let from = before.map(|name| parts(name).0.to_owned());
        let to = names
            .last()
            .map(|name| parts(name).0.to_owned())
            .or_else(|| from.clone());
        let steps = names.iter().map(|name| {
            let (version, name) = parts(name);
            Step {
                version: version.to_owned(),
                name: name.to_owned(),
                direction: "up",
            }
        });
        Self {
            from,
            to,
            dry_run,
            steps: steps.collect(),
        }
    }

    fn table(&self) -> String {
        let heads = [
            (Side::Left, "VERSION"),
            (Side::Left, "NAME"),
            (Side::Left, "DIRECTION"),
        ];
        let row = |step: &Step| vec![step.version.clone(), step.name.clone(), step.direction.to_owned()];
        columns::table(&heads, &self.steps.iter().map(row).collect::<Vec<_>>())
    }
}

/// `2026-11-24-000100_roles` is version and name.
fn parts(migration: &str) -> (&str, &str) {
    migration.split_once('_').unwrap_or((migration, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_versions_before_and_after() {
        let known = names(&[
            "2026-11-24-000100_roles",
            "2026-11-24-000200_tenancy",
            "2026-11-24-000300_people",
        ]);
        let range = |pending: &[String]| {
            let migrated = Migrated::of(&known, pending, true);
            (migrated.from, migrated.to, migrated.steps.len())
        };
        let version = |number: &str| Some(format!("2026-11-24-000{number}00"));
        assert_eq!(range(&known), (None, version("3"), 3));
        assert_eq!(range(&known[1..]), (version("1"), version("3"), 2));
        assert_eq!(range(&[]), (version("3"), version("3"), 0));
    }
}
