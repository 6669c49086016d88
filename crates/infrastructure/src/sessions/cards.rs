//! The floor: every table with what happens at it, in six queries.

use std::collections::{BTreeSet, HashMap};

use comanda_domain::branch::Branch;
use comanda_domain::ids::{BranchId, SectorId, TableId, TenantId, UserId};
use comanda_domain::session::SessionStatus;
use comanda_domain::table::{TableStatus, table_status};
use comanda_security::policy::{Action, Principal, Resource, authorize};
use diesel::dsl::count_star;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl,
    SelectableHelper,
};
use diesel_async::RunQueryDsl;
use futures_util::try_join;
use uuid::Uuid;

use super::rows::{SectorRow, SessionRow, TableRow};
use super::{Scene, SessionService, assigned};
use crate::billing::rows::CheckRow;
use crate::db::{Ask, Conn, DbError, Seen};
use crate::paging::{Page, Part};
use crate::people::People;
use crate::refusal::Refusal;
use crate::schema::{app_user, guest_check, restaurant_table, round, sector, service_call, table_session};
use crate::stored::named;
use crate::views::{
    self, CardCheckView, CardSessionView, NamedRef, PersonRef, RoundCountsView, TableCardDetailView,
    TableCardView, Texts,
};
use crate::{diners, floor, rounds};

/// Which tables are wanted.
#[derive(Debug, Clone, Default)]
pub struct CardFilter {
    /// Of this sector only.
    pub sector: Option<SectorId>,
    /// In these statuses; any if empty.
    pub statuses: Vec<TableStatus>,
    /// Those that the asking person serves: by assignment of the sector now, or of the visit.
    pub mine: bool,
}

enum Wanted {
    OfBranch(BranchId, Option<SectorId>),
    One(TableId),
}

type Place = (TableRow, SectorRow, Option<SessionRow>, Option<String>);

impl SessionService {
    /// The tables of a branch, by sector and code.
    ///
    /// # Errors
    /// `not_found`, `forbidden`.
    pub async fn cards(
        &self,
        ask: &Ask,
        who: &Principal,
        id: BranchId,
        filter: &CardFilter,
    ) -> Result<Seen<Vec<TableCardView>>, Refusal> {
        self.db
            .watch(ask.tenant, async |conn| {
                let wanted = Wanted::OfBranch(id, filter.sector);
                let (branch, places) = try_join!(
                    floor::store::branch(conn, ask.tenant, id),
                    places(conn, ask.tenant, &wanted)
                )?;
                let branch = branch.ok_or(Refusal::NotFound)?.to_domain()?;
                let permit = authorize(who, Action::SessionRead, &Resource::of_branch(ask.tenant, id))?;
                let (business, mine) = try_join!(
                    Business::of(conn, ask.tenant, &places),
                    self.sectors_of(conn, &branch, permit.actor().user_id().filter(|_| filter.mine)),
                )?;
                let me = permit.actor().user_id().map(|id| id.0);
                let cards = places.iter().filter(|(table, _, session, _)| {
                    let serves = session
                        .as_ref()
                        .is_some_and(|row| row.assigned_waiter_id == me && me.is_some());
                    !filter.mine || serves || mine.contains(&SectorId(table.sector_id))
                });
                let cards: Vec<TableCardView> = cards
                    .map(|place| business.card(place, &branch))
                    .collect::<Result<_, DbError>>()?;
                let statuses: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
                let fits =
                    |card: &TableCardView| statuses.is_empty() || statuses.contains(&card.status.as_str());
                Ok((id, cards.into_iter().filter(fits).collect()))
            })
            .await
    }

    /// A page of these cards. A floor is small and read as a whole, so the page is cut from it.
    ///
    /// # Errors
    /// As [`Self::cards`], and `invalid_cursor`.
    pub async fn cards_page(
        &self,
        ask: &Ask,
        who: &Principal,
        id: BranchId,
        filter: &CardFilter,
        page: &Page<'_>,
    ) -> Result<Seen<Part<TableCardView>>, Refusal> {
        let after: Option<String> = page.position()?;
        self.cards(ask, who, id, filter).await?.try_map(|cards| {
            let cards = cards.into_iter();
            let rest = match after {
                Some(last) => cards.skip_while(|card| card.id != last).skip(1).collect(),
                None => cards.collect(),
            };
            page.part(rest, |card: &TableCardView| card.id.clone(), TableCardView::clone)
        })
    }

    /// One table with its live visit and rounds.
    ///
    /// # Errors
    /// `not_found`, `forbidden`.
    pub async fn card(
        &self,
        ask: &Ask,
        who: &Principal,
        id: TableId,
    ) -> Result<Seen<TableCardDetailView>, Refusal> {
        self.db
            .watch(ask.tenant, async |conn| {
                let places = places(conn, ask.tenant, &Wanted::One(id)).await?;
                let [place] = places.as_slice() else {
                    return Err(Refusal::NotFound);
                };
                let id = BranchId(place.0.branch_id);
                let _permit = authorize(who, Action::SessionRead, &Resource::of_branch(ask.tenant, id))?;
                let (branch, business, party) = try_join!(
                    async { Ok(floor::store::branch(conn, ask.tenant, id).await?) },
                    async { Ok(Business::of(conn, ask.tenant, &places).await?) },
                    party(conn, ask, place.2.as_ref()),
                )?;
                let branch = branch.ok_or(Refusal::NotFound)?.to_domain()?;
                let card = business.card(place, &branch)?;
                let (session, rounds) = match party {
                    Some((session, rounds)) => (Some(session), rounds),
                    None => (None, Vec::new()),
                };
                let detail = TableCardDetailView {
                    card,
                    session,
                    rounds,
                };
                Ok((id, detail))
            })
            .await
    }

    async fn sectors_of(
        &self,
        conn: Conn<'_>,
        branch: &Branch,
        who: Option<UserId>,
    ) -> Result<BTreeSet<SectorId>, DbError> {
        let Some(who) = who else {
            return Ok(BTreeSet::new());
        };
        let servers = assigned::servers(conn, branch.tenant_id, branch, self.db.sources().now()).await?;
        Ok(servers
            .into_iter()
            .filter(|(_, user)| *user == who)
            .map(|(sector, _)| sector)
            .collect())
    }
}

async fn party(
    conn: Conn<'_>,
    ask: &Ask,
    session: Option<&SessionRow>,
) -> Result<Option<(views::SessionView, Vec<views::RoundView>)>, Refusal> {
    let Some(session) = session else { return Ok(None) };
    let id = session.id.into();
    let wanted = rounds::store::Wanted::OfSession(id);
    let (scene, diners, check, found) = try_join!(
        Scene::find(conn, ask.tenant, id),
        diners::store::of_session(conn, ask.tenant, id),
        crate::billing::store::latest_of_session(conn, ask.tenant, id),
        rounds::store::find(conn, ask.tenant, &wanted),
    )?;
    let scene = scene.ok_or(Refusal::NotFound)?;
    let mut people = rounds::store::people_of(found.iter().map(|found| &found.round));
    people.extend(session.assigned_waiter_id);
    let people = People::load(conn, ask.tenant, people).await?;
    let texts = Texts::wanted(ask.language.as_deref(), &scene.branch);
    let rounds = found
        .iter()
        .map(|found| views::round(&found.round, Some(&found.table), &scene.branch, &people, &texts))
        .collect();
    Ok(Some((
        views::session(&scene, &diners, check.map(|check| check.id), &people),
        rounds,
    )))
}

/// Live tables with their sector, their live visit and the name of its waiter.
async fn places(conn: Conn<'_>, tenant: TenantId, wanted: &Wanted) -> Result<Vec<Place>, DbError> {
    let query = restaurant_table::table
        .inner_join(
            sector::table.on(sector::tenant_id
                .eq(restaurant_table::tenant_id)
                .and(sector::id.eq(restaurant_table::sector_id))),
        )
        .left_join(
            table_session::table.on(table_session::tenant_id
                .eq(restaurant_table::tenant_id)
                .and(table_session::table_id.eq(restaurant_table::id))
                .and(table_session::status.ne(SessionStatus::Closed.as_str()))),
        )
        .left_join(
            app_user::table.on(app_user::tenant_id
                .eq(restaurant_table::tenant_id)
                .and(table_session::assigned_waiter_id.eq(app_user::id.nullable()))),
        )
        .filter(restaurant_table::tenant_id.eq(tenant.0))
        .filter(restaurant_table::deleted_at.is_null())
        .order((sector::display_order, sector::id, restaurant_table::code))
        .select((
            TableRow::as_select(),
            SectorRow::as_select(),
            Option::<SessionRow>::as_select(),
            app_user::name.nullable(),
        ))
        .into_boxed();
    let query = match wanted {
        Wanted::One(id) => query.filter(restaurant_table::id.eq(id.0)),
        Wanted::OfBranch(id, None) => query.filter(restaurant_table::branch_id.eq(id.0)),
        Wanted::OfBranch(id, Some(sector)) => query
            .filter(restaurant_table::branch_id.eq(id.0))
            .filter(restaurant_table::sector_id.eq(sector.0)),
    };
    Ok(query.load(&mut &*conn).await?)
}

/// What happens at tables, by visit.
#[derive(Default)]
struct Business {
    rounds: HashMap<Uuid, RoundCountsView>,
    calls: HashMap<Uuid, i64>,
    checks: HashMap<Uuid, CheckRow>,
}

impl Business {
    async fn of(conn: Conn<'_>, tenant: TenantId, places: &[Place]) -> Result<Self, DbError> {
        let ids: Vec<Uuid> = places
            .iter()
            .filter_map(|(_, _, session, _)| Some(session.as_ref()?.id))
            .collect();
        let (mut a, mut b, mut c) = (conn, conn, conn);
        let (rounds, calls, checks) = try_join!(
            round::table
                .filter(round::tenant_id.eq(tenant.0))
                .filter(round::session_id.eq_any(&ids))
                .group_by((round::session_id, round::status))
                .select((round::session_id, round::status, count_star()))
                .load::<(Uuid, String, i64)>(&mut a),
            service_call::table
                .filter(service_call::tenant_id.eq(tenant.0))
                .filter(service_call::session_id.eq_any(&ids))
                .filter(service_call::status.eq("open"))
                .group_by(service_call::session_id)
                .select((service_call::session_id, count_star()))
                .load::<(Uuid, i64)>(&mut b),
            guest_check::table
                .filter(guest_check::tenant_id.eq(tenant.0))
                .filter(guest_check::session_id.eq_any(&ids))
                .filter(guest_check::settled_at.is_null())
                .filter(guest_check::voided_at.is_null())
                .select(CheckRow::as_select())
                .load::<CheckRow>(&mut c),
        )?;
        let mut counts: HashMap<Uuid, RoundCountsView> = HashMap::new();
        for (session, status, number) in rounds {
            count(counts.entry(session).or_default(), &status, number);
        }
        Ok(Self {
            rounds: counts,
            calls: calls.into_iter().collect(),
            checks: checks.into_iter().map(|row| (row.session_id, row)).collect(),
        })
    }

    fn card(
        &self,
        (table, sector, session, waiter): &Place,
        branch: &Branch,
    ) -> Result<TableCardView, DbError> {
        let status = session
            .as_ref()
            .map(|row| named(&row.status, SessionStatus::parse))
            .transpose()?;
        let visit = session.as_ref().map(|row| row.id);
        let check = visit
            .and_then(|id| self.checks.get(&id))
            .map(CheckRow::to_domain)
            .transpose()?;
        Ok(TableCardView {
            id: TableId(table.id).to_string(),
            branch_id: branch.id.to_string(),
            code: table.code.clone(),
            capacity: table.capacity,
            sector: NamedRef {
                id: SectorId(sector.id).to_string(),
                name: sector.name.clone(),
            },
            status: table_status(table.out_of_service, status).to_string(),
            session: session
                .clone()
                .map(|row| card_session(row, waiter.clone()))
                .transpose()?,
            rounds: visit
                .and_then(|id| self.rounds.get(&id))
                .cloned()
                .unwrap_or_default(),
            open_calls: visit
                .and_then(|id| self.calls.get(&id))
                .copied()
                .unwrap_or_default(),
            check: check.map(|check| CardCheckView {
                id: check.id.to_string(),
                status: check.status.to_string(),
                due: views::money(check.due(), branch.currency),
            }),
        })
    }
}

fn count(counts: &mut RoundCountsView, status: &str, number: i64) {
    use comanda_domain::round::RoundStatus as S;
    match S::parse(status) {
        Some(S::Pending) => counts.pending = number,
        Some(S::Confirmed) => counts.confirmed = number,
        Some(S::Submitted) => counts.submitted = number,
        Some(S::InKitchen) => counts.in_kitchen = number,
        Some(S::Ready) => counts.ready = number,
        Some(S::Served | S::Canceled) | None => {}
    }
}

fn card_session(row: SessionRow, waiter: Option<String>) -> Result<CardSessionView, DbError> {
    let flagged_idle = row.flagged_idle_at.is_some();
    let session = row.into_domain()?;
    Ok(CardSessionView {
        id: session.id.to_string(),
        opened_at: views::time(session.opened.at),
        party_size: session.party_size,
        assigned_waiter: session.assigned_waiter_id.map(|id| PersonRef {
            id: id.to_string(),
            name: waiter.unwrap_or_default(),
        }),
        flagged_idle,
    })
}
