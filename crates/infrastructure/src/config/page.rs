//! The table as a page of the documentation.

use std::fmt::Write as _;

use super::settings::{DefaultValue, SETTINGS};

const HEAD: &str = "\
# Settings

Written from the table in `crates/infrastructure/src/config/settings.rs`; a test compares the two, and writes this
page when `COMANDA_UPDATE_DOCS=1` is set: `COMANDA_UPDATE_DOCS=1 cargo test -p comanda-infrastructure page`.

- Settings are environment variables. Any `NAME` may be given as `NAME_FILE`, a file that holds the value, but not
  both.
- Durations read `500ms`, `30s`, `15m`, `72h`.
- An empty value, or an unknown variable that begins with `COMANDA_`, is a problem. All problems are told at once, and
  nothing starts.
- In `development` and `test`, keys that are missing are generated once into `<data folder>/secrets.toml` and shared
  by all processes of that folder. In `staging` and `production` every key must be given: 32 bytes or more of real
  randomness (`openssl rand -base64 32`), no two equal.
- Secrets (🔒) are never shown.

| Setting | Default | Meaning |
|---|---|---|
";

/// `docs/configuration.md`, as it must read.
pub fn configuration_page() -> String {
    let mut page = HEAD.to_owned();
    for setting in SETTINGS {
        let default = match setting.default {
            DefaultValue::Text(text) => format!("`{text}`"),
            DefaultValue::Described(words) => words.to_owned(),
            DefaultValue::None => "–".to_owned(),
        };
        let lock = if setting.secret { " 🔒" } else { "" };
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            page,
            "| `{}`{lock} | {default} | {} |",
            setting.name, setting.meaning
        );
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "not a setting of the service: it lets the test write the page"
    )]
    fn the_page_shows_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
        if std::env::var("COMANDA_UPDATE_DOCS").is_ok_and(|update| update == "1") {
            std::fs::write(path, configuration_page()).unwrap();
        }
        let page = std::fs::read_to_string(path).unwrap();
        assert_eq!(
            page,
            configuration_page(),
            "write it again as its first lines say"
        );
    }
}
