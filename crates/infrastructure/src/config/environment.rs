use super::reader::Reader;
use super::settings;

/// What kind of installation this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// On somebody's own machine.
    Development,
    /// Under the tests.
    Test,
    /// As in production, for trying things out.
    Staging,
    /// For guests.
    Production,
}

impl Environment {
    const ALL: [Self; 4] = [Self::Development, Self::Test, Self::Staging, Self::Production];

    /// Its name in `COMANDA_ENV`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Test => "test",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }

    /// Staging and production: nothing is made up, nothing is lenient.
    pub const fn is_guarded(self) -> bool {
        matches!(self, Self::Staging | Self::Production)
    }
}

impl std::fmt::Display for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// There is no value to fall back on: a misspelt `production` must not become `development`, nor must a server
/// with a database of its own that merely forgot to say what it is.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Environment> {
    const HINT: &str = "set it to development, test, staging or production";
    if reader.is_given(&settings::ENV) {
        let parse = |text: &str| {
            let known = Environment::ALL.into_iter().find(|known| known.as_str() == text);
            known.ok_or_else(|| format!("{text:?} is not an environment"))
        };
        return reader.parsed_or(&settings::ENV, HINT, parse);
    }
    if reader.is_given(&settings::DATABASE_URL) {
        reader.missing(&settings::ENV, HINT);
        return None;
    }
    Some(Environment::Development)
}
