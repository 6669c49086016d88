//! The one place where a use case's refusal becomes a problem.

use comanda_domain::actor::Forbidden;
use comanda_domain::billing::{
    EndPaymentError, Payable, PaymentRefused, PreviewError, RegisterPaymentError, RequestCheckError,
    SetSplitError, SplitError, StartPaymentError,
};
use comanda_domain::cart::CartError;
use comanda_domain::diner::RegisterError;
use comanda_domain::ids::DinerId;
use comanda_domain::kitchen::MoveTicketError;
use comanda_domain::menu::{ChoiceProblem, LineProblem};
use comanda_domain::money::Currency;
use comanda_domain::round::{
    CancelRoundError, MoveRoundError, PlaceRoundError, RefusedLine, RoundStatus, VoidItemError,
};
use comanda_domain::service_call::{MoveCallError, RaiseCallError};
use comanda_domain::session::{CloseError, OpenError, OpenForStaffError, ReopenError};
use comanda_infrastructure::db::DbError;
use comanda_infrastructure::refusal::Refusal;
use comanda_infrastructure::views::money;
use serde_json::{Value, json};

use super::{Code, FieldError, Problem};

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        of(refusal, None)
    }
}

fn of(refusal: Refusal, currency: Option<Currency>) -> Problem {
    let amount = Amounts(currency);
    match refusal {
        Refusal::Priced { currency, refusal } => of(*refusal, Some(currency)),
        Refusal::NotFound => Problem::new(Code::NotFound),
        Refusal::Forbidden(forbidden) => self::forbidden(&forbidden),
        Refusal::ScopeMissing(scope) => {
            Problem::new(Code::ScopeMissing).member("required_scope", scope.as_str())
        }
        Refusal::WrongCredential => Problem::new(Code::TokenWrongAudience),
        Refusal::RegistrationRequired => Problem::new(Code::RegistrationRequired),
        Refusal::SeatingEnded => Problem::new(Code::SeatingEnded),
        Refusal::CredentialRevoked => Problem::new(Code::TokenInvalid),
        Refusal::CredentialExpired => Problem::new(Code::TokenExpired),
        Refusal::TenantSuspended => Problem::new(Code::TenantSuspended),
        Refusal::CredentialsInvalid => Problem::new(Code::CredentialsInvalid),
        Refusal::RefreshReused => Problem::new(Code::RefreshReused),
        Refusal::PayloadTooLarge => Problem::new(Code::PayloadTooLarge),
        Refusal::KeyReused => Problem::new(Code::IdempotencyKeyReused),
        Refusal::InvalidCursor => {
            Problem::new(Code::InvalidCursor).at("/query/cursor", "wrong_format", "not a cursor of this list")
        }
        Refusal::PreconditionFailed { version, current } => Problem::with_detail(
            Code::PreconditionFailed,
            format!("The present version is v{version}."),
        )
        .member("current", current),
        Refusal::Invalid {
            pointer,
            code,
            detail,
        } => Problem::with_detail(Code::ValidationFailed, detail.clone()).at(&pointer, code, &detail),
        Refusal::CurrencyMismatch { expected } => currency_mismatch(expected),
        Refusal::TableCodeInvalid => Problem::new(Code::TableCodeInvalid),
        Refusal::ProviderUnavailable => Problem::new(Code::ProviderUnavailable),
        Refusal::Rotation(why) => state(Code::ApiKeyWrongState, why.as_str()),
        Refusal::AddressForbidden(why) => Problem::with_detail(Code::WebhookUrlForbidden, why.to_string())
            .at("/url", "not_allowed", &why.to_string()),
        Refusal::Busy => Problem::new(Code::ServiceUnavailable),
        Refusal::Database(error) => database(&error),
        Refusal::Internal(cause) => Problem::new(Code::InternalError).because(cause),
        Refusal::Cart(error) => cart(error),
        Refusal::PlaceRound(error) => place_round(error),
        Refusal::MoveRound(error) => match error {
            MoveRoundError::Forbidden(forbidden) => self::forbidden(&forbidden),
            MoveRoundError::RoundWrongState { current, allowed } => round_state(current, &allowed),
        },
        Refusal::CancelRound(error) => match error {
            CancelRoundError::Forbidden(forbidden) => self::forbidden(&forbidden),
            CancelRoundError::RoundWrongState { current, allowed } => round_state(current, &allowed),
            CancelRoundError::ReasonRequired => required("/reason"),
            CancelRoundError::OnCheck { settled } => on_check(settled),
        },
        Refusal::VoidItem(error) => match error {
            VoidItemError::Forbidden(forbidden) => self::forbidden(&forbidden),
            VoidItemError::NotFound => Problem::new(Code::NotFound),
            VoidItemError::RoundWrongState { current, allowed } => round_state(current, &allowed),
            VoidItemError::VoidExceedsLive { live_qty } => {
                Problem::new(Code::VoidExceedsLive).member("live_qty", live_qty)
            }
            VoidItemError::OnCheck { settled } => on_check(settled),
        },
        Refusal::MoveTicket(error) => match error {
            MoveTicketError::Forbidden(forbidden) => self::forbidden(&forbidden),
            MoveTicketError::NotFound => Problem::new(Code::NotFound),
            MoveTicketError::TicketWrongState { current, allowed } => {
                state(Code::TicketWrongState, current).member("allowed", allowed)
            }
            MoveTicketError::ItemWrongState { current, allowed } => {
                state(Code::TicketWrongState, current).member("allowed", allowed)
            }
        },
        Refusal::Open(error) => Problem::new(match error {
            OpenError::TableOutOfService => Code::TableOutOfService,
            OpenError::TableNotOpen => Code::TableNotOpen,
            OpenError::JoinCodeInvalid => Code::JoinCodeInvalid,
        }),
        Refusal::OpenForStaff(error) => match error {
            OpenForStaffError::Forbidden(forbidden) => self::forbidden(&forbidden),
            OpenForStaffError::TableOutOfService => Problem::new(Code::TableOutOfService),
            OpenForStaffError::TableOccupied => Problem::new(Code::TableOccupied),
        },
        Refusal::Register(error) => match error {
            RegisterError::Forbidden(forbidden) => self::forbidden(&forbidden),
            RegisterError::SessionClosed(closed) => state(Code::SessionClosed, closed.current_status),
            RegisterError::DinerLimitReached => Problem::new(Code::DinerLimitReached),
        },
        Refusal::Close(error) => close(error, amount),
        Refusal::Reopen(error) => match error {
            ReopenError::Forbidden(forbidden) => self::forbidden(&forbidden),
            ReopenError::WrongState { current_status } => state(Code::SessionWrongState, current_status),
            ReopenError::PaymentsExist { paid, reserved } => Problem::new(Code::PaymentsExist)
                .member("paid", amount.of(paid))
                .member("reserved", amount.of(reserved)),
            ReopenError::SurplusUnresolved { surplus } => {
                Problem::new(Code::SurplusUnresolved).member("surplus", amount.of(surplus))
            }
        },
        Refusal::RaiseCall(error) => match error {
            RaiseCallError::Forbidden(forbidden) => self::forbidden(&forbidden),
            RaiseCallError::SessionClosed(closed) => state(Code::SessionClosed, closed.current_status),
        },
        Refusal::MoveCall(error) => match error {
            MoveCallError::Forbidden(forbidden) => self::forbidden(&forbidden),
            // The use case names who was faster: `CallWrongState`.
            MoveCallError::WrongState { current_status, .. } => {
                state(Code::ServiceCallWrongState, current_status)
            }
        },
        Refusal::CallWrongState { current_status, by } => {
            state(Code::ServiceCallWrongState, current_status).member("by", by)
        }
        Refusal::RequestCheck(error) => request_check(error, amount),
        Refusal::Preview(error) => match error {
            PreviewError::Overflow(_) => Problem::new(Code::AmountOverflow),
            PreviewError::Split(error) => split(&error, amount),
        },
        Refusal::SetSplit(error) => match error {
            SetSplitError::Forbidden(forbidden) => self::forbidden(&forbidden),
            SetSplitError::CheckWrongState { current } => state(Code::CheckWrongState, current),
            SetSplitError::Split(error) => split(&error, amount),
        },
        Refusal::RegisterPayment(error) => match error {
            RegisterPaymentError::Forbidden(forbidden) => self::forbidden(&forbidden),
            RegisterPaymentError::Refused(refused) => payment_refused(refused, amount),
            RegisterPaymentError::TenderedTooSmall { needed } => Problem::new(Code::TenderedTooSmall)
                .at("/tendered", "too_small", "the cash does not cover amount and tip")
                .member("needed", amount.of(needed)),
        },
        Refusal::StartPayment(error) => match error {
            StartPaymentError::Forbidden(forbidden) => self::forbidden(&forbidden),
            StartPaymentError::Refused(refused) => payment_refused(refused, amount),
        },
        Refusal::EndPayment(error) => match error {
            EndPaymentError::Forbidden(forbidden) => self::forbidden(&forbidden),
            EndPaymentError::PaymentWrongState { current } => state(Code::PaymentWrongState, current),
        },
    }
}

/// Amounts as members: with their currency where it is known.
#[derive(Clone, Copy)]
struct Amounts(Option<Currency>);

impl Amounts {
    fn of(self, minor: i64) -> Value {
        match self.0 {
            Some(currency) => json!(money(minor, currency)),
            None => json!(minor),
        }
    }
}

fn database(error: &DbError) -> Problem {
    match error {
        DbError::KeyInUse => Problem::new(Code::IdempotencyInFlight),
        DbError::NonceUsed => Problem::new(Code::SignatureInvalid).because(error),
        DbError::Unavailable(_) | DbError::Retry(_) => Problem::new(Code::ServiceUnavailable).because(error),
        DbError::Fenced | DbError::Unique { .. } | DbError::Corrupt(_) | DbError::Other(_) => {
            Problem::new(Code::InternalError).because(error)
        }
    }
}

fn forbidden(forbidden: &Forbidden) -> Problem {
    Problem::new(Code::Forbidden).member("required_roles", &forbidden.required_roles)
}

fn state(code: Code, current: impl serde::Serialize) -> Problem {
    Problem::new(code).member("current_status", current)
}

fn round_state(current: RoundStatus, allowed: &[RoundStatus]) -> Problem {
    state(Code::RoundWrongState, current).member("allowed", allowed)
}

fn required(pointer: &str) -> Problem {
    Problem::with_detail(Code::ValidationFailed, format!("{pointer}: must be given")).at(
        pointer,
        "required",
        "must be given",
    )
}

/// Taking back what is already billed is not possible in this version.
fn on_check(settled: bool) -> Problem {
    if settled {
        Problem::new(Code::CheckSettled)
    } else {
        Problem::new(Code::CheckWrongState)
    }
}

fn currency_mismatch(expected: Currency) -> Problem {
    Problem::with_detail(Code::CurrencyMismatch, format!("Amounts here are in {expected}."))
        .member("expected", expected)
}

fn diner_not_in_session(id: DinerId) -> Problem {
    let error = FieldError::new("", "not_allowed", "not at this table").about(&id);
    Problem::new(Code::DinerNotInSession).errors(vec![error])
}

fn line_detail(problem: LineProblem) -> &'static str {
    match problem {
        LineProblem::NotOnMenu => "is not on the menu",
        LineProblem::SoldOut => "is sold out",
        LineProblem::ModifierUnavailable(_) => "has an option that is sold out",
    }
}

fn choice(pointer: &str, problem: &ChoiceProblem) -> FieldError {
    let (detail, id) = match problem {
        ChoiceProblem::TooFew { group } => ("choose more of this group", Some(group.to_string())),
        ChoiceProblem::TooMany { group } => ("choose fewer of this group", Some(group.to_string())),
        ChoiceProblem::TooFewOf { option } => ("at least once", Some(option.to_string())),
        ChoiceProblem::TooManyOf { option } => ("too often", Some(option.to_string())),
        ChoiceProblem::UnknownOption { option } => ("not an option of this dish", Some(option.to_string())),
        ChoiceProblem::TooManyModifiers => ("too many choices", None),
    };
    let mut error = FieldError::new(pointer, problem.code(), detail);
    error.id = id;
    error
}

fn cart(error: CartError) -> Problem {
    match error {
        CartError::Forbidden(forbidden) => self::forbidden(&forbidden),
        CartError::NotFound => Problem::new(Code::NotFound),
        CartError::SessionNotOpen(closed) => state(Code::SessionNotOpen, closed.current_status),
        CartError::NotLineOwner => Problem::new(Code::NotLineOwner),
        CartError::Invalid { field, code } => {
            Problem::new(Code::ValidationFailed).at(&format!("/{field}"), code, "not accepted")
        }
        CartError::DinerNotInSession(id) => diner_not_in_session(id),
        CartError::ItemsUnavailable(problems) => {
            let errors = problems
                .into_iter()
                .map(|problem| {
                    let pointer = match problem {
                        LineProblem::ModifierUnavailable(_) => "/modifiers",
                        LineProblem::NotOnMenu | LineProblem::SoldOut => "/product_id",
                    };
                    FieldError::new(
                        pointer,
                        problem.code(),
                        format!("The dish {}.", line_detail(problem)),
                    )
                })
                .collect();
            Problem::new(Code::ItemsUnavailable).errors(errors)
        }
        CartError::ModifiersInvalid(problems) => Problem::new(Code::ModifiersInvalid).errors(
            problems
                .iter()
                .map(|problem| choice("/modifiers", problem))
                .collect(),
        ),
        CartError::AmountOverflow => Problem::new(Code::AmountOverflow),
        CartError::CartFull => Problem::new(Code::CartFull),
    }
}

fn place_round(error: PlaceRoundError) -> Problem {
    match error {
        PlaceRoundError::Forbidden(forbidden) => self::forbidden(&forbidden),
        PlaceRoundError::SessionNotOpen(current) => state(Code::SessionNotOpen, current),
        PlaceRoundError::CartEmpty => Problem::new(Code::CartEmpty),
        PlaceRoundError::LineNotFound(id) => {
            Problem::with_detail(Code::NotFound, "A selected line is not in the cart.").errors(vec![
                FieldError::new("/line_ids", "not_allowed", "not in the cart").about(&id),
            ])
        }
        PlaceRoundError::TooManyLines(_) => {
            Problem::new(Code::ValidationFailed).at("/selection", "too_long", "at most 60 lines in a round")
        }
        PlaceRoundError::SharingInvalid(index) => Problem::new(Code::ValidationFailed).at(
            &format!("/items/{index}/sharing"),
            "not_allowed",
            "owner or sharers do not fit the way of sharing",
        ),
        PlaceRoundError::DinerNotInSession(id) => diner_not_in_session(id),
        PlaceRoundError::Unavailable(lines) => {
            let count = lines.len();
            let errors = lines.iter().map(|line| {
                let name = line
                    .product_name
                    .as_ref()
                    .map_or("The dish", |name| name.pick(&["es"]));
                let detail = format!("{name} {}.", line_detail(line.problem));
                about_line(FieldError::new(pointer(line), line.problem.code(), detail), line)
            });
            Problem::with_detail(
                Code::ItemsUnavailable,
                format!("{count} lines cannot be ordered now."),
            )
            .errors(errors.collect())
        }
        PlaceRoundError::Choices(lines) => {
            let errors = lines
                .iter()
                .map(|line| about_line(choice(&pointer(line), &line.problem), line));
            Problem::new(Code::ModifiersInvalid).errors(errors.collect())
        }
        PlaceRoundError::AmountOverflow => Problem::new(Code::AmountOverflow),
        PlaceRoundError::CurrencyMismatch { expected } => currency_mismatch(expected),
        PlaceRoundError::PriceChanged { total } => {
            Problem::new(Code::PriceChanged).member("total", money(total.minor, total.currency))
        }
    }
}

/// The n-th selected cart line, or the n-th item that staff gave.
fn pointer<P>(line: &RefusedLine<P>) -> String {
    let list = if line.line_id.is_some() { "lines" } else { "items" };
    format!("/{list}/{}", line.index)
}

fn about_line<P>(mut error: FieldError, line: &RefusedLine<P>) -> FieldError {
    error.id = line.line_id.map(|id| id.to_string()).or(error.id);
    error
}

fn close(error: CloseError, amount: Amounts) -> Problem {
    match error {
        CloseError::Forbidden(forbidden) => self::forbidden(&forbidden),
        CloseError::SessionClosed(closed) => state(Code::SessionClosed, closed.current_status),
        CloseError::RoundsUnfinished { round_ids } => {
            Problem::new(Code::RoundsUnfinished).member("round_ids", round_ids)
        }
        CloseError::UnbilledItems { total } => {
            Problem::new(Code::UnbilledItems).member("total", amount.of(total))
        }
        CloseError::CheckUnpaid { due } => Problem::new(Code::CheckUnpaid).member("due", amount.of(due)),
        CloseError::SurplusUnresolved { surplus } => {
            Problem::new(Code::SurplusUnresolved).member("surplus", amount.of(surplus))
        }
    }
}

fn request_check(error: RequestCheckError, amount: Amounts) -> Problem {
    match error {
        RequestCheckError::Forbidden(forbidden) => self::forbidden(&forbidden),
        RequestCheckError::SessionClosed { current } => state(Code::SessionClosed, current),
        RequestCheckError::RoundsPending { round_ids } => {
            Problem::new(Code::RoundsPending).member("round_ids", round_ids)
        }
        RequestCheckError::Overflow(_) => Problem::new(Code::AmountOverflow),
        RequestCheckError::NothingToBill => Problem::new(Code::NothingToBill),
        RequestCheckError::Split(error) => split(&error, amount),
    }
}

fn split(error: &SplitError, amount: Amounts) -> Problem {
    match error {
        SplitError::ParticipantsInvalid => Problem::new(Code::SplitParticipantsInvalid),
        SplitError::CurrencyMismatch { expected } => currency_mismatch(*expected),
        SplitError::NegativeAmount => {
            Problem::new(Code::ValidationFailed).at("/amounts", "too_small", "no amount below zero")
        }
        SplitError::SumMismatch { expected, got } => Problem::new(Code::SplitSumMismatch)
            .member("expected", amount.of(*expected))
            .member("got", amount.of(*got)),
    }
}

fn payment_refused(refused: PaymentRefused, amount: Amounts) -> Problem {
    match refused {
        PaymentRefused::CheckWrongState { current } => state(Code::CheckWrongState, current),
        PaymentRefused::ProviderNotEnabled { enabled } => {
            Problem::new(Code::ProviderNotEnabled).member("enabled", enabled)
        }
        PaymentRefused::CurrencyMismatch { expected } => currency_mismatch(expected),
        PaymentRefused::DinerNotInSession { diner_id } => diner_not_in_session(diner_id),
        PaymentRefused::ValueRequired(field) => required(&format!("/{field}")),
        PaymentRefused::ValueTooSmall(field) => {
            Problem::new(Code::ValidationFailed).at(&format!("/{field}"), "too_small", "too small")
        }
        PaymentRefused::Overflow(_) => Problem::new(Code::AmountOverflow),
        PaymentRefused::ExceedsDue(Payable {
            due,
            reserved,
            payable,
        }) => Problem::new(Code::PaymentExceedsDue)
            .member("due", amount.of(due))
            .member("reserved", amount.of(reserved))
            .member("payable", amount.of(payable)),
    }
}
