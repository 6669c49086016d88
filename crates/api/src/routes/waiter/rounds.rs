//! Rounds as waiters handle them.

use actix_web::{HttpRequest, get, post, web};
use comanda_domain::cart::Sharing;
use comanda_domain::ids::{BranchId, DinerId, ProductId, RoundId, RoundItemId, SessionId};
use comanda_domain::round::{PlaceForTable, RoundTarget, TableItem, VoidItem};
use comanda_infrastructure::rounds::RoundFilter;
use comanda_infrastructure::views::RoundView;
use comanda_security::policy::Principal;

use crate::http::answer::{Answer, Listed, seen, stored, versioned};
use crate::http::body::{Id, Int, List, Named, Nothing, body};
use crate::http::command::{Command, Keyed, ask};
use crate::http::paging::{paged, with_page};
use crate::http::path::PathId;
use crate::http::principal::Staff;
use crate::http::query::Query;
use crate::routes::bodies::{ModifierBody, Notes, Reason, diners, modifiers, sharing};
use crate::state::State;

/// Where staff finds a round.
const ROUNDS: &str = "/v1/waiter/rounds/";

body! {
    /// One thing that staff orders for the table.
    TableItemBody {
        /// What.
        product_id: Id<ProductId>,
        /// How many.
        qty: Int<1, 99>,
        /// Chosen options.
        modifiers: Option<List<ModifierBody, 20>>,
        /// A wish to the kitchen.
        notes: Option<Notes>,
        /// `own` with a guest, `group` with several, else `table`.
        sharing: Option<Named<Sharing>>,
        /// Whose, for `own`.
        diner_id: Option<Id<DinerId>>,
        /// Whose, for `group`.
        shared_with: Option<List<Id<DinerId>, 50>>,
    }
}

impl From<TableItemBody> for TableItem {
    fn from(body: TableItemBody) -> Self {
        Self {
            product_id: body.product_id.0,
            qty: body.qty.0,
            modifiers: modifiers(body.modifiers),
            notes: body.notes.map(|notes| notes.0).unwrap_or_default(),
            sharing: sharing(body.sharing),
            diner_id: body.diner_id.map(|id| id.0),
            sharers: diners(body.shared_with),
        }
    }
}

body! {
    /// What staff orders for the table.
    PlaceForTableBody {
        /// At most 60.
        items: List<TableItemBody, 60>,
        /// A wish for the whole round.
        notes: Option<Notes>,
        /// Also confirm it; true if not said.
        confirm: Option<bool>,
    }
}

body! {
    /// Why.
    StaffCancelBody {
        /// Three to 200 characters.
        reason: Reason,
    }
}

body! {
    /// How much is taken back, and why.
    VoidBody {
        /// How many.
        qty: Int<1, 99>,
        /// Three to 200 characters.
        reason: Reason,
    }
}

/// Places a round for the table; the guests' cart is untouched.
#[utoipa::path(tag = "waiter", request_body = PlaceForTableBody, responses((status = 201, body = RoundView)),
    extensions(("x-comanda-action" = json!("round.place_for_table")), ("x-idempotency-key" = json!("required"))))]
#[post("/sessions/{session_id}/rounds")]
pub async fn place_round(
    state: web::Data<State>,
    session: PathId<SessionId>,
    command: Command<PlaceForTableBody, Keyed>,
) -> Answer {
    let command = command.found_at(ROUNDS);
    let placing = PlaceForTable {
        items: command.body.items.0.into_iter().map(TableItem::from).collect(),
        notes: command.body.notes.map(|notes| notes.0).unwrap_or_default(),
        confirm: command.body.confirm.unwrap_or(true),
    };
    let rounds = &state.services.rounds;
    Ok(stored(
        rounds
            .place_for_table(&command.ask, &command.who, session.0, &placing)
            .await?,
    ))
}

/// The rounds of a branch, newest first.
#[utoipa::path(tag = "waiter", responses((status = 200, body = Listed<RoundView>)), params(
        ("status" = Option<String>, Query, description = "statuses, separated by commas"),
        ("session_id" = Option<String>, Query, description = "of this visit only"),
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
        session: query.id("session_id")?,
        statuses: query.all("status")?.unwrap_or_default(),
        submitted_only: false,
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

/// One round.
#[utoipa::path(tag = "waiter", responses((status = 200, body = RoundView)),
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
        .get(&ask(&request, &who), &who, id.0)
        .await?;
    Ok(seen(found, |(view, version)| versioned(&view, version)))
}

/// The waiter has verified the round.
#[utoipa::path(tag = "waiter", responses((status = 200, body = RoundView)),
    extensions(("x-comanda-action" = json!("round.confirm")), ("x-idempotency-key" = json!("required"))))]
#[post("/rounds/{round_id}/confirm")]
pub async fn confirm_round(
    state: web::Data<State>,
    id: PathId<RoundId>,
    command: Command<Nothing, Keyed>,
) -> Answer {
    let rounds = &state.services.rounds;
    Ok(stored(
        rounds
            .confirm(&command.ask, &command.who, id.0, command.if_match)
            .await?,
    ))
}

/// The kitchen gets the round.
#[utoipa::path(tag = "waiter", responses((status = 200, body = RoundView)),
    extensions(("x-comanda-action" = json!("round.submit")), ("x-idempotency-key" = json!("required"))))]
#[post("/rounds/{round_id}/submit")]
pub async fn submit_round(
    state: web::Data<State>,
    id: PathId<RoundId>,
    command: Command<Nothing, Keyed>,
) -> Answer {
    let rounds = &state.services.rounds;
    Ok(stored(
        rounds
            .submit(&command.ask, &command.who, id.0, command.if_match)
            .await?,
    ))
}

/// Everything of the round is at the table.
#[utoipa::path(tag = "waiter", responses((status = 200, body = RoundView)),
    extensions(("x-comanda-action" = json!("round.serve")), ("x-idempotency-key" = json!("required"))))]
#[post("/rounds/{round_id}/serve")]
pub async fn serve_round(
    state: web::Data<State>,
    id: PathId<RoundId>,
    command: Command<Nothing, Keyed>,
) -> Answer {
    let rounds = &state.services.rounds;
    let target = RoundTarget::Served;
    Ok(stored(
        rounds
            .advance(&command.ask, &command.who, id.0, command.if_match, target)
            .await?,
    ))
}

/// Takes a round back.
#[utoipa::path(tag = "waiter", request_body = StaffCancelBody, responses((status = 200, body = RoundView)),
    extensions(("x-comanda-action" = json!("round.cancel")), ("x-idempotency-key" = json!("required"))))]
#[post("/rounds/{round_id}/cancel")]
pub async fn cancel_round(
    state: web::Data<State>,
    id: PathId<RoundId>,
    command: Command<StaffCancelBody, Keyed>,
) -> Answer {
    let reason = Some(command.body.reason.0.as_str());
    let rounds = &state.services.rounds;
    Ok(stored(
        rounds
            .cancel(&command.ask, &command.who, id.0, command.if_match, reason)
            .await?,
    ))
}

/// Takes part of a round back.
#[utoipa::path(tag = "waiter", request_body = VoidBody, responses((status = 200, body = RoundView)),
    extensions(("x-comanda-action" = json!("round.void_item")), ("x-idempotency-key" = json!("required"))))]
#[post("/rounds/{round_id}/items/{item_id}/void")]
pub async fn void_item(
    state: web::Data<State>,
    id: PathId<RoundId>,
    item: PathId<RoundItemId>,
    command: Command<VoidBody, Keyed>,
) -> Answer {
    let void = VoidItem {
        item_id: item.0,
        qty: command.body.qty.0,
        reason: command.body.reason.0.clone(),
    };
    let rounds = &state.services.rounds;
    Ok(stored(
        rounds
            .void_item(&command.ask, &command.who, id.0, command.if_match, &void)
            .await?,
    ))
}
