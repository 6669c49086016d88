//! Why an operation was not done. The door (HTTP, command line) turns it into its own words in one place.

use comanda_domain::actor::Forbidden;
use comanda_domain::billing::{
    EndPaymentError, PreviewError, RegisterPaymentError, RequestCheckError, SetSplitError, StartPaymentError,
};
use comanda_domain::cart::CartError;
use comanda_domain::diner::RegisterError;
use comanda_domain::kitchen::MoveTicketError;
use comanda_domain::money::Currency;
use comanda_domain::round::{CancelRoundError, MoveRoundError, PlaceRoundError, VoidItemError};
use comanda_domain::service_call::{CallStatus, MoveCallError, RaiseCallError};
use comanda_domain::session::{CloseError, OpenError, OpenForStaffError, ReopenError};
use comanda_security::address::AddressRefusal;
use comanda_security::api_key::RotationRefusal;
use comanda_security::policy::Scope;
use serde_json::Value;

use crate::db::DbError;
use crate::views::ActorView;

/// Every reason for which a use case says no.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Absent, deleted, another tenant's or another visit's.
    #[error("not found")]
    NotFound,
    /// No suitable role in that branch.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The API key was not given this scope.
    #[error("the key lacks the scope {0}")]
    ScopeMissing(Scope),
    /// A credential of another kind than the operation needs.
    #[error("credential of another kind")]
    WrongCredential,
    /// A table token where a registered guest is needed.
    #[error("register first")]
    RegistrationRequired,
    /// The visit of the token is over.
    #[error("this visit has ended")]
    SeatingEnded,
    /// The credential was revoked or is outdated.
    #[error("credential revoked or outdated")]
    CredentialRevoked,
    /// The credential's time is over.
    #[error("credential expired")]
    CredentialExpired,
    /// The restaurant is suspended.
    #[error("restaurant suspended")]
    TenantSuspended,
    /// Login failed; always the same answer.
    #[error("login failed")]
    CredentialsInvalid,
    /// An already used refresh token was presented.
    #[error("refresh token used again")]
    RefreshReused,
    /// The idempotency key was used for another request.
    #[error("idempotency key used for another request")]
    KeyReused,
    /// The object is not the version that the client saw.
    #[error("changed meanwhile")]
    PreconditionFailed {
        /// Its present version.
        version: i64,
        /// The present object.
        current: Value,
    },
    /// A value that is not acceptable, by JSON pointer.
    #[error("value not accepted at {pointer}")]
    Invalid {
        /// Where.
        pointer: String,
        /// What is wrong: `required`, `too_long`, …
        code: &'static str,
        /// In words.
        detail: String,
    },
    /// A refusal whose amounts are of this currency.
    #[error("{refusal}")]
    Priced {
        /// The branch's currency.
        currency: Currency,
        /// Why.
        refusal: Box<Refusal>,
    },
    /// A cursor that is forged or belongs to another list.
    #[error("invalid cursor")]
    InvalidCursor,
    /// The decision on a cart.
    #[error(transparent)]
    Cart(#[from] CartError),
    /// … on placing a round.
    #[error(transparent)]
    PlaceRound(#[from] PlaceRoundError),
    /// … on moving a round.
    #[error(transparent)]
    MoveRound(#[from] MoveRoundError),
    /// … on canceling a round.
    #[error(transparent)]
    CancelRound(#[from] CancelRoundError),
    /// … on voiding an item.
    #[error(transparent)]
    VoidItem(#[from] VoidItemError),
    /// … on moving a ticket.
    #[error(transparent)]
    MoveTicket(#[from] MoveTicketError),
    /// … on scanning a table code.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A table code that is forged, damaged or rotated.
    #[error("table code not valid")]
    TableCodeInvalid,
    /// … on opening a table for a party.
    #[error(transparent)]
    OpenForStaff(#[from] OpenForStaffError),
    /// … on registering.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// … on closing a session.
    #[error(transparent)]
    Close(#[from] CloseError),
    /// … on reopening a session.
    #[error(transparent)]
    Reopen(#[from] ReopenError),
    /// … on raising a call.
    #[error(transparent)]
    RaiseCall(#[from] RaiseCallError),
    /// … on moving a call.
    #[error(transparent)]
    MoveCall(#[from] MoveCallError),
    /// … and who was faster.
    #[error("the call is {current_status}")]
    CallWrongState {
        /// Where it stands.
        current_status: CallStatus,
        /// Who brought it there; none while nobody has reacted.
        by: Option<ActorView>,
    },
    /// … on asking for the check.
    #[error(transparent)]
    RequestCheck(#[from] RequestCheckError),
    /// … on looking at what a check would hold.
    #[error(transparent)]
    Preview(#[from] PreviewError),
    /// … on splitting.
    #[error(transparent)]
    SetSplit(#[from] SetSplitError),
    /// … on registering a payment.
    #[error(transparent)]
    RegisterPayment(#[from] RegisterPaymentError),
    /// … on starting an online payment.
    #[error(transparent)]
    StartPayment(#[from] StartPaymentError),
    /// … on ending a payment.
    #[error(transparent)]
    EndPayment(#[from] EndPaymentError),
    /// The payment provider cannot be reached; the same request goes on later.
    #[error("payment provider unreachable")]
    ProviderUnavailable,
    /// An event of the operation would be larger than any transport carries.
    #[error("an event of it would be too large")]
    PayloadTooLarge,
    /// Another currency than the branch's.
    #[error("wrong currency")]
    CurrencyMismatch {
        /// The branch's.
        expected: Currency,
    },
    /// The key gets no other secret as it stands.
    #[error(transparent)]
    Rotation(#[from] RotationRefusal),
    /// An address that we do not call.
    #[error("address not allowed: {0}")]
    AddressForbidden(#[from] AddressRefusal),
    /// Too much of this is under way; the same request may succeed in a moment.
    #[error("busy")]
    Busy,
    /// Storage failed or is busy.
    #[error(transparent)]
    Database(#[from] DbError),
    /// Something that must not happen.
    #[error("internal: {0}")]
    Internal(String),
}

impl Refusal {
    /// A refusal whose amounts are of this currency.
    pub fn priced(currency: Currency, refusal: impl Into<Self>) -> Self {
        Self::Priced {
            currency,
            refusal: Box::new(refusal.into()),
        }
    }
}

impl From<diesel::result::Error> for Refusal {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}
