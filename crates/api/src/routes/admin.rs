//! The branches, their tables and the codes printed on them.

use actix_web::{HttpRequest, get, web};
use comanda_domain::ids::{BranchId, TableId};
use comanda_infrastructure::views::{BranchView, QrView, TableView};
use comanda_security::policy::Principal;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::http::answer::{Answer, Listed, ok, versioned};
use crate::http::command::ask;
use crate::http::paging::{paged, with_page};
use crate::http::path::PathId;
use crate::http::principal::Staff;
use crate::http::query::Query;
use crate::state::State;

/// Adds the routes below `/v1/admin`.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(crate::routes::events::list_admin_events)
        .service(list_branches)
        .service(get_branch)
        .service(list_tables)
        .service(get_table)
        .service(get_qr);
}

/// The branches that the caller may read.
#[utoipa::path(tag = "admin", responses((status = 200, body = Listed<BranchView>)), params(
        ("limit" = Option<i64>, Query, description = "1..200, default 50"),
        ("cursor" = Option<String>, Query, description = "where the page begins"),
    ), extensions(("x-comanda-action" = json!("branch.read"))))]
#[get("/branches")]
pub async fn list_branches(state: web::Data<State>, staff: Staff, request: HttpRequest) -> Answer {
    let mut query = Query::of(&request)?;
    let page = query.page()?;
    query.close()?;
    let who = Principal::Staff(staff.0);
    let ask = ask(&request, &who);
    let part = with_page(&state, &request, &page, async |page| {
        state.services.floor.branches(&ask, &who, &page).await
    })
    .await?;
    Ok(paged(&request, part))
}

/// One branch.
#[utoipa::path(tag = "admin", responses((status = 200, body = BranchView)),
    extensions(("x-comanda-action" = json!("branch.read"))))]
#[get("/branches/{branch_id}")]
pub async fn get_branch(
    state: web::Data<State>,
    staff: Staff,
    request: HttpRequest,
    id: PathId<BranchId>,
) -> Answer {
    let who = Principal::Staff(staff.0);
    let (view, version) = state
        .services
        .floor
        .branch(&ask(&request, &who), &who, id.0)
        .await?;
    Ok(versioned(&view, version))
}

/// The tables of a branch, by code.
#[utoipa::path(tag = "admin", responses((status = 200, body = Listed<TableView>)), params(
        ("code" = Option<String>, Query, description = "exactly this code"),
        ("limit" = Option<i64>, Query, description = "1..200, default 50"),
        ("cursor" = Option<String>, Query, description = "where the page begins"),
    ), extensions(("x-comanda-action" = json!("floor.manage"))))]
#[get("/branches/{branch_id}/tables")]
pub async fn list_tables(
    state: web::Data<State>,
    staff: Staff,
    request: HttpRequest,
    branch: PathId<BranchId>,
) -> Answer {
    let mut query = Query::of(&request)?;
    let code = query.text("code");
    let page = query.page()?;
    query.close()?;
    let who = Principal::Staff(staff.0);
    let ask = ask(&request, &who);
    let part = with_page(&state, &request, &page, async |page| {
        state
            .services
            .floor
            .tables(&ask, &who, branch.0, code.as_deref(), &page)
            .await
    })
    .await?;
    Ok(paged(&request, part))
}

/// One table.
#[utoipa::path(tag = "admin", responses((status = 200, body = TableView)),
    extensions(("x-comanda-action" = json!("floor.manage"))))]
#[get("/tables/{table_id}")]
pub async fn get_table(
    state: web::Data<State>,
    staff: Staff,
    request: HttpRequest,
    id: PathId<TableId>,
) -> Answer {
    let who = Principal::Staff(staff.0);
    let (view, version) = state
        .services
        .floor
        .table(&ask(&request, &who), &who, id.0)
        .await?;
    Ok(versioned(&view, version))
}

/// What is printed on the table's sticker.
#[utoipa::path(tag = "admin", responses((status = 200, body = QrView)),
    extensions(("x-comanda-action" = json!("floor.manage"))))]
#[get("/tables/{table_id}/qr")]
pub async fn get_qr(
    state: web::Data<State>,
    staff: Staff,
    request: HttpRequest,
    id: PathId<TableId>,
) -> Answer {
    let who = Principal::Staff(staff.0);
    Ok(ok(&state
        .services
        .floor
        .qr(&ask(&request, &who), &who, id.0)
        .await?))
}
