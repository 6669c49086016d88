//! A guest's rounds.

use actix_web::{HttpRequest, get, post, web};
use comanda_domain::ids::{CartLineId, RoundId};
use comanda_domain::round::{PlaceRound, Selection};
use comanda_infrastructure::views::RoundView;
use comanda_security::policy::Principal;

use crate::http::answer::{Answer, Listed, list as whole_list, seen, stored, versioned};
use crate::http::body::{Amount, Id, List, Named, Names, body};
use crate::http::command::{Command, Keyed, ask};
use crate::http::path::PathId;
use crate::http::principal::Diner;
use crate::problem::{Code, Problem};
use crate::routes::bodies::{Notes, Reason};
use crate::state::State;

/// Where a guest finds a round.
const ROUNDS: &str = "/v1/diner/rounds/";

/// Which lines are ordered.
#[derive(Debug, Clone, Copy)]
pub enum SelectionName {
    /// The whole cart.
    Table,
    /// The caller's own lines.
    Mine,
    /// Those in `line_ids`.
    Lines,
}

impl Names for SelectionName {
    const NAMES: &'static [&'static str] = &["table", "mine", "lines"];

    fn of(name: &str) -> Option<Self> {
        match name {
            "table" => Some(Self::Table),
            "mine" => Some(Self::Mine),
            "lines" => Some(Self::Lines),
            _ => None,
        }
    }
}

body! {
    /// What to order.
    PlaceBody {
        /// `table`, `mine` or `lines`.
        selection: Named<SelectionName>,
        /// The lines, exactly for `lines`.
        line_ids: Option<List<Id<CartLineId>, 200>>,
        /// A wish for the whole round.
        notes: Option<Notes>,
        /// The total that the guest saw.
        expected_total: Option<Amount>,
    }
}

impl PlaceBody {
    fn command(self) -> Result<PlaceRound, Problem> {
        let fault = |code: &str, detail: &str| {
            Problem::with_detail(Code::ValidationFailed, detail).at("/line_ids", code, detail)
        };
        let selection = match (self.selection.0, self.line_ids) {
            (SelectionName::Lines, Some(ids)) => Selection::Lines(ids.0.into_iter().map(|id| id.0).collect()),
            (SelectionName::Lines, None) => return Err(fault("required", "must be given for lines")),
            (_, Some(_)) => return Err(fault("not_allowed", "only for lines")),
            (SelectionName::Table, None) => Selection::Table,
            (SelectionName::Mine, None) => Selection::Mine,
        };
        Ok(PlaceRound {
            selection,
            notes: self.notes.map(|notes| notes.0).unwrap_or_default(),
            expected_total: self.expected_total.map(|amount| amount.0),
        })
    }
}

body! {
    /// Why, if the guest wants to say.
    CancelBody {
        /// Three to 200 characters.
        reason: Option<Reason>,
    }
}

/// Places a round from the cart.
#[utoipa::path(tag = "diner", request_body = PlaceBody, responses((status = 201, body = RoundView)),
    extensions(("x-comanda-action" = json!("round.place")), ("x-idempotency-key" = json!("required"))))]
#[post("/rounds")]
pub async fn place(state: web::Data<State>, diner: Diner, command: Command<PlaceBody, Keyed>) -> Answer {
    let command = command.found_at(ROUNDS);
    let placing = command.body.command()?;
    let placed = state
        .services
        .rounds
        .place(&command.ask, &diner.0, &placing, command.if_match)
        .await?;
    Ok(stored(placed))
}

/// The rounds of the visit, in order.
#[utoipa::path(tag = "diner", responses((status = 200, body = Listed<RoundView>)),
    extensions(("x-comanda-action" = json!("round.read")), ("x-comanda-cursor" = json!(true))))]
#[get("/rounds")]
pub async fn list(state: web::Data<State>, diner: Diner, request: HttpRequest) -> Answer {
    let ask = ask(&request, &Principal::Diner(diner.0.clone()));
    let found = state.services.rounds.of_visit(&ask, &diner.0).await?;
    Ok(seen(found, whole_list))
}

/// One round of the visit.
#[utoipa::path(tag = "diner", responses((status = 200, body = RoundView)),
    extensions(("x-comanda-action" = json!("round.read")), ("x-comanda-cursor" = json!(true))))]
#[get("/rounds/{round_id}")]
pub async fn get(state: web::Data<State>, diner: Diner, request: HttpRequest, id: PathId<RoundId>) -> Answer {
    let who = Principal::Diner(diner.0);
    let found = state
        .services
        .rounds
        .get(&ask(&request, &who), &who, id.0)
        .await?;
    Ok(seen(found, |(view, version)| versioned(&view, version)))
}

/// Takes back a round that nobody has verified yet.
#[utoipa::path(tag = "diner", request_body = CancelBody, responses((status = 200, body = RoundView)),
    extensions(("x-comanda-action" = json!("round.cancel")), ("x-idempotency-key" = json!("required"))))]
#[post("/rounds/{round_id}/cancel")]
pub async fn cancel(
    state: web::Data<State>,
    _diner: Diner,
    id: PathId<RoundId>,
    command: Command<CancelBody, Keyed>,
) -> Answer {
    let reason = command.body.reason.as_ref().map(|reason| reason.0.as_str());
    let canceled = state
        .services
        .rounds
        .cancel(&command.ask, &command.who, id.0, command.if_match, reason)
        .await?;
    Ok(stored(canceled))
}
