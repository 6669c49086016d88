//! A visit from the first scan to the end, against a real database with the demo restaurants.

use comanda_domain::actor::{ActorKind, Role, Roles};
use comanda_domain::billing::{PendingRounds, Provider, RegisterPayment};
use comanda_domain::cart::{AddLine, CartError, ChangeLine, ChosenModifier, Sharing};
use comanda_domain::ids::{BranchId, CheckId, ProductId, RoundId, SessionId, TableId, TenantId, UserId};
use comanda_domain::menu::SetAvailability;
use comanda_domain::money::Money;
use comanda_domain::round::{PlaceRound, RoundTarget, Selection};
use comanda_domain::service_call::{CallMove, CallType, RaiseCall};
use comanda_domain::session::CloseError;
use comanda_infrastructure::audit::Caller;
use comanda_infrastructure::clock::Sources;
use comanda_infrastructure::db::{Ask, Origin};
use comanda_infrastructure::demo;
use comanda_infrastructure::diners::{RegisterDiner, UpdateMe};
use comanda_infrastructure::idempotency::Stored;
use comanda_infrastructure::menus::MenuQuery;
use comanda_infrastructure::postgres::Database;
use comanda_infrastructure::refusal::Refusal;
use comanda_infrastructure::services::{Keys, Services};
use comanda_infrastructure::sessions::CardFilter;
use comanda_infrastructure::staff::Stranger;
use comanda_security::codes::TableCode;
use comanda_security::policy::{DinerPrincipal, Principal, StaffPrincipal};
use comanda_security::tokens::authenticate;
use serde_json::Value;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::house::{Empty, config, connect};

/// Buen Sabor Centro, and a phone at `SAL-01`.
struct Evening {
    services: Services,
    keys: Keys,
    client: Client,
    tenant: TenantId,
    branch: BranchId,
    table: TableId,
    _empty: Empty,
}

impl Evening {
    async fn new() -> Self {
        let empty = Empty::new().await;
        let config = config(&empty.url, &[]);
        let database = Database::open_with(&config, Sources::system(), false)
            .await
            .unwrap();
        demo::seed(&database.db, &config, false).await.unwrap();
        let services = Services::new(&database.db, &config).unwrap();
        let client = connect(&empty.url).await;
        let row = client
            .query_one(
                "SELECT t.tenant_id::text, t.branch_id::text, t.id::text FROM restaurant_table t JOIN branch b ON b.id = t.branch_id
                 WHERE t.code = 'SAL-01' AND b.slug = 'centro'",
                &[],
            )
            .await
            .unwrap();
        let [tenant, branch, table] = [0, 1, 2].map(|n| row.get::<_, &str>(n).parse::<Uuid>().unwrap());
        Self {
            services,
            keys: config.keys,
            client,
            tenant: tenant.into(),
            branch: branch.into(),
            table: table.into(),
            _empty: empty,
        }
    }

    fn code(&self) -> String {
        let code = TableCode {
            tenant: self.tenant,
            table: self.table,
            qr_version: 1,
        };
        self.keys.codes.table_code(&code)
    }

    async fn scan(&self) -> (Value, bool) {
        let stranger = Stranger::default();
        let sessions = &self.services.sessions;
        let (view, opened) = sessions
            .open_or_join(&stranger, &self.code(), None, Some(3))
            .await
            .unwrap();
        (serde_json::to_value(view).unwrap(), opened)
    }

    fn credential(&self, token: &str) -> Principal {
        let now = self.services.sources.now();
        authenticate(&self.keys.tokens, "http://localhost:8080", token, now)
            .unwrap()
            .principal()
    }

    async fn guest(&self, name: &str) -> DinerPrincipal {
        let (scanned, _) = self.scan().await;
        let Principal::Table(visitor) = self.credential(scanned["table_token"].as_str().unwrap()) else {
            panic!("a table token");
        };
        let ask = self.ask(ActorKind::System, None);
        let phone = RegisterDiner {
            name: name.into(),
            ..phone("")
        };
        let (view, is_new) = self
            .services
            .diners
            .register(&ask, &visitor, &phone)
            .await
            .unwrap();
        assert!(is_new);
        let Principal::Diner(diner) = self.credential(&view.diner_token) else {
            panic!("a diner token")
        };
        diner
    }

    fn ask(&self, kind: ActorKind, id: Option<Uuid>) -> Ask {
        Ask {
            tenant: self.tenant,
            caller: Caller {
                kind,
                id,
                client_ip: None,
                user_agent: None,
            },
            request_id: "it".into(),
            origin: Origin::default(),
            language: None,
            found_at: "/found/",
            nonce: None,
            idempotency: None,
        }
    }

    fn ask_of(&self, who: &DinerPrincipal) -> Ask {
        self.ask(ActorKind::Diner, Some(who.diner.0))
    }

    async fn staff(&self, name: &str, role: Role) -> (Ask, Principal) {
        let email = format!("{name}@buensabor.demo");
        let row = self
            .client
            .query_one("SELECT id::text FROM app_user WHERE email = $1", &[&email])
            .await
            .unwrap();
        let user = UserId(row.get::<_, &str>(0).parse().unwrap());
        let who = Principal::Staff(StaffPrincipal {
            tenant: self.tenant,
            user,
            family: Uuid::nil().into(),
            epoch: 0,
            owner: false,
            grants: vec![(self.branch, Roles::NONE.with(role))],
        });
        (self.ask(ActorKind::User, Some(user.0)), who)
    }

    async fn id(&self, table: &str, code: &str) -> Uuid {
        let sql =
            format!("SELECT id::text FROM {table} WHERE code = $1 AND tenant_id::text = $2 ORDER BY id");
        let rows = self
            .client
            .query(&sql, &[&code, &self.tenant.0.to_string()])
            .await
            .unwrap();
        rows[0].get::<_, &str>(0).parse().unwrap()
    }

    async fn line(&self, code: &str, qty: i32) -> AddLine {
        AddLine {
            product_id: self.id("product", code).await.into(),
            qty,
            modifiers: Vec::new(),
            sharing: None,
            shared_with: Vec::new(),
            notes: String::new(),
        }
    }

    async fn bife(&self) -> AddLine {
        let chosen = |id: Uuid| ChosenModifier {
            option_id: id.into(),
            qty: 1,
        };
        let options = [
            self.id("modifier_option", "jugoso").await,
            self.id("modifier_option", "huevo_frito").await,
        ];
        AddLine {
            modifiers: options.map(chosen).to_vec(),
            notes: "sin sal".into(),
            ..self.line("bife_chorizo", 1).await
        }
    }

    /// Names of events since the last call, in order.
    async fn events(&self) -> Vec<String> {
        let rows = self
            .client
            .query("WITH taken AS (DELETE FROM outbox_stage RETURNING stage_id, type) SELECT type FROM taken ORDER BY stage_id", &[])
            .await
            .unwrap();
        let name = |full: String| {
            full.trim_start_matches("dev.comanda.")
                .trim_end_matches(".v1")
                .to_owned()
        };
        rows.iter().map(|row| name(row.get(0))).collect()
    }
}

fn phone(client_ref: &str) -> RegisterDiner {
    RegisterDiner {
        name: "Ana".into(),
        color: None,
        client_ref: Some(client_ref.to_owned()).filter(|text| !text.is_empty()),
        device_token: None,
        remember: false,
        preferences: None,
    }
}

fn body(stored: &Stored) -> Value {
    serde_json::from_slice(&stored.body).unwrap()
}

fn version(stored: &Stored) -> i64 {
    stored.version.unwrap()
}

#[tokio::test]
async fn however_many_phones_scan_there_is_one_visit() {
    let evening = Evening::new().await;
    let scans = futures_util::future::join_all((0..8).map(|_| evening.scan())).await;
    assert_eq!(scans.iter().filter(|(_, opened)| *opened).count(), 1);
    let first = &scans[0].0["session"];
    assert!(scans.iter().all(|(view, _)| view["session"]["id"] == first["id"]));
    assert_eq!((&first["status"], &first["seating"]), (&"open".into(), &1.into()));
    assert_eq!(first["assigned_waiter"]["name"], "Leo");
    assert_eq!(evening.events().await, ["session.opened", "table.status_changed"]);

    let rotated = TableCode {
        tenant: evening.tenant,
        table: evening.table,
        qr_version: 2,
    };
    let codes = [evening.keys.codes.table_code(&rotated), "nonsense".to_owned()];
    for code in codes {
        let refused = evening
            .services
            .sessions
            .open_or_join(&Stranger::default(), &code, None, None)
            .await;
        assert!(matches!(refused, Err(Refusal::TableCodeInvalid)));
    }
    evening
        .client
        .batch_execute("UPDATE tenant SET status = 'suspended'")
        .await
        .unwrap();
    let refused = evening
        .services
        .sessions
        .open_or_join(&Stranger::default(), &evening.code(), None, None)
        .await;
    assert!(matches!(refused, Err(Refusal::TenantSuspended)));
}

#[tokio::test]
async fn a_phone_registers_once_and_may_be_remembered() {
    let evening = Evening::new().await;
    let (scanned, _) = evening.scan().await;
    let Principal::Table(visitor) = evening.credential(scanned["table_token"].as_str().unwrap()) else {
        panic!("a table token");
    };
    let ask = evening.ask(ActorKind::System, None);
    let diners = &evening.services.diners;
    let ana = RegisterDiner {
        remember: true,
        ..phone("ana-phone-0001")
    };
    let (first, is_new) = diners.register(&ask, &visitor, &ana).await.unwrap();
    assert!(is_new && first.device_token.is_some());
    assert_eq!(first.diner.color, "#E4572E");
    let again = RegisterDiner {
        device_token: first.device_token.clone(),
        ..phone("ana-phone-0001")
    };
    let (second, is_new) = diners.register(&ask, &visitor, &again).await.unwrap();
    assert!(!is_new && second.device_token.is_none());
    assert_eq!(second.diner.id, first.diner.id);

    let Principal::Diner(me) = evening.credential(&second.diner_token) else {
        panic!("a diner token")
    };
    let preferences = comanda_domain::diner::Preferences {
        exclude_allergens: vec!["milk".into()],
        ..comanda_domain::diner::Preferences::default()
    };
    let update = UpdateMe {
        name: Some("Anita".into()),
        preferences: Some(preferences),
        ..UpdateMe::default()
    };
    let ask = evening.ask_of(&me);
    diners.update_me(&ask, &me, &update).await.unwrap();
    assert_eq!(diners.me(&ask, &me).await.unwrap().0.name, "Anita");
    let saved = evening
        .client
        .query_one("SELECT preferences->'exclude_allergens'->>0 FROM device", &[])
        .await
        .unwrap();
    assert_eq!(saved.get::<_, String>(0), "milk");

    let menus = &evening.services.menus;
    let who = Principal::Diner(me.clone());
    let (whole, tag) = menus.of_visit(&ask, &who, &MenuQuery::default()).await.unwrap();
    let own = MenuQuery {
        apply_preferences: true,
        lang: Some("en-GB".into()),
        ..MenuQuery::default()
    };
    let (mine, other_tag) = menus.of_visit(&ask, &who, &own).await.unwrap();
    assert_eq!(
        (whole.hidden_by_filter, whole.lang.as_str(), mine.lang.as_str()),
        (0, "es", "en")
    );
    assert!(mine.hidden_by_filter > 10 && tag != other_tag);
    assert_eq!(
        whole
            .categories
            .iter()
            .map(|category| category.products.len())
            .sum::<usize>(),
        60
    );
    let leo = evening.staff("leo", Role::Waiter).await;
    let session = SessionId(me.session.0);
    let added = diners
        .add_guest(&leo.0, &leo.1, session, "Beto".into(), None)
        .await
        .unwrap();
    assert_eq!(
        (added.status, body(&added)["color"].as_str()),
        (201, Some("#17BEBB"))
    );
}

#[tokio::test]
async fn the_cart_merges_what_is_equal() {
    let evening = Evening::new().await;
    let (ana, bruno) = (evening.guest("Ana").await, evening.guest("Bruno").await);
    let (ask, carts) = (evening.ask_of(&ana), &evening.services.carts);

    let plain = evening.line("bife_chorizo", 1).await;
    assert!(matches!(
        carts.add(&ask, &ana, &plain).await,
        Err(Refusal::Cart(CartError::ModifiersInvalid(_)))
    ));
    let bife = evening.bife().await;
    let one = carts.add(&ask, &ana, &bife).await.unwrap();
    assert_eq!((one.status, version(&one)), (201, 1));
    let two = body(&carts.add(&ask, &ana, &bife).await.unwrap());
    assert_eq!(two["lines"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&two["lines"][0]["qty"], &two["total"]["amount"]),
        (&2.into(), &5_340_000.into())
    );
    assert_eq!(two["lines"][0]["modifiers"].as_array().unwrap().len(), 2);

    // The older line becomes equal to the younger one: the older stays.
    let other = AddLine {
        notes: "bien cocido".into(),
        ..bife.clone()
    };
    let three = body(&carts.add(&ask, &ana, &other).await.unwrap());
    let [old, young] = [0, 1].map(|n| three["lines"][n]["id"].as_str().unwrap().to_owned());
    let change = |id: &str, notes: &str| ChangeLine {
        line_id: id.parse().unwrap(),
        qty: None,
        modifiers: None,
        sharing: None,
        shared_with: None,
        notes: Some(notes.into()),
    };
    let merged = body(
        &carts
            .change(&ask, &ana, &change(&old, "bien cocido"))
            .await
            .unwrap(),
    );
    assert_eq!(merged["lines"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&merged["lines"][0]["id"], &merged["lines"][0]["qty"]),
        (&old.clone().into(), &3.into())
    );
    assert_ne!(old, young);
    // And the other way round.
    let again = body(&carts.add(&ask, &ana, &bife).await.unwrap());
    let younger = again["lines"][1]["id"].as_str().unwrap();
    let merged = body(
        &carts
            .change(&ask, &ana, &change(younger, "bien cocido"))
            .await
            .unwrap(),
    );
    assert_eq!(
        (&merged["lines"][0]["id"], &merged["lines"][0]["qty"]),
        (&old.clone().into(), &4.into())
    );

    // A group line loses its sharers and one of its options.
    let group = ChangeLine {
        sharing: Some(Sharing::Group),
        shared_with: Some(vec![ana.diner, bruno.diner]),
        ..change(&old, "")
    };
    let shared = body(&carts.change(&ask, &ana, &group).await.unwrap());
    assert_eq!(shared["lines"][0]["shared_with"].as_array().unwrap().len(), 2);
    let back = ChangeLine {
        sharing: Some(Sharing::Own),
        modifiers: Some(bife.modifiers[..1].to_vec()),
        ..change(&old, "")
    };
    let theirs = carts
        .change(&evening.ask_of(&bruno), &bruno, &back)
        .await
        .unwrap();
    assert_eq!(
        body(&theirs)["lines"][0]["shared_with"].as_array().unwrap().len(),
        0
    );
    let refused = carts
        .remove(&evening.ask_of(&bruno), &bruno, old.parse().unwrap())
        .await;
    assert!(matches!(refused, Err(Refusal::Cart(CartError::NotLineOwner))));

    let (seen, etag) = carts.get(&ask, &ana).await.unwrap().value;
    assert_eq!((seen.version, seen.lines[0].modifiers.len()), (etag, 1));
    assert!(matches!(
        carts.clear(&ask, &ana, etag - 1).await,
        Err(Refusal::PreconditionFailed { version, .. }) if version == etag
    ));
    assert_eq!(
        body(&carts.clear(&ask, &ana, etag).await.unwrap())["lines"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
    let left = evening
        .client
        .query_one("SELECT count(*) FROM cart_line_modifier", &[])
        .await
        .unwrap();
    assert_eq!(left.get::<_, i64>(0), 0);
}

#[tokio::test]
async fn a_call_is_answered_once() {
    let evening = Evening::new().await;
    let (ana, bruno) = (evening.guest("Ana").await, evening.guest("Bruno").await);
    let calls = &evening.services.calls;
    let wish = RaiseCall {
        call_type: CallType::Waiter,
        note: Some("pan".into()),
    };
    let first = calls.raise(&evening.ask_of(&ana), &ana, &wish).await.unwrap();
    let second = calls.raise(&evening.ask_of(&bruno), &bruno, &wish).await.unwrap();
    assert_eq!((first.status, second.status), (201, 200));
    assert_eq!(body(&first)["id"], body(&second)["id"]);
    let id = body(&first)["id"].as_str().unwrap().parse().unwrap();
    let other = Principal::Diner(bruno.clone());
    let refused = calls
        .moved(&evening.ask_of(&bruno), &other, id, CallMove::Cancel)
        .await;
    assert!(matches!(refused, Err(Refusal::Forbidden(_))));

    let (leo, sol) = (
        evening.staff("leo", Role::Waiter).await,
        evening.staff("sol", Role::Waiter).await,
    );
    let acked = calls.moved(&leo.0, &leo.1, id, CallMove::Ack).await.unwrap();
    assert_eq!(body(&acked)["acked_by"]["name"], "Leo");
    match calls.moved(&sol.0, &sol.1, id, CallMove::Ack).await {
        Err(Refusal::CallWrongState { by: Some(by), .. }) => assert_eq!(by.name.as_deref(), Some("Leo")),
        other => panic!("{other:?}"),
    }
    assert_eq!(
        calls
            .of_visit(&evening.ask_of(&ana), &ana)
            .await
            .unwrap()
            .value
            .len(),
        1
    );
}

#[tokio::test]
async fn what_is_sold_out_cannot_be_ordered() {
    let evening = Evening::new().await;
    let ana = evening.guest("Ana").await;
    let nora = evening.staff("nora", Role::Kitchen).await;
    let menus = &evening.services.menus;
    let line = evening.line("provoleta", 1).await;
    let off = SetAvailability {
        available: false,
        unavailable_until: None,
    };
    let product = ProductId(line.product_id.0);
    evening.events().await;
    for _ in 0..2 {
        menus
            .set_product_availability(&nora.0, &nora.1, evening.branch, product, &off)
            .await
            .unwrap();
    }
    assert_eq!(evening.events().await, ["product.availability_changed"]);
    let refused = evening
        .services
        .carts
        .add(&evening.ask_of(&ana), &ana, &line)
        .await;
    assert!(matches!(
        refused,
        Err(Refusal::Cart(CartError::ItemsUnavailable(_)))
    ));
    let who = Principal::Diner(ana.clone());
    let (menu, _) = menus
        .of_visit(&evening.ask_of(&ana), &who, &MenuQuery::default())
        .await
        .unwrap();
    assert_eq!(menu.menu_version, 2);
    let jugoso = evening.id("modifier_option", "jugoso").await.into();
    menus
        .set_option_availability(&nora.0, &nora.1, evening.branch, jugoso, &off)
        .await
        .unwrap();
    let refused = evening
        .services
        .carts
        .add(&evening.ask_of(&ana), &ana, &evening.bife().await)
        .await;
    assert!(matches!(
        refused,
        Err(Refusal::Cart(CartError::ItemsUnavailable(_)))
    ));
    let leo = evening.staff("leo", Role::Waiter).await;
    let denied = menus
        .set_product_availability(&leo.0, &leo.1, evening.branch, product, &off)
        .await;
    assert!(matches!(denied, Err(Refusal::Forbidden(_))));
}

#[tokio::test]
async fn the_party_pays_orders_again_and_leaves() {
    let evening = Evening::new().await;
    let ana = evening.guest("Ana").await;
    let leo = evening.staff("leo", Role::Waiter).await;
    let marta = evening.staff("marta", Role::Manager).await;
    let Services {
        sessions,
        rounds,
        carts,
        calls,
        billing,
        ..
    } = &evening.services;
    let (ask, id) = (evening.ask_of(&ana), ana.session);

    carts
        .add(&ask, &ana, &evening.line("limonada", 1).await)
        .await
        .unwrap();
    let all = PlaceRound {
        selection: Selection::Table,
        notes: String::new(),
        expected_total: None,
    };
    let placed = rounds.place(&ask, &ana, &all, Some(1)).await.unwrap();
    let round: RoundId = body(&placed)["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(
        body(&placed)["items"][0]["modifiers"].as_array().unwrap().len(),
        0
    );
    carts.add(&ask, &ana, &evening.bife().await).await.unwrap();
    calls
        .raise(
            &ask,
            &ana,
            &RaiseCall {
                call_type: CallType::Other,
                note: None,
            },
        )
        .await
        .unwrap();
    rounds.confirm(&leo.0, &leo.1, round, None).await.unwrap();
    rounds.submit(&marta.0, &marta.1, round, None).await.unwrap();

    let close = async |serve| sessions.close(&leo.0, &leo.1, id, None, serve).await;
    let priced = |refusal: Refusal| match refusal {
        Refusal::Priced { refusal, .. } => *refusal,
        other => other,
    };
    assert!(matches!(
        priced(close(true).await.unwrap_err()),
        Refusal::Close(CloseError::RoundsUnfinished { .. })
    ));
    rounds
        .advance(&marta.0, &marta.1, round, None, RoundTarget::Ready)
        .await
        .unwrap();
    assert!(matches!(
        priced(close(true).await.unwrap_err()),
        Refusal::Close(CloseError::UnbilledItems { total: 450_000 })
    ));

    let card = sessions.card(&leo.0, &leo.1, evening.table).await.unwrap().value;
    assert_eq!(
        (
            card.card.status.as_str(),
            card.card.rounds.ready,
            card.card.open_calls
        ),
        ("open", 1, 1)
    );
    let (detail, _) = sessions.get(&leo.0, &leo.1, id).await.unwrap().value;
    assert_eq!(
        (detail.rounds.len(), detail.calls.len(), detail.check.is_none()),
        (1, 1, true)
    );

    // Asked for, withdrawn, asked for again.
    let request = async || {
        billing
            .request_check(&leo.0, &leo.1, id, None, PendingRounds::Refuse)
            .await
            .unwrap()
    };
    request().await;
    evening.events().await;
    let reopened = sessions.reopen(&leo.0, &leo.1, id, None).await.unwrap();
    assert_eq!(body(&reopened)["status"], "open");
    assert_eq!(
        evening.events().await,
        ["check.voided", "session.reopened", "table.status_changed"]
    );
    let check: CheckId = body(&request().await)["id"].as_str().unwrap().parse().unwrap();
    assert!(matches!(
        priced(close(true).await.unwrap_err()),
        Refusal::Close(CloseError::CheckUnpaid { due: 450_000 })
    ));
    let currency = comanda_domain::money::Currency::parse("ARS").unwrap();
    let cash = RegisterPayment {
        provider: Provider::Cash,
        amount: Money {
            minor: 450_000,
            currency,
        },
        tip: None,
        tendered: None,
        payer: Some(ana.diner),
        covers: Vec::new(),
        reference: None,
    };
    billing
        .register_payment(&leo.0, &leo.1, check, &cash)
        .await
        .unwrap();

    evening.events().await;
    let closed = body(&close(true).await.unwrap());
    assert_eq!(
        (&closed["status"], &closed["close_reason"], &closed["seating"]),
        (&"closed".into(), &"paid".into(), &2.into())
    );
    assert_eq!(closed["check_id"], check.to_string());
    assert_eq!(
        evening.events().await,
        [
            "ticket.delivered",
            "round.served",
            "service_call.canceled",
            "check.settled",
            "session.closed",
            "table.status_changed"
        ]
    );
    let left = evening
        .client
        .query_one("SELECT count(*) FROM cart_line", &[])
        .await
        .unwrap();
    assert_eq!(left.get::<_, i64>(0), 0);
    assert!(matches!(carts.get(&ask, &ana).await, Err(Refusal::SeatingEnded)));
    assert!(matches!(
        priced(close(false).await.unwrap_err()),
        Refusal::Close(CloseError::SessionClosed(_))
    ));

    // The table is free for the next party.
    let opened = sessions
        .open_for_staff(&leo.0, &leo.1, evening.table, Some(2), None)
        .await
        .unwrap();
    assert_eq!(
        (opened.status, body(&opened)["assigned_waiter"]["name"].as_str()),
        (201, Some("Leo"))
    );
    let next = body(&opened)["id"].as_str().unwrap().parse().unwrap();
    let empty = body(
        &sessions
            .close(&leo.0, &leo.1, next, Some(1), false)
            .await
            .unwrap(),
    );
    assert_eq!(empty["close_reason"], "empty");
    let mine = CardFilter {
        mine: true,
        ..CardFilter::default()
    };
    let cards = sessions
        .cards(&leo.0, &leo.1, evening.branch, &mine)
        .await
        .unwrap();
    assert_eq!(cards.value.len(), 8);
    let all = sessions
        .cards(&leo.0, &leo.1, evening.branch, &CardFilter::default())
        .await
        .unwrap();
    assert_eq!(all.value.len(), 14);
}
