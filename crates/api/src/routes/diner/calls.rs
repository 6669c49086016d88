//! Asking for a person.

use actix_web::{HttpRequest, get, post, web};
use comanda_domain::ids::ServiceCallId;
use comanda_domain::service_call::{CallMove, CallType, RaiseCall};
use comanda_infrastructure::views::CallView;
use comanda_security::policy::Principal;

use crate::http::answer::{Answer, Listed, list as whole_list, seen, stored};
use crate::http::body::{Named, Nothing, body};
use crate::http::command::{Command, Unkeyed, ask};
use crate::http::path::PathId;
use crate::http::principal::Diner;
use crate::routes::bodies::Notes;
use crate::state::State;

body! {
    /// What is wanted.
    RaiseBody {
        /// `waiter`, `payment_help` or `other`.
        r#type: Named<CallType>,
        /// In the guest's words.
        note: Option<Notes>,
    }
}

/// The calls of the visit.
#[utoipa::path(tag = "diner", responses((status = 200, body = Listed<CallView>)),
    extensions(("x-comanda-action" = json!("service_call.read")), ("x-comanda-cursor" = json!(true))))]
#[get("/service-calls")]
pub async fn list(state: web::Data<State>, diner: Diner, request: HttpRequest) -> Answer {
    let ask = ask(&request, &Principal::Diner(diner.0.clone()));
    let found = state.services.calls.of_visit(&ask, &diner.0).await?;
    Ok(seen(found, whole_list))
}

/// Asks for a person; a call that is already open is given back and perhaps counted as a reminder.
#[utoipa::path(tag = "diner", request_body = RaiseBody, responses(
        (status = 201, body = CallView), (status = 200, description = "the call already open", body = CallView),
    ), extensions(("x-comanda-action" = json!("service_call.raise"))))]
#[post("/service-calls")]
pub async fn raise(state: web::Data<State>, diner: Diner, command: Command<RaiseBody, Unkeyed>) -> Answer {
    let raising = RaiseCall {
        call_type: command.body.r#type.0,
        note: command
            .body
            .note
            .map(|note| note.0)
            .filter(|note| !note.is_empty()),
    };
    Ok(stored(
        state
            .services
            .calls
            .raise(&command.ask, &diner.0, &raising)
            .await?,
    ))
}

/// Takes back the caller's own call while nobody has reacted.
#[utoipa::path(tag = "diner", responses((status = 200, body = CallView)),
    extensions(("x-comanda-action" = json!("service_call.cancel"))))]
#[post("/service-calls/{call_id}/cancel")]
pub async fn cancel(
    state: web::Data<State>,
    _diner: Diner,
    id: PathId<ServiceCallId>,
    command: Command<Nothing, Unkeyed>,
) -> Answer {
    Ok(stored(
        state
            .services
            .calls
            .moved(&command.ask, &command.who, id.0, CallMove::Cancel)
            .await?,
    ))
}
