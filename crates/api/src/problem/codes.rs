//! Every error code with its status and title: names, documentation and problem bodies derive from this table.

/// How a refusal is told to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeInfo {
    /// The stable name.
    pub name: &'static str,
    /// HTTP status.
    pub status: u16,
    /// Short and always the same.
    pub title: &'static str,
    /// The same request can succeed later unchanged.
    pub retryable: bool,
    /// When it is given.
    pub when: &'static str,
}

macro_rules! codes {
    ($($variant:ident = $name:literal, $status:literal, $title:literal, $when:literal $(, $retry:ident)?;)*) => {
        /// A stable error code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($variant),* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its row of the table.
            pub fn info(self) -> CodeInfo {
                match self {
                    $(Self::$variant => CodeInfo {
                        name: $name, status: $status, title: $title, when: $when,
                        retryable: { let retry = false; $(let _ = retry; let retry = codes!(@$retry);)? retry },
                    }),*
                }
            }
        }
    };
    (@retry) => { true };
}

codes! {
    InvalidJson = "invalid_json", 400, "Body is not valid JSON", "syntax error, wrong encoding, duplicate member";
    InvalidParameter = "invalid_parameter", 400, "Invalid query parameter or header", "unknown or unreadable value";
    IdMalformed = "id_malformed", 400, "Malformed id", "not a TypeID";
    IdWrongPrefix = "id_wrong_prefix", 400, "Id of another kind", "a TypeID of another kind; members expected, got";
    InvalidCursor = "invalid_cursor", 400, "Invalid cursor", "forged, or made for another list or filter";
    IdempotencyKeyMissing = "idempotency_key_missing", 400, "Idempotency-Key required", "an endpoint that creates or moves food or money was called without a key";
    IdempotencyKeyInvalid = "idempotency_key_invalid", 400, "Idempotency-Key not usable", "empty, too long, or not printable ASCII";
    Unauthenticated = "unauthenticated", 401, "Credentials required", "no bearer";
    TokenInvalid = "token_invalid", 401, "Credentials not accepted", "unknown, damaged, revoked or outdated by a grant change";
    TokenExpired = "token_expired", 401, "Credentials expired", "the token's time is over";
    TokenWrongAudience = "token_wrong_audience", 401, "Credentials of another kind", "for example a refresh token used as access token";
    SeatingEnded = "seating_ended", 401, "This visit has ended", "the session closed, or its phones were revoked";
    CredentialsInvalid = "credentials_invalid", 401, "Login failed", "any wrong combination, always the same answer";
    RefreshReused = "refresh_reused", 401, "Login ended for safety", "an already used refresh token was presented";
    SignatureInvalid = "signature_invalid", 401, "Request signature not accepted", "missing, incomplete, stale, repeated or wrong";
    Forbidden = "forbidden", 403, "Not allowed", "no suitable role in that branch; member required_roles";
    ScopeMissing = "scope_missing", 403, "API key lacks a scope", "an API key without the scope of the operation; member required_scope";
    RegistrationRequired = "registration_required", 403, "Register first", "a table token on a diner endpoint";
    TenantSuspended = "tenant_suspended", 403, "Restaurant suspended", "the operator suspended the tenant";
    JoinCodeInvalid = "join_code_invalid", 403, "Join code missing or wrong", "branch setting join_code_required";
    NotLineOwner = "not_line_owner", 403, "Not your line", "changing another guest's cart line";
    NotFound = "not_found", 404, "Not found", "absent, deleted, another tenant's or another session's";
    RouteNotFound = "route_not_found", 404, "No such address", "no route has this path";
    TableCodeInvalid = "table_code_invalid", 404, "Table code not valid", "forged, damaged or rotated";
    MethodNotAllowed = "method_not_allowed", 405, "Method not allowed", "the path exists with other methods; header Allow";
    NotAcceptable = "not_acceptable", 406, "No such representation", "Accept cannot be met";
    IdempotencyInFlight = "idempotency_in_flight", 409, "Same request still running", "the first request with this key is not finished", retry;
    TableOutOfService = "table_out_of_service", 409, "Table out of service", "the table is flagged";
    TableOccupied = "table_occupied", 409, "Table in use", "opening a table with a live session";
    TableNotOpen = "table_not_open", 409, "Ask staff to open the table", "branch setting diners_may_open is off";
    SessionNotOpen = "session_not_open", 409, "Ordering is closed", "cart or placing while paying or closed; member current_status";
    SessionClosed = "session_closed", 409, "Visit already closed", "member current_status";
    SessionWrongState = "session_wrong_state", 409, "Not possible in this state", "reopening a session that is not paying; member current_status";
    DinerLimitReached = "diner_limit_reached", 409, "Table full", "50 guests";
    CartEmpty = "cart_empty", 409, "Nothing to order", "no line selected";
    CartFull = "cart_full", 409, "Cart full", "200 lines";
    ItemsUnavailable = "items_unavailable", 409, "Some items cannot be ordered", "errors: not_on_menu, sold_out, modifier_unavailable";
    PriceChanged = "price_changed", 409, "Total has changed", "expected_total differs; member total";
    RoundWrongState = "round_wrong_state", 409, "Not possible for this round", "members current_status, allowed";
    VoidExceedsLive = "void_exceeds_live", 409, "Quantity not there", "member live_qty";
    TicketWrongState = "ticket_wrong_state", 409, "Not possible for this ticket", "members current_status, allowed";
    ServiceCallWrongState = "service_call_wrong_state", 409, "Call already handled", "members current_status, by";
    RoundsPending = "rounds_pending", 409, "Orders await confirmation", "asking for the check; member round_ids";
    NothingToBill = "nothing_to_bill", 409, "Nothing to bill", "nothing was ordered, or everything is on a check";
    CheckWrongState = "check_wrong_state", 409, "Not possible for this check", "member current_status";
    CheckSettled = "check_settled", 409, "Check is settled", "an item is on a settled check";
    CheckUnpaid = "check_unpaid", 409, "Check not paid", "closing; member due";
    UnbilledItems = "unbilled_items", 409, "Items without a check", "closing; member total";
    RoundsUnfinished = "rounds_unfinished", 409, "Orders unfinished", "closing; member round_ids";
    SurplusUnresolved = "surplus_unresolved", 409, "Money to give back", "member surplus";
    PaymentsExist = "payments_exist", 409, "Money on the check", "reopening; members paid, reserved";
    PaymentExceedsDue = "payment_exceeds_due", 409, "More than can be paid", "members due, reserved, payable";
    PaymentWrongState = "payment_wrong_state", 409, "Not possible for this payment", "member current_status";
    ApiKeyWrongState = "api_key_wrong_state", 409, "Not possible for this key", "rotating a revoked, expired or just rotated key; member current_status";
    PreconditionFailed = "precondition_failed", 412, "Changed meanwhile", "member current";
    PayloadTooLarge = "payload_too_large", 413, "Body too large", "over 256 KiB, or the event it would cause over 64 KiB";
    UnsupportedMediaType = "unsupported_media_type", 415, "Unsupported content type", "a body that is not application/json";
    ValidationFailed = "validation_failed", 422, "Values not accepted", "one entry per field: required, too_short, too_long, too_small, too_large, wrong_type, wrong_format, unknown_field, not_allowed";
    IdempotencyKeyReused = "idempotency_key_reused", 422, "Key used for another request", "the same key with another path, query or body";
    ModifiersInvalid = "modifiers_invalid", 422, "Choices not accepted", "errors: too_few, too_many, unknown_option";
    AmountOverflow = "amount_overflow", 422, "Amount out of range", "a price or total beyond the limits";
    CurrencyMismatch = "currency_mismatch", 422, "Wrong currency", "member expected";
    DinerNotInSession = "diner_not_in_session", 422, "Guest not at this table", "a named guest belongs to another visit";
    SplitParticipantsInvalid = "split_participants_invalid", 422, "Participants not accepted", "empty, repeated, or not at this table";
    SplitSumMismatch = "split_sum_mismatch", 422, "Amounts do not add up", "members expected, got";
    TenderedTooSmall = "tendered_too_small", 422, "Cash does not cover the amount", "member needed";
    ProviderNotEnabled = "provider_not_enabled", 422, "Payment method not offered here", "member enabled";
    WebhookUrlForbidden = "webhook_url_forbidden", 422, "Address not allowed", "not https, or private";
    PreconditionRequired = "precondition_required", 428, "If-Match required", "clearing a cart or setting a split without it";
    RateLimited = "rate_limited", 429, "Too many requests", "more requests, frames or connections than allowed; header Retry-After", retry;
    InternalError = "internal_error", 500, "Internal error", "a defect; the cause is in the log, never in the answer", retry;
    ServiceUnavailable = "service_unavailable", 503, "Try again shortly", "database unreachable, pool exhausted, starting or draining; header Retry-After", retry;
    ProviderUnavailable = "provider_unavailable", 503, "Payment provider unreachable", "repeat with the same key", retry;
}
