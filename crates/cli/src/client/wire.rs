//! The answers as far as they are read here (`api.md` 3). Members that are not named are ignored.

use comanda_domain::money::Money;
use serde::Deserialize;

/// An RFC 9457 problem.
#[derive(Debug, Clone, Deserialize)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// Stable name.
    pub code: String,
    /// What it means.
    pub title: String,
    /// This time.
    #[serde(default)]
    pub detail: Option<String>,
    /// Value by value.
    #[serde(default)]
    pub errors: Vec<FieldProblem>,
    /// Roles that would have been allowed.
    #[serde(default)]
    pub required_roles: Vec<String>,
}

impl Problem {
    /// The most telling text.
    pub fn text(&self) -> &str {
        self.detail
            .as_deref()
            .filter(|text| !text.is_empty())
            .unwrap_or(&self.title)
    }
}

/// What is wrong with one value.
#[derive(Debug, Clone, Deserialize)]
pub struct FieldProblem {
    /// Where.
    pub pointer: String,
    /// What.
    pub code: String,
}

/// A page of a list.
#[derive(Debug, Clone, Deserialize)]
pub struct Page<T> {
    /// Its entries.
    pub data: Vec<T>,
}

/// A staff login.
#[derive(Debug, Clone, Deserialize)]
pub struct Login {
    /// Opens the staff's addresses.
    pub access_token: String,
}

/// A branch.
#[derive(Debug, Clone, Deserialize)]
pub struct Branch {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its part of addresses.
    pub slug: String,
}

/// A table as managers see it.
#[derive(Debug, Clone, Deserialize)]
pub struct Table {
    /// Its id.
    pub id: String,
    /// Its code.
    pub code: String,
    /// `free`, `open`, `paying` or `out_of_service`.
    pub status: String,
}

/// What the printed sticker holds.
#[derive(Debug, Clone, Deserialize)]
pub struct QrCode {
    /// The secret part.
    pub code: String,
}

/// A visit.
#[derive(Debug, Clone, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub status: String,
    /// Rises when its phones are revoked.
    pub seating: i64,
}

/// Answer to a scanned code.
#[derive(Debug, Clone, Deserialize)]
pub struct Opened {
    /// The visit.
    pub session: Session,
    /// Lets a phone register.
    pub table_token: String,
}

/// A guest.
#[derive(Debug, Clone, Deserialize)]
pub struct Diner {
    /// Their id.
    pub id: String,
    /// Their name.
    pub name: String,
}

/// Answer to registering.
#[derive(Debug, Clone, Deserialize)]
pub struct Registered {
    /// The guest.
    pub diner: Diner,
    /// Opens the guests' addresses.
    pub diner_token: String,
}

/// A menu.
#[derive(Debug, Clone, Deserialize)]
pub struct Menu {
    /// Its categories.
    pub categories: Vec<Category>,
}

/// A category.
#[derive(Debug, Clone, Deserialize)]
pub struct Category {
    /// Its dishes.
    pub products: Vec<Product>,
}

/// A dish.
#[derive(Debug, Clone, Deserialize)]
pub struct Product {
    /// Its id.
    pub id: String,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Without options.
    pub price: Money,
    /// Its choices.
    pub modifier_groups: Vec<ModifierGroup>,
}

/// A choice.
#[derive(Debug, Clone, Deserialize)]
pub struct ModifierGroup {
    /// Its answers.
    pub options: Vec<ModifierOption>,
}

/// An answer to a choice.
#[derive(Debug, Clone, Deserialize)]
pub struct ModifierOption {
    /// Its id.
    pub id: String,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Of one.
    pub price: Money,
}

impl Menu {
    /// The dish with the given code.
    pub fn product(&self, code: &str) -> Option<&Product> {
        self.categories
            .iter()
            .flat_map(|category| &category.products)
            .find(|product| product.code == code)
    }
}

impl Product {
    /// The option with the given code.
    pub fn option(&self, code: &str) -> Option<&ModifierOption> {
        self.modifier_groups
            .iter()
            .flat_map(|group| &group.options)
            .find(|option| option.code == code)
    }
}

/// A cart.
#[derive(Debug, Clone, Deserialize)]
pub struct Cart {
    /// Rises with each change.
    pub version: i64,
    /// Of all lines.
    pub total: Money,
    /// Its lines.
    pub lines: Vec<CartLine>,
}

/// A line of a cart.
#[derive(Debug, Clone, Deserialize)]
pub struct CartLine {
    /// Quantity times unit price.
    pub line_total: Money,
}

/// A round.
#[derive(Debug, Clone, Deserialize)]
pub struct Round {
    /// Its id.
    pub id: String,
    /// Within the visit.
    pub number: i64,
    /// Where it stands.
    pub status: String,
    /// Of what is live.
    pub total: Money,
    /// Its lines.
    pub items: Vec<RoundItem>,
}

/// A line of a round.
#[derive(Debug, Clone, Deserialize)]
pub struct RoundItem {
    /// Its id.
    pub id: String,
}

/// The work of a station for a round.
#[derive(Debug, Clone, Deserialize)]
pub struct Ticket {
    /// Its id.
    pub id: String,
    /// The round.
    pub round_id: String,
    /// The station.
    pub station: String,
    /// Where it stands.
    pub status: String,
    /// Its lines.
    pub items: Vec<TicketItem>,
}

/// A line of a ticket.
#[derive(Debug, Clone, Deserialize)]
pub struct TicketItem {
    /// Its id.
    pub id: String,
}

/// A bill.
#[derive(Debug, Clone, Deserialize)]
pub struct Check {
    /// Its id.
    pub id: String,
    /// Within the branch, without gaps.
    pub number: i64,
    /// Where it stands.
    pub status: String,
    /// Everything that was eaten.
    pub total: Money,
    /// Covered.
    pub paid: Money,
    /// Not covered yet.
    pub due: Money,
    /// Money that covers nothing.
    pub surplus: Money,
    /// For the staff.
    pub tips: Money,
    /// Its lines.
    pub charges: Vec<Charge>,
    /// Who pays what.
    pub split: Option<Split>,
}

/// A line of a bill.
#[derive(Debug, Clone, Deserialize)]
pub struct Charge {
    /// Its id.
    pub id: String,
    /// Whose; null when shared.
    pub diner_id: Option<String>,
    /// What it costs.
    pub amount: Money,
}

/// A plan of who pays what.
#[derive(Debug, Clone, Deserialize)]
pub struct Split {
    /// One part per guest.
    pub shares: Vec<Share>,
}

/// A guest's part.
#[derive(Debug, Clone, Deserialize)]
pub struct Share {
    /// Whose.
    pub diner_id: String,
    /// As planned.
    pub amount: Money,
    /// Still open.
    pub outstanding: Money,
}

/// Money received.
#[derive(Debug, Clone, Deserialize)]
pub struct Payment {
    /// Where it stands.
    pub status: String,
    /// For the bill.
    pub amount: Money,
    /// For the staff.
    pub tip: Money,
    /// Cash handed back.
    pub change: Option<Money>,
    /// What it covers.
    pub allocations: Vec<Allocation>,
    /// Covering nothing.
    pub unallocated: Money,
}

/// What a payment covers of a charge.
#[derive(Debug, Clone, Deserialize)]
pub struct Allocation {
    /// The charge.
    pub charge_id: String,
    /// How much of it.
    pub amount: Money,
}

/// A bill as it is printed.
#[derive(Debug, Clone, Deserialize)]
pub struct Receipt {
    /// `receipt` or `pre_bill`.
    pub kind: String,
    /// The check's number.
    pub number: i64,
    /// Of all lines.
    pub total: Money,
    /// Not paid.
    pub due: Money,
    /// Where guests find it later.
    #[serde(default)]
    pub public_url: Option<String>,
}
