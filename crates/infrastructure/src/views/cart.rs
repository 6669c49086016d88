use comanda_domain::branch::Branch;
use comanda_domain::cart::{self, PricedLine};
use comanda_domain::menu::ChosenOption;
use comanda_domain::session::Session;
use serde::Serialize;
use utoipa::ToSchema;

use super::{MoneyView, Texts, money};

/// A chosen option of a cart line.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CartModifierView {
    /// The choice that it answers.
    pub group_id: String,
    /// The option.
    pub option_id: String,
    /// Its name.
    pub name: String,
    /// How often per unit.
    pub qty: i32,
    /// Price of one, now.
    pub unit_price: MoneyView,
}

/// One line of a cart.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CartLineView {
    /// Its id.
    pub id: String,
    /// Its owner.
    pub diner_id: String,
    /// What is wanted.
    pub product_id: String,
    /// Its name; empty when the branch no longer has it.
    pub name: String,
    /// How many.
    pub qty: i32,
    /// `own`, `group` or `table`.
    pub sharing: String,
    /// The named guests, for `group`.
    pub shared_with: Vec<String>,
    /// A wish to the kitchen.
    pub notes: String,
    /// Whether it can be ordered now.
    pub available: bool,
    /// Codes of allergens that the owner or a sharer avoids.
    pub allergen_alerts: Vec<String>,
    /// Chosen options that the branch still offers.
    pub modifiers: Vec<CartModifierView>,
    /// Price of one with its options, now.
    pub unit_price: MoneyView,
    /// Quantity times that.
    pub line_total: MoneyView,
}

/// What a table is about to order.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CartView {
    /// The visit.
    pub session_id: String,
    /// Rises with each change.
    pub version: i64,
    /// The sum of all lines.
    pub total: MoneyView,
    /// The lines, oldest first.
    pub lines: Vec<CartLineView>,
}

/// A cart with present prices.
pub fn cart(cart: &cart::CartView<'_>, session: &Session, branch: &Branch, texts: &Texts) -> CartView {
    CartView {
        session_id: session.id.to_string(),
        version: cart.version,
        total: money(cart.total_amount, branch.currency),
        lines: cart
            .lines
            .iter()
            .map(|line| line_view(line, branch, texts))
            .collect(),
    }
}

fn line_view(priced: &PricedLine<'_>, branch: &Branch, texts: &Texts) -> CartLineView {
    let line = priced.line;
    CartLineView {
        id: line.id.to_string(),
        diner_id: line.diner_id.to_string(),
        product_id: line.product_id.to_string(),
        name: priced
            .product
            .map(|product| texts.pick(&product.name))
            .unwrap_or_default(),
        qty: line.qty,
        sharing: line.sharing.to_string(),
        shared_with: line.sharers.iter().map(ToString::to_string).collect(),
        notes: line.notes.clone(),
        available: priced.available(),
        allergen_alerts: priced.allergen_alerts.clone(),
        modifiers: priced
            .chosen
            .iter()
            .map(|chosen| modifier_view(chosen, branch, texts))
            .collect(),
        unit_price: money(priced.unit_amount, branch.currency),
        line_total: money(priced.line_amount, branch.currency),
    }
}

fn modifier_view(chosen: &ChosenOption<'_>, branch: &Branch, texts: &Texts) -> CartModifierView {
    CartModifierView {
        group_id: chosen.group.id.to_string(),
        option_id: chosen.option.id.to_string(),
        name: texts.pick(&chosen.option.name),
        qty: chosen.qty,
        unit_price: money(chosen.option.price_amount, branch.currency),
    }
}
