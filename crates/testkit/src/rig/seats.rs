//! Who watches: managers, waiters, the kitchen and a guest of each table, on both gateways.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use comanda_domain::event::{Subscription, Viewer};
use comanda_domain::ids::{BranchId, SessionId, TenantId, UserId};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::dice::Dice;
use super::fleet::Fleet;
use super::history::{Heard, Notes};
use super::load::{Party, Staff};
use super::screens::{Phase, Screen, Seat, listen};
use super::{evidence, postgres};

/// How long a screen may take to be subscribed while nothing goes wrong.
const PATIENCE: Duration = Duration::from_secs(30);

/// Everybody's screens on both gateways; all are subscribed when this returns.
pub async fn open_screens(
    fleet: &Arc<Fleet>,
    staff: &Staff,
    parties: &[Party],
    seed: u64,
    phase: &watch::Receiver<Phase>,
    listening: &mut JoinSet<()>,
) -> Vec<Screen> {
    let branch: BranchId = staff.branch.parse().expect("the id of a branch");
    let client = postgres::connect(&fleet.database)
        .await
        .expect("PostgreSQL answers");
    let tenant = evidence::tenant_of(&client, branch)
        .await
        .expect("a branch has one");
    let mut seats = Vec::new();
    for gateway in 0..2 {
        seats.extend(seats_at(gateway, staff, parties, tenant, branch));
    }
    let mut screens = Vec::new();
    for (seat, nth) in seats.into_iter().zip(1000..) {
        let notes = Arc::<Notes<Heard>>::default();
        let dice = Dice::new(seed.wrapping_add(nth));
        listening.spawn(listen(
            Arc::clone(fleet),
            seat.clone(),
            Arc::clone(&notes),
            dice,
            phase.clone(),
        ));
        screens.push(Screen { seat, notes });
    }
    let ready = |screen: &Screen| {
        let is_ready = |heard: &Heard| matches!(heard, Heard::Ready { .. });
        screen.notes.look(|heard| heard.iter().any(is_ready))
    };
    let began = Instant::now();
    while !screens.iter().all(ready) {
        let late = screens.iter().find(|screen| !ready(screen)).map(Screen::history);
        assert!(began.elapsed() < PATIENCE, "a screen is not subscribed: {late:?}");
        sleep(Duration::from_millis(20)).await;
    }
    screens
}

fn seats_at(
    gateway: usize,
    staff: &Staff,
    parties: &[Party],
    tenant: TenantId,
    branch: BranchId,
) -> Vec<Seat> {
    // Nobody of the staff is concerned in person by what the load does.
    let user = UserId(uuid::Uuid::nil());
    let waiter = Viewer::Waiter {
        user,
        unfiltered: true,
    };
    let kitchen = Viewer::Kitchen { user, stations: None };
    let seat = |name: &str, view, who: &crate::Client, viewer| Seat {
        name: format!("{view} {name} at gateway-{gateway}"),
        view,
        token: who.token().to_owned(),
        branch: (view != "diner").then(|| staff.branch.clone()),
        gateway,
        subscription: Subscription {
            tenant,
            branches: BTreeSet::from([branch]),
            viewer,
        },
    };
    let mut seats = vec![
        seat("marta", "admin", &staff.marta, Viewer::Admin),
        seat("marta", "waiter", &staff.marta, waiter.clone()),
        seat("leo", "waiter", &staff.leo, waiter),
        seat("nora", "kitchen", &staff.nora, kitchen),
    ];
    for party in parties {
        let session: SessionId = party.session.parse().expect("the id of a session");
        seats.push(seat(
            &party.table,
            "diner",
            &party.phone,
            Viewer::Diner { session },
        ));
    }
    seats
}
