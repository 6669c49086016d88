//! Reading checks and payments.

use comanda_domain::billing::{Check, Ledger};
use comanda_domain::ids::{BranchId, CheckId, PaymentId};
use comanda_security::policy::{Action, DinerPrincipal, Principal, Resource, authorize};
use futures_util::try_join;
use uuid::Uuid;

use super::BillingService;
use super::scene::{check_view, load_bill};
use super::store::{self, CheckFilter, Wanted};
use crate::db::{Ask, Seen};
use crate::floor::store::branch;
use crate::paging::{Page, Part};
use crate::refusal::Refusal;
use crate::sessions::Scene;
use crate::views::{self, CheckTotalsView, CheckView, PaymentView};

impl BillingService {
    /// A check with its ledger, and its version.
    ///
    /// # Errors
    /// `not_found`, `forbidden`.
    pub async fn get_check(
        &self,
        ask: &Ask,
        who: &Principal,
        id: CheckId,
    ) -> Result<Seen<(CheckView, i64)>, Refusal> {
        self.read_check(ask, who, Wanted::Check(id)).await
    }

    /// The unsettled check of a guest's visit, else its latest, and the version.
    ///
    /// # Errors
    /// `not_found` while there is none, `seating_ended`.
    pub async fn check_of_visit(
        &self,
        ask: &Ask,
        who: &DinerPrincipal,
    ) -> Result<Seen<(CheckView, i64)>, Refusal> {
        self.read_check(ask, &Principal::Diner(who.clone()), Wanted::OfVisit(who.session))
            .await
    }

    async fn read_check(
        &self,
        ask: &Ask,
        who: &Principal,
        wanted: Wanted,
    ) -> Result<Seen<(CheckView, i64)>, Refusal> {
        self.bill(ask, who, wanted)
            .await?
            .try_map(|(scene, check, ledger)| {
                let _permit = authorize(who, Action::CheckRead, &scene.resource())?;
                Ok((check_view(&scene, ask, &check, &ledger), check.version))
            })
    }

    async fn bill(
        &self,
        ask: &Ask,
        who: &Principal,
        wanted: Wanted,
    ) -> Result<Seen<(Scene, Check, Ledger)>, Refusal> {
        self.db
            .watch(ask.tenant, async |conn| {
                let bill = load_bill(conn, ask, who, wanted).await?;
                Ok((bill.1.branch_id, bill))
            })
            .await
    }

    /// One payment and its version.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, `seating_ended`.
    pub async fn get_payment(
        &self,
        ask: &Ask,
        who: &Principal,
        id: PaymentId,
    ) -> Result<Seen<(PaymentView, i64)>, Refusal> {
        let bill = self.bill(ask, who, Wanted::OfPayment(id)).await?;
        bill.try_map(|(scene, check, ledger)| {
            let _permit = authorize(who, Action::CheckRead, &scene.resource())?;
            let payment = ledger
                .payments
                .iter()
                .find(|payment| payment.id == id)
                .ok_or(Refusal::NotFound)?;
            Ok((views::payment(payment, check.currency), payment.version))
        })
    }

    /// A page of a branch's checks, newest first, without ledger rows: five queries.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, `invalid_cursor`.
    pub async fn list_checks(
        &self,
        ask: &Ask,
        who: &Principal,
        id: BranchId,
        filter: &CheckFilter,
        page: &Page<'_>,
    ) -> Result<Seen<Part<CheckTotalsView>>, Refusal> {
        let part = (page.position::<CheckId>()?, page.limit.saturating_add(1));
        let seen = self
            .db
            .watch(ask.tenant, async |conn| {
                let (_, checks) = try_join!(
                    async { branch(conn, ask.tenant, id).await?.ok_or(Refusal::NotFound) },
                    async {
                        store::of_branch(conn, ask.tenant, id, filter, part)
                            .await
                            .map_err(Refusal::from)
                    },
                )?;
                let _permit = authorize(who, Action::CheckRead, &Resource::of_branch(ask.tenant, id))?;
                let ids: Vec<Uuid> = checks.iter().map(|check| check.id.0).collect();
                let mut ledgers = store::totals(conn, ask.tenant, &ids).await?;
                let bills = checks.into_iter().map(|check| {
                    let ledger = ledgers.remove(&check.id.0).unwrap_or_default();
                    (check, ledger)
                });
                Ok((id, bills.collect::<Vec<(Check, Ledger)>>()))
            })
            .await?;
        seen.try_map(|found| {
            page.part(
                found,
                |(check, _)| check.id,
                |(check, ledger)| views::check_totals(check, ledger),
            )
        })
    }
}
