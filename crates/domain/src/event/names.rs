//! The closed sets of names, and the type that stands on the wire for each.

use std::fmt;

use crate::enums::text_enum;

const PREFIX: &str = "dev.comanda.";
const VERSION: &str = ".v1";

text_enum! {
    /// The durable events of a branch (`events.md` 3.1), in the order of the catalogue. Not all of them are caused by
    /// an operation of this version.
    EventName {
        /// A party sat down.
        SessionOpened = "session.opened",
        /// Ordering goes on after a check.
        SessionReopened = "session.reopened",
        /// The party left.
        SessionClosed = "session.closed",
        /// The party took another table.
        SessionMoved = "session.moved",
        /// Somebody else serves them.
        SessionWaiterChanged = "session.waiter_changed",
        /// Their phones must scan again.
        SessionPhonesRevoked = "session.phones_revoked",
        /// Nothing has happened at the table for long.
        SessionFlaggedIdle = "session.flagged_idle",
        /// A table changed its derived status.
        TableStatusChanged = "table.status_changed",
        /// A guest joined.
        DinerJoined = "diner.joined",
        /// A guest changed name, colour or preferences.
        DinerUpdated = "diner.updated",
        /// A round was placed.
        RoundPending = "round.pending",
        /// … verified.
        RoundConfirmed = "round.confirmed",
        /// … handed to the kitchen.
        RoundSubmitted = "round.submitted",
        /// … begun.
        RoundInKitchen = "round.in_kitchen",
        /// … made.
        RoundReady = "round.ready",
        /// … sent back to the kitchen.
        RoundRecalled = "round.recalled",
        /// … served.
        RoundServed = "round.served",
        /// … canceled.
        RoundCanceled = "round.canceled",
        /// Part of a round was taken back.
        RoundItemVoided = "round.item_voided",
        /// A station got work.
        TicketCreated = "ticket.created",
        /// … began it.
        TicketInProgress = "ticket.in_progress",
        /// … finished it.
        TicketReady = "ticket.ready",
        /// … got it back.
        TicketRecalled = "ticket.recalled",
        /// … handed it over.
        TicketDelivered = "ticket.delivered",
        /// … no longer needs to do it.
        TicketCanceled = "ticket.canceled",
        /// One line of a ticket moved.
        TicketItemChanged = "ticket.item_changed",
        /// A diner asks for a person.
        ServiceCallOpened = "service_call.opened",
        /// … again.
        ServiceCallReminded = "service_call.reminded",
        /// Somebody is on the way.
        ServiceCallAcked = "service_call.acked",
        /// Done.
        ServiceCallClosed = "service_call.closed",
        /// Taken back.
        ServiceCallCanceled = "service_call.canceled",
        /// The bill was asked for.
        CheckRequested = "check.requested",
        /// Its numbers or shares changed.
        CheckUpdated = "check.updated",
        /// Paid in full.
        CheckPaid = "check.paid",
        /// Withdrawn.
        CheckVoided = "check.voided",
        /// Closed for good.
        CheckSettled = "check.settled",
        /// An online payment was begun.
        PaymentCreated = "payment.created",
        /// Money was received.
        PaymentApproved = "payment.approved",
        /// The provider refused.
        PaymentRejected = "payment.rejected",
        /// Not paid in time.
        PaymentExpired = "payment.expired",
        /// Taken back before it was paid.
        PaymentCanceled = "payment.canceled",
        /// Given back.
        PaymentRefunded = "payment.refunded",
        /// Taken back by the payer's bank.
        PaymentChargedBack = "payment.charged_back",
        /// The provider would not give it back.
        PaymentRefundFailed = "payment.refund_failed",
        /// Money was received that covers nothing.
        PaymentSurplus = "payment.surplus",
        /// Money was received that belongs to no payment we know.
        PaymentUnmatched = "payment.unmatched",
        /// Something is sold out, or back.
        ProductAvailabilityChanged = "product.availability_changed",
        /// The branch offers something else than before.
        MenuChanged = "menu.changed",
        /// A waiter has other sectors.
        AssignmentChanged = "assignment.changed",
        /// Somebody has other roles in the branch.
        GrantChanged = "grant.changed",
        /// An integration's credential ends soon.
        ApiKeyExpiring = "api_key.expiring",
        /// A receiver of webhooks was switched off.
        WebhookDisabled = "webhook.disabled",
    }
}

text_enum! {
    /// Durable like events, but never rendered for a client: they make other processes forget what they cached and
    /// close what must close (`events.md` 3.3).
    InternalName {
        /// All tokens of a user are void.
        AuthEpochChanged = "auth.epoch_changed",
        /// An integration's credential was changed or revoked.
        AuthKeyChanged = "auth.key_changed",
        /// One login is void.
        AuthFamilyRevoked = "auth.family_revoked",
        /// The phones of a session are void.
        AuthSeatingChanged = "auth.seating_changed",
        /// A tenant was changed or suspended.
        TenantChanged = "tenant.changed",
        /// Forget everything.
        CacheCleared = "cache.cleared",
    }
}

text_enum! {
    /// Sent once to the devices of a session and not kept (`events.md` 3.4).
    SignalName {
        /// The shared cart changed.
        CartChanged = "cart.changed",
        /// Somebody looks at something, or away.
        CartPresence = "cart.presence",
    }
}

/// The type on the wire of any name of these sets: `dev.comanda.round.submitted.v1`.
pub fn event_type(name: impl fmt::Display) -> String {
    format!("{PREFIX}{name}{VERSION}")
}

/// The name that a type on the wire bears, if its form is ours; whether the name exists is not asked.
fn name_of(event_type: &str) -> Option<&str> {
    event_type.strip_prefix(PREFIX)?.strip_suffix(VERSION)
}

impl EventName {
    /// The type on the wire.
    pub fn event_type(self) -> String {
        event_type(self)
    }

    /// Reads a type on the wire. None for internal events, signals and whatever else is not in the catalogue.
    pub fn of_type(event_type: &str) -> Option<Self> {
        name_of(event_type).and_then(Self::parse)
    }

    /// Reads any spelling of a single type that filters accept: `round.submitted`, `round.submitted.v1` or the type
    /// on the wire.
    pub fn of_any(text: &str) -> Option<Self> {
        let short = text.strip_suffix(VERSION).unwrap_or(text);
        Self::of_type(text).or_else(|| Self::parse(short))
    }

    /// The kind of object that the event is about, as its name says: `round`.
    pub fn family(self) -> &'static str {
        let name = self.as_str();
        name.split_once('.').map_or(name, |(family, _)| family)
    }
}

impl InternalName {
    /// Reads a type on the wire.
    pub fn of_type(event_type: &str) -> Option<Self> {
        name_of(event_type).and_then(Self::parse)
    }
}

impl SignalName {
    /// Reads a type on the wire.
    pub fn of_type(event_type: &str) -> Option<Self> {
        name_of(event_type).and_then(Self::parse)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_type_is_read_as_its_own_name_only() {
        assert_eq!(
            EventName::RoundSubmitted.event_type(),
            "dev.comanda.round.submitted.v1"
        );
        for name in EventName::ALL.iter().copied() {
            let on_the_wire = name.event_type();
            assert_eq!(EventName::of_type(&on_the_wire), Some(name));
            assert_eq!(InternalName::of_type(&on_the_wire), None);
            assert_eq!(SignalName::of_type(&on_the_wire), None);
        }
        for name in InternalName::ALL.iter().copied() {
            assert_eq!(InternalName::of_type(&event_type(name)), Some(name));
            assert_eq!(EventName::of_type(&event_type(name)), None);
        }
        for name in SignalName::ALL.iter().copied() {
            assert_eq!(SignalName::of_type(&event_type(name)), Some(name));
            assert_eq!(EventName::of_type(&event_type(name)), None);
        }
    }

    #[test]
    fn no_name_is_given_twice() {
        let names = [EventName::NAMES, InternalName::NAMES, SignalName::NAMES].concat();
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
    }

    proptest! {
        #[test]
        fn whatever_is_read_as_a_type_is_one(text in "(dev\\.comanda\\.)?[a-z_.]{0,30}(\\.v[12])?") {
            if let Some(name) = EventName::of_type(&text) {
                prop_assert_eq!(name.event_type(), text);
            }
        }
    }
}
