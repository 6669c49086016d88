//! Is the process alive, and may it be given work?

use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::answer::{Answer, ok};
use crate::problem::{Code, Problem};
use crate::state::State;

/// A verdict.
#[derive(Debug, Serialize, ToSchema)]
pub struct Verdict {
    /// `ok`
    pub status: &'static str,
}

/// The process can answer.
#[utoipa::path(tag = "probes", responses((status = 200, body = Verdict)), extensions(("x-comanda-action" = json!("public"))))]
#[get("/livez")]
pub async fn livez() -> HttpResponse {
    ok(&Verdict { status: "ok" })
}

/// The process may be given work: database reachable, schema right, whoever listens is told in time, not draining.
#[utoipa::path(tag = "probes", responses(
    (status = 200, body = Verdict),
    (status = 503, description = "service_unavailable", content_type = "application/problem+json", body = crate::documents::ProblemBody),
), extensions(("x-comanda-action" = json!("public"))))]
#[get("/readyz")]
pub async fn readyz(state: web::Data<State>) -> Answer {
    let checks = state.readiness().checks().await;
    match checks.into_iter().find(|check| !check.ok) {
        Some(check) => {
            let cause = format!("{}: {}", check.name, check.cause.unwrap_or_default());
            Err(Problem::new(Code::ServiceUnavailable).because(cause))
        }
        None => Ok(ok(&Verdict { status: "ok" })),
    }
}
