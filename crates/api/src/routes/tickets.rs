//! What the kitchen's screens and those of other companies share: the board, and moving a ticket.

use actix_web::HttpRequest;
use comanda_domain::ids::{BranchId, TicketId};
use comanda_domain::kitchen::TicketCommand;
use comanda_infrastructure::kitchen::BoardFilter;
use comanda_security::policy::Principal;

use crate::http::answer::{Answer, seen, stored};
use crate::http::body::Nothing;
use crate::http::command::{Command, Keyed, ask};
use crate::http::paging::{paged, with_page};
use crate::http::query::Query;
use crate::state::State;

/// The query of a board.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only told in the document; `Query` reads them")]
pub struct TicketQuery {
    /// stations, separated by commas
    station: Option<String>,
    /// statuses; what is neither delivered nor canceled if not said
    status: Option<String>,
    /// 1..200, default 50
    limit: Option<i64>,
    /// where the page begins
    cursor: Option<String>,
}

/// A page of a branch's tickets for whoever may read them.
///
/// # Errors
/// `invalid_parameter`, and whatever the list refuses.
pub async fn board(state: &State, request: &HttpRequest, who: &Principal, branch: BranchId) -> Answer {
    let mut query = Query::of(request)?;
    let filter = BoardFilter {
        stations: query.all("station")?.unwrap_or_default(),
        statuses: query.all("status")?.unwrap_or_default(),
    };
    let page = query.page()?;
    query.close()?;
    let ask = ask(request, who);
    let part = with_page(state, request, &page, async |page| {
        let kitchen = &state.services.kitchen;
        kitchen.board(&ask, who, branch, &filter, &page).await
    })
    .await?;
    Ok(seen(part, |part| paged(request, part)))
}

/// Moves a ticket or one of its lines for whoever may.
///
/// # Errors
/// Whatever the move refuses.
pub async fn moved(
    state: &State,
    id: TicketId,
    command: &Command<Nothing, Keyed>,
    moving: TicketCommand,
) -> Answer {
    let kitchen = &state.services.kitchen;
    let moved = kitchen.moved(&command.ask, &command.who, id, command.if_match, moving);
    Ok(stored(moved.await?))
}

/// The routes that move a whole ticket, told under the tag of their audience.
macro_rules! ticket_actions {
    ($tag:literal: $($(#[$doc:meta])* $name:ident, $path:literal, $policy:literal, $action:expr;)*) => {$(
        $(#[$doc])*
        #[utoipa::path(tag = $tag, responses((status = 200, body = TicketView)),
            extensions(("x-comanda-action" = json!($policy)), ("x-idempotency-key" = json!("required"))))]
        #[post($path)]
        pub async fn $name(state: web::Data<State>, id: PathId<TicketId>, command: Command<Nothing, Keyed>) -> Answer {
            $crate::routes::tickets::moved(&state, id.0, &command, TicketCommand::Whole($action)).await
        }
    )*};
}

pub(crate) use ticket_actions;
