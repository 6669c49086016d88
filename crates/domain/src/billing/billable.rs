//! What can be put on a check: the one definition of billable and unbilled (`domain.md` 4.3).

use std::collections::BTreeSet;

use crate::cart::Sharing;
use crate::ids::{DinerId, RoundItemId};
use crate::money::{self, MoneyError};
use crate::round::{Round, RoundItem, RoundStatus};
use crate::text::I18n;

/// A round item that a check would hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BillableLine {
    /// The item.
    pub round_item_id: RoundItemId,
    /// Billable quantity, > 0.
    pub qty: i32,
    /// Price of one, in minor units.
    pub unit_amount: i64,
    /// Quantity times unit price.
    pub amount: i64,
    /// The owner; none when shared.
    pub diner_id: Option<DinerId>,
    /// Who it belongs to.
    pub sharing: Sharing,
    /// The named diners of a `group` item.
    pub sharers: Vec<DinerId>,
    /// What it is.
    pub description: I18n,
}

/// How many of an item are to be paid: what is live, unless its round still waits or was canceled.
pub fn billable_qty(round: &Round, item: &RoundItem) -> i32 {
    match round.status {
        RoundStatus::Pending | RoundStatus::Canceled => 0,
        _ => item.live_qty(),
    }
}

/// What is billable and not on a check yet, in order of round number and line. `billed` are the items with an
/// unreleased charge.
///
/// # Errors
/// [`MoneyError::Overflow`] when an amount, or their sum, is out of range.
pub fn unbilled(rounds: &[Round], billed: &BTreeSet<RoundItemId>) -> Result<Vec<BillableLine>, MoneyError> {
    let mut items: Vec<(&Round, &RoundItem)> = rounds
        .iter()
        .flat_map(|round| round.items.iter().map(move |item| (round, item)))
        .filter(|(round, item)| billable_qty(round, item) > 0 && !billed.contains(&item.id))
        .collect();
    items.sort_by_key(|(round, item)| (round.number, item.line_no));
    let lines = items
        .into_iter()
        .map(|(round, item)| line(item, billable_qty(round, item)))
        .collect::<Result<Vec<_>, _>>()?;
    money::sum(lines.iter().map(|line| line.amount))?;
    Ok(lines)
}

fn line(item: &RoundItem, qty: i32) -> Result<BillableLine, MoneyError> {
    Ok(BillableLine {
        round_item_id: item.id,
        qty,
        unit_amount: item.unit_amount,
        amount: money::times(item.unit_amount, qty)?,
        diner_id: item.diner_id,
        sharing: item.sharing,
        sharers: item.sharers.clone(),
        description: item.product_name.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::fixtures::{diners, dinner_round, line as order, round_of};

    #[test]
    fn pending_and_canceled_rounds_and_voided_quantities_are_not_billable() {
        let mut round = dinner_round();
        round.items[2].voided_qty = 1;
        round.items[3].voided_qty = 1;
        for status in RoundStatus::ALL {
            round.status = *status;
            let quantities: Vec<i32> = round
                .items
                .iter()
                .map(|item| billable_qty(&round, item))
                .collect();
            match status {
                RoundStatus::Pending | RoundStatus::Canceled => assert_eq!(quantities, [0, 0, 0, 0]),
                _ => assert_eq!(quantities, [1, 1, 1, 0]),
            }
        }
    }

    #[test]
    fn lines_stand_in_order_of_round_and_line_without_what_is_billed() {
        let mut first = round_of(1, &[order(None, 100), order(Some(diners(1)[0]), 200)]);
        first.items.reverse();
        let second = round_of(2, &[order(None, 300)]);
        let billed = BTreeSet::from([first.items[1].id]);
        let lines = unbilled(&[second, first], &billed).unwrap();
        assert_eq!(
            lines.iter().map(|line| line.amount).collect::<Vec<_>>(),
            [200, 300]
        );
    }

    #[test]
    fn a_sum_out_of_range_is_refused() {
        let round = round_of(1, &[order(None, 999_999_999_999); 2]);
        assert_eq!(unbilled(&[round], &BTreeSet::new()), Err(MoneyError::Overflow));
    }
}
