//! What the rig is told.

use std::path::PathBuf;
use std::time::Duration;

/// How to use it.
pub const USAGE: &str = "comanda-rig [--seed N] [--kills N] [--pace-ms N] [--parties N] [--program PATH]";

/// The settings of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Args {
    /// What decides the faults.
    pub seed: u64,
    /// How many processes are killed.
    pub kills: usize,
    /// The mean time between faults.
    pub pace: Duration,
    /// How many tables eat at once, at most 8.
    pub parties: usize,
    /// `comanda-api`; by default the one that lies beside this program.
    pub program: Option<PathBuf>,
}

impl Args {
    /// Reads them.
    pub fn read(given: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut args = Self {
            seed: 1,
            kills: 60,
            pace: Duration::from_millis(1_600),
            parties: 3,
            program: None,
        };
        let mut given = given.into_iter();
        while let Some(name) = given.next() {
            let value = given.next().ok_or_else(|| format!("{name} needs a value"))?;
            let number = || {
                value
                    .parse::<u64>()
                    .map_err(|_| format!("{name}: {value} is no number"))
            };
            let count = || usize::try_from(number()?).map_err(|_| format!("{name}: {value} is too large"));
            match name.as_str() {
                "--seed" => args.seed = number()?,
                "--kills" => args.kills = count()?,
                "--pace-ms" => args.pace = Duration::from_millis(number()?),
                "--parties" => args.parties = count()?.clamp(1, 8),
                "--program" => args.program = Some(PathBuf::from(value)),
                _ => return Err(format!("{name} is unknown")),
            }
        }
        Ok(args)
    }

    /// The command that runs the same again.
    pub fn again(&self) -> String {
        format!(
            "cargo build --workspace --bins && target/debug/comanda-rig --seed {} --kills {} --pace-ms {} --parties {}",
            self.seed,
            self.kills,
            self.pace.as_millis(),
            self.parties
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Args, String> {
        Args::read(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn the_command_to_repeat_is_understood() {
        let args = read("--seed 9 --kills 12 --pace-ms 700 --parties 2").unwrap();
        let again = args.again();
        let (_, arguments) = again.split_once("comanda-rig ").unwrap();
        assert_eq!(read(arguments).unwrap(), args);
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(read("--sede 9").unwrap_err(), "--sede is unknown");
        assert_eq!(read("--seed").unwrap_err(), "--seed needs a value");
        assert_eq!(read("--seed x").unwrap_err(), "--seed: x is no number");
    }
}
