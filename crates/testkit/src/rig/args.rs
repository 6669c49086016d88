//! What the rig is told.

use std::path::PathBuf;
use std::time::Duration;

use comanda_infrastructure::failpoint::DEFECTS;

/// How to use it.
pub const USAGE: &str =
    "comanda-rig [--seed N] [--kills N] [--pace-ms N] [--parties N] [--plant DEFECT] [--program PATH]";

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
    /// A defect that all servers are to have.
    pub plant: Option<String>,
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
            plant: None,
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
                "--plant" if DEFECTS.contains(&value.as_str()) => args.plant = Some(value),
                "--plant" => return Err(format!("--plant: {value} is none of {}", DEFECTS.join(", "))),
                "--program" => args.program = Some(PathBuf::from(value)),
                _ => return Err(format!("{name} is unknown")),
            }
        }
        Ok(args)
    }

    /// The command that runs the same again.
    pub fn again(&self) -> String {
        let plant = self.plant.as_ref().map(|plant| format!(" --plant {plant}"));
        format!(
            "cargo build --workspace --bins && target/debug/comanda-rig --seed {} --kills {} --pace-ms {} --parties {}{}",
            self.seed,
            self.kills,
            self.pace.as_millis(),
            self.parties,
            plant.unwrap_or_default()
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
        let args =
            read("--seed 9 --kills 12 --pace-ms 700 --parties 2 --plant replay_before_attach").unwrap();
        let again = args.again();
        let (_, arguments) = again.split_once("comanda-rig ").unwrap();
        assert_eq!(read(arguments).unwrap(), args);
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(read("--sede 9").unwrap_err(), "--sede is unknown");
        assert_eq!(read("--seed").unwrap_err(), "--seed needs a value");
        let unknown = read("--plant replay").unwrap_err();
        assert!(
            unknown.starts_with("--plant: replay is none of cursor_over_identity"),
            "{unknown}"
        );
        assert_eq!(read("--seed x").unwrap_err(), "--seed: x is no number");
    }
}
