use std::fmt;

/// One thing that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The setting.
    pub setting: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to do.
    pub hint: String,
}

/// Everything that is wrong with the settings; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblems(pub Vec<Problem>);

impl fmt::Display for ConfigProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        write!(
            f,
            "{count} problem{} with the configuration",
            if count == 1 { "" } else { "s" }
        )?;
        for Problem {
            setting,
            problem,
            hint,
        } in &self.0
        {
            write!(f, "\n  {setting} {problem}: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigProblems {}
