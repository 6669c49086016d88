//! What both ways of placing share: every line is asked of the menu, and then frozen.

use crate::Timestamp;
use crate::actor::Actor;
use crate::audit::AuditEntry;
use crate::cart::{ChosenModifier, Sharing};
use crate::diner::Diner;
use crate::event::{Event, EventBody, EventName, RoundDetail};
use crate::ids::{CartLineId, DinerId, IdSource, ProductId};
use crate::menu::{BranchMenu, LineRefused, OrderableLine, allergen_alerts, orderable};
use crate::round::{
    MAX_LINES, PlaceFacts, PlaceRoundError, RefusedLine, Round, RoundItem, RoundSource, RoundStatus,
};
use crate::session::{Session, SessionStatus};

/// A line to be ordered, from the cart or from a waiter.
pub(super) struct Wanted<'f> {
    pub(super) index: usize,
    pub(super) line_id: Option<CartLineId>,
    pub(super) product_id: ProductId,
    pub(super) qty: i32,
    pub(super) modifiers: &'f [ChosenModifier],
    pub(super) notes: &'f str,
    pub(super) sharing: Sharing,
    pub(super) owner: Option<DinerId>,
    pub(super) sharers: &'f [DinerId],
}

/// What a round has besides its lines.
pub(super) struct NewRound {
    pub(super) source: RoundSource,
    pub(super) notes: String,
}

pub(super) fn require_open(session: &Session) -> Result<(), PlaceRoundError> {
    match session.status {
        SessionStatus::Open => Ok(()),
        other => Err(PlaceRoundError::SessionNotOpen(other)),
    }
}

pub(super) fn require_size(lines: usize) -> Result<(), PlaceRoundError> {
    match lines {
        0 => Err(PlaceRoundError::CartEmpty),
        1..=MAX_LINES => Ok(()),
        more => Err(PlaceRoundError::TooManyLines(more)),
    }
}

/// The pending round with all lines frozen, if every one of them can be ordered.
pub(super) fn new_round(
    facts: PlaceFacts<'_>,
    wanted: &[Wanted<'_>],
    order: NewRound,
    (actor, now): (&Actor, Timestamp),
    ids: &mut impl IdSource,
) -> Result<Round, PlaceRoundError> {
    let priced = price(wanted, facts.menu, now)?;
    let id = ids.next();
    let lines = (1..).zip(wanted.iter().zip(priced));
    let items = lines.map(|(line_no, (line, priced))| freeze(line_no, line, priced, facts.diners, ids));
    Ok(Round {
        id,
        branch_id: facts.branch.id,
        session_id: facts.session.id,
        number: facts.session.next_round_number,
        status: RoundStatus::Pending,
        source: order.source,
        notes: order.notes,
        menu_version: facts.branch.menu_version,
        cancel_reason: None,
        pending: actor.stamp(now),
        confirmed: None,
        submitted: None,
        in_kitchen: None,
        ready: None,
        served: None,
        canceled: None,
        version: 1,
        items: items.collect(),
    })
}

pub(super) fn announce(round: &Round) -> Event {
    Event {
        name: EventName::RoundPending,
        body: EventBody::Round {
            round: Box::new(round.clone()),
            detail: RoundDetail::Plain,
        },
    }
}

pub(super) fn audit(action: &'static str, round: &Round, total: i64) -> AuditEntry {
    AuditEntry::new(action, "round", round.id)
        .set("number", round.number)
        .set("status", round.status.as_str())
        .set("total_amount", total)
}

/// Asks the menu about every line, and reports all failures of the gravest kind together.
fn price<'f>(
    wanted: &[Wanted<'_>],
    menu: &'f BranchMenu,
    now: Timestamp,
) -> Result<Vec<OrderableLine<'f>>, PlaceRoundError> {
    let mut priced = Vec::with_capacity(wanted.len());
    let (mut unavailable, mut choices, mut overflow) = (Vec::new(), Vec::new(), false);
    for line in wanted {
        match orderable(menu, line.product_id, line.modifiers, now) {
            Ok(found) => priced.push(found),
            Err(LineRefused::Unavailable(problems)) => unavailable.extend(refused(line, menu, problems)),
            Err(LineRefused::Choices(problems)) => choices.extend(refused(line, menu, problems)),
            Err(LineRefused::AmountOverflow) => overflow = true,
        }
    }
    if !unavailable.is_empty() {
        // The lines are in the order of the round; their reader counts in the order of the request.
        unavailable.sort_by_key(|line| line.index);
        Err(PlaceRoundError::Unavailable(unavailable))
    } else if !choices.is_empty() {
        choices.sort_by_key(|line| line.index);
        Err(PlaceRoundError::Choices(choices))
    } else if overflow {
        Err(PlaceRoundError::AmountOverflow)
    } else {
        Ok(priced)
    }
}

fn refused<P>(
    line: &Wanted<'_>,
    menu: &BranchMenu,
    problems: Vec<P>,
) -> impl Iterator<Item = RefusedLine<P>> {
    let name = menu.get(&line.product_id).map(|product| product.name.clone());
    let (index, line_id, product_id) = (line.index, line.line_id, line.product_id);
    problems.into_iter().map(move |problem| RefusedLine {
        index,
        line_id,
        product_id,
        product_name: name.clone(),
        problem,
    })
}

fn freeze(
    line_no: i32,
    line: &Wanted<'_>,
    priced: OrderableLine<'_>,
    diners: &[Diner],
    ids: &mut impl IdSource,
) -> RoundItem {
    RoundItem {
        id: ids.next(),
        line_no,
        product_id: line.product_id,
        product_name: priced.product.name.clone(),
        station: priced.station,
        diner_id: line.owner.filter(|_| line.sharing == Sharing::Own),
        sharing: line.sharing,
        sharers: line.sharers.to_vec(),
        qty: line.qty,
        voided_qty: 0,
        base_amount: priced.base_amount,
        modifiers_amount: priced.modifiers_amount,
        unit_amount: priced.unit_amount,
        notes: line.notes.to_owned(),
        allergen_alerts: allergen_alerts(diners, line.owner, line.sharers, &priced.allergens),
        cart_line_id: line.line_id,
        modifiers: priced.modifiers,
    }
}
