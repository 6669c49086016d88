//! The guests at a table order what is in their cart.

use std::collections::BTreeMap;

use crate::Timestamp;
use crate::actor::{Actor, Forbidden};
use crate::audit::AuditEntry;
use crate::branch::Branch;
use crate::cart::CartLine;
use crate::diner::Diner;
use crate::event::Event;
use crate::ids::{CartLineId, DinerId, IdSource, ProductId};
use crate::kitchen::Ticket;
use crate::menu::{BranchMenu, ChoiceProblem, LineProblem};
use crate::money::{Currency, Money, MoneyError};
use crate::round::freeze::{NewRound, Wanted, announce, audit, new_round, require_open, require_size};
use crate::round::{Round, RoundSource};
use crate::session::{Session, SessionStatus};
use crate::text::I18n;

/// At most this many lines in a round (`domain.md` 9).
pub const MAX_LINES: usize = 60;

/// What placing needs to know.
#[derive(Clone, Copy, Debug)]
pub struct PlaceFacts<'f> {
    /// The branch.
    pub branch: &'f Branch,
    /// The session, locked.
    pub session: &'f Session,
    /// Its guests.
    pub diners: &'f [Diner],
    /// The cart. Not looked at when staff places for the table.
    pub lines: &'f [CartLine],
    /// At least the products concerned, as the branch offers them.
    pub menu: &'f BranchMenu,
}

/// Which lines of the cart are ordered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Selection {
    /// All of them.
    Table,
    /// The caller's own.
    Mine,
    /// These; one that is named twice is ordered once.
    Lines(Vec<CartLineId>),
}

/// What a guest asks for. The cart version that the guest saw is compared before, with the other preconditions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlaceRound {
    /// Which lines.
    pub selection: Selection,
    /// A wish for the whole round, may be empty.
    pub notes: String,
    /// The total that the guest saw.
    pub expected_total: Option<Money>,
}

/// A round that was placed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoundPlaced {
    /// The round.
    pub round: Round,
    /// Its tickets, where placing also submitted it.
    pub tickets: Vec<Ticket>,
    /// The cart lines that it used up.
    pub consumed: Vec<CartLineId>,
    /// The session, with the next round number, the new cart version if lines were used up, and its last activity.
    pub session: Session,
    /// What is announced, in order.
    pub events: Vec<Event>,
    /// The trace.
    pub audit: AuditEntry,
}

/// One reason why one line cannot be ordered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefusedLine<P> {
    /// The position of the line: in the list that the caller gave, else among the selected lines in the order that
    /// they would have in the round. Counts from 0.
    pub index: usize,
    /// The cart line, if it is one.
    pub line_id: Option<CartLineId>,
    /// What was wanted.
    pub product_id: ProductId,
    /// Its name, if the branch knows the product.
    pub product_name: Option<I18n>,
    /// What is wrong.
    pub problem: P,
}

/// Why no round is placed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PlaceRoundError {
    /// The actor may not do this.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// Ordering is closed.
    #[error("ordering is closed: the session is {0}")]
    SessionNotOpen(SessionStatus),
    /// No line is selected.
    #[error("nothing to order")]
    CartEmpty,
    /// The cart has no such line.
    #[error("no cart line {0}")]
    LineNotFound(CartLineId),
    /// More than [`MAX_LINES`].
    #[error("at most {MAX_LINES} lines in a round, got {0}")]
    TooManyLines(usize),
    /// Owner or sharers do not fit the way of sharing of the item with this position.
    #[error("owner or sharers of item {0} do not fit its sharing")]
    SharingInvalid(usize),
    /// A named guest does not sit at this table.
    #[error("{0} is not in the session")]
    DinerNotInSession(DinerId),
    /// Some lines cannot be had now. Told before wrong choices, which may not matter any more.
    #[error("some items cannot be ordered")]
    Unavailable(Vec<RefusedLine<LineProblem>>),
    /// The choices of some lines do not fit.
    #[error("choices not accepted")]
    Choices(Vec<RefusedLine<ChoiceProblem>>),
    /// A price or the total is out of range.
    #[error("amount out of range")]
    AmountOverflow,
    /// The expected total is of another currency.
    #[error("amounts here are in {expected}")]
    CurrencyMismatch {
        /// The branch's currency.
        expected: Currency,
    },
    /// The total is not what the guest saw.
    #[error("the total has changed")]
    PriceChanged {
        /// The total now.
        total: Money,
    },
}

impl From<MoneyError> for PlaceRoundError {
    fn from(_: MoneyError) -> Self {
        Self::AmountOverflow
    }
}

/// Places the selected lines of the cart as one round, in the order in which their owners joined, and takes them
/// from the cart. Names, prices, stations and allergen alerts are frozen.
///
/// # Errors
/// [`PlaceRoundError`]; all lines that fail are reported together.
pub fn place_round(
    facts: PlaceFacts<'_>,
    command: PlaceRound,
    actor: &Actor,
    now: Timestamp,
    ids: &mut impl IdSource,
) -> Result<RoundPlaced, PlaceRoundError> {
    let diner = permit_diner(facts, actor)?;
    require_open(facts.session)?;
    let wanted = select(facts, &command.selection, diner)?;
    let order = NewRound {
        source: RoundSource::Diner,
        notes: command.notes,
    };
    let round = new_round(facts, &wanted, order, (actor, now), ids)?;
    let total = round.live_total()?;
    require_expected(command.expected_total, Money::new(total, facts.branch.currency))?;
    let mut session = facts.session.with_cart_changed(now);
    session.next_round_number += 1;
    Ok(RoundPlaced {
        consumed: wanted.iter().filter_map(|line| line.line_id).collect(),
        tickets: Vec::new(),
        session,
        events: vec![announce(&round)],
        audit: audit("round.place", &round, total),
        round,
    })
}

fn permit_diner(facts: PlaceFacts<'_>, actor: &Actor) -> Result<DinerId, Forbidden> {
    actor
        .diner_id()
        .filter(|id| facts.diners.iter().any(|diner| diner.id == *id))
        .ok_or(Forbidden {
            required_roles: Vec::new(),
        })
}

/// The selected lines in the order of the round: owner's joining, then line.
fn select<'f>(
    facts: PlaceFacts<'f>,
    selection: &Selection,
    diner: DinerId,
) -> Result<Vec<Wanted<'f>>, PlaceRoundError> {
    let mut wanted: Vec<Wanted<'f>> = match selection {
        Selection::Table => facts.lines.iter().map(of_cart).collect(),
        Selection::Mine => {
            let mine = facts.lines.iter().filter(|line| line.diner_id == diner);
            mine.map(of_cart).collect()
        }
        Selection::Lines(ids) => listed(facts.lines, ids)?,
    };
    require_size(wanted.len())?;
    let joined: BTreeMap<DinerId, Timestamp> = facts
        .diners
        .iter()
        .map(|diner| (diner.id, diner.joined_at))
        .collect();
    wanted.sort_by_cached_key(|line| {
        let joined = line.owner.and_then(|owner| joined.get(&owner));
        (joined.copied(), line.owner, line.line_id)
    });
    if !matches!(selection, Selection::Lines(_)) {
        for (index, line) in wanted.iter_mut().enumerate() {
            line.index = index;
        }
    }
    Ok(wanted)
}

fn listed<'f>(lines: &'f [CartLine], ids: &[CartLineId]) -> Result<Vec<Wanted<'f>>, PlaceRoundError> {
    let by_id: BTreeMap<CartLineId, &CartLine> = lines.iter().map(|line| (line.id, line)).collect();
    let mut wanted = BTreeMap::new();
    for (index, id) in ids.iter().enumerate() {
        let line = *by_id.get(id).ok_or(PlaceRoundError::LineNotFound(*id))?;
        wanted.entry(*id).or_insert_with(|| Wanted {
            index,
            ..of_cart(line)
        });
    }
    Ok(wanted.into_values().collect())
}

fn of_cart(line: &CartLine) -> Wanted<'_> {
    Wanted {
        index: 0,
        line_id: Some(line.id),
        product_id: line.product_id,
        qty: line.qty,
        modifiers: &line.modifiers,
        notes: &line.notes,
        sharing: line.sharing,
        owner: Some(line.diner_id),
        sharers: &line.sharers,
    }
}

fn require_expected(expected: Option<Money>, total: Money) -> Result<(), PlaceRoundError> {
    match expected {
        Some(expected) if expected.currency != total.currency => Err(PlaceRoundError::CurrencyMismatch {
            expected: total.currency,
        }),
        Some(expected) if expected != total => Err(PlaceRoundError::PriceChanged { total }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::actor::Role;
    use crate::cart::Sharing;
    use crate::menu::fixtures::{at, id, option_id, product_id};
    use crate::round::RoundStatus;
    use crate::round::fixtures::{Table, branch, choose, guest, line, line_id, names, whole_table};
    use crate::session::fixtures::{Counter, staff};

    fn place(table: &Table, command: PlaceRound) -> Result<RoundPlaced, PlaceRoundError> {
        place_round(
            table.facts(),
            command,
            &guest("Ana"),
            at(100),
            &mut Counter::default(),
        )
    }

    fn lines(ids: &[u128]) -> PlaceRound {
        PlaceRound {
            selection: Selection::Lines(ids.iter().copied().map(line_id).collect()),
            ..whole_table()
        }
    }

    fn pesos(minor: i64) -> Money {
        Money::new(minor, branch(false, false).currency)
    }

    #[test]
    fn the_dinner_of_the_specification_costs_46_600() {
        let mut table = Table::dinner();
        table.lines.reverse();
        let command = PlaceRound {
            expected_total: Some(pesos(4_660_000)),
            ..whole_table()
        };
        let placed = place(&table, command).unwrap();
        let round = &placed.round;
        assert_eq!(
            (round.number, round.status, round.version, round.menu_version),
            (1, RoundStatus::Pending, 1, 7)
        );
        assert_eq!(round.live_total(), Ok(4_660_000));
        assert_eq!(placed.consumed, [1, 2, 3, 4].map(line_id));
        let numbers: Vec<_> = round
            .items
            .iter()
            .map(|item| (item.line_no, item.cart_line_id))
            .collect();
        assert_eq!(
            numbers,
            [1, 2, 3, 4].map(|n| (i32::try_from(n).unwrap(), Some(line_id(n))))
        );
        assert_eq!(
            (placed.session.next_round_number, placed.session.cart_version),
            (2, 5)
        );
        assert_eq!(placed.session.last_activity_at, at(100));
        assert_eq!(placed.session.version, table.session.version);
        assert_eq!(names(&placed.events), ["round.pending"]);
        assert_eq!(placed.audit.action, "round.place");
    }

    #[test]
    fn a_line_is_frozen_as_it_is_now() {
        let mut table = Table::dinner();
        table.diners[0].preferences.exclude_allergens = vec!["eggs".to_owned(), "fish".to_owned()];
        let placed = place(&table, lines(&[1, 2])).unwrap();
        let [bife, provoleta] = placed.round.items.as_slice() else {
            panic!("two items");
        };
        assert_eq!(
            (bife.base_amount, bife.modifiers_amount, bife.unit_amount),
            (2_490_000, 180_000, 2_670_000)
        );
        assert_eq!((bife.diner_id, bife.notes.as_str()), (Some(id("Ana")), "sin sal"));
        assert_eq!(bife.allergen_alerts, ["eggs"]);
        assert_eq!(bife.modifiers.len(), 2);
        assert_eq!((provoleta.sharing, provoleta.diner_id), (Sharing::Table, None));
    }

    #[test]
    fn a_selection_takes_only_its_lines() {
        let table = Table::dinner();
        let mine = PlaceRound {
            selection: Selection::Mine,
            ..whole_table()
        };
        assert_eq!(place(&table, mine).unwrap().consumed, [1, 2].map(line_id));
        assert_eq!(
            place(&table, lines(&[4, 3, 4])).unwrap().consumed,
            [3, 4].map(line_id)
        );
        assert_eq!(place(&table, lines(&[])), Err(PlaceRoundError::CartEmpty));
        assert_eq!(
            place(&table, lines(&[4, 9])),
            Err(PlaceRoundError::LineNotFound(line_id(9)))
        );
    }

    #[test]
    fn owners_order_by_joining_and_not_by_line() {
        let mut table = Table::dinner();
        table.diners[0].joined_at = at(50);
        let placed = place(&table, whole_table()).unwrap();
        assert_eq!(placed.consumed, [3, 4, 1, 2].map(line_id));
    }

    #[test]
    fn only_guests_of_an_open_session_place() {
        let mut table = Table::dinner();
        let nobody = Err(PlaceRoundError::Forbidden(Forbidden {
            required_roles: vec![],
        }));
        for actor in [guest("Dora"), staff(Role::Manager), Actor::SYSTEM] {
            let got = place_round(
                table.facts(),
                whole_table(),
                &actor,
                at(1),
                &mut Counter::default(),
            );
            assert_eq!(got, nobody);
        }
        for status in [SessionStatus::Paying, SessionStatus::Closed] {
            table.session.status = status;
            assert_eq!(
                place(&table, lines(&[9])),
                Err(PlaceRoundError::SessionNotOpen(status))
            );
        }
    }

    #[test]
    fn sixty_lines_fit_and_sixty_one_do_not() {
        let mut table = Table::dinner();
        table.lines = (1..=61).map(|n| line(n, "Ana", "limonada", 1)).collect();
        assert_eq!(
            place(&table, whole_table()),
            Err(PlaceRoundError::TooManyLines(61))
        );
        table.lines.pop();
        assert_eq!(place(&table, whole_table()).unwrap().round.items.len(), 60);
    }

    #[test]
    fn all_lines_that_fail_are_reported_together() {
        let mut table = Table::dinner();
        let provoleta = table.menu.get_mut(&product_id("provoleta")).unwrap();
        provoleta.availability.available = false;
        table.menu.remove(&product_id("limonada"));
        table.lines[0].modifiers = vec![choose("almendras")];
        let Err(PlaceRoundError::Unavailable(refused)) = place(&table, lines(&[4, 1, 2])) else {
            panic!("unavailable");
        };
        let told: Vec<_> = refused
            .iter()
            .map(|line| (line.index, line.line_id, line.problem))
            .collect();
        assert_eq!(
            told,
            [
                (0, Some(line_id(4)), LineProblem::NotOnMenu),
                (2, Some(line_id(2)), LineProblem::SoldOut)
            ]
        );
        assert!(refused[0].product_name.is_none() && refused[1].product_name.is_some());

        let Err(PlaceRoundError::Choices(refused)) = place(&table, lines(&[3, 1])) else {
            panic!("choices");
        };
        let told: Vec<_> = refused.iter().map(|line| (line.index, line.problem)).collect();
        assert_eq!(
            told,
            [
                (
                    1,
                    ChoiceProblem::UnknownOption {
                        option: option_id("almendras")
                    }
                ),
                (1, ChoiceProblem::TooFew { group: id("punto") })
            ]
        );
    }

    #[test]
    fn the_expected_total_must_be_the_total() {
        let table = Table::dinner();
        let expecting = |total| PlaceRound {
            expected_total: Some(total),
            ..whole_table()
        };
        assert_eq!(
            place(&table, expecting(pesos(4_659_999))),
            Err(PlaceRoundError::PriceChanged {
                total: pesos(4_660_000)
            })
        );
        let euros = Money::new(4_660_000, Currency::parse("EUR").unwrap());
        assert_eq!(
            place(&table, expecting(euros)),
            Err(PlaceRoundError::CurrencyMismatch {
                expected: table.branch.currency
            })
        );
    }

    #[test]
    fn a_total_out_of_range_is_refused() {
        let mut table = Table::dinner();
        let limonada = table.menu.get_mut(&product_id("limonada")).unwrap();
        limonada.price_amount = crate::money::MAX_PRICE;
        table.lines = (1..=11).map(|n| line(n, "Ana", "limonada", 99)).collect();
        assert_eq!(place(&table, whole_table()), Err(PlaceRoundError::AmountOverflow));
    }

    proptest! {
        #[test]
        fn a_round_holds_exactly_the_selected_lines(
            owners in prop::collection::vec((0..3_usize, 1..=99_i32), 1..12),
            joined in prop::collection::vec(0..5_i64, 3),
            picks in prop::collection::vec(0..12_usize, 1..20),
        ) {
            let mut table = Table::dinner();
            for (diner, seconds) in table.diners.iter_mut().zip(&joined) {
                diner.joined_at = at(*seconds);
            }
            table.lines = owners
                .iter()
                .zip(1_u128..)
                .map(|((owner, qty), n)| line(n, &table.diners[*owner].name, "empanada_carne", *qty))
                .collect();
            let picked: Vec<u128> = picks.iter().zip(1_u128..).map(|(pick, _)| {
                1 + u128::try_from(pick % owners.len()).unwrap()
            }).collect();
            let placed = place(&table, lines(&picked)).unwrap();

            let mut wanted: Vec<_> = table.lines.iter().filter(|line| picked.iter().any(|n| line_id(*n) == line.id)).collect();
            wanted.sort_by_key(|line| {
                let owner = table.diners.iter().find(|diner| diner.id == line.diner_id).unwrap();
                (owner.joined_at, owner.id, line.id)
            });
            let wanted_ids: Vec<_> = wanted.iter().map(|line| line.id).collect();
            prop_assert_eq!(&placed.consumed, &wanted_ids);
            let placed_ids: Vec<_> = placed.round.items.iter().filter_map(|item| item.cart_line_id).collect();
            prop_assert_eq!(placed_ids, wanted_ids);
            let count: i64 = wanted.iter().map(|line| i64::from(line.qty)).sum();
            prop_assert_eq!(placed.round.live_total(), Ok(count * 280_000));
            prop_assert_eq!(placed.round.number + 1, placed.session.next_round_number);
        }
    }
}
