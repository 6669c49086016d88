//! What operations on an existing check load, record and answer.

use comanda_domain::billing::{Check, Ledger, Payment, Provider};
use comanda_domain::ids::{DinerId, PaymentId, SessionId};
use comanda_domain::session::SessionStatus;
use comanda_security::policy::{Principal, Resource};
use futures_util::try_join;

use super::CheckOf;
use super::store::{self, Wanted};
use crate::db::{Act, Ask, Conn, Locks};
use crate::diners;
use crate::idempotency::Stored;
use crate::outbox::Place;
use crate::people::People;
use crate::refusal::Refusal;
use crate::sessions::rows::SessionRow;
use crate::sessions::{Scene, require_seating};
use crate::views::{self, CheckView, Texts};

/// A check with its ledger, and where it is.
pub(crate) struct BillScene {
    pub(crate) scene: Scene,
    pub(crate) check: Check,
    pub(crate) ledger: Ledger,
    /// Who sits at the table.
    pub(crate) diners: Vec<DinerId>,
    /// What the branch has switched on.
    pub(crate) enabled: Vec<Provider>,
    pub(crate) people: People,
}

impl CheckOf {
    /// Session, then check.
    pub(super) fn locks(self) -> Locks {
        match self {
            Self::Id(id) => Locks::session_of_check(id).and_check(id),
            Self::Visit(session) => Locks::session(session).and_live_check(session),
        }
    }

    pub(super) fn wanted(self) -> Wanted {
        match self {
            Self::Id(id) => Wanted::Check(id),
            Self::Visit(session) => Wanted::OfVisit(session),
        }
    }
}

/// Session, then check; the check's lock guards its payments.
pub(super) fn locks_of_payment(id: PaymentId) -> Locks {
    Locks::session_of_payment(id).and_check_of_payment(id)
}

/// A guest sees the own visit only, and only while it lasts.
pub(super) fn require_own(who: &Principal, session: SessionId) -> Result<(), Refusal> {
    match who {
        Principal::Diner(diner) if diner.session != session => Err(Refusal::NotFound),
        Principal::Table(table) if table.session != session => Err(Refusal::NotFound),
        _ => Ok(()),
    }
}

/// The check and where it is: what reading needs, in a fixed number of queries.
pub(super) async fn load_bill(
    conn: Conn<'_>,
    ask: &Ask,
    who: &Principal,
    wanted: Wanted,
) -> Result<(Scene, Check, Ledger), Refusal> {
    let check = find_head(conn, ask, who, wanted).await?;
    let (scene, ledger) = try_join!(Scene::load(conn, ask.tenant, check.session_id), async {
        store::ledger(conn, ask.tenant, &check)
            .await
            .map_err(Refusal::from)
    },)?;
    require_seating(who, &scene.session)?;
    Ok((scene, check, ledger))
}

async fn find_head(conn: Conn<'_>, ask: &Ask, who: &Principal, wanted: Wanted) -> Result<Check, Refusal> {
    if let Some(check) = store::head(conn, ask.tenant, wanted).await? {
        require_own(who, check.session_id)?;
        return Ok(check);
    }
    // A guest whose visit has ended is told so, also where there never was a check.
    if let Wanted::OfVisit(session) | Wanted::Live(session) = wanted {
        let scene = Scene::find(conn, ask.tenant, session).await?;
        scene.map_or(Ok(()), |scene| require_seating(who, &scene.session))?;
    }
    Err(Refusal::NotFound)
}

impl BillScene {
    /// Loads what an operation of `who` on the check needs. A guest sees the own visit only.
    pub(super) async fn load(
        conn: Conn<'_>,
        ask: &Ask,
        who: &Principal,
        wanted: Wanted,
    ) -> Result<Self, Refusal> {
        let facts = Self::load_for_system(conn, ask, find_head(conn, ask, who, wanted).await?).await?;
        require_seating(who, &facts.scene.session)?;
        Ok(facts)
    }

    /// The same for Comanda itself and for providers.
    pub(super) async fn load_by_payment(conn: Conn<'_>, ask: &Ask, id: PaymentId) -> Result<Self, Refusal> {
        let check = store::head(conn, ask.tenant, Wanted::OfPayment(id))
            .await?
            .ok_or(Refusal::NotFound)?;
        Self::load_for_system(conn, ask, check).await
    }

    async fn load_for_system(conn: Conn<'_>, ask: &Ask, check: Check) -> Result<Self, Refusal> {
        let tenant = ask.tenant;
        let database = async {
            try_join!(
                store::ledger(conn, tenant, &check),
                diners::store::of_session(conn, tenant, check.session_id),
                store::enabled_providers(conn, tenant, check.branch_id),
                People::load(conn, tenant, ask.caller.id.into_iter().collect()),
            )
            .map_err(Refusal::from)
        };
        let (scene, (ledger, diners, enabled, people)) =
            try_join!(Scene::load(conn, tenant, check.session_id), database)?;
        let diners = diners.iter().map(|diner| diner.id).collect();
        Ok(Self {
            scene,
            check,
            ledger,
            diners,
            enabled,
            people,
        })
    }

    pub(super) fn resource(&self) -> Resource {
        self.scene.resource()
    }

    /// A payment of the check.
    pub(super) fn payment(&self, id: PaymentId) -> Result<&Payment, Refusal> {
        self.ledger
            .payments
            .iter()
            .find(|payment| payment.id == id)
            .ok_or(Refusal::NotFound)
    }

    /// Where the events of the check happen, with the ledger as it is after the operation.
    pub(super) fn place<'a>(&'a self, ledger: &'a Ledger) -> Place<'a> {
        self.scene.place(&self.people).with_ledger(ledger)
    }

    /// The visit was active now. One that has ended stays as it ended, whatever money still comes.
    pub(super) fn touch(&self, act: &mut Act<'_>) {
        let session = &self.scene.session;
        if session.status != SessionStatus::Closed {
            act.rows
                .update(&SessionRow::of(act.ask.tenant, &session.touched(act.now)));
        }
    }

    /// Refuses if the client saw another version.
    pub(super) fn require_version(&self, ask: &Ask, seen: Option<i64>) -> Result<(), Refusal> {
        match seen {
            Some(seen) if seen != self.check.version => Err(Refusal::PreconditionFailed {
                version: self.check.version,
                current: crate::stored::json(&check_view(&self.scene, ask, &self.check, &self.ledger)),
            }),
            _ => Ok(()),
        }
    }

    /// The answer that shows a payment.
    pub(super) fn payment_answer(&self, status: u16, payment: &Payment) -> Result<Stored, Refusal> {
        Ok(Stored::new(status, &views::payment(payment, self.check.currency))?.version(payment.version))
    }
}

/// The check as it travels.
pub(super) fn check_view(scene: &Scene, ask: &Ask, check: &Check, ledger: &Ledger) -> CheckView {
    views::check(
        check,
        ledger,
        &Texts::wanted(ask.language.as_deref(), &scene.branch),
    )
}
