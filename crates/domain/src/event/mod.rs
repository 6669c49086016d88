//! What is announced, and to whom.
//!
//! An operation's outcome lists [`Event`]s; they are stored as rows with a type, a session, a sector and `data`.
//! Whoever delivers such a row, by whatever transport, reads its [`Routing`], asks who covers its sectors
//! ([`Cover`]), and then [`recipients`] for every subscription. Nothing else decides who gets an event.

mod audience;
mod body;
mod filter;
mod names;
mod recipients;
mod routing;

pub use audience::{AUDIENCE, Audience, DinerRule, KitchenRule, ScopeFamily, View};
pub use body::{AvailabilitySubject, Event, EventBody, RoundDetail};
pub use filter::{FilterError, TypeFilter, TypeFilters};
pub use names::{EventName, InternalName, SignalName, event_type};
pub use recipients::{Cover, EventFacts, Subscription, Viewer, recipients, sector_cover};
pub use routing::Routing;
