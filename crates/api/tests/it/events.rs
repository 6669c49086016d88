//! Events read over HTTP.

use comanda_testkit::dinner::Dinner;
use comanda_testkit::{Client, TestApp};
use serde_json::{Value, json};

/// Reads on until an event of this name has come; gives all that came.
async fn until(who: &Client, list: &str, name: &str) -> Vec<Value> {
    let mut events: Vec<Value> = Vec::new();
    let mut after = 0;
    let wanted = format!("dev.comanda.{name}.v1");
    while !events.iter().any(|event| event["type"] == wanted) {
        let joint = if list.contains('?') { '&' } else { '?' };
        let answer = who
            .get(&format!("{list}{joint}after={after}&wait=20"))
            .await
            .expect(200);
        let data = answer.at("/data").as_array().unwrap().clone();
        assert!(!data.is_empty(), "nothing came in time: {}", answer.report());
        after = answer.at("/last").as_u64().unwrap();
        events.extend(data);
    }
    events
}

async fn ordered(app: &TestApp) -> Dinner {
    let dinner = Dinner::seated(app).await;
    let phone = &dinner.guests[0].phone;
    let line = json!({ "product_id": dinner.dish("provoleta"), "qty": 1 });
    let _ = phone.post("/v1/diner/cart/lines", &line).await.expect(201);
    let round = phone
        .act("/v1/diner/rounds", &json!({ "selection": "mine" }))
        .await
        .expect(201);
    let id = round.text("/id").to_owned();
    let _ = dinner
        .leo
        .act(&format!("/v1/waiter/rounds/{id}/confirm"), &json!({}))
        .await
        .expect(200);
    let _ = dinner
        .marta
        .act(&format!("/v1/waiter/rounds/{id}/submit"), &json!({}))
        .await
        .expect(200);
    dinner
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn managers_read_every_number_and_others_what_concerns_them() {
    let app = TestApp::start().await;
    let dinner = ordered(&app).await;
    let everything = until(
        &dinner.marta,
        &format!("/v1/admin/branches/{}/events", dinner.branch),
        "ticket.created",
    )
    .await;
    let numbers: Vec<u64> = everything
        .iter()
        .map(|event| event["data"]["seq"].as_u64().unwrap())
        .collect();
    let wanted: Vec<u64> = (1..=u64::try_from(numbers.len()).unwrap()).collect();
    assert_eq!(numbers, wanted);
    let kitchen = until(
        &dinner.nora,
        &format!("/v1/kitchen/branches/{}/events", dinner.branch),
        "ticket.created",
    )
    .await;
    let text = Value::Array(kitchen.clone()).to_string();
    assert!(!text.contains("\"amount\"") && !text.contains("Ana"), "{text}");
    let names: Vec<&str> = kitchen
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert!(
        names.iter().all(|name| !name.contains("round.pending")),
        "{names:?}"
    );
    let own = until(&dinner.guests[1].phone, "/v1/diner/events", "round.submitted").await;
    assert!(
        own.iter()
            .all(|event| event["data"]["session_id"] == dinner.session.as_str()),
        "{own:?}"
    );
    let filtered = format!("/v1/events?branch_id={}&view=waiter&types=round.*", dinner.branch);
    let rounds = until(&dinner.leo, &filtered, "round.submitted").await;
    assert_eq!(rounds.len(), 3, "{rounds:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_that_cannot_be_gone_on_from_is_told() {
    let app = TestApp::start().await;
    let dinner = ordered(&app).await;
    let list = format!("/v1/waiter/branches/{}/events", dinner.branch);
    until(&dinner.leo, &list, "round.submitted").await;
    for after in ["00000001-1", "999999"] {
        let answer = dinner.leo.get(&format!("{list}?after={after}")).await.expect(200);
        assert_eq!(answer.at("/truncated"), true, "{}", answer.report());
        assert_eq!(answer.at("/last"), answer.at("/head"), "{}", answer.report());
    }
    for wrong in [
        "after=x",
        "limit=0",
        "limit=201",
        "wait=26",
        "types=none",
        "colour=red",
    ] {
        let answer = dinner.leo.get(&format!("{list}?{wrong}")).await.expect(400);
        assert_eq!(answer.at("/code"), "invalid_parameter", "{}", answer.report());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_needs_a_role_and_a_branch_of_ones_own() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let branch = &dinner.branch;
    let _ = dinner
        .leo
        .get(&format!("/v1/admin/branches/{branch}/events"))
        .await
        .expect(403);
    let _ = dinner
        .nora
        .get(&format!("/v1/events?branch_id={branch}&view=waiter"))
        .await
        .expect(403);
    let stranger = app.stranger().await;
    let _ = stranger
        .get(&format!("/v1/admin/branches/{branch}/events"))
        .await
        .expect(404);
    let everyones = format!("/v1/events?branch_id={branch}");
    let _ = stranger.get(&everyones).await.expect(404);
    let _ = app.anyone().get(&everyones).await.expect(401);
    let _ = dinner.guests[0].phone.get(&everyones).await.expect(200);
    let _ = dinner.guests[0]
        .phone
        .get("/v1/events?view=waiter")
        .await
        .expect(401);
}
