//! Dividing what is still due among the guests (`domain.md` 5.3).

use std::collections::{BTreeMap, BTreeSet};

use super::split::largest_remainder;
use super::{Share, SplitMethod};
use crate::cart::Sharing;
use crate::ids::DinerId;
use crate::money::{Currency, Money};

/// How the guests want to divide the check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SplitRequest {
    /// The same for everyone.
    Equal {
        /// Who takes part; all diners of the session by default.
        participants: Option<Vec<DinerId>>,
    },
    /// What each one had, and parts of what was shared.
    ByConsumption {
        /// Who takes part; all diners of the session by default.
        participants: Option<Vec<DinerId>>,
    },
    /// Given amounts.
    Custom {
        /// Who pays how much; together what is due.
        amounts: Vec<(DinerId, Money)>,
    },
}

impl SplitRequest {
    /// The method by name.
    pub fn method(&self) -> SplitMethod {
        match self {
            Self::Equal { .. } => SplitMethod::Equal,
            Self::ByConsumption { .. } => SplitMethod::ByConsumption,
            Self::Custom { .. } => SplitMethod::Custom,
        }
    }

    fn participants(&self, diners: &[DinerId]) -> Result<BTreeSet<DinerId>, SplitError> {
        let named: Vec<DinerId> = match self {
            Self::Equal { participants } | Self::ByConsumption { participants } => {
                participants.clone().unwrap_or_else(|| diners.to_vec())
            }
            Self::Custom { amounts } => amounts.iter().map(|(diner, _)| *diner).collect(),
        };
        let distinct: BTreeSet<DinerId> = named.iter().copied().collect();
        let valid = !named.is_empty()
            && distinct.len() == named.len()
            && distinct.iter().all(|diner| diners.contains(diner));
        valid.then_some(distinct).ok_or(SplitError::ParticipantsInvalid)
    }
}

/// Why a split is not possible.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SplitError {
    /// `split_participants_invalid`
    #[error("participants are empty, repeated or not at this table")]
    ParticipantsInvalid,
    /// `currency_mismatch`
    #[error("an amount is of another currency")]
    CurrencyMismatch {
        /// The currency of the check.
        expected: Currency,
    },
    /// `validation_failed`: an amount below zero.
    #[error("an amount is below zero")]
    NegativeAmount,
    /// `split_sum_mismatch`
    #[error("the amounts do not add up to what is due")]
    SumMismatch {
        /// What is due.
        expected: i64,
        /// What was given.
        got: i64,
    },
}

/// The unpaid part of one charge, and whom it belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Portion<'a> {
    /// The owner; none when shared.
    pub diner_id: Option<DinerId>,
    /// Who it belongs to.
    pub sharing: Sharing,
    /// The named diners of a `group` charge.
    pub sharers: &'a [DinerId],
    /// Minor units, ≥ 0.
    pub unpaid: i64,
}

impl Portion<'_> {
    /// Among whom this portion is divided; never empty while there are participants.
    fn pool(&self, participants: &BTreeSet<DinerId>) -> BTreeSet<DinerId> {
        let named: BTreeSet<DinerId> = match self.sharing {
            Sharing::Own => self.diner_id.into_iter().collect(),
            Sharing::Group => self.sharers.iter().copied().collect(),
            Sharing::Table => BTreeSet::new(),
        };
        let present: BTreeSet<DinerId> = named.intersection(participants).copied().collect();
        if present.is_empty() {
            participants.clone()
        } else {
            present
        }
    }
}

/// Divides the sum of the portions among the participants; the shares stand in order of diner id and add up to it.
///
/// # Errors
/// [`SplitError`], in the order of its variants.
pub fn divide(
    request: &SplitRequest,
    portions: &[Portion<'_>],
    diners: &[DinerId],
    currency: Currency,
) -> Result<Vec<Share>, SplitError> {
    let participants = request.participants(diners)?;
    let due = portions.iter().map(|portion| portion.unpaid).sum();
    let amounts = match request {
        SplitRequest::Equal { .. } => evenly(due, &participants),
        SplitRequest::ByConsumption { .. } => by_consumption(portions, &participants),
        SplitRequest::Custom { amounts } => custom(due, amounts, currency)?,
    };
    Ok(amounts
        .into_iter()
        .map(|(diner_id, amount)| Share { diner_id, amount })
        .collect())
}

fn evenly(total: i64, members: &BTreeSet<DinerId>) -> BTreeMap<DinerId, i64> {
    let weights: Vec<(i64, DinerId)> = members.iter().map(|diner| (1, *diner)).collect();
    members
        .iter()
        .copied()
        .zip(largest_remainder(total, &weights))
        .collect()
}

/// An own charge is a pool of one. Pools of the same people are summed before they are divided, so that nobody
/// gathers a unit of rounding from every dish.
fn by_consumption(portions: &[Portion<'_>], participants: &BTreeSet<DinerId>) -> BTreeMap<DinerId, i64> {
    let mut pools: BTreeMap<BTreeSet<DinerId>, i64> = BTreeMap::new();
    for portion in portions {
        *pools.entry(portion.pool(participants)).or_default() += portion.unpaid;
    }
    let mut shares: BTreeMap<DinerId, i64> = participants.iter().map(|diner| (*diner, 0)).collect();
    for (members, total) in &pools {
        for (diner, part) in evenly(*total, members) {
            *shares.entry(diner).or_default() += part;
        }
    }
    shares
}

fn custom(
    due: i64,
    amounts: &[(DinerId, Money)],
    currency: Currency,
) -> Result<BTreeMap<DinerId, i64>, SplitError> {
    if amounts.iter().any(|(_, money)| money.currency != currency) {
        return Err(SplitError::CurrencyMismatch { expected: currency });
    }
    if amounts.iter().any(|(_, money)| money.minor < 0) {
        return Err(SplitError::NegativeAmount);
    }
    // A sum out of range is certainly not what is due.
    let got = amounts
        .iter()
        .fold(0, |sum: i64, (_, money)| sum.saturating_add(money.minor));
    if got != due {
        return Err(SplitError::SumMismatch { expected: due, got });
    }
    Ok(amounts
        .iter()
        .map(|(diner, money)| (*diner, money.minor))
        .collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::billing::fixtures::{ars, currency, diners, running_example};

    const EQUAL: SplitRequest = SplitRequest::Equal { participants: None };
    const CONSUMED: SplitRequest = SplitRequest::ByConsumption { participants: None };

    fn amounts(request: &SplitRequest, portions: &[Portion<'_>]) -> Vec<i64> {
        let shares = divide(request, portions, &diners(3), currency()).unwrap();
        shares.iter().map(|share| share.amount).collect()
    }

    #[test]
    fn the_running_example_holds() {
        let bill = running_example();
        let portions = bill.ledger.portions();
        assert_eq!(amounts(&EQUAL, &portions), [1_553_334, 1_553_333, 1_553_333]);
        assert_eq!(amounts(&CONSUMED, &portions), [2_996_667, 886_667, 776_666]);
    }

    #[test]
    fn charges_of_absent_guests_are_shared_by_those_who_pay() {
        let bill = running_example();
        let [ana, bruno, carla] = diners(3)[..] else {
            panic!()
        };
        let request = SplitRequest::ByConsumption {
            participants: Some(vec![carla, bruno]),
        };
        // pool: Ana's bife and the provoleta, 3 650 000
        assert_eq!(amounts(&request, &bill.ledger.portions()), [2_385_000, 2_275_000]);
        let wine = Portion {
            diner_id: None,
            sharing: Sharing::Group,
            sharers: &[ana, carla],
            unpaid: 101,
        };
        assert_eq!(amounts(&request, &[wine]), [0, 101]);
        assert_eq!(amounts(&CONSUMED, &[wine]), [51, 0, 50]);
    }

    #[test]
    fn participants_must_be_distinct_guests_of_the_table() {
        let bill = running_example();
        let all = diners(4);
        for participants in [vec![], vec![all[0], all[0]], vec![all[3]]] {
            for request in [
                SplitRequest::Equal {
                    participants: Some(participants.clone()),
                },
                SplitRequest::ByConsumption {
                    participants: Some(participants.clone()),
                },
                SplitRequest::Custom {
                    amounts: participants.iter().map(|diner| (*diner, ars(1))).collect(),
                },
            ] {
                assert_eq!(
                    divide(&request, &bill.ledger.portions(), &all[..3], currency()),
                    Err(SplitError::ParticipantsInvalid)
                );
            }
        }
    }

    #[test]
    fn custom_amounts_are_of_the_currency_and_not_negative() {
        let bill = running_example();
        let all = diners(3);
        let euros = Money::new(4_660_000, Currency::parse("EUR").unwrap());
        let try_amounts = |amounts: Vec<(DinerId, Money)>| {
            divide(
                &SplitRequest::Custom { amounts },
                &bill.ledger.portions(),
                &all,
                currency(),
            )
        };
        assert_eq!(
            try_amounts(vec![(all[0], euros)]),
            Err(SplitError::CurrencyMismatch { expected: currency() })
        );
        assert_eq!(
            try_amounts(vec![(all[0], ars(4_660_001)), (all[1], ars(-1))]),
            Err(SplitError::NegativeAmount)
        );
    }

    fn portions() -> impl Strategy<Value = Vec<(usize, usize, i64)>> {
        prop::collection::vec((0..4_usize, 0..4_usize, 0..1_000_000_i64), 0..10)
    }

    proptest! {
        // P1
        #[test]
        fn shares_add_up_to_what_is_due(drawn in portions(), present in 1..=4_usize) {
            let all = diners(4);
            let built: Vec<Portion<'_>> = drawn.iter().map(|(kind, who, unpaid)| Portion {
                diner_id: (*kind == 0).then_some(all[*who]),
                sharing: [Sharing::Own, Sharing::Group, Sharing::Table, Sharing::Own][*kind],
                sharers: if *kind == 1 { &all[(*who).min(2)..] } else { &[] },
                unpaid: *unpaid,
            }).collect();
            let due: i64 = drawn.iter().map(|(_, _, unpaid)| unpaid).sum();
            for request in [
                SplitRequest::Equal { participants: Some(all[..present].to_vec()) },
                SplitRequest::ByConsumption { participants: Some(all[..present].to_vec()) },
            ] {
                let shares = divide(&request, &built, &all, currency()).unwrap();
                prop_assert_eq!(shares.len(), present);
                prop_assert_eq!(shares.iter().map(|share| share.amount).sum::<i64>(), due);
                prop_assert!(shares.iter().all(|share| share.amount >= 0));
            }
        }

        #[test]
        fn custom_is_accepted_exactly_when_the_sum_fits(a in 0..100_i64, b in 0..100_i64, due in 0..200_i64) {
            let all = diners(2);
            let portion = Portion { diner_id: None, sharing: Sharing::Table, sharers: &[], unpaid: due };
            let request = SplitRequest::Custom { amounts: vec![(all[0], ars(a)), (all[1], ars(b))] };
            let result = divide(&request, &[portion], &all, currency());
            prop_assert_eq!(result.is_ok(), a + b == due);
            if a + b != due {
                prop_assert_eq!(result, Err(SplitError::SumMismatch { expected: due, got: a + b }));
            }
        }
    }
}
