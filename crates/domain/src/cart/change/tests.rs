use proptest::prelude::*;

use super::*;
use crate::actor::Role;
use crate::menu::fixtures::{at, id, menu, option_id, product_id};
use crate::session::SessionStatus;
use crate::session::fixtures::{Counter, diner, session, staff};

/// A session with its cart, changed step by step.
struct Dinner {
    session: Session,
    diners: Vec<Diner>,
    lines: Vec<CartLine>,
    menu: BranchMenu,
    ids: Counter,
}

impl Dinner {
    fn new() -> Self {
        Self {
            session: session(SessionStatus::Open),
            diners: vec![diner("Ana"), diner("Bruno"), diner("Carla")],
            lines: Vec::new(),
            menu: menu(),
            ids: Counter::default(),
        }
    }

    fn try_as(&mut self, name: &str, command: CartCommand) -> Result<CartChanged, CartError> {
        let facts = CartFacts {
            session: &self.session,
            diners: &self.diners,
            lines: &self.lines,
            menu: &self.menu,
        };
        let changed = change_cart(facts, command, &Actor::diner(id(name)), at(10), &mut self.ids)?;
        self.session = changed.session.clone();
        self.lines = changed.lines.clone();
        Ok(changed)
    }

    fn add(&mut self, name: &str, line: AddLine) -> CartLineId {
        let changed = self.try_as(name, CartCommand::Add(line)).unwrap();
        changed.added.iter().chain(&changed.updated).next().unwrap().id
    }
}

fn wanting(code: &str, qty: i32) -> AddLine {
    AddLine {
        product_id: product_id(code),
        qty,
        modifiers: Vec::new(),
        sharing: None,
        shared_with: Vec::new(),
        notes: String::new(),
    }
}

fn shared(code: &str, names: &[&str]) -> AddLine {
    AddLine {
        shared_with: names.iter().map(|name| id(name)).collect(),
        ..wanting(code, 1)
    }
}

fn for_the_table(code: &str) -> AddLine {
    AddLine {
        sharing: Some(Sharing::Table),
        ..wanting(code, 1)
    }
}

fn change(line_id: CartLineId) -> ChangeLine {
    ChangeLine {
        line_id,
        qty: None,
        modifiers: None,
        sharing: None,
        shared_with: None,
        notes: None,
    }
}

#[test]
fn the_dinner_of_the_specification_fills_four_lines() {
    let mut cart = Dinner::new();
    let chosen = ["jugoso", "huevo_frito"].map(|code| ChosenModifier {
        option_id: option_id(code),
        qty: 1,
    });
    let bife = AddLine {
        notes: "sin sal".to_owned(),
        modifiers: chosen.to_vec(),
        ..wanting("bife_chorizo", 1)
    };
    assert_eq!(
        cart.try_as("Ana", CartCommand::Add(wanting("bife_chorizo", 1))),
        Err(CartError::ModifiersInvalid(vec![ChoiceProblem::TooFew {
            group: id("punto")
        }]))
    );
    cart.add("Ana", bife);
    cart.add("Ana", for_the_table("provoleta"));
    cart.add("Bruno", wanting("empanada_carne", 2));
    cart.add("Carla", wanting("limonada", 1));
    assert_eq!((cart.session.cart_version, cart.session.version), (4, 1));
    assert_eq!(cart.session.last_activity_at, at(10));
    assert_eq!(cart.lines.len(), 4);
    assert_eq!(cart.lines[0].sharing, Sharing::Own);
}

#[test]
fn an_equal_line_gains_quantity_up_to_ninety_nine() {
    let mut cart = Dinner::new();
    let first = cart.add("Ana", wanting("limonada", 60));
    assert_eq!(cart.add("Ana", wanting("limonada", 60)), first);
    assert_eq!(cart.lines[0].qty, 99);
    // Another owner, a note or another sharing is another line.
    cart.add("Bruno", wanting("limonada", 1));
    cart.add("Ana", for_the_table("limonada"));
    cart.add(
        "Ana",
        AddLine {
            notes: "sin hielo".to_owned(),
            ..wanting("limonada", 1)
        },
    );
    assert_eq!(cart.lines.len(), 4);
}

#[test]
fn the_order_of_choices_and_sharers_makes_no_difference() {
    let mut cart = Dinner::new();
    let flavours = |codes: [&str; 2]| AddLine {
        modifiers: codes
            .map(|code| ChosenModifier {
                option_id: option_id(code),
                qty: 1,
            })
            .to_vec(),
        ..shared("helado", &["Ana", "Bruno"])
    };
    cart.add("Ana", flavours(["chocolate", "limon"]));
    cart.add(
        "Ana",
        AddLine {
            shared_with: vec![id("Bruno"), id("Ana"), id("Bruno")],
            ..flavours(["limon", "chocolate"])
        },
    );
    assert_eq!(cart.lines.len(), 1);
    assert_eq!((cart.lines[0].qty, cart.lines[0].sharing), (2, Sharing::Group));
}

#[test]
fn lines_that_become_equal_merge_into_the_older() {
    let mut cart = Dinner::new();
    let older = cart.add("Ana", wanting("limonada", 1));
    let newer = cart.add(
        "Ana",
        AddLine {
            notes: "fría".to_owned(),
            ..wanting("limonada", 2)
        },
    );
    let plain = ChangeLine {
        notes: Some(String::new()),
        ..change(newer)
    };
    let changed = cart.try_as("Ana", CartCommand::Change(plain)).unwrap();
    assert_eq!(changed.removed, [newer]);
    assert_eq!((changed.updated[0].id, changed.updated[0].qty), (older, 3));
    // The same from the other side.
    let newer = cart.add(
        "Ana",
        AddLine {
            notes: "fría".to_owned(),
            ..wanting("limonada", 2)
        },
    );
    let cold = ChangeLine {
        notes: Some("fría".to_owned()),
        ..change(older)
    };
    let changed = cart.try_as("Ana", CartCommand::Change(cold)).unwrap();
    assert_eq!(changed.removed, [newer]);
    assert_eq!((changed.updated[0].id, changed.updated[0].qty), (older, 5));
    assert_eq!(changed.updated[0].notes, "fría");
}

#[test]
fn only_those_who_share_a_line_change_it() {
    let mut cart = Dinner::new();
    let own = cart.add("Ana", wanting("limonada", 1));
    let group = cart.add("Ana", shared("provoleta", &["Ana", "Bruno"]));
    let table = cart.add("Ana", for_the_table("papas_fritas"));
    let mut may = |name: &str, line_id| {
        let twice = ChangeLine {
            qty: Some(2),
            ..change(line_id)
        };
        cart.try_as(name, CartCommand::Change(twice)).map(|_| ())
    };
    assert_eq!(may("Bruno", own), Err(CartError::NotLineOwner));
    assert_eq!(may("Bruno", group), Ok(()));
    assert_eq!(may("Carla", group), Err(CartError::NotLineOwner));
    assert_eq!(may("Carla", table), Ok(()));
    assert_eq!(may("Ana", id("no such line")), Err(CartError::NotFound));
    assert_eq!(
        cart.try_as("Carla", CartCommand::Remove(own)),
        Err(CartError::NotLineOwner)
    );
    let cleared = cart.try_as("Bruno", CartCommand::Clear).unwrap();
    assert!(cleared.removed.is_empty());
    let cleared = cart.try_as("Ana", CartCommand::Clear).unwrap();
    assert_eq!(cleared.removed, [own, group, table]);
    assert_eq!(cleared.change, CartChange::Cleared);
}

#[test]
fn sharing_follows_what_is_said() {
    let mut cart = Dinner::new();
    let line = cart.add("Ana", wanting("provoleta", 1));
    let share = |names: &[&str]| ChangeLine {
        shared_with: Some(names.iter().map(|name| id(name)).collect()),
        ..change(line)
    };
    let mut sharing = |wanted: ChangeLine| {
        cart.try_as("Ana", CartCommand::Change(wanted))
            .map(|changed| (changed.updated[0].sharing, changed.updated[0].sharers.len()))
    };
    let invalid = |code| {
        Err(CartError::Invalid {
            field: "shared_with",
            code,
        })
    };
    assert_eq!(sharing(share(&["Ana", "Carla"])), Ok((Sharing::Group, 2)));
    assert_eq!(
        sharing(ChangeLine {
            qty: Some(2),
            ..change(line)
        }),
        Ok((Sharing::Group, 2))
    );
    assert_eq!(sharing(share(&["Ana"])), invalid("too_short"));
    assert_eq!(sharing(share(&[])), invalid("too_short"));
    let stranger = share(&["Ana", "stranger"]);
    assert_eq!(
        sharing(stranger),
        Err(CartError::DinerNotInSession(id("stranger")))
    );
    assert_eq!(
        sharing(ChangeLine {
            sharing: Some(Sharing::Table),
            ..change(line)
        }),
        Ok((Sharing::Table, 0))
    );
    let group = ChangeLine {
        sharing: Some(Sharing::Group),
        ..change(line)
    };
    assert_eq!(sharing(group), invalid("too_short"));
    let own = ChangeLine {
        sharing: Some(Sharing::Own),
        ..share(&["Ana", "Bruno"])
    };
    assert_eq!(sharing(own), invalid("not_allowed"));
}

#[test]
fn values_have_limits() {
    let mut cart = Dinner::new();
    let mut refused = |line: AddLine| cart.try_as("Ana", CartCommand::Add(line)).unwrap_err();
    let invalid = |field, code| CartError::Invalid { field, code };
    assert_eq!(refused(wanting("limonada", 0)), invalid("qty", "too_small"));
    assert_eq!(refused(wanting("limonada", 100)), invalid("qty", "too_large"));
    let chatty = AddLine {
        notes: "ñ".repeat(201),
        ..wanting("limonada", 1)
    };
    assert_eq!(refused(chatty), invalid("notes", "too_long"));
    for number in 0..200 {
        cart.add(
            "Ana",
            AddLine {
                notes: format!("{number}"),
                ..wanting("limonada", 1)
            },
        );
    }
    let one_more = cart.try_as("Ana", CartCommand::Add(wanting("provoleta", 1)));
    assert_eq!(one_more, Err(CartError::CartFull));
    // A twin needs no room.
    cart.add(
        "Ana",
        AddLine {
            notes: "7".to_owned(),
            ..wanting("limonada", 1)
        },
    );
}

#[test]
fn what_has_been_sold_out_since_can_be_wanted_less_but_not_more() {
    let mut cart = Dinner::new();
    let line = cart.add("Ana", wanting("limonada", 3));
    cart.menu
        .get_mut(&product_id("limonada"))
        .unwrap()
        .availability
        .available = false;
    let sold_out = || Err(CartError::ItemsUnavailable(vec![LineProblem::SoldOut]));
    let mut wants = |qty| {
        let wanted = ChangeLine {
            qty: Some(qty),
            ..change(line)
        };
        cart.try_as("Ana", CartCommand::Change(wanted)).map(|_| ())
    };
    assert_eq!(wants(4), sold_out());
    assert_eq!(wants(2), Ok(()));
    let another = cart.try_as("Ana", CartCommand::Add(wanting("limonada", 1)));
    assert_eq!(another.map(|_| ()), sold_out());
    assert!(cart.try_as("Ana", CartCommand::Remove(line)).is_ok());
}

#[test]
fn the_cart_is_frozen_while_paying_and_only_of_guests() {
    let mut cart = Dinner::new();
    let line = cart.add("Ana", wanting("limonada", 1));
    let facts = |cart: &Dinner, actor: &Actor| {
        let facts = CartFacts {
            session: &cart.session,
            diners: &cart.diners,
            lines: &cart.lines,
            menu: &cart.menu,
        };
        change_cart(facts, CartCommand::Clear, actor, at(10), &mut Counter::default())
    };
    for actor in [staff(Role::Waiter), Actor::diner(id("stranger"))] {
        assert!(matches!(facts(&cart, &actor), Err(CartError::Forbidden(_))));
    }
    cart.session.status = SessionStatus::Paying;
    let commands = [
        CartCommand::Add(wanting("limonada", 1)),
        CartCommand::Change(change(line)),
        CartCommand::Remove(line),
        CartCommand::Clear,
    ];
    for command in commands {
        assert_eq!(
            cart.try_as("Bruno", command),
            Err(CartError::SessionNotOpen(SessionNotOpen {
                current_status: SessionStatus::Paying
            }))
        );
    }
}

/// One tap on one phone; the numbers pick from what is there.
type Tap = (usize, usize, usize, i32, usize);

fn command(cart: &Dinner, (_, kind, pick, qty, variant): Tap) -> CartCommand {
    let dish = ["limonada", "provoleta", "empanada_carne"][pick % 3];
    let notes = ["", "fría"][variant % 2].to_owned();
    let (sharing, names): (_, &[&str]) = [
        (None, &[][..]),
        (Some(Sharing::Table), &[]),
        (None, &["Ana", "Bruno"]),
        (Some(Sharing::Own), &[]),
    ][variant % 4];
    let shared_with: Vec<_> = names.iter().map(|name| id(name)).collect();
    let line = cart.lines.get(pick % cart.lines.len().max(1)).map(|line| line.id);
    match (kind, line) {
        (0..5, _) | (_, None) => CartCommand::Add(AddLine {
            sharing,
            shared_with,
            notes,
            ..wanting(dish, qty)
        }),
        (5..8, Some(line)) => CartCommand::Change(ChangeLine {
            qty: (qty % 2 == 0).then_some(qty),
            sharing,
            shared_with: (!shared_with.is_empty()).then_some(shared_with),
            notes: (pick % 2 == 0).then_some(notes),
            ..change(line)
        }),
        (8, Some(line)) => CartCommand::Remove(line),
        (_, Some(_)) => CartCommand::Clear,
    }
}

/// What a phone does with the signal of a change.
fn replay(mut lines: Vec<CartLine>, changed: &CartChanged) -> Vec<CartLine> {
    for gone in &changed.removed {
        let before = lines.len();
        lines.retain(|line| line.id != *gone);
        assert_eq!(lines.len() + 1, before, "removed lines were there");
    }
    for updated in &changed.updated {
        *lines.iter_mut().find(|line| line.id == updated.id).unwrap() = updated.clone();
    }
    lines.extend(changed.added.iter().cloned());
    lines
}

proptest! {
    // P12
    #[test]
    fn replaying_changes_after_any_version_gives_the_cart(
        taps in prop::collection::vec((0..3_usize, 0..10_usize, 0..8_usize, 0..60_i32, 0..8_usize), 1..40),
        seen in 0..40_usize,
    ) {
        let mut cart = Dinner::new();
        let mut history = vec![(0, Vec::new())];
        let mut changes = Vec::new();
        for tap in taps {
            let name = ["Ana", "Bruno", "Carla"][tap.0];
            let wanted = command(&cart, tap);
            let (lines, version) = (cart.lines.clone(), cart.session.cart_version);
            if let Ok(changed) = cart.try_as(name, wanted) {
                history.push((cart.session.cart_version, cart.lines.clone()));
                changes.push(changed);
            } else {
                prop_assert_eq!((&lines, version), (&cart.lines, cart.session.cart_version));
            }
        }
        prop_assert!(history.iter().zip(0..).all(|((version, _), expected)| *version == expected));
        let (version, at_version) = &history[seen % history.len()];
        let replayed = changes
            .iter()
            .filter(|changed| changed.session.cart_version > *version)
            .fold(at_version.clone(), replay);
        prop_assert_eq!(replayed, cart.lines);
    }

    #[test]
    fn a_cart_never_holds_twins_or_impossible_lines(
        taps in prop::collection::vec((0..3_usize, 0..10_usize, 0..8_usize, 0..60_i32, 0..8_usize), 1..40),
    ) {
        let mut cart = Dinner::new();
        for tap in taps {
            let name = ["Ana", "Bruno", "Carla"][tap.0];
            let wanted = command(&cart, tap);
            let _ = cart.try_as(name, wanted);
            for line in &cart.lines {
                prop_assert!((1..=MAX_QTY).contains(&line.qty));
                prop_assert_eq!(line.sharing == Sharing::Group, line.sharers.len() >= 2);
                prop_assert!(line.sharing == Sharing::Group || line.sharers.is_empty());
                let twins = cart.lines.iter().filter(|other| {
                    CartLine { id: line.id, qty: line.qty, ..(*other).clone() } == *line
                });
                prop_assert_eq!(twins.count(), 1);
            }
        }
    }
}
