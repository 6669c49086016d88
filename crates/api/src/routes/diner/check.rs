//! The bill, as a guest sees and pays it.

use actix_web::{HttpRequest, get, post, put, web};
use comanda_domain::billing::{PendingRounds, Provider, StartOnlinePayment};
use comanda_domain::ids::{DinerId, PaymentId};
use comanda_infrastructure::billing::{ProviderOptions, StartPayment};
use comanda_infrastructure::views::{CheckView, PaymentView, PreviewView};
use comanda_security::policy::Principal;

use crate::http::answer::{Answer, ok, seen, stored, versioned};
use crate::http::body::{Amount, Id, List, Named, Nothing, Text, body};
use crate::http::command::{Command, Keyed, Unkeyed, ask};
use crate::http::path::PathId;
use crate::http::principal::Diner;
use crate::http::query::Query;
use crate::routes::billing::receipt_answer;
use crate::routes::bodies::{SplitBody, diners};
use crate::state::State;

body! {
    /// The bill, please.
    CheckBody {
        /// How to divide it.
        split: Option<SplitBody>,
    }
}

body! {
    /// How the sandbox provider is to behave.
    ProviderOptionsBody {
        /// `approved` (default), `rejected`, `pending` or `duplicated`.
        outcome: Option<Text<1, 20>>,
    }
}

body! {
    /// What the guest pays online.
    PayBody {
        /// `sandbox`.
        provider: Named<Provider>,
        /// The caller's outstanding share if not said.
        amount: Option<Amount>,
        /// For the staff.
        tip: Option<Amount>,
        /// Whose shares the caller also pays, in order.
        covers: Option<List<Id<DinerId>, 50>>,
        /// Where the provider sends the guest back to.
        return_url: Option<Text<1, 1000>>,
        /// For the provider.
        provider_options: Option<ProviderOptionsBody>,
    }
}

/// The provider's options.
pub fn provider_options(
    body: Option<ProviderOptionsBody>,
    return_url: Option<Text<1, 1000>>,
) -> ProviderOptions {
    ProviderOptions {
        return_url: return_url.map(|url| url.0),
        outcome: body.and_then(|body| body.outcome).map(|outcome| outcome.0),
    }
}

/// What a check would hold now; changes nothing.
#[utoipa::path(tag = "diner", responses((status = 200, body = PreviewView)), params(
        ("method" = Option<String>, Query, description = "also divide it: equal or by_consumption"),
    ), extensions(("x-comanda-action" = json!("check.preview"))))]
#[get("/bill")]
pub async fn preview(state: web::Data<State>, diner: Diner, request: HttpRequest) -> Answer {
    let mut query = Query::of(&request)?;
    let method = query.named("method")?;
    query.close()?;
    let session = diner.0.session;
    let who = Principal::Diner(diner.0);
    Ok(ok(&state
        .services
        .billing
        .preview(&ask(&request, &who), &who, session, method)
        .await?))
}

/// Asks for the bill; the table goes to paying. A bill that is already out is given back.
#[utoipa::path(tag = "diner", request_body = CheckBody, responses(
        (status = 201, body = CheckView), (status = 200, description = "the check already out", body = CheckView),
    ), extensions(("x-comanda-action" = json!("check.request")), ("x-idempotency-key" = json!("required"))))]
#[post("/check")]
pub async fn request_check(
    state: web::Data<State>,
    diner: Diner,
    command: Command<CheckBody, Keyed>,
) -> Answer {
    let command = command.found_at("/v1/diner/check");
    let split = command
        .body
        .split
        .map(|split| split.request("/split"))
        .transpose()?;
    let (billing, session) = (&state.services.billing, diner.0.session);
    Ok(stored(
        billing
            .request_check(&command.ask, &command.who, session, split, PendingRounds::Refuse)
            .await?,
    ))
}

/// The unsettled check, else the latest.
#[utoipa::path(tag = "diner", responses((status = 200, body = CheckView)),
    extensions(("x-comanda-action" = json!("check.read")), ("x-comanda-cursor" = json!(true))))]
#[get("/check")]
pub async fn get_check(state: web::Data<State>, diner: Diner, request: HttpRequest) -> Answer {
    let ask = ask(&request, &Principal::Diner(diner.0.clone()));
    let found = state.services.billing.check_of_visit(&ask, &diner.0).await?;
    Ok(seen(found, |(view, version)| versioned(&view, version)))
}

/// Divides what is still due anew; needs the version that the caller saw.
#[utoipa::path(tag = "diner", request_body = SplitBody, responses((status = 200, body = CheckView)),
    extensions(("x-comanda-action" = json!("check.split"))))]
#[put("/check/split")]
pub async fn set_split(
    state: web::Data<State>,
    diner: Diner,
    command: Command<SplitBody, Unkeyed>,
) -> Answer {
    let seen = command.seen_version()?;
    let split = command.body.request("")?;
    Ok(stored(
        state
            .services
            .billing
            .split_of_visit(&command.ask, &diner.0, &split, seen)
            .await?,
    ))
}

/// The receipt, or the bill before it is paid; as JSON or a printable page.
#[utoipa::path(tag = "diner", responses((status = 200, body = comanda_infrastructure::views::ReceiptView)),
    extensions(("x-comanda-action" = json!("check.read"))))]
#[get("/check/receipt")]
pub async fn get_receipt(state: web::Data<State>, diner: Diner, request: HttpRequest) -> Answer {
    let ask = ask(&request, &Principal::Diner(diner.0.clone()));
    let receipt = state.services.billing.receipt_of_visit(&ask, &diner.0).await?;
    receipt_answer(&request, &receipt)
}

/// Pays online.
#[utoipa::path(tag = "diner", request_body = PayBody, responses((status = 201, body = PaymentView)),
    extensions(("x-comanda-action" = json!("payment.start_online")), ("x-idempotency-key" = json!("required"))))]
#[post("/payments")]
pub async fn start_payment(
    state: web::Data<State>,
    diner: Diner,
    command: Command<PayBody, Keyed>,
) -> Answer {
    let command = command.found_at("/v1/diner/payments/");
    let body = command.body;
    let start = StartPayment {
        payment: StartOnlinePayment {
            provider: body.provider.0,
            amount: body.amount.map(|amount| amount.0),
            tip: body.tip.map(|tip| tip.0),
            payer: None,
            covers: diners(body.covers),
        },
        options: provider_options(body.provider_options, body.return_url),
    };
    Ok(stored(
        state
            .services
            .billing
            .pay_at_visit(&command.ask, &diner.0, &start)
            .await?,
    ))
}

/// One payment of the visit.
#[utoipa::path(tag = "diner", responses((status = 200, body = PaymentView)),
    extensions(("x-comanda-action" = json!("check.read")), ("x-comanda-cursor" = json!(true))))]
#[get("/payments/{payment_id}")]
pub async fn get_payment(
    state: web::Data<State>,
    diner: Diner,
    request: HttpRequest,
    id: PathId<PaymentId>,
) -> Answer {
    let who = Principal::Diner(diner.0);
    let found = state
        .services
        .billing
        .get_payment(&ask(&request, &who), &who, id.0)
        .await?;
    Ok(seen(found, |(view, version)| versioned(&view, version)))
}

/// Gives up an online payment of the caller's that is still under way.
#[utoipa::path(tag = "diner", responses((status = 200, body = PaymentView)),
    extensions(("x-comanda-action" = json!("payment.cancel")), ("x-idempotency-key" = json!("required"))))]
#[post("/payments/{payment_id}/cancel")]
pub async fn cancel_payment(
    state: web::Data<State>,
    _diner: Diner,
    id: PathId<PaymentId>,
    command: Command<Nothing, Keyed>,
) -> Answer {
    Ok(stored(
        state
            .services
            .billing
            .cancel_payment(&command.ask, &command.who, id.0)
            .await?,
    ))
}
