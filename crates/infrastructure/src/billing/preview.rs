//! What a check would hold now.

use comanda_domain::billing::{SplitMethod, SplitRequest, preview_check};
use comanda_domain::ids::{DinerId, SessionId};
use comanda_domain::round::Round;
use comanda_security::policy::{Action, Principal, authorize};
use futures_util::try_join;

use super::scene::require_own;
use super::{BillingService, store};
use crate::db::Ask;
use crate::diners;
use crate::refusal::Refusal;
use crate::rounds;
use crate::sessions::{Scene, require_seating};
use crate::views::{self, PreviewView, Texts};

impl BillingService {
    /// What a check of the visit would hold if it were asked for now, divided by `method` if there is one.
    ///
    /// Only what is on no check counts: while a check is out, the preview is empty.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, `split_participants_invalid` without guests; `validation_failed` for `custom`,
    /// which needs amounts.
    pub async fn preview(
        &self,
        ask: &Ask,
        who: &Principal,
        session: SessionId,
        method: Option<SplitMethod>,
    ) -> Result<PreviewView, Refusal> {
        let split = method.map(split_by).transpose()?;
        require_own(who, session)?;
        let (scene, rounds, billed, diners) = self
            .db
            .read(ask.tenant, async |conn| {
                let wanted = rounds::store::Wanted::OfSession(session);
                let (scene, found, billed, diners) = try_join!(
                    Scene::find(conn, ask.tenant, session),
                    rounds::store::find(conn, ask.tenant, &wanted),
                    store::billed_items(conn, ask.tenant, session),
                    diners::store::of_session(conn, ask.tenant, session),
                )?;
                let scene = scene.ok_or(Refusal::NotFound)?;
                require_seating(who, &scene.session)?;
                let rounds: Vec<Round> = found.into_iter().map(|found| found.round).collect();
                Ok((scene, rounds, billed, diners))
            })
            .await?;
        let _permit = authorize(who, Action::CheckPreview, &scene.resource())?;
        let diners: Vec<DinerId> = diners.iter().map(|diner| diner.id).collect();
        let preview = preview_check(&rounds, &billed, &diners, scene.branch.currency, split.as_ref())
            .map_err(|error| Refusal::priced(scene.branch.currency, error))?;
        let texts = Texts::wanted(ask.language.as_deref(), &scene.branch);
        Ok(views::preview(&preview, &scene.branch, &texts))
    }
}

/// All guests take part; amounts of their own cannot be given in a query.
fn split_by(method: SplitMethod) -> Result<SplitRequest, Refusal> {
    match method {
        SplitMethod::Equal => Ok(SplitRequest::Equal { participants: None }),
        SplitMethod::ByConsumption => Ok(SplitRequest::ByConsumption { participants: None }),
        SplitMethod::Custom => Err(Refusal::Invalid {
            pointer: "/query/method".to_owned(),
            code: "not_allowed",
            detail: "A preview divides equally or by consumption.".to_owned(),
        }),
    }
}
