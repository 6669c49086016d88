//! A guest scans the code of a table.

use comanda_domain::diner::Diner;
use comanda_domain::ids::{CheckId, UserId};
use comanda_domain::session::{OpenOrJoin, OpenedOrJoined, ScanFacts, Session, open_or_join};
use comanda_security::codes::TableCode;
use comanda_security::policy::TablePrincipal;
use comanda_security::tokens::{TABLE_LIFETIME, TableClaims};
use futures_util::try_join;

use super::rows::{SessionRow, TableVersionRow};
use super::spot::Spot;
use super::{Scene, SessionService, assigned, new_join_code, store};
use crate::billing;
use crate::db::{Act, Conn, Locks};
use crate::diners;
use crate::people::People;
use crate::refusal::Refusal;
use crate::staff::Stranger;
use crate::views::{self, ScannedView};

struct Facts {
    spot: Spot,
    session: Option<Session>,
    diners: Vec<Diner>,
    check: Option<CheckId>,
    waiters: Vec<UserId>,
    people: People,
}

impl SessionService {
    /// Joins the live visit of a table, or opens one; at most one, however many phones scan. Also says whether it
    /// was opened. The answer holds a token, so it is never stored.
    ///
    /// # Errors
    /// `table_code_invalid`, `tenant_suspended`, `table_out_of_service`, `table_not_open`, `join_code_invalid`.
    pub async fn open_or_join(
        &self,
        stranger: &Stranger,
        code: &str,
        join_code: Option<&str>,
        party_size: Option<i32>,
    ) -> Result<(ScannedView, bool), Refusal> {
        let code = self.read_code(code)?;
        let ask = stranger.ask(code.tenant, None);
        let command = OpenOrJoin {
            join_code: join_code.map(str::to_owned),
            party_size,
            new_join_code: new_join_code()?,
        };
        self.db
            .transact(
                &ask,
                Locks::table(code.table),
                async |conn| self.load(conn, &code).await,
                |_, facts, act| self.decide(&facts?, act, &command),
            )
            .await
    }

    async fn load(&self, conn: Conn<'_>, code: &TableCode) -> Result<Facts, Refusal> {
        let tenant = code.tenant;
        let (active, spot, session) = try_join!(
            store::tenant_is_active(conn, tenant),
            Spot::find(conn, tenant, code.table),
            store::live_at(conn, tenant, code.table),
        )?;
        if !active.ok_or(Refusal::TableCodeInvalid)? {
            return Err(Refusal::TenantSuspended);
        }
        let spot = spot
            .filter(|spot| spot.table.qr_version == i32::from(code.qr_version))
            .ok_or(Refusal::TableCodeInvalid)?;
        let mut facts = Facts {
            spot,
            session,
            diners: Vec::new(),
            check: None,
            waiters: Vec::new(),
            people: People::default(),
        };
        if let Some(session) = &facts.session {
            let waiter = session.assigned_waiter_id.map(|id| id.0);
            let (diners, check, people) = try_join!(
                diners::store::of_session(conn, tenant, session.id),
                billing::store::latest_of_session(conn, tenant, session.id),
                People::load(conn, tenant, waiter.into_iter().collect()),
            )?;
            (facts.diners, facts.check, facts.people) = (diners, check.map(|check| check.id), people);
        } else {
            let sector = facts.spot.table.sector_id;
            let servers =
                assigned::servers(conn, tenant, &facts.spot.branch, self.db.sources().now()).await?;
            let here = servers.into_iter().filter(|(place, _)| *place == sector);
            facts.waiters = here.map(|(_, user)| user).collect();
            facts.people = People::load(conn, tenant, facts.waiters.iter().map(|id| id.0).collect()).await?;
        }
        Ok(facts)
    }

    fn decide(
        &self,
        facts: &Facts,
        act: &mut Act<'_>,
        command: &OpenOrJoin,
    ) -> Result<(ScannedView, bool), Refusal> {
        let scanning = ScanFacts {
            table: &facts.spot.table,
            session: facts.session.as_ref(),
            settings: &facts.spot.branch.settings,
            sector_waiters: &facts.waiters,
        };
        match open_or_join(scanning, command.clone(), act.now, &mut act.ids)? {
            OpenedOrJoined::Joined(session) => self.answer(facts, act, &facts.spot.with(*session), false),
            OpenedOrJoined::Opened(opened) => {
                let scene = facts.spot.with(opened.session);
                act.rows.insert(&SessionRow::of(act.ask.tenant, &scene.session));
                act.rows
                    .update(&TableVersionRow::of(act.ask.tenant, &opened.table));
                let place = scene.place(&facts.people).with_party(&facts.diners, facts.check);
                act.announce(&place, &opened.events);
                act.trace(Some(scene.branch.id), &opened.audit);
                self.answer(facts, act, &scene, true)
            }
        }
    }

    fn answer(
        &self,
        facts: &Facts,
        act: &mut Act<'_>,
        scene: &Scene,
        opened: bool,
    ) -> Result<(ScannedView, bool), Refusal> {
        use comanda_domain::ids::IdSource;
        let principal = TablePrincipal {
            tenant: act.ask.tenant,
            branch: scene.branch.id,
            session: scene.session.id,
            seating: scene.session.seating,
        };
        let token = self
            .tokens
            .issue(&TableClaims::new(&principal, act.now, act.ids.uuid()))?;
        let view = ScannedView {
            session: views::session(scene, &facts.diners, facts.check, &facts.people),
            table_token: token,
            expires_in: TABLE_LIFETIME.num_seconds(),
        };
        Ok((view, opened))
    }
}
