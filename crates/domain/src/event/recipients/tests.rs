use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use uuid::Uuid;

use super::*;
use crate::event::AUDIENCE;
use crate::ids::SectorId;

// Few different ids, so that things meet.
fn id<T: From<Uuid> + std::fmt::Debug>() -> impl Strategy<Value = T> {
    (1_u128..4).prop_map(|n| T::from(Uuid::from_u128(n)))
}

fn users() -> impl Strategy<Value = BTreeSet<UserId>> {
    btree_set(id(), 0..4)
}

fn stations() -> impl Strategy<Value = BTreeSet<Station>> {
    subsequence(Station::ALL.to_vec(), 0..=3).prop_map(|some| some.into_iter().collect())
}

fn cover() -> impl Strategy<Value = Cover> {
    prop_oneof![Just(Cover::Everyone), users().prop_map(Cover::Users)]
}

prop_compose! {
    fn routing()(
        session in option::of(id()),
        sectors in btree_set(id::<SectorId>(), 0..=2),
        stations in stations(),
        had_been_submitted: bool,
        users in users(),
    ) -> Routing {
        Routing { session, sectors, stations, had_been_submitted, users }
    }
}

prop_compose! {
    fn event()(
        tenant in id(),
        branch in option::weighted(0.9, id()),
        name in option::weighted(0.9, select(EventName::ALL)),
        routing in routing(),
        cover in cover(),
    ) -> EventFacts {
        EventFacts { tenant, branch, name, routing, cover }
    }
}

fn viewer() -> impl Strategy<Value = Viewer> {
    let scopes = subsequence(ScopeFamily::ALL.to_vec(), 0..=6);
    prop_oneof![
        Just(Viewer::Admin),
        (id(), any::<bool>()).prop_map(|(user, unfiltered)| Viewer::Waiter { user, unfiltered }),
        (id(), option::of(stations())).prop_map(|(user, stations)| Viewer::Kitchen { user, stations }),
        id().prop_map(|session| Viewer::Diner { session }),
        scopes.prop_map(|scopes| Viewer::Integration {
            scopes: scopes.into_iter().collect()
        }),
    ]
}

prop_compose! {
    fn subscription()(tenant in id(), branches in btree_set(id(), 0..3), viewer in viewer()) -> Subscription {
        Subscription { tenant, branches, viewer }
    }
}

/// An event and a subscription that meet in tenant and branch, so that the rest decides.
fn met() -> impl Strategy<Value = (EventFacts, Subscription)> {
    (event(), select(EventName::ALL), subscription(), id::<BranchId>()).prop_map(
        |(event, name, mut subscription, branch)| {
            subscription.tenant = event.tenant;
            subscription.branches.insert(branch);
            let event = EventFacts {
                branch: Some(branch),
                name: Some(name),
                ..event
            };
            (event, subscription)
        },
    )
}

proptest! {
    #[test]
    fn nothing_crosses_tenants_or_branches_and_unknown_types_go_nowhere(
        event in event(), subscription in subscription(),
    ) {
        if recipients(&event, &subscription) {
            prop_assert_eq!(event.tenant, subscription.tenant);
            prop_assert!(subscription.branches.contains(&event.branch.unwrap()));
            prop_assert!(event.name.is_some());
        }
        let elsewhere = EventFacts { tenant: TenantId(Uuid::from_u128(9)), ..event.clone() };
        prop_assert!(!recipients(&elsewhere, &subscription));
        let nowhere = EventFacts { branch: None, ..event.clone() };
        prop_assert!(!recipients(&nowhere, &subscription));
        let unknown = EventFacts { name: None, ..event };
        prop_assert!(!recipients(&unknown, &subscription));
    }

    #[test]
    fn managers_get_everything_of_their_branch((event, subscription) in met()) {
        let subscription = Subscription { viewer: Viewer::Admin, ..subscription };
        prop_assert!(recipients(&event, &subscription));
    }

    #[test]
    fn a_view_without_a_column_gets_nothing((event, subscription) in met()) {
        let row = AUDIENCE.iter().find(|row| Some(row.name) == event.name).unwrap();
        if recipients(&event, &subscription) {
            prop_assert!(row.has_view(subscription.viewer.view()));
        }
    }

    #[test]
    fn a_phone_gets_its_own_session_and_the_menu((event, subscription) in met(), session in id()) {
        let subscription = Subscription { viewer: Viewer::Diner { session }, ..subscription };
        let menu = matches!(event.name, Some(EventName::ProductAvailabilityChanged | EventName::MenuChanged));
        if recipients(&event, &subscription) {
            prop_assert!(menu || event.routing.session == Some(session));
        } else {
            prop_assert!(!menu);
        }
    }

    #[test]
    fn the_kitchen_gets_no_money_and_nothing_that_it_never_knew_of(
        (event, subscription) in met(), user in id(), stations in option::of(stations()),
    ) {
        let viewer = Viewer::Kitchen { user, stations: stations.clone() };
        let told = recipients(&event, &Subscription { viewer, ..subscription });
        let name = event.name.unwrap();
        if told {
            prop_assert!(!matches!(name.family(), "check" | "payment" | "diner" | "service_call" | "table"));
            prop_assert!(!matches!(name, EventName::RoundPending | EventName::RoundConfirmed));
        }
        if matches!(name, EventName::RoundCanceled | EventName::RoundItemVoided) {
            let shown = stations.is_none_or(|shown| {
                event.routing.stations.is_empty() || !shown.is_disjoint(&event.routing.stations)
            });
            prop_assert_eq!(told, event.routing.had_been_submitted && shown);
        }
        if name == EventName::GrantChanged {
            prop_assert_eq!(told, event.routing.users.contains(&user));
        }
    }

    #[test]
    fn an_integration_needs_the_scope_of_the_family((event, subscription) in met(), given in select(ScopeFamily::ALL)) {
        let viewer = Viewer::Integration { scopes: [given].into() };
        let needed = match event.name.unwrap().family() {
            "round" => Some(ScopeFamily::Rounds),
            "ticket" => Some(ScopeFamily::Tickets),
            "session" | "table" => Some(ScopeFamily::Tables),
            "check" | "payment" => Some(ScopeFamily::Checks),
            "product" | "menu" => Some(ScopeFamily::Menu),
            "webhook" => Some(ScopeFamily::Webhooks),
            _ => None,
        };
        let hidden = matches!(
            event.name.unwrap(),
            EventName::SessionWaiterChanged | EventName::SessionPhonesRevoked | EventName::SessionFlaggedIdle
        );
        let told = recipients(&event, &Subscription { viewer, ..subscription });
        prop_assert_eq!(told, needed == Some(given) && !hidden);
    }

    /// The sector rule, said again sector by sector and waiter by waiter.
    #[test]
    fn a_waiter_gets_what_they_cover_and_what_nobody_covers(
        (event, subscription) in met(),
        user in id::<UserId>(),
        unfiltered: bool,
        sectors in vec((option::weighted(0.9, users()), option::weighted(0.9, users())), 0..=2),
    ) {
        let cover: Cover = sectors
            .iter()
            .map(|(assigned, connected)| sector_cover(assigned.as_ref(), connected.as_ref()))
            .collect();
        let mine = sectors.iter().any(|(assigned, _)| assigned.as_ref().is_some_and(|all| all.contains(&user)));
        let orphaned = sectors.iter().any(|(assigned, connected)| {
            let (Some(assigned), Some(connected)) = (assigned, connected) else { return true };
            !connected.iter().any(|user| assigned.contains(user))
        });
        // Being assigned to a sector whose people are all away is no reason to be left out, either.
        let covers = sectors.is_empty() || orphaned || mine;
        prop_assert_eq!(cover.includes(user), covers);

        let viewer = Viewer::Waiter { user, unfiltered };
        let event = EventFacts { cover, ..event };
        let told = recipients(&event, &Subscription { viewer, ..subscription });
        let audience = event.name.unwrap().audience().unwrap();
        let in_person = !audience.in_person.is_empty() && event.routing.users.contains(&user);
        prop_assert_eq!(told, in_person || (audience.waiters && (unfiltered || covers)));
    }

    #[test]
    fn every_connected_branch_has_somebody_who_gets_an_event_of_a_sector(
        (event, subscription) in met(), assigned in users(), connected in users(),
    ) {
        let audience = event.name.unwrap().audience().unwrap();
        prop_assume!(audience.waiters && !connected.is_empty());
        let event = EventFacts { cover: sector_cover(Some(&assigned), Some(&connected)), ..event };
        let told = connected.iter().any(|user| {
            let viewer = Viewer::Waiter { user: *user, unfiltered: false };
            recipients(&event, &Subscription { viewer, ..subscription.clone() })
        });
        prop_assert!(told);
    }
}
