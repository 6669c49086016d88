//! What a round is.

use crate::actor::Stamp;
use crate::cart::Sharing;
use crate::enums::text_enum;
use crate::ids::{
    BranchId, CartLineId, DinerId, ItemVoidId, ModifierOptionId, ProductId, RoundId, RoundItemId, SessionId,
};
use crate::menu::Station;
use crate::money::{self, MoneyError};
use crate::round::RoundStatus;
use crate::text::I18n;

text_enum! {
    /// Who placed it.
    RoundSource {
        /// A guest, from the cart.
        Diner = "diner",
        /// A waiter, for the table.
        Waiter = "waiter",
    }
}

/// One order of a session, with its lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Round {
    /// The round.
    pub id: RoundId,
    /// The branch.
    pub branch_id: BranchId,
    /// The session.
    pub session_id: SessionId,
    /// 1, 2, 3 … within the session.
    pub number: i32,
    /// Where it stands.
    pub status: RoundStatus,
    /// Who placed it.
    pub source: RoundSource,
    /// A wish for the whole round, may be empty.
    pub notes: String,
    /// The menu that its prices come from.
    pub menu_version: i64,
    /// Why it was canceled.
    pub cancel_reason: Option<String>,
    /// Placed.
    pub pending: Stamp,
    /// Verified by a waiter.
    pub confirmed: Option<Stamp>,
    /// Handed to the kitchen.
    pub submitted: Option<Stamp>,
    /// Cooking began.
    pub in_kitchen: Option<Stamp>,
    /// Everything ready.
    pub ready: Option<Stamp>,
    /// At the table.
    pub served: Option<Stamp>,
    /// Canceled.
    pub canceled: Option<Stamp>,
    /// Rises by one with each update.
    pub version: i64,
    /// Its lines, in order of `line_no`.
    pub items: Vec<RoundItem>,
}

impl Round {
    /// Whether anything of it is left.
    pub fn is_live(&self) -> bool {
        self.items.iter().any(RoundItem::is_live)
    }

    /// What is left of it costs this much, in minor units.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn live_total(&self) -> Result<i64, MoneyError> {
        self.items
            .iter()
            .try_fold(0, |total, item| money::add(total, item.live_amount()?))
    }
}

/// One line of a round; name, price, modifiers and station are frozen at placing time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoundItem {
    /// The item.
    pub id: RoundItemId,
    /// 1, 2, 3 … within the round.
    pub line_no: i32,
    /// What was ordered.
    pub product_id: ProductId,
    /// Its name then.
    pub product_name: I18n,
    /// Where it is made.
    pub station: Station,
    /// The owner, exactly for [`Sharing::Own`].
    pub diner_id: Option<DinerId>,
    /// Who it belongs to.
    pub sharing: Sharing,
    /// The named diners, exactly for [`Sharing::Group`].
    pub sharers: Vec<DinerId>,
    /// How many were ordered.
    pub qty: i32,
    /// How many were taken back.
    pub voided_qty: i32,
    /// Branch price of one, in minor units.
    pub base_amount: i64,
    /// Options of one, in minor units.
    pub modifiers_amount: i64,
    /// Base plus modifiers.
    pub unit_amount: i64,
    /// A wish to the kitchen, may be empty.
    pub notes: String,
    /// Codes of allergens that the owner or a sharer avoids and the item has or may have.
    pub allergen_alerts: Vec<String>,
    /// The consumed cart line.
    pub cart_line_id: Option<CartLineId>,
    /// Chosen options.
    pub modifiers: Vec<ItemModifier>,
}

impl RoundItem {
    /// What is still to be cooked, eaten and paid.
    pub fn live_qty(&self) -> i32 {
        self.qty - self.voided_qty
    }

    /// Whether anything of it is left.
    pub fn is_live(&self) -> bool {
        self.live_qty() > 0
    }

    /// What the live quantity costs, in minor units.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn live_amount(&self) -> Result<i64, MoneyError> {
        money::times(self.unit_amount, self.live_qty())
    }
}

/// A chosen option, frozen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ItemModifier {
    /// The option.
    pub option_id: ModifierOptionId,
    /// Its name then.
    pub name: I18n,
    /// How often per unit.
    pub qty: i32,
    /// Price of one, in minor units.
    pub unit_amount: i64,
}

/// What was taken back of an item, and why. Append-only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ItemVoid {
    /// The void.
    pub id: ItemVoidId,
    /// Of which item.
    pub round_item_id: RoundItemId,
    /// How many.
    pub qty: i32,
    /// Why.
    pub reason: String,
    /// When and by whom.
    pub made: Stamp,
}
