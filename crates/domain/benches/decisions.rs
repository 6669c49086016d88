//! How long the pure parts of a busy evening take: dividing a check, allocating a payment, deciding on a placing.
//!
//! `cargo bench -p comanda-domain`
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on panics")]

use std::collections::BTreeMap;
use std::hint::black_box;

use comanda_domain::Timestamp;
use comanda_domain::actor::Actor;
use comanda_domain::billing::{Charge, Ledger, Portion, SplitRequest, allocate, divide, largest_remainder};
use comanda_domain::branch::{Branch, BranchSettings};
use comanda_domain::cart::{CartLine, Sharing};
use comanda_domain::diner::{Diner, Preferences};
use comanda_domain::ids::{DinerId, IdSource, ProductId, TypedId};
use comanda_domain::menu::{Availability, BranchMenu, MenuProduct, ProductAllergens, Station};
use comanda_domain::money::Currency;
use comanda_domain::round::{PlaceFacts, PlaceRound, Selection, place_round};
use comanda_domain::session::{Session, SessionStatus};
use comanda_domain::text::I18n;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use uuid::Uuid;

fn id<T: TypedId>(number: u128) -> T {
    T::from_uuid(Uuid::from_u128(number))
}

fn now() -> Timestamp {
    "2026-11-24T23:00:00Z".parse().unwrap()
}

fn text(es: &str) -> I18n {
    I18n(BTreeMap::from([("es".to_owned(), es.to_owned())]))
}

fn guests(count: u128) -> Vec<DinerId> {
    (1..=count).map(id).collect()
}

/// Charges of eight guests, every third shared by all.
fn ledger(charges: u128) -> Ledger {
    let charge = |number: u128| {
        let shared = number.is_multiple_of(3);
        Charge {
            id: id(1_000 + number),
            round_item_id: id(2_000 + number),
            position: i32::try_from(number).unwrap(),
            qty: 1,
            amount: 280_000 + i64::try_from(number).unwrap() * 977,
            diner_id: (!shared).then(|| id(1 + number % 8)),
            sharing: if shared { Sharing::Table } else { Sharing::Own },
            sharers: Vec::new(),
            description: text("Empanada"),
            released_at: None,
        }
    };
    Ledger {
        charges: (1..=charges).map(charge).collect(),
        ..Ledger::default()
    }
}

fn split(c: &mut Criterion) {
    let mut group = c.benchmark_group("split");
    for parts in [3, 8, 50] {
        let weights: Vec<(i64, DinerId)> = guests(parts).into_iter().map(|guest| (1, guest)).collect();
        group.bench_with_input(
            BenchmarkId::new("largest_remainder", parts),
            &weights,
            |b, weights| {
                b.iter(|| largest_remainder(black_box(4_660_000), weights));
            },
        );
    }
    for charges in [4, 60] {
        let ledger = ledger(charges);
        let portions: Vec<Portion<'_>> = ledger.portions();
        let guests = guests(8);
        let request = SplitRequest::ByConsumption { participants: None };
        let currency = Currency::parse("ARS").unwrap();
        group.bench_function(BenchmarkId::new("by_consumption_of_8", charges), |b| {
            b.iter(|| divide(black_box(&request), &portions, &guests, currency).unwrap());
        });
    }
    group.finish();
}

fn allocation(c: &mut Criterion) {
    let mut group = c.benchmark_group("allocation");
    for charges in [4, 60] {
        let ledger = ledger(charges);
        let covered = guests(3);
        group.bench_with_input(BenchmarkId::new("allocate", charges), &ledger, |b, ledger| {
            b.iter(|| allocate(black_box(1_553_334), Some(id(5)), &covered, ledger));
        });
    }
    group.finish();
}

/// Counts, so that every id is greater than the one before.
struct Counter(u128);

impl IdSource for Counter {
    fn uuid(&mut self) -> Uuid {
        self.0 += 1;
        Uuid::from_u128(self.0)
    }
}

/// Everything that placing needs, owned.
struct Table {
    branch: Branch,
    session: Session,
    diners: Vec<Diner>,
    lines: Vec<CartLine>,
    menu: BranchMenu,
}

fn branch() -> Branch {
    Branch {
        tenant_id: id(1),
        id: id(2),
        name: "Centro".to_owned(),
        currency: Currency::parse("ARS").unwrap(),
        locale: "es".to_owned(),
        timezone: chrono_tz::America::Argentina::Mendoza,
        business_day_start: "05:00:00".parse().unwrap(),
        menu_version: 7,
        settings: BranchSettings::default(),
    }
}

fn session() -> Session {
    Session {
        id: id(3),
        branch_id: id(2),
        table_id: id(4),
        status: SessionStatus::Open,
        seating: 1,
        join_code: "4821".to_owned(),
        party_size: Some(8),
        note: None,
        assigned_waiter_id: None,
        cart_version: 4,
        next_round_number: 1,
        opened: Actor::SYSTEM.stamp(now()),
        paying: None,
        closed: None,
        close_reason: None,
        last_activity_at: now(),
        version: 1,
    }
}

fn diner(number: u128) -> Diner {
    Diner {
        id: id(number),
        branch_id: id(2),
        session_id: id(3),
        name: "Ana".to_owned(),
        color: "#E4572E".to_owned(),
        client_ref: None,
        device_id: None,
        registered_by_user_id: None,
        preferences: Preferences::default(),
        joined_at: now(),
        version: 1,
    }
}

fn product(number: u128) -> MenuProduct {
    let product: ProductId = id(100 + number);
    MenuProduct {
        id: product,
        code: format!("dish_{number}"),
        category_id: id(5),
        name: text("Plato"),
        description: None,
        image_url: None,
        position: 1,
        station: Station::HotKitchen,
        diets: Vec::new(),
        price_amount: 280_000,
        on_menu: true,
        availability: Availability {
            available: true,
            unavailable_until: None,
        },
        allergens: ProductAllergens::default(),
        groups: Vec::new(),
    }
}

/// Eight guests with so many lines of sixty dishes.
fn table(lines: u128) -> Table {
    let line = |number: u128| CartLine {
        id: id(10_000 + number),
        diner_id: id(1 + number % 8),
        product_id: id(100 + number % 60),
        qty: 2,
        sharing: Sharing::Own,
        sharers: Vec::new(),
        modifiers: Vec::new(),
        notes: String::new(),
    };
    Table {
        branch: branch(),
        session: session(),
        diners: (1..=8).map(diner).collect(),
        lines: (0..lines).map(line).collect(),
        menu: (0..60)
            .map(product)
            .map(|product| (product.id, product))
            .collect(),
    }
}

fn placing(c: &mut Criterion) {
    let mut group = c.benchmark_group("placing");
    let wish = PlaceRound {
        selection: Selection::Table,
        notes: String::new(),
        expected_total: None,
    };
    let ana = Actor::diner(id(1));
    for lines in [1, 4, 60] {
        let table = table(lines);
        let facts = PlaceFacts {
            branch: &table.branch,
            session: &table.session,
            diners: &table.diners,
            lines: &table.lines,
            menu: &table.menu,
        };
        group.bench_function(BenchmarkId::new("place_round", lines), |b| {
            b.iter(|| {
                place_round(black_box(facts), wish.clone(), &ana, now(), &mut Counter(1 << 64)).unwrap()
            });
        });
    }
    group.finish();
}

criterion_group!(decisions, split, allocation, placing);
criterion_main!(decisions);
