use std::collections::BTreeMap;

use comanda_domain::billing::Payment;
use comanda_domain::ids::ChargeId;
use comanda_domain::money::Currency;
use serde::Serialize;
use utoipa::ToSchema;

use super::{MoneyView, money, time};

/// Whose share a payment covers.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CoverView {
    /// Whose.
    pub diner_id: String,
    /// How much of it.
    pub amount: MoneyView,
}

/// Which charge a payment covers.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AllocationView {
    /// The charge.
    pub charge_id: String,
    /// How much of it, net of what was taken back.
    pub amount: MoneyView,
}

/// Money given, or promised by a provider.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PaymentView {
    /// Its id.
    pub id: String,
    /// The check.
    pub check_id: String,
    /// `cash`, `card_terminal`, `transfer` or `sandbox`.
    pub provider: String,
    /// `created`, `pending`, `rejected`, `expired`, `canceled`, `approved`, …
    pub status: String,
    /// Rises with each update.
    pub version: i64,
    /// Goes to the check.
    pub amount: MoneyView,
    /// Goes to the staff.
    pub tip: MoneyView,
    /// Cash handed over.
    pub tendered: Option<MoneyView>,
    /// Cash handed back.
    pub change: Option<MoneyView>,
    /// Who paid.
    pub payer_diner_id: Option<String>,
    /// Whose shares it covers, in order.
    pub covers: Vec<CoverView>,
    /// Which charges it covers.
    pub allocations: Vec<AllocationView>,
    /// Received but covering nothing.
    pub unallocated: MoneyView,
    /// Given back.
    pub refunded: MoneyView,
    /// Money given back, one entry each.
    #[schema(value_type = Vec<Object>)]
    pub refunds: Vec<()>,
    /// Where the guest pays online.
    pub checkout_url: Option<String>,
    /// When the reservation ends.
    pub expires_at: Option<String>,
    /// A remark of the staff.
    pub reference: Option<String>,
    /// Why the provider refused.
    pub failure_code: Option<String>,
    /// When it was entered.
    pub created_at: String,
    /// When the money was received.
    pub approved_at: Option<String>,
}

/// A payment as it travels.
pub fn payment(payment: &Payment, currency: Currency) -> PaymentView {
    let amount = |minor| money(minor, currency);
    PaymentView {
        id: payment.id.to_string(),
        check_id: payment.check_id.to_string(),
        provider: payment.provider.to_string(),
        status: payment.status.to_string(),
        version: payment.version,
        amount: amount(payment.amount),
        tip: amount(payment.tip_amount),
        tendered: payment.tendered_amount.map(amount),
        change: payment.change_amount.map(amount),
        payer_diner_id: payment.payer_diner_id.map(|id| id.to_string()),
        covers: payment
            .covers
            .iter()
            .map(|cover| CoverView {
                diner_id: cover.diner_id.to_string(),
                amount: amount(cover.amount),
            })
            .collect(),
        allocations: net_allocations(payment)
            .into_iter()
            .map(|(charge, minor)| AllocationView {
                charge_id: charge.to_string(),
                amount: amount(minor),
            })
            .collect(),
        unallocated: amount(payment.unallocated_amount),
        refunded: amount(payment.refunded_amount),
        refunds: Vec::new(),
        checkout_url: payment.checkout_url.clone(),
        expires_at: payment.expires_at.map(time),
        reference: payment.reference.clone(),
        failure_code: payment.failure_code.clone(),
        created_at: time(payment.created.at),
        approved_at: payment.approved.map(|stamp| time(stamp.at)),
    }
}

/// Net per charge, in the order in which the charges were first covered.
fn net_allocations(payment: &Payment) -> Vec<(ChargeId, i64)> {
    let mut order = Vec::new();
    let mut sums: BTreeMap<ChargeId, i64> = BTreeMap::new();
    for allocation in &payment.allocations {
        let sum = sums.entry(allocation.charge_id).or_insert_with(|| {
            order.push(allocation.charge_id);
            0
        });
        *sum += allocation.amount;
    }
    order
        .into_iter()
        .filter_map(|charge| {
            sums.get(&charge)
                .filter(|sum| **sum != 0)
                .map(|sum| (charge, *sum))
        })
        .collect()
}
