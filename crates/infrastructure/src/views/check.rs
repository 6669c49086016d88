use comanda_domain::billing::{self, BillableLine, Charge, Check, Ledger, Outstanding, Preview, Share};
use comanda_domain::branch::Branch;
use comanda_domain::money::Currency;
use serde::Serialize;
use utoipa::ToSchema;

use super::{MoneyView, PaymentView, Texts, money, payment, time};

/// What one round item costs on a check.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ChargeView {
    /// Its id.
    pub id: String,
    /// The item.
    pub round_item_id: String,
    /// The owner; null when shared.
    pub diner_id: Option<String>,
    /// `own`, `group` or `table`.
    pub sharing: String,
    /// The named guests, for `group`.
    pub shared_with: Vec<String>,
    /// What it is.
    pub description: String,
    /// Billed quantity.
    pub qty: i32,
    /// Quantity times unit price.
    pub amount: MoneyView,
    /// Sum of its adjustments.
    pub adjusted: MoneyView,
    /// Amount and adjustments.
    pub net: MoneyView,
    /// What payments cover of it.
    pub paid: MoneyView,
}

/// One guest's part of a split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ShareView {
    /// Whose.
    pub diner_id: String,
    /// How much when the split was made.
    pub amount: MoneyView,
    /// What received payments cover of it.
    pub paid: MoneyView,
    /// What is left to pay.
    pub outstanding: MoneyView,
}

/// How a check is divided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SplitView {
    /// Rises with each new division.
    pub revision: i32,
    /// `equal`, `by_consumption` or `custom`.
    pub method: String,
    /// The part of what is due that is nobody's share.
    pub unassigned: MoneyView,
    /// One for each participant.
    pub shares: Vec<ShareView>,
}

/// The numbers of a check, without ledger rows: in lists and events.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CheckTotalsView {
    /// Its id.
    pub id: String,
    /// The branch.
    pub branch_id: String,
    /// The visit.
    pub session_id: String,
    /// 1, 2, 3 … within the branch.
    pub number: i64,
    /// `requested`, `in_payment`, `paid`, `partially_refunded`, `refunded` or `void`.
    pub status: String,
    /// Rises with each update.
    pub version: i64,
    /// Charges and adjustments.
    pub total: MoneyView,
    /// Money that covers charges.
    pub paid: MoneyView,
    /// What is still to be paid.
    pub due: MoneyView,
    /// Online payments under way.
    pub reserved: MoneyView,
    /// Money received that covers nothing.
    pub surplus: MoneyView,
    /// Money for the staff.
    pub tips: MoneyView,
    /// How it is divided; null when it is not.
    pub split: Option<SplitView>,
    /// When it was asked for.
    pub requested_at: String,
    /// When it became paid.
    pub paid_at: Option<String>,
    /// When it was closed for good.
    pub settled_at: Option<String>,
}

/// The bill of a visit with everything on it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CheckView {
    /// Its numbers.
    #[serde(flatten)]
    pub totals: CheckTotalsView,
    /// What it bills, in order.
    pub charges: Vec<ChargeView>,
    /// Signed changes of its total.
    #[schema(value_type = Vec<Object>)]
    pub adjustments: Vec<()>,
    /// What was paid, in order.
    pub payments: Vec<PaymentView>,
}

/// A round item that a check would bill.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PreviewLineView {
    /// The item.
    pub round_item_id: String,
    /// The owner; null when shared.
    pub diner_id: Option<String>,
    /// `own`, `group` or `table`.
    pub sharing: String,
    /// The named guests, for `group`.
    pub shared_with: Vec<String>,
    /// What it is.
    pub description: String,
    /// How many.
    pub qty: i32,
    /// Price of one.
    pub unit_price: MoneyView,
    /// Quantity times unit price.
    pub amount: MoneyView,
}

/// What one guest would pay.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PreviewShareView {
    /// Who.
    pub diner_id: String,
    /// How much.
    pub amount: MoneyView,
}

/// What a check would hold if it were asked for now.
///
/// It never holds what is on a check already: while one is out, there are no lines and all amounts are zero.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PreviewView {
    /// What is confirmed and on no check, in the order of the charges that it would become.
    pub lines: Vec<PreviewLineView>,
    /// What the check would come to.
    pub total: MoneyView,
    /// What is confirmed and on no check: the same amount, because a new check takes all of it.
    pub unbilled: MoneyView,
    /// Who would pay how much, where a method is given.
    pub shares: Vec<PreviewShareView>,
}

/// The numbers of a check. Charges and allocations of the ledger are not looked at.
pub fn check_totals(check: &Check, ledger: &Ledger) -> CheckTotalsView {
    let amount = |minor| money(minor, check.currency);
    CheckTotalsView {
        id: check.id.to_string(),
        branch_id: check.branch_id.to_string(),
        session_id: check.session_id.to_string(),
        number: check.number,
        status: check.status.to_string(),
        version: check.version,
        total: amount(check.total_amount),
        paid: amount(check.paid_amount),
        due: amount(check.due()),
        reserved: amount(ledger.reserved()),
        surplus: amount(check.surplus_amount),
        tips: amount(ledger.tips()),
        split: split(check, ledger),
        requested_at: time(check.requested.at),
        paid_at: check.paid_at.map(time),
        settled_at: check.settled_at.map(time),
    }
}

/// A check with its whole ledger.
pub fn check(check: &Check, ledger: &Ledger, texts: &Texts) -> CheckView {
    CheckView {
        totals: check_totals(check, ledger),
        charges: ledger.charges.iter().map(|row| charge(row, check.currency, ledger, texts)).collect(),
        adjustments: Vec::new(),
        payments: ledger.payments.iter().map(|row| payment(row, check.currency)).collect(),
    }
}

/// What a check would hold.
pub fn preview(preview: &Preview, branch: &Branch, texts: &Texts) -> PreviewView {
    let amount = |minor| money(minor, branch.currency);
    PreviewView {
        lines: preview.lines.iter().map(|row| line(row, branch.currency, texts)).collect(),
        total: amount(preview.total),
        unbilled: amount(preview.total),
        shares: preview
            .shares
            .iter()
            .map(|Share { diner_id, amount: part }| PreviewShareView {
                diner_id: diner_id.to_string(),
                amount: amount(*part),
            })
            .collect(),
    }
}

fn split(check: &Check, ledger: &Ledger) -> Option<SplitView> {
    let split = ledger.split.as_ref()?;
    let amount = |minor| money(minor, check.currency);
    let Outstanding { shares, unassigned } = billing::outstanding(check, ledger);
    Some(SplitView {
        revision: split.revision,
        method: split.method.to_string(),
        unassigned: amount(unassigned),
        shares: shares
            .into_iter()
            .map(|share| ShareView {
                diner_id: share.diner_id.to_string(),
                amount: amount(share.amount),
                paid: amount(share.paid),
                outstanding: amount(share.outstanding),
            })
            .collect(),
    })
}

fn charge(charge: &Charge, currency: Currency, ledger: &Ledger, texts: &Texts) -> ChargeView {
    let amount = |minor| money(minor, currency);
    ChargeView {
        id: charge.id.to_string(),
        round_item_id: charge.round_item_id.to_string(),
        diner_id: charge.diner_id.map(|id| id.to_string()),
        sharing: charge.sharing.to_string(),
        shared_with: charge.sharers.iter().map(ToString::to_string).collect(),
        description: texts.pick(&charge.description),
        qty: charge.qty,
        amount: amount(charge.amount),
        adjusted: amount(charge.net() - charge.amount),
        net: amount(charge.net()),
        paid: amount(ledger.allocated_to(charge.id)),
    }
}

fn line(line: &BillableLine, currency: Currency, texts: &Texts) -> PreviewLineView {
    PreviewLineView {
        round_item_id: line.round_item_id.to_string(),
        diner_id: line.diner_id.map(|id| id.to_string()),
        sharing: line.sharing.to_string(),
        shared_with: line.sharers.iter().map(ToString::to_string).collect(),
        description: texts.pick(&line.description),
        qty: line.qty,
        unit_price: money(line.unit_amount, currency),
        amount: money(line.amount, currency),
    }
}
