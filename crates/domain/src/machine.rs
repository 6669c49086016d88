//! State machines as tables of rows, and the one rule that reads them.

use crate::actor::{Actor, ActorKind, Forbidden, Role};
use crate::event::EventName;

/// Who may take a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// A guest of the session.
    Diner,
    /// The guest who placed the round.
    Placer,
    /// Staff with this role in the branch.
    Staff(Role),
    /// A waiter, where the branch setting `waiter_may_submit` is on.
    WaiterIfMaySubmit,
    /// Comanda: a policy, a derived step or a job.
    System,
}

impl Who {
    /// Whether the actor is meant. `is_placer` and `waiter_may_submit` are facts of the round and the branch.
    pub fn covers(self, actor: &Actor, is_placer: bool, waiter_may_submit: bool) -> bool {
        match self {
            Self::Diner => actor.kind == ActorKind::Diner,
            Self::Placer => actor.kind == ActorKind::Diner && is_placer,
            Self::Staff(role) => actor.roles.has(role),
            Self::WaiterIfMaySubmit => waiter_may_submit && actor.roles.has(Role::Waiter),
            Self::System => actor.kind == ActorKind::System,
        }
    }

    /// The role that a member of staff would need for this entry.
    fn role(self, waiter_may_submit: bool) -> Option<Role> {
        match self {
            Self::Staff(role) => Some(role),
            Self::WaiterIfMaySubmit => waiter_may_submit.then_some(Role::Waiter),
            Self::Diner | Self::Placer | Self::System => None,
        }
    }
}

/// One row of a machine's table.
#[derive(Clone, Copy, Debug)]
pub struct Transition<S: 'static> {
    /// From; none for coming into being.
    pub from: Option<S>,
    /// To.
    pub to: S,
    /// Who may ask for it. Derived steps do not consult this column.
    pub who: &'static [Who],
    /// What is announced.
    pub event: EventName,
}

/// Who asks, with the facts that the who-column needs.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// The actor.
    pub actor: &'a Actor,
    /// Whether the actor placed the round in question.
    pub is_placer: bool,
    /// The branch setting of that name.
    pub waiter_may_submit: bool,
}

impl<'a> Asking<'a> {
    /// An actor of whom nothing more needs to be known.
    pub fn new(actor: &'a Actor) -> Self {
        Self {
            actor,
            is_placer: false,
            waiter_may_submit: false,
        }
    }

    /// Whether the who-column names the actor.
    pub fn is_among(&self, who: &[Who]) -> bool {
        who.iter()
            .any(|who| who.covers(self.actor, self.is_placer, self.waiter_may_submit))
    }

    /// The refusal that names the roles of these rows, each once and in their order.
    pub fn forbidden<'r, S: 'static>(&self, rows: impl IntoIterator<Item = &'r Transition<S>>) -> Forbidden {
        let mut required_roles = Vec::new();
        let roles = rows.into_iter().flat_map(|row| row.who);
        for role in roles.filter_map(|who| who.role(self.waiter_may_submit)) {
            if !required_roles.contains(&role) {
                required_roles.push(role);
            }
        }
        Forbidden { required_roles }
    }
}

/// Why a step is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal<S> {
    /// Not by this actor.
    Forbidden(Forbidden),
    /// Not from here.
    WrongState {
        /// Where the object stands.
        current: S,
        /// Where it may go from there.
        allowed: Vec<S>,
    },
}

/// The row between two states, if the table has one.
pub fn row_between<S: PartialEq>(
    table: &'static [Transition<S>],
    from: S,
    to: &S,
) -> Option<&'static Transition<S>> {
    let from = Some(from);
    table.iter().find(|row| row.from == from && row.to == *to)
}

/// Where the table leads from here.
pub fn targets<S: Copy + PartialEq>(table: &'static [Transition<S>], from: S) -> Vec<S> {
    let rows = table.iter().filter(|row| row.from == Some(from));
    rows.map(|row| row.to).collect()
}

/// The row that does what is wanted from the present state, if this actor may take it.
///
/// Somebody who may take no wanted row from anywhere is forbidden, whatever the state. Staff who may take it from
/// elsewhere but not from here are told which roles may. A guest can do nothing with roles, and so learns that the
/// state has moved on.
///
/// # Errors
/// [`Refusal`].
pub fn permit<S: Copy + PartialEq>(
    table: &'static [Transition<S>],
    current: S,
    wanted: impl Fn(&Transition<S>) -> bool,
    asking: Asking<'_>,
) -> Result<&'static Transition<S>, Refusal<S>> {
    let wanted_rows = || table.iter().filter(|row| wanted(row));
    if !wanted_rows().any(|row| asking.is_among(row.who)) {
        return Err(Refusal::Forbidden(asking.forbidden(wanted_rows())));
    }
    let Some(row) = wanted_rows().find(|row| row.from == Some(current)) else {
        return Err(Refusal::WrongState {
            current,
            allowed: targets(table, current),
        });
    };
    if asking.is_among(row.who) {
        return Ok(row);
    }
    if asking.actor.kind != ActorKind::Diner {
        return Err(Refusal::Forbidden(asking.forbidden([row])));
    }
    let own = table
        .iter()
        .filter(|row| row.from == Some(current) && asking.is_among(row.who));
    Err(Refusal::WrongState {
        current,
        allowed: own.map(|row| row.to).collect(),
    })
}
