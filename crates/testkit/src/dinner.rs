//! A party at a table of Buen Sabor Centro, brought as far as a test needs it.

use serde_json::{Value, json};

use crate::{Client, TestApp};

/// Ana, Bruno and Carla at `SAL-01`, and the staff around them.
pub struct Dinner {
    /// Manager of Centro.
    pub marta: Client,
    /// Waiter.
    pub leo: Client,
    /// Kitchen.
    pub nora: Client,
    /// The branch Centro.
    pub branch: String,
    /// Its table `SAL-01`.
    pub table: String,
    /// What is printed on it.
    pub code: String,
    /// The visit.
    pub session: String,
    /// The guests, in order of joining.
    pub guests: Vec<Guest>,
    /// The menu as Ana reads it.
    pub menu: Value,
}

/// A guest with a phone.
#[derive(Debug, Clone)]
pub struct Guest {
    /// Their id.
    pub id: String,
    /// Their phone.
    pub phone: Client,
}

impl Dinner {
    /// Three guests have scanned the code and registered.
    pub async fn seated(app: &TestApp) -> Self {
        Self::seated_at(app, "SAL-01", &["Ana", "Bruno", "Carla"]).await
    }

    /// These guests have scanned the code of this table and registered.
    pub async fn seated_at(app: &TestApp, table: &str, names: &[&str]) -> Self {
        let (marta, leo, nora) = (
            app.staff("marta").await,
            app.staff("leo").await,
            app.staff("nora").await,
        );
        let branch = marta
            .get("/v1/admin/branches")
            .await
            .expect(200)
            .text("/data/0/id")
            .to_owned();
        let (table, code) = code_of(&marta, &branch, table).await;
        let mut session = String::new();
        let mut guests = Vec::new();
        for name in names {
            let scanned = app
                .anyone()
                .post("/v1/public/tables/open", &json!({ "code": code }))
                .await;
            assert!(scanned.status.is_success(), "{}", scanned.report());
            scanned.text("/session/id").clone_into(&mut session);
            let visitor = app.anyone().with_token(scanned.text("/table_token"));
            let registered = visitor
                .post("/v1/diner/register", &json!({ "name": name }))
                .await
                .expect(201);
            guests.push(Guest {
                id: registered.text("/diner/id").to_owned(),
                phone: app.anyone().with_token(registered.text("/diner_token")),
            });
        }
        let menu = guests[0]
            .phone
            .get("/v1/diner/menu?lang=es")
            .await
            .expect(200)
            .json();
        Self {
            marta,
            leo,
            nora,
            branch,
            table,
            code,
            session,
            guests,
            menu,
        }
    }

    /// Ana.
    pub fn ana(&self) -> &Client {
        &self.guests[0].phone
    }

    /// Bruno.
    pub fn bruno(&self) -> &Client {
        &self.guests[1].phone
    }

    /// Carla.
    pub fn carla(&self) -> &Client {
        &self.guests[2].phone
    }

    /// The id of a dish by its code.
    pub fn dish(&self, code: &str) -> String {
        self.find(code)["id"].as_str().unwrap().to_owned()
    }

    /// The id of an option of a dish, by the codes of both.
    pub fn option(&self, dish: &str, option: &str) -> String {
        let groups = self.find(dish)["modifier_groups"].as_array().unwrap().clone();
        let options = groups
            .iter()
            .flat_map(|group| group["options"].as_array().unwrap());
        let found = options.clone().find(|candidate| candidate["code"] == option);
        found.unwrap_or_else(|| panic!("{dish} has no {option}"))["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn find(&self, code: &str) -> &Value {
        let categories = self.menu["categories"].as_array().unwrap();
        let dishes = categories
            .iter()
            .flat_map(|category| category["products"].as_array().unwrap());
        dishes
            .clone()
            .find(|dish| dish["code"] == code)
            .unwrap_or_else(|| panic!("no dish is called {code}"))
    }

    /// The cart of the specification's dinner: 46 600.00 pesos in four lines. Needs three guests.
    pub async fn fill_cart(&self) {
        let bife = json!({
            "product_id": self.dish("bife_chorizo"), "qty": 1, "notes": "sin sal",
            "modifiers": [
                { "option_id": self.option("bife_chorizo", "jugoso") },
                { "option_id": self.option("bife_chorizo", "huevo_frito") },
            ],
        });
        let lines = "/v1/diner/cart/lines";
        let _ = self.ana().post(lines, &bife).await.expect(201);
        let provoleta = json!({ "product_id": self.dish("provoleta"), "qty": 1, "sharing": "table" });
        let _ = self.ana().post(lines, &provoleta).await.expect(201);
        let empanadas = json!({ "product_id": self.dish("empanada_carne"), "qty": 2 });
        let _ = self.bruno().post(lines, &empanadas).await.expect(201);
        let limonada = json!({ "product_id": self.dish("limonada"), "qty": 1 });
        let _ = self.carla().post(lines, &limonada).await.expect(201);
    }

    /// The whole cart is ordered; gives the round.
    pub async fn place(&self) -> String {
        let placed = self
            .ana()
            .act("/v1/diner/rounds", &json!({ "selection": "table" }))
            .await
            .expect(201);
        placed.text("/id").to_owned()
    }

    /// The round is confirmed and submitted.
    pub async fn submit(&self, round: &str) {
        let _ = self
            .leo
            .act(&format!("/v1/waiter/rounds/{round}/confirm"), &json!({}))
            .await
            .expect(200);
        let _ = self
            .marta
            .act(&format!("/v1/waiter/rounds/{round}/submit"), &json!({}))
            .await
            .expect(200);
    }

    /// The round is cooked and served.
    pub async fn serve(&self, round: &str) {
        let _ = self
            .nora
            .act(&format!("/v1/kitchen/rounds/{round}/ready"), &json!({}))
            .await
            .expect(200);
        let _ = self
            .leo
            .act(&format!("/v1/waiter/rounds/{round}/serve"), &json!({}))
            .await
            .expect(200);
    }

    /// The specification's dinner, eaten: one round, served. Gives the round.
    pub async fn eat(&self) -> String {
        self.fill_cart().await;
        let round = self.place().await;
        self.submit(&round).await;
        self.serve(&round).await;
        round
    }

    /// The bill is out; gives the check.
    pub async fn ask_for_check(&self) -> String {
        let asked = self
            .ana()
            .act("/v1/diner/check", &json!({ "split": { "method": "equal" } }))
            .await
            .expect(201);
        asked.text("/id").to_owned()
    }
}

/// The id of a table and what is printed on it.
pub async fn code_of(manager: &Client, branch: &str, table: &str) -> (String, String) {
    let found = manager
        .get(&format!("/v1/admin/branches/{branch}/tables?code={table}"))
        .await
        .expect(200);
    let id = found.text("/data/0/id").to_owned();
    let qr = manager
        .get(&format!("/v1/admin/tables/{id}/qr"))
        .await
        .expect(200);
    (id, qr.text("/code").to_owned())
}
