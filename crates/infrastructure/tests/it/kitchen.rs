//! The kitchen works through a round of the demo restaurant.

use comanda_domain::actor::ActorKind;
use comanda_domain::event::{EventName, Routing};
use comanda_domain::ids::{RoundId, SessionId, TicketId};
use comanda_domain::kitchen::{ItemAction, TicketAction, TicketCommand};
use comanda_domain::menu::Station;
use comanda_domain::round::{PlaceForTable, TableItem};
use comanda_infrastructure::audit::Caller;
use comanda_infrastructure::db::{Ask, Origin};
use comanda_infrastructure::demo;
use comanda_infrastructure::idempotency::Stored;
use comanda_infrastructure::kitchen::BoardFilter;
use comanda_infrastructure::paging::Page;
use comanda_infrastructure::postgres::Database;
use comanda_infrastructure::refusal::Refusal;
use comanda_infrastructure::services::{Keys, Services};
use comanda_infrastructure::staff::{Login, Stranger};
use comanda_infrastructure::views::TicketView;
use comanda_security::policy::Principal;
use comanda_security::tokens::authenticate;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::house::{Empty, config, connect};

struct Demo {
    services: Services,
    keys: Keys,
    client: Client,
    branch: Uuid,
    _empty: Empty,
}

impl Demo {
    async fn new() -> Self {
        let empty = Empty::new().await;
        let config = config(&empty.url, &[]);
        let database = Database::open(&config).await.unwrap();
        demo::seed(&database.db, &config, false).await.unwrap();
        let services = Services::new(&database.db, &config).unwrap();
        let client = connect(&empty.url).await;
        let branch = client
            .query_one("SELECT id::text FROM branch WHERE slug = 'centro'", &[])
            .await
            .unwrap();
        Self {
            services,
            keys: config.keys,
            client,
            branch: branch.get::<_, String>(0).parse().unwrap(),
            _empty: empty,
        }
    }

    async fn who(&self, name: &str, trade: &str) -> (Ask, Principal) {
        let login = Login {
            tenant: "buen-sabor".into(),
            email: format!("{name}@buensabor.demo"),
            password: format!("comanda-demo-{trade}").into(),
        };
        let outcome = self
            .services
            .staff
            .login(&Stranger::default(), &login)
            .await
            .unwrap();
        let now = self.services.sources.now();
        let token = authenticate(
            &self.keys.tokens,
            "http://localhost:8080",
            &outcome.view.access_token,
            now,
        );
        let principal = token.unwrap().principal();
        let Principal::Staff(staff) = &principal else {
            panic!("staff")
        };
        let caller = Caller {
            kind: ActorKind::User,
            id: Some(staff.user.0),
            client_ip: None,
            user_agent: None,
        };
        let ask = Ask {
            tenant: staff.tenant,
            caller,
            request_id: "it".into(),
            origin: Origin::default(),
            language: None,
            found_at: "",
            nonce: None,
            idempotency: None,
        };
        (ask, principal)
    }

    async fn id(&self, from: &str) -> Uuid {
        let sql = format!(
            "SELECT id::text FROM {from} AND tenant_id = (SELECT tenant_id FROM tenant_directory WHERE slug = 'buen-sabor')"
        );
        self.client
            .query_one(&sql, &[])
            .await
            .unwrap()
            .get::<_, String>(0)
            .parse()
            .unwrap()
    }

    /// What is staged so far, in order.
    async fn staged(&self) -> Vec<(EventName, Routing)> {
        let rows = self
            .client
            .query("SELECT type, data::text FROM outbox_stage ORDER BY stage_id", &[])
            .await
            .unwrap();
        let read = rows.iter().map(|row| {
            let (kind, data): (&str, &str) = (row.get(0), row.get(1));
            let data: Value = serde_json::from_str(data).unwrap();
            let routing =
                Routing::deserialize(&data).unwrap_or_else(|error| panic!("{error}: {kind} {data}"));
            (EventName::of_type(kind).unwrap(), routing)
        });
        read.collect()
    }

    /// A submitted round with these dishes at one table.
    async fn submitted(&self, table: &str, dishes: &[&str]) -> RoundId {
        let (ask, leo) = self.who("leo", "waiter").await;
        let table = self
            .id(&format!(
                "restaurant_table WHERE code = '{table}' AND branch_id = '{}'",
                self.branch
            ))
            .await;
        let opened = self
            .services
            .sessions
            .open_for_staff(&ask, &leo, table.into(), None, None)
            .await
            .unwrap();
        let session: SessionId = body(&opened)["id"].as_str().unwrap().parse().unwrap();
        let mut items = Vec::new();
        for dish in dishes {
            items.push(TableItem {
                product_id: self.id(&format!("product WHERE code = '{dish}'")).await.into(),
                qty: 2,
                modifiers: Vec::new(),
                notes: "sin sal".into(),
                sharing: None,
                diner_id: None,
                sharers: Vec::new(),
            });
        }
        let command = PlaceForTable {
            items,
            notes: String::new(),
            confirm: true,
        };
        let placed = self
            .services
            .rounds
            .place_for_table(&ask, &leo, session, &command)
            .await
            .unwrap();
        let round: RoundId = body(&placed)["id"].as_str().unwrap().parse().unwrap();
        let (ask, marta) = self.who("marta", "manager").await;
        self.services
            .rounds
            .submit(&ask, &marta, round, None)
            .await
            .unwrap();
        round
    }
}

fn body(stored: &Stored) -> Value {
    serde_json::from_slice(&stored.body).unwrap()
}

fn id(ticket: &TicketView) -> TicketId {
    ticket.id.parse().unwrap()
}

#[tokio::test]
async fn the_board_shows_the_work_and_the_work_moves_the_round() {
    let demo = Demo::new().await;
    let kitchen = &demo.services.kitchen;
    let (ask, nora) = demo.who("nora", "kitchen").await;
    let board = async |filter: BoardFilter, limit: i64, cursor: Option<&str>| {
        let page = Page {
            limit,
            cursor,
            context: &["it"],
            keys: &demo.keys.cursors,
        };
        kitchen
            .board(&ask, &nora, demo.branch.into(), &filter, &page)
            .await
            .map(|seen| seen.value)
    };
    assert!(
        board(BoardFilter::default(), 10, None)
            .await
            .unwrap()
            .data
            .is_empty()
    );

    let round = demo
        .submitted("SAL-01", &["chorizo", "empanada_carne", "agua"])
        .await;
    demo.submitted("SAL-02", &["morcilla"]).await;
    let first = board(BoardFilter::default(), 3, None).await.unwrap();
    let rest = board(BoardFilter::default(), 3, first.next_cursor.as_deref())
        .await
        .unwrap();
    assert_eq!(
        (first.data.len(), rest.data.len(), rest.next_cursor),
        (3, 1, None)
    );
    assert!(
        first
            .data
            .iter()
            .all(|ticket| ticket.round_id == round.to_string())
    );

    let grills = board(
        BoardFilter {
            stations: vec![Station::Grill],
            ..BoardFilter::default()
        },
        10,
        None,
    )
    .await
    .unwrap();
    assert_eq!(grills.data.len(), 2);
    let grill = &grills.data[0];
    let line = &grill.items[0];
    assert_eq!(
        (line.name.as_str(), line.qty, line.notes.as_str()),
        ("Chorizo parrillero", 2, "sin sal")
    );
    assert_eq!(
        (grill.table.as_ref().unwrap().code.as_str(), grill.round_number),
        ("SAL-01", 1)
    );

    let item = TicketCommand::Item(line.id.parse().unwrap(), ItemAction::Start);
    let stale = kitchen.moved(&ask, &nora, id(grill), Some(7), item).await.err();
    assert!(matches!(
        stale,
        Some(Refusal::PreconditionFailed { version: 1, .. })
    ));
    let moved = kitchen
        .moved(&ask, &nora, id(grill), Some(1), item)
        .await
        .unwrap();
    assert_eq!(
        (&body(&moved)["status"], moved.version),
        (&json!("in_progress"), body(&moved)["version"].as_i64())
    );
    let again = kitchen.moved(&ask, &nora, id(grill), None, item).await.err();
    assert!(matches!(again, Some(Refusal::MoveTicket(_))));
    for ticket in &first.data {
        let ready = TicketCommand::Whole(TicketAction::Ready);
        kitchen.moved(&ask, &nora, id(ticket), None, ready).await.unwrap();
    }
    let (view, _) = demo.services.rounds.get(&ask, &nora, round).await.unwrap().value;
    assert_eq!(view.status, "ready");

    let (leo_ask, leo) = demo.who("leo", "waiter").await;
    let deliver = TicketCommand::Whole(TicketAction::Deliver);
    let start = TicketCommand::Whole(TicketAction::Start);
    let refused = kitchen
        .moved(&leo_ask, &leo, id(&rest.data[0]), None, start)
        .await
        .err();
    assert!(matches!(refused, Some(Refusal::Forbidden(_))));
    for ticket in &first.data {
        kitchen
            .moved(&leo_ask, &leo, id(ticket), None, deliver)
            .await
            .unwrap();
    }
    let (view, _) = demo.services.rounds.get(&ask, &nora, round).await.unwrap().value;
    assert_eq!(view.status, "served");
    assert_eq!(
        board(BoardFilter::default(), 10, None).await.unwrap().data.len(),
        1
    );
    let (one, version) = kitchen.get(&ask, &nora, id(grill)).await.unwrap().value;
    assert_eq!((one.status.as_str(), one.version), ("delivered", version));

    let (teo_ask, teo) = demo.who("teo", "kitchen").await;
    let elsewhere = kitchen.get(&teo_ask, &teo, id(grill)).await.err();
    assert!(matches!(elsewhere, Some(Refusal::Forbidden(_))));
    let absent = kitchen
        .moved(&ask, &nora, Uuid::from_u128(9).into(), None, deliver)
        .await
        .err();
    assert!(matches!(absent, Some(Refusal::NotFound)));
}

#[tokio::test]
async fn what_is_staged_tells_whom_it_concerns() {
    let demo = Demo::new().await;
    let round = demo.submitted("SAL-01", &["chorizo", "agua"]).await;
    let (ask, marta) = demo.who("marta", "manager").await;
    let rounds = &demo.services.rounds;
    rounds
        .cancel(&ask, &marta, round, None, Some("se van"))
        .await
        .unwrap();

    let staged = demo.staged().await;
    let of_branch = format!("branch_id = '{}'", demo.branch);
    let sector = demo
        .id(&format!("sector WHERE prefix = 'SAL' AND {of_branch}"))
        .await;
    let session = demo.id("table_session WHERE status = 'open'").await;
    let both = [Station::Bar, Station::Grill].into();
    for (name, known_to_kitchen) in [
        (EventName::RoundPending, false),
        (EventName::RoundConfirmed, false),
        (EventName::RoundSubmitted, true),
        (EventName::RoundCanceled, true),
    ] {
        let expected = Routing {
            session: Some(session.into()),
            sectors: [sector.into()].into(),
            stations: Clone::clone(&both),
            had_been_submitted: known_to_kitchen,
            users: [].into(),
        };
        let routing: Vec<_> = staged.iter().filter(|(staged, _)| *staged == name).collect();
        assert_eq!(routing, [&(name, expected)]);
    }
    let tickets = staged
        .iter()
        .filter(|(name, _)| *name == EventName::TicketCreated);
    let mut stations: Vec<_> = tickets.map(|(_, routing)| routing.stations.clone()).collect();
    stations.sort();
    assert_eq!(stations, [[Station::Bar].into(), [Station::Grill].into()]);
}
