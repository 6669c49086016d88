//! The dinner of the demo restaurant for the tests of rounds and kitchen.

use crate::actor::{Actor, Role};
use crate::branch::{Branch, BranchSettings};
use crate::cart::{CartLine, ChosenModifier, Sharing};
use crate::diner::Diner;
use crate::event::{Event, EventBody};
use crate::ids::{CartLineId, TypedId};
use crate::kitchen::Ticket;
use crate::menu::fixtures::{at, id, menu, option_id, product_id};
use crate::menu::{BranchMenu, Station};
use crate::money::Currency;
use crate::round::{
    PlaceFacts, PlaceRound, Round, RoundFacts, RoundItem, Selection, confirm, place_round, submit,
};
use crate::session::fixtures::{Counter, diner, session, staff};
use crate::session::{Session, SessionStatus};

/// Centro with the wanted switches.
pub fn branch(waiter_may_submit: bool, auto_submit_on_confirm: bool) -> Branch {
    Branch {
        tenant_id: id("buen-sabor"),
        id: id("centro"),
        name: "Buen Sabor Centro".to_owned(),
        currency: Currency::parse("ARS").unwrap(),
        locale: "es".to_owned(),
        timezone: chrono_tz::America::Argentina::Mendoza,
        business_day_start: "05:00:00".parse().unwrap(),
        menu_version: 7,
        settings: BranchSettings {
            waiter_may_submit,
            auto_submit_on_confirm,
            ..BranchSettings::default()
        },
    }
}

/// Everything that placing needs, owned.
pub struct Table {
    pub branch: Branch,
    pub session: Session,
    pub diners: Vec<Diner>,
    pub lines: Vec<CartLine>,
    pub menu: BranchMenu,
}

/// The n-th cart line.
pub fn line_id(n: u128) -> CartLineId {
    CartLineId::from_uuid(uuid::Uuid::from_u128(n))
}

/// A cart line without choices.
pub fn line(n: u128, owner: &str, product: &str, qty: i32) -> CartLine {
    CartLine {
        id: line_id(n),
        diner_id: id(owner),
        product_id: product_id(product),
        qty,
        sharing: Sharing::Own,
        sharers: Vec::new(),
        modifiers: Vec::new(),
        notes: String::new(),
    }
}

/// An option, once.
pub fn choose(option: &str) -> ChosenModifier {
    ChosenModifier {
        option_id: option_id(option),
        qty: 1,
    }
}

impl Table {
    /// Ana, Bruno and Carla, with the cart of the example.
    pub fn dinner() -> Self {
        let diners = ["Ana", "Bruno", "Carla"].into_iter().zip(1..);
        Self {
            branch: branch(false, false),
            session: Session {
                cart_version: 4,
                ..session(SessionStatus::Open)
            },
            diners: diners
                .map(|(name, seconds)| Diner {
                    joined_at: at(seconds),
                    ..diner(name)
                })
                .collect(),
            lines: vec![
                CartLine {
                    modifiers: vec![choose("jugoso"), choose("huevo_frito")],
                    notes: "sin sal".to_owned(),
                    ..line(1, "Ana", "bife_chorizo", 1)
                },
                CartLine {
                    sharing: Sharing::Table,
                    ..line(2, "Ana", "provoleta", 1)
                },
                line(3, "Bruno", "empanada_carne", 2),
                line(4, "Carla", "limonada", 1),
            ],
            menu: menu(),
        }
    }

    /// As a decision sees it.
    pub fn facts(&self) -> PlaceFacts<'_> {
        PlaceFacts {
            branch: &self.branch,
            session: &self.session,
            diners: &self.diners,
            lines: &self.lines,
            menu: &self.menu,
        }
    }
}

/// The whole cart.
pub fn whole_table() -> PlaceRound {
    PlaceRound {
        selection: Selection::Table,
        notes: String::new(),
        expected_total: None,
    }
}

/// A guest as an actor.
pub fn guest(name: &str) -> Actor {
    Actor::diner(id(name))
}

/// Ana's pending round: bife and provoleta (grill), two empanadas (hot kitchen), a lemonade (bar).
pub fn pending_round() -> Round {
    let table = Table::dinner();
    let mut ids = Counter::default();
    place_round(table.facts(), whole_table(), &guest("Ana"), at(100), &mut ids)
        .unwrap()
        .round
}

/// That round with the kitchen, and its three tickets.
pub fn submitted_round() -> RoundFacts {
    let settings = branch(false, false).settings;
    let mut ids = Counter::default();
    let waiter = staff(Role::Waiter);
    let confirmed = confirm(pending_round(), settings, &waiter, at(200), &mut ids).unwrap();
    let manager = staff(Role::Manager);
    let submitted = submit(confirmed.round, settings, &manager, at(300), &mut ids).unwrap();
    RoundFacts {
        round: submitted.round,
        tickets: submitted.tickets,
    }
}

impl RoundFacts {
    /// The facts after an operation that changed these tickets.
    #[must_use]
    pub fn after(&self, round: Round, changed: Vec<Ticket>) -> Self {
        let mut tickets = self.tickets.clone();
        for ticket in changed {
            match tickets.iter_mut().find(|old| old.id == ticket.id) {
                Some(old) => *old = ticket,
                None => tickets.push(ticket),
            }
        }
        Self { round, tickets }
    }

    /// The ticket of a station.
    pub(crate) fn at(&self, station: Station) -> &Ticket {
        self.tickets
            .iter()
            .find(|ticket| ticket.station == station)
            .unwrap()
    }

    /// The item of a dish.
    pub(crate) fn item(&self, product: &str) -> &RoundItem {
        let wanted = product_id(product);
        self.round
            .items
            .iter()
            .find(|item| item.product_id == wanted)
            .unwrap()
    }
}

/// Names of events, in order.
pub fn names(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(|event| event.name.as_str()).collect()
}

/// For each event, the version of its object.
pub fn versions(events: &[Event]) -> Vec<i64> {
    let version = |event: &Event| match &event.body {
        EventBody::Round { round, .. } => round.version,
        EventBody::Ticket { ticket, .. } => ticket.version,
        other => panic!("{other:?}"),
    };
    events.iter().map(version).collect()
}
