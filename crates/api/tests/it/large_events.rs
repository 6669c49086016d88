//! An operation whose event no transport could carry is refused, and leaves nothing behind.

use comanda_testkit::TestApp;
use comanda_testkit::dinner::Dinner;
use serde_json::{Value, json};

#[tokio::test]
async fn a_round_that_makes_too_large_an_event_is_refused() {
    let app = TestApp::start().await;
    let dinner = Dinner::seated(&app).await;
    let path = format!("/v1/waiter/sessions/{}/rounds", dinner.session);
    let order = |lines: usize, letter: &str| {
        let line = json!({ "product_id": dinner.dish("limonada"), "qty": 1, "notes": letter.repeat(200) });
        json!({ "items": vec![line; lines] })
    };
    let written = async || -> (i64, i64, i64) {
        let sql = "SELECT (SELECT count(*) FROM round), (SELECT count(*) FROM audit_stage),
                          (SELECT count(*) FROM outbox_stage) + (SELECT count(*) FROM event_log)";
        let row = app.database.connect().await.query_one(sql, &[]).await.unwrap();
        (row.get(0), row.get(1), row.get(2))
    };
    let before = written().await;
    // As many characters as allowed, and four bytes each.
    let placing = dinner.leo.key("large");
    let refused = placing
        .post(&path, &order(60, "🍋"))
        .await
        .refused(413, "payload_too_large");
    assert_eq!(written().await, before, "{}", refused.report());
    let rounds: Value = dinner.ana().get("/v1/diner/rounds").await.expect(200).at("/data");
    assert_eq!(rounds, json!([]));

    // Nothing holds the key, and the number of the round is still free.
    let placed = placing.post(&path, &order(60, "l")).await.expect(201);
    assert_eq!(placed.number("/number"), 1);
}
