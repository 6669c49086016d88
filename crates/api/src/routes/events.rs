//! Events to read: one operation for all audiences, and the same under the address of each.

use std::time::Duration;

use actix_web::http::header::ContentType;
use actix_web::{HttpRequest, HttpResponse, get, web};
use comanda_domain::cursor::{Epoch, StreamCursor};
use comanda_domain::event::{TypeFilters, View};
use comanda_domain::ids::BranchId;
use comanda_infrastructure::gateway::Listing;
use comanda_security::policy::Principal;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::http::answer::Answer;
use crate::http::path::PathId;
use crate::http::principal::principal;
use crate::http::query::{Query, invalid};
use crate::problem::{Code, Problem};
use crate::routes::Serving;
use crate::sockets::{Listening, listen};
use crate::state::State;

/// Events of an answer, if nobody says otherwise; also the most.
const LIMIT: usize = 200;
/// How long an empty answer may be held back, in seconds.
const MOST_WAIT: u64 = 25;
/// What a browser sends that connects again.
const LAST_EVENT_ID: &str = "last-event-id";

/// Adds the routes below `/v1/events`: lists where requests are served, streams where people listen.
pub fn serve(serving: Serving, config: &mut ServiceConfig<'_>) {
    if serving.api {
        config.service(list_events);
    }
    if serving.gateway {
        config.service(stream_events);
    }
}

/// Events after a position.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventsListed {
    /// `CloudEvents` 1.0 envelopes, in order.
    #[schema(value_type = Vec<Object>)]
    pub data: Vec<Value>,
    /// After which number to go on. It advances over events that are not for the caller.
    pub last: u64,
    /// The newest number of the branch.
    pub head: u64,
    /// The present life of the log, eight hex digits.
    #[schema(value_type = String, example = "5f3a9c01")]
    pub epoch: Epoch,
    /// What was asked for is not kept, or of another life of the log: read the state again, go on from `head`.
    pub truncated: bool,
}

/// What happened, as guests of a table are told.
#[utoipa::path(tag = "events", responses((status = 200, body = EventsListed)), params(Wanted), extensions(("x-comanda-action" = json!("event.read"))))]
#[get("/events")]
pub async fn list_diner_events(state: web::Data<State>, request: HttpRequest) -> Answer {
    let mut query = Query::of(&request)?;
    answer(&state, &request, &mut query, View::Diner, None).await
}

macro_rules! branch_events {
    ($($(#[$doc:meta])* $name:ident, $view:expr;)*) => {$(
        $(#[$doc])*
        #[utoipa::path(tag = "events", responses((status = 200, body = EventsListed)), params(Wanted), extensions(("x-comanda-action" = json!("event.read"))))]
        #[get("/branches/{branch_id}/events")]
        pub async fn $name(state: web::Data<State>, request: HttpRequest, branch: PathId<BranchId>) -> Answer {
            let mut query = Query::of(&request)?;
            answer(&state, &request, &mut query, $view, Some(branch.0)).await
        }
    )*};
}

branch_events! {
    /// What happened, as the floor is told.
    list_waiter_events, View::Waiter;
    /// What happened, as the kitchen is told.
    list_kitchen_events, View::Kitchen;
    /// What happened, as managers are told.
    list_admin_events, View::Admin;
    /// What happened, as integrations are told.
    list_integration_events, View::Integration;
}

/// What happened, for all audiences.
#[utoipa::path(tag = "events", responses((status = 200, body = EventsListed)), params(
        ("branch_id" = Option<String>, Query, description = "the branch; guests need not say it"),
        ("view" = Option<String>, Query, description = "`admin`, `waiter`, `kitchen`, `diner`, `integration`; the best one of the caller's if not said"),
        Wanted,
    ), extensions(("x-comanda-action" = json!("event.read"))))]
#[get("")]
pub async fn list_events(state: web::Data<State>, request: HttpRequest) -> Answer {
    let mut query = Query::of(&request)?;
    let branch = query.id::<BranchId>("branch_id")?;
    let view = query.named::<View>("view")?;
    answer(&state, &request, &mut query, view, branch).await
}

/// What happens, as it happens: server-sent events.
///
/// `id` is the cursor, `event` the name (`round.submitted.v1`), `data` the `CloudEvents` envelope. It goes on after
/// `Last-Event-ID` or `after`. `ready` says from where; `resync`, that the state must be read again; `heartbeat`,
/// every 15 seconds, that all up to `head` has been told; `error` carries the problem that ends the stream.
#[utoipa::path(tag = "events", responses((status = 200, content_type = "text/event-stream", body = String)), params(
        ("branch_id" = Option<String>, Query, description = "the branch; guests need not say it"),
        ("view" = Option<String>, Query, description = "`admin`, `waiter`, `kitchen`, `diner`, `integration`; the best one of the caller's if not said"),
        ("after" = Option<String>, Query, description = "a number or a cursor such as `5f3a9c01-40`; what happens from now on if not said"),
        ("types" = Option<String>, Query, description = "names or families, separated by commas: `round.*,check.paid`"),
        ("Last-Event-ID" = Option<String>, Header, description = "the `id` that was heard last; goes before `after`"),
    ), extensions(("x-comanda-action" = json!("event.read"))))]
#[get("/stream")]
pub async fn stream_events(state: web::Data<State>, request: HttpRequest) -> Answer {
    let mut query = Query::of(&request)?;
    let branch = query.id::<BranchId>("branch_id")?;
    let view = query.named::<View>("view")?;
    let (after, types) = place(&mut query)?;
    query.close()?;
    let after = last_heard(&request)?.or(after);
    let who = principal(&request)?;
    needs_branch(&who, branch)?;
    let admitted = state.events.admit(&who, view, branch).await?;
    let listening = Listening {
        who,
        admitted,
        types,
        after,
    };
    listen(state, &request, listening).await
}

/// The position that a client names which connects again.
fn last_heard(request: &HttpRequest) -> Result<Option<StreamCursor>, Problem> {
    let Some(value) = request.headers().get(LAST_EVENT_ID) else {
        return Ok(None);
    };
    let cursor = value.to_str().ok().and_then(|text| text.parse().ok());
    cursor.map(Some).ok_or_else(|| {
        let detail = "a cursor such as 5f3a9c01-40";
        let problem = Problem::with_detail(Code::InvalidParameter, format!("Last-Event-ID: {detail}"));
        problem.at("/header/Last-Event-ID", "not_allowed", detail)
    })
}

fn needs_branch(who: &Principal, branch: Option<BranchId>) -> Result<(), Problem> {
    if branch.is_none() && !matches!(who, Principal::Diner(_) | Principal::Table(_)) {
        return Err(invalid("branch_id", "which branch?"));
    }
    Ok(())
}

async fn answer(
    state: &State,
    request: &HttpRequest,
    query: &mut Query,
    view: impl Into<Option<View>>,
    branch: Option<BranchId>,
) -> Answer {
    let wanted = Wanted::take(query)?;
    let who = principal(request)?;
    needs_branch(&who, branch)?;
    let admitted = state.events.admit(&who, view.into(), branch).await?;
    let listed = state
        .events
        .list(&Listing {
            branch: admitted.branch,
            subscription: admitted.subscription,
            types: wanted.types,
            after: wanted.after,
            limit: wanted.limit,
            wait: wanted.wait,
        })
        .await?;
    Ok(HttpResponse::Ok()
        .content_type(ContentType::json())
        .body(listed.to_json()))
}

/// What has been seen, and which types are wanted.
fn place(query: &mut Query) -> Result<(Option<StreamCursor>, TypeFilters), Problem> {
    let after = query.parsed("after", "a number, or a cursor such as 5f3a9c01-40")?;
    let types = query.parsed("types", "names of events such as round.*,check.paid")?;
    Ok((after, types.unwrap_or_default()))
}

/// What a query says besides branch and view.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// a number or a cursor such as `5f3a9c01-40`; the beginning if not said
    #[param(value_type = Option<String>)]
    after: StreamCursor,
    /// 1..200, default 200
    #[param(value_type = Option<i64>)]
    limit: usize,
    /// names or families, separated by commas: `round.*,check.paid`
    #[param(value_type = Option<String>)]
    types: TypeFilters,
    /// seconds, 0..25: hold an empty answer until something comes
    #[param(value_type = Option<i64>)]
    wait: Duration,
}

impl Wanted {
    fn take(query: &mut Query) -> Result<Self, Problem> {
        let (after, types) = place(query)?;
        let limit = query.parsed("limit", "a number from 1 to 200")?.unwrap_or(LIMIT);
        let wait = query.parsed("wait", "seconds from 0 to 25")?.unwrap_or(0);
        query.close()?;
        if !(1..=LIMIT).contains(&limit) {
            return Err(invalid("limit", "a number from 1 to 200"));
        }
        if wait > MOST_WAIT {
            return Err(invalid("wait", "seconds from 0 to 25"));
        }
        Ok(Self {
            after: after.unwrap_or(StreamCursor { epoch: None, seq: 0 }),
            types,
            limit,
            wait: Duration::from_secs(wait),
        })
    }
}
