//! Of `comanda db …`.

use clap::{Args, Subcommand};

/// Commands on the database.
#[derive(Debug, Subcommand)]
pub enum DbCommand {
    /// Bring the schema of the database up to date
    Migrate(MigrateArgs),
    /// Put the demo restaurants into the database
    Seed(SeedArgs),
}

/// Of `db migrate`.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  comanda db-migrate\n  comanda db-migrate --dry-run")]
pub struct MigrateArgs {
    /// Only show what would run
    #[arg(long)]
    pub dry_run: bool,
}

/// Of `db seed`.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  comanda db-seed\n  comanda db-seed --json")]
pub struct SeedArgs {
    /// Also beside restaurants that are no demo
    #[arg(long)]
    pub force: bool,
}
