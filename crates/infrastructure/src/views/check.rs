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
        charges: ledger
            .charges
            .iter()
            .map(|row| charge(row, check.currency, ledger, texts))
            .collect(),
        adjustments: Vec::new(),
        payments: ledger
            .payments
            .iter()
            .map(|row| payment(row, check.currency))
            .collect(),
    }
}

/// What a check would hold.
pub fn preview(preview: &Preview, branch: &Branch, texts: &Texts) -> PreviewView {
    let amount = |minor| money(minor, branch.currency);
    PreviewView {
        lines: preview
            .lines
            .iter()
            .map(|row| line(row, branch.currency, texts))
            .collect(),
        total: amount(preview.total),
        unbilled: amount(preview.total),
        shares: preview
            .shares
            .iter()
            .map(
                |Share {
                     diner_id,
                     amount: part,
                 }| PreviewShareView {
                    diner_id: diner_id.to_string(),
                    amount: amount(*part),
                },
            )
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    use chrono::{DateTime, TimeDelta};
    use comanda_domain::Timestamp;
    use comanda_domain::actor::{Actor, Stamp};
    use comanda_domain::billing::{
        Allocation, AllocationReason, CheckStatus, Cover, Payment, PaymentStatus, Provider, Split,
        SplitMethod, Tip,
    };
    use comanda_domain::cart::Sharing;
    use comanda_domain::ids::{
        AllocationId, BranchId, ChargeId, CheckId, DinerId, PaymentId, RoundItemId, SessionId, TipId,
    };
    use comanda_domain::text::I18n;
    use uuid::Uuid;

    const ANA: DinerId = DinerId(Uuid::from_u128(1));
    const BRUNO: DinerId = DinerId(Uuid::from_u128(2));
    const BIFE: ChargeId = ChargeId(Uuid::from_u128(10));

    fn made() -> Stamp {
        Actor::diner(ANA).stamp(now())
    }

    fn now() -> Timestamp {
        DateTime::from_timestamp(1_795_562_420, 0).unwrap()
    }

    fn ars() -> Currency {
        Currency::parse("ARS").unwrap()
    }

    /// Two guests, one dish of 26 700.00 each to pay half of.
    fn requested() -> Check {
        Check {
            id: CheckId(Uuid::from_u128(3)),
            branch_id: BranchId(Uuid::from_u128(4)),
            session_id: SessionId(Uuid::from_u128(5)),
            number: 1,
            status: CheckStatus::Requested,
            currency: ars(),
            total_amount: 2_670_000,
            paid_amount: 0,
            surplus_amount: 0,
            split_revision: 1,
            requested: made(),
            voided: None,
            paid_at: None,
            settled_at: None,
            business_day: None,
            version: 1,
        }
    }

    fn ledger(payments: Vec<Payment>) -> Ledger {
        let names = BTreeMap::from([
            ("es".to_owned(), "Bife".to_owned()),
            ("en".to_owned(), "Steak".to_owned()),
        ]);
        Ledger {
            charges: vec![Charge {
                id: BIFE,
                round_item_id: RoundItemId(Uuid::from_u128(11)),
                position: 1,
                qty: 1,
                amount: 2_670_000,
                diner_id: None,
                sharing: Sharing::Group,
                sharers: vec![ANA, BRUNO],
                description: I18n(names),
                released_at: None,
            }],
            payments,
            split: Some(Split {
                revision: 1,
                method: SplitMethod::Equal,
                made: made(),
                shares: [ANA, BRUNO]
                    .map(|diner_id| Share {
                        diner_id,
                        amount: 1_335_000,
                    })
                    .to_vec(),
            }),
        }
    }

    /// Ana's share and a tip.
    fn payment(status: PaymentStatus) -> Payment {
        let received = status == PaymentStatus::Approved;
        Payment {
            id: PaymentId(Uuid::from_u128(20)),
            check_id: requested().id,
            provider: Provider::Sandbox,
            status,
            amount: 1_335_000,
            tip_amount: 100_000,
            payer_diner_id: Some(ANA),
            tendered_amount: None,
            change_amount: None,
            unallocated_amount: 0,
            refunded_amount: 0,
            refunded_tip_amount: 0,
            external_id: None,
            checkout_url: None,
            reference: None,
            failure_code: None,
            split_revision: 1,
            expires_at: Some(now() + TimeDelta::minutes(15)),
            created: made(),
            approved: received.then(made),
            version: 1,
            covers: vec![Cover {
                diner_id: ANA,
                amount: 1_335_000,
            }],
            allocations: received
                .then_some(Allocation {
                    id: AllocationId(Uuid::from_u128(21)),
                    charge_id: BIFE,
                    amount: 1_335_000,
                    reason: AllocationReason::Payment,
                })
                .into_iter()
                .collect(),
            tip: received.then_some(Tip {
                id: TipId(Uuid::from_u128(22)),
                amount: 100_000,
                diner_id: Some(ANA),
                waiter_id: None,
            }),
        }
    }

    fn outstanding(view: &CheckTotalsView) -> Vec<i64> {
        let split = view.split.as_ref().unwrap();
        split
            .shares
            .iter()
            .map(|share| share.outstanding.amount)
            .collect()
    }

    #[test]
    fn what_is_under_way_is_reserved_but_still_due() {
        let view = check_totals(&requested(), &ledger(vec![payment(PaymentStatus::Created)]));
        assert_eq!(
            (view.reserved.amount, view.due.amount, view.tips.amount),
            (1_335_000, 2_670_000, 0)
        );
        assert_eq!(outstanding(&view), [1_335_000, 1_335_000]);
    }

    #[test]
    fn what_was_received_lowers_the_share_of_the_payer() {
        let check = Check {
            paid_amount: 1_335_000,
            status: CheckStatus::InPayment,
            ..requested()
        };
        let view = check_totals(&check, &ledger(vec![payment(PaymentStatus::Approved)]));
        assert_eq!(
            (view.reserved.amount, view.due.amount, view.tips.amount),
            (0, 1_335_000, 100_000)
        );
        assert_eq!(outstanding(&view), [0, 1_335_000]);
    }

    #[test]
    fn totals_need_neither_charges_nor_allocations() {
        let whole = ledger(vec![payment(PaymentStatus::Pending)]);
        let slim = Ledger {
            charges: Vec::new(),
            ..whole.clone()
        };
        let json = |ledger: &Ledger| serde_json::to_value(check_totals(&requested(), ledger)).unwrap();
        assert_eq!(json(&whole), json(&slim));
    }

    #[test]
    fn a_check_shows_its_ledger_and_every_member() {
        let check_now = Check {
            paid_amount: 1_335_000,
            status: CheckStatus::InPayment,
            ..requested()
        };
        let texts = Texts {
            wanted: Some("en".to_owned()),
            locale: "es".to_owned(),
        };
        let view = check(
            &check_now,
            &ledger(vec![payment(PaymentStatus::Approved)]),
            &texts,
        );
        let json = serde_json::to_value(&view).unwrap();
        assert_eq!(json["charges"][0]["description"], "Steak");
        assert_eq!(json["charges"][0]["shared_with"].as_array().unwrap().len(), 2);
        assert_eq!(json["charges"][0]["paid"]["amount"], 1_335_000);
        assert_eq!(json["charges"][0]["adjusted"]["amount"], 0);
        assert_eq!(json["payments"].as_array().unwrap().len(), 1);
        assert_eq!(json["split"]["unassigned"]["amount"], 0);
        for member in [
            "adjustments",
            "paid_at",
            "settled_at",
            "surplus",
            "requested_at",
            "due",
        ] {
            assert!(json.get(member).is_some(), "{member}");
        }
    }
}
