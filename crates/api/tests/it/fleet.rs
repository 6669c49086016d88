//! Several processes on one database and one Redis: every screen of each hears everything once, in order.

use comanda_testkit::TestApp;
use comanda_testkit::dinner::Dinner;
use comanda_testkit::process::Process;
use comanda_testkit::screen::Screen;
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Events of a branch that concern everyone in it, numbered by `menu_version`.
const STAGE: &str =
    "INSERT INTO outbox_stage (tenant_id, branch_id, shard, event_id, type, subject, data, occurred_at)
    SELECT b.tenant_id, b.id, s.shard, gen_random_uuid(), 'dev.comanda.menu.changed.v1', 'menu',
           jsonb_build_object('menu_version', n, 'changed', '[]'::jsonb), now()
      FROM (SELECT tenant_id, id FROM branch WHERE slug = 'centro') b,
           (SELECT shard FROM event_shard ORDER BY shard LIMIT 1) s, generate_series($1::bigint, $2::bigint) n
     ORDER BY n";

struct Listening {
    screen: Screen,
    view: &'static str,
    gateway: usize,
    seq: u64,
}

impl Listening {
    /// Hears these numbers, each once and in order, and nothing else.
    async fn hears(&mut self, numbers: std::ops::RangeInclusive<u64>) {
        for wanted in numbers {
            let heard = self.screen.frame_of("event").await;
            let place = format!("{} at gateway {}: {heard}", self.view, self.gateway);
            assert_eq!(heard["event"]["data"]["menu_version"], wanted, "{place}");
            if self.seq > 0 {
                assert_eq!(heard["prev"], self.seq, "{place}");
            }
            self.seq = heard["seq"].as_u64().unwrap();
        }
    }
}

async fn screens(dinner: &Dinner, urls: &[&str]) -> Vec<Listening> {
    let branch = json!({ "branch_id": dinner.branch });
    let callers = [
        ("waiter", &dinner.leo, branch.clone()),
        ("kitchen", &dinner.nora, branch.clone()),
        ("admin", &dinner.marta, branch),
        ("diner", &dinner.guests[0].phone, json!({})),
    ];
    let mut screens = Vec::new();
    for (gateway, url) in urls.iter().enumerate() {
        for (view, who, auth) in &callers {
            let (screen, _): (Screen, Value) = Screen::ready_at(url, view, who, auth.clone()).await;
            screens.push(Listening {
                screen,
                view,
                gateway,
                seq: 0,
            });
        }
    }
    screens
}

mod slow {
    use super::*;

    /// Two gateways, two workers, four views on each gateway.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn every_socket_of_two_gateways_gets_ten_thousand_events_once_and_in_order() {
        const ALL: u64 = 10_000;
        const BATCH: u64 = 500;
        let app = TestApp::among_others().await;
        let other = Process::start(
            env!("CARGO_BIN_EXE_comanda-api"),
            &[],
            &app.vars_of_another(&BTreeMap::new()),
        );
        let dinner = Dinner::seated(&app).await;
        let mut screens = screens(&dinner, &[&app.url, &other.url]).await;
        let client = app.database.connect().await;
        for begin in (1..=ALL).step_by(BATCH.try_into().unwrap()) {
            let end = begin + BATCH - 1;
            let bounds = [begin, end].map(|bound| i64::try_from(bound).unwrap());
            client.execute(STAGE, &[&bounds[0], &bounds[1]]).await.unwrap();
            join_all(screens.iter_mut().map(|screen| screen.hears(begin..=end))).await;
        }
    }
}
