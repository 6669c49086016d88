//! Columns of cart lines.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use comanda_domain::Timestamp;
use comanda_domain::cart::{CartLine, ChosenModifier, Sharing};
use comanda_domain::ids::TenantId;
use comanda_domain::session::Session;
use comanda_security::hash::sha256;
use uuid::Uuid;

use crate::db::{DbError, bytes_as_hex, row};
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

/// Puts lines together with their options and sharers.
pub(crate) fn assemble(
    lines: Vec<CartLineRow>,
    modifiers: Vec<CartModifierRow>,
    sharers: Vec<CartSharerRow>,
) -> Result<Vec<CartLine>, DbError> {
    let mut modifiers_of: HashMap<Uuid, Vec<ChosenModifier>> = HashMap::new();
    for row in modifiers {
        let chosen = ChosenModifier { option_id: row.option_id.into(), qty: row.qty };
        modifiers_of.entry(row.cart_line_id).or_default().push(chosen);
    }
    let mut sharers_of: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for row in sharers {
        sharers_of.entry(row.cart_line_id).or_default().push(row.diner_id);
    }
    lines
        .into_iter()
        .map(|row| {
            Ok(CartLine {
                id: row.id.into(),
                diner_id: row.diner_id.into(),
                product_id: row.product_id.into(),
                qty: row.qty,
                sharing: named(&row.sharing, Sharing::parse)?,
                sharers: sharers_of.remove(&row.id).unwrap_or_default().into_iter().map(Into::into).collect(),
                modifiers: modifiers_of.remove(&row.id).unwrap_or_default(),
                notes: row.notes,
            })
        })
        .collect()
}
