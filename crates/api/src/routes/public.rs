//! What needs no credential: scanning a table code, and a receipt by its code.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use comanda_infrastructure::views::{ReceiptView, ScannedView};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::http::answer::Answer;
use crate::http::body::{Int, Raw, body};
use crate::http::command::{Open, stranger};
use crate::http::language::accepted;
use crate::routes::billing::receipt_answer;
use crate::state::State;

/// Adds the routes below `/v1/public`.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config.service(open_table).service(get_receipt);
}

body! {
    /// A scanned code.
    OpenTableBody {
        /// What the sticker holds.
        code: Raw<200>,
        /// The four digits, where the branch asks for them.
        join_code: Option<Raw<16>>,
        /// How many came.
        party_size: Option<Int<1, 50>>,
    }
}

/// Opens the table, or joins the party that sits there.
#[utoipa::path(tag = "public", request_body = OpenTableBody, responses(
        (status = 201, description = "opened", body = ScannedView), (status = 200, description = "joined", body = ScannedView),
    ), extensions(("x-comanda-action" = json!("public"))))]
#[post("/tables/open")]
pub async fn open_table(state: web::Data<State>, request: HttpRequest, open: Open<OpenTableBody>) -> Answer {
    let (code, party_size) = (&open.body.code.0, open.body.party_size.map(|size| size.0));
    let join_code = open.body.join_code.as_ref().map(|code| code.0.as_str());
    let trace = stranger(&request);
    let (view, opened) = state
        .services
        .sessions
        .open_or_join(&trace, code, join_code, party_size)
        .await?;
    Ok(if opened {
        HttpResponse::Created().json(view)
    } else {
        HttpResponse::Ok().json(view)
    })
}

/// The receipt of a paid check.
#[utoipa::path(tag = "public", responses((status = 200, body = ReceiptView)),
    extensions(("x-comanda-action" = json!("public"))))]
#[get("/receipts/{receipt_code}")]
pub async fn get_receipt(state: web::Data<State>, request: HttpRequest, code: web::Path<String>) -> Answer {
    let language = accepted(&request);
    let receipt = state
        .services
        .billing
        .receipt_by_code(&code, language.as_deref())
        .await?;
    receipt_answer(&request, &receipt)
}
