//! Bills from asking to paying, against a real database whose triggers guard the books.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use comanda_domain::actor::{ActorKind, Role};
use comanda_domain::billing::{
    EndPaymentError, PendingRounds, Provider, RegisterPayment, RequestCheckError, SplitRequest,
    StartOnlinePayment,
};
use comanda_domain::ids::{CheckId, DinerId, FamilyId, PaymentId, SessionId};
use comanda_domain::money::{Currency, Money};
use comanda_domain::round::{PlaceForTable, TableItem};
use comanda_infrastructure::audit::Caller;
use comanda_infrastructure::billing::provider::{
    PaymentOrder, PaymentProvider, Sandbox, Started, Unreachable,
};
use comanda_infrastructure::billing::{
    BillingService, CheckFilter, ProviderOptions, SandboxOutcome, StartPayment,
};
use comanda_infrastructure::db::{Ask, DbError, Origin};
use comanda_infrastructure::idempotency::{Idempotency, Stored};
use comanda_infrastructure::paging::Page;
use comanda_infrastructure::refusal::Refusal;
use comanda_security::SystemEntropy;
use comanda_security::cursor::CursorKeys;
use comanda_security::keys::{KeyList, MasterKeys, generate_key_list};
use comanda_security::policy::{DinerPrincipal, Principal, StaffPrincipal};
use futures_util::future::BoxFuture;
use serde_json::Value;
use uuid::Uuid;

use crate::house::House;

/// Bife of Ana, provoleta of the table, empanadas of Bruno, limonada of Carla: 46 600.00.
const DISHES: [(u128, &str, i64); 4] = [
    (31, "bife", 2_670_000),
    (32, "provoleta", 980_000),
    (33, "empanada", 280_000),
    (34, "limonada", 450_000),
];
const TOTAL: i64 = 4_660_000;

/// A party of three that has ordered.
struct Party {
    house: House,
    billing: BillingService,
    session: SessionId,
    guests: [DinerId; 3],
}

fn body(stored: &Stored) -> Value {
    serde_json::from_slice(&stored.body).unwrap()
}

fn ars(minor: i64) -> Money {
    Money::new(minor, Currency::parse("ARS").unwrap())
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(value: &Value) -> T {
    value.as_str().unwrap().parse().unwrap()
}

impl Party {
    async fn new() -> Self {
        let house = House::new().await;
        house.client.batch_execute(&more_rows()).await.unwrap();
        let billing = house.services.billing.clone();
        let mut party = Self {
            house,
            billing,
            session: SessionId(Uuid::nil()),
            guests: [DinerId(Uuid::nil()); 3],
        };
        let (services, leo) = (party.house.services.clone(), party.staff());
        let ask = party.ask_of(&leo, None);
        let opened = services
            .sessions
            .open_for_staff(&ask, &leo, party.house.table, Some(3), None)
            .await
            .unwrap();
        party.session = id(&body(&opened)["id"]);
        for (place, name) in ["Ana", "Bruno", "Carla"].into_iter().enumerate() {
            let added = services
                .diners
                .add_guest(&ask, &leo, party.session, name.to_owned(), None)
                .await
                .unwrap();
            party.guests[place] = id(&body(&added)["id"]);
        }
        party
    }

    fn staff(&self) -> Principal {
        Principal::Staff(StaffPrincipal {
            tenant: self.house.tenant,
            user: Uuid::from_u128(13).into(),
            family: FamilyId(Uuid::nil()),
            epoch: 0,
            owner: false,
            grants: vec![(self.house.branch, [Role::Waiter].into_iter().collect())],
        })
    }

    fn guest(&self, place: usize) -> DinerPrincipal {
        DinerPrincipal {
            tenant: self.house.tenant,
            branch: self.house.branch,
            session: self.session,
            seating: 1,
            diner: self.guests[place],
        }
    }

    fn ask_of(&self, who: &Principal, key: Option<&str>) -> Ask {
        let (kind, principal_kind, caller) = match who {
            Principal::Staff(staff) => (ActorKind::User, "user", staff.user.0),
            Principal::Diner(diner) => (ActorKind::Diner, "diner", diner.diner.0),
            Principal::Table(table) => (ActorKind::System, "table", table.session.0),
            Principal::ApiKey(key) => (ActorKind::ApiKey, "api_key", key.id.0),
        };
        Ask {
            tenant: self.house.tenant,
            caller: Caller {
                kind,
                id: Some(caller),
                client_ip: None,
                user_agent: None,
            },
            request_id: "it".to_owned(),
            origin: Origin::default(),
            language: None,
            found_at: "/found/",
            nonce: None,
            idempotency: key.map(|key| Idempotency {
                key: key.to_owned(),
                method: "POST",
                route: "/test".to_owned(),
                fingerprint: [7; 32],
                principal_kind,
                principal_id: caller,
            }),
        }
    }

    /// The four dishes as one round, confirmed or waiting.
    async fn order(&self, confirm: bool) {
        let [ana, bruno, carla] = self.guests;
        let owners = [(Some(ana), 1), (None, 1), (Some(bruno), 2), (Some(carla), 1)];
        let items = DISHES
            .iter()
            .zip(owners)
            .map(|((product, ..), (diner_id, qty))| TableItem {
                product_id: Uuid::from_u128(*product).into(),
                qty,
                modifiers: Vec::new(),
                notes: String::new(),
                sharing: None,
                diner_id,
                sharers: Vec::new(),
            });
        let command = PlaceForTable {
            items: items.collect(),
            notes: String::new(),
            confirm,
        };
        let leo = self.staff();
        let ask = self.ask_of(&leo, None);
        self.house
            .services
            .rounds
            .place_for_table(&ask, &leo, self.session, &command)
            .await
            .unwrap();
    }

    async fn request(&self, pending: PendingRounds) -> Result<Stored, Refusal> {
        let leo = self.staff();
        let split = Some(SplitRequest::Equal { participants: None });
        self.billing
            .request_check(&self.ask_of(&leo, None), &leo, self.session, split, pending)
            .await
    }

    /// A party with its check out.
    async fn with_check() -> (Self, CheckId) {
        let party = Box::pin(Self::new()).await;
        party.order(true).await;
        let check = id(&body(&party.request(PendingRounds::Refuse).await.unwrap())["id"]);
        (party, check)
    }

    async fn pay(&self, place: usize, key: &str, outcome: &str) -> Result<Stored, Refusal> {
        self.pay_with(&self.billing, place, key, Some(outcome)).await
    }

    async fn pay_with(
        &self,
        billing: &BillingService,
        place: usize,
        key: &str,
        outcome: Option<&str>,
    ) -> Result<Stored, Refusal> {
        let guest = self.guest(place);
        let ask = self.ask_of(&Principal::Diner(guest.clone()), Some(key));
        let wish = StartPayment {
            payment: StartOnlinePayment {
                provider: Provider::Sandbox,
                amount: None,
                tip: Some(ars(100_000)),
                payer: None,
                covers: Vec::new(),
            },
            options: ProviderOptions {
                return_url: None,
                outcome: outcome.map(str::to_owned),
            },
        };
        billing.pay_at_visit(&ask, &guest, &wish).await
    }

    async fn register(&self, check: CheckId, place: usize, provider: Provider) -> Result<Stored, Refusal> {
        let leo = self.staff();
        let command = RegisterPayment {
            provider,
            amount: ars(1_553_333),
            tip: None,
            tendered: (provider == Provider::Cash).then(|| ars(1_600_000)),
            payer: Some(self.guests[place]),
            covers: Vec::new(),
            reference: None,
        };
        self.billing
            .register_payment(&self.ask_of(&leo, None), &leo, check, &command)
            .await
    }

    async fn check(&self) -> Value {
        let guest = self.guest(0);
        let ask = self.ask_of(&Principal::Diner(guest.clone()), None);
        serde_json::to_value(self.billing.check_of_visit(&ask, &guest).await.unwrap().value.0).unwrap()
    }

    async fn text(&self, sql: &str) -> String {
        self.house.client.query_one(sql, &[]).await.unwrap().get(0)
    }
}

fn more_rows() -> String {
    let id = |bits: u128| format!("'{}'", Uuid::from_u128(bits));
    let (t, b) = (id(1), id(2));
    let mut sql = format!(
        "INSERT INTO category (tenant_id, id, code, name, position, station, created_at)
         VALUES ({t}, {}, 'all', '{{\"es\":\"Todo\"}}', 1, 'grill', now());
         INSERT INTO branch_counter (tenant_id, branch_id, name, value, created_at)
         VALUES ({t}, {b}, 'check_number', 0, now());",
        id(30)
    );
    for provider in ["cash", "card_terminal", "transfer", "sandbox", "mercado_pago"] {
        let _ = write!(
            sql,
            "INSERT INTO branch_provider (tenant_id, branch_id, provider, enabled, created_at)
             VALUES ({t}, {b}, '{provider}', true, now());"
        );
    }
    for (product, code, price) in DISHES {
        let _ = write!(sql,
            "INSERT INTO product (tenant_id, id, category_id, code, name, position, created_at)
             VALUES ({t}, {p}, {}, '{code}', '{{\"es\":\"{code}\"}}', 1, now());
             INSERT INTO branch_product (tenant_id, branch_id, product_id, price_amount, currency, on_menu, available, created_at)
             VALUES ({t}, {b}, {p}, {price}, 'ARS', true, true, now());",
            id(30),
            p = id(product),
        );
    }
    sql
}

fn outstanding(check: &Value) -> Vec<i64> {
    let shares = check["split"]["shares"].as_array().unwrap();
    shares
        .iter()
        .map(|share| share["outstanding"]["amount"].as_i64().unwrap())
        .collect()
}

#[tokio::test]
async fn three_guests_divide_pay_and_leave() {
    let (party, check) = Party::with_check().await;
    let leo = party.staff();
    let ask = party.ask_of(&leo, None);
    let now = party.check().await;
    assert_eq!(
        (now["number"].as_i64(), now["due"]["amount"].as_i64()),
        (Some(1), Some(TOTAL))
    );
    assert_eq!(outstanding(&now), [1_553_334, 1_553_333, 1_553_333]);

    let paid = party.pay(0, "ana", "duplicated").await.unwrap();
    assert_eq!(
        (paid.status, body(&paid)["status"].as_str()),
        (201, Some("approved"))
    );
    assert_eq!(body(&paid)["version"], 2);
    assert!(paid.location.unwrap().starts_with("/found/pay_"));
    let again = party.pay(0, "ana", "duplicated").await.unwrap();
    assert!(again.replayed && again.body == paid.body);
    assert_eq!(party.house.count("payment").await, 1);
    assert_eq!(
        party
            .house
            .count("audit_stage WHERE action = 'payment.apply'")
            .await,
        1
    );

    let cash = body(&party.register(check, 1, Provider::Cash).await.unwrap());
    assert_eq!(cash["change"]["amount"], 46_667);
    assert_eq!(cash["allocations"].as_array().unwrap().len(), 3);
    party.register(check, 2, Provider::CardTerminal).await.unwrap();

    let now = party.check().await;
    assert_eq!(
        (now["status"].as_str(), now["due"]["amount"].as_i64()),
        (Some("paid"), Some(0))
    );
    assert_eq!(
        (now["tips"]["amount"].as_i64(), now["surplus"]["amount"].as_i64()),
        (Some(100_000), Some(0))
    );
    assert_eq!(outstanding(&now), [0, 0, 0]);

    let receipt = party.billing.receipt(&ask, &leo, check).await.unwrap();
    assert_eq!((receipt.view.kind, receipt.view.lines.len()), ("receipt", 4));
    assert_eq!(receipt.view.lines.first().unwrap().diner.as_deref(), Some("Ana"));
    assert!(receipt.page.html.contains("46.600,00"));
    let url = receipt.view.public_url.unwrap();
    let code = url.rsplit('/').next().unwrap();
    let public = party.billing.receipt_by_code(code, Some("en")).await.unwrap();
    assert_eq!(
        (public.view.total.amount, public.view.lang.as_str()),
        (TOTAL, "en")
    );

    let serve = "UPDATE round SET status = 'served', submitted_at = now(), submitted_by_kind = 'system',
                 in_kitchen_at = now(), in_kitchen_by_kind = 'system', ready_at = now(), ready_by_kind = 'system',
                 served_at = now(), served_by_kind = 'system'";
    party
        .house
        .client
        .batch_execute(&format!("SET session_replication_role = replica; {serve}"))
        .await
        .unwrap();
    party
        .house
        .services
        .sessions
        .close(&ask, &leo, party.session, None, false)
        .await
        .unwrap();
    let (closed, _) = party.billing.get_check(&ask, &leo, check).await.unwrap().value;
    assert!(closed.totals.settled_at.is_some() && closed.totals.status == "paid");
}

#[tokio::test]
async fn a_check_is_asked_for_once() {
    let (party, check) = Party::with_check().await;
    let again = party.request(PendingRounds::Refuse).await.unwrap();
    assert_eq!((again.status, id::<CheckId>(&body(&again)["id"])), (200, check));
    let guest = party.guest(1);
    let who = Principal::Diner(guest.clone());
    let ask = party.ask_of(&who, None);
    let preview = party
        .billing
        .preview(&ask, &who, party.session, None)
        .await
        .unwrap();
    assert!(preview.lines.is_empty() && preview.unbilled.amount == 0);

    let request = SplitRequest::ByConsumption { participants: None };
    let stale = party.billing.split_of_visit(&ask, &guest, &request, 9).await;
    assert!(matches!(
        stale,
        Err(Refusal::PreconditionFailed { version: 1, .. })
    ));
    let split = body(
        &party
            .billing
            .split_of_visit(&ask, &guest, &request, 1)
            .await
            .unwrap(),
    );
    assert_eq!(split["split"]["revision"], 2);
    assert_eq!(outstanding(&split), [2_996_667, 886_667, 776_666]);
    let not_paid = party.billing.receipt_of_visit(&ask, &guest).await.unwrap();
    assert_eq!((not_paid.view.kind, not_paid.view.public_url), ("pre_bill", None));
}

#[tokio::test]
async fn waiting_rounds_are_refused_confirmed_or_canceled() {
    let party = Box::pin(Party::new()).await;
    party.order(false).await;
    let refused = party.request(PendingRounds::Refuse).await.err();
    let Some(Refusal::Priced { refusal, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert!(matches!(
        *refusal,
        Refusal::RequestCheck(RequestCheckError::RoundsPending { .. })
    ));
    let preview = {
        let leo = party.staff();
        party
            .billing
            .preview(&party.ask_of(&leo, None), &leo, party.session, None)
            .await
            .unwrap()
    };
    assert_eq!(preview.total.amount, 0);
    let canceled = party.request(PendingRounds::Cancel).await.err();
    let Some(Refusal::Priced { refusal, .. }) = canceled else {
        panic!("{canceled:?}")
    };
    assert!(matches!(
        *refusal,
        Refusal::RequestCheck(RequestCheckError::NothingToBill)
    ));

    let check = body(&party.request(PendingRounds::Confirm).await.unwrap());
    assert_eq!(check["total"]["amount"], TOTAL);
    assert_eq!(party.text("SELECT status FROM round").await, "confirmed");
    let events = party
        .text("SELECT string_agg(type, ' ' ORDER BY stage_id) FROM outbox_stage WHERE type ~ 'round|check'");
    assert!(
        events
            .await
            .ends_with("dev.comanda.round.confirmed.v1 dev.comanda.check.requested.v1")
    );
}

#[tokio::test]
async fn rounds_that_wait_can_be_let_go() {
    let party = Box::pin(Party::new()).await;
    party.order(true).await;
    party.order(false).await;
    let check = body(&party.request(PendingRounds::Cancel).await.unwrap());
    assert_eq!(check["total"]["amount"], TOTAL);
    assert_eq!(
        party
            .house
            .count("round WHERE status = 'canceled' AND cancel_reason IS NOT NULL")
            .await,
        1
    );
    assert_eq!(party.house.count("item_void").await, 4);
}

#[tokio::test]
async fn an_expired_payment_that_comes_late_is_surplus() {
    let (party, _) = Party::with_check().await;
    let pending = body(&party.pay(0, "ana", "pending").await.unwrap());
    assert!(pending["status"] == "pending" && pending["checkout_url"].is_string());
    let created = party
        .text("SELECT data->'check'->'reserved'->>'amount' FROM outbox_stage WHERE type ~ 'payment.created'");
    assert_eq!(created.await, "1553334");
    assert_eq!(party.check().await["reserved"]["amount"], 1_553_334);

    assert_eq!(
        party
            .billing
            .expire_due_payments(party.house.tenant)
            .await
            .unwrap(),
        0
    );
    party.house.pass(16 * 60);
    assert_eq!(
        party
            .billing
            .expire_due_payments(party.house.tenant)
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        party
            .billing
            .expire_due_payments(party.house.tenant)
            .await
            .unwrap(),
        0
    );
    assert_eq!(party.check().await["reserved"]["amount"], 0);

    for (place, key) in [(0, "again"), (1, "bruno"), (2, "carla")] {
        party.pay(place, key, "approved").await.unwrap();
    }
    let (leo, late) = (party.staff(), id(&pending["id"]));
    let settled = party
        .billing
        .settle_sandbox(&party.ask_of(&leo, None), &leo, late, SandboxOutcome::Approved)
        .await
        .unwrap();
    assert_eq!(body(&settled)["unallocated"]["amount"], 1_553_334);
    let now = party.check().await;
    assert_eq!(
        (now["surplus"]["amount"].as_i64(), now["paid"]["amount"].as_i64()),
        (Some(1_553_334), Some(TOTAL))
    );
    let twice = party
        .billing
        .settle_sandbox(&party.ask_of(&leo, None), &leo, late, SandboxOutcome::Rejected)
        .await;
    assert!(matches!(
        twice,
        Err(Refusal::EndPayment(EndPaymentError::PaymentWrongState { .. }))
    ));
}

#[tokio::test]
async fn whoever_started_a_payment_gives_it_up() {
    let (party, _) = Party::with_check().await;
    let payment: PaymentId = id(&body(&party.pay(0, "ana", "pending").await.unwrap())["id"]);
    let [ana, bruno] = [0, 1].map(|place| Principal::Diner(party.guest(place)));
    let other = party
        .billing
        .cancel_payment(&party.ask_of(&bruno, None), &bruno, payment)
        .await;
    assert!(matches!(
        other,
        Err(Refusal::EndPayment(EndPaymentError::Forbidden(_)))
    ));
    let canceled = party
        .billing
        .cancel_payment(&party.ask_of(&ana, None), &ana, payment)
        .await
        .unwrap();
    assert_eq!(body(&canceled)["status"], "canceled");
    let rejected = body(&party.pay(0, "ana-2", "rejected").await.unwrap());
    assert!(rejected["status"] == "rejected" && rejected["failure_code"].is_string());
    let unknown = party.pay(0, "ana-3", "lost").await;
    assert!(matches!(unknown, Err(Refusal::Invalid { .. })));
}

/// Unreachable at first, and then the sandbox.
struct Flaky(AtomicUsize);

impl PaymentProvider for Flaky {
    fn provider(&self) -> Provider {
        Provider::Sandbox
    }

    fn start<'a>(&'a self, order: &'a PaymentOrder) -> BoxFuture<'a, Result<Started, Unreachable>> {
        match self.0.fetch_add(1, Ordering::Relaxed) {
            0 => Box::pin(async { Err(Unreachable("no route".to_owned())) }),
            _ => Sandbox.start(order),
        }
    }
}

#[tokio::test]
async fn an_unreachable_provider_keeps_the_payment_for_the_retry() {
    let (party, _) = Party::with_check().await;
    let billing = party
        .billing
        .clone()
        .with_provider(Arc::new(Flaky(AtomicUsize::new(0))));
    let refused = party.pay_with(&billing, 0, "ana", None).await;
    assert!(matches!(refused, Err(Refusal::ProviderUnavailable)));
    assert_eq!(party.check().await["reserved"]["amount"], 1_553_334);
    let paid = party.pay_with(&billing, 0, "ana", None).await.unwrap();
    assert_eq!(
        (paid.status, body(&paid)["status"].as_str()),
        (201, Some("approved"))
    );
    assert!(party.pay_with(&billing, 0, "ana", None).await.unwrap().replayed);
    assert_eq!(party.house.count("payment").await, 1);
}

#[tokio::test]
async fn a_try_that_died_is_taken_over_after_its_lease() {
    let (party, _) = Party::with_check().await;
    party.pay(0, "ana", "approved").await.unwrap();
    // As if the process had died before it finished the record.
    let started = |until: &str| {
        format!(
            "UPDATE idempotency_record SET state = 'started', status = NULL, body = NULL, lease_until = {until}"
        )
    };
    party
        .house
        .client
        .batch_execute(&started("'2100-01-01'"))
        .await
        .unwrap();
    let early = party.pay(0, "ana", "approved").await;
    assert!(matches!(early, Err(Refusal::Database(DbError::KeyInUse))));
    party
        .house
        .client
        .batch_execute(&started("'2000-01-01'"))
        .await
        .unwrap();
    let taken_over = party.pay(0, "ana", "approved").await.unwrap();
    assert_eq!(body(&taken_over)["status"], "approved");
    assert_eq!(party.house.count("payment").await, 1);
    assert_eq!(party.house.count("tip").await, 1);
}

#[tokio::test]
async fn checks_are_listed_without_their_ledgers() {
    let (party, check) = Party::with_check().await;
    party.pay(0, "ana", "pending").await.unwrap();
    let leo = party.staff();
    let keys = generate_key_list("1", &SystemEntropy::new()).unwrap();
    let keys = CursorKeys::new(&MasterKeys::new(KeyList::parse(&keys).unwrap()));
    let page = Page {
        limit: 1,
        cursor: None,
        context: &["checks"],
        keys: &keys,
    };
    let ask = party.ask_of(&leo, None);
    let filter = CheckFilter {
        session: Some(party.session),
        ..CheckFilter::default()
    };
    let part = party
        .billing
        .list_checks(&ask, &leo, party.house.branch, &filter, &page)
        .await
        .unwrap();
    let found = part.value.data.first().unwrap();
    assert_eq!(
        (found.id.clone(), found.reserved.amount),
        (check.to_string(), 1_553_334)
    );
    assert_eq!(found.split.as_ref().unwrap().shares.len(), 3);
    let elsewhere = party
        .billing
        .list_checks(&ask, &leo, party.house.other_branch, &filter, &page)
        .await;
    assert!(matches!(elsewhere, Err(Refusal::Forbidden(_))));
}
