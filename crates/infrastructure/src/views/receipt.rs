use std::collections::HashMap;

use comanda_domain::billing::{Charge, Check, CheckStatus, Ledger, Payment};
use comanda_domain::business_day::business_day;
use comanda_domain::ids::RoundItemId;
use comanda_domain::round::RoundItem;
use serde::Serialize;
use utoipa::ToSchema;

use super::{MoneyView, Texts, money, time};
use crate::people::People;
use crate::sessions::Scene;

/// The branch at the head of a receipt.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReceiptBranch {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub address: Option<String>,
    /// How to call it.
    pub phone: Option<String>,
    /// Printed above the lines.
    pub header: Option<String>,
    /// Printed below everything.
    pub footer: Option<String>,
}

/// One line of a receipt.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReceiptLine {
    /// What it is.
    pub description: String,
    /// How many.
    pub qty: i32,
    /// Price of one with its options.
    pub unit_price: MoneyView,
    /// Quantity times unit price.
    pub amount: MoneyView,
    /// Chosen options.
    pub modifiers: Vec<String>,
    /// Who had it; null when shared.
    pub diner: Option<String>,
}

/// Money received.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReceiptPayment {
    /// `cash`, `card_terminal`, `transfer` or `sandbox`.
    pub provider: String,
    /// For the check.
    pub amount: MoneyView,
    /// For the staff.
    pub tip: MoneyView,
    /// Given back.
    pub refunded: MoneyView,
    /// Who paid.
    pub payer: Option<String>,
}

/// A check as it is printed. It shows the same numbers as the check.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReceiptView {
    /// `receipt` once the check is paid, else `pre_bill`.
    pub kind: &'static str,
    /// The check's number within the branch.
    pub number: i64,
    /// The day of its settling; until then that of its payment, else of its request.
    pub business_day: String,
    /// ISO 4217.
    pub currency: String,
    /// The language of its texts.
    pub lang: String,
    /// Whose.
    pub branch: ReceiptBranch,
    /// Where the party sat last.
    pub table: String,
    /// Who served.
    pub waiter: Option<String>,
    /// When the visit began.
    pub opened_at: String,
    /// When it ended.
    pub closed_at: Option<String>,
    /// What is billed.
    pub lines: Vec<ReceiptLine>,
    /// Signed changes of the total.
    #[schema(value_type = Vec<Object>)]
    pub adjustments: Vec<()>,
    /// Sum of the lines.
    pub subtotal: MoneyView,
    /// Subtotal and adjustments.
    pub total: MoneyView,
    /// Money received.
    pub payments: Vec<ReceiptPayment>,
    /// Money for the staff.
    pub tips: MoneyView,
    /// What is still to be paid.
    pub due: MoneyView,
    /// Where anyone who has the code finds it; null on a pre-bill, which is not public.
    pub public_url: Option<String>,
}

/// What a receipt is made of.
pub struct ReceiptFacts<'a> {
    /// Where.
    pub scene: &'a Scene,
    /// The check.
    pub check: &'a Check,
    /// Its ledger.
    pub ledger: &'a Ledger,
    /// The items that it bills.
    pub items: &'a HashMap<RoundItemId, RoundItem>,
    /// Names of guests and waiter.
    pub people: &'a People,
    /// The language.
    pub texts: &'a Texts,
    /// Where a paid one is found.
    pub public_url: &'a str,
}

/// Paid, whatever was given back since.
pub fn is_receipt(check: &Check) -> bool {
    matches!(
        check.status,
        CheckStatus::Paid | CheckStatus::PartiallyRefunded | CheckStatus::Refunded
    )
}

/// A check as it is printed.
pub fn receipt(facts: &ReceiptFacts<'_>) -> ReceiptView {
    let (check, ledger, scene) = (facts.check, facts.ledger, facts.scene);
    let (branch, row, session) = (&scene.branch, &scene.branch_row, &scene.session);
    let amount = |minor| money(minor, check.currency);
    let paid = is_receipt(check);
    let day = check.business_day.unwrap_or_else(|| {
        business_day(
            check.paid_at.unwrap_or(check.requested.at),
            branch.timezone,
            branch.business_day_start,
        )
    });
    ReceiptView {
        kind: if paid { "receipt" } else { "pre_bill" },
        number: check.number,
        business_day: day.to_string(),
        currency: check.currency.to_string(),
        lang: facts.texts.lang().to_owned(),
        branch: ReceiptBranch {
            name: row.name.clone(),
            address: row.address.clone(),
            phone: row.phone.clone(),
            header: row.receipt_header.clone(),
            footer: row.receipt_footer.clone(),
        },
        table: scene.table.code.clone(),
        waiter: session
            .assigned_waiter_id
            .and_then(|id| facts.people.name(Some(id.0)))
            .map(str::to_owned),
        opened_at: time(session.opened.at),
        closed_at: session.closed.map(|stamp| time(stamp.at)),
        lines: ledger.charges.iter().map(|charge| line(charge, facts)).collect(),
        adjustments: Vec::new(),
        subtotal: amount(ledger.charges.iter().map(|charge| charge.amount).sum()),
        total: amount(check.total_amount),
        payments: ledger
            .payments
            .iter()
            .filter(|payment| payment.status.is_effective())
            .map(|payment| received(payment, facts))
            .collect(),
        tips: amount(ledger.tips()),
        due: amount(check.due()),
        public_url: paid.then(|| facts.public_url.to_owned()),
    }
}

fn line(charge: &Charge, facts: &ReceiptFacts<'_>) -> ReceiptLine {
    let currency = facts.check.currency;
    let item = facts.items.get(&charge.round_item_id);
    ReceiptLine {
        description: facts.texts.pick(&charge.description),
        qty: charge.qty,
        unit_price: money(item.map_or(charge.amount, |item| item.unit_amount), currency),
        amount: money(charge.amount, currency),
        modifiers: item
            .map(|item| super::ticket::modifiers(item, facts.texts))
            .unwrap_or_default(),
        diner: charge
            .diner_id
            .and_then(|id| facts.people.name(Some(id.0)))
            .map(str::to_owned),
    }
}

fn received(payment: &Payment, facts: &ReceiptFacts<'_>) -> ReceiptPayment {
    let currency = facts.check.currency;
    ReceiptPayment {
        provider: payment.provider.to_string(),
        amount: money(payment.amount, currency),
        tip: money(payment.tip_amount, currency),
        refunded: money(payment.refunded_amount, currency),
        payer: payment
            .payer_diner_id
            .and_then(|id| facts.people.name(Some(id.0)))
            .map(str::to_owned),
    }
}
