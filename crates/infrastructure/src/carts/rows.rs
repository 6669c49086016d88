//! Columns of cart lines.

use chrono::{DateTime, Utc};
use comanda_domain::Timestamp;
use comanda_domain::cart::{CartChanged, CartLine, ChosenModifier, Sharing};
use comanda_domain::ids::TenantId;
use comanda_domain::session::Session;
use comanda_security::hash::sha256;
use uuid::Uuid;

use crate::db::{DbError, Recorder, bytes_as_hex, row};
use crate::stored::named;

row! {
    /// A line.
    CartLineRow = cart_line, key (tenant_id, id) {
        tenant_id: Uuid,
        id: Uuid,
        created_at: DateTime<Utc>,
        branch_id: Uuid,
        session_id: Uuid,
        diner_id: Uuid,
        product_id: Uuid,
        qty: i32,
        sharing: String,
        notes: String,
        #[serde(serialize_with = "bytes_as_hex")]
        config_hash: Vec<u8>,
    }
}

row! {
    /// A chosen option of a line.
    CartModifierRow = cart_line_modifier, key (tenant_id, cart_line_id, option_id) {
        tenant_id: Uuid,
        cart_line_id: Uuid,
        option_id: Uuid,
        created_at: DateTime<Utc>,
        qty: i32,
    }
}

row! {
    /// A guest who shares a line.
    CartSharerRow = cart_line_sharer, key (tenant_id, cart_line_id, diner_id) {
        tenant_id: Uuid,
        cart_line_id: Uuid,
        session_id: Uuid,
        diner_id: Uuid,
        created_at: DateTime<Utc>,
    }
}

/// What a line is made of, in rows.
pub(crate) struct LineRows {
    pub(crate) line: CartLineRow,
    pub(crate) modifiers: Vec<CartModifierRow>,
    pub(crate) sharers: Vec<CartSharerRow>,
}

impl LineRows {
    pub(crate) fn of(tenant: TenantId, session: &Session, line: &CartLine, now: Timestamp) -> Self {
        let common = (tenant.0, line.id.0);
        Self {
            line: CartLineRow {
                tenant_id: common.0,
                id: common.1,
                created_at: now,
                branch_id: session.branch_id.0,
                session_id: session.id.0,
                diner_id: line.diner_id.0,
                product_id: line.product_id.0,
                qty: line.qty,
                sharing: line.sharing.to_string(),
                notes: line.notes.clone(),
                config_hash: config_hash(line),
            },
            modifiers: line
                .modifiers
                .iter()
                .map(|modifier| CartModifierRow {
                    tenant_id: common.0,
                    cart_line_id: common.1,
                    option_id: modifier.option_id.0,
                    created_at: now,
                    qty: modifier.qty,
                })
                .collect(),
            sharers: line
                .sharers
                .iter()
                .map(|diner| CartSharerRow {
                    tenant_id: common.0,
                    cart_line_id: common.1,
                    session_id: session.id.0,
                    diner_id: diner.0,
                    created_at: now,
                })
                .collect(),
        }
    }
}

/// Equal for lines that differ in nothing but quantity: modifiers, sharing with its guests, notes.
fn config_hash(line: &CartLine) -> Vec<u8> {
    let mut parts: Vec<Vec<u8>> = vec![line.sharing.as_str().into(), line.notes.clone().into_bytes()];
    for modifier in &line.modifiers {
        parts.push(modifier.option_id.0.as_bytes().to_vec());
        parts.push(modifier.qty.to_be_bytes().to_vec());
    }
    parts.extend(line.sharers.iter().map(|diner| diner.0.as_bytes().to_vec()));
    // Lengths first, so that no two lists of parts look alike.
    let framed: Vec<u8> = parts
        .into_iter()
        .flat_map(|part| {
            let length = u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes();
            length.into_iter().chain(part)
        })
        .collect();
    sha256(&[&framed]).to_vec()
}

impl CartLineRow {
    pub(crate) fn into_domain(
        self,
        modifiers: Vec<ChosenModifier>,
        sharers: Vec<Uuid>,
    ) -> Result<CartLine, DbError> {
        Ok(CartLine {
            id: self.id.into(),
            diner_id: self.diner_id.into(),
            product_id: self.product_id.into(),
            qty: self.qty,
            sharing: named(&self.sharing, Sharing::parse)?,
            sharers: sharers.into_iter().map(Into::into).collect(),
            modifiers,
            notes: self.notes,
        })
    }
}

/// Records lines that leave the cart; their options and sharers go with them.
pub(crate) fn delete_lines(
    rows: &mut Recorder,
    tenant: TenantId,
    session: &Session,
    lines: &[&CartLine],
    now: Timestamp,
) {
    for line in lines {
        rows.delete(&LineRows::of(tenant, session, line, now).line);
    }
}

/// Records a change of the cart whose lines were `before`.
pub(crate) fn record_change(
    rows: &mut Recorder,
    tenant: TenantId,
    before: &[CartLine],
    changed: &CartChanged,
    now: Timestamp,
) {
    let session = &changed.session;
    let gone: Vec<&CartLine> = before
        .iter()
        .filter(|line| changed.removed.contains(&line.id))
        .collect();
    delete_lines(rows, tenant, session, &gone, now);
    for line in &changed.added {
        let new = LineRows::of(tenant, session, line, now);
        rows.insert(&new.line);
        rows.insert_all(&new.modifiers);
        rows.insert_all(&new.sharers);
    }
    for line in &changed.updated {
        if let Some(old) = before.iter().find(|old| old.id == line.id) {
            let [old, new] = [old, line].map(|line| LineRows::of(tenant, session, line, now));
            update_line(rows, &old, &new);
        }
    }
}

fn update_line(rows: &mut Recorder, old: &LineRows, new: &LineRows) {
    rows.update(&new.line);
    for row in &new.modifiers {
        match old.modifiers.iter().find(|old| old.option_id == row.option_id) {
            None => rows.insert(row),
            Some(old) if old.qty != row.qty => rows.update(row),
            Some(_) => {}
        }
    }
    let kept = |row: &&CartModifierRow| new.modifiers.iter().any(|new| new.option_id == row.option_id);
    rows.delete_all(old.modifiers.iter().filter(|row| !kept(row)));
    let holds = |rows: &[CartSharerRow], diner: Uuid| rows.iter().any(|row| row.diner_id == diner);
    rows.insert_all(
        new.sharers
            .iter()
            .filter(|row| !holds(&old.sharers, row.diner_id)),
    );
    rows.delete_all(
        old.sharers
            .iter()
            .filter(|row| !holds(&new.sharers, row.diner_id)),
    );
}
