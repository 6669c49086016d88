//! What can be read off a ledger: what is unpaid, reserved and payable.

use super::shares::Portion;
use super::{Charge, Check, Ledger, Payment};
use crate::ids::{ChargeId, DinerId};

/// What may be paid on a check now, in minor units.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Payable {
    /// Total less paid.
    pub due: i64,
    /// Amounts of online payments under way.
    pub reserved: i64,
    /// Due less reserved, never below zero.
    pub payable: i64,
}

/// What is due, reserved and payable on a check.
pub fn payable(check: &Check, ledger: &Ledger) -> Payable {
    let (due, reserved) = (check.due(), ledger.reserved());
    Payable {
        due,
        reserved,
        // A late approval may have eaten into what others reserved.
        payable: (due - reserved).max(0),
    }
}

impl Ledger {
    /// Money of all payments that covers this charge.
    pub fn allocated_to(&self, charge: ChargeId) -> i64 {
        let all = self.payments.iter().flat_map(|payment| &payment.allocations);
        all.filter(|row| row.charge_id == charge)
            .map(|row| row.amount)
            .sum()
    }

    /// The unpaid part of a charge: net less allocated.
    pub fn unpaid(&self, charge: &Charge) -> i64 {
        charge.net() - self.allocated_to(charge.id)
    }

    /// Amounts of online payments still under way.
    pub fn reserved(&self) -> i64 {
        let under_way = self
            .payments
            .iter()
            .filter(|payment| payment.status.is_under_way());
        under_way.map(|payment| payment.amount).sum()
    }

    /// Sum of the tips received.
    pub fn tips(&self) -> i64 {
        let tips = self.payments.iter().filter_map(|payment| payment.tip);
        tips.map(|tip| tip.amount).sum()
    }

    /// The unpaid part of every charge with whom it belongs to: what a split divides.
    pub fn portions(&self) -> Vec<Portion<'_>> {
        self.charges
            .iter()
            .map(|charge| Portion {
                diner_id: charge.diner_id,
                sharing: charge.sharing,
                sharers: &charge.sharers,
                unpaid: self.unpaid(charge),
            })
            .collect()
    }

    /// What payments received under a split revision cover of a diner's share.
    pub fn covered(&self, diner: DinerId, revision: i32) -> i64 {
        self.payments
            .iter()
            .filter(|payment| payment.status.is_effective() && payment.split_revision == revision)
            .flat_map(|payment| &payment.covers)
            .filter(|cover| cover.diner_id == diner)
            .map(|cover| cover.amount)
            .sum()
    }

    /// The ledger with this payment, in the place of its older state if there was one.
    #[must_use]
    pub fn with_payment(&self, payment: &Payment) -> Self {
        let mut ledger = self.clone();
        match ledger.payments.iter_mut().find(|old| old.id == payment.id) {
            Some(old) => old.clone_from(payment),
            None => ledger.payments.push(payment.clone()),
        }
        ledger
    }
}
