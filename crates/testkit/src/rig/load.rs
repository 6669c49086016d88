//! Parties that eat, and staff who serve them, whatever happens.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::dice::Dice;
use super::fleet::Fleet;
use super::history::{Deed, Notes, Operation, Outcome};
use crate::{Answer, Client};

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(5);
/// How long somebody asks again before giving up.
const INSISTENCE: Duration = Duration::from_secs(25);

/// The people of the branch.
#[derive(Debug, Clone)]
pub struct Staff {
    /// Manager.
    pub marta: Client,
    /// Waiter.
    pub leo: Client,
    /// Kitchen.
    pub nora: Client,
    /// The branch.
    pub branch: String,
}

/// A guest at a table.
#[derive(Debug, Clone)]
pub struct Party {
    /// Which table.
    pub table: String,
    /// The visit.
    pub session: String,
    /// The guest's phone.
    pub phone: Client,
    /// Something to eat.
    pub dish: String,
}

/// Whoever sends requests, to one api process or the other.
#[derive(Debug)]
pub struct Sender {
    fleet: Arc<Fleet>,
    notes: Arc<Notes<Operation>>,
    dice: Dice,
}

/// A request.
struct Request<'a> {
    deed: Deed,
    path: &'a str,
    body: Value,
    key: Option<String>,
    round: Option<String>,
}

impl Sender {
    /// Who writes to `notes`.
    pub fn new(fleet: &Arc<Fleet>, notes: &Arc<Notes<Operation>>, dice: Dice) -> Self {
        Self {
            fleet: Arc::clone(fleet),
            notes: Arc::clone(notes),
            dice,
        }
    }

    /// Asks until there is an answer, with the same key, and writes down how it ended.
    async fn insist(&mut self, who: &Client, request: Request<'_>) -> Option<Answer> {
        let bytes = request.body.to_string().into_bytes();
        let mut caller = who.header("content-type", "application/json");
        if let Some(key) = &request.key {
            caller = caller.key(key);
        }
        let (began, mut attempts, mut last) = (Instant::now(), 0, String::new());
        let mut answer = None;
        while began.elapsed() < INSISTENCE && answer.is_none() {
            let Some(url) = self.fleet.api[self.dice.coin()].url() else {
                sleep(Duration::from_millis(20)).await;
                continue;
            };
            attempts += 1;
            let at = caller.at(&url);
            let sending = at.try_send(Method::POST, request.path, Some(bytes.clone()));
            match timeout(ANSWER, sending).await {
                Ok(Ok(given)) if is_final(&given) => answer = Some(given),
                Ok(Ok(given)) => last = format!("{} {}", given.status, given.at("/code")),
                Ok(Err(error)) => last = error.to_string(),
                Err(_) => last = format!("no answer within {ANSWER:?}"),
            }
            if answer.is_none() {
                sleep(Duration::from_millis(self.dice.between(20, 200))).await;
            }
        }
        let outcome = match &answer {
            Some(given) if given.status.is_success() => Outcome::Ok,
            Some(_) => Outcome::Fail,
            None => Outcome::Info,
        };
        let round = match (&answer, request.deed, outcome) {
            (Some(given), Deed::Place, Outcome::Ok) => given.at("/id").as_str().map(str::to_owned),
            _ => request.round,
        };
        if let Some(given) = &answer {
            last = format!("{} {}", given.status, given.at("/code"));
        }
        self.notes.add(Operation {
            deed: request.deed,
            key: request.key,
            outcome,
            round,
            attempts,
            last,
        });
        answer.filter(|given| given.status.is_success())
    }
}

/// Whether asking again would change nothing.
fn is_final(answer: &Answer) -> bool {
    let status = answer.status.as_u16();
    let later = status >= 500 || status == 429 || answer.at("/code") == "idempotency_in_flight";
    !later
}

/// A guest scans the code of the table and registers; while nothing goes wrong yet.
pub async fn seat(fleet: &Fleet, staff: &Staff, table: &str) -> Party {
    let url = fleet.api[0].up().await.expect("an api process runs").url;
    let anyone = Client::new(&url);
    let marta = staff.marta.at(&url);
    let (_, code) = crate::dinner::code_of(&marta, &staff.branch, table).await;
    let scanned = anyone
        .post("/v1/public/tables/open", &json!({ "code": code }))
        .await;
    assert!(scanned.status.is_success(), "{}", scanned.report());
    let visitor = anyone.with_token(scanned.text("/table_token"));
    let name = json!({ "name": format!("Guest of {table}") });
    let registered = visitor.post("/v1/diner/register", &name).await.expect(201);
    let phone = anyone.with_token(registered.text("/diner_token"));
    let menu = phone.get("/v1/diner/menu?lang=es").await.expect(200).json();
    let categories = menu["categories"].as_array().expect("a menu");
    let dishes = categories
        .iter()
        .filter_map(|category| category["products"].as_array());
    let dish = dishes.flatten().find(|dish| dish["code"] == "limonada");
    Party {
        table: table.to_owned(),
        session: scanned.text("/session/id").to_owned(),
        phone,
        dish: dish.expect("there is lemonade")["id"]
            .as_str()
            .expect("an id")
            .to_owned(),
    }
}

/// The staff, logged in.
pub async fn staff(fleet: &Fleet) -> Staff {
    let url = fleet.api[0].up().await.expect("an api process runs").url;
    let anyone = Client::new(&url);
    let login = async |name: &str, role: &str| {
        let body = json!({
            "tenant": "buen-sabor", "email": format!("{name}@buensabor.demo"),
            "password": format!("comanda-demo-{role}"),
        });
        let answer = anyone.post("/v1/auth/login", &body).await.expect(200);
        anyone.with_token(answer.text("/access_token"))
    };
    let marta = login("marta", "manager").await;
    let branches = marta.get("/v1/admin/branches").await.expect(200);
    Staff {
        leo: login("leo", "waiter").await,
        nora: login("nora", "kitchen").await,
        branch: branches.text("/data/0/id").to_owned(),
        marta,
    }
}

/// One round after the other, until told to stop; the last one is finished.
pub async fn eat(mut sender: Sender, staff: Staff, party: Party, stop: watch::Receiver<bool>) {
    let mut nth = 0;
    while !*stop.borrow() {
        nth += 1;
        let _ = round(&mut sender, &staff, &party, nth).await;
    }
}

/// From the cart to the table; none if something did not get an answer.
async fn round(sender: &mut Sender, staff: &Staff, party: &Party, nth: usize) -> Option<()> {
    let key = |deed: &str| Some(format!("rig-{}-{nth}-{deed}", party.table));
    let line = Request {
        deed: Deed::Line,
        path: "/v1/diner/cart/lines",
        body: json!({ "product_id": party.dish, "qty": 1 }),
        key: None,
        round: None,
    };
    sender.insist(&party.phone, line).await?;
    let place = Request {
        deed: Deed::Place,
        path: "/v1/diner/rounds",
        body: json!({ "selection": "table" }),
        key: key("place"),
        round: None,
    };
    let placed = sender.insist(&party.phone, place).await?;
    let id = placed.at("/id").as_str()?.to_owned();
    for (deed, who, room, step) in [
        (Deed::Confirm, &staff.leo, "waiter", "confirm"),
        (Deed::Submit, &staff.marta, "waiter", "submit"),
        (Deed::Ready, &staff.nora, "kitchen", "ready"),
        (Deed::Serve, &staff.leo, "waiter", "serve"),
    ] {
        // People take their time.
        sleep(Duration::from_millis(sender.dice.between(20, 200))).await;
        let request = Request {
            deed,
            path: &format!("/v1/{room}/rounds/{id}/{step}"),
            body: json!({}),
            key: key(step),
            round: Some(id.clone()),
        };
        sender.insist(who, request).await?;
    }
    Some(())
}
