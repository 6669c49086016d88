//! A waiter orders for a table. The cart stays as it is.

use crate::Timestamp;
use crate::actor::Actor;
use crate::cart::{ChosenModifier, Sharing};
use crate::event::EventName;
use crate::ids::{DinerId, IdSource, ProductId};
use crate::machine::{Asking, Transition};
use crate::round::freeze::{NewRound, Wanted, announce, audit, new_round, require_open, require_size};
use crate::round::moves::confirm_step;
use crate::round::{
    PlaceFacts, PlaceRoundError, Progress, ROUND_TRANSITIONS, RoundFacts, RoundPlaced, RoundSource,
    RoundStatus, Who,
};

/// One wanted item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableItem {
    /// What.
    pub product_id: ProductId,
    /// How often, 1..99.
    pub qty: i32,
    /// Chosen options.
    pub modifiers: Vec<ChosenModifier>,
    /// A wish to the kitchen, may be empty.
    pub notes: String,
    /// Who it belongs to. Left out: `own` with an owner, `group` with sharers, else `table`.
    pub sharing: Option<Sharing>,
    /// The owner, exactly for `own`.
    pub diner_id: Option<DinerId>,
    /// At least two, exactly for `group`; one that is named twice counts once.
    pub sharers: Vec<DinerId>,
}

/// What a waiter asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlaceForTable {
    /// The items, in the order of the round.
    pub items: Vec<TableItem>,
    /// A wish for the whole round, may be empty.
    pub notes: String,
    /// Whether the round needs no further verification.
    pub confirm: bool,
}

/// Places a round for a table. With `confirm`, Comanda confirms it in the same transaction, and submits it where
/// the branch submits on confirming.
///
/// # Errors
/// [`PlaceRoundError`]; all items that fail are reported together.
pub fn place_round_for_table(
    facts: PlaceFacts<'_>,
    command: PlaceForTable,
    actor: &Actor,
    now: Timestamp,
    ids: &mut impl IdSource,
) -> Result<RoundPlaced, PlaceRoundError> {
    permit_staff(actor)?;
    require_open(facts.session)?;
    require_size(command.items.len())?;
    let mut items = command.items;
    let wanted = wanted(facts, &mut items)?;
    let order = NewRound {
        source: RoundSource::Waiter,
        notes: command.notes,
    };
    let round = new_round(facts, &wanted, order, (actor, now), ids)?;
    let total = round.live_total()?;
    let placed = announce(&round);
    let tickets = Vec::new();
    let mut progress = Progress::new(RoundFacts { round, tickets }, actor, now);
    progress.events.push(placed);
    if command.confirm {
        progress.by_policy();
        confirm_step(&mut progress, facts.branch.settings, ids);
    }
    let audit = audit("round.place_for_table", &progress.round, total);
    let moved = progress.finish(audit);
    let mut session = facts.session.touched(now);
    session.next_round_number += 1;
    Ok(RoundPlaced {
        round: moved.round,
        tickets: moved.tickets,
        consumed: Vec::new(),
        session,
        events: moved.events,
        audit: moved.audit,
    })
}

/// The row of placing names guests too; they order from the cart.
fn permit_staff(actor: &Actor) -> Result<(), PlaceRoundError> {
    let placing = |row: &&Transition<RoundStatus>| row.event == EventName::RoundPending;
    let rows = || ROUND_TRANSITIONS.iter().filter(placing);
    let is_named = |who: &Who| matches!(who, Who::Staff(role) if actor.roles.has(*role));
    if rows().flat_map(|row| row.who).any(is_named) {
        Ok(())
    } else {
        Err(Asking::new(actor).forbidden(rows()).into())
    }
}

fn wanted<'f>(facts: PlaceFacts<'_>, items: &'f mut [TableItem]) -> Result<Vec<Wanted<'f>>, PlaceRoundError> {
    let numbered = items.iter_mut().enumerate();
    let wanted = numbered.map(|(index, item)| {
        item.sharers.sort_unstable();
        item.sharers.dedup();
        let sharing = sharing(item).ok_or(PlaceRoundError::SharingInvalid(index))?;
        require_seated(facts, item)?;
        Ok(Wanted {
            index,
            line_id: None,
            product_id: item.product_id,
            qty: item.qty,
            modifiers: &item.modifiers,
            notes: &item.notes,
            sharing,
            owner: item.diner_id,
            sharers: &item.sharers,
        })
    });
    wanted.collect()
}

/// None if owner and sharers do not fit the way of sharing.
fn sharing(item: &TableItem) -> Option<Sharing> {
    let implied = match (item.diner_id, item.sharers.len()) {
        (Some(_), 0) => Sharing::Own,
        (None, 2..) => Sharing::Group,
        (None, 0) => Sharing::Table,
        _ => return None,
    };
    item.sharing
        .is_none_or(|sharing| sharing == implied)
        .then_some(implied)
}

fn require_seated(facts: PlaceFacts<'_>, item: &TableItem) -> Result<(), PlaceRoundError> {
    let seated = |id: &&DinerId| facts.diners.iter().any(|diner| diner.id == **id);
    let mut named = item.diner_id.iter().chain(&item.sharers);
    match named.find(|id| !seated(id)) {
        Some(stranger) => Err(PlaceRoundError::DinerNotInSession(*stranger)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::{ActorKind, Forbidden, Role};
    use crate::menu::fixtures::{at, id, product_id};
    use crate::round::fixtures::{Table, branch, choose, guest, names, versions};
    use crate::session::SessionStatus;
    use crate::session::fixtures::{Counter, staff};

    fn item(product: &str) -> TableItem {
        TableItem {
            product_id: product_id(product),
            qty: 1,
            modifiers: Vec::new(),
            notes: String::new(),
            sharing: None,
            diner_id: None,
            sharers: Vec::new(),
        }
    }

    fn order(items: Vec<TableItem>, confirm: bool) -> PlaceForTable {
        PlaceForTable {
            items,
            notes: "para compartir".to_owned(),
            confirm,
        }
    }

    fn place(table: &Table, command: PlaceForTable) -> Result<RoundPlaced, PlaceRoundError> {
        let mut ids = Counter::default();
        place_round_for_table(table.facts(), command, &staff(Role::Waiter), at(100), &mut ids)
    }

    #[test]
    fn a_waiters_round_leaves_the_cart_alone() {
        let table = Table::dinner();
        let bife = TableItem {
            modifiers: vec![choose("cocido")],
            diner_id: Some(id("Bruno")),
            ..item("bife_chorizo")
        };
        let shared = TableItem {
            sharers: vec![id("Carla"), id("Ana"), id("Carla")],
            ..item("papas_fritas")
        };
        let placed = place(&table, order(vec![item("limonada"), bife, shared], false)).unwrap();
        let of_items: Vec<_> = placed
            .round
            .items
            .iter()
            .map(|item| (item.line_no, item.sharing, item.diner_id, item.sharers.len()))
            .collect();
        assert_eq!(
            of_items,
            [
                (1, Sharing::Table, None, 0),
                (2, Sharing::Own, Some(id("Bruno")), 0),
                (3, Sharing::Group, None, 2)
            ]
        );
        assert_eq!(
            (placed.round.source, placed.round.status),
            (RoundSource::Waiter, RoundStatus::Pending)
        );
        assert!(placed.consumed.is_empty() && placed.tickets.is_empty());
        assert_eq!(
            (placed.session.cart_version, placed.session.next_round_number),
            (4, 2)
        );
        assert_eq!(names(&placed.events), ["round.pending"]);
    }

    #[test]
    fn confirming_is_a_policy_and_so_is_submitting() {
        let mut table = Table::dinner();
        let confirmed = place(&table, order(vec![item("limonada")], true)).unwrap();
        assert_eq!(names(&confirmed.events), ["round.pending", "round.confirmed"]);
        let by = |stamp: Option<crate::actor::Stamp>| stamp.map(|stamp| stamp.kind);
        assert_eq!(by(confirmed.round.confirmed), Some(ActorKind::System));
        assert_eq!(confirmed.round.pending.kind, ActorKind::User);

        table.branch = branch(false, true);
        let submitted = place(&table, order(vec![item("limonada"), item("provoleta")], true)).unwrap();
        assert_eq!(
            names(&submitted.events),
            [
                "round.pending",
                "round.confirmed",
                "round.submitted",
                "ticket.created",
                "ticket.created"
            ]
        );
        assert_eq!(versions(&submitted.events), [1, 2, 3, 1, 1]);
        assert_eq!(by(submitted.round.submitted), Some(ActorKind::System));
        assert_eq!(submitted.tickets.len(), 2);
        assert_eq!(submitted.audit.action, "round.place_for_table");
    }

    #[test]
    fn owner_and_sharers_must_fit_and_sit_here() {
        let table = Table::dinner();
        let refused =
            |wrong: TableItem| place(&table, order(vec![item("limonada"), wrong], true)).unwrap_err();
        let limonada = || item("limonada");
        let wrong = [
            TableItem {
                sharing: Some(Sharing::Own),
                ..limonada()
            },
            TableItem {
                sharing: Some(Sharing::Group),
                sharers: vec![id("Ana"), id("Ana")],
                ..limonada()
            },
            TableItem {
                sharing: Some(Sharing::Table),
                diner_id: Some(id("Ana")),
                ..limonada()
            },
            TableItem {
                diner_id: Some(id("Ana")),
                sharers: vec![id("Ana"), id("Bruno")],
                ..limonada()
            },
        ];
        for item in wrong {
            assert_eq!(refused(item), PlaceRoundError::SharingInvalid(1));
        }
        let strangers = [
            TableItem {
                diner_id: Some(id("Dora")),
                ..limonada()
            },
            TableItem {
                sharers: vec![id("Ana"), id("Dora")],
                ..limonada()
            },
        ];
        for item in strangers {
            assert_eq!(refused(item), PlaceRoundError::DinerNotInSession(id("Dora")));
        }
    }

    #[test]
    fn only_floor_staff_places_for_an_open_table() {
        let mut table = Table::dinner();
        let placing = |table: &Table, actor: &Actor| {
            let command = order(vec![item("limonada")], true);
            place_round_for_table(table.facts(), command, actor, at(1), &mut Counter::default())
        };
        let forbidden = Err(PlaceRoundError::Forbidden(Forbidden {
            required_roles: vec![Role::Waiter, Role::Manager, Role::Admin],
        }));
        assert_eq!(placing(&table, &guest("Ana")), forbidden);
        assert_eq!(placing(&table, &staff(Role::Kitchen)), forbidden);
        assert!(placing(&table, &staff(Role::Admin)).is_ok());
        assert_eq!(
            place(&table, order(vec![], true)),
            Err(PlaceRoundError::CartEmpty)
        );
        table.session.status = SessionStatus::Paying;
        assert_eq!(
            placing(&table, &staff(Role::Waiter)),
            Err(PlaceRoundError::SessionNotOpen(SessionStatus::Paying))
        );
    }
}
