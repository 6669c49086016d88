//! The floor.

use actix_web::{HttpRequest, get, post, web};
use comanda_domain::ids::{BranchId, TableId};
use comanda_infrastructure::sessions::CardFilter;
use comanda_infrastructure::views::{SessionView, TableCardDetailView, TableCardView};
use comanda_security::policy::Principal;

use crate::http::answer::{Answer, Listed, ok, seen, stored};
use crate::http::body::{Int, body};
use crate::http::command::{Command, Keyed, ask};
use crate::http::paging::{paged, with_page};
use crate::http::path::PathId;
use crate::http::principal::Staff;
use crate::http::query::Query;
use crate::routes::bodies::Notes;
use crate::state::State;

body! {
    /// The party that sits down.
    OpenBody {
        /// How many came.
        party_size: Option<Int<1, 50>>,
        /// A remark.
        note: Option<Notes>,
    }
}

/// The tables of a branch as cards, by sector and code.
#[utoipa::path(tag = "waiter", responses((status = 200, body = Listed<TableCardView>)), params(
        ("sector_id" = Option<String>, Query, description = "of this sector only"),
        ("status" = Option<String>, Query, description = "statuses, separated by commas"),
        ("mine" = Option<bool>, Query, description = "only the caller's own"),
        ("limit" = Option<i64>, Query, description = "1..200, default 50"),
        ("cursor" = Option<String>, Query, description = "where the page begins"),
    ), extensions(("x-comanda-action" = json!("session.read")), ("x-comanda-cursor" = json!(true))))]
#[get("/branches/{branch_id}/tables")]
pub async fn list(
    state: web::Data<State>,
    staff: Staff,
    request: HttpRequest,
    branch: PathId<BranchId>,
) -> Answer {
    let mut query = Query::of(&request)?;
    let filter = CardFilter {
        sector: query.id("sector_id")?,
        statuses: query.all("status")?.unwrap_or_default(),
        mine: query.flag("mine")?,
    };
    let page = query.page()?;
    query.close()?;
    let who = Principal::Staff(staff.0);
    let ask = ask(&request, &who);
    let part = with_page(&state, &request, &page, async |page| {
        let sessions = &state.services.sessions;
        sessions.cards_page(&ask, &who, branch.0, &filter, &page).await
    })
    .await?;
    Ok(seen(part, |part| paged(&request, part)))
}

/// One table with its live visit and rounds.
#[utoipa::path(tag = "waiter", responses((status = 200, body = TableCardDetailView)),
    extensions(("x-comanda-action" = json!("session.read")), ("x-comanda-cursor" = json!(true))))]
#[get("/tables/{table_id}")]
pub async fn get(
    state: web::Data<State>,
    staff: Staff,
    request: HttpRequest,
    table: PathId<TableId>,
) -> Answer {
    let who = Principal::Staff(staff.0);
    let found = state
        .services
        .sessions
        .card(&ask(&request, &who), &who, table.0)
        .await?;
    Ok(seen(found, |card| ok(&card)))
}

/// Opens a free table; whoever opens it serves it.
#[utoipa::path(tag = "waiter", request_body = OpenBody, responses((status = 201, body = SessionView)),
    extensions(("x-comanda-action" = json!("session.open")), ("x-idempotency-key" = json!("required"))))]
#[post("/tables/{table_id}/open")]
pub async fn open(
    state: web::Data<State>,
    table: PathId<TableId>,
    command: Command<OpenBody, Keyed>,
) -> Answer {
    let command = command.found_at("/v1/waiter/sessions/");
    let party_size = command.body.party_size.map(|size| size.0);
    let note = command
        .body
        .note
        .map(|note| note.0)
        .filter(|note| !note.is_empty());
    let sessions = &state.services.sessions;
    Ok(stored(
        sessions
            .open_for_staff(&command.ask, &command.who, table.0, party_size, note)
            .await?,
    ))
}
