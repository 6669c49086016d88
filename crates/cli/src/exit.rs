//! Exit codes, the same for every command (`comanda help exit-codes`).

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Success,
    /// Not done.
    Failed,
    /// The command line or the configuration makes no sense.
    Usage,
    /// What it is about is not there.
    NotFound,
    /// The caller may not do it.
    NotAllowed,
    /// Refused by the state that things are in.
    Conflict,
    /// A check found problems.
    ProblemsFound,
    /// Nobody answers, or not in time.
    Unreachable,
    /// Too often.
    RateLimited,
    /// Somebody pressed Ctrl-C.
    Interrupted,
}

/// The page of `comanda help exit-codes`.
pub const HELP: &str = "\
0    success
1    failed
2    usage or configuration
3    not found
4    not allowed
5    conflict, or refused by state
6    a check found problems
7    unreachable or timed out
8    rate limited
130  interrupted
";

impl Exit {
    /// The number that the shell sees.
    pub const fn number(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::NotAllowed => 4,
            Self::Conflict => 5,
            Self::ProblemsFound => 6,
            Self::Unreachable => 7,
            Self::RateLimited => 8,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}
