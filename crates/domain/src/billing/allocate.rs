//! Which charges a payment covers (`domain.md` 5.4).

use super::{Charge, Ledger};
use crate::ids::{ChargeId, DinerId};

/// The parts of `amount` that go to the charges of the ledger, in the order in which they are covered.
///
/// The payer's own charges come first, then those of the covered diners in the given order, then what is shared,
/// then everyone else's; within each by position. What finds no unpaid charge is left out.
pub fn allocate(
    amount: i64,
    payer: Option<DinerId>,
    covered: &[DinerId],
    ledger: &Ledger,
) -> Vec<(ChargeId, i64)> {
    let mut charges: Vec<&Charge> = ledger.charges.iter().collect();
    charges.sort_by_key(|charge| (turn(charge, payer, covered), charge.position));
    let mut left = amount;
    let parts = charges.into_iter().map(|charge| {
        let part = left.min(ledger.unpaid(charge));
        left -= part;
        (charge.id, part)
    });
    parts.filter(|(_, part)| *part > 0).collect()
}

/// When a charge gets its money: by rank, and among covered diners by their order.
fn turn(charge: &Charge, payer: Option<DinerId>, covered: &[DinerId]) -> (u8, usize) {
    let Some(owner) = charge.diner_id else {
        return (2, 0);
    };
    if payer == Some(owner) {
        return (0, 0);
    }
    match covered.iter().position(|diner| *diner == owner) {
        Some(place) => (1, place),
        None => (3, 0),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::billing::fixtures::{
        EQUAL, bill_of, diners, line, paid, paid_for, per_charge, running_example, split,
    };

    #[test]
    fn the_running_example_holds() {
        let [ana, bruno, carla] = diners(3)[..] else {
            panic!()
        };
        let bill = split(&running_example(), &EQUAL);
        // bife, provoleta, empanadas, limonada
        let bill = paid(&bill, 1_553_334, Some(ana));
        assert_eq!(per_charge(&bill, 0), [1_553_334, 0, 0, 0]);
        let bill = paid(&bill, 1_553_333, Some(bruno));
        assert_eq!(per_charge(&bill, 1), [13_333, 980_000, 560_000, 0]);
        let bill = paid(&bill, 1_553_333, Some(carla));
        assert_eq!(per_charge(&bill, 2), [1_103_333, 0, 0, 450_000]);
        assert_eq!(bill.check.due(), 0);
    }

    #[test]
    fn covered_diners_come_before_what_is_shared_even_without_a_split() {
        let [ana, bruno, carla] = diners(3)[..] else {
            panic!()
        };
        let bill = paid_for(&running_example(), 1_500_000, Some(carla), &[bruno, ana]);
        assert_eq!(per_charge(&bill, 0), [490_000, 0, 560_000, 450_000]);
    }

    fn lines() -> impl Strategy<Value = Vec<(usize, i64)>> {
        prop::collection::vec((0..4_usize, 0..5_000_i64), 1..8)
    }

    proptest! {
        // P2
        #[test]
        fn money_goes_where_it_is_owed_in_order(
            lines in lines(), first in 1..20_000_i64, amount in 1..20_000_i64,
            payer in 0..4_usize, cover in 0..3_usize,
        ) {
            let guests = diners(3);
            let owner = |who: usize| guests.get(who).copied();
            let lines: Vec<_> = lines.iter().map(|(who, amount)| line(owner(*who), *amount)).collect();
            let mut bill = bill_of(&lines);
            if first < bill.check.total_amount {
                bill = paid(&bill, first, None);
            }
            let (payer, covered) = (owner(payer), [guests[cover]]);
            let before = bill.ledger.clone();
            let unpaid: i64 = before.charges.iter().map(|charge| before.unpaid(charge)).sum();
            let parts = allocate(amount, payer, &covered, &before);
            prop_assert_eq!(parts.iter().map(|(_, part)| part).sum::<i64>(), amount.min(unpaid));
            let part_of = |charge: &Charge| {
                parts.iter().filter(|(id, _)| *id == charge.id).map(|(_, part)| *part).sum::<i64>()
            };
            for charge in &before.charges {
                prop_assert!((0..=before.unpaid(charge)).contains(&part_of(charge)));
                for later in &before.charges {
                    let in_order = (turn(charge, payer, &covered), charge.position)
                        < (turn(later, payer, &covered), later.position);
                    // Whoever comes later gets nothing before all who come earlier are full.
                    prop_assert!(!in_order || part_of(later) == 0 || part_of(charge) == before.unpaid(charge));
                }
            }
        }

        #[test]
        fn paying_twice_is_paying_the_sum(
            lines in lines(), p in 1..10_000_i64, q in 1..10_000_i64, payer in 0..4_usize,
        ) {
            let guests = diners(3);
            let lines: Vec<_> =
                lines.iter().map(|(who, amount)| line(guests.get(*who).copied(), *amount)).collect();
            let bill = bill_of(&lines);
            prop_assume!(p + q <= bill.check.total_amount);
            let payer = guests.get(payer).copied();
            let twice = paid(&paid(&bill, p, payer), q, payer);
            let once = paid(&bill, p + q, payer);
            for charge in &bill.ledger.charges {
                prop_assert_eq!(twice.ledger.unpaid(charge), once.ledger.unpaid(charge));
            }
        }
    }
}
