//! A guest joins the table, with a phone or added by staff.

use crate::Timestamp;
use crate::actor::Role::{Admin, Manager, Waiter};
use crate::actor::{Actor, Forbidden, Role};
use crate::audit::AuditEntry;
use crate::diner::{Device, Diner, Preferences};
use crate::event::{Event, EventBody, EventName};
use crate::ids::{DeviceId, IdSource, UserId};
use crate::session::{Session, SessionClosed, require_live};

/// At most this many guests in a session (`domain.md` 9).
pub const MAX_DINERS: usize = 50;

/// Colours by order of joining; the ninth guest gets the first one again.
pub const PALETTE: [&str; 8] = [
    "#E4572E", "#17BEBB", "#FFC914", "#5E60CE", "#76B041", "#F49097", "#3D5A80", "#2E282A",
];

/// Who may add a guest without a phone.
const SERVERS: &[Role] = &[Waiter, Manager, Admin];

/// What is known when a phone registers.
#[derive(Clone, Copy, Debug)]
pub struct RegisterFacts<'a> {
    /// The session of the table token, locked.
    pub session: &'a Session,
    /// Its diner with the phone's `client_ref`.
    pub existing: Option<&'a Diner>,
    /// How many diners it has.
    pub count: usize,
    /// The device of the phone's device token.
    pub device: Option<&'a Device>,
}

/// What the phone sends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Register {
    /// What the others call them.
    pub name: String,
    /// `#RRGGBB`; by order of joining if not given.
    pub color: Option<String>,
    /// Makes registering repeatable.
    pub client_ref: Option<String>,
    /// What they eat; the device's saved ones if not given.
    pub preferences: Option<Preferences>,
    /// The phone wants to be known again.
    pub remember: bool,
}

/// What became of a device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DeviceChange {
    /// It is new: its token is drawn outside and shown once.
    New(Device),
    /// It was known; seen now, and its preferences saved.
    Seen(Device),
}

impl DeviceChange {
    /// The device as it stands now.
    pub fn device(&self) -> &Device {
        match self {
            Self::New(device) | Self::Seen(device) => device,
        }
    }
}

/// A diner of the session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registered {
    /// The diner.
    pub diner: Diner,
    /// Not there before.
    pub is_new: bool,
    /// The phone, if it is remembered.
    pub device: Option<DeviceChange>,
    /// The session, active now.
    pub session: Session,
    /// `diner.joined`, `diner.updated` when a known diner got another phone, or nothing.
    pub events: Vec<Event>,
    /// None when the same phone only asked again.
    pub audit: Option<AuditEntry>,
}

/// Why nobody joins.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RegisterError {
    /// Not by this actor; only when staff add a guest.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The visit has ended.
    #[error(transparent)]
    SessionClosed(#[from] SessionClosed),
    /// Fifty guests are here.
    #[error("the table is full")]
    DinerLimitReached,
}

/// Registers the guest of a table token. A known `client_ref` gives the diner who is there already, so that a
/// lost answer is safe to ask for again.
///
/// A repeated request that wants to be remembered and still has no device token gets a new device: the token of
/// the first one was in the lost answer.
///
/// # Errors
/// [`RegisterError`], never `Forbidden`.
pub fn register_diner(
    facts: RegisterFacts<'_>,
    command: Register,
    now: Timestamp,
    ids: &mut impl IdSource,
) -> Result<Registered, RegisterError> {
    require_live(facts.session)?;
    if facts.existing.is_none() {
        require_room(facts.count)?;
    }
    let known = facts.device.filter(|device| device.forgotten_at.is_none());
    let preferences = preferences(facts.existing, known, command.preferences);
    let device = match known {
        Some(device) => Some(DeviceChange::Seen(seen(device, preferences.clone(), now))),
        None if command.remember => Some(DeviceChange::New(Device {
            id: ids.next(),
            preferences: preferences.clone(),
            last_seen_at: now,
            forgotten_at: None,
        })),
        None => None,
    };
    let device_id = device.as_ref().map(|change| change.device().id);
    if let Some(existing) = facts.existing {
        return Ok(known_again(facts.session, existing, device_id, device, now));
    }
    let newcomer = Newcomer {
        name: command.name,
        color: command.color,
        client_ref: command.client_ref,
        device_id,
        registered_by: None,
        preferences,
    };
    let registered = join(facts.session, facts.count, newcomer, now, ids);
    Ok(Registered {
        audit: Some(joined_audit("diner.register", &registered.diner)),
        device,
        ..registered
    })
}

/// A guest without a phone, so that what they eat can be told apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddGuest {
    /// What the others call them.
    pub name: String,
    /// `#RRGGBB`; by order of joining if not given.
    pub color: Option<String>,
}

/// What is known when staff add a guest.
#[derive(Clone, Copy, Debug)]
pub struct GuestFacts<'a> {
    /// The session, locked.
    pub session: &'a Session,
    /// How many diners it has.
    pub count: usize,
}

/// Adds a guest without a phone.
///
/// # Errors
/// [`RegisterError`].
pub fn add_guest(
    facts: GuestFacts<'_>,
    command: AddGuest,
    actor: &Actor,
    now: Timestamp,
    ids: &mut impl IdSource,
) -> Result<Registered, RegisterError> {
    if !actor.roles.any(SERVERS) {
        return Err(Forbidden {
            required_roles: SERVERS.to_vec(),
        }
        .into());
    }
    require_live(facts.session)?;
    require_room(facts.count)?;
    let newcomer = Newcomer {
        name: command.name,
        color: command.color,
        client_ref: None,
        device_id: None,
        registered_by: actor.user_id(),
        preferences: Preferences::default(),
    };
    let registered = join(facts.session, facts.count, newcomer, now, ids);
    Ok(Registered {
        audit: Some(joined_audit("diner.add_guest", &registered.diner)),
        ..registered
    })
}

fn require_room(count: usize) -> Result<(), RegisterError> {
    if count < MAX_DINERS {
        Ok(())
    } else {
        Err(RegisterError::DinerLimitReached)
    }
}

/// A diner who is there already keeps theirs; a new one gets what is sent, else what the device has saved.
fn preferences(existing: Option<&Diner>, device: Option<&Device>, sent: Option<Preferences>) -> Preferences {
    match existing {
        Some(diner) => diner.preferences.clone(),
        None => sent
            .or_else(|| device.map(|device| device.preferences.clone()))
            .unwrap_or_default(),
    }
}

/// The device after a visit to a session: it keeps the last preferences.
pub(super) fn seen(device: &Device, preferences: Preferences, now: Timestamp) -> Device {
    Device {
        preferences,
        last_seen_at: device.last_seen_at.max(now),
        ..device.clone()
    }
}

struct Newcomer {
    name: String,
    color: Option<String>,
    client_ref: Option<String>,
    device_id: Option<DeviceId>,
    registered_by: Option<UserId>,
    preferences: Preferences,
}

fn join(
    session: &Session,
    count: usize,
    newcomer: Newcomer,
    now: Timestamp,
    ids: &mut impl IdSource,
) -> Registered {
    let color = newcomer.color.unwrap_or_else(|| {
        let mut colors = PALETTE.iter().cycle().skip(count % PALETTE.len());
        colors.next().copied().unwrap_or_default().to_owned()
    });
    let diner = Diner {
        id: ids.next(),
        branch_id: session.branch_id,
        session_id: session.id,
        name: newcomer.name,
        color,
        client_ref: newcomer.client_ref,
        device_id: newcomer.device_id,
        registered_by_user_id: newcomer.registered_by,
        preferences: newcomer.preferences,
        joined_at: session.not_before(now),
        version: 1,
    };
    Registered {
        events: vec![Event {
            name: EventName::DinerJoined,
            body: EventBody::Diner(Box::new(diner.clone())),
        }],
        diner,
        is_new: true,
        device: None,
        session: session.touched(now),
        audit: None,
    }
}

fn joined_audit(action: &'static str, diner: &Diner) -> AuditEntry {
    AuditEntry::new(action, "diner", diner.id)
        .set("session_id", diner.session_id.to_string())
        .set("name", diner.name.clone())
}

fn known_again(
    session: &Session,
    existing: &Diner,
    device_id: Option<DeviceId>,
    device: Option<DeviceChange>,
    now: Timestamp,
) -> Registered {
    let mut diner = existing.clone();
    let mut events = Vec::new();
    let mut audit = None;
    if device_id.is_some() && device_id != existing.device_id {
        diner.device_id = device_id;
        diner.version = existing.version.saturating_add(1);
        events.push(Event {
            name: EventName::DinerUpdated,
            body: EventBody::Diner(Box::new(diner.clone())),
        });
        audit = Some(AuditEntry::new("diner.register", "diner", diner.id).set(
            "device_id",
            device_id.map(|id| id.to_string()).unwrap_or_default(),
        ));
    }
    Registered {
        diner,
        is_new: false,
        device,
        session: session.touched(now),
        events,
        audit,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::menu::fixtures::{at, id};
    use crate::session::SessionStatus;
    use crate::session::fixtures::{Counter, diner, session, staff};

    fn avoiding(code: &str) -> Preferences {
        Preferences {
            exclude_allergens: vec![code.to_owned()],
            ..Preferences::default()
        }
    }

    fn device(avoids: &str) -> Device {
        Device {
            id: id("phone"),
            preferences: avoiding(avoids),
            last_seen_at: at(0),
            forgotten_at: None,
        }
    }

    fn ana() -> Register {
        Register {
            name: "Ana".to_owned(),
            color: None,
            client_ref: Some("ana-phone-0001".to_owned()),
            preferences: None,
            remember: false,
        }
    }

    fn facts(session: &Session) -> RegisterFacts<'_> {
        RegisterFacts {
            session,
            existing: None,
            count: 0,
            device: None,
        }
    }

    fn register(facts: RegisterFacts<'_>, command: Register) -> Result<Registered, RegisterError> {
        register_diner(facts, command, at(10), &mut Counter::default())
    }

    #[test]
    fn the_first_guest_is_announced_in_the_first_colour() {
        let session = session(SessionStatus::Open);
        let registered = register(facts(&session), ana()).unwrap();
        assert_eq!(
            (registered.diner.color.as_str(), registered.diner.version),
            ("#E4572E", 1)
        );
        assert_eq!(registered.diner.preferences, Preferences::default());
        assert!(registered.is_new && registered.device.is_none());
        assert_eq!(registered.events[0].name, EventName::DinerJoined);
        assert_eq!(registered.session.last_activity_at, at(10));
        assert_eq!(registered.session.version, session.version);
        assert!(registered.audit.is_some());
    }

    #[test]
    fn a_known_phone_gets_the_same_diner_also_at_a_full_table() {
        let session = session(SessionStatus::Paying);
        let existing = diner("Ana");
        let again = RegisterFacts {
            existing: Some(&existing),
            count: 50,
            ..facts(&session)
        };
        let registered = register(again, ana()).unwrap();
        assert_eq!((registered.diner, registered.is_new), (existing, false));
        assert!(registered.events.is_empty() && registered.audit.is_none());
    }

    #[test]
    fn the_table_has_fifty_places_while_it_lives() {
        let open = session(SessionStatus::Open);
        let with = |count| RegisterFacts {
            count,
            ..facts(&open)
        };
        assert!(register(with(49), ana()).is_ok());
        assert_eq!(register(with(50), ana()), Err(RegisterError::DinerLimitReached));
        let closed = session(SessionStatus::Closed);
        assert!(matches!(
            register(facts(&closed), ana()),
            Err(RegisterError::SessionClosed(_))
        ));
    }

    #[test]
    fn a_remembered_phone_brings_its_preferences() {
        let session = session(SessionStatus::Open);
        let phone = device("nuts");
        let known = RegisterFacts {
            device: Some(&phone),
            ..facts(&session)
        };
        let copied = register(known, ana()).unwrap();
        assert_eq!(copied.diner.preferences, avoiding("nuts"));
        assert_eq!(copied.diner.device_id, Some(phone.id));
        let said = Register {
            preferences: Some(avoiding("milk")),
            remember: true,
            ..ana()
        };
        let saved = register(known, said.clone()).unwrap();
        assert_eq!(saved.diner.preferences, avoiding("milk"));
        let seen_now = Device {
            last_seen_at: at(10),
            ..device("milk")
        };
        assert_eq!(saved.device, Some(DeviceChange::Seen(seen_now)));
        // A forgotten phone is a stranger.
        let forgotten = Device {
            forgotten_at: Some(at(5)),
            ..device("nuts")
        };
        let stranger = RegisterFacts {
            device: Some(&forgotten),
            ..facts(&session)
        };
        let fresh = register(stranger, said).unwrap();
        assert!(matches!(&fresh.device, Some(DeviceChange::New(new)) if new.preferences == avoiding("milk")));
        assert_eq!(
            fresh.diner.device_id,
            fresh.device.map(|change| change.device().id)
        );
        assert!(register(stranger, ana()).unwrap().device.is_none());
    }

    #[test]
    fn a_lost_answer_does_not_lose_the_wish_to_be_remembered() {
        let session = session(SessionStatus::Open);
        let existing = Diner {
            device_id: Some(id("phone of the lost answer")),
            ..diner("Ana")
        };
        let again = RegisterFacts {
            existing: Some(&existing),
            count: 1,
            ..facts(&session)
        };
        let wish = Register {
            remember: true,
            ..ana()
        };
        let registered = register(again, wish).unwrap();
        let new = registered.device.unwrap();
        assert!(matches!(new, DeviceChange::New(_)));
        assert_eq!(registered.diner.device_id, Some(new.device().id));
        assert_eq!((registered.diner.id, registered.diner.version), (existing.id, 2));
    }

    #[test]
    fn staff_add_guests_without_a_phone() {
        let session = session(SessionStatus::Open);
        let add = |actor: &Actor, count| {
            let guest = AddGuest {
                name: "Beto".to_owned(),
                color: None,
            };
            let facts = GuestFacts {
                session: &session,
                count,
            };
            add_guest(facts, guest, actor, at(10), &mut Counter::default())
        };
        let waiter = staff(Waiter);
        let added = add(&waiter, 2).unwrap();
        assert_eq!(added.diner.registered_by_user_id, waiter.user_id());
        assert_eq!(added.diner.color, "#FFC914");
        assert_eq!(added.audit.unwrap().action, "diner.add_guest");
        assert_eq!(add(&waiter, 50), Err(RegisterError::DinerLimitReached));
        for actor in [staff(Role::Kitchen), Actor::diner(id("Ana"))] {
            assert!(matches!(add(&actor, 2), Err(RegisterError::Forbidden(_))));
        }
    }

    proptest! {
        #[test]
        fn colours_go_round_the_palette(count in 0..MAX_DINERS) {
            let session = session(SessionStatus::Open);
            let registered = register(RegisterFacts { count, ..facts(&session) }, ana()).unwrap();
            prop_assert_eq!(registered.diner.color, PALETTE[count % 8]);
        }
    }
}
