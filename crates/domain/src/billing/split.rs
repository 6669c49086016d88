//! Dividing an amount exactly: the largest remainder method (`domain.md` 5.2).

use std::cmp::Reverse;

/// One part on its way: where it stood in the input, what it has, what it lost by rounding down.
struct Part<'a, I> {
    index: usize,
    units: i128,
    remainder: i128,
    id: &'a I,
}

/// Divides `total` minor units by the weights; the parts stand in the order of the input and add up to the total.
///
/// Every part is first rounded down; the units left over go to the largest remainders, ties to the smallest id.
/// Negative totals are divided as positive and negated. A negative weight counts as zero; where no weight is
/// above zero there is nobody to give to, and every part is zero.
pub fn largest_remainder<I: Ord>(total: i64, weights: &[(i64, I)]) -> Vec<i64> {
    let whole = i128::from(total).abs();
    let weight_sum: i128 = weights.iter().map(|(weight, _)| positive(*weight)).sum();
    if weight_sum == 0 {
        return vec![0; weights.len()];
    }
    let mut parts: Vec<Part<'_, I>> = weights
        .iter()
        .enumerate()
        .map(|(index, (weight, id))| {
            let product = whole * positive(*weight);
            Part {
                index,
                units: product / weight_sum,
                remainder: product % weight_sum,
                id,
            }
        })
        .collect();
    let left = whole - parts.iter().map(|part| part.units).sum::<i128>();
    parts.sort_by(|a, b| (Reverse(a.remainder), a.id).cmp(&(Reverse(b.remainder), b.id)));
    for part in parts.iter_mut().take(usize::try_from(left).unwrap_or(0)) {
        part.units += 1;
    }
    parts.sort_by_key(|part| part.index);
    let sign = i128::from(total.signum());
    // No part is larger than the total, so each fits again.
    parts
        .iter()
        .map(|part| i64::try_from(sign * part.units).unwrap_or(total))
        .collect()
}

fn positive(weight: i64) -> i128 {
    i128::from(weight.max(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::money::MAX_TOTAL;

    #[test]
    fn the_examples_of_the_specification_hold() {
        let three = [(1, 1), (1, 2), (1, 3)];
        assert_eq!(largest_remainder(10_000, &three), [3_334, 3_333, 3_333]);
        assert_eq!(largest_remainder(1, &three), [1, 0, 0]);
        assert_eq!(largest_remainder(-10_000, &three), [-3_334, -3_333, -3_333]);
        // 10.00 off the running example, by the nets of bife, provoleta, empanadas and lemonade
        let nets = [(2_670_000, 1), (980_000, 2), (560_000, 3), (450_000, 4)];
        assert_eq!(largest_remainder(1_000, &nets), [573, 210, 120, 97]);
    }

    #[test]
    fn without_weights_there_is_nobody_to_give_to() {
        assert_eq!(largest_remainder::<u8>(10, &[]), Vec::<i64>::new());
        assert_eq!(largest_remainder(10, &[(0, 1), (-3, 2)]), [0, 0]);
        assert_eq!(largest_remainder(i64::MIN, &[(i64::MAX, 1)]), [i64::MIN]);
    }

    fn weights() -> impl Strategy<Value = Vec<(i64, usize)>> {
        let weight = prop_oneof![Just(0), Just(1), 0..1000_i64, 0..=MAX_TOTAL];
        prop::collection::vec(weight, 1..12)
            .prop_filter("somebody must have weight", |w| w.iter().any(|w| *w > 0))
            .prop_map(|w| w.into_iter().enumerate().map(|(id, w)| (w, id)).collect())
    }

    proptest! {
        // P1
        #[test]
        fn parts_add_up_and_follow_the_weights(total in -MAX_TOTAL..=MAX_TOTAL, weights in weights()) {
            let parts = largest_remainder(total, &weights);
            let weight_sum: i64 = weights.iter().map(|(w, _)| w).sum();
            prop_assert_eq!(parts.iter().sum::<i64>(), total);
            for ((a, _), x) in weights.iter().zip(&parts) {
                prop_assert!(*a > 0 || *x == 0);
                prop_assert!(total.abs() > weight_sum || x.abs() <= *a);
                for ((b, _), y) in weights.iter().zip(&parts) {
                    prop_assert!(a != b || (x - y).abs() <= 1);
                }
            }
        }

        #[test]
        fn the_order_of_the_input_does_not_matter(
            total in 0..=MAX_TOTAL,
            (weights, shuffled) in weights().prop_flat_map(|w| (Just(w.clone()), Just(w).prop_shuffle())),
        ) {
            let by_id = |weights: &[(i64, usize)]| {
                let parts = largest_remainder(total, weights);
                let mut parts: Vec<_> = weights.iter().map(|(_, id)| *id).zip(parts).collect();
                parts.sort_unstable();
                parts
            };
            prop_assert_eq!(by_id(&weights), by_id(&shuffled));
        }

        #[test]
        fn a_larger_total_takes_at_most_one_unit_from_a_part(
            total in 0..MAX_TOTAL, more in 0..1000_i64, weights in weights(),
        ) {
            let (before, after) = (largest_remainder(total, &weights), largest_remainder(total + more, &weights));
            for (x, y) in before.iter().zip(&after) {
                prop_assert!(y + 1 >= *x);
            }
        }
    }
}
