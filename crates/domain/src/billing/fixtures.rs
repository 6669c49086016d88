//! The dinner of the specification, for tests: three guests, one round, and short ways to bill and pay.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveTime, TimeDelta};
use uuid::Uuid;

use super::{
    Check, Ledger, PaymentCreated, PaymentEnd, PaymentFacts, PaymentRegistered, PendingRounds, Provider,
    ProviderFacts, ProviderOutcome, ProviderState, ProviderStatus, RegisterPayment, RegisterPaymentError,
    RequestCheck, RequestFacts, SplitFacts, SplitRequest, StartOnlinePayment, StartPaymentError,
    apply_provider_state, end_payment, register_payment, request_check, set_split, start_online_payment,
};
use crate::Timestamp;
use crate::actor::{Actor, Role, Roles};
use crate::branch::{Branch, BranchSettings};
use crate::cart::Sharing;
use crate::event::Event;
use crate::ids::{
    BranchId, DinerId, IdSource, ProductId, RoundId, RoundItemId, SessionId, TableId, TenantId, TypedId,
    UserId,
};
use crate::menu::Station;
use crate::money::{Currency, Money};
use crate::round::{Round, RoundItem, RoundSource, RoundStatus};
use crate::session::{Session, SessionStatus};
use crate::table::Table;
use crate::text::I18n;

pub(super) const EQUAL: SplitRequest = SplitRequest::Equal { participants: None };

const ENABLED: &[Provider] = &[
    Provider::Cash,
    Provider::CardTerminal,
    Provider::Transfer,
    Provider::Sandbox,
];

/// Ids that count upwards.
#[derive(Default)]
pub(super) struct CountingIds(u128);

impl CountingIds {
    /// Ids that no earlier step on this bill has drawn.
    fn after(bill: &Bill) -> Self {
        let payments = u128::try_from(bill.ledger.payments.len()).unwrap();
        let version = u128::try_from(bill.check.version).unwrap();
        Self(payments * 1_000_000_000 + version * 10_000)
    }
}

impl IdSource for CountingIds {
    fn uuid(&mut self) -> Uuid {
        self.0 += 1;
        Uuid::from_u128(self.0)
    }
}

/// A check on its way through the evening.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Bill {
    pub check: Check,
    pub ledger: Ledger,
}

fn id<T: TypedId>(number: u128) -> T {
    T::from_uuid(Uuid::from_u128(number))
}

pub(super) fn now() -> Timestamp {
    DateTime::parse_from_rfc3339("2026-11-24T23:25:25Z")
        .unwrap()
        .to_utc()
}

pub(super) fn later(seconds: i64) -> Timestamp {
    now() + TimeDelta::seconds(seconds)
}

pub(super) fn currency() -> Currency {
    Currency::parse("ARS").unwrap()
}

pub(super) fn ars(minor: i64) -> Money {
    Money::new(minor, currency())
}

/// The first guests, in order of joining: Ana, Bruno, Carla, and a fourth.
pub(super) fn diners(count: usize) -> Vec<DinerId> {
    (101..).take(count).map(id).collect()
}

pub(super) fn leo() -> Actor {
    Actor::user(id(201), Roles::NONE.with(Role::Waiter))
}

pub(super) fn cook() -> Actor {
    Actor::user(id(202), Roles::NONE.with(Role::Kitchen))
}

pub(super) fn branch() -> Branch {
    Branch {
        tenant_id: id::<TenantId>(1),
        id: id::<BranchId>(2),
        name: "Buen Sabor Centro".to_owned(),
        currency: currency(),
        locale: "es".to_owned(),
        timezone: chrono_tz::America::Argentina::Mendoza,
        business_day_start: NaiveTime::from_hms_opt(5, 0, 0).unwrap(),
        menu_version: 1,
        settings: BranchSettings::default(),
    }
}

pub(super) fn session() -> Session {
    Session {
        id: id::<SessionId>(3),
        branch_id: branch().id,
        table_id: id::<TableId>(4),
        status: SessionStatus::Open,
        seating: 1,
        join_code: "4821".to_owned(),
        party_size: Some(3),
        note: None,
        assigned_waiter_id: Some(id::<UserId>(201)),
        cart_version: 5,
        next_round_number: 2,
        opened: leo().stamp(now()),
        paying: None,
        closed: None,
        close_reason: None,
        last_activity_at: now(),
        version: 1,
    }
}

/// The table of that session.
pub(super) fn table() -> Table {
    Table {
        id: session().table_id,
        branch_id: branch().id,
        sector_id: id(6),
        code: "SAL-01".to_owned(),
        capacity: 4,
        out_of_service: false,
        out_of_service_reason: None,
        qr_version: 1,
        version: 1,
    }
}

/// A line of an owner, or of the table, with its price.
pub(super) type Line = (Option<DinerId>, i64);

pub(super) fn line(owner: Option<DinerId>, amount: i64) -> Line {
    (owner, amount)
}

/// A served round of single dishes.
pub(super) fn round_of(number: i32, lines: &[Line]) -> Round {
    let base = u128::try_from(number).unwrap() * 1_000;
    let items = lines.iter().zip(1..).map(|((owner, amount), line_no)| {
        let item_id = id::<RoundItemId>(base + u128::try_from(line_no).unwrap());
        item(item_id, line_no, *owner, *amount)
    });
    Round {
        id: id::<RoundId>(base),
        branch_id: branch().id,
        session_id: session().id,
        number,
        status: RoundStatus::Served,
        source: RoundSource::Diner,
        notes: String::new(),
        menu_version: 1,
        cancel_reason: None,
        pending: leo().stamp(now()),
        confirmed: None,
        submitted: None,
        in_kitchen: None,
        ready: None,
        served: None,
        canceled: None,
        version: 6,
        items: items.collect(),
    }
}

fn item(id_of_item: RoundItemId, line_no: i32, diner_id: Option<DinerId>, unit_amount: i64) -> RoundItem {
    RoundItem {
        id: id_of_item,
        line_no,
        product_id: id::<ProductId>(5),
        product_name: I18n::default(),
        station: Station::Grill,
        diner_id,
        sharing: if diner_id.is_some() {
            Sharing::Own
        } else {
            Sharing::Table
        },
        sharers: Vec::new(),
        qty: 1,
        voided_qty: 0,
        base_amount: unit_amount,
        modifiers_amount: 0,
        unit_amount,
        notes: String::new(),
        allergen_alerts: Vec::new(),
        cart_line_id: None,
        modifiers: Vec::new(),
    }
}

/// Ana's bife with egg, a provoleta for the table, Bruno's two empanadas, Carla's lemonade.
pub(super) fn dinner_round() -> Round {
    let [ana, bruno, carla] = diners(3)[..] else {
        panic!()
    };
    let mut round = round_of(
        1,
        &[
            (Some(ana), 2_670_000),
            (None, 980_000),
            (Some(bruno), 280_000),
            (Some(carla), 450_000),
        ],
    );
    round.items[2].qty = 2;
    round
}

/// The bill of what was served.
pub(super) fn billed(rounds: &[Round]) -> Bill {
    let facts = RequestFacts {
        session: &session(),
        table: &table(),
        branch: &branch(),
        rounds,
        billed: &BTreeSet::new(),
        diners: &diners(3),
        next_number: 1,
    };
    let command = RequestCheck {
        split: None,
        pending_rounds: PendingRounds::Refuse,
    };
    let done = request_check(&facts, &command, &leo(), now(), &mut CountingIds::default()).unwrap();
    Bill {
        check: done.check,
        ledger: done.ledger,
    }
}

/// The bill of one round of these lines.
pub(super) fn bill_of(lines: &[Line]) -> Bill {
    billed(&[round_of(1, lines)])
}

/// The check of 46 600.00.
pub(super) fn running_example() -> Bill {
    billed(&[dinner_round()])
}

pub(super) fn split(bill: &Bill, request: &SplitRequest) -> Bill {
    let facts = SplitFacts {
        check: &bill.check,
        ledger: &bill.ledger,
        diners: &diners(3),
    };
    let done = set_split(&facts, request, &leo(), now()).unwrap();
    Bill {
        check: done.check,
        ledger: done.ledger,
    }
}

fn with_facts<T>(bill: &Bill, decide: impl FnOnce(&PaymentFacts<'_>) -> T) -> T {
    decide(&PaymentFacts {
        session: &session(),
        branch: &branch(),
        check: &bill.check,
        ledger: &bill.ledger,
        diners: &diners(3),
        enabled: ENABLED,
    })
}

pub(super) fn take(provider: Provider, amount: i64, payer: Option<DinerId>) -> RegisterPayment {
    RegisterPayment {
        provider,
        amount: ars(amount),
        tip: None,
        tendered: None,
        payer,
        covers: Vec::new(),
        reference: None,
    }
}

pub(super) fn register(
    bill: &Bill,
    command: &RegisterPayment,
    actor: &Actor,
) -> Result<PaymentRegistered, RegisterPaymentError> {
    let mut ids = CountingIds::after(bill);
    with_facts(bill, |facts| {
        register_payment(facts, command, actor, now(), &mut ids)
    })
}

pub(super) fn paid_for(bill: &Bill, amount: i64, payer: Option<DinerId>, covers: &[DinerId]) -> Bill {
    let command = RegisterPayment {
        covers: covers.to_vec(),
        ..take(Provider::CardTerminal, amount, payer)
    };
    let done = register(bill, &command, &leo()).unwrap();
    Bill {
        check: done.check,
        ledger: done.ledger,
    }
}

pub(super) fn paid(bill: &Bill, amount: i64, payer: Option<DinerId>) -> Bill {
    paid_for(bill, amount, payer, &[])
}

pub(super) fn online(amount: Option<Money>) -> StartOnlinePayment {
    StartOnlinePayment {
        provider: Provider::Sandbox,
        amount,
        tip: None,
        payer: None,
        covers: Vec::new(),
    }
}

pub(super) fn start_with(
    bill: &Bill,
    command: &StartOnlinePayment,
    actor: &Actor,
) -> Result<PaymentCreated, StartPaymentError> {
    let mut ids = CountingIds::after(bill);
    with_facts(bill, |facts| {
        start_online_payment(facts, command, actor, now(), &mut ids)
    })
}

pub(super) fn start(bill: &Bill, amount: i64, diner: DinerId) -> Bill {
    let done = start_with(bill, &online(Some(ars(amount))), &Actor::diner(diner)).unwrap();
    Bill {
        check: bill.check.clone(),
        ledger: done.ledger,
    }
}

/// What the sandbox would report.
pub(super) fn report(status: ProviderStatus) -> ProviderState {
    ProviderState {
        status,
        external_id: Some("sbx-1".to_owned()),
        failure_code: (status == ProviderStatus::Rejected).then(|| "card_declined".to_owned()),
        checkout_url: (status == ProviderStatus::Pending).then(|| "https://pay.example/1".to_owned()),
    }
}

pub(super) fn apply(bill: &Bill, payment: usize, state: &ProviderState) -> ProviderOutcome {
    let facts = ProviderFacts {
        check: &bill.check,
        ledger: &bill.ledger,
        payment: &bill.ledger.payments[payment],
        waiter_id: session().assigned_waiter_id,
    };
    apply_provider_state(&facts, state, now(), &mut CountingIds::after(bill))
}

pub(super) fn apply_to(bill: &Bill, payment: usize, state: &ProviderState) -> Bill {
    match apply(bill, payment, state) {
        ProviderOutcome::Applied(applied) => Bill {
            check: applied.check,
            ledger: applied.ledger,
        },
        ProviderOutcome::NoChange => bill.clone(),
    }
}

pub(super) fn end(bill: &Bill, payment: usize, how: PaymentEnd) -> Bill {
    let payment = &bill.ledger.payments[payment];
    let done = end_payment(&bill.check, payment, how, &Actor::SYSTEM).unwrap();
    Bill {
        check: bill.check.clone(),
        ledger: bill.ledger.with_payment(&done.payment),
    }
}

/// What the nth payment puts on each charge, in order of position.
pub(super) fn per_charge(bill: &Bill, payment: usize) -> Vec<i64> {
    let rows = &bill.ledger.payments[payment].allocations;
    let on = |charge| rows.iter().filter(move |row| row.charge_id == charge);
    let charges = bill.ledger.charges.iter();
    charges
        .map(|charge| on(charge.id).map(|row| row.amount).sum())
        .collect()
}

pub(super) fn names(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(|event| event.name.as_str()).collect()
}
