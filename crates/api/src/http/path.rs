//! Ids in paths.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use comanda_domain::ids::{
    ApiKeyId, BranchId, CartLineId, CheckId, DeliveryId, IdError, ModifierOptionId, PaymentId, ProductId,
    RoundId, RoundItemId, ServiceCallId, SessionId, TableId, TicketId, TicketItemId, TypedId, WebhookId,
};

use crate::problem::{Code, Problem};

/// The id in the path segment that is named after its kind.
#[derive(Debug, Clone, Copy)]
pub struct PathId<T>(pub T);

/// Which segment holds an id of this kind.
pub trait Segment: TypedId + std::str::FromStr<Err = IdError> + 'static {
    /// The segment's name in route templates.
    const NAME: &'static str;
}

macro_rules! segments {
    ($($ty:ident = $name:literal),* $(,)?) => {$(
        impl Segment for $ty {
            const NAME: &'static str = $name;
        }
    )*};
}

segments! {
    ApiKeyId = "key_id",
    BranchId = "branch_id",
    CartLineId = "line_id",
    CheckId = "check_id",
    DeliveryId = "delivery_id",
    ModifierOptionId = "option_id",
    PaymentId = "payment_id",
    ProductId = "product_id",
    RoundId = "round_id",
    RoundItemId = "item_id",
    ServiceCallId = "call_id",
    SessionId = "session_id",
    TableId = "table_id",
    TicketId = "ticket_id",
    TicketItemId = "item_id",
    WebhookId = "webhook_id",
}

/// What is wrong with an id outside a body.
pub fn id_problem(error: &IdError, pointer: &str) -> Problem {
    let code = match error {
        IdError::Malformed => Code::IdMalformed,
        IdError::WrongPrefix { .. } => Code::IdWrongPrefix,
    };
    let problem =
        Problem::with_detail(code, error.to_string()).at(pointer, code.info().name, &error.to_string());
    match error {
        IdError::Malformed => problem,
        IdError::WrongPrefix { expected, got } => problem.member("expected", expected).member("got", got),
    }
}

impl<T: Segment> FromRequest for PathId<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let text = request.match_info().get(T::NAME).unwrap_or_default();
        let pointer = format!("/path/{}", T::NAME);
        ready(
            text.parse()
                .map(Self)
                .map_err(|error| id_problem(&error, &pointer)),
        )
    }
}
