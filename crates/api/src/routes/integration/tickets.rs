//! The work of the kitchen on another company's screens.

use actix_web::{HttpRequest, get, post, web};
use comanda_domain::ids::{BranchId, TicketId};
use comanda_domain::kitchen::{TicketAction, TicketCommand};
use comanda_infrastructure::views::TicketView;
use comanda_security::policy::Principal;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::http::answer::{Answer, Listed};
use crate::http::body::Nothing;
use crate::http::command::{Command, Keyed};
use crate::http::path::PathId;
use crate::http::principal::ApiKey;
use crate::routes::tickets::{TicketQuery, board, ticket_actions};
use crate::state::State;

/// Adds the routes below `/v1/integration`.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(start)
        .service(ready)
        .service(recall)
        .service(deliver);
}

/// The work of a branch, oldest submission first.
#[utoipa::path(tag = "integration", responses((status = 200, body = Listed<TicketView>)), params(TicketQuery),
    extensions(("x-comanda-action" = json!("ticket.read")), ("x-comanda-cursor" = json!(true))))]
#[get("/branches/{branch_id}/tickets")]
pub async fn list(
    state: web::Data<State>,
    key: ApiKey,
    request: HttpRequest,
    branch: PathId<BranchId>,
) -> Answer {
    board(&state, &request, &Principal::ApiKey(key.0), branch.0).await
}

ticket_actions! { "integration":
    /// The work is begun.
    start, "/tickets/{ticket_id}/start", "ticket.start", TicketAction::Start;
    /// The work is done; on a ticket that was not begun, this begins it first.
    ready, "/tickets/{ticket_id}/ready", "ticket.ready", TicketAction::Ready;
    /// What was done goes back to work.
    recall, "/tickets/{ticket_id}/recall", "ticket.recall", TicketAction::Recall;
    /// It is handed over.
    deliver, "/tickets/{ticket_id}/deliver", "ticket.deliver", TicketAction::Deliver;
}
