//! What the kitchen does.

use actix_web::http::header;
use actix_web::{HttpRequest, get, post, put, web};
use chrono::{DateTime, Utc};
use comanda_domain::ids::{BranchId, ModifierOptionId, ProductId, RoundId, TicketId, TicketItemId};
use comanda_domain::kitchen::{ItemAction, TicketAction, TicketCommand};
use comanda_domain::menu::SetAvailability;
use comanda_domain::round::RoundTarget;
use comanda_infrastructure::rounds::RoundFilter;
use comanda_infrastructure::views::{AvailabilityView, RoundView, TicketView};
use comanda_security::policy::Principal;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::http::answer::{Answer, Listed, seen, stored, versioned};
use crate::http::body::{Nothing, Patch, Text, body};
use crate::http::command::{Command, Keyed, Unkeyed, ask};
use crate::http::paging::{paged, with_page};
use crate::http::path::PathId;
use crate::http::principal::Staff;
use crate::http::query::Query;
use crate::problem::{Code, Problem};
use crate::routes::tickets::{TicketQuery, board, moved, ticket_actions};
use crate::state::State;

/// Adds the routes below `/v1/kitchen`.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(crate::routes::events::list_kitchen_events)
        .service(list_tickets)
        .service(get_ticket)
        .service(start_ticket)
        .service(ready_ticket)
        .service(recall_ticket)
        .service(deliver_ticket)
        .service(start_item)
        .service(ready_item)
        .service(recall_item)
        .service(list_rounds)
        .service(get_round)
        .service(start_round)
        .service(ready_round)
        .service(recall_round)
        .service(serve_round)
        .service(product_availability)
        .service(option_availability);
}

body! {
    /// Sold out, or back.
    AvailabilityBody {
        /// The switch.
        available: bool,
        /// When a switched-off entry comes back by itself, RFC 3339.
        unavailable_until: Patch<Text<1, 40>>,
    }
}

impl AvailabilityBody {
    fn command(self) -> Result<SetAvailability, Problem> {
        let fault = |code: &str, detail: &str| {
            Problem::with_detail(Code::ValidationFailed, detail).at("/unavailable_until", code, detail)
        };
        let unavailable_until = match self.unavailable_until {
            Patch::Keep | Patch::Clear => None,
            Patch::Set(_) if self.available => {
                return Err(fault("not_allowed", "only for something that is sold out"));
            }
            Patch::Set(text) => Some(
                DateTime::parse_from_rfc3339(&text.0)
                    .map_err(|_| fault("wrong_format", "a time such as 2026-11-24T23:00:00Z"))?
                    .with_timezone(&Utc),
            ),
        };
        Ok(SetAvailability {
            available: self.available,
            unavailable_until,
        })
    }
}

/// The work of a branch, oldest submission first.
#[utoipa::path(tag = "kitchen", responses((status = 200, body = Listed<TicketView>)), params(TicketQuery),
    extensions(("x-comanda-action" = json!("ticket.read")), ("x-comanda-cursor" = json!(true))))]
#[get("/branches/{branch_id}/tickets")]
pub async fn list_tickets(
    state: web::Data<State>,
    staff: Staff,
    request: HttpRequest,
    branch: PathId<BranchId>,
) -> Answer {
    board(&state, &request, &Principal::Staff(staff.0), branch.0).await
}

/// One ticket.
#[utoipa::path(tag = "kitchen", responses((status = 200, body = TicketView)),
    extensions(("x-comanda-action" = json!("ticket.read")), ("x-comanda-cursor" = json!(true))))]
#[get("/tickets/{ticket_id}")]
pub async fn get_ticket(
    state: web::Data<State>,
    staff: Staff,
    request: HttpRequest,
    id: PathId<TicketId>,
) -> Answer {
    let accept = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("*/*");
    if !["application/json", "application/*", "*/*"]
        .iter()
        .any(|kind| accept.contains(kind))
    {
        return Err(Problem::new(Code::NotAcceptable));
    }
    let who = Principal::Staff(staff.0);
    let found = state
        .services
        .kitchen
        .get(&ask(&request, &who), &who, id.0)
        .await?;
    Ok(seen(found, |(view, version)| versioned(&view, version)))
}

ticket_actions! { "kitchen":
    /// The work is begun.
    start_ticket, "/tickets/{ticket_id}/start", "ticket.start", TicketAction::Start;
    /// The work is done; on a ticket that was not begun, this begins it first.
    ready_ticket, "/tickets/{ticket_id}/ready", "ticket.ready", TicketAction::Ready;
    /// What was done goes back to work.
    recall_ticket, "/tickets/{ticket_id}/recall", "ticket.recall", TicketAction::Recall;
    /// It is handed over.
    deliver_ticket, "/tickets/{ticket_id}/deliver", "ticket.deliver", TicketAction::Deliver;
}

macro_rules! item_actions {
    ($($(#[$doc:meta])* $name:ident, $path:literal, $policy:literal, $action:expr;)*) => {$(
        $(#[$doc])*
        #[utoipa::path(tag = "kitchen", responses((status = 200, body = TicketView)),
            extensions(("x-comanda-action" = json!($policy)), ("x-idempotency-key" = json!("required"))))]
        #[post($path)]
        pub async fn $name(
            state: web::Data<State>,
            id: PathId<TicketId>,
            item: PathId<TicketItemId>,
            command: Command<Nothing, Keyed>,
        ) -> Answer {
            moved(&state, id.0, &command, TicketCommand::Item(item.0, $action)).await
        }
    )*};
}

item_actions! {
    /// One line is begun.
    start_item, "/tickets/{ticket_id}/items/{item_id}/start", "ticket.start", ItemAction::Start;
    /// One line is done.
    ready_item, "/tickets/{ticket_id}/items/{item_id}/ready", "ticket.ready", ItemAction::Ready;
    /// One line goes back to work.
    recall_item, "/tickets/{ticket_id}/items/{item_id}/recall", "ticket.recall", ItemAction::Recall;
}

/// The rounds of a branch from their submission on, newest first.
#[utoipa::path(tag = "kitchen", responses((status = 200, body = Listed<RoundView>)), params(
        ("status" = Option<String>, Query, description = "statuses, separated by commas"),
        ("limit" = Option<i64>, Query, description = "1..200, default 50"),
        ("cursor" = Option<String>, Query, description = "where the page begins"),
    ), extensions(("x-comanda-action" = json!("round.read")), ("x-comanda-cursor" = json!(true))))]
#[get("/branches/{branch_id}/rounds")]
pub async fn list_rounds(
    state: web::Data<State>,
    staff: Staff,
    request: HttpRequest,
    branch: PathId<BranchId>,
) -> Answer {
    let mut query = Query::of(&request)?;
    let filter = RoundFilter {
        session: None,
        statuses: query.all("status")?.unwrap_or_default(),
        submitted_only: true,
    };
    let page = query.page()?;
    query.close()?;
    let who = Principal::Staff(staff.0);
    let ask = ask(&request, &who);
    let part = with_page(&state, &request, &page, async |page| {
        state
            .services
            .rounds
            .of_branch(&ask, &who, branch.0, &filter, &page)
            .await
    })
    .await?;
    Ok(seen(part, |part| paged(&request, part)))
}

/// One round, once it was submitted.
#[utoipa::path(tag = "kitchen", responses((status = 200, body = RoundView)),
    extensions(("x-comanda-action" = json!("round.read")), ("x-comanda-cursor" = json!(true))))]
#[get("/rounds/{round_id}")]
pub async fn get_round(
    state: web::Data<State>,
    staff: Staff,
    request: HttpRequest,
    id: PathId<RoundId>,
) -> Answer {
    let who = Principal::Staff(staff.0);
    let found = state
        .services
        .rounds
        .get_submitted(&ask(&request, &who), &who, id.0)
        .await?;
    Ok(seen(found, |(view, version)| versioned(&view, version)))
}

macro_rules! round_actions {
    ($($(#[$doc:meta])* $name:ident, $path:literal, $policy:literal, $target:expr;)*) => {$(
        $(#[$doc])*
        #[utoipa::path(tag = "kitchen", responses((status = 200, body = RoundView)),
            extensions(("x-comanda-action" = json!($policy)), ("x-idempotency-key" = json!("required"))))]
        #[post($path)]
        pub async fn $name(state: web::Data<State>, id: PathId<RoundId>, command: Command<Nothing, Keyed>) -> Answer {
            let rounds = &state.services.rounds;
            Ok(stored(rounds.advance(&command.ask, &command.who, id.0, command.if_match, $target).await?))
        }
    )*};
}

round_actions! {
    /// Every ticket is begun.
    start_round, "/rounds/{round_id}/start", "round.start", RoundTarget::InKitchen;
    /// Every ticket is done.
    ready_round, "/rounds/{round_id}/ready", "round.ready", RoundTarget::Ready;
    /// What is done and not handed over goes back to work.
    recall_round, "/rounds/{round_id}/recall", "round.recall", RoundTarget::Recall;
    /// Everything is handed over.
    serve_round, "/rounds/{round_id}/serve", "round.serve", RoundTarget::Served;
}

/// A dish is sold out, or back.
#[utoipa::path(tag = "kitchen", request_body = AvailabilityBody, responses((status = 200, body = AvailabilityView)),
    extensions(("x-comanda-action" = json!("availability.set"))))]
#[put("/branches/{branch_id}/products/{product_id}/availability")]
pub async fn product_availability(
    state: web::Data<State>,
    branch: PathId<BranchId>,
    product: PathId<ProductId>,
    command: Command<AvailabilityBody, Unkeyed>,
) -> Answer {
    let set = command.body.command()?;
    let menus = &state.services.menus;
    Ok(stored(
        menus
            .set_product_availability(&command.ask, &command.who, branch.0, product.0, &set)
            .await?,
    ))
}

/// An option is sold out, or back.
#[utoipa::path(tag = "kitchen", request_body = AvailabilityBody, responses((status = 200, body = AvailabilityView)),
    extensions(("x-comanda-action" = json!("availability.set"))))]
#[put("/branches/{branch_id}/options/{option_id}/availability")]
pub async fn option_availability(
    state: web::Data<State>,
    branch: PathId<BranchId>,
    option: PathId<ModifierOptionId>,
    command: Command<AvailabilityBody, Unkeyed>,
) -> Answer {
    let set = command.body.command()?;
    let menus = &state.services.menus;
    Ok(stored(
        menus
            .set_option_availability(&command.ask, &command.who, branch.0, option.0, &set)
            .await?,
    ))
}
