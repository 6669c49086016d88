//! Adding, changing and removing lines.

use comanda_domain::cart::{AddLine, CartCommand, CartFacts, ChangeLine, change_cart};
use comanda_domain::ids::CartLineId;
use comanda_security::policy::{Action, DinerPrincipal, Principal, authorize};

use super::read::{Facts, require_version, view};
use super::{CartService, rows, signal};
use crate::db::{Act, Ask, Locks};
use crate::idempotency::Stored;
use crate::refusal::Refusal;
use crate::sessions::rows::SessionRow;

impl CartService {
    /// Wants something more.
    ///
    /// # Errors
    /// The refusals of the cart (`domain.md` 4.6).
    pub async fn add(&self, ask: &Ask, who: &DinerPrincipal, line: &AddLine) -> Result<Stored, Refusal> {
        self.changed(ask, who, &CartCommand::Add(line.clone()), None)
            .await
    }

    /// Wants it differently.
    ///
    /// # Errors
    /// The refusals of the cart.
    pub async fn change(
        &self,
        ask: &Ask,
        who: &DinerPrincipal,
        line: &ChangeLine,
    ) -> Result<Stored, Refusal> {
        self.changed(ask, who, &CartCommand::Change(line.clone()), None)
            .await
    }

    /// Does not want this line.
    ///
    /// # Errors
    /// The refusals of the cart.
    pub async fn remove(&self, ask: &Ask, who: &DinerPrincipal, line: CartLineId) -> Result<Stored, Refusal> {
        self.changed(ask, who, &CartCommand::Remove(line), None).await
    }

    /// Wants none of the own lines of the cart as it was seen.
    ///
    /// # Errors
    /// `session_not_open`, `precondition_failed`.
    pub async fn clear(&self, ask: &Ask, who: &DinerPrincipal, seen: i64) -> Result<Stored, Refusal> {
        self.changed(ask, who, &CartCommand::Clear, Some(seen)).await
    }

    async fn changed(
        &self,
        ask: &Ask,
        who: &DinerPrincipal,
        command: &CartCommand,
        seen: Option<i64>,
    ) -> Result<Stored, Refusal> {
        let more = match command {
            CartCommand::Add(line) => Some(line.product_id),
            _ => None,
        };
        self.db
            .write(
                ask,
                Locks::session(who.session),
                async |conn| Ok(Facts::load(conn, ask, who, more).await?.value),
                |facts, act| decide(&facts, act, who, command, seen),
            )
            .await
    }
}

fn decide(
    facts: &Facts,
    act: &mut Act<'_>,
    who: &DinerPrincipal,
    command: &CartCommand,
    seen: Option<i64>,
) -> Result<Stored, Refusal> {
    let permit = authorize(
        &Principal::Diner(who.clone()),
        Action::CartWrite,
        &facts.scene.resource(),
    )?;
    require_version(seen, &facts.scene, &facts.diners, &facts.lines, &facts.menu, act)?;
    let changed = change_cart(
        facts.domain(),
        command.clone(),
        permit.actor(),
        act.now,
        &mut act.ids,
    )?;

    let tenant = act.ask.tenant;
    act.rows.update(&SessionRow::of(tenant, &changed.session));
    rows::record_change(&mut act.rows, tenant, &facts.lines, &changed, act.now);

    let status = if matches!(command, CartCommand::Add(_)) {
        201
    } else {
        200
    };
    let after = CartFacts {
        session: &changed.session,
        lines: &changed.lines,
        ..facts.domain()
    };
    let told = signal::changed(&facts.scene, &changed, after, act.now);
    act.signals.push(told);
    let view = view(act.ask, &facts.scene, after, act.now);
    Ok(Stored::new(status, &view)?.version(changed.session.cart_version))
}
