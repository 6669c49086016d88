//! A party of either restaurant with one object of every kind, for suites that point at each of them.

use std::collections::BTreeMap;

use comanda_security::policy::Scope;
use comanda_testkit::dinner::code_of;
use comanda_testkit::{Client, TestApp};
use serde_json::{Value, json};

use crate::operations::fresh;

/// Two guests, and ids of theirs and of their restaurant by prefix.
pub struct Party {
    /// The one who ordered.
    pub guest: Client,
    /// The phone that scanned the code, before it registered.
    pub visitor: Client,
    /// By prefix.
    pub ids: BTreeMap<&'static str, String>,
}

impl Party {
    /// Seated at this table of the first branch that the admin sees, or of the named one. One round is in the
    /// kitchen, a waiter is called, and something lies in the cart.
    pub async fn eating(app: &TestApp, admin: &Client, branch: &str, table: &str) -> Self {
        let branches = admin.get("/v1/admin/branches").await.expect(200).list("/data");
        let branch = branches
            .iter()
            .find(|candidate| candidate["slug"] == branch)
            .unwrap();
        let mut ids = BTreeMap::from([("brn", text(&branch["id"]))]);
        let (table, code) = code_of(admin, &ids["brn"], table).await;
        let card = admin
            .get(&format!("/v1/waiter/branches/{}/tables", ids["brn"]))
            .await
            .expect(200);
        let card = card
            .list("/data")
            .into_iter()
            .find(|card| card["id"] == table)
            .unwrap();
        ids.insert("tbl", table);
        ids.insert("sec", text(&card["sector"]["id"]));
        let scanned = app
            .anyone()
            .post("/v1/public/tables/open", &json!({ "code": code }))
            .await
            .expect(201);
        ids.insert("ses", scanned.text("/session/id").to_owned());
        let visitor = app.anyone().with_token(scanned.text("/table_token"));
        let registered = visitor
            .post("/v1/diner/register", &json!({ "name": "Dora" }))
            .await
            .expect(201);
        let _ = visitor
            .post("/v1/diner/register", &json!({ "name": "Eva" }))
            .await
            .expect(201);
        ids.insert("dnr", registered.text("/diner/id").to_owned());
        let guest = app.anyone().with_token(registered.text("/diner_token"));
        let mut party = Self { guest, visitor, ids };
        party.order(admin).await;
        party
    }

    async fn order(&mut self, admin: &Client) {
        let menu = self.guest.get("/v1/diner/menu").await.expect(200);
        let dishes: Vec<Value> = menu
            .list("/categories")
            .iter()
            .flat_map(|category| category["products"].as_array().unwrap().clone())
            .collect();
        let groups = |dish: &Value| dish["modifier_groups"].as_array().unwrap().clone();
        let plain = dishes.iter().find(|dish| groups(dish).is_empty()).unwrap();
        self.ids.insert("prd", text(&plain["id"]));
        let group = dishes.iter().flat_map(groups).next();
        // The smaller restaurant has no options at all.
        let option = group.map_or_else(|| fresh("mdo"), |group| text(&group["options"][0]["id"]));
        self.ids.insert("mdo", option);
        let line = json!({ "product_id": self.ids["prd"], "qty": 2 });
        let _ = self.guest.post("/v1/diner/cart/lines", &line).await.expect(201);
        let placed = self
            .guest
            .act("/v1/diner/rounds", &json!({ "selection": "table" }))
            .await
            .expect(201);
        let round = placed.text("/id").to_owned();
        self.ids.insert("rit", placed.text("/items/0/id").to_owned());
        for step in ["confirm", "submit"] {
            let _ = admin
                .act(&format!("/v1/waiter/rounds/{round}/{step}"), &json!({}))
                .await
                .expect(200);
        }
        let board = admin
            .get(&format!("/v1/kitchen/branches/{}/tickets", self.ids["brn"]))
            .await
            .expect(200);
        let ticket = board
            .list("/data")
            .into_iter()
            .find(|ticket| ticket["round_id"] == round)
            .unwrap();
        self.ids.insert("tkt", text(&ticket["id"]));
        self.ids.insert("tki", text(&ticket["items"][0]["id"]));
        self.ids.insert("rnd", round);
        let call = self
            .guest
            .post("/v1/diner/service-calls", &json!({ "type": "waiter" }))
            .await
            .expect(201);
        self.ids.insert("cal", call.text("/id").to_owned());
        let cart = self.guest.post("/v1/diner/cart/lines", &line).await.expect(201);
        self.ids.insert("crt", cart.text("/lines/0/id").to_owned());
    }

    /// An integration of the branch is there: gives it every scope. The ids of its objects are known.
    pub async fn integrate(&mut self, app: &TestApp, owner: &Client) -> Client {
        let key = app.key_in(owner, Scope::ALL, &[&self.ids["brn"]]).await;
        let me = key.get("/v1/integration/me").await.expect(200);
        self.ids.insert("key", me.text("/id").to_owned());
        // Switched off: nobody is to be called, and nothing changes while others are watched.
        let hook = json!({
            "url": "https://192.88.98.1/hook", "event_types": ["round.*"], "branch_ids": [self.ids["brn"]],
            "enabled": false,
        });
        let made = key.post("/v1/integration/webhooks", &hook).await.expect(201);
        let hook = made.text("/id").to_owned();
        let tested = key
            .command(&format!("/v1/integration/webhooks/{hook}/test"))
            .await
            .expect(200);
        self.ids.insert("dlv", tested.text("/id").to_owned());
        self.ids.insert("whk", hook);
        key
    }

    /// The bill is out and a payment under way.
    pub async fn pay(&mut self) {
        let check = self
            .guest
            .act("/v1/diner/check", &json!({ "split": { "method": "equal" } }))
            .await
            .expect(201);
        self.ids.insert("chk", check.text("/id").to_owned());
        let pay = json!({ "provider": "sandbox", "provider_options": { "outcome": "pending" } });
        let payment = self.guest.act("/v1/diner/payments", &pay).await.expect(201);
        assert_eq!(payment.at("/status"), "pending", "{}", payment.report());
        self.ids.insert("pay", payment.text("/id").to_owned());
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}
