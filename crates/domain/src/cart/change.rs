//! Adding, changing and removing lines of the shared cart.
//!
//! A cart change is a signal (`cart.changed`), not a durable event, and leaves no audit entry: what counts is
//! what is placed.

use crate::Timestamp;
use crate::actor::{Actor, Forbidden};
use crate::cart::{CartLine, ChosenModifier, Sharing, SharingError, may_change, sharers_for};
use crate::diner::Diner;
use crate::enums::text_enum;
use crate::ids::{CartLineId, DinerId, IdSource, ProductId};
use crate::menu::{
    BranchMenu, ChoiceProblem, LineProblem, LineRefused, OrderableLine, merged_modifiers, orderable,
};
use crate::session::{Session, SessionNotOpen, require_open};

/// At most this many lines in a cart (`domain.md` 9).
pub const MAX_CART_LINES: usize = 200;
/// At most this many of one thing on a line.
pub const MAX_QTY: i32 = 99;
/// At most this many characters of notes.
pub const MAX_NOTES: usize = 200;

/// What is known of a session's cart.
#[derive(Clone, Copy, Debug)]
pub struct CartFacts<'a> {
    /// The session, locked.
    pub session: &'a Session,
    /// Its diners.
    pub diners: &'a [Diner],
    /// All lines of the cart, in order of id.
    pub lines: &'a [CartLine],
    /// The branch's menu, or the products concerned.
    pub menu: &'a BranchMenu,
}

/// What a diner does with the cart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CartCommand {
    /// Wants something more.
    Add(AddLine),
    /// Wants it differently.
    Change(ChangeLine),
    /// Does not want this line.
    Remove(CartLineId),
    /// Wants none of the own lines.
    Clear,
}

/// A new line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddLine {
    /// What.
    pub product_id: ProductId,
    /// How often, 1..99.
    pub qty: i32,
    /// Chosen options.
    pub modifiers: Vec<ChosenModifier>,
    /// Who it belongs to; `own`, or `group` when sharers are named, if not said.
    pub sharing: Option<Sharing>,
    /// The diners of a group.
    pub shared_with: Vec<DinerId>,
    /// A wish to the kitchen.
    pub notes: String,
}

/// A changed line. What is absent stays.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChangeLine {
    /// Which line.
    pub line_id: CartLineId,
    /// How often, 1..99.
    pub qty: Option<i32>,
    /// All chosen options.
    pub modifiers: Option<Vec<ChosenModifier>>,
    /// Who it belongs to; `group` when only sharers are named.
    pub sharing: Option<Sharing>,
    /// The diners of a group.
    pub shared_with: Option<Vec<DinerId>>,
    /// A wish to the kitchen.
    pub notes: Option<String>,
}

text_enum! {
    /// What `cart.changed` says.
    CartChange {
        /// Something was added.
        Added = "added",
        /// A line changed.
        Updated = "updated",
        /// A line was removed.
        Removed = "removed",
        /// A diner removed all own lines.
        Cleared = "cleared",
        /// Lines were placed.
        Consumed = "consumed",
    }
}

/// The cart after a change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CartChanged {
    /// The session, with the cart's new version.
    pub session: Session,
    /// What to announce.
    pub change: CartChange,
    /// Lines that were not there before.
    pub added: Vec<CartLine>,
    /// Lines that are different now.
    pub updated: Vec<CartLine>,
    /// Lines that are gone.
    pub removed: Vec<CartLineId>,
    /// All lines after the change, in order of id.
    pub lines: Vec<CartLine>,
}

/// Why the cart stays as it is.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CartError {
    /// Only a guest of the session has this cart.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// No such line.
    #[error("no such line")]
    NotFound,
    /// Ordering is closed.
    #[error(transparent)]
    SessionNotOpen(#[from] SessionNotOpen),
    /// The line is another guest's.
    #[error("another guest's line")]
    NotLineOwner,
    /// A value out of its limits (`validation_failed`).
    #[error("{field}: {code}")]
    Invalid {
        /// The field of the command.
        field: &'static str,
        /// What is wrong with it, as in `errors`.
        code: &'static str,
    },
    /// A named sharer is not at this table.
    #[error("the diner is not in the session")]
    DinerNotInSession(DinerId),
    /// It cannot be had now.
    #[error("cannot be ordered now")]
    ItemsUnavailable(Vec<LineProblem>),
    /// The choices do not fit.
    #[error("choices not accepted")]
    ModifiersInvalid(Vec<ChoiceProblem>),
    /// One unit costs more than can be.
    #[error("amount out of range")]
    AmountOverflow,
    /// No room for another line.
    #[error("the cart is full")]
    CartFull,
}

impl From<LineRefused> for CartError {
    fn from(refused: LineRefused) -> Self {
        match refused {
            LineRefused::Unavailable(problems) => Self::ItemsUnavailable(problems),
            LineRefused::Choices(problems) => Self::ModifiersInvalid(problems),
            LineRefused::AmountOverflow => Self::AmountOverflow,
        }
    }
}

impl From<SharingError> for CartError {
    fn from(error: SharingError) -> Self {
        let invalid = |code| Self::Invalid {
            field: "shared_with",
            code,
        };
        match error {
            SharingError::TooFewSharers => invalid("too_short"),
            SharingError::SharersNotAllowed => invalid("not_allowed"),
            SharingError::DinerNotInSession(id) => Self::DinerNotInSession(id),
        }
    }
}

/// Changes the cart, and raises its version by one.
///
/// # Errors
/// [`CartError`].
pub fn change_cart(
    facts: CartFacts<'_>,
    command: CartCommand,
    actor: &Actor,
    now: Timestamp,
    ids: &mut impl IdSource,
) -> Result<CartChanged, CartError> {
    let diner_id = own_diner(facts, actor)?;
    let delta = match command {
        CartCommand::Add(add) => facts.add(add, diner_id, now, ids),
        CartCommand::Change(change) => facts.change(change, diner_id, now),
        CartCommand::Remove(line_id) => facts.remove(line_id, diner_id),
        CartCommand::Clear => facts.clear(diner_id),
    }?;
    let mut lines = facts.lines.to_vec();
    lines.retain(|line| !delta.removed.contains(&line.id));
    lines.retain(|line| delta.updated.iter().all(|updated| updated.id != line.id));
    lines.extend(delta.added.iter().chain(&delta.updated).cloned());
    lines.sort_by_key(|line| line.id);
    Ok(CartChanged {
        session: facts.session.with_cart_changed(now),
        change: delta.change,
        added: delta.added,
        updated: delta.updated,
        removed: delta.removed,
        lines,
    })
}

fn own_diner(facts: CartFacts<'_>, actor: &Actor) -> Result<DinerId, Forbidden> {
    let nobody = || Forbidden {
        required_roles: Vec::new(),
    };
    let diner_id = actor.diner_id().ok_or_else(nobody)?;
    let known = facts.diners.iter().any(|diner| diner.id == diner_id);
    known.then_some(diner_id).ok_or_else(nobody)
}

struct Delta {
    change: CartChange,
    added: Vec<CartLine>,
    updated: Vec<CartLine>,
    removed: Vec<CartLineId>,
}

impl Delta {
    fn new(change: CartChange) -> Self {
        Self {
            change,
            added: Vec::new(),
            updated: Vec::new(),
            removed: Vec::new(),
        }
    }
}

impl<'a> CartFacts<'a> {
    fn add(
        self,
        add: AddLine,
        owner: DinerId,
        now: Timestamp,
        ids: &mut impl IdSource,
    ) -> Result<Delta, CartError> {
        require_open(self.session)?;
        let sharing = add.sharing.unwrap_or(if add.shared_with.is_empty() {
            Sharing::Own
        } else {
            Sharing::Group
        });
        let line = CartLine {
            id: ids.next(),
            diner_id: owner,
            product_id: add.product_id,
            qty: add.qty,
            sharing,
            sharers: sharers_for(sharing, &add.shared_with, self.diners)?,
            modifiers: merged_modifiers(&add.modifiers),
            notes: add.notes,
        };
        require_limits(&line)?;
        self.orderable(line.product_id, &add.modifiers, now)?;
        let mut delta = Delta::new(CartChange::Added);
        if let Some(twin) = self.twin_of(&line) {
            delta.updated.push(merged(twin, &line));
        } else if self.lines.len() >= MAX_CART_LINES {
            return Err(CartError::CartFull);
        } else {
            delta.added.push(line);
        }
        Ok(delta)
    }

    fn change(self, change: ChangeLine, diner_id: DinerId, now: Timestamp) -> Result<Delta, CartError> {
        let before = self.changeable(change.line_id, diner_id)?;
        let named = change.shared_with.as_deref().unwrap_or_default();
        let sharing = change.sharing.unwrap_or(if named.is_empty() {
            before.sharing
        } else {
            Sharing::Group
        });
        let stays_group = sharing == Sharing::Group && change.shared_with.is_none();
        let wanted = if stays_group { &before.sharers } else { named };
        let qty = change.qty.unwrap_or(before.qty);
        let after = CartLine {
            qty,
            sharing,
            sharers: sharers_for(sharing, wanted, self.diners)?,
            modifiers: change
                .modifiers
                .as_deref()
                .map_or_else(|| before.modifiers.clone(), merged_modifiers),
            notes: change.notes.unwrap_or_else(|| before.notes.clone()),
            ..before.clone()
        };
        require_limits(&after)?;
        // Wanting less, or saying it differently, is possible even of what has been sold out since.
        if qty > before.qty || change.modifiers.is_some() {
            let chosen = change.modifiers.as_deref().unwrap_or(&before.modifiers);
            self.orderable(before.product_id, chosen, now)?;
        }
        let mut delta = Delta::new(CartChange::Updated);
        if let Some(twin) = self.twin_of(&after) {
            let kept = merged(twin, &after);
            delta.removed.push(twin.id.max(after.id));
            delta.updated.push(kept);
        } else {
            delta.updated.push(after);
        }
        Ok(delta)
    }

    fn remove(self, line_id: CartLineId, diner_id: DinerId) -> Result<Delta, CartError> {
        let line = self.changeable(line_id, diner_id)?;
        let mut delta = Delta::new(CartChange::Removed);
        delta.removed.push(line.id);
        Ok(delta)
    }

    fn clear(self, diner_id: DinerId) -> Result<Delta, CartError> {
        require_open(self.session)?;
        let own = self.lines.iter().filter(|line| line.diner_id == diner_id);
        let mut delta = Delta::new(CartChange::Cleared);
        delta.removed.extend(own.map(|line| line.id));
        Ok(delta)
    }

    fn changeable(self, line_id: CartLineId, diner_id: DinerId) -> Result<&'a CartLine, CartError> {
        let line = self
            .lines
            .iter()
            .find(|line| line.id == line_id)
            .ok_or(CartError::NotFound)?;
        require_open(self.session)?;
        if may_change(line, diner_id) {
            Ok(line)
        } else {
            Err(CartError::NotLineOwner)
        }
    }

    fn orderable(
        self,
        product_id: ProductId,
        modifiers: &[ChosenModifier],
        now: Timestamp,
    ) -> Result<OrderableLine<'a>, CartError> {
        Ok(orderable(self.menu, product_id, modifiers, now)?)
    }

    /// Another line that differs in nothing but quantity.
    fn twin_of(self, line: &CartLine) -> Option<&'a CartLine> {
        self.lines.iter().find(|other| {
            let same = CartLine {
                id: line.id,
                qty: line.qty,
                ..(*other).clone()
            };
            other.id != line.id && same == *line
        })
    }
}

/// One line out of two that differ in nothing but quantity: the older one stays.
fn merged(a: &CartLine, b: &CartLine) -> CartLine {
    CartLine {
        id: a.id.min(b.id),
        qty: a.qty.saturating_add(b.qty).min(MAX_QTY),
        ..a.clone()
    }
}

fn require_limits(line: &CartLine) -> Result<(), CartError> {
    let invalid = |field, code| Err(CartError::Invalid { field, code });
    if line.qty < 1 {
        invalid("qty", "too_small")
    } else if line.qty > MAX_QTY {
        invalid("qty", "too_large")
    } else if line.notes.chars().count() > MAX_NOTES {
        invalid("notes", "too_long")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
