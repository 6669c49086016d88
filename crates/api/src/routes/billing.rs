//! Bills and payments, as staff handles them.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, post, put, web};
use comanda_domain::billing::{PendingRounds, Provider, RegisterPayment, StartOnlinePayment};
use comanda_domain::ids::{BranchId, CheckId, DinerId, PaymentId, SessionId};
use comanda_infrastructure::billing::{CheckFilter, Receipt, SandboxOutcome, StartPayment};
use comanda_infrastructure::views::{CheckTotalsView, CheckView, PaymentView, PreviewView, ReceiptView};
use comanda_security::policy::Principal;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::http::answer::{Answer, Listed, ok, seen, stored, versioned};
use crate::http::body::{Amount, Id, List, Named, Names, Nothing, Text, body};
use crate::http::command::{Command, Keyed, Unkeyed, ask};
use crate::http::paging::{paged, with_page};
use crate::http::path::PathId;
use crate::http::principal::Staff;
use crate::http::query::{Query, invalid};
use crate::problem::{Code, Problem};
use crate::routes::bodies::{SplitBody, diners};
use crate::routes::diner::{ProviderOptionsBody, provider_options};
use crate::state::State;

/// Adds the routes below `/v1/billing`.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(request_check)
        .service(preview)
        .service(list_checks)
        .service(get_check)
        .service(get_receipt)
        .service(set_split)
        .service(take_payment)
        .service(get_payment)
        .service(cancel_payment)
        .service(settle_sandbox);
}

/// What to do with rounds that nobody has verified.
#[derive(Debug, Clone, Copy)]
pub struct Pending(PendingRounds);

impl Names for Pending {
    const NAMES: &'static [&'static str] = &["refuse", "confirm", "cancel"];

    fn of(name: &str) -> Option<Self> {
        match name {
            "refuse" => Some(Self(PendingRounds::Refuse)),
            "confirm" => Some(Self(PendingRounds::Confirm)),
            "cancel" => Some(Self(PendingRounds::Cancel)),
            _ => None,
        }
    }
}

body! {
    /// The bill of a table.
    RequestBody {
        /// How to divide it.
        split: Option<SplitBody>,
        /// Rounds that nobody has verified: `refuse` (default), `confirm` or `cancel` them.
        pending_rounds: Option<Named<Pending>>,
    }
}

body! {
    /// Money that has changed hands, or is to come online.
    PaymentBody {
        /// `cash`, `card_terminal`, `transfer` or `sandbox`.
        provider: Named<Provider>,
        /// For the check. Online it may be left out: the payer's outstanding share.
        amount: Option<Amount>,
        /// For the staff.
        tip: Option<Amount>,
        /// Cash handed over.
        tendered: Option<Amount>,
        /// Who pays.
        payer_diner_id: Option<Id<DinerId>>,
        /// Whose shares the payer also pays, in order.
        covers: Option<List<Id<DinerId>, 50>>,
        /// Terminal slip, transfer number.
        reference: Option<Text<1, 100>>,
        /// Where an online provider sends the guest back to.
        return_url: Option<Text<1, 1000>>,
        /// For an online provider.
        provider_options: Option<ProviderOptionsBody>,
    }
}

impl Names for SandboxOutcome {
    const NAMES: &'static [&'static str] = &["approved", "rejected"];

    fn of(name: &str) -> Option<Self> {
        match name {
            "approved" => Some(Self::Approved),
            "rejected" => Some(Self::Rejected),
            _ => None,
        }
    }
}

body! {
    /// How a pending sandbox payment ends.
    SettleBody {
        /// `approved` or `rejected`.
        outcome: Named<SandboxOutcome>,
    }
}

/// Brings the bill; a bill that is already out is given back.
#[utoipa::path(tag = "billing", request_body = RequestBody, responses(
        (status = 201, body = CheckView), (status = 200, description = "the check already out", body = CheckView),
    ), extensions(("x-comanda-action" = json!("check.request")), ("x-idempotency-key" = json!("required"))))]
#[post("/sessions/{session_id}/check")]
pub async fn request_check(
    state: web::Data<State>,
    session: PathId<SessionId>,
    command: Command<RequestBody, Keyed>,
) -> Answer {
    let command = command.found_at("/v1/billing/checks/");
    let split = command
        .body
        .split
        .map(|split| split.request("/split"))
        .transpose()?;
    let pending = command
        .body
        .pending_rounds
        .map_or(PendingRounds::Refuse, |named| named.0.0);
    let billing = &state.services.billing;
    Ok(stored(
        billing
            .request_check(&command.ask, &command.who, session.0, split, pending)
            .await?,
    ))
}

/// What a check would hold now; changes nothing.
#[utoipa::path(tag = "billing", responses((status = 200, body = PreviewView)), params(
        ("method" = Option<String>, Query, description = "also divide it: equal or by_consumption"),
    ), extensions(("x-comanda-action" = json!("check.preview"))))]
#[get("/sessions/{session_id}/bill")]
pub async fn preview(
    state: web::Data<State>,
    staff: Staff,
    request: HttpRequest,
    session: PathId<SessionId>,
) -> Answer {
    let mut query = Query::of(&request)?;
    let method = query.named("method")?;
    query.close()?;
    let who = Principal::Staff(staff.0);
    Ok(ok(&state
        .services
        .billing
        .preview(&ask(&request, &who), &who, session.0, method)
        .await?))
}

/// The checks of a branch, newest first, without ledger rows.
#[utoipa::path(tag = "billing", responses((status = 200, body = Listed<CheckTotalsView>)), params(
        ("status" = Option<String>, Query, description = "statuses, separated by commas"),
        ("session_id" = Option<String>, Query, description = "of this visit only"),
        ("business_day" = Option<String>, Query, description = "settled on this business day, YYYY-MM-DD"),
        ("limit" = Option<i64>, Query, description = "1..200, default 50"),
        ("cursor" = Option<String>, Query, description = "where the page begins"),
    ), extensions(("x-comanda-action" = json!("check.read")), ("x-comanda-cursor" = json!(true))))]
#[get("/branches/{branch_id}/checks")]
pub async fn list_checks(
    state: web::Data<State>,
    staff: Staff,
    request: HttpRequest,
    branch: PathId<BranchId>,
) -> Answer {
    let mut query = Query::of(&request)?;
    let filter = CheckFilter {
        statuses: query.all("status")?.unwrap_or_default(),
        session: query.id("session_id")?,
        business_day: query
            .text("business_day")
            .map(|text| {
                text.parse()
                    .map_err(|_| invalid("business_day", "a date such as 2026-11-24"))
            })
            .transpose()?,
    };
    let page = query.page()?;
    query.close()?;
    let who = Principal::Staff(staff.0);
    let ask = ask(&request, &who);
    let part = with_page(&state, &request, &page, async |page| {
        state
            .services
            .billing
            .list_checks(&ask, &who, branch.0, &filter, &page)
            .await
    })
    .await?;
    Ok(seen(part, |part| paged(&request, part)))
}

/// One check with its ledger.
#[utoipa::path(tag = "billing", responses((status = 200, body = CheckView)),
    extensions(("x-comanda-action" = json!("check.read")), ("x-comanda-cursor" = json!(true))))]
#[get("/checks/{check_id}")]
pub async fn get_check(
    state: web::Data<State>,
    staff: Staff,
    request: HttpRequest,
    id: PathId<CheckId>,
) -> Answer {
    let who = Principal::Staff(staff.0);
    let found = state
        .services
        .billing
        .get_check(&ask(&request, &who), &who, id.0)
        .await?;
    Ok(seen(found, |(view, version)| versioned(&view, version)))
}

/// The receipt, or the bill before it is paid; as JSON or a printable page.
#[utoipa::path(tag = "billing", responses((status = 200, body = ReceiptView)),
    extensions(("x-comanda-action" = json!("check.read"))))]
#[get("/checks/{check_id}/receipt")]
pub async fn get_receipt(
    state: web::Data<State>,
    staff: Staff,
    request: HttpRequest,
    id: PathId<CheckId>,
) -> Answer {
    let who = Principal::Staff(staff.0);
    let receipt = state
        .services
        .billing
        .receipt(&ask(&request, &who), &who, id.0)
        .await?;
    receipt_answer(&request, &receipt)
}

/// Divides what is still due anew; needs the version that the caller saw.
#[utoipa::path(tag = "billing", request_body = SplitBody, responses((status = 200, body = CheckView)),
    extensions(("x-comanda-action" = json!("check.split"))))]
#[put("/checks/{check_id}/split")]
pub async fn set_split(
    state: web::Data<State>,
    id: PathId<CheckId>,
    command: Command<SplitBody, Unkeyed>,
) -> Answer {
    let seen = command.seen_version()?;
    let split = command.body.request("")?;
    Ok(stored(
        state
            .services
            .billing
            .set_split(&command.ask, &command.who, id.0, &split, seen)
            .await?,
    ))
}

/// Registers money that has changed hands, or starts an online payment.
#[utoipa::path(tag = "billing", request_body = PaymentBody, responses((status = 201, body = PaymentView)),
    extensions(("x-comanda-action" = json!("payment.register")), ("x-idempotency-key" = json!("required"))))]
#[post("/checks/{check_id}/payments")]
pub async fn take_payment(
    state: web::Data<State>,
    id: PathId<CheckId>,
    command: Command<PaymentBody, Keyed>,
) -> Answer {
    let command = command.found_at("/v1/billing/payments/");
    let billing = &state.services.billing;
    let (ask, who, body) = (command.ask, command.who, command.body);
    if body.provider.0.is_online() {
        let start = body.online()?;
        return Ok(stored(
            billing.start_online_payment(&ask, &who, id.0, &start).await?,
        ));
    }
    let payment = body.by_hand()?;
    Ok(stored(
        billing.register_payment(&ask, &who, id.0, &payment).await?,
    ))
}

impl PaymentBody {
    fn by_hand(self) -> Result<RegisterPayment, Problem> {
        let fault = |member: &str, code: &str, detail: &str| {
            Problem::with_detail(Code::ValidationFailed, detail).at(&format!("/{member}"), code, detail)
        };
        if self.tendered.is_some() && self.provider.0 != Provider::Cash {
            return Err(fault("tendered", "not_allowed", "only for cash"));
        }
        if self.provider_options.is_some() || self.return_url.is_some() {
            return Err(fault(
                "provider_options",
                "not_allowed",
                "only for online payments",
            ));
        }
        Ok(RegisterPayment {
            provider: self.provider.0,
            amount: self
                .amount
                .ok_or_else(|| fault("amount", "required", "must be given"))?
                .0,
            tip: self.tip.map(|tip| tip.0),
            tendered: self.tendered.map(|tendered| tendered.0),
            payer: self.payer_diner_id.map(|id| id.0),
            covers: diners(self.covers),
            reference: self.reference.map(|reference| reference.0),
        })
    }

    fn online(self) -> Result<StartPayment, Problem> {
        if self.tendered.is_some() {
            return Err(Problem::new(Code::ValidationFailed).at("/tendered", "not_allowed", "only for cash"));
        }
        Ok(StartPayment {
            payment: StartOnlinePayment {
                provider: self.provider.0,
                amount: self.amount.map(|amount| amount.0),
                tip: self.tip.map(|tip| tip.0),
                payer: self.payer_diner_id.map(|id| id.0),
                covers: diners(self.covers),
            },
            options: provider_options(self.provider_options, self.return_url),
        })
    }
}

/// One payment.
#[utoipa::path(tag = "billing", responses((status = 200, body = PaymentView)),
    extensions(("x-comanda-action" = json!("check.read")), ("x-comanda-cursor" = json!(true))))]
#[get("/payments/{payment_id}")]
pub async fn get_payment(
    state: web::Data<State>,
    staff: Staff,
    request: HttpRequest,
    id: PathId<PaymentId>,
) -> Answer {
    let who = Principal::Staff(staff.0);
    let found = state
        .services
        .billing
        .get_payment(&ask(&request, &who), &who, id.0)
        .await?;
    Ok(seen(found, |(view, version)| versioned(&view, version)))
}

/// Gives up an online payment that is still under way.
#[utoipa::path(tag = "billing", responses((status = 200, body = PaymentView)),
    extensions(("x-comanda-action" = json!("payment.cancel")), ("x-idempotency-key" = json!("required"))))]
#[post("/payments/{payment_id}/cancel")]
pub async fn cancel_payment(
    state: web::Data<State>,
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

/// Ends a pending payment of the sandbox provider by hand.
#[utoipa::path(tag = "billing", request_body = SettleBody, responses((status = 200, body = PaymentView)),
    extensions(("x-comanda-action" = json!("payment.register")), ("x-idempotency-key" = json!("required"))))]
#[post("/sandbox/payments/{payment_id}/settle")]
pub async fn settle_sandbox(
    state: web::Data<State>,
    id: PathId<PaymentId>,
    command: Command<SettleBody, Keyed>,
) -> Answer {
    let outcome = command.body.outcome.0;
    Ok(stored(
        state
            .services
            .billing
            .settle_sandbox(&command.ask, &command.who, id.0, outcome)
            .await?,
    ))
}

/// A receipt as the client wants it: JSON, or a page when `Accept` prefers HTML.
pub fn receipt_answer(request: &HttpRequest, receipt: &Receipt) -> Answer {
    let accept = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("*/*");
    let wants = |kind: &str| {
        accept.split(',').any(|part| {
            let kind_wanted = part.split(';').next().unwrap_or_default().trim();
            kind_wanted.eq_ignore_ascii_case(kind)
        })
    };
    if wants("text/html") {
        return Ok(HttpResponse::Ok()
            .content_type("text/html; charset=utf-8")
            .insert_header((
                header::CONTENT_SECURITY_POLICY,
                receipt.page.content_security_policy.clone(),
            ))
            .body(receipt.page.html.clone()));
    }
    if wants("application/json") || wants("application/*") || wants("*/*") {
        return Ok(ok(&receipt.view));
    }
    Err(Problem::new(Code::NotAcceptable))
}
