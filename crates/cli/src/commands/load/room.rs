//! The room before the load: guests at the tables of the demo restaurant.

use comanda_infrastructure::demo::BUEN_SABOR;
use serde_json::json;

use crate::client::{Branch, Client, Login, Menu, Opened, Page, QrCode, Registered, Table};
use crate::exit::Exit;
use crate::failure::Failure;

/// The branch.
const BRANCH: &str = "centro";
/// What everybody drinks: a dish without choices.
const DISH: &str = "limonada";

/// A guest who will order.
#[derive(Debug, Clone)]
pub(super) struct Guest {
    /// Opens the guests' addresses.
    pub(super) token: String,
    /// What they order.
    pub(super) product: String,
}

/// The branch with its people.
#[derive(Debug, Clone)]
pub(super) struct Room {
    /// The branch's id.
    pub(super) branch: String,
    pub(super) guests: Vec<Guest>,
    /// Tokens: the owner's, the manager's, a waiter's and a cook's.
    pub(super) olga: String,
    pub(super) marta: String,
    pub(super) leo: String,
    pub(super) nora: String,
}

/// Seats so many guests, and lets the people of the branch log in.
pub(super) async fn furnish(client: &Client, guests: usize) -> Result<Room, Failure> {
    let marta = log_in(client, "Marta").await?;
    let branch = branch(client, &marta).await?;
    Ok(Room {
        guests: sit_around(client, &marta, &branch, guests).await?,
        branch,
        olga: log_in(client, "Olga").await?,
        marta,
        leo: log_in(client, "Leo").await?,
        nora: log_in(client, "Nora").await?,
    })
}

/// Seats so many guests, one at each table and then again from the first.
pub(super) async fn seat(client: &Client, guests: usize) -> Result<Vec<Guest>, Failure> {
    let marta = log_in(client, "Marta").await?;
    let branch = branch(client, &marta).await?;
    sit_around(client, &marta, &branch, guests).await
}

async fn sit_around(
    client: &Client,
    marta: &str,
    branch: &str,
    guests: usize,
) -> Result<Vec<Guest>, Failure> {
    let codes = codes(client, marta, branch).await?;
    let mut seated = Vec::new();
    for code in codes.iter().cycle().take(guests) {
        seated.push(sit_down(client, code).await?);
    }
    if seated.len() < guests {
        return Err(missing("a table that takes guests"));
    }
    Ok(seated)
}

fn missing(what: &str) -> Failure {
    let message = format!("the demo restaurant lacks {what}");
    Failure::new(
        Exit::NotFound,
        "demo_missing",
        message,
        "comanda db-seed, or close a table",
    )
}

async fn log_in(client: &Client, name: &str) -> Result<String, Failure> {
    let person = BUEN_SABOR.people.iter().find(|person| person.name == name);
    let person = person.ok_or_else(|| missing(name))?;
    let body = json!({ "tenant": BUEN_SABOR.slug, "email": person.email, "password": person.password });
    let login: Login = client.post("/v1/auth/login").body(body).send().await?.json(200)?;
    Ok(login.access_token)
}

async fn branch(client: &Client, marta: &str) -> Result<String, Failure> {
    let draft = client.get("/v1/admin/branches").bearer(marta);
    let branches: Page<Branch> = draft.send().await?.json(200)?;
    let branch = branches.data.into_iter().find(|branch| branch.slug == BRANCH);
    Ok(branch.ok_or_else(|| missing(BRANCH))?.id)
}

/// What is printed on the tables that take guests.
async fn codes(client: &Client, marta: &str, branch: &str) -> Result<Vec<String>, Failure> {
    let draft = client.get(format_args!("/v1/admin/branches/{branch}/tables"));
    let draft = draft.query("limit", "200").bearer(marta);
    let tables: Page<Table> = draft.send().await?.json(200)?;
    let mut codes = Vec::new();
    for table in tables.data {
        if ["free", "open"].contains(&table.status.as_str()) {
            let draft = client.get(format_args!("/v1/admin/tables/{}/qr", table.id));
            let sticker: QrCode = draft.bearer(marta).send().await?.json(200)?;
            codes.push(sticker.code);
        }
    }
    Ok(codes)
}

async fn sit_down(client: &Client, code: &str) -> Result<Guest, Failure> {
    let draft = client
        .post("/v1/public/tables/open")
        .body(json!({ "code": code }));
    let answer = draft.send().await?;
    let opened: Opened = answer.json(if answer.status == 200 { 200 } else { 201 })?;
    let draft = client.post("/v1/diner/register").bearer(&opened.table_token);
    let registered: Registered = draft.body(json!({ "name": "Load" })).send().await?.json(201)?;
    let token = registered.diner_token;
    let menu: Menu = client
        .get("/v1/diner/menu")
        .bearer(&token)
        .send()
        .await?
        .json(200)?;
    let product = menu.product(DISH).ok_or_else(|| missing(DISH))?;
    Ok(Guest {
        token,
        product: product.id.clone(),
    })
}
