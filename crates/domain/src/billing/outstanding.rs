//! What each guest still has to pay of the split in force, and whose share a payment pays (`domain.md` 5.3).

use super::split::largest_remainder;
use super::{Check, Cover, Ledger};
use crate::ids::DinerId;

/// The split in force as it stands now; computed on reading, never stored.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outstanding {
    /// In order of diner id; empty without a split.
    pub shares: Vec<OutstandingShare>,
    /// The part of the due that is nobody's share.
    pub unassigned: i64,
}

/// One diner's part, in minor units.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutstandingShare {
    /// Whose.
    pub diner_id: DinerId,
    /// The share when the split was made.
    pub amount: i64,
    /// What received payments cover of it.
    pub paid: i64,
    /// What is left to pay.
    pub outstanding: i64,
}

impl Outstanding {
    /// What this diner has left to pay; nothing without a share.
    pub fn of(&self, diner: DinerId) -> i64 {
        let share = self.shares.iter().find(|share| share.diner_id == diner);
        share.map_or(0, |share| share.outstanding)
    }
}

/// What each guest still has to pay.
///
/// Where the open shares are more than what is due (somebody paid without being named, or a discount came later),
/// what is due is divided in proportion to them; where they are less, the rest is unassigned.
pub fn outstanding(check: &Check, ledger: &Ledger) -> Outstanding {
    let due = check.due();
    let mut shares: Vec<OutstandingShare> = ledger
        .split
        .iter()
        .flat_map(|split| split.shares.iter().map(|share| (share, split.revision)))
        .map(|(share, revision)| {
            let paid = ledger.covered(share.diner_id, revision);
            OutstandingShare {
                diner_id: share.diner_id,
                amount: share.amount,
                paid,
                outstanding: (share.amount - paid).max(0),
            }
        })
        .collect();
    let open: i64 = shares.iter().map(|share| share.outstanding).sum();
    if open > due {
        let weights: Vec<(i64, DinerId)> = shares
            .iter()
            .map(|share| (share.outstanding, share.diner_id))
            .collect();
        for (share, part) in shares.iter_mut().zip(largest_remainder(due, &weights)) {
            share.outstanding = part;
        }
    }
    Outstanding {
        shares,
        unassigned: (due - open).max(0),
    }
}

/// Whose share a payment pays: the payer's first, then those named in the given order, each up to what is
/// outstanding. The remainder counts for the payer, and without a payer for nobody.
///
/// Everyone named keeps a row, even an empty one: the rows also say whose charges the money goes to.
pub(super) fn covers(
    amount: i64,
    payer: Option<DinerId>,
    named: &[DinerId],
    standing: &Outstanding,
) -> Vec<Cover> {
    let mut left = amount;
    let mut rows: Vec<Cover> = Vec::new();
    for diner_id in payer.iter().chain(named).copied() {
        if rows.iter().all(|row| row.diner_id != diner_id) {
            let part = left.min(standing.of(diner_id));
            left -= part;
            rows.push(Cover {
                diner_id,
                amount: part,
            });
        }
    }
    if let (Some(_), Some(first)) = (payer, rows.first_mut()) {
        first.amount += left;
    }
    rows.retain(|row| row.amount > 0 || Some(row.diner_id) != payer);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::fixtures::{EQUAL, diners, paid, running_example, split};

    #[test]
    fn the_payer_comes_first_then_those_named_and_the_rest_is_the_payers() {
        let bill = split(&running_example(), &EQUAL);
        let [ana, bruno, carla] = diners(3)[..] else {
            panic!()
        };
        let standing = outstanding(&bill.check, &bill.ledger);
        let rows = |amount, payer, named: &[DinerId]| -> Vec<(DinerId, i64)> {
            let rows = covers(amount, payer, named, &standing);
            rows.iter().map(|row| (row.diner_id, row.amount)).collect()
        };
        assert_eq!(rows(1_553_334, Some(ana), &[]), [(ana, 1_553_334)]);
        assert_eq!(
            rows(4_000_000, Some(carla), &[bruno, carla, bruno]),
            [(carla, 1_553_333 + 893_334), (bruno, 1_553_333)]
        );
        assert_eq!(rows(2_000_000, None, &[bruno]), [(bruno, 1_553_333)]);
        assert_eq!(
            rows(1_000_000, Some(ana), &[bruno]),
            [(ana, 1_000_000), (bruno, 0)]
        );
        assert_eq!(rows(2_000_000, None, &[]), []);
    }

    #[test]
    fn somebody_who_pays_without_a_name_lightens_every_share() {
        let bill = split(&running_example(), &EQUAL);
        let bill = paid(&bill, 1_660_000, None);
        let standing = outstanding(&bill.check, &bill.ledger);
        let left: Vec<i64> = standing.shares.iter().map(|share| share.outstanding).collect();
        assert_eq!(left, [1_000_000, 1_000_000, 1_000_000]);
        assert_eq!(standing.unassigned, 0);
    }

    #[test]
    fn what_is_nobodys_share_is_unassigned() {
        let bill = running_example();
        assert_eq!(
            outstanding(&bill.check, &bill.ledger),
            Outstanding {
                shares: Vec::new(),
                unassigned: 4_660_000
            }
        );
        // Ana overpays nothing here: a share that shrinks leaves the difference to nobody.
        let mut bill = split(&bill, &EQUAL);
        bill.ledger.split.as_mut().unwrap().shares[0].amount -= 34;
        assert_eq!(outstanding(&bill.check, &bill.ledger).unassigned, 34);
    }

    #[test]
    fn a_new_split_forgets_what_older_payments_covered() {
        let bill = split(&running_example(), &EQUAL);
        let bill = paid(&bill, 1_553_334, Some(diners(3)[0]));
        let bill = split(&bill, &EQUAL);
        let standing = outstanding(&bill.check, &bill.ledger);
        assert!(standing.shares.iter().all(|share| share.paid == 0));
        assert_eq!(
            standing.shares.iter().map(|share| share.outstanding).sum::<i64>(),
            3_106_666
        );
    }
}
