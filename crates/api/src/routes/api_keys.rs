//! Keys of integrations, made, rotated and revoked by owners.

use std::collections::BTreeSet;

use actix_web::{HttpRequest, delete, get, post, web};
use comanda_domain::ids::{ApiKeyId, BranchId};
use comanda_infrastructure::api_keys::{KeyManager, NewApiKey, Rotation};
use comanda_infrastructure::views::{ApiKeyView, IssuedKeyView};
use comanda_security::api_key::{IpNet, Overlap};
use comanda_security::policy::{Principal, Scope};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::http::answer::{Answer, Listed, stored, versioned};
use crate::http::body::{Id, List, Named, Network, Nothing, Text, Time, body};
use crate::http::command::{Command, Plain, ask};
use crate::http::paging::{paged, with_page};
use crate::http::path::PathId;
use crate::http::principal::Staff;
use crate::http::query::Query;
use crate::problem::{Code, Problem};
use crate::state::State;

/// Adds the routes below `/v1/admin`.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(create)
        .service(get)
        .service(revoke)
        .service(rotate);
}

body! {
    /// A key to be made.
    NewApiKeyBody {
        /// What you call it.
        name: Text<1, 80>,
        /// What it may.
        scopes: List<Named<Scope>, 20>,
        /// Where it acts.
        branch_ids: List<Id<BranchId>, 50>,
        /// When it ends; never if not said.
        expires_at: Option<Time>,
        /// From which networks it may be used; from anywhere if not said.
        ip_allow: Option<List<Network, 32>>,
        /// Whether it signs its requests with a secret of its own, and is never sent; not if not said.
        requires_signature: Option<bool>,
    }
}

body! {
    /// How a key gets another secret.
    RotationBody {
        /// How long the secret before goes on working: `24h` if not said.
        overlap: Option<Named<Overlap>>,
        /// Also while the secret before the present one still works, which then ends; not if not said.
        force: Option<bool>,
    }
}

impl NewApiKeyBody {
    fn command(self) -> Result<NewApiKey, Problem> {
        let scopes: BTreeSet<Scope> = self.scopes.0.into_iter().map(|scope| scope.0).collect();
        let branches: BTreeSet<BranchId> = self.branch_ids.0.into_iter().map(|id| id.0).collect();
        let empty = |pointer: &str| {
            Problem::new(Code::ValidationFailed).at(pointer, "too_short", "at least one entry")
        };
        if scopes.is_empty() {
            return Err(empty("/scopes"));
        }
        if branches.is_empty() {
            return Err(empty("/branch_ids"));
        }
        let networks =
            |given: List<Network, 32>| -> Vec<IpNet> { given.0.into_iter().map(|one| one.0).collect() };
        Ok(NewApiKey {
            name: self.name.0,
            scopes: scopes.into_iter().collect(),
            branches: branches.into_iter().collect(),
            expires_at: self.expires_at.map(|time| time.0),
            ip_allow: self.ip_allow.map(networks),
            requires_signature: self.requires_signature.unwrap_or(false),
        })
    }
}

/// All keys, newest first, also those that have ended.
#[utoipa::path(tag = "admin", responses((status = 200, body = Listed<ApiKeyView>)), params(
        ("limit" = Option<i64>, Query, description = "1..200, default 50"),
        ("cursor" = Option<String>, Query, description = "where the page begins"),
    ), extensions(("x-comanda-action" = json!("api_key.manage"))))]
#[get("/api-keys")]
pub async fn list(state: web::Data<State>, staff: Staff, request: HttpRequest) -> Answer {
    let mut query = Query::of(&request)?;
    let page = query.page()?;
    query.close()?;
    let who = Principal::Staff(staff.0);
    let ask = ask(&request, &who);
    let part = with_page(&state, &request, &page, async |page| {
        state
            .services
            .api_keys
            .list(&ask, &KeyManager::Person(&who), &page)
            .await
    })
    .await?;
    Ok(paged(&request, part))
}

/// One key.
#[utoipa::path(tag = "admin", responses((status = 200, body = ApiKeyView)),
    extensions(("x-comanda-action" = json!("api_key.manage"))))]
#[get("/api-keys/{key_id}")]
pub async fn get(
    state: web::Data<State>,
    staff: Staff,
    request: HttpRequest,
    id: PathId<ApiKeyId>,
) -> Answer {
    let who = Principal::Staff(staff.0);
    let (view, version) = state
        .services
        .api_keys
        .one(&ask(&request, &who), &KeyManager::Person(&who), id.0)
        .await?;
    Ok(versioned(&view, version))
}

/// Makes a key. The whole key is in this answer and never again; an `Idempotency-Key` is therefore ignored.
#[utoipa::path(tag = "admin", request_body = NewApiKeyBody, responses((status = 201, body = IssuedKeyView)),
    extensions(("x-comanda-action" = json!("api_key.manage"))))]
#[post("/api-keys")]
pub async fn create(state: web::Data<State>, command: Command<NewApiKeyBody, Plain>) -> Answer {
    let Command { who, ask, body, .. } = command.found_at("/v1/admin/api-keys/");
    let new = body.command()?;
    Ok(stored(
        state
            .services
            .api_keys
            .create(&ask, &KeyManager::Person(&who), &new)
            .await?,
    ))
}

/// Revokes a key, everywhere within a second. Repeating it changes nothing.
#[utoipa::path(tag = "admin", request_body = Nothing, responses((status = 200, body = ApiKeyView)),
    extensions(("x-comanda-action" = json!("api_key.manage"))))]
#[delete("/api-keys/{key_id}")]
pub async fn revoke(
    state: web::Data<State>,
    command: Command<Nothing, Plain>,
    id: PathId<ApiKeyId>,
) -> Answer {
    let Command {
        who, ask, if_match, ..
    } = command;
    let manager = KeyManager::Person(&who);
    Ok(stored(
        state
            .services
            .api_keys
            .revoke(&ask, &manager, id.0, if_match, None)
            .await?,
    ))
}

/// Gives a key another secret; the one before goes on working for the overlap. The whole key is in this answer and never
/// again; an `Idempotency-Key` is therefore ignored.
#[utoipa::path(tag = "admin", request_body = RotationBody, responses((status = 200, body = IssuedKeyView)),
    extensions(("x-comanda-action" = json!("api_key.manage"))))]
#[post("/api-keys/{key_id}/rotate")]
pub async fn rotate(
    state: web::Data<State>,
    command: Command<RotationBody, Plain>,
    id: PathId<ApiKeyId>,
) -> Answer {
    let Command {
        who,
        ask,
        body,
        if_match,
        ..
    } = command;
    let rotation = Rotation {
        overlap: body.overlap.map(|overlap| overlap.0).unwrap_or_default(),
        force: body.force.unwrap_or(false),
    };
    let manager = KeyManager::Person(&who);
    Ok(stored(
        state
            .services
            .api_keys
            .rotate(&ask, &manager, id.0, if_match, rotation)
            .await?,
    ))
}
