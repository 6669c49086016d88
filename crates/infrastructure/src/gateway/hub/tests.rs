use std::collections::BTreeSet;

use comanda_domain::event::{Subscription, TypeFilters};
use comanda_domain::ids::{DinerId, FamilyId, SessionId, UserId};
use proptest::prelude::*;
use uuid::Uuid;

use super::super::{Queue, QueueLimits};
use super::*;
use crate::clock::Sources;
use crate::db::DbOptions;

fn hub() -> Arc<Hub> {
    let options = DbOptions {
        url: "postgres://127.0.0.1:1/nowhere".to_owned(),
        size: 1,
        timeout: Duration::from_millis(1),
        role: None,
        application_name: "test".to_owned(),
        shards: 16,
    };
    Hub::new(Db::new(&options, Sources::system()).unwrap(), "http://test").0
}

fn id<T: From<Uuid>>(number: u8) -> T {
    Uuid::from_u128(u128::from(number) + 1).into()
}

fn listener(tenant: u8, branch: u8, who: u8) -> Listener {
    let (viewer, member) = if who < 4 {
        let (user, family): (UserId, FamilyId) = (id(who), id(who));
        let viewer = Viewer::Waiter {
            user,
            unfiltered: false,
        };
        (viewer, Member::Staff { user, family })
    } else {
        let (diner, session): (DinerId, SessionId) = (id(who), id(who / 2));
        let member = Member::Diner {
            diner,
            session,
            seating: 1,
        };
        (Viewer::Diner { session }, member)
    };
    Listener {
        member,
        subscription: Subscription {
            tenant: id(tenant),
            branches: BTreeSet::from([id(branch)]),
            viewer,
        },
        types: TypeFilters::default(),
        queue: Queue::new(QueueLimits {
            bytes: 262_144,
            age: Duration::from_secs(5),
        }),
        live: false,
        seen: 0,
        prev: 0,
    }
}

proptest! {
    /// Whatever comes and goes, in whatever order: when all have gone, nothing of them is left.
    #[test]
    fn nobody_leaves_a_trace(steps in proptest::collection::vec((0_u8..3, 0_u8..2, 0_u8..3, 0_u8..10, any::<prop::sample::Index>()), 0..120)) {
        let hub = hub();
        let mut here = Vec::new();
        for (what, tenant, branch, who, leaves) in steps {
            match what {
                0 => {
                    let comer = listener(tenant, branch, who);
                    let counted = hub.count(id(tenant), comer.member);
                    here.push((Some(hub.enter(id(tenant), id(branch), comer)), counted, None));
                }
                1 => here.push((None, None, Some(hub.watch(id(tenant), id(branch))))),
                _ if !here.is_empty() => {
                    here.swap_remove(leaves.index(here.len()));
                }
                _ => {}
            }
        }
        drop(here);
        for (index, entries) in hub.entries() {
            prop_assert_eq!(entries, 0, "{}", index);
        }
    }
}
