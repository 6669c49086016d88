//! What decides about an event's recipients, read from the `data` that is stored with it.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::ids::{SectorId, SessionId, UserId};
use crate::menu::Station;
use crate::round::RoundStatus;

/// The facts of a stored event that its recipients depend on, besides tenant, branch and type, which are columns.
///
/// It is read from the event's `data` as stored, before anything is left out for a view, by
/// `Routing::deserialize(&data)`; members that it does not need are skipped. An error means that `data` is not what
/// Comanda writes.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(from = "Stored")]
pub struct Routing {
    /// The session that the event belongs to: `data.session_id`.
    pub session: Option<SessionId>,
    /// The sectors concerned: `data.sector_id`, and both ends of a move. At most two.
    pub sectors: BTreeSet<SectorId>,
    /// The stations concerned, of `data.ticket` or of the items of `data.round`; empty where all are.
    pub stations: BTreeSet<Station>,
    /// Whether the round had been handed to the kitchen: the step is part of `data.round.timeline`.
    pub had_been_submitted: bool,
    /// The users whom the event is about: `data.user_id`, `data.from_user`, `data.to_user`.
    pub users: BTreeSet<UserId>,
}

#[derive(Deserialize)]
struct Stored {
    session_id: Option<SessionId>,
    sector_id: Option<SectorId>,
    from_sector_id: Option<SectorId>,
    to_sector_id: Option<SectorId>,
    round: Option<StoredRound>,
    ticket: Option<AtStation>,
    user_id: Option<UserId>,
    from_user: Option<StoredUser>,
    to_user: Option<StoredUser>,
}

#[derive(Deserialize)]
struct StoredRound {
    items: Vec<AtStation>,
    timeline: Vec<StoredStep>,
}

#[derive(Deserialize)]
struct StoredStep {
    status: RoundStatus,
}

#[derive(Deserialize)]
struct AtStation {
    station: Station,
}

#[derive(Deserialize)]
struct StoredUser {
    id: UserId,
}

impl From<Stored> for Routing {
    fn from(stored: Stored) -> Self {
        let sectors = [stored.sector_id, stored.from_sector_id, stored.to_sector_id];
        let people = [stored.from_user, stored.to_user].into_iter().flatten();
        let (lines, steps) = stored
            .round
            .map_or_else(Default::default, |round| (round.items, round.timeline));
        Self {
            session: stored.session_id,
            sectors: sectors.into_iter().flatten().collect(),
            stations: lines.iter().chain(&stored.ticket).map(|at| at.station).collect(),
            had_been_submitted: steps.iter().any(|step| step.status == RoundStatus::Submitted),
            users: people.map(|user| user.id).chain(stored.user_id).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    fn read(data: &Value) -> Routing {
        Routing::deserialize(data).unwrap()
    }

    #[test]
    fn a_canceled_round_tells_its_stations_and_whether_the_kitchen_knew() {
        let session = SessionId(Uuid::from_u128(1));
        let sector = SectorId(Uuid::from_u128(2));
        let round = |steps: &[&str]| {
            let timeline: Vec<_> = steps
                .iter()
                .map(|status| json!({ "status": status, "at": "2026-11-24T23:10:10.000Z" }))
                .collect();
            json!({
                "branch_id": "ignored", "session_id": session, "sector_id": sector, "table": null,
                "round": { "items": [{ "station": "grill" }, { "station": "bar" }], "timeline": timeline },
                "previous_status": "confirmed",
            })
        };
        let known = read(&round(&["pending", "confirmed", "submitted", "canceled"]));
        assert_eq!(
            known,
            Routing {
                session: Some(session),
                sectors: [sector].into(),
                stations: [Station::Bar, Station::Grill].into(),
                had_been_submitted: true,
                users: BTreeSet::new(),
            }
        );
        let unknown = read(&round(&["pending", "confirmed", "canceled"]));
        assert!(!unknown.had_been_submitted);
    }

    #[test]
    fn a_move_concerns_both_sectors_and_a_change_of_waiter_both_people() {
        let [from, to] = [3, 4].map(|n| SectorId(Uuid::from_u128(n)));
        let moved = read(&json!({
            "session_id": null, "sector_id": to, "from_sector_id": from, "to_sector_id": to,
        }));
        assert_eq!(moved.sectors, [from, to].into());
        let [before, after] = [5, 6].map(|n| UserId(Uuid::from_u128(n)));
        let changed = read(&json!({
            "from_user": { "id": before, "name": "Leo" }, "to_user": { "id": after, "name": "Marta" },
        }));
        assert_eq!(changed.users, [before, after].into());
        assert_eq!(
            read(&json!({ "from_user": null, "to_user": { "id": after } })).users,
            [after].into()
        );
        assert_eq!(read(&json!({ "user_id": before })).users, [before].into());
    }

    #[test]
    fn a_ticket_is_of_one_station_and_nonsense_is_an_error() {
        assert_eq!(
            read(&json!({ "ticket": { "station": "pastry" } })).stations,
            [Station::Pastry].into()
        );
        for data in [
            json!({ "session_id": "rnd_01m87x22y0e8f8rxrv8hye95g7" }),
            json!({ "ticket": { "station": "cellar" } }),
            json!({ "round": {} }),
            json!([]),
        ] {
            assert!(Routing::deserialize(&data).is_err(), "{data}");
        }
    }
}
