//! What a check would hold now. Changes nothing.

use std::collections::BTreeSet;

use super::shares::{Portion, SplitError, SplitRequest, divide};
use super::{BillableLine, Share, unbilled};
use crate::ids::{DinerId, RoundItemId};
use crate::money::{Currency, MoneyError};
use crate::round::Round;

/// What a check would hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Preview {
    /// What is unbilled, in the order of the charges that it would become.
    pub lines: Vec<BillableLine>,
    /// Their sum.
    pub total: i64,
    /// Who would pay how much; empty without a split.
    pub shares: Vec<Share>,
}

/// Why there is no preview.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PreviewError {
    /// `amount_overflow`
    #[error(transparent)]
    Overflow(#[from] MoneyError),
    /// The split is not possible.
    #[error(transparent)]
    Split(#[from] SplitError),
}

/// The unbilled lines of a session with their total and, where a split is given, the shares.
///
/// # Errors
/// [`PreviewError`].
pub fn preview_check(
    rounds: &[Round],
    billed: &BTreeSet<RoundItemId>,
    diners: &[DinerId],
    currency: Currency,
    split: Option<&SplitRequest>,
) -> Result<Preview, PreviewError> {
    let lines = unbilled(rounds, billed)?;
    let shares = split
        .map(|request| divide(request, &portions(&lines), diners, currency))
        .transpose()?;
    Ok(Preview {
        total: lines.iter().map(|line| line.amount).sum(),
        lines,
        shares: shares.unwrap_or_default(),
    })
}

/// The lines as a split divides them.
fn portions(lines: &[BillableLine]) -> Vec<Portion<'_>> {
    lines
        .iter()
        .map(|line| Portion {
            diner_id: line.diner_id,
            sharing: line.sharing,
            sharers: &line.sharers,
            unpaid: line.amount,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::fixtures::{EQUAL, currency, diners, dinner_round, running_example};

    #[test]
    fn a_preview_shows_what_the_check_will_hold() {
        let round = dinner_round();
        let preview =
            preview_check(&[round], &BTreeSet::new(), &diners(3), currency(), Some(&EQUAL)).unwrap();
        let check = running_example();
        assert_eq!(preview.total, check.check.total_amount);
        assert_eq!(
            preview
                .lines
                .iter()
                .map(|line| (line.round_item_id, line.amount))
                .collect::<Vec<_>>(),
            check
                .ledger
                .charges
                .iter()
                .map(|c| (c.round_item_id, c.amount))
                .collect::<Vec<_>>()
        );
        assert_eq!(
            preview
                .shares
                .iter()
                .map(|share| share.amount)
                .collect::<Vec<_>>(),
            [1_553_334, 1_553_333, 1_553_333]
        );
    }

    #[test]
    fn an_empty_table_has_an_empty_preview() {
        let preview = preview_check(&[], &BTreeSet::new(), &[], currency(), None).unwrap();
        assert_eq!(
            (preview.lines.len(), preview.total, preview.shares.len()),
            (0, 0, 0)
        );
    }
}
