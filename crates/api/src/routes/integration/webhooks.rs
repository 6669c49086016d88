//! Receivers of webhooks and their deliveries.

use std::collections::BTreeSet;

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};
use comanda_domain::event::TypeFilters;
use comanda_domain::ids::{BranchId, DeliveryId, WebhookId};
use comanda_infrastructure::views::{DeliveryView, IssuedWebhookView, ReplayView, WebhookView};
use comanda_infrastructure::webhooks::{NewWebhook, Replay, WebhookPatch};
use comanda_security::policy::{ApiKeyPrincipal, Principal};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::http::answer::{Answer, Listed, list as whole, stored, versioned};
use crate::http::body::{EventType, Id, List, Nothing, Position, Text, body};
use crate::http::command::{Command, Plain, Unkeyed, ask};
use crate::http::paging::{paged, with_page};
use crate::http::path::PathId;
use crate::http::principal::ApiKey;
use crate::http::query::{Query, invalid};
use crate::problem::{Code, Problem};
use crate::state::State;

const STATUSES: [&str; 4] = ["pending", "delivered", "skipped", "failed"];

/// Adds the routes below `/v1/integration`.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(create)
        .service(get)
        .service(change)
        .service(remove)
        .service(rotate_secret)
        .service(test)
        .service(replay)
        .service(deliveries)
        .service(retry);
}

type EventTypes = List<EventType, 100>;
type Branches = List<Id<BranchId>, 50>;

body! {
    /// A receiver to be made.
    NewWebhookBody {
        /// Where it is called: https, on the public Internet.
        url: Text<1, 2048>,
        /// What it is told: `round.submitted`, or `round.*` for all about rounds.
        event_types: EventTypes,
        /// Of which branches.
        branch_ids: Branches,
        /// On at once, unless it is said otherwise.
        enabled: Option<bool>,
    }
}

body! {
    /// What changes of a receiver.
    ChangeWebhookBody {
        /// Where it is called.
        url: Option<Text<1, 2048>>,
        /// What it is told.
        event_types: Option<EventTypes>,
        /// Of which branches; what waits for others is skipped.
        branch_ids: Option<Branches>,
        /// On, or off: then its deliveries wait.
        enabled: Option<bool>,
    }
}

body! {
    /// What is to be sent again.
    ReplayBody {
        /// Of which branch.
        branch_id: Id<BranchId>,
        /// Events behind this number.
        after: Position,
        /// And before this one; to the end if not said.
        before: Option<Position>,
        /// Only these, of those that the receiver is told.
        event_types: Option<EventTypes>,
        /// Only say how many.
        dry_run: Option<bool>,
    }
}

fn types(given: EventTypes) -> Result<TypeFilters, Problem> {
    let filters: TypeFilters = given.0.into_iter().map(|one| one.0).collect();
    if filters.0.is_empty() {
        return Err(empty("/event_types"));
    }
    Ok(filters)
}

fn branches(given: Branches) -> Result<Vec<BranchId>, Problem> {
    let distinct: BTreeSet<BranchId> = given.0.into_iter().map(|id| id.0).collect();
    if distinct.is_empty() {
        return Err(empty("/branch_ids"));
    }
    Ok(distinct.into_iter().collect())
}

fn empty(pointer: &str) -> Problem {
    Problem::new(Code::ValidationFailed).at(pointer, "too_short", "at least one entry")
}

fn key(who: Principal) -> Result<ApiKeyPrincipal, Problem> {
    match who {
        Principal::ApiKey(key) => Ok(key),
        _ => Err(Problem::new(Code::TokenWrongAudience)),
    }
}

/// The receivers that the key may manage: those of which every branch is the key's.
#[utoipa::path(tag = "integration", responses((status = 200, body = Listed<WebhookView>)),
    extensions(("x-comanda-action" = json!("webhook.manage"))))]
#[get("/webhooks")]
pub async fn list(state: web::Data<State>, key: ApiKey, request: HttpRequest) -> Answer {
    Query::of(&request)?.close()?;
    let ask = ask(&request, &Principal::ApiKey(key.0.clone()));
    Ok(whole(state.services.webhooks.list(&ask, &key.0).await?))
}

/// One receiver.
#[utoipa::path(tag = "integration", responses((status = 200, body = WebhookView)),
    extensions(("x-comanda-action" = json!("webhook.manage"))))]
#[get("/webhooks/{webhook_id}")]
pub async fn get(
    state: web::Data<State>,
    key: ApiKey,
    request: HttpRequest,
    id: PathId<WebhookId>,
) -> Answer {
    let ask = ask(&request, &Principal::ApiKey(key.0.clone()));
    let (view, version) = state.services.webhooks.one(&ask, &key.0, id.0).await?;
    Ok(versioned(&view, version))
}

/// Makes a receiver; at most 20 per restaurant business. The secret is in this answer and never again; an
/// `Idempotency-Key` is therefore ignored.
#[utoipa::path(tag = "integration", request_body = NewWebhookBody,
    responses((status = 201, body = IssuedWebhookView)),
    extensions(("x-comanda-action" = json!("webhook.manage"))))]
#[post("/webhooks")]
pub async fn create(state: web::Data<State>, command: Command<NewWebhookBody, Plain>) -> Answer {
    let Command { who, ask, body, .. } = command.found_at("/v1/integration/webhooks/");
    let new = NewWebhook {
        url: body.url.0,
        event_types: types(body.event_types)?,
        branches: branches(body.branch_ids)?,
        enabled: body.enabled.unwrap_or(true),
    };
    Ok(stored(
        state.services.webhooks.create(&ask, &key(who)?, &new).await?,
    ))
}

/// Changes a receiver, from the next attempt on.
#[utoipa::path(tag = "integration", request_body = ChangeWebhookBody,
    responses((status = 200, body = WebhookView)),
    extensions(("x-comanda-action" = json!("webhook.manage"))))]
#[patch("/webhooks/{webhook_id}")]
pub async fn change(
    state: web::Data<State>,
    command: Command<ChangeWebhookBody, Plain>,
    id: PathId<WebhookId>,
) -> Answer {
    let Command {
        who,
        ask,
        body,
        if_match,
        ..
    } = command;
    let patch = WebhookPatch {
        url: body.url.map(|url| url.0),
        event_types: body.event_types.map(types).transpose()?,
        branches: body.branch_ids.map(branches).transpose()?,
        enabled: body.enabled,
    };
    let changed = state
        .services
        .webhooks
        .change(&ask, &key(who)?, id.0, if_match, &patch)
        .await?;
    Ok(stored(changed))
}

/// Deletes a receiver; what waits for it is skipped.
#[utoipa::path(tag = "integration", request_body = Nothing, responses((status = 204)),
    extensions(("x-comanda-action" = json!("webhook.manage"))))]
#[delete("/webhooks/{webhook_id}")]
pub async fn remove(
    state: web::Data<State>,
    command: Command<Nothing, Plain>,
    id: PathId<WebhookId>,
) -> Answer {
    let Command { who, ask, .. } = command;
    state.services.webhooks.delete(&ask, &key(who)?, id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Gives a receiver a fresh secret, in this answer and never again. The one before signs beside it for 24 hours.
#[utoipa::path(tag = "integration", request_body = Nothing,
    responses((status = 200, body = IssuedWebhookView)),
    extensions(("x-comanda-action" = json!("webhook.manage"))))]
#[post("/webhooks/{webhook_id}/rotate-secret")]
pub async fn rotate_secret(
    state: web::Data<State>,
    command: Command<Nothing, Plain>,
    id: PathId<WebhookId>,
) -> Answer {
    let Command { who, ask, .. } = command;
    Ok(stored(
        state
            .services
            .webhooks
            .rotate_secret(&ask, &key(who)?, id.0)
            .await?,
    ))
}

/// Sends something that is no event, to try a receiver.
#[utoipa::path(tag = "integration", request_body = Nothing, responses((status = 200, body = DeliveryView)),
    extensions(("x-comanda-action" = json!("webhook.manage"))))]
#[post("/webhooks/{webhook_id}/test")]
pub async fn test(
    state: web::Data<State>,
    command: Command<Nothing, Unkeyed>,
    id: PathId<WebhookId>,
) -> Answer {
    let Command { who, ask, .. } = command;
    Ok(stored(
        state.services.webhooks.test(&ask, &key(who)?, id.0).await?,
    ))
}

/// Sends a range again: what was delivered or given up, and what is missing, with the same ids.
#[utoipa::path(tag = "integration", request_body = ReplayBody, responses((status = 200, body = ReplayView)),
    extensions(("x-comanda-action" = json!("webhook.manage"))))]
#[post("/webhooks/{webhook_id}/replay")]
pub async fn replay(
    state: web::Data<State>,
    command: Command<ReplayBody, Unkeyed>,
    id: PathId<WebhookId>,
) -> Answer {
    let Command { who, ask, body, .. } = command;
    let replay = Replay {
        branch: body.branch_id.0,
        after: body.after.0,
        before: body.before.map(|before| before.0),
        event_types: body.event_types.map(types).transpose()?.unwrap_or_default(),
        dry_run: body.dry_run.unwrap_or(false),
    };
    Ok(stored(
        state
            .services
            .webhooks
            .replay(&ask, &key(who)?, id.0, &replay)
            .await?,
    ))
}

/// The deliveries to a receiver, newest first, with what is kept of their attempts.
#[utoipa::path(tag = "integration", responses((status = 200, body = Listed<DeliveryView>)), params(
        ("status" = Option<String>, Query, description = "`pending`, `delivered`, `skipped` or `failed`"),
        ("limit" = Option<i64>, Query, description = "1..200, default 50"),
        ("cursor" = Option<String>, Query, description = "where the page begins"),
    ), extensions(("x-comanda-action" = json!("webhook.manage"))))]
#[get("/webhooks/{webhook_id}/deliveries")]
pub async fn deliveries(
    state: web::Data<State>,
    key: ApiKey,
    request: HttpRequest,
    id: PathId<WebhookId>,
) -> Answer {
    let mut query = Query::of(&request)?;
    let status = query.text("status");
    let page = query.page()?;
    query.close()?;
    if status
        .as_deref()
        .is_some_and(|status| !STATUSES.contains(&status))
    {
        return Err(invalid("status", &format!("one of {}", STATUSES.join(", "))));
    }
    let ask = ask(&request, &Principal::ApiKey(key.0.clone()));
    let part = with_page(&state, &request, &page, async |page| {
        state
            .services
            .webhooks
            .deliveries(&ask, &key.0, id.0, status.as_deref(), &page)
            .await
    })
    .await?;
    Ok(paged(&request, part))
}

/// Sends one delivery again, whatever became of it, with the same id.
#[utoipa::path(tag = "integration", request_body = Nothing, responses((status = 200, body = DeliveryView)),
    extensions(("x-comanda-action" = json!("webhook.manage"))))]
#[post("/deliveries/{delivery_id}/retry")]
pub async fn retry(
    state: web::Data<State>,
    command: Command<Nothing, Unkeyed>,
    id: PathId<DeliveryId>,
) -> Answer {
    let Command { who, ask, .. } = command;
    Ok(stored(
        state.services.webhooks.retry(&ask, &key(who)?, id.0).await?,
    ))
}
