//! `comanda version`: what exactly is installed.

use comanda_infrastructure::postgres::known_migrations;
use serde::Serialize;

use crate::failure::Failure;
use crate::output::Output;

#[derive(Serialize)]
struct About {
    #[serde(rename = "version")]
    release: &'static str,
    commit: &'static str,
    rustc: &'static str,
    /// The newest migration that this binary knows.
    schema: Option<String>,
    features: [&'static str; 0],
}

/// Shows it.
///
/// # Errors
/// A closed or full stdout.
pub fn run(output: Output) -> Result<(), Failure> {
    let about = About {
        release: env!("CARGO_PKG_VERSION"),
        commit: env!("COMANDA_COMMIT"),
        rustc: env!("COMANDA_RUSTC"),
        schema: known_migrations().pop(),
        features: [],
    };
    if output.json {
        output.document(&about)?;
    } else {
        let About {
            release,
            commit,
            rustc,
            schema,
            ..
        } = &about;
        let schema = schema.as_deref().unwrap_or("none");
        output.text(&format!(
            "comanda {release}\ncommit  {commit}\nrustc   {rustc}\nschema  {schema}\n"
        ))?;
    }
    Ok(())
}
