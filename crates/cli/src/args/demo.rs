//! Of `comanda demo …`.

use clap::{Args, Subcommand};

use crate::commands::dinner::{DinnerOptions, MOST_GUESTS};

/// Things to try out.
#[derive(Debug, Subcommand)]
pub enum DemoCommand {
    /// Serve a whole dinner through the public interface of a running server
    Dinner(DinnerArgs),
}

/// Of `demo dinner`.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  comanda demo dinner\n  comanda demo dinner --table TER-02 --guests 8 --speed 3"
)]
pub struct DinnerArgs {
    /// Where the server is
    #[arg(long, env = "COMANDA_PUBLIC_URL", default_value = "http://localhost:8080")]
    pub url: String,
    /// A free table of Buen Sabor Centro
    #[arg(long, default_value = "SAL-01", value_name = "CODE")]
    table: String,
    /// How many sit down: 1 to 8
    #[arg(long, default_value = "3", value_parser = guests)]
    guests: usize,
    /// 2 is twice as fast, 0 does not wait between the steps
    #[arg(long, default_value = "1", value_parser = speed, value_name = "FACTOR")]
    speed: f64,
}

impl DinnerArgs {
    /// Which dinner.
    pub fn options(&self) -> DinnerOptions {
        DinnerOptions {
            table: self.table.clone(),
            guests: self.guests,
            speed: self.speed,
        }
    }
}

fn guests(text: &str) -> Result<usize, String> {
    let number = text
        .parse()
        .ok()
        .filter(|number| (1..=MOST_GUESTS).contains(number));
    number.ok_or_else(|| format!("a table has 1 to {MOST_GUESTS} guests"))
}

fn speed(text: &str) -> Result<f64, String> {
    let factor = text.parse().ok().filter(|factor| (0.0..=1000.0).contains(factor));
    factor.ok_or_else(|| "a factor from 0 to 1000".to_owned())
}
