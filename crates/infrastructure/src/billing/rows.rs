//! Columns of checks and payments.

use chrono::{DateTime, NaiveDate, Utc};
use comanda_domain::Timestamp;
use comanda_domain::billing::{
    Allocation, Charge, Check, CheckStatus, Cover, Payment, PaymentStatus, Provider, Share, Split,
    SplitMethod, Tip,
};
use comanda_domain::cart::Sharing;
use comanda_domain::ids::{DinerId, TenantId};
use serde_json::Value;
use uuid::Uuid;

use crate::db::{DbError, optional_bytes_as_hex, row};
use crate::stored::{columns, currency, i18n, json, named, optional_stamp, stamp};

row! {
    /// A bill.
    CheckRow = guest_check, key (tenant_id, id), guard "t.version < r.version" {
        tenant_id: Uuid,
        id: Uuid,
        created_at: DateTime<Utc>,
        branch_id: Uuid,
        session_id: Uuid,
        number: i64,
        status: String,
        currency: String,
        total_amount: i64,
        paid_amount: i64,
        surplus_amount: i64,
        split_revision: i32,
        requested_at: DateTime<Utc>,
        requested_by_kind: String,
        requested_by_id: Option<Uuid>,
        voided_at: Option<DateTime<Utc>>,
        voided_by_kind: Option<String>,
        voided_by_id: Option<Uuid>,
        paid_at: Option<DateTime<Utc>>,
        settled_at: Option<DateTime<Utc>>,
        business_day: Option<NaiveDate>,
        version: i64,
    }
}

impl CheckRow {
    pub(crate) fn of(tenant: TenantId, check: &Check) -> Self {
        let (voided_at, voided_by_kind, voided_by_id) = columns(check.voided.as_ref());
        Self {
            tenant_id: tenant.0,
            id: check.id.0,
            created_at: check.requested.at,
            branch_id: check.branch_id.0,
            session_id: check.session_id.0,
            number: check.number,
            status: check.status.to_string(),
            currency: check.currency.to_string(),
            total_amount: check.total_amount,
            paid_amount: check.paid_amount,
            surplus_amount: check.surplus_amount,
            split_revision: check.split_revision,
            requested_at: check.requested.at,
            requested_by_kind: check.requested.kind.to_string(),
            requested_by_id: check.requested.id,
            voided_at,
            voided_by_kind,
            voided_by_id,
            paid_at: check.paid_at,
            settled_at: check.settled_at,
            business_day: check.business_day,
            version: check.version,
        }
    }

    pub(crate) fn to_domain(&self) -> Result<Check, DbError> {
        Ok(Check {
            id: self.id.into(),
            branch_id: self.branch_id.into(),
            session_id: self.session_id.into(),
            number: self.number,
            status: named(&self.status, CheckStatus::parse)?,
            currency: currency(&self.currency)?,
            total_amount: self.total_amount,
            paid_amount: self.paid_amount,
            surplus_amount: self.surplus_amount,
            split_revision: self.split_revision,
            requested: stamp(self.requested_at, &self.requested_by_kind, self.requested_by_id)?,
            voided: optional_stamp(self.voided_at, self.voided_by_kind.as_deref(), self.voided_by_id)?,
            paid_at: self.paid_at,
            settled_at: self.settled_at,
            business_day: self.business_day,
            version: self.version,
        })
    }
}

row! {
    /// What one item costs on a check.
    ChargeRow = charge, key (tenant_id, id) {
        tenant_id: Uuid,
        id: Uuid,
        created_at: DateTime<Utc>,
        branch_id: Uuid,
        session_id: Uuid,
        check_id: Uuid,
        round_item_id: Uuid,
        position: i32,
        qty: i32,
        amount: i64,
        currency: String,
        diner_id: Option<Uuid>,
        description: Value,
        released_at: Option<DateTime<Utc>>,
    }
}

impl ChargeRow {
    pub(crate) fn of(tenant: TenantId, check: &Check, charge: &Charge) -> Self {
        Self {
            tenant_id: tenant.0,
            id: charge.id.0,
            created_at: check.requested.at,
            branch_id: check.branch_id.0,
            session_id: check.session_id.0,
            check_id: check.id.0,
            round_item_id: charge.round_item_id.0,
            position: charge.position,
            qty: charge.qty,
            amount: charge.amount,
            currency: check.currency.to_string(),
            diner_id: charge.diner_id.map(Uuid::from),
            description: json(&charge.description),
            released_at: charge.released_at,
        }
    }

    /// The charge; who it belongs to stands with its item.
    pub(crate) fn into_domain(self, sharing: &str, sharers: Vec<DinerId>) -> Result<Charge, DbError> {
        Ok(Charge {
            id: self.id.into(),
            round_item_id: self.round_item_id.into(),
            position: self.position,
            qty: self.qty,
            amount: self.amount,
            diner_id: self.diner_id.map(Into::into),
            sharing: named(sharing, Sharing::parse)?,
            sharers,
            description: i18n(self.description)?,
            released_at: self.released_at,
        })
    }
}

row! {
    /// A charge that its check lets go: all that may ever change of it.
    ReleaseRow = charge, key (tenant_id, id) {
        tenant_id: Uuid,
        id: Uuid,
        released_at: Option<DateTime<Utc>>,
    }
}

impl ReleaseRow {
    pub(crate) fn of(tenant: TenantId, charge: &Charge) -> Self {
        Self {
            tenant_id: tenant.0,
            id: charge.id.0,
            released_at: charge.released_at,
        }
    }
}

row! {
    /// Money given, or promised by a provider.
    PaymentRow = payment, key (tenant_id, id), guard "t.version < r.version" {
        tenant_id: Uuid,
        id: Uuid,
        created_at: DateTime<Utc>,
        branch_id: Uuid,
        session_id: Uuid,
        check_id: Uuid,
        provider: String,
        status: String,
        currency: String,
        amount: i64,
        tip_amount: i64,
        payer_diner_id: Option<Uuid>,
        tendered_amount: Option<i64>,
        change_amount: Option<i64>,
        unallocated_amount: i64,
        refunded_amount: i64,
        refunded_tip_amount: i64,
        external_id: Option<String>,
        checkout_url: Option<String>,
        reference: Option<String>,
        failure_code: Option<String>,
        split_revision: i32,
        expires_at: Option<DateTime<Utc>>,
        created_by_kind: String,
        created_by_id: Option<Uuid>,
        approved_at: Option<DateTime<Utc>>,
        approved_by_kind: Option<String>,
        approved_by_id: Option<Uuid>,
        version: i64,
    }
}

/// What of a payment stands in rows of its own.
#[derive(Debug, Default)]
pub(crate) struct PaymentParts {
    pub(crate) covers: Vec<Cover>,
    pub(crate) allocations: Vec<Allocation>,
    pub(crate) tip: Option<Tip>,
}

impl PaymentRow {
    pub(crate) fn of(tenant: TenantId, check: &Check, payment: &Payment) -> Self {
        let (approved_at, approved_by_kind, approved_by_id) = columns(payment.approved.as_ref());
        Self {
            tenant_id: tenant.0,
            id: payment.id.0,
            created_at: payment.created.at,
            branch_id: check.branch_id.0,
            session_id: check.session_id.0,
            check_id: check.id.0,
            provider: payment.provider.to_string(),
            status: payment.status.to_string(),
            currency: check.currency.to_string(),
            amount: payment.amount,
            tip_amount: payment.tip_amount,
            payer_diner_id: payment.payer_diner_id.map(Uuid::from),
            tendered_amount: payment.tendered_amount,
            change_amount: payment.change_amount,
            unallocated_amount: payment.unallocated_amount,
            refunded_amount: payment.refunded_amount,
            refunded_tip_amount: payment.refunded_tip_amount,
            external_id: payment.external_id.clone(),
            checkout_url: payment.checkout_url.clone(),
            reference: payment.reference.clone(),
            failure_code: payment.failure_code.clone(),
            split_revision: payment.split_revision,
            expires_at: payment.expires_at,
            created_by_kind: payment.created.kind.to_string(),
            created_by_id: payment.created.id,
            approved_at,
            approved_by_kind,
            approved_by_id,
            version: payment.version,
        }
    }

    pub(crate) fn into_domain(self, parts: PaymentParts) -> Result<Payment, DbError> {
        Ok(Payment {
            id: self.id.into(),
            check_id: self.check_id.into(),
            provider: named(&self.provider, Provider::parse)?,
            status: named(&self.status, PaymentStatus::parse)?,
            amount: self.amount,
            tip_amount: self.tip_amount,
            payer_diner_id: self.payer_diner_id.map(Into::into),
            tendered_amount: self.tendered_amount,
            change_amount: self.change_amount,
            unallocated_amount: self.unallocated_amount,
            refunded_amount: self.refunded_amount,
            refunded_tip_amount: self.refunded_tip_amount,
            created: stamp(self.created_at, &self.created_by_kind, self.created_by_id)?,
            approved: optional_stamp(
                self.approved_at,
                self.approved_by_kind.as_deref(),
                self.approved_by_id,
            )?,
            external_id: self.external_id,
            checkout_url: self.checkout_url,
            reference: self.reference,
            failure_code: self.failure_code,
            split_revision: self.split_revision,
            expires_at: self.expires_at,
            version: self.version,
            covers: parts.covers,
            allocations: parts.allocations,
            tip: parts.tip,
        })
    }
}

row! {
    /// The part of a guest's share that a payment covers.
    CoverRow = payment_cover, key (tenant_id, payment_id, position) {
        tenant_id: Uuid,
        payment_id: Uuid,
        position: i32,
        created_at: DateTime<Utc>,
        session_id: Uuid,
        diner_id: Uuid,
        amount: i64,
    }
}

impl CoverRow {
    pub(crate) fn of(
        tenant: TenantId,
        check: &Check,
        payment: &Payment,
        position: i32,
        cover: &Cover,
    ) -> Self {
        Self {
            tenant_id: tenant.0,
            payment_id: payment.id.0,
            position,
            created_at: payment.created.at,
            session_id: check.session_id.0,
            diner_id: cover.diner_id.0,
            amount: cover.amount,
        }
    }
}

row! {
    /// Money for the staff.
    TipRow = tip, key (tenant_id, id) {
        tenant_id: Uuid,
        id: Uuid,
        created_at: DateTime<Utc>,
        branch_id: Uuid,
        session_id: Uuid,
        check_id: Uuid,
        payment_id: Uuid,
        amount: i64,
        currency: String,
        diner_id: Option<Uuid>,
        waiter_id: Option<Uuid>,
    }
}

impl TipRow {
    pub(crate) fn of(tenant: TenantId, check: &Check, payment: &Payment, tip: &Tip, now: Timestamp) -> Self {
        Self {
            tenant_id: tenant.0,
            id: tip.id.0,
            created_at: now,
            branch_id: check.branch_id.0,
            session_id: check.session_id.0,
            check_id: check.id.0,
            payment_id: payment.id.0,
            amount: tip.amount,
            currency: check.currency.to_string(),
            diner_id: tip.diner_id.map(Uuid::from),
            waiter_id: tip.waiter_id.map(Uuid::from),
        }
    }

    pub(crate) fn to_domain(&self) -> Tip {
        Tip {
            id: self.id.into(),
            amount: self.amount,
            diner_id: self.diner_id.map(Into::into),
            waiter_id: self.waiter_id.map(Into::into),
        }
    }
}

row! {
    /// The part of a payment that covers a charge.
    AllocationRow = allocation, key (tenant_id, id) {
        tenant_id: Uuid,
        id: Uuid,
        created_at: DateTime<Utc>,
        branch_id: Uuid,
        payment_id: Uuid,
        charge_id: Uuid,
        seq: i32,
        amount: i64,
        currency: String,
        reason: String,
    }
}

/// An allocation and its place among those of its payment.
pub(crate) struct Placed<'a> {
    pub(crate) seq: i32,
    pub(crate) allocation: &'a Allocation,
}

impl AllocationRow {
    pub(crate) fn of(
        tenant: TenantId,
        check: &Check,
        payment: &Payment,
        placed: &Placed<'_>,
        now: Timestamp,
    ) -> Self {
        Self {
            tenant_id: tenant.0,
            id: placed.allocation.id.0,
            created_at: now,
            branch_id: check.branch_id.0,
            payment_id: payment.id.0,
            charge_id: placed.allocation.charge_id.0,
            seq: placed.seq,
            amount: placed.allocation.amount,
            currency: check.currency.to_string(),
            reason: placed.allocation.reason.to_string(),
        }
    }
}

row! {
    /// One revision of a split.
    SplitRow = check_split, key (tenant_id, check_id, revision) {
        tenant_id: Uuid,
        check_id: Uuid,
        revision: i32,
        session_id: Uuid,
        created_at: DateTime<Utc>,
        method: String,
        made_at: DateTime<Utc>,
        made_by_kind: String,
        made_by_id: Option<Uuid>,
    }
}

row! {
    /// One guest's part of it.
    ShareRow = check_share, key (tenant_id, check_id, revision, diner_id) {
        tenant_id: Uuid,
        check_id: Uuid,
        revision: i32,
        session_id: Uuid,
        diner_id: Uuid,
        created_at: DateTime<Utc>,
        amount: i64,
    }
}

impl SplitRow {
    pub(crate) fn of(tenant: TenantId, check: &Check, split: &Split) -> Self {
        Self {
            tenant_id: tenant.0,
            check_id: check.id.0,
            revision: split.revision,
            session_id: check.session_id.0,
            created_at: split.made.at,
            method: split.method.to_string(),
            made_at: split.made.at,
            made_by_kind: split.made.kind.to_string(),
            made_by_id: split.made.id,
        }
    }

    pub(crate) fn into_domain(self, shares: Vec<Share>) -> Result<Split, DbError> {
        Ok(Split {
            revision: self.revision,
            method: named(&self.method, SplitMethod::parse)?,
            made: stamp(self.made_at, &self.made_by_kind, self.made_by_id)?,
            shares,
        })
    }
}

impl ShareRow {
    pub(crate) fn of(tenant: TenantId, check: &Check, split: &Split, share: &Share) -> Self {
        Self {
            tenant_id: tenant.0,
            check_id: check.id.0,
            revision: split.revision,
            session_id: check.session_id.0,
            diner_id: share.diner_id.0,
            created_at: split.made.at,
            amount: share.amount,
        }
    }

    pub(crate) fn to_domain(&self) -> Share {
        Share {
            diner_id: self.diner_id.into(),
            amount: self.amount,
        }
    }
}

row! {
    /// A gap-free counter of a branch; the row is the lock.
    BranchCounterRow = branch_counter, key (tenant_id, branch_id, name), guard "t.value < r.value" {
        tenant_id: Uuid,
        branch_id: Uuid,
        name: String,
        created_at: DateTime<Utc>,
        value: i64,
    }
}

row! {
    /// A payment provider that a branch accepts.
    BranchProviderRow = branch_provider, key (tenant_id, branch_id, provider) {
        tenant_id: Uuid,
        branch_id: Uuid,
        provider: String,
        created_at: DateTime<Utc>,
        enabled: bool,
        config: Option<Value>,
        #[serde(serialize_with = "optional_bytes_as_hex")]
        sealed_secret: Option<Vec<u8>>,
    }
}
