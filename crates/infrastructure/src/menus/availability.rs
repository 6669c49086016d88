//! The kitchen says that something is sold out, or back.

use comanda_domain::event::AvailabilitySubject;
use comanda_domain::ids::{BranchId, ModifierOptionId, ProductId};
use comanda_domain::menu::{
    Availability, AvailabilityFacts, AvailabilitySet, SetAvailability, set_availability,
};
use comanda_security::policy::{Action, Principal, Resource, authorize};
use futures_util::try_join;

use super::rows::{BranchOptionRow, BranchProductRow};
use super::{MenuService, store};
use crate::db::{Act, Ask, Conn, DbError, Locks};
use crate::floor;
use crate::idempotency::Stored;
use crate::outbox::Place;
use crate::people::People;
use crate::refusal::Refusal;
use crate::sessions::rows::BranchRow;
use crate::views::{AvailabilityView, time};

/// The row that holds the switch.
enum Entry {
    Product(BranchProductRow),
    Option(BranchOptionRow),
}

struct Facts {
    branch: BranchRow,
    entry: Entry,
    people: People,
}

impl MenuService {
    /// Switches a product of a branch off or on. This raises the version of the branch's menu.
    ///
    /// # Errors
    /// `not_found`, `forbidden`.
    pub async fn set_product_availability(
        &self,
        ask: &Ask,
        who: &Principal,
        branch: BranchId,
        product: ProductId,
        command: &SetAvailability,
    ) -> Result<Stored, Refusal> {
        self.set(ask, who, branch, AvailabilitySubject::Product(product), *command)
            .await
    }

    /// Switches an option of a branch off or on. This raises the version of the branch's menu.
    ///
    /// # Errors
    /// `not_found`, `forbidden`.
    pub async fn set_option_availability(
        &self,
        ask: &Ask,
        who: &Principal,
        branch: BranchId,
        option: ModifierOptionId,
        command: &SetAvailability,
    ) -> Result<Stored, Refusal> {
        self.set(ask, who, branch, AvailabilitySubject::Option(option), *command)
            .await
    }

    async fn set(
        &self,
        ask: &Ask,
        who: &Principal,
        branch: BranchId,
        subject: AvailabilitySubject,
        command: SetAvailability,
    ) -> Result<Stored, Refusal> {
        self.db
            .write(
                ask,
                Locks::branch(branch),
                async |conn| load(conn, ask, branch, subject).await,
                |facts, act| decide(&facts, act, who, subject, command),
            )
            .await
    }
}

async fn load(
    conn: Conn<'_>,
    ask: &Ask,
    branch: BranchId,
    subject: AvailabilitySubject,
) -> Result<Facts, Refusal> {
    let (row, entry, people) = try_join!(
        floor::store::branch(conn, ask.tenant, branch),
        entry(conn, ask, branch, subject),
        People::load(conn, ask.tenant, ask.caller.id.into_iter().collect()),
    )?;
    Ok(Facts {
        branch: row.ok_or(Refusal::NotFound)?,
        entry: entry.ok_or(Refusal::NotFound)?,
        people,
    })
}

async fn entry(
    conn: Conn<'_>,
    ask: &Ask,
    branch: BranchId,
    subject: AvailabilitySubject,
) -> Result<Option<Entry>, DbError> {
    Ok(match subject {
        AvailabilitySubject::Product(id) => store::product_in(conn, ask.tenant, branch, id)
            .await?
            .map(Entry::Product),
        AvailabilitySubject::Option(id) => store::option_in(conn, ask.tenant, branch, id)
            .await?
            .map(Entry::Option),
    })
}

fn decide(
    facts: &Facts,
    act: &mut Act<'_>,
    who: &Principal,
    subject: AvailabilitySubject,
    command: SetAvailability,
) -> Result<Stored, Refusal> {
    let branch = facts.branch.to_domain()?;
    let permit = authorize(
        who,
        Action::AvailabilitySet,
        &Resource::of_branch(branch.tenant_id, branch.id),
    )?;
    let known = AvailabilityFacts {
        subject,
        availability: facts.entry.availability(),
        menu_version: branch.menu_version,
    };
    let set = set_availability(known, command, permit.actor())?;

    if let Some(audit) = &set.audit {
        record(act, facts, &set);
        let place = Place::in_branch(&branch, &facts.people);
        act.announce(&place, &set.events);
        act.trace(Some(branch.id), audit);
    }
    Stored::new(
        200,
        &AvailabilityView {
            available: set.availability.available,
            unavailable_until: set.availability.unavailable_until.map(time),
        },
    )
}

fn record(act: &mut Act<'_>, facts: &Facts, set: &AvailabilitySet) {
    let Availability {
        available,
        unavailable_until,
    } = set.availability;
    match &facts.entry {
        Entry::Product(row) => {
            let version = row.version.saturating_add(1);
            act.rows.update(&BranchProductRow {
                available,
                unavailable_until,
                version,
                ..row.clone()
            });
        }
        Entry::Option(row) => {
            act.rows.update(&BranchOptionRow {
                available,
                unavailable_until,
                ..row.clone()
            });
        }
    }
    act.rows.update(&BranchRow {
        menu_version: set.menu_version,
        version: facts.branch.version.saturating_add(1),
        ..facts.branch.clone()
    });
}

impl Entry {
    fn availability(&self) -> Availability {
        let (available, unavailable_until) = match self {
            Self::Product(row) => (row.available, row.unavailable_until),
            Self::Option(row) => (row.available, row.unavailable_until),
        };
        Availability {
            available,
            unavailable_until,
        }
    }
}
