//! Which rows an operation locks, always in the house's order.

use std::fmt::Write;

use comanda_domain::ids::{
    ApiKeyId, BranchId, CheckId, DeliveryId, FamilyId, PaymentId, RoundId, ServiceCallId, SessionId, TableId,
    TenantId, TicketId, UserId, WebhookId,
};
use uuid::Uuid;

/// Row locks, taken in the house's order whatever the order in which they are named, so that no two operations can
/// wait for each other. The counter of check numbers comes after all of them: it is locked where it is read.
#[derive(Clone, Default, Debug)]
pub struct Locks(Vec<(Lock, Uuid)>);

/// What one id locks. Their order is the house's: branch → table → session → check → round → call → user → key → receiver.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Lock {
    Branch,
    Table,
    TableOfSession,
    Session,
    SessionOfRound,
    SessionOfCheck,
    SessionOfPayment,
    Check,
    CheckOfPayment,
    LiveCheckOfSession,
    Round,
    RoundOfTicket,
    UnfinishedRoundsOfSession,
    Call,
    LiveCallsOfSession,
    User,
    UserOfLogin,
    ApiKey,
    Webhook,
    WebhookOfDelivery,
}

impl Lock {
    const ALL: &[Self] = &[
        Self::Branch,
        Self::Table,
        Self::TableOfSession,
        Self::Session,
        Self::SessionOfRound,
        Self::SessionOfCheck,
        Self::SessionOfPayment,
        Self::Check,
        Self::CheckOfPayment,
        Self::LiveCheckOfSession,
        Self::Round,
        Self::RoundOfTicket,
        Self::UnfinishedRoundsOfSession,
        Self::Call,
        Self::LiveCallsOfSession,
        Self::User,
        Self::UserOfLogin,
        Self::ApiKey,
        Self::Webhook,
        Self::WebhookOfDelivery,
    ];

    /// The table, and the condition on its rows besides the tenant `$1`; the id is `$2`.
    const fn rows(self) -> (&'static str, &'static str) {
        match self {
            Self::Branch => ("branch", "id = $2"),
            Self::Table => ("restaurant_table", "id = $2"),
            Self::TableOfSession => (
                "restaurant_table",
                "id = (SELECT table_id FROM table_session WHERE tenant_id = $1 AND id = $2)",
            ),
            Self::Session => ("table_session", "id = $2"),
            Self::SessionOfRound => (
                "table_session",
                "id = (SELECT session_id FROM round WHERE tenant_id = $1 AND id = $2)",
            ),
            Self::SessionOfCheck => (
                "table_session",
                "id = (SELECT session_id FROM guest_check WHERE tenant_id = $1 AND id = $2)",
            ),
            Self::SessionOfPayment => (
                "table_session",
                "id = (SELECT session_id FROM payment WHERE tenant_id = $1 AND id = $2)",
            ),
            Self::Check => ("guest_check", "id = $2"),
            Self::CheckOfPayment => (
                "guest_check",
                "id = (SELECT check_id FROM payment WHERE tenant_id = $1 AND id = $2)",
            ),
            Self::LiveCheckOfSession => (
                "guest_check",
                "session_id = $2 AND settled_at IS NULL AND voided_at IS NULL",
            ),
            Self::Round => ("round", "id = $2"),
            Self::RoundOfTicket => (
                "round",
                "id = (SELECT round_id FROM kitchen_ticket WHERE tenant_id = $1 AND id = $2)",
            ),
            Self::UnfinishedRoundsOfSession => (
                "round",
                "session_id = $2 AND status NOT IN ('served', 'canceled')",
            ),
            Self::Call => ("service_call", "id = $2"),
            Self::LiveCallsOfSession => ("service_call", "session_id = $2 AND status IN ('open', 'acked')"),
            Self::User => ("app_user", "id = $2"),
            Self::UserOfLogin => (
                "app_user",
                "id = (SELECT user_id FROM refresh_family WHERE tenant_id = $1 AND id = $2)",
            ),
            Self::ApiKey => ("api_key", "id = $2"),
            Self::Webhook => ("webhook_endpoint", "id = $2"),
            Self::WebhookOfDelivery => (
                "webhook_endpoint",
                "id = (SELECT endpoint_id FROM webhook_delivery WHERE tenant_id = $1 AND id = $2)",
            ),
        }
    }

    /// Orders refer to their branch and go on while its menu is changed.
    const fn strength(self) -> &'static str {
        match self {
            Self::Branch => "NO KEY UPDATE",
            _ => "UPDATE",
        }
    }
}

/// Prepares every lock and the claims of keys and nonces on a connection: taking one then costs no planning, although it travels
/// in one message with `BEGIN`.
pub(super) fn prepare_frame() -> String {
    let mut sql = "PREPARE claim_key (bigint) AS SELECT comanda_claim_key($1); \
                   PREPARE claim_nonce (uuid, uuid, text, uuid, timestamptz) AS \
                   SELECT comanda_claim_nonce($1, $2, $3, $4, $5);"
        .to_owned();
    for lock in Lock::ALL {
        let ((table, condition), strength) = (lock.rows(), lock.strength());
        // Writing into a String cannot fail.
        let _ = write!(
            sql,
            "PREPARE lock_{lock:?} (uuid, uuid) AS SELECT 1 FROM {table} WHERE tenant_id = $1 AND {condition} \
             ORDER BY id FOR {strength};"
        );
    }
    sql
}

impl Locks {
    /// No lock.
    pub fn none() -> Self {
        Self::default()
    }

    /// A branch, against two changes of its menu. Orders refer to the branch and go on meanwhile.
    pub fn branch(id: BranchId) -> Self {
        Self::none().add(Lock::Branch, id.0)
    }

    /// A table, against two parties opening it.
    pub fn table(id: TableId) -> Self {
        Self::none().add(Lock::Table, id.0)
    }

    /// A session: everything that changes what a table owes.
    pub fn session(id: SessionId) -> Self {
        Self::none().add(Lock::Session, id.0)
    }

    /// The session that a round belongs to.
    pub fn session_of_round(id: RoundId) -> Self {
        Self::none().add(Lock::SessionOfRound, id.0)
    }

    /// The session that a check belongs to.
    pub fn session_of_check(id: CheckId) -> Self {
        Self::none().add(Lock::SessionOfCheck, id.0)
    }

    /// The session that a payment belongs to.
    pub fn session_of_payment(id: PaymentId) -> Self {
        Self::none().add(Lock::SessionOfPayment, id.0)
    }

    /// Also the table of a session.
    #[must_use]
    pub fn and_table_of_session(self, id: SessionId) -> Self {
        self.add(Lock::TableOfSession, id.0)
    }

    /// Also the unsettled check of a session.
    #[must_use]
    pub fn and_live_check(self, id: SessionId) -> Self {
        self.add(Lock::LiveCheckOfSession, id.0)
    }

    /// Also a check.
    #[must_use]
    pub fn and_check(self, id: CheckId) -> Self {
        self.add(Lock::Check, id.0)
    }

    /// Also the check of a payment.
    #[must_use]
    pub fn and_check_of_payment(self, id: PaymentId) -> Self {
        self.add(Lock::CheckOfPayment, id.0)
    }

    /// A round: what only moves food.
    pub fn round(id: RoundId) -> Self {
        Self::none().and_round(id)
    }

    /// Also a round.
    #[must_use]
    pub fn and_round(self, id: RoundId) -> Self {
        self.add(Lock::Round, id.0)
    }

    /// The round that a ticket belongs to.
    pub fn round_of_ticket(id: TicketId) -> Self {
        Self::none().add(Lock::RoundOfTicket, id.0)
    }

    /// Also every unfinished round of a session.
    #[must_use]
    pub fn and_unfinished_rounds(self, id: SessionId) -> Self {
        self.add(Lock::UnfinishedRoundsOfSession, id.0)
    }

    /// A service call.
    pub fn call(id: ServiceCallId) -> Self {
        Self::none().add(Lock::Call, id.0)
    }

    /// Also every call of a session that somebody still has to answer.
    #[must_use]
    pub fn and_live_calls(self, id: SessionId) -> Self {
        self.add(Lock::LiveCallsOfSession, id.0)
    }

    /// A member of staff: everything about their logins.
    pub fn user(id: UserId) -> Self {
        Self::none().add(Lock::User, id.0)
    }

    /// The member of staff that a login belongs to.
    pub fn user_of_login(id: FamilyId) -> Self {
        Self::none().add(Lock::UserOfLogin, id.0)
    }

    /// A key of an integration.
    pub fn api_key(id: ApiKeyId) -> Self {
        Self::none().add(Lock::ApiKey, id.0)
    }

    /// A receiver of webhooks: its deliveries are settled, and new ones made, under the same lock.
    pub fn webhook(id: WebhookId) -> Self {
        Self::none().add(Lock::Webhook, id.0)
    }

    /// The receiver of a delivery.
    pub fn webhook_of_delivery(id: DeliveryId) -> Self {
        Self::none().add(Lock::WebhookOfDelivery, id.0)
    }

    fn add(mut self, lock: Lock, id: Uuid) -> Self {
        self.0.push((lock, id));
        self
    }

    /// The statements, in the house's order. Only ids of ours are written into the text, never foreign input.
    pub(super) fn sql(&self, tenant: TenantId) -> String {
        let mut ordered = self.0.clone();
        ordered.sort_by_key(|(lock, _)| *lock);
        let mut sql = String::new();
        for (lock, id) in ordered {
            // Writing into a String cannot fail.
            let _ = write!(sql, "EXECUTE lock_{lock:?}('{}', '{id}');", tenant.0);
        }
        sql
    }
}
