//! Guests who asked for a person.

use actix_web::{HttpRequest, get, post, web};
use comanda_domain::ids::{BranchId, ServiceCallId};
use comanda_domain::service_call::{CallMove, CallStatus};
use comanda_infrastructure::views::CallView;
use comanda_security::policy::Principal;

use crate::http::answer::{Answer, Listed, seen, stored};
use crate::http::body::Nothing;
use crate::http::command::{Command, Unkeyed, ask};
use crate::http::paging::{paged, with_page};
use crate::http::path::PathId;
use crate::http::principal::Staff;
use crate::http::query::Query;
use crate::state::State;

/// The calls of a branch, oldest first; open and acknowledged ones if no status is named.
#[utoipa::path(tag = "waiter", responses((status = 200, body = Listed<CallView>)), params(
        ("status" = Option<String>, Query, description = "statuses, separated by commas"),
        ("limit" = Option<i64>, Query, description = "1..200, default 50"),
        ("cursor" = Option<String>, Query, description = "where the page begins"),
    ), extensions(("x-comanda-action" = json!("service_call.read")), ("x-comanda-cursor" = json!(true))))]
#[get("/branches/{branch_id}/service-calls")]
pub async fn list(
    state: web::Data<State>,
    staff: Staff,
    request: HttpRequest,
    branch: PathId<BranchId>,
) -> Answer {
    let mut query = Query::of(&request)?;
    let statuses = query
        .all("status")?
        .unwrap_or_else(|| vec![CallStatus::Open, CallStatus::Acked]);
    let page = query.page()?;
    query.close()?;
    let who = Principal::Staff(staff.0);
    let ask = ask(&request, &who);
    let part = with_page(&state, &request, &page, async |page| {
        state
            .services
            .calls
            .of_branch(&ask, &who, branch.0, &statuses, &page)
            .await
    })
    .await?;
    Ok(seen(part, |part| paged(&request, part)))
}

/// Somebody is on the way.
#[utoipa::path(tag = "waiter", responses((status = 200, body = CallView)),
    extensions(("x-comanda-action" = json!("service_call.ack"))))]
#[post("/service-calls/{call_id}/ack")]
pub async fn ack(
    state: web::Data<State>,
    id: PathId<ServiceCallId>,
    command: Command<Nothing, Unkeyed>,
) -> Answer {
    Ok(stored(
        state
            .services
            .calls
            .moved(&command.ask, &command.who, id.0, CallMove::Ack)
            .await?,
    ))
}

/// Done.
#[utoipa::path(tag = "waiter", responses((status = 200, body = CallView)),
    extensions(("x-comanda-action" = json!("service_call.close"))))]
#[post("/service-calls/{call_id}/close")]
pub async fn close(
    state: web::Data<State>,
    id: PathId<ServiceCallId>,
    command: Command<Nothing, Unkeyed>,
) -> Answer {
    Ok(stored(
        state
            .services
            .calls
            .moved(&command.ask, &command.who, id.0, CallMove::Close)
            .await?,
    ))
}
