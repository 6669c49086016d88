//! Of `comanda api-key …`.

use std::path::PathBuf;

use chrono::TimeDelta;
use clap::{Args, Subcommand};
use comanda_domain::Timestamp;
use comanda_domain::ids::BranchId;
use comanda_infrastructure::api_keys::{NewApiKey, Rotation};
use comanda_security::api_key::{IpNet, KeyId, Overlap, parse_network};
use comanda_security::policy::Scope;

/// Longest text that is kept with a key, in characters: its name, a reason.
const NAME_CHARS: usize = 80;
const REASON_CHARS: usize = 200;

/// Commands on the keys of integrations.
#[derive(Debug, Subcommand)]
pub enum ApiKeyCommand {
    /// Make a key; it is shown once
    Create(CreateArgs),
    /// Show keys, newest first, never their secrets
    List(ListArgs),
    /// Give a key another secret; it is shown once
    Rotate(RotateArgs),
    /// End a key, everywhere within a second
    Revoke(RevokeArgs),
    /// Print the headers of a signed request
    Sign(SignArgs),
}

/// Whose keys.
#[derive(Debug, Args)]
pub struct TenantArgs {
    /// Which restaurant; needed where there are several
    #[arg(long, value_name = "SLUG")]
    pub tenant: Option<String>,
}

/// Of `api-key create`.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  comanda api-key create --name Till --scopes menu:read --branches brn_01m6e22wg0emzvcdygnjcdzsef\n  \
                   comanda api-key create --name Till --scopes tickets:read,tickets:write \
                   --branches brn_01m6e22wg0emzvcdygnjcdzsef --expires 90d --require-signature --json"
)]
pub struct CreateArgs {
    /// What you call it
    #[arg(long, value_parser = name)]
    name: String,
    /// What it may, with commas: menu:read,tickets:read
    #[arg(long, required = true, value_delimiter = ',', value_parser = scope)]
    scopes: Vec<Scope>,
    /// Where it acts, with commas
    #[arg(long, required = true, value_delimiter = ',', value_name = "BRANCHES")]
    branches: Vec<BranchId>,
    /// When it ends: 90d, 12h; never if not said
    #[arg(long, value_parser = span, value_name = "SPAN")]
    expires: Option<TimeDelta>,
    /// From which networks it may be used, with commas; from anywhere if not said
    #[arg(long, value_delimiter = ',', value_parser = network, value_name = "CIDR")]
    ip: Vec<IpNet>,
    /// It signs its requests, and is never sent
    #[arg(long)]
    require_signature: bool,
    #[command(flatten)]
    pub tenant: TenantArgs,
}

impl CreateArgs {
    /// What is to be made.
    pub fn key(&self, now: Timestamp) -> NewApiKey {
        let mut scopes = self.scopes.clone();
        scopes.sort();
        scopes.dedup();
        let mut branches = self.branches.clone();
        branches.sort();
        branches.dedup();
        NewApiKey {
            name: self.name.clone(),
            scopes,
            branches,
            expires_at: self.expires.map(|span| now + span),
            ip_allow: (!self.ip.is_empty()).then(|| self.ip.clone()),
            requires_signature: self.require_signature,
        }
    }
}

/// Of `api-key list`.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  comanda api-key list\n  comanda api-key list --tenant buen-sabor --json"
)]
pub struct ListArgs {
    #[command(flatten)]
    pub tenant: TenantArgs,
}

/// Of `api-key rotate`.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  comanda api-key rotate 041061050r3gg28a\n  \
                   comanda api-key rotate 041061050r3gg28a --overlap 0 --force")]
pub struct RotateArgs {
    /// Which key, by the part of it that may be shown
    #[arg(value_parser = key_id, value_name = "KEY_ID")]
    pub id: KeyId,
    /// How long the secret before goes on working: 0, 1h, 24h, 7d
    #[arg(long, default_value = "24h", value_parser = overlap)]
    overlap: Overlap,
    /// Also while the secret before the present one still works, which then ends
    #[arg(long)]
    force: bool,
}

impl RotateArgs {
    /// How.
    pub fn rotation(&self) -> Rotation {
        Rotation {
            overlap: self.overlap,
            force: self.force,
        }
    }
}

/// Of `api-key revoke`.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  comanda api-key revoke 041061050r3gg28a --reason \"laptop lost\"\n  \
                   comanda api-key revoke 041061050r3gg28a --yes --json"
)]
pub struct RevokeArgs {
    /// Which key, by the part of it that may be shown
    #[arg(value_parser = key_id, value_name = "KEY_ID")]
    pub id: KeyId,
    /// Why, for the log: 200 characters at most
    #[arg(long, value_parser = reason, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// Of `api-key sign`.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  comanda api-key sign GET http://localhost:8080/v1/integration/me\n  \
                   comanda api-key sign POST /v1/integration/webhooks --body webhook.json --json",
    after_help = "COMANDA_KEY_ID and COMANDA_SIGNING_SECRET hold the key id and its signing secret."
)]
pub struct SignArgs {
    /// GET, POST, …
    pub method: String,
    /// The address that will be asked, or its path and query
    pub url: String,
    /// The file with the body
    #[arg(long, value_name = "FILE")]
    pub body: Option<PathBuf>,
    /// Which key signs, by the part of it that may be shown
    #[arg(long, env = "COMANDA_KEY_ID", value_parser = key_id, value_name = "KEY_ID")]
    pub key_id: KeyId,
}

fn key_id(text: &str) -> Result<KeyId, String> {
    KeyId::parse(text).map_err(|_| "the 16 characters behind cmd_live_ or cmd_test_".to_owned())
}

fn scope(text: &str) -> Result<Scope, String> {
    Scope::parse(text).ok_or_else(|| format!("one of {}", Scope::NAMES.join(", ")))
}

fn overlap(text: &str) -> Result<Overlap, String> {
    Overlap::parse(text).ok_or_else(|| format!("one of {}", Overlap::NAMES.join(", ")))
}

fn network(text: &str) -> Result<IpNet, String> {
    parse_network(text).map_err(|error| error.to_string())
}

fn name(text: &str) -> Result<String, String> {
    of_at_most(text, NAME_CHARS)
}

fn reason(text: &str) -> Result<String, String> {
    of_at_most(text, REASON_CHARS)
}

fn of_at_most(text: &str, most: usize) -> Result<String, String> {
    if (1..=most).contains(&text.chars().count()) {
        Ok(text.to_owned())
    } else {
        Err(format!("1 to {most} characters"))
    }
}

fn span(text: &str) -> Result<TimeDelta, String> {
    let hours = text
        .strip_suffix('d')
        .map(|days| (days, 24))
        .or_else(|| text.strip_suffix('h').map(|hours| (hours, 1)))
        .and_then(|(number, hours)| number.parse::<u32>().ok().map(|n| i64::from(n) * hours));
    hours
        .filter(|hours| (1..=24 * 36_500).contains(hours))
        .map(TimeDelta::hours)
        .ok_or_else(|| "days or hours such as 90d or 12h".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        assert_eq!(span("90d"), Ok(TimeDelta::days(90)));
        assert_eq!(span("12h"), Ok(TimeDelta::hours(12)));
        for wrong in ["", "d", "0d", "-1d", "90", "1.5h", "99999999d"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }
}
