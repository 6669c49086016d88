//! The check is divided.

use comanda_domain::billing::{SplitFacts, SplitRequest, set_split};
use comanda_domain::ids::CheckId;
use comanda_security::policy::{Action, DinerPrincipal, Principal, authorize};

use super::scene::{BillScene, check_view};
use super::{BillingService, CheckOf, record};
use crate::db::Ask;
use crate::idempotency::Stored;
use crate::refusal::Refusal;

impl BillingService {
    /// Divides what is still due of a check; `seen` is the version of the check that the client saw.
    ///
    /// # Errors
    /// `not_found`, `precondition_failed`, `check_wrong_state`, `split_participants_invalid`, `split_sum_mismatch`,
    /// `currency_mismatch`.
    pub async fn set_split(
        &self,
        ask: &Ask,
        who: &Principal,
        check: CheckId,
        request: &SplitRequest,
        seen: i64,
    ) -> Result<Stored, Refusal> {
        self.divide(ask, who, CheckOf::Id(check), request, seen).await
    }

    /// A guest divides the check of the own visit.
    ///
    /// # Errors
    /// As for [`Self::set_split`].
    pub async fn split_of_visit(
        &self,
        ask: &Ask,
        who: &DinerPrincipal,
        request: &SplitRequest,
        seen: i64,
    ) -> Result<Stored, Refusal> {
        self.divide(
            ask,
            &Principal::Diner(who.clone()),
            CheckOf::Visit(who.session),
            request,
            seen,
        )
        .await
    }

    async fn divide(
        &self,
        ask: &Ask,
        who: &Principal,
        check: CheckOf,
        request: &SplitRequest,
        seen: i64,
    ) -> Result<Stored, Refusal> {
        self.db
            .write(
                ask,
                check.locks(),
                async |conn| BillScene::load(conn, ask, who, check.wanted()).await,
                |facts, act| {
                    let permit = authorize(who, Action::CheckSplit, &facts.resource())?;
                    facts.require_version(ask, Some(seen))?;
                    let dividing = SplitFacts {
                        check: &facts.check,
                        ledger: &facts.ledger,
                        diners: &facts.diners,
                    };
                    let set = set_split(&dividing, request, permit.actor(), act.now)
                        .map_err(|error| Refusal::priced(facts.check.currency, error))?;
                    record::update_check(&mut act.rows, ask.tenant, &facts.check, &set.check);
                    record::insert_split(&mut act.rows, ask.tenant, &set.check, &set.split);
                    facts.touch(act);
                    act.announce(&facts.place(&set.ledger), &set.events);
                    act.trace(Some(facts.scene.branch.id), &set.audit);
                    let view = check_view(&facts.scene, ask, &set.check, &set.ledger);
                    Ok(Stored::new(200, &view)?.version(set.check.version))
                },
            )
            .await
    }
}
