//! Who is told what, as data: the column "To" of `events.md` 3.1.

use crate::enums::text_enum;
use crate::event::EventName;

text_enum! {
    /// Whose eyes an event is rendered for.
    View {
        /// Managers and admins.
        Admin = "admin",
        /// The floor.
        Waiter = "waiter",
        /// The kitchen.
        Kitchen = "kitchen",
        /// The phones of a session.
        Diner = "diner",
        /// Integrations, webhooks included.
        Integration = "integration",
    }
}

text_enum! {
    /// What an integration must have been given to see a kind of event. The text is that of the API key's scope.
    ScopeFamily {
        /// Products and menus.
        Menu = "menu:read",
        /// Sessions and tables.
        Tables = "tables:read",
        /// Rounds.
        Rounds = "rounds:read",
        /// Tickets.
        Tickets = "tickets:read",
        /// Checks and payments.
        Checks = "checks:read",
        /// The webhooks themselves.
        Webhooks = "webhooks:write",
    }
}

/// When kitchen screens are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KitchenRule {
    /// Never.
    Never,
    /// Always.
    Always,
    /// If the round had been handed to the kitchen; otherwise the kitchen never knew of it.
    IfSubmitted,
}

/// Which phones are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DinerRule {
    /// None.
    Never,
    /// Those of the session that the event belongs to.
    OwnSession,
    /// Those of every live session of the branch.
    EveryLiveSession,
}

/// One row of [`AUDIENCE`]. Managers and admins are told of every event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Audience {
    /// Which event.
    pub name: EventName,
    /// Whether the floor is told, by the rule of sectors.
    pub waiters: bool,
    /// Whether the kitchen is told.
    pub kitchen: KitchenRule,
    /// Whether phones are told.
    pub diners: DinerRule,
    /// Which integrations are told.
    pub integrations: Option<ScopeFamily>,
    /// In these views the users whom the event is about are told, even if the view as such is not.
    pub in_person: &'static [View],
}

impl Audience {
    const fn managers(name: EventName) -> Self {
        Self {
            name,
            waiters: false,
            kitchen: KitchenRule::Never,
            diners: DinerRule::Never,
            integrations: None,
            in_person: &[],
        }
    }

    const fn waiters(mut self) -> Self {
        self.waiters = true;
        self
    }

    const fn kitchen(mut self) -> Self {
        self.kitchen = KitchenRule::Always;
        self
    }

    const fn kitchen_if_submitted(mut self) -> Self {
        self.kitchen = KitchenRule::IfSubmitted;
        self
    }

    const fn session(mut self) -> Self {
        self.diners = DinerRule::OwnSession;
        self
    }

    const fn every_session(mut self) -> Self {
        self.diners = DinerRule::EveryLiveSession;
        self
    }

    const fn integrations(mut self, scope: ScopeFamily) -> Self {
        self.integrations = Some(scope);
        self
    }

    const fn in_person(mut self, views: &'static [View]) -> Self {
        self.in_person = views;
        self
    }

    /// Whether the event is ever rendered for this view: to everyone who may see it there, or to the users whom it
    /// is about.
    pub fn has_view(&self, view: View) -> bool {
        let generally = match view {
            View::Admin => true,
            View::Waiter => self.waiters,
            View::Kitchen => self.kitchen != KitchenRule::Never,
            View::Diner => self.diners != DinerRule::Never,
            View::Integration => self.integrations.is_some(),
        };
        generally || self.in_person.contains(&view)
    }

    /// The views that the event is rendered for.
    pub fn views(&self) -> impl Iterator<Item = View> + '_ {
        let views = View::ALL.iter().copied();
        views.filter(|view| self.has_view(*view))
    }
}

use EventName as E;
use ScopeFamily::{Checks, Menu, Rounds, Tables, Tickets, Webhooks};

/// Each event with its audience, in the order of the catalogue.
pub const AUDIENCE: &[Audience] = &[
    of_session(E::SessionOpened).integrations(Tables),
    of_session(E::SessionReopened).integrations(Tables),
    of_session(E::SessionClosed).integrations(Tables),
    of_session(E::SessionMoved).kitchen().integrations(Tables),
    of_session(E::SessionWaiterChanged).in_person(&[View::Waiter]),
    of_floor(E::SessionPhonesRevoked),
    of_floor(E::SessionFlaggedIdle),
    of_floor(E::TableStatusChanged).integrations(Tables),
    of_session(E::DinerJoined),
    of_session(E::DinerUpdated),
    of_session(E::RoundPending).integrations(Rounds),
    of_session(E::RoundConfirmed).integrations(Rounds),
    of_round(E::RoundSubmitted),
    of_round(E::RoundInKitchen),
    of_round(E::RoundReady),
    of_round(E::RoundRecalled),
    of_round(E::RoundServed),
    of_session(E::RoundCanceled)
        .kitchen_if_submitted()
        .integrations(Rounds),
    of_session(E::RoundItemVoided)
        .kitchen_if_submitted()
        .integrations(Rounds),
    of_ticket(E::TicketCreated),
    of_ticket(E::TicketInProgress),
    of_ticket(E::TicketReady),
    of_ticket(E::TicketRecalled),
    of_ticket(E::TicketDelivered),
    of_ticket(E::TicketCanceled),
    of_ticket(E::TicketItemChanged),
    of_session(E::ServiceCallOpened),
    of_session(E::ServiceCallReminded),
    of_session(E::ServiceCallAcked),
    of_session(E::ServiceCallClosed),
    of_session(E::ServiceCallCanceled),
    of_money(E::CheckRequested),
    of_money(E::CheckUpdated),
    of_money(E::CheckPaid),
    of_money(E::CheckVoided),
    of_money(E::CheckSettled),
    of_money(E::PaymentCreated),
    of_money(E::PaymentApproved),
    of_money(E::PaymentRejected),
    of_money(E::PaymentExpired),
    of_money(E::PaymentCanceled),
    of_money(E::PaymentRefunded),
    of_money(E::PaymentChargedBack),
    of_money(E::PaymentRefundFailed),
    Audience::managers(E::PaymentSurplus).integrations(Checks),
    Audience::managers(E::PaymentUnmatched).integrations(Checks),
    of_menu(E::ProductAvailabilityChanged),
    of_menu(E::MenuChanged),
    Audience::managers(E::AssignmentChanged).in_person(&[View::Waiter]),
    Audience::managers(E::GrantChanged).in_person(&[View::Waiter, View::Kitchen]),
    Audience::managers(E::ApiKeyExpiring),
    Audience::managers(E::WebhookDisabled).integrations(Webhooks),
];

const fn of_floor(name: EventName) -> Audience {
    Audience::managers(name).waiters()
}

const fn of_session(name: EventName) -> Audience {
    of_floor(name).session()
}

const fn of_round(name: EventName) -> Audience {
    of_session(name).kitchen().integrations(Rounds)
}

const fn of_ticket(name: EventName) -> Audience {
    of_floor(name).kitchen().integrations(Tickets)
}

const fn of_money(name: EventName) -> Audience {
    of_session(name).integrations(Checks)
}

const fn of_menu(name: EventName) -> Audience {
    of_floor(name).kitchen().every_session().integrations(Menu)
}

impl EventName {
    /// The event's row of [`AUDIENCE`]. None would mean that the table lacks it, and then nobody is told; a test
    /// compares table and catalogue.
    pub fn audience(self) -> Option<&'static Audience> {
        AUDIENCE.iter().find(|row| row.name == self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table, as the specification prints it. A change of who sees what is a change of this text.
    const PRINTED: &str = "\
session.opened A W S I:tables:read
session.reopened A W S I:tables:read
session.closed A W S I:tables:read
session.moved A W K S I:tables:read
session.waiter_changed A W S +waiter
session.phones_revoked A W
session.flagged_idle A W
table.status_changed A W I:tables:read
diner.joined A W S
diner.updated A W S
round.pending A W S I:rounds:read
round.confirmed A W S I:rounds:read
round.submitted A W K S I:rounds:read
round.in_kitchen A W K S I:rounds:read
round.ready A W K S I:rounds:read
round.recalled A W K S I:rounds:read
round.served A W K S I:rounds:read
round.canceled A W K? S I:rounds:read
round.item_voided A W K? S I:rounds:read
ticket.created A W K I:tickets:read
ticket.in_progress A W K I:tickets:read
ticket.ready A W K I:tickets:read
ticket.recalled A W K I:tickets:read
ticket.delivered A W K I:tickets:read
ticket.canceled A W K I:tickets:read
ticket.item_changed A W K I:tickets:read
service_call.opened A W S
service_call.reminded A W S
service_call.acked A W S
service_call.closed A W S
service_call.canceled A W S
check.requested A W S I:checks:read
check.updated A W S I:checks:read
check.paid A W S I:checks:read
check.voided A W S I:checks:read
check.settled A W S I:checks:read
payment.created A W S I:checks:read
payment.approved A W S I:checks:read
payment.rejected A W S I:checks:read
payment.expired A W S I:checks:read
payment.canceled A W S I:checks:read
payment.refunded A W S I:checks:read
payment.charged_back A W S I:checks:read
payment.refund_failed A W S I:checks:read
payment.surplus A I:checks:read
payment.unmatched A I:checks:read
product.availability_changed A W K S* I:menu:read
menu.changed A W K S* I:menu:read
assignment.changed A +waiter
grant.changed A +waiter +kitchen
api_key.expiring A
webhook.disabled A I:webhooks:write
";

    fn printed(row: &Audience) -> String {
        let mut words = vec![row.name.to_string(), "A".to_owned()];
        words.extend(row.waiters.then(|| "W".to_owned()));
        words.extend(match row.kitchen {
            KitchenRule::Never => None,
            KitchenRule::Always => Some("K".to_owned()),
            KitchenRule::IfSubmitted => Some("K?".to_owned()),
        });
        words.extend(match row.diners {
            DinerRule::Never => None,
            DinerRule::OwnSession => Some("S".to_owned()),
            DinerRule::EveryLiveSession => Some("S*".to_owned()),
        });
        words.extend(row.integrations.map(|scope| format!("I:{scope}")));
        words.extend(row.in_person.iter().map(|view| format!("+{view}")));
        words.join(" ") + "\n"
    }

    #[test]
    fn the_table_is_the_one_of_the_specification() {
        let table: String = AUDIENCE.iter().map(printed).collect();
        assert_eq!(table, PRINTED);
    }

    #[test]
    fn every_name_has_one_row_and_every_row_a_name() {
        let rows: Vec<_> = AUDIENCE.iter().map(|row| row.name).collect();
        assert_eq!(rows, EventName::ALL);
        for name in EventName::ALL {
            assert_eq!(name.audience().map(|row| row.name), Some(*name));
        }
    }

    #[test]
    fn money_is_no_business_of_the_kitchen() {
        let money = AUDIENCE.iter().filter(|row| row.integrations == Some(Checks));
        assert!(money.clone().count() > 10);
        assert!(money.into_iter().all(|row| !row.has_view(View::Kitchen)));
    }
}
