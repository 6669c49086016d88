//! The kitchen says that something is sold out, or back.

use crate::Timestamp;
use crate::actor::Role::{Admin, Kitchen, Manager};
use crate::actor::{Actor, Forbidden, Role};
use crate::audit::AuditEntry;
use crate::event::{AvailabilitySubject, Event, EventBody, EventName};
use crate::menu::Availability;

/// Who knows what is left.
const COOKS: &[Role] = &[Kitchen, Manager, Admin];

/// What is known of the entry on the branch's menu.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AvailabilityFacts {
    /// Which product or option.
    pub subject: AvailabilitySubject,
    /// The switch as it stands.
    pub availability: Availability,
    /// The version of the branch's menu, locked.
    pub menu_version: i64,
}

/// How the switch is to stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SetAvailability {
    /// Can be had.
    pub available: bool,
    /// When it comes back by itself; counts only when it is switched off.
    pub unavailable_until: Option<Timestamp>,
}

/// The entry as it stands now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AvailabilitySet {
    /// The switch.
    pub availability: Availability,
    /// The menu's version; risen, unless the switch stood like this before.
    pub menu_version: i64,
    /// `product.availability_changed`, or nothing.
    pub events: Vec<Event>,
    /// None when nothing changed.
    pub audit: Option<AuditEntry>,
}

/// Switches a product or an option of a branch off or on.
///
/// # Errors
/// [`Forbidden`] for everyone but kitchen, managers and admins of the branch.
pub fn set_availability(
    facts: AvailabilityFacts,
    command: SetAvailability,
    actor: &Actor,
) -> Result<AvailabilitySet, Forbidden> {
    if !actor.roles.any(COOKS) {
        return Err(Forbidden {
            required_roles: COOKS.to_vec(),
        });
    }
    let availability = Availability {
        available: command.available,
        unavailable_until: command.unavailable_until.filter(|_| !command.available),
    };
    if availability == facts.availability {
        return Ok(AvailabilitySet {
            availability,
            menu_version: facts.menu_version,
            events: Vec::new(),
            audit: None,
        });
    }
    let menu_version = facts.menu_version.saturating_add(1);
    Ok(AvailabilitySet {
        availability,
        menu_version,
        events: vec![Event {
            name: EventName::ProductAvailabilityChanged,
            body: EventBody::Availability {
                subject: facts.subject,
                available: availability.available,
                unavailable_until: availability.unavailable_until,
                menu_version,
            },
        }],
        audit: Some(audit(facts, availability)),
    })
}

fn audit(facts: AvailabilityFacts, after: Availability) -> AuditEntry {
    let name = "availability.set";
    let entry = match facts.subject {
        AvailabilitySubject::Product(id) => AuditEntry::new(name, "product", id),
        AvailabilitySubject::Option(id) => AuditEntry::new(name, "option", id),
    };
    let word = |availability: Availability| {
        let until = availability.unavailable_until;
        match (availability.available, until) {
            (true, _) => "available".to_owned(),
            (false, None) => "sold_out".to_owned(),
            (false, Some(until)) => format!("sold_out until {}", until.to_rfc3339()),
        }
    };
    entry.moved("availability", word(facts.availability), word(after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::menu::fixtures::{at, id};
    use crate::session::fixtures::staff;

    const ON: Availability = Availability {
        available: true,
        unavailable_until: None,
    };

    fn facts(availability: Availability) -> AvailabilityFacts {
        AvailabilityFacts {
            subject: AvailabilitySubject::Product(id("bife")),
            availability,
            menu_version: 7,
        }
    }

    fn off(until: Option<Timestamp>) -> SetAvailability {
        SetAvailability {
            available: false,
            unavailable_until: until,
        }
    }

    #[test]
    fn what_is_sold_out_is_announced_with_the_new_menu() {
        let set = set_availability(facts(ON), off(Some(at(60))), &staff(Kitchen)).unwrap();
        assert_eq!(set.menu_version, 8);
        assert!(!set.availability.at(at(59)) && set.availability.at(at(60)));
        assert_eq!(
            set.events[0].body,
            EventBody::Availability {
                subject: facts(ON).subject,
                available: false,
                unavailable_until: Some(at(60)),
                menu_version: 8,
            }
        );
        assert_eq!(set.audit.unwrap().action, "availability.set");
        let back = SetAvailability {
            available: true,
            unavailable_until: Some(at(90)),
        };
        let set = set_availability(facts(set.availability), back, &staff(Manager)).unwrap();
        assert_eq!(set.availability, ON);
    }

    #[test]
    fn saying_it_twice_changes_nothing() {
        let sold_out = Availability {
            available: false,
            unavailable_until: None,
        };
        let set = set_availability(facts(sold_out), off(None), &staff(Admin)).unwrap();
        assert_eq!(set.menu_version, 7);
        assert!(set.events.is_empty() && set.audit.is_none());
    }

    #[test]
    fn waiters_do_not_decide_what_is_left() {
        for actor in [staff(Role::Waiter), Actor::diner(id("Ana")), Actor::SYSTEM] {
            assert!(set_availability(facts(ON), off(None), &actor).is_err());
        }
    }
}
