//! Visits as waiters handle them.

use actix_web::{HttpRequest, get, post, web};
use comanda_domain::ids::SessionId;
use comanda_infrastructure::views::{DinerView, SessionDetailView, SessionView};
use comanda_security::policy::Principal;

use crate::http::answer::{Answer, seen, stored, versioned};
use crate::http::body::{Nothing, Text, body};
use crate::http::command::{Command, Keyed, Unkeyed, ask};
use crate::http::path::PathId;
use crate::http::principal::Staff;
use crate::problem::{Code, Problem};
use crate::routes::bodies::{ColorText, Reason};
use crate::routes::diner::color;
use crate::state::State;

body! {
    /// A guest without a phone.
    GuestBody {
        /// What the others call them.
        name: Text<1, 50>,
        /// `#RRGGBB`; chosen by order of joining if not said.
        color: Option<ColorText>,
    }
}

body! {
    /// How the visit ends.
    CloseBody {
        /// Serve what is ready first.
        serve_ready_rounds: Option<bool>,
        /// Not in this version: a visit with something unfinished or unpaid cannot be closed yet.
        force: Option<bool>,
        /// Goes with `force`.
        reason: Option<Reason>,
    }
}

/// Forced closing, and the reason that goes with it, come with write-offs.
fn refuse_force(body: &CloseBody) -> Result<(), Problem> {
    let member = match (body.force, &body.reason) {
        (Some(true), _) => "/force",
        (_, Some(_)) => "/reason",
        _ => return Ok(()),
    };
    Err(Problem::with_detail(
        Code::ValidationFailed,
        "Forced closing is not possible in this version.",
    )
    .at(member, "not_allowed", "not possible in this version"))
}

/// One visit with its rounds, calls and check totals.
#[utoipa::path(tag = "waiter", responses((status = 200, body = SessionDetailView)),
    extensions(("x-comanda-action" = json!("session.read")), ("x-comanda-cursor" = json!(true))))]
#[get("/sessions/{session_id}")]
pub async fn get(
    state: web::Data<State>,
    staff: Staff,
    request: HttpRequest,
    id: PathId<SessionId>,
) -> Answer {
    let who = Principal::Staff(staff.0);
    let found = state
        .services
        .sessions
        .get(&ask(&request, &who), &who, id.0)
        .await?;
    Ok(seen(found, |(view, version)| versioned(&view, version)))
}

/// Adds a guest without a phone, so that the bill can be split fairly.
#[utoipa::path(tag = "waiter", request_body = GuestBody, responses((status = 201, body = DinerView)),
    extensions(("x-comanda-action" = json!("diner.add_guest"))))]
#[post("/sessions/{session_id}/diners")]
pub async fn add_guest(
    state: web::Data<State>,
    id: PathId<SessionId>,
    command: Command<GuestBody, Unkeyed>,
) -> Answer {
    let (name, color) = (command.body.name.0, color(command.body.color)?);
    Ok(stored(
        state
            .services
            .diners
            .add_guest(&command.ask, &command.who, id.0, name, color)
            .await?,
    ))
}

/// Ordering goes on: a paid check is settled, an unpaid one without money is withdrawn.
#[utoipa::path(tag = "waiter", responses((status = 200, body = SessionView)),
    extensions(("x-comanda-action" = json!("session.reopen")), ("x-idempotency-key" = json!("required"))))]
#[post("/sessions/{session_id}/reopen")]
pub async fn reopen(
    state: web::Data<State>,
    id: PathId<SessionId>,
    command: Command<Nothing, Keyed>,
) -> Answer {
    Ok(stored(
        state
            .services
            .sessions
            .reopen(&command.ask, &command.who, id.0, command.if_match)
            .await?,
    ))
}

/// The party has left: everything served, billed and paid.
#[utoipa::path(tag = "waiter", request_body = CloseBody, responses((status = 200, body = SessionView)),
    extensions(("x-comanda-action" = json!("session.close")), ("x-idempotency-key" = json!("required"))))]
#[post("/sessions/{session_id}/close")]
pub async fn close(
    state: web::Data<State>,
    id: PathId<SessionId>,
    command: Command<CloseBody, Keyed>,
) -> Answer {
    refuse_force(&command.body)?;
    let serve = command.body.serve_ready_rounds.unwrap_or(false);
    Ok(stored(
        state
            .services
            .sessions
            .close(&command.ask, &command.who, id.0, command.if_match, serve)
            .await?,
    ))
}
