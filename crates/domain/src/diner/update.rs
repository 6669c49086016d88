//! A guest changes their own name, colour or preferences.

use crate::Timestamp;
use crate::actor::{Actor, Forbidden};
use crate::audit::{AuditEntry, Change};
use crate::diner::register::seen;
use crate::diner::{Device, Diner, Preferences};
use crate::event::{Event, EventBody, EventName};

/// What is new. What is absent stays.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UpdateDiner {
    /// What the others call them.
    pub name: Option<String>,
    /// `#RRGGBB`.
    pub color: Option<String>,
    /// What they eat.
    pub preferences: Option<Preferences>,
}

/// The diner after the change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DinerUpdated {
    /// The diner.
    pub diner: Diner,
    /// The remembered phone with the new preferences, when there are any to save.
    pub device: Option<Device>,
    /// `diner.updated`.
    pub events: Vec<Event>,
    /// The trace.
    pub audit: AuditEntry,
}

/// Updates a diner, and the diner's remembered `device` if there is one.
///
/// # Errors
/// [`Forbidden`] for anybody else's diner.
pub fn update_diner(
    diner: &Diner,
    device: Option<&Device>,
    command: UpdateDiner,
    actor: &Actor,
    now: Timestamp,
) -> Result<DinerUpdated, Forbidden> {
    if actor.diner_id() != Some(diner.id) {
        return Err(Forbidden {
            required_roles: Vec::new(),
        });
    }
    let device = device.filter(|device| device.forgotten_at.is_none());
    let saved = device
        .zip(command.preferences.clone())
        .map(|(device, preferences)| seen(device, preferences, now));
    let updated = Diner {
        name: command.name.unwrap_or_else(|| diner.name.clone()),
        color: command.color.unwrap_or_else(|| diner.color.clone()),
        preferences: command.preferences.unwrap_or_else(|| diner.preferences.clone()),
        version: diner.version.saturating_add(1),
        ..diner.clone()
    };
    Ok(DinerUpdated {
        events: vec![Event {
            name: EventName::DinerUpdated,
            body: EventBody::Diner(Box::new(updated.clone())),
        }],
        audit: audit(diner, &updated),
        diner: updated,
        device: saved,
    })
}

fn audit(before: &Diner, after: &Diner) -> AuditEntry {
    let mut entry = AuditEntry::new("diner.update", "diner", before.id);
    if before.name != after.name {
        entry = entry.moved("name", before.name.clone(), after.name.clone());
    }
    if before.color != after.color {
        entry = entry.moved("color", before.color.clone(), after.color.clone());
    }
    if before.preferences != after.preferences {
        // What somebody cannot eat tells of their health, and audit entries are kept for ever: only that it
        // changed is noted.
        entry.changes.push(Change {
            field: "preferences",
            before: None,
            after: None,
        });
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::Role;
    use crate::menu::fixtures::{at, id};
    use crate::session::fixtures::{diner, staff};

    fn phone() -> Device {
        Device {
            id: id("phone"),
            preferences: Preferences::default(),
            last_seen_at: at(0),
            forgotten_at: None,
        }
    }

    #[test]
    fn preferences_are_saved_on_the_phone_and_not_in_the_trace() {
        let preferences = Preferences {
            exclude_allergens: vec!["nuts".to_owned()],
            ..Preferences::default()
        };
        let command = UpdateDiner {
            name: Some("Anita".to_owned()),
            preferences: Some(preferences.clone()),
            ..UpdateDiner::default()
        };
        let ana = diner("Ana");
        let updated = update_diner(&ana, Some(&phone()), command, &Actor::diner(ana.id), at(9)).unwrap();
        assert_eq!((updated.diner.name.as_str(), updated.diner.version), ("Anita", 2));
        assert_eq!(updated.diner.color, ana.color);
        assert_eq!(updated.device.unwrap().preferences, preferences);
        assert_eq!(updated.events[0].name, EventName::DinerUpdated);
        let fields: Vec<_> = updated.audit.changes.iter().map(|change| change.field).collect();
        assert_eq!(fields, ["name", "preferences"]);
        assert!(!format!("{:?}", updated.audit).contains("nuts"));
    }

    #[test]
    fn a_new_name_does_not_touch_the_phone() {
        let command = UpdateDiner {
            name: Some("Anita".to_owned()),
            ..UpdateDiner::default()
        };
        let ana = diner("Ana");
        let updated = update_diner(&ana, Some(&phone()), command, &Actor::diner(ana.id), at(9)).unwrap();
        assert_eq!(
            (updated.device, updated.diner.preferences),
            (None, ana.preferences)
        );
    }

    #[test]
    fn nobody_else_changes_a_diner() {
        for actor in [Actor::diner(id("Bruno")), staff(Role::Admin), Actor::SYSTEM] {
            assert!(update_diner(&diner("Ana"), None, UpdateDiner::default(), &actor, at(9)).is_err());
        }
    }
}
