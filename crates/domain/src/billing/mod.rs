//! The bill: charges, payments, splits and what they leave due.

mod allocate;
mod announce;
mod apply_provider_state;
mod billable;
mod end_payment;
mod facts;
mod intake;
mod ledger;
mod outstanding;
mod preview;
mod receive;
mod recompute;
mod register_payment;
mod request;
mod set_split;
mod settle;
mod shares;
mod split;
mod start_online_payment;
mod status;
mod who;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod laws;

pub use allocate::allocate;
pub use apply_provider_state::{
    ProviderApplied, ProviderFacts, ProviderOutcome, ProviderState, ProviderStatus, apply_provider_state,
};
pub use billable::{BillableLine, billable_qty, unbilled};
pub use end_payment::{EndPaymentError, PaymentEnd, PaymentEnded, end_payment};
pub use facts::{
    Allocation, AllocationReason, Charge, Check, CheckStatus, Cover, Ledger, Payment, PaymentStatus,
    Provider, Share, Split, SplitMethod, Tip,
};
pub use intake::{PaymentFacts, PaymentRefused};
pub use ledger::{Payable, payable};
pub use outstanding::{Outstanding, OutstandingShare, outstanding};
pub use preview::{Preview, PreviewError, preview_check};
pub use register_payment::{PaymentRegistered, RegisterPayment, RegisterPaymentError, register_payment};
pub use request::{
    CheckRequested, PendingRounds, RequestCheck, RequestCheckError, RequestFacts, request_check,
};
pub use set_split::{SetSplitError, SplitFacts, SplitSet, set_split};
pub use settle::{CheckClosed, settle_check, void_check};
pub use shares::{Portion, SplitError, SplitRequest, divide};
pub use split::largest_remainder;
pub use start_online_payment::{
    PAYMENT_LIFETIME, PaymentCreated, StartOnlinePayment, StartPaymentError, start_online_payment,
};
pub use status::{PAYMENT_TRANSITIONS, PaymentTransition, PaymentWho, check_status};
