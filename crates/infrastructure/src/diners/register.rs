//! A guest joins the table with a phone.

use comanda_domain::diner::{
    DeviceChange, Diner, Preferences, Register, RegisterFacts, Registered, register_diner,
};
use comanda_domain::ids::IdSource;
use comanda_security::device::DeviceToken;
use comanda_security::entropy::SystemEntropy;
use comanda_security::policy::{Action, DinerPrincipal, Principal, TablePrincipal, authorize};
use comanda_security::tokens::{DINER_LIFETIME, DinerClaims};
use futures_util::try_join;

use super::rows::{DeviceRow, DinerRow};
use super::{DinerService, store};
use crate::db::{Act, Ask, Conn, Locks};
use crate::people::People;
use crate::refusal::Refusal;
use crate::sessions::rows::SessionRow;
use crate::sessions::{Scene, require_seating};
use crate::views::{self, DinerRegisteredView};

/// What the phone sends.
#[derive(Debug, Clone)]
pub struct RegisterDiner {
    /// What the others call them.
    pub name: String,
    /// `#RRGGBB`; by order of joining if not given.
    pub color: Option<String>,
    /// Makes registering repeatable.
    pub client_ref: Option<String>,
    /// Proves a remembered phone. A text that is no such token proves nothing and is ignored.
    pub device_token: Option<String>,
    /// The phone wants to be known again.
    pub remember: bool,
    /// What they eat; the phone's saved ones if not given.
    pub preferences: Option<Preferences>,
}

impl RegisterDiner {
    fn command(&self) -> Register {
        Register {
            name: self.name.clone(),
            color: self.color.clone(),
            client_ref: self.client_ref.clone(),
            preferences: self.preferences.clone(),
            remember: self.remember,
        }
    }
}

struct Facts {
    scene: Scene,
    diners: Vec<Diner>,
    device: Option<DeviceRow>,
}

impl DinerService {
    /// Registers the guest of a table token; a known `client_ref` gives the guest who is there already. Also says
    /// whether the guest is new. The answer holds tokens, so it is never stored.
    ///
    /// # Errors
    /// `session_closed`, `diner_limit_reached`.
    pub async fn register(
        &self,
        ask: &Ask,
        who: &TablePrincipal,
        phone: &RegisterDiner,
    ) -> Result<(DinerRegisteredView, bool), Refusal> {
        let shown = phone
            .device_token
            .as_deref()
            .and_then(|text| DeviceToken::parse(text).ok());
        let fresh = DeviceToken::generate(&SystemEntropy::default())
            .map_err(|error| Refusal::Internal(error.to_string()))?;
        self.db
            .transact(
                ask,
                Locks::session(who.session),
                async |conn| load(conn, ask, who, shown.as_ref()).await,
                |_, facts, act| self.decide(&facts?, act, who, &phone.command(), &fresh),
            )
            .await
    }

    fn decide(
        &self,
        facts: &Facts,
        act: &mut Act<'_>,
        who: &TablePrincipal,
        command: &Register,
        fresh: &DeviceToken,
    ) -> Result<(DinerRegisteredView, bool), Refusal> {
        let Facts {
            scene,
            diners,
            device,
        } = facts;
        // A table token has no actor of its own: the guest comes into being here.
        let _permit = authorize(
            &Principal::Table(who.clone()),
            Action::DinerRegister,
            &scene.resource(),
        )?;
        let known = device.as_ref().map(DeviceRow::to_domain).transpose()?;
        let joining = RegisterFacts {
            session: &scene.session,
            existing: command.client_ref.as_ref().and_then(|wanted| {
                diners
                    .iter()
                    .find(|diner| diner.client_ref.as_ref() == Some(wanted))
            }),
            count: diners.len(),
            device: known.as_ref(),
        };
        let registered = register_diner(joining, command.clone(), act.now, &mut act.ids)?;

        record(act, &registered, device.as_ref(), fresh);
        let people = People::of_diners([&registered.diner]);
        act.announce(&scene.place(&people), &registered.events);
        if let Some(audit) = &registered.audit {
            act.trace(Some(scene.branch.id), audit);
        }
        self.answer(act, who, &registered, fresh)
    }

    fn answer(
        &self,
        act: &mut Act<'_>,
        who: &TablePrincipal,
        registered: &Registered,
        fresh: &DeviceToken,
    ) -> Result<(DinerRegisteredView, bool), Refusal> {
        let principal = DinerPrincipal {
            tenant: who.tenant,
            branch: who.branch,
            session: who.session,
            seating: who.seating,
            diner: registered.diner.id,
        };
        let token = self
            .tokens
            .issue(&DinerClaims::new(&principal, act.now, act.ids.uuid()))?;
        let is_remembered_now = matches!(registered.device, Some(DeviceChange::New(_)));
        let view = DinerRegisteredView {
            diner: views::own_diner(&registered.diner),
            diner_token: token,
            expires_in: DINER_LIFETIME.num_seconds(),
            device_token: is_remembered_now.then(|| fresh.expose().to_owned()),
        };
        Ok((view, registered.is_new))
    }
}

async fn load(
    conn: Conn<'_>,
    ask: &Ask,
    who: &TablePrincipal,
    shown: Option<&DeviceToken>,
) -> Result<Facts, Refusal> {
    let (scene, diners, device) = try_join!(
        Scene::find(conn, ask.tenant, who.session),
        store::of_session(conn, ask.tenant, who.session),
        async {
            match shown {
                Some(token) => store::device_of_token(conn, ask.tenant, &token.hash()).await,
                None => Ok(None),
            }
        },
    )?;
    let scene = scene.ok_or(Refusal::SeatingEnded)?;
    require_seating(&Principal::Table(who.clone()), &scene.session)?;
    Ok(Facts {
        scene,
        diners,
        device,
    })
}

fn record(act: &mut Act<'_>, registered: &Registered, known: Option<&DeviceRow>, fresh: &DeviceToken) {
    let tenant = act.ask.tenant;
    let diner = DinerRow::of(tenant, &registered.diner);
    if registered.is_new {
        act.rows.insert(&diner);
    } else if registered.audit.is_some() {
        act.rows.update(&diner);
    }
    match (&registered.device, known) {
        (Some(DeviceChange::New(device)), _) => {
            act.rows
                .insert(&DeviceRow::of(tenant, device, &fresh.hash(), act.now));
        }
        (Some(DeviceChange::Seen(device)), Some(row)) => {
            act.rows
                .update(&DeviceRow::of(tenant, device, &row.token_hash, act.now));
        }
        (Some(DeviceChange::Seen(_)) | None, _) => {}
    }
    act.rows.update(&SessionRow::of(tenant, &registered.session));
}
