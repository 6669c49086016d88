//! Other companies' systems, by API key.

pub mod tickets;
pub mod webhooks;

use actix_web::{HttpRequest, get, web};
use comanda_infrastructure::views::{BranchRef, OwnKeyView};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::http::answer::{Answer, Listed, ok};
use crate::http::paging::{paged, with_page};
use crate::http::principal::ApiKey;
use crate::http::query::Query;
use crate::state::State;

/// Adds the routes below `/v1/integration`.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(me)
        .service(branches)
        .service(crate::routes::events::list_integration_events)
        .configure(tickets::configure)
        .configure(webhooks::configure);
}

/// What the key is, may and where it acts.
#[utoipa::path(tag = "integration", responses((status = 200, body = OwnKeyView)),
    extensions(("x-comanda-action" = json!("self.manage"))))]
#[get("/me")]
pub async fn me(state: web::Data<State>, key: ApiKey) -> Answer {
    Ok(ok(&state.services.api_keys.own(&key.0)?))
}

/// The branches that the key acts in, oldest first.
#[utoipa::path(tag = "integration", responses((status = 200, body = Listed<BranchRef>)), params(
        ("limit" = Option<i64>, Query, description = "1..200, default 50"),
        ("cursor" = Option<String>, Query, description = "where the page begins"),
    ), extensions(("x-comanda-action" = json!("self.manage"))))]
#[get("/branches")]
pub async fn branches(state: web::Data<State>, key: ApiKey, request: HttpRequest) -> Answer {
    let mut query = Query::of(&request)?;
    let page = query.page()?;
    query.close()?;
    let part = with_page(&state, &request, &page, async |page| {
        state.services.api_keys.own_branches(&key.0, &page).await
    })
    .await?;
    Ok(paged(&request, part))
}
