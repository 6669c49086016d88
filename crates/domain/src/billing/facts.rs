//! What a check is. All amounts are minor units of the check's currency.

use crate::Timestamp;
use crate::actor::Stamp;
use crate::cart::Sharing;
use crate::enums::text_enum;
use crate::ids::{
    AllocationId, BranchId, ChargeId, CheckId, DinerId, PaymentId, RoundItemId, SessionId, TipId, UserId,
};
use crate::money::Currency;
use crate::text::I18n;

text_enum! {
    /// Given by one pure function after every ledger change, never set by hand.
    CheckStatus {
        /// Nothing paid yet.
        Requested = "requested",
        /// Partly paid.
        InPayment = "in_payment",
        /// Paid in full.
        Paid = "paid",
        /// Settled, some money given back.
        PartiallyRefunded = "partially_refunded",
        /// Settled, all money given back.
        Refunded = "refunded",
        /// Withdrawn.
        Void = "void",
    }
}

text_enum! {
    /// How money comes in.
    Provider {
        /// Notes and coins.
        Cash = "cash",
        /// A card terminal of the house.
        CardTerminal = "card_terminal",
        /// A bank transfer seen by the staff.
        Transfer = "transfer",
        /// Mercado Pago.
        MercadoPago = "mercado_pago",
        /// The built-in provider for trying out.
        Sandbox = "sandbox",
    }
}

impl Provider {
    /// Pays through a provider's server instead of the staff's hands.
    pub fn is_online(self) -> bool {
        matches!(self, Self::MercadoPago | Self::Sandbox)
    }
}

text_enum! {
    /// Where a payment stands.
    PaymentStatus {
        /// Reserved, not yet with the provider.
        Created = "created",
        /// With the provider.
        Pending = "pending",
        /// Refused by the provider.
        Rejected = "rejected",
        /// Not paid in time.
        Expired = "expired",
        /// Taken back before it was paid.
        Canceled = "canceled",
        /// Received.
        Approved = "approved",
        /// Partly given back.
        PartiallyRefunded = "partially_refunded",
        /// Given back.
        Refunded = "refunded",
        /// Taken back by the provider.
        ChargedBack = "charged_back",
    }
}

impl PaymentStatus {
    /// A provider's result may only raise the rank (`domain.md` 3.6).
    pub fn rank(self) -> u8 {
        match self {
            Self::Created => 0,
            Self::Pending => 1,
            Self::Rejected | Self::Expired | Self::Canceled => 2,
            Self::Approved => 3,
            Self::PartiallyRefunded => 4,
            Self::Refunded | Self::ChargedBack => 5,
        }
    }

    /// The amount is reserved: under way, not yet decided.
    pub fn is_under_way(self) -> bool {
        self.rank() < 2
    }

    /// The money has been received (and perhaps partly given back).
    pub fn is_effective(self) -> bool {
        self.rank() >= 3
    }
}

text_enum! {
    /// How a check is divided.
    SplitMethod {
        /// The same for everyone.
        Equal = "equal",
        /// What each one had.
        ByConsumption = "by_consumption",
        /// Given amounts.
        Custom = "custom",
    }
}

text_enum! {
    /// Why money moved between a payment and a charge.
    AllocationReason {
        /// It was paid.
        Payment = "payment",
        /// It was given back.
        Refund = "refund",
        /// It was moved to where it is owed.
        Rebalance = "rebalance",
    }
}

/// The bill of a session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// The check.
    pub id: CheckId,
    /// The branch.
    pub branch_id: BranchId,
    /// The session.
    pub session_id: SessionId,
    /// 1, 2, 3 … within the branch, without gaps.
    pub number: i64,
    /// Derived by `check_status`.
    pub status: CheckStatus,
    /// Its one currency.
    pub currency: Currency,
    /// Sum of charges and adjustments.
    pub total_amount: i64,
    /// Money allocated to charges.
    pub paid_amount: i64,
    /// Money received that covers nothing.
    pub surplus_amount: i64,
    /// The split in force; 0 is none.
    pub split_revision: i32,
    /// When and by whom it was asked for.
    pub requested: Stamp,
    /// When it was withdrawn.
    pub voided: Option<Stamp>,
    /// When it became paid.
    pub paid_at: Option<Timestamp>,
    /// When its session closed or went on ordering.
    pub settled_at: Option<Timestamp>,
    /// The business day of `settled_at`.
    pub business_day: Option<chrono::NaiveDate>,
    /// Rises by one with each update.
    pub version: i64,
}

impl Check {
    /// What is still to be paid. A settled or void check has nothing due.
    pub fn due(&self) -> i64 {
        if self.is_live() {
            self.total_amount - self.paid_amount
        } else {
            0
        }
    }

    /// Neither settled nor void.
    pub fn is_live(&self) -> bool {
        self.settled_at.is_none() && self.voided.is_none()
    }
}

/// A check with everything that was ever written on it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ledger {
    /// In order of position.
    pub charges: Vec<Charge>,
    /// In order of creation.
    pub payments: Vec<Payment>,
    /// The split in force.
    pub split: Option<Split>,
}

/// What one round item costs on a check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Charge {
    /// The charge.
    pub id: ChargeId,
    /// The item.
    pub round_item_id: RoundItemId,
    /// 1, 2, 3 … within the check.
    pub position: i32,
    /// Billed quantity.
    pub qty: i32,
    /// Quantity times unit price.
    pub amount: i64,
    /// The owner; none when shared.
    pub diner_id: Option<DinerId>,
    /// Who it belongs to.
    pub sharing: Sharing,
    /// The named diners of a `group` charge.
    pub sharers: Vec<DinerId>,
    /// What it is.
    pub description: I18n,
    /// Set when the check was voided.
    pub released_at: Option<Timestamp>,
}

impl Charge {
    /// The amount with its adjustments. Nothing adjusts a charge yet.
    pub fn net(&self) -> i64 {
        self.amount
    }
}

/// Money given, or promised by a provider.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Payment {
    /// The payment.
    pub id: PaymentId,
    /// The check.
    pub check_id: CheckId,
    /// How it came in.
    pub provider: Provider,
    /// Where it stands.
    pub status: PaymentStatus,
    /// Goes to the check, > 0.
    pub amount: i64,
    /// Goes to the staff, ≥ 0.
    pub tip_amount: i64,
    /// The guest who pays.
    pub payer_diner_id: Option<DinerId>,
    /// Cash handed over.
    pub tendered_amount: Option<i64>,
    /// Cash handed back.
    pub change_amount: Option<i64>,
    /// Received but covering nothing.
    pub unallocated_amount: i64,
    /// Given back of the amount.
    pub refunded_amount: i64,
    /// Given back of the tip.
    pub refunded_tip_amount: i64,
    /// The provider's own id.
    pub external_id: Option<String>,
    /// Where the guest pays online.
    pub checkout_url: Option<String>,
    /// A remark of the staff: terminal slip, transfer number.
    pub reference: Option<String>,
    /// Why the provider refused.
    pub failure_code: Option<String>,
    /// The split whose shares it covers.
    pub split_revision: i32,
    /// When the reservation ends; only while under way.
    pub expires_at: Option<Timestamp>,
    /// When and by whom it was entered.
    pub created: Stamp,
    /// When it was received.
    pub approved: Option<Stamp>,
    /// Rises by one with each update.
    pub version: i64,
    /// Whose share it pays, in order.
    pub covers: Vec<Cover>,
    /// Which charges it covers, in order; append-only.
    pub allocations: Vec<Allocation>,
    /// Its tip, once received.
    pub tip: Option<Tip>,
}

/// The part of a diner's share that a payment covers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cover {
    /// Whose share.
    pub diner_id: DinerId,
    /// How much of it.
    pub amount: i64,
}

/// The part of a payment that covers a charge; negative when taken back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Allocation {
    /// The allocation.
    pub id: AllocationId,
    /// The charge.
    pub charge_id: ChargeId,
    /// How much.
    pub amount: i64,
    /// Why.
    pub reason: AllocationReason,
}

/// Money for the staff: a ledger line of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tip {
    /// The tip.
    pub id: TipId,
    /// How much, > 0.
    pub amount: i64,
    /// Who gave it.
    pub diner_id: Option<DinerId>,
    /// The session's assigned waiter at that moment.
    pub waiter_id: Option<UserId>,
}

/// A plan that divides the amount due among diners.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Split {
    /// 1, 2, 3 … within the check.
    pub revision: i32,
    /// How.
    pub method: SplitMethod,
    /// When and by whom.
    pub made: Stamp,
    /// In order of diner id.
    pub shares: Vec<Share>,
}

/// One diner's part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share {
    /// Whose.
    pub diner_id: DinerId,
    /// How much, ≥ 0.
    pub amount: i64,
}
