//! The `comanda` binary on a database.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use comanda_testkit::cluster::{TestDatabase, vars};
use serde_json::Value;

/// What a command said, and how it ended.
#[derive(Debug)]
pub struct Said {
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Said {
    /// The one document on stdout.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code of the error on stderr.
    pub fn error(&self) -> String {
        let document: Value =
            serde_json::from_str(&self.stderr).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        document["error"]["code"].as_str().unwrap().to_owned()
    }
}

/// Runs it with these arguments, split at spaces.
pub async fn comanda(database: &TestDatabase, line: &str) -> Said {
    comanda_with(database, line, &BTreeMap::new()).await
}

/// With further settings.
pub async fn comanda_with(database: &TestDatabase, line: &str, extra: &BTreeMap<String, String>) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_comanda"));
    command
        .args(line.split(' '))
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .envs(vars(&database.url, extra))
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap();
    Said {
        exit: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
