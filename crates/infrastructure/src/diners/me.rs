//! A guest reads and changes their own entry.

use comanda_domain::diner::{Diner, update_diner};
use comanda_security::policy::{Action, DinerPrincipal, Principal, authorize};
use futures_util::try_join;

use super::rows::{DeviceRow, DinerRow};
use super::{DinerService, UpdateMe, store};
use crate::db::{Act, Ask, Conn, Locks};
use crate::idempotency::Stored;
use crate::people::People;
use crate::refusal::Refusal;
use crate::sessions::rows::SessionRow;
use crate::sessions::{Scene, require_seating};
use crate::views::{self, OwnDinerView};

struct Facts {
    scene: Scene,
    diner: Diner,
    device: Option<DeviceRow>,
}

impl DinerService {
    /// The guest's own entry and its version.
    ///
    /// # Errors
    /// `seating_ended`.
    pub async fn me(&self, ask: &Ask, who: &DinerPrincipal) -> Result<(OwnDinerView, i64), Refusal> {
        let facts = self
            .db
            .read(ask.tenant, async |conn| load(conn, ask, who).await)
            .await?;
        let _permit = authorize(
            &Principal::Diner(who.clone()),
            Action::SessionRead,
            &facts.scene.resource(),
        )?;
        Ok((views::own_diner(&facts.diner), facts.diner.version))
    }

    /// Changes the guest's own name, colour or preferences; these are saved on a remembered phone, too.
    ///
    /// # Errors
    /// `seating_ended`.
    pub async fn update_me(
        &self,
        ask: &Ask,
        who: &DinerPrincipal,
        command: &UpdateMe,
    ) -> Result<Stored, Refusal> {
        self.db
            .write(
                ask,
                Locks::session(who.session),
                async |conn| load(conn, ask, who).await,
                |facts, act| decide(&facts, act, who, command),
            )
            .await
    }
}

async fn load(conn: Conn<'_>, ask: &Ask, who: &DinerPrincipal) -> Result<Facts, Refusal> {
    let (scene, own) = try_join!(
        Scene::find(conn, ask.tenant, who.session),
        store::with_device(conn, ask.tenant, who.session, who.diner),
    )?;
    let scene = scene.ok_or(Refusal::SeatingEnded)?;
    require_seating(&Principal::Diner(who.clone()), &scene.session)?;
    let (diner, device) = own.ok_or(Refusal::SeatingEnded)?;
    Ok(Facts { scene, diner, device })
}

fn decide(
    facts: &Facts,
    act: &mut Act<'_>,
    who: &DinerPrincipal,
    command: &UpdateMe,
) -> Result<Stored, Refusal> {
    let Facts { scene, diner, device } = facts;
    let permit = authorize(
        &Principal::Diner(who.clone()),
        Action::DinerUpdate,
        &scene.resource(),
    )?;
    let known = device.as_ref().map(DeviceRow::to_domain).transpose()?;
    let updated = update_diner(diner, known.as_ref(), command.clone(), permit.actor(), act.now)?;

    let tenant = act.ask.tenant;
    act.rows.update(&DinerRow::of(tenant, &updated.diner));
    if let Some((row, saved)) = device.as_ref().zip(updated.device.as_ref()) {
        act.rows
            .update(&DeviceRow::of(tenant, saved, &row.token_hash, act.now));
    }
    act.rows
        .update(&SessionRow::of(tenant, &scene.session.touched(act.now)));
    let people = People::of_diners([&updated.diner]);
    act.announce(&scene.place(&people), &updated.events);
    act.trace(Some(scene.branch.id), &updated.audit);
    Ok(Stored::new(200, &views::own_diner(&updated.diner))?.version(updated.diner.version))
}
