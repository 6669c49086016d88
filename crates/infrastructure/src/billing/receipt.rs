//! A check as it is printed, for staff, for its guests, and for anyone who has its code.

use std::collections::{BTreeSet, HashMap};

use comanda_domain::billing::{Check, Ledger};
use comanda_domain::ids::{CheckId, RoundItemId, TenantId};
use comanda_domain::round::RoundItem;
use comanda_security::codes::ReceiptCode;
use comanda_security::policy::{Action, DinerPrincipal, Principal, authorize};
use futures_util::try_join;
use uuid::Uuid;

use super::BillingService;
use super::receipt_html::{self, Page};
use super::scene::load_bill;
use super::store::{self, Wanted};
use crate::db::{Ask, Conn};
use crate::people::People;
use crate::refusal::Refusal;
use crate::rounds;
use crate::sessions::Scene;
use crate::views::{self, ReceiptFacts, ReceiptView, Texts};

/// A check as it is printed.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// What it says.
    pub view: ReceiptView,
    /// The same as a page.
    pub page: Page,
}

/// A check with what its receipt needs besides.
struct Printed {
    scene: Scene,
    check: Check,
    ledger: Ledger,
    items: HashMap<RoundItemId, RoundItem>,
    people: People,
}

impl BillingService {
    /// The receipt of a check; a pre-bill while it is not paid.
    ///
    /// # Errors
    /// `not_found`, `forbidden`.
    pub async fn receipt(&self, ask: &Ask, who: &Principal, id: CheckId) -> Result<Receipt, Refusal> {
        self.receipt_of(ask, who, Wanted::Check(id)).await
    }

    /// The receipt of a guest's own visit.
    ///
    /// # Errors
    /// `not_found` while there is no check, `seating_ended`.
    pub async fn receipt_of_visit(&self, ask: &Ask, who: &DinerPrincipal) -> Result<Receipt, Refusal> {
        self.receipt_of(ask, &Principal::Diner(who.clone()), Wanted::OfVisit(who.session))
            .await
    }

    async fn receipt_of(&self, ask: &Ask, who: &Principal, wanted: Wanted) -> Result<Receipt, Refusal> {
        let printed = self
            .db
            .read(ask.tenant, async |conn| {
                let (scene, check, ledger) = load_bill(conn, ask, who, wanted).await?;
                let _permit = authorize(who, Action::CheckRead, &scene.resource())?;
                print(conn, ask.tenant, scene, check, ledger).await
            })
            .await?;
        Ok(self.printed(&printed, ask.language.as_deref()))
    }

    /// The receipt that a printed code opens. Only a paid check has one.
    ///
    /// # Errors
    /// `not_found` for everything else, so that a code tells nothing of a check that is still open.
    pub async fn receipt_by_code(&self, code: &str, language: Option<&str>) -> Result<Receipt, Refusal> {
        let ReceiptCode { tenant, check } = self
            .codes
            .read_receipt_code(code)
            .map_err(|_| Refusal::NotFound)?;
        let printed = self
            .db
            .read(tenant, async |conn| {
                let check = store::head(conn, tenant, Wanted::Check(check)).await?;
                let check = check.filter(views::is_receipt).ok_or(Refusal::NotFound)?;
                let (scene, ledger) = try_join!(Scene::load(conn, tenant, check.session_id), async {
                    store::ledger(conn, tenant, &check).await.map_err(Refusal::from)
                },)?;
                print(conn, tenant, scene, check, ledger).await
            })
            .await?;
        Ok(self.printed(&printed, language))
    }

    fn printed(&self, printed: &Printed, language: Option<&str>) -> Receipt {
        let Printed {
            scene,
            check,
            ledger,
            items,
            people,
        } = printed;
        let code = self.codes.receipt_code(&ReceiptCode {
            tenant: scene.branch.tenant_id,
            check: check.id,
        });
        let view = views::receipt(&ReceiptFacts {
            scene,
            check,
            ledger,
            items,
            people,
            texts: &Texts::wanted(language, &scene.branch),
            public_url: &format!("{}/v1/public/receipts/{code}", self.public_url),
        });
        let page = receipt_html::page(&view, scene.branch.timezone);
        Receipt { view, page }
    }
}

/// The lines' options and the names.
async fn print(
    conn: Conn<'_>,
    tenant: TenantId,
    scene: Scene,
    check: Check,
    ledger: Ledger,
) -> Result<Printed, Refusal> {
    let guests = ledger.charges.iter().filter_map(|charge| charge.diner_id);
    let payers = ledger
        .payments
        .iter()
        .filter_map(|payment| payment.payer_diner_id);
    let named: BTreeSet<Uuid> = guests
        .chain(payers)
        .map(Uuid::from)
        .chain(scene.session.assigned_waiter_id.map(Uuid::from))
        .collect();
    let wanted = rounds::store::Wanted::OfSession(check.session_id);
    let (found, people) = try_join!(
        rounds::store::find(conn, tenant, &wanted),
        People::load(conn, tenant, named)
    )?;
    let items = found
        .into_iter()
        .flat_map(|found| found.round.items)
        .map(|item| (item.id, item))
        .collect();
    Ok(Printed {
        scene,
        check,
        ledger,
        items,
        people,
    })
}
