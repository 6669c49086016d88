//! Where an event happened, and what its texts and numbers need besides the object itself.

use comanda_domain::billing::{Check, Ledger};
use comanda_domain::branch::Branch;
use comanda_domain::diner::Diner;
use comanda_domain::ids::{CheckId, SectorId, SessionId};
use comanda_domain::session::Session;

use crate::people::People;
use crate::refusal::Refusal;
use crate::sessions::Scene;
use crate::views::{self, TableRef, Texts};

/// Where an event happened, and the names that its texts need.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    branch: &'a Branch,
    people: &'a People,
    scene: Option<&'a Scene>,
    party: Option<Party<'a>>,
    ledger: Option<&'a Ledger>,
}

/// What a visit's own events tell of it besides its columns.
#[derive(Clone, Copy)]
struct Party<'a> {
    diners: &'a [Diner],
    check: Option<CheckId>,
}

impl<'a> Place<'a> {
    /// In a branch, at no table.
    pub fn in_branch(branch: &'a Branch, people: &'a People) -> Self {
        Self {
            branch,
            people,
            scene: None,
            party: None,
            ledger: None,
        }
    }

    /// At the table of a visit.
    pub fn at(scene: &'a Scene, people: &'a People) -> Self {
        Self {
            scene: Some(scene),
            ..Self::in_branch(&scene.branch, people)
        }
    }

    /// Also with the guests of the visit and its unsettled check, else the latest: events of the visit itself need
    /// them.
    #[must_use]
    pub fn with_party(self, diners: &'a [Diner], check: Option<CheckId>) -> Self {
        Self {
            party: Some(Party { diners, check }),
            ..self
        }
    }

    /// Also with the ledger of the check concerned, as it is after the operation: events of checks and payments need
    /// it for what is reserved, the tips and the open shares.
    #[must_use]
    pub fn with_ledger(self, ledger: &'a Ledger) -> Self {
        Self {
            ledger: Some(ledger),
            ..self
        }
    }

    pub(super) fn branch(&self) -> &'a Branch {
        self.branch
    }

    pub(super) fn people(&self) -> &'a People {
        self.people
    }

    /// Events speak the branch's language.
    pub(super) fn texts(&self) -> Texts {
        Texts::of_branch(self.branch)
    }

    pub(super) fn session_id(&self) -> Option<SessionId> {
        self.scene.map(|scene| scene.session.id)
    }

    pub(super) fn sector_id(&self) -> Option<SectorId> {
        self.scene.map(|scene| scene.table.sector_id)
    }

    pub(super) fn table(&self) -> Option<TableRef> {
        self.scene.map(Scene::table_ref)
    }

    /// The visit as it is after the operation.
    pub(super) fn session(&self, session: &Session) -> Result<views::SessionView, Refusal> {
        let (Some(scene), Some(party)) = (self.scene, self.party) else {
            return Err(incomplete("a visit without its party"));
        };
        let scene = Scene {
            session: session.clone(),
            ..scene.clone()
        };
        Ok(views::session(&scene, party.diners, party.check, self.people))
    }

    /// The numbers of the check as it is after the operation.
    pub(super) fn totals(&self, check: &Check) -> Result<views::CheckTotalsView, Refusal> {
        let ledger = self
            .ledger
            .ok_or_else(|| incomplete("a check without its ledger"))?;
        Ok(views::check_totals(check, ledger))
    }
}

/// A use case that announces what it has not loaded, which is a defect of ours.
fn incomplete(what: &str) -> Refusal {
    Refusal::Internal(format!("an event tells of {what}"))
}
