//! Columns of rounds.

use chrono::{DateTime, Utc};
use comanda_domain::Timestamp;
use comanda_domain::cart::Sharing;
use comanda_domain::ids::TenantId;
use comanda_domain::menu::Station;
use comanda_domain::round::{ItemModifier, ItemVoid, Round, RoundItem, RoundSource, RoundStatus};
use serde_json::Value;
use uuid::Uuid;

use crate::db::{DbError, Recorder, row};
use crate::stored::{columns, i18n, json, named, optional_stamp, stamp};

row! {
    /// A round.
    RoundRow = round, key (tenant_id, id), guard "t.version < r.version" {
        tenant_id: Uuid,
        id: Uuid,
        created_at: DateTime<Utc>,
        branch_id: Uuid,
        session_id: Uuid,
        number: i32,
        status: String,
        source: String,
        notes: String,
        menu_version: i64,
        cancel_reason: Option<String>,
        pending_at: DateTime<Utc>,
        pending_by_kind: String,
        pending_by_id: Option<Uuid>,
        confirmed_at: Option<DateTime<Utc>>,
        confirmed_by_kind: Option<String>,
        confirmed_by_id: Option<Uuid>,
        submitted_at: Option<DateTime<Utc>>,
        submitted_by_kind: Option<String>,
        submitted_by_id: Option<Uuid>,
        in_kitchen_at: Option<DateTime<Utc>>,
        in_kitchen_by_kind: Option<String>,
        in_kitchen_by_id: Option<Uuid>,
        ready_at: Option<DateTime<Utc>>,
        ready_by_kind: Option<String>,
        ready_by_id: Option<Uuid>,
        served_at: Option<DateTime<Utc>>,
        served_by_kind: Option<String>,
        served_by_id: Option<Uuid>,
        canceled_at: Option<DateTime<Utc>>,
        canceled_by_kind: Option<String>,
        canceled_by_id: Option<Uuid>,
        version: i64,
    }
}

impl RoundRow {
    pub(crate) fn of(tenant: TenantId, round: &Round) -> Self {
        let (confirmed_at, confirmed_by_kind, confirmed_by_id) = columns(round.confirmed.as_ref());
        let (submitted_at, submitted_by_kind, submitted_by_id) = columns(round.submitted.as_ref());
        let (in_kitchen_at, in_kitchen_by_kind, in_kitchen_by_id) = columns(round.in_kitchen.as_ref());
        let (ready_at, ready_by_kind, ready_by_id) = columns(round.ready.as_ref());
        let (served_at, served_by_kind, served_by_id) = columns(round.served.as_ref());
        let (canceled_at, canceled_by_kind, canceled_by_id) = columns(round.canceled.as_ref());
        Self {
            tenant_id: tenant.0,
            id: round.id.0,
            created_at: round.pending.at,
            branch_id: round.branch_id.0,
            session_id: round.session_id.0,
            number: round.number,
            status: round.status.to_string(),
            source: round.source.to_string(),
            notes: round.notes.clone(),
            menu_version: round.menu_version,
            cancel_reason: round.cancel_reason.clone(),
            pending_at: round.pending.at,
            pending_by_kind: round.pending.kind.to_string(),
            pending_by_id: round.pending.id,
            confirmed_at,
            confirmed_by_kind,
            confirmed_by_id,
            submitted_at,
            submitted_by_kind,
            submitted_by_id,
            in_kitchen_at,
            in_kitchen_by_kind,
            in_kitchen_by_id,
            ready_at,
            ready_by_kind,
            ready_by_id,
            served_at,
            served_by_kind,
            served_by_id,
            canceled_at,
            canceled_by_kind,
            canceled_by_id,
            version: round.version,
        }
    }

    /// The round, with the given lines.
    pub(crate) fn into_domain(self, items: Vec<RoundItem>) -> Result<Round, DbError> {
        Ok(Round {
            id: self.id.into(),
            branch_id: self.branch_id.into(),
            session_id: self.session_id.into(),
            number: self.number,
            status: named(&self.status, RoundStatus::parse)?,
            source: named(&self.source, RoundSource::parse)?,
            notes: self.notes,
            menu_version: self.menu_version,
            cancel_reason: self.cancel_reason,
            pending: stamp(self.pending_at, &self.pending_by_kind, self.pending_by_id)?,
            confirmed: optional_stamp(
                self.confirmed_at,
                self.confirmed_by_kind.as_deref(),
                self.confirmed_by_id,
            )?,
            submitted: optional_stamp(
                self.submitted_at,
                self.submitted_by_kind.as_deref(),
                self.submitted_by_id,
            )?,
            in_kitchen: optional_stamp(
                self.in_kitchen_at,
                self.in_kitchen_by_kind.as_deref(),
                self.in_kitchen_by_id,
            )?,
            ready: optional_stamp(self.ready_at, self.ready_by_kind.as_deref(), self.ready_by_id)?,
            served: optional_stamp(self.served_at, self.served_by_kind.as_deref(), self.served_by_id)?,
            canceled: optional_stamp(
                self.canceled_at,
                self.canceled_by_kind.as_deref(),
                self.canceled_by_id,
            )?,
            version: self.version,
            items,
        })
    }
}

row! {
    /// A line of a round.
    RoundItemRow = round_item, key (tenant_id, id) {
        tenant_id: Uuid,
        id: Uuid,
        created_at: DateTime<Utc>,
        branch_id: Uuid,
        round_id: Uuid,
        session_id: Uuid,
        line_no: i32,
        product_id: Uuid,
        product_name: Value,
        station: String,
        diner_id: Option<Uuid>,
        sharing: String,
        qty: i32,
        voided_qty: i32,
        base_amount: i64,
        modifiers_amount: i64,
        unit_amount: i64,
        currency: String,
        notes: String,
        allergen_alerts: Vec<String>,
        cart_line_id: Option<Uuid>,
    }
}

row! {
    /// A chosen option of a line, frozen.
    ItemModifierRow = round_item_modifier, key (tenant_id, round_item_id, option_id) {
        tenant_id: Uuid,
        round_item_id: Uuid,
        option_id: Uuid,
        created_at: DateTime<Utc>,
        name: Value,
        qty: i32,
        unit_amount: i64,
    }
}

row! {
    /// A guest who shares a line.
    ItemSharerRow = round_item_sharer, key (tenant_id, round_item_id, diner_id) {
        tenant_id: Uuid,
        round_item_id: Uuid,
        session_id: Uuid,
        diner_id: Uuid,
        created_at: DateTime<Utc>,
    }
}

row! {
    /// What was taken back.
    ItemVoidRow = item_void, key (tenant_id, id) {
        tenant_id: Uuid,
        id: Uuid,
        created_at: DateTime<Utc>,
        branch_id: Uuid,
        round_item_id: Uuid,
        qty: i32,
        reason: String,
        made_at: DateTime<Utc>,
        made_by_kind: String,
        made_by_id: Option<Uuid>,
    }
}

impl RoundItemRow {
    pub(crate) fn of(tenant: TenantId, round: &Round, currency: &str, item: &RoundItem) -> Self {
        Self {
            tenant_id: tenant.0,
            id: item.id.0,
            created_at: round.pending.at,
            branch_id: round.branch_id.0,
            round_id: round.id.0,
            session_id: round.session_id.0,
            line_no: item.line_no,
            product_id: item.product_id.0,
            product_name: json(&item.product_name),
            station: item.station.to_string(),
            diner_id: item.diner_id.map(Uuid::from),
            sharing: item.sharing.to_string(),
            qty: item.qty,
            voided_qty: item.voided_qty,
            base_amount: item.base_amount,
            modifiers_amount: item.modifiers_amount,
            unit_amount: item.unit_amount,
            currency: currency.to_owned(),
            notes: item.notes.clone(),
            allergen_alerts: item.allergen_alerts.clone(),
            cart_line_id: item.cart_line_id.map(Uuid::from),
        }
    }

    pub(crate) fn into_domain(
        self,
        modifiers: Vec<ItemModifier>,
        sharers: Vec<Uuid>,
    ) -> Result<RoundItem, DbError> {
        Ok(RoundItem {
            id: self.id.into(),
            line_no: self.line_no,
            product_id: self.product_id.into(),
            product_name: i18n(self.product_name)?,
            station: named(&self.station, Station::parse)?,
            diner_id: self.diner_id.map(Into::into),
            sharing: named(&self.sharing, Sharing::parse)?,
            sharers: sharers.into_iter().map(Into::into).collect(),
            qty: self.qty,
            voided_qty: self.voided_qty,
            base_amount: self.base_amount,
            modifiers_amount: self.modifiers_amount,
            unit_amount: self.unit_amount,
            notes: self.notes,
            allergen_alerts: self.allergen_alerts,
            cart_line_id: self.cart_line_id.map(Into::into),
            modifiers,
        })
    }
}

impl ItemModifierRow {
    pub(crate) fn into_domain(self) -> Result<ItemModifier, DbError> {
        Ok(ItemModifier {
            option_id: self.option_id.into(),
            name: i18n(self.name)?,
            qty: self.qty,
            unit_amount: self.unit_amount,
        })
    }
}

/// Records a new round with everything in it.
pub(crate) fn insert_round(rows: &mut Recorder, tenant: TenantId, round: &Round, currency: &str) {
    rows.insert(&RoundRow::of(tenant, round));
    for item in &round.items {
        rows.insert(&RoundItemRow::of(tenant, round, currency, item));
        for modifier in &item.modifiers {
            rows.insert(&ItemModifierRow {
                tenant_id: tenant.0,
                round_item_id: item.id.0,
                option_id: modifier.option_id.0,
                created_at: round.pending.at,
                name: json(&modifier.name),
                qty: modifier.qty,
                unit_amount: modifier.unit_amount,
            });
        }
        for diner in &item.sharers {
            rows.insert(&ItemSharerRow {
                tenant_id: tenant.0,
                round_item_id: item.id.0,
                session_id: round.session_id.0,
                diner_id: diner.0,
                created_at: round.pending.at,
            });
        }
    }
}

/// Records what was taken back: the voids and the items they touch.
pub(crate) fn record_voids(
    rows: &mut Recorder,
    tenant: TenantId,
    round: &Round,
    currency: &str,
    voids: &[ItemVoid],
) {
    for void in voids {
        rows.insert(&void_row(tenant, round, void, void.made.at));
        if let Some(item) = round.items.iter().find(|item| item.id == void.round_item_id) {
            rows.update(&RoundItemRow::of(tenant, round, currency, item));
        }
    }
}

fn void_row(tenant: TenantId, round: &Round, void: &ItemVoid, now: Timestamp) -> ItemVoidRow {
    ItemVoidRow {
        tenant_id: tenant.0,
        id: void.id.0,
        created_at: now,
        branch_id: round.branch_id.0,
        round_item_id: void.round_item_id.0,
        qty: void.qty,
        reason: void.reason.clone(),
        made_at: void.made.at,
        made_by_kind: void.made.kind.to_string(),
        made_by_id: void.made.id,
    }
}
