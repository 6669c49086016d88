//! Of the commands that ask a running server for events: `comanda ws test`, `comanda events tail`.

use std::io::{self, BufRead};
use std::time::Duration;

use clap::{Args, Subcommand};
use comanda_domain::cursor::StreamCursor;
use comanda_domain::event::{TypeFilters, View};
use comanda_domain::ids::BranchId;
use comanda_infrastructure::config;
use secrecy::SecretString;

use crate::client::socket::SocketAddress;
use crate::commands::events::Tail;
use crate::commands::ws_test::WsTest;
use crate::failure::Failure;

/// Commands on sockets.
#[derive(Debug, Subcommand)]
pub enum WsCommand {
    /// Open a socket, say who you are, and hear whether everything works
    Test(WsTestArgs),
}

/// Commands on events.
#[derive(Debug, Subcommand)]
pub enum EventsCommand {
    /// Show what happens in a branch, as it happens
    Tail(TailArgs),
}

/// Who asks.
#[derive(Debug, Args)]
struct Credential {
    /// Read the token from stdin; `COMANDA_API_KEY` holds it otherwise
    #[arg(long)]
    token_stdin: bool,
}

impl Credential {
    fn token(&self) -> Result<Option<SecretString>, Failure> {
        if !self.token_stdin {
            return Ok(config::api_key());
        }
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        let token = line.trim();
        Ok((!token.is_empty()).then(|| token.to_owned().into()))
    }
}

/// Of `ws test`.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  comanda ws-test\n  \
                   comanda ws test --url ws://localhost:8080/v1/ws/integration --branch brn_01m6e22wg0emzvcdygnjcdzsef")]
pub struct WsTestArgs {
    /// Which socket
    #[arg(long, default_value = "ws://localhost:8080/v1/ws/waiter")]
    url: String,
    /// Which branch to listen to; guests need not say it
    #[arg(long)]
    branch: Option<BranchId>,
    #[command(flatten)]
    credential: Credential,
}

impl WsTestArgs {
    /// What is tried.
    pub fn test(&self, patience: Duration) -> Result<WsTest, Failure> {
        Ok(WsTest {
            address: SocketAddress::parse(&self.url)?,
            branch: self.branch,
            token: self.credential.token()?,
            patience,
        })
    }
}

/// Of `events tail`.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:\n  comanda events tail --branch brn_01m6e22wg0emzvcdygnjcdzsef\n  \
                   comanda events tail --branch brn_01m6e22wg0emzvcdygnjcdzsef --types \"round.*,check.paid\" --after 0 --json"
)]
pub struct TailArgs {
    /// Where the server is
    #[arg(long, env = "COMANDA_PUBLIC_URL", default_value = "http://localhost:8080")]
    pub url: String,
    /// Which branch; guests need not say it
    #[arg(long)]
    branch: Option<BranchId>,
    /// Names or families, with commas: `round.*,check.paid`
    #[arg(long, value_parser = types)]
    types: Option<String>,
    /// Through whose eyes: waiter, kitchen, admin, diner, integration
    #[arg(long, value_parser = view)]
    view: Option<View>,
    /// Begin after this number or cursor, such as 5f3a9c01-40, instead of now
    #[arg(long, value_parser = cursor, value_name = "CURSOR")]
    after: Option<StreamCursor>,
    /// End after so many events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    #[command(flatten)]
    credential: Credential,
}

impl TailArgs {
    /// What is followed.
    pub fn tail(&self, patience: Duration) -> Result<Tail, Failure> {
        Ok(Tail {
            branch: self.branch,
            types: self.types.clone(),
            view: self.view,
            after: self.after,
            count: self.count,
            token: self.credential.token()?,
            patience,
        })
    }
}

fn types(text: &str) -> Result<String, String> {
    match TypeFilters::parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn view(text: &str) -> Result<View, String> {
    View::parse(text).ok_or_else(|| "one of waiter, kitchen, admin, diner, integration".to_owned())
}

fn cursor(text: &str) -> Result<StreamCursor, String> {
    text.parse()
        .map_err(|_| "a number, or a cursor such as 5f3a9c01-40".to_owned())
}
