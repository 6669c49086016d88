//! Steps 1 to 7: the staff logs in, the guests sit down and read the menu.

use comanda_infrastructure::demo::BUEN_SABOR;
use serde_json::json;

use super::evening::{Evening, Party, Person, amounts, same};
use super::expected::{self, CHEESE, Dish, EGG, LEMONADE, NAMES, PASTY, STEAK};
use super::{Cause, MOST_GUESTS};
use crate::client::{Branch, Login, Menu, Opened, Page, QrCode, Registered, Session, Table};

/// The branch of the dinner.
const BRANCH: &str = "centro";

pub(super) async fn arrive(evening: &mut Evening<'_>) -> Result<Party, Cause> {
    evening.at(1);
    let marta = log_in(evening, "Marta").await?;
    let leo = log_in(evening, "Leo").await?;
    let nora = log_in(evening, "Nora").await?;
    let (branch, table, code) = find_table(evening, &marta).await?;
    let (session, phones) = scan(evening, &table, &code).await?;
    let guests = register(evening, phones).await?;
    let ana = guests.first().ok_or_else(|| missing("guest"))?;
    let menu = read_menu(evening, ana).await?;
    Ok(Party {
        marta,
        leo,
        nora,
        branch,
        table,
        session,
        guests,
        menu,
    })
}

fn missing(what: impl Into<String>) -> Cause {
    Cause::Missing { what: what.into() }
}

async fn log_in(evening: &mut Evening<'_>, name: &'static str) -> Result<Person, Cause> {
    let person = BUEN_SABOR
        .people
        .iter()
        .find(|person| person.name == name)
        .ok_or_else(|| missing(name))?;
    let body = json!({ "tenant": BUEN_SABOR.slug, "email": person.email, "password": person.password });
    let login: Login = evening
        .client
        .post("/v1/auth/login")
        .body(body)
        .send()
        .await?
        .json(200)?;
    evening
        .show(name, format!("logs in as {}", person.email), None, "ok")
        .await?;
    Ok(Person {
        name,
        id: String::new(),
        token: login.access_token,
    })
}

async fn find_table(evening: &mut Evening<'_>, marta: &Person) -> Result<(Branch, Table, String), Cause> {
    evening.at(2);
    let branches: Page<Branch> = evening
        .client
        .get("/v1/admin/branches")
        .bearer(&marta.token)
        .send()
        .await?
        .json(200)?;
    let branch = branches.data.into_iter().find(|branch| branch.slug == BRANCH);
    let branch = branch.ok_or_else(|| missing(format!("branch {BRANCH}")))?;
    evening
        .show(marta.name, format!("opens {}", branch.name), None, "ok")
        .await?;

    evening.at(3);
    let wanted = evening.options.table.clone();
    let table = table_now(evening, marta, &branch.id, &wanted).await?;
    if table.status != "free" {
        let free = free_table(evening, marta, &branch.id).await?;
        return Err(Cause::TableInUse {
            table: table.code,
            status: table.status,
            free,
        });
    }
    evening
        .show(
            marta.name,
            format!("finds table {}", table.code),
            None,
            &table.status,
        )
        .await?;

    evening.at(4);
    let path = format!("/v1/admin/tables/{}/qr", table.id);
    let sticker: QrCode = evening
        .client
        .get(path)
        .bearer(&marta.token)
        .send()
        .await?
        .json(200)?;
    evening
        .show(marta.name, "prints the sticker of the table", None, "ok")
        .await?;
    Ok((branch, table, sticker.code))
}

/// The table with the given code, as it is now.
pub(super) async fn table_now(
    evening: &Evening<'_>,
    marta: &Person,
    branch: &str,
    code: &str,
) -> Result<Table, Cause> {
    let path = format!("/v1/admin/branches/{branch}/tables");
    let draft = evening.client.get(path).query("code", code).bearer(&marta.token);
    let found: Page<Table> = draft.send().await?.json(200)?;
    found
        .data
        .into_iter()
        .find(|table| table.code == code)
        .ok_or_else(|| missing(format!("table {code}")))
}

async fn free_table(evening: &Evening<'_>, marta: &Person, branch: &str) -> Result<Option<String>, Cause> {
    let path = format!("/v1/admin/branches/{branch}/tables");
    let draft = evening
        .client
        .get(path)
        .query("limit", "200")
        .bearer(&marta.token);
    let all: Page<Table> = draft.send().await?.json(200)?;
    Ok(all
        .data
        .into_iter()
        .find(|table| table.status == "free")
        .map(|table| table.code))
}

/// Every phone scans the code; gives the visit and a table token per phone.
async fn scan(evening: &mut Evening<'_>, table: &Table, code: &str) -> Result<(Session, Vec<String>), Cause> {
    evening.at(5);
    let guests = evening.options.guests.clamp(1, MOST_GUESTS);
    let body = json!({ "code": code, "party_size": guests });
    let mut visit: Option<Session> = None;
    let mut phones = Vec::new();
    for name in NAMES.iter().take(guests) {
        let answer = evening
            .client
            .post("/v1/public/tables/open")
            .body(body.clone())
            .send()
            .await?;
        let opened: Opened = answer.json(if visit.is_none() { 201 } else { 200 })?;
        same("the session", opened.session.status.as_str(), "open")?;
        if let Some(visit) = &visit {
            same(
                "the session of the next phone",
                opened.session.id.as_str(),
                visit.id.as_str(),
            )?;
        } else {
            same("the seating", opened.session.seating, 1)?;
        }
        let did = if visit.is_none() { "opened" } else { "joined" };
        evening
            .show(name, format!("scans {}", table.code), None, did)
            .await?;
        phones.push(opened.table_token);
        visit.get_or_insert(opened.session);
    }
    Ok((visit.ok_or_else(|| missing("guest"))?, phones))
}

async fn register(evening: &mut Evening<'_>, phones: Vec<String>) -> Result<Vec<Person>, Cause> {
    evening.at(6);
    let mut guests = Vec::new();
    for (name, phone) in NAMES.into_iter().zip(phones) {
        let body = json!({ "name": name, "client_ref": format!("{}-phone-0001", name.to_lowercase()) });
        let draft = evening
            .client
            .post("/v1/diner/register")
            .bearer(&phone)
            .body(body);
        let registered: Registered = draft.send().await?.json(201)?;
        same("the name of the guest", registered.diner.name.as_str(), name)?;
        evening
            .show(name, "says who they are", None, "registered")
            .await?;
        guests.push(Person {
            name,
            id: registered.diner.id,
            token: registered.diner_token,
        });
    }
    Ok(guests)
}

async fn read_menu(evening: &mut Evening<'_>, ana: &Person) -> Result<Menu, Cause> {
    evening.at(7);
    let draft = evening
        .client
        .get("/v1/diner/menu")
        .query("lang", "es")
        .bearer(&ana.token);
    let menu: Menu = draft.send().await?.json(200)?;
    for dish in [STEAK, CHEESE, PASTY, LEMONADE] {
        let product = menu
            .product(dish.code)
            .ok_or_else(|| missing(format!("dish {}", dish.code)))?;
        amounts(&format!("the price of {}", dish.code), product.price, dish.price)?;
    }
    for option in [expected::RARE, EGG] {
        choice(&menu, option)?;
    }
    let dishes: usize = menu
        .categories
        .iter()
        .map(|category| category.products.len())
        .sum();
    evening
        .show(ana.name, format!("reads the menu: {dishes} dishes"), None, "ok")
        .await?;
    Ok(menu)
}

/// Looks whether the steak's option is on the menu for its price.
fn choice(menu: &Menu, option: Dish) -> Result<(), Cause> {
    let found = menu
        .product(STEAK.code)
        .and_then(|steak| steak.option(option.code));
    let found = found.ok_or_else(|| missing(format!("option {} of {}", option.code, STEAK.code)))?;
    amounts(
        &format!("the price of {}", option.code),
        found.price,
        option.price,
    )
}
