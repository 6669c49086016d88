use comanda_domain::branch::Branch;
use comanda_domain::round::{Round, RoundItem};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ActorView, MoneyView, TableRef, Texts, money, stamped_by, time};
use crate::people::People;

/// A chosen option of an item.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ModifierView {
    /// The option.
    pub option_id: String,
    /// Its name when it was ordered.
    pub name: String,
    /// How often per unit.
    pub qty: i32,
    /// Price of one.
    pub unit_price: MoneyView,
}

/// One line of a round.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ItemView {
    /// Its id.
    pub id: String,
    /// 1, 2, 3 … within the round.
    pub line_no: i32,
    /// What was ordered.
    pub product_id: String,
    /// Its name when it was ordered.
    pub name: String,
    /// Where it is made.
    pub station: String,
    /// The owner, for `own`.
    pub diner_id: Option<String>,
    /// `own`, `group` or `table`.
    pub sharing: String,
    /// The named guests, for `group`.
    pub shared_with: Vec<String>,
    /// How many were ordered.
    pub qty: i32,
    /// How many were taken back.
    pub voided_qty: i32,
    /// A wish to the kitchen.
    pub notes: String,
    /// Chosen options.
    pub modifiers: Vec<ModifierView>,
    /// Codes of allergens that the owner or a sharer avoids.
    pub allergen_alerts: Vec<String>,
    /// Price of one with its options.
    pub unit_price: MoneyView,
    /// Live quantity times that.
    pub line_total: MoneyView,
}

/// A step of a round.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TimelineView {
    /// Which status was reached.
    pub status: String,
    /// When.
    pub at: String,
    /// By whom.
    pub by: ActorView,
}

/// One order of a session.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RoundView {
    /// Its id.
    pub id: String,
    /// The branch.
    pub branch_id: String,
    /// The visit.
    pub session_id: String,
    /// Where the party sits now.
    pub table: Option<TableRef>,
    /// 1, 2, 3 … within the visit.
    pub number: i32,
    /// `pending`, `confirmed`, `submitted`, `in_kitchen`, `ready`, `served` or `canceled`.
    pub status: String,
    /// `diner` or `waiter`.
    pub source: String,
    /// A wish for the whole round.
    pub notes: String,
    /// The menu that its prices come from.
    pub menu_version: i64,
    /// Rises with each update.
    pub version: i64,
    /// Live quantities times unit prices.
    pub total: MoneyView,
    /// Why it was canceled.
    pub cancel_reason: Option<String>,
    /// Its lines.
    pub items: Vec<ItemView>,
    /// Its steps, in order.
    pub timeline: Vec<TimelineView>,
}

/// A round with its names.
pub fn round(
    round: &Round,
    table: Option<&TableRef>,
    branch: &Branch,
    people: &People,
    texts: &Texts,
) -> RoundView {
    let total = round.items.iter().map(live_total).sum();
    RoundView {
        id: round.id.to_string(),
        branch_id: round.branch_id.to_string(),
        session_id: round.session_id.to_string(),
        table: table.cloned(),
        number: round.number,
        status: round.status.to_string(),
        source: round.source.to_string(),
        notes: round.notes.clone(),
        menu_version: round.menu_version,
        version: round.version,
        total: money(total, branch.currency),
        cancel_reason: round.cancel_reason.clone(),
        items: round
            .items
            .iter()
            .map(|item| item_view(item, branch, texts))
            .collect(),
        timeline: timeline(round, people),
    }
}

/// Both factors were range-checked when the round was placed, so the product fits.
fn live_total(item: &RoundItem) -> i64 {
    item.unit_amount.saturating_mul(i64::from(item.live_qty()))
}

fn item_view(item: &RoundItem, branch: &Branch, texts: &Texts) -> ItemView {
    ItemView {
        id: item.id.to_string(),
        line_no: item.line_no,
        product_id: item.product_id.to_string(),
        name: texts.pick(&item.product_name),
        station: item.station.to_string(),
        diner_id: item.diner_id.map(|id| id.to_string()),
        sharing: item.sharing.to_string(),
        shared_with: item.sharers.iter().map(ToString::to_string).collect(),
        qty: item.qty,
        voided_qty: item.voided_qty,
        notes: item.notes.clone(),
        modifiers: item
            .modifiers
            .iter()
            .map(|modifier| ModifierView {
                option_id: modifier.option_id.to_string(),
                name: texts.pick(&modifier.name),
                qty: modifier.qty,
                unit_price: money(modifier.unit_amount, branch.currency),
            })
            .collect(),
        allergen_alerts: item.allergen_alerts.clone(),
        unit_price: money(item.unit_amount, branch.currency),
        line_total: money(live_total(item), branch.currency),
    }
}

fn timeline(round: &Round, people: &People) -> Vec<TimelineView> {
    use comanda_domain::round::RoundStatus as S;
    let steps = [
        (S::Pending, Some(round.pending)),
        (S::Confirmed, round.confirmed),
        (S::Submitted, round.submitted),
        (S::InKitchen, round.in_kitchen),
        (S::Ready, round.ready),
        (S::Served, round.served),
        (S::Canceled, round.canceled),
    ];
    steps
        .into_iter()
        .filter_map(|(status, stamp)| {
            let stamp = stamp?;
            Some(TimelineView {
                status: status.to_string(),
                at: time(stamp.at),
                by: stamped_by(&stamp, people),
            })
        })
        .collect()
}
