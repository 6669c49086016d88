//! The bill: charges, payments, splits and what they leave due.

mod facts;

pub use facts::{
    Allocation, AllocationReason, Charge, Check, CheckStatus, Cover, Ledger, Payment, PaymentStatus,
    Provider, Share, Split, SplitMethod, Tip,
};
