//! Which rows an operation locks, always in the house's order.

use std::fmt::Write;

use comanda_domain::ids::{
    ApiKeyId, BranchId, CheckId, DeliveryId, FamilyId, PaymentId, RoundId, ServiceCallId, SessionId, TableId,
    TenantId, TicketId, UserId, WebhookId,
};
use uuid::Uuid;

/// Row locks, taken in the order branch → table → session → check → round → ticket → payment whatever the order in
/// which they are named, so that no two operations can wait for each other. The counter of check numbers comes after
/// all of them: it is locked where it is read.
#[derive(Clone, Default, Debug)]
pub struct Locks(Vec<(Rank, String)>);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Rank {
    Branch,
    Table,
    Session,
    Check,
    Round,
    Call,
    User,
    ApiKey,
    Webhook,
}

impl Locks {
    /// No lock.
    pub fn none() -> Self {
        Self::default()
    }

    /// A branch, against two changes of its menu. Orders refer to the branch and go on meanwhile.
    pub fn branch(id: BranchId) -> Self {
        Self::none().add(Rank::Branch, format!("FROM branch WHERE id = '{}'", id.0))
    }

    /// A table, against two parties opening it.
    pub fn table(id: TableId) -> Self {
        Self::none().add(
            Rank::Table,
            format!("FROM restaurant_table WHERE id = '{}'", id.0),
        )
    }

    /// A session: everything that changes what a table owes.
    pub fn session(id: SessionId) -> Self {
        Self::none().add(Rank::Session, format!("FROM table_session WHERE id = '{}'", id.0))
    }

    /// The session that a round belongs to.
    pub fn session_of_round(id: RoundId) -> Self {
        Self::session_by("round", id.0)
    }

    /// The session that a check belongs to.
    pub fn session_of_check(id: CheckId) -> Self {
        Self::session_by("guest_check", id.0)
    }

    /// The session that a payment belongs to.
    pub fn session_of_payment(id: PaymentId) -> Self {
        Self::session_by("payment", id.0)
    }

    fn session_by(table: &str, id: Uuid) -> Self {
        Self::none().add(
            Rank::Session,
            format!("FROM table_session WHERE id = (SELECT session_id FROM {table} WHERE tenant_id = $t AND id = '{id}')"),
        )
    }

    /// Also the table of a session.
    #[must_use]
    pub fn and_table_of_session(self, id: SessionId) -> Self {
        self.add(
            Rank::Table,
            format!(
                "FROM restaurant_table WHERE id = (SELECT table_id FROM table_session WHERE tenant_id = $t AND id = '{}')",
                id.0
            ),
        )
    }

    /// Also the unsettled check of a session.
    #[must_use]
    pub fn and_live_check(self, id: SessionId) -> Self {
        self.add(
            Rank::Check,
            format!(
                "FROM guest_check WHERE session_id = '{}' AND settled_at IS NULL AND voided_at IS NULL",
                id.0
            ),
        )
    }

    /// Also a check.
    #[must_use]
    pub fn and_check(self, id: CheckId) -> Self {
        self.add(Rank::Check, format!("FROM guest_check WHERE id = '{}'", id.0))
    }

    /// Also the check of a payment.
    #[must_use]
    pub fn and_check_of_payment(self, id: PaymentId) -> Self {
        self.add(
            Rank::Check,
            format!("FROM guest_check WHERE id = (SELECT check_id FROM payment WHERE tenant_id = $t AND id = '{}')", id.0),
        )
    }

    /// A round: what only moves food.
    pub fn round(id: RoundId) -> Self {
        Self::none().and_round(id)
    }

    /// Also a round.
    #[must_use]
    pub fn and_round(self, id: RoundId) -> Self {
        self.add(Rank::Round, format!("FROM round WHERE id = '{}'", id.0))
    }

    /// The round that a ticket belongs to.
    pub fn round_of_ticket(id: TicketId) -> Self {
        Self::none().add(
            Rank::Round,
            format!("FROM round WHERE id = (SELECT round_id FROM kitchen_ticket WHERE tenant_id = $t AND id = '{}')", id.0),
        )
    }

    /// Also every unfinished round of a session.
    #[must_use]
    pub fn and_unfinished_rounds(self, id: SessionId) -> Self {
        self.add(
            Rank::Round,
            format!(
                "FROM round WHERE session_id = '{}' AND status NOT IN ('served', 'canceled')",
                id.0
            ),
        )
    }

    /// A service call.
    pub fn call(id: ServiceCallId) -> Self {
        Self::none().add(Rank::Call, format!("FROM service_call WHERE id = '{}'", id.0))
    }

    /// Also every call of a session that somebody still has to answer.
    #[must_use]
    pub fn and_live_calls(self, id: SessionId) -> Self {
        self.add(
            Rank::Call,
            format!(
                "FROM service_call WHERE session_id = '{}' AND status IN ('open', 'acked')",
                id.0
            ),
        )
    }

    /// A member of staff: everything about their logins.
    pub fn user(id: UserId) -> Self {
        Self::none().add(Rank::User, format!("FROM app_user WHERE id = '{}'", id.0))
    }

    /// The member of staff that a login belongs to.
    pub fn user_of_login(id: FamilyId) -> Self {
        Self::none().add(
            Rank::User,
            format!("FROM app_user WHERE id = (SELECT user_id FROM refresh_family WHERE tenant_id = $t AND id = '{}')", id.0),
        )
    }

    /// A key of an integration.
    pub fn api_key(id: ApiKeyId) -> Self {
        Self::none().add(Rank::ApiKey, format!("FROM api_key WHERE id = '{}'", id.0))
    }

    /// A receiver of webhooks: its deliveries are settled, and new ones made, under the same lock.
    pub fn webhook(id: WebhookId) -> Self {
        Self::none().add(
            Rank::Webhook,
            format!("FROM webhook_endpoint WHERE id = '{}'", id.0),
        )
    }

    /// The receiver of a delivery.
    pub fn webhook_of_delivery(id: DeliveryId) -> Self {
        Self::none().add(
            Rank::Webhook,
            format!("FROM webhook_endpoint WHERE id = (SELECT endpoint_id FROM webhook_delivery WHERE tenant_id = $t AND id = '{}')", id.0),
        )
    }

    fn add(mut self, rank: Rank, from: String) -> Self {
        self.0.push((rank, from));
        self
    }

    /// The statements, in the house's order. Only ids of ours are written into the text, never foreign input.
    pub(super) fn sql(&self, tenant: TenantId) -> String {
        let mut ordered: Vec<&(Rank, String)> = self.0.iter().collect();
        ordered.sort_by_key(|(rank, _)| *rank);
        let mut sql = String::new();
        for (rank, from) in ordered {
            let from = from.replace("$t", &format!("'{}'", tenant.0));
            // Writing into a String cannot fail.
            let strength = if *rank == Rank::Branch {
                "NO KEY UPDATE"
            } else {
                "UPDATE"
            };
            let _ = write!(
                sql,
                "SELECT 1 {from} AND tenant_id = '{}' ORDER BY id FOR {strength};",
                tenant.0
            );
        }
        sql
    }
}
