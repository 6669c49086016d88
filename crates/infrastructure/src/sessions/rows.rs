//! Columns of sessions and of what surrounds them.

use chrono::{DateTime, NaiveTime, Utc};
use comanda_domain::branch::{Branch, BranchSettings};
use comanda_domain::ids::TenantId;
use comanda_domain::session::{CloseReason, Session, SessionStatus};
use comanda_domain::table::Table;
use uuid::Uuid;

use crate::db::{DbError, row};
use crate::stored::{columns, currency, named, optional_stamp, stamp};

row! {
    /// One visit.
    SessionRow = table_session, key (tenant_id, id), guard "t.version <= r.version" {
        tenant_id: Uuid,
        id: Uuid,
        created_at: DateTime<Utc>,
        branch_id: Uuid,
        table_id: Uuid,
        status: String,
        seating: i32,
        join_code: String,
        party_size: Option<i32>,
        note: Option<String>,
        assigned_waiter_id: Option<Uuid>,
        cart_version: i64,
        next_round_number: i32,
        opened_at: DateTime<Utc>,
        opened_by_kind: String,
        opened_by_id: Option<Uuid>,
        paying_at: Option<DateTime<Utc>>,
        paying_by_kind: Option<String>,
        paying_by_id: Option<Uuid>,
        closed_at: Option<DateTime<Utc>>,
        closed_by_kind: Option<String>,
        closed_by_id: Option<Uuid>,
        close_reason: Option<String>,
        last_activity_at: DateTime<Utc>,
        flagged_idle_at: Option<DateTime<Utc>>,
        version: i64,
    }
}

impl SessionRow {
    pub(crate) fn of(tenant: TenantId, session: &Session) -> Self {
        let (paying_at, paying_by_kind, paying_by_id) = columns(session.paying.as_ref());
        let (closed_at, closed_by_kind, closed_by_id) = columns(session.closed.as_ref());
        Self {
            tenant_id: tenant.0,
            id: session.id.0,
            created_at: session.opened.at,
            branch_id: session.branch_id.0,
            table_id: session.table_id.0,
            status: session.status.to_string(),
            seating: session.seating,
            join_code: session.join_code.clone(),
            party_size: session.party_size,
            note: session.note.clone(),
            assigned_waiter_id: session.assigned_waiter_id.map(Uuid::from),
            cart_version: session.cart_version,
            next_round_number: session.next_round_number,
            opened_at: session.opened.at,
            opened_by_kind: session.opened.kind.to_string(),
            opened_by_id: session.opened.id,
            paying_at,
            paying_by_kind,
            paying_by_id,
            closed_at,
            closed_by_kind,
            closed_by_id,
            close_reason: session.close_reason.map(|reason| reason.to_string()),
            last_activity_at: session.last_activity_at,
            // Any operation on the session is activity, which ends the flag.
            flagged_idle_at: None,
            version: session.version,
        }
    }

    pub(crate) fn into_domain(self) -> Result<Session, DbError> {
        Ok(Session {
            id: self.id.into(),
            branch_id: self.branch_id.into(),
            table_id: self.table_id.into(),
            status: named(&self.status, SessionStatus::parse)?,
            seating: self.seating,
            join_code: self.join_code,
            party_size: self.party_size,
            note: self.note,
            assigned_waiter_id: self.assigned_waiter_id.map(Into::into),
            cart_version: self.cart_version,
            next_round_number: self.next_round_number,
            opened: stamp(self.opened_at, &self.opened_by_kind, self.opened_by_id)?,
            paying: optional_stamp(self.paying_at, self.paying_by_kind.as_deref(), self.paying_by_id)?,
            closed: optional_stamp(self.closed_at, self.closed_by_kind.as_deref(), self.closed_by_id)?,
            close_reason: self
                .close_reason
                .map(|text| named(&text, CloseReason::parse))
                .transpose()?,
            last_activity_at: self.last_activity_at,
            version: self.version,
        })
    }
}

row! {
    /// A branch.
    BranchRow = branch, key (tenant_id, id), guard "t.version < r.version" {
        tenant_id: Uuid,
        id: Uuid,
        created_at: DateTime<Utc>,
        name: String,
        slug: String,
        currency: String,
        locale: String,
        timezone: String,
        business_day_start: NaiveTime,
        address: Option<String>,
        phone: Option<String>,
        receipt_header: Option<String>,
        receipt_footer: Option<String>,
        waiter_may_submit: bool,
        auto_submit_on_confirm: bool,
        diners_may_open: bool,
        diners_may_request_check: bool,
        diners_may_pay_online: bool,
        join_code_required: bool,
        idle_flag_minutes: i32,
        menu_version: i64,
        deleted_at: Option<DateTime<Utc>>,
        version: i64,
    }
}

impl BranchRow {
    pub(crate) fn to_domain(&self) -> Result<Branch, DbError> {
        Ok(Branch {
            tenant_id: self.tenant_id.into(),
            id: self.id.into(),
            name: self.name.clone(),
            currency: currency(&self.currency)?,
            locale: self.locale.clone(),
            timezone: self
                .timezone
                .parse()
                .map_err(|_| DbError::Corrupt(self.timezone.clone()))?,
            business_day_start: self.business_day_start,
            menu_version: self.menu_version,
            settings: BranchSettings {
                waiter_may_submit: self.waiter_may_submit,
                auto_submit_on_confirm: self.auto_submit_on_confirm,
                diners_may_open: self.diners_may_open,
                diners_may_request_check: self.diners_may_request_check,
                diners_may_pay_online: self.diners_may_pay_online,
                join_code_required: self.join_code_required,
            },
        })
    }
}

row! {
    /// A table.
    TableRow = restaurant_table, key (tenant_id, id), guard "t.version < r.version" {
        tenant_id: Uuid,
        id: Uuid,
        created_at: DateTime<Utc>,
        branch_id: Uuid,
        sector_id: Uuid,
        code: String,
        capacity: i32,
        out_of_service: bool,
        out_of_service_reason: Option<String>,
        qr_version: i32,
        deleted_at: Option<DateTime<Utc>>,
        version: i64,
    }
}

impl TableRow {
    pub(crate) fn to_domain(&self) -> Table {
        Table {
            id: self.id.into(),
            branch_id: self.branch_id.into(),
            sector_id: self.sector_id.into(),
            code: self.code.clone(),
            capacity: self.capacity,
            out_of_service: self.out_of_service,
            out_of_service_reason: self.out_of_service_reason.clone(),
            qr_version: self.qr_version,
            version: self.version,
        }
    }
}

row! {
    /// What of a table changes with its derived status.
    TableVersionRow = restaurant_table, key (tenant_id, id), guard "t.version < r.version" {
        tenant_id: Uuid,
        id: Uuid,
        version: i64,
    }
}

impl TableVersionRow {
    pub(crate) fn of(tenant: TenantId, table: &Table) -> Self {
        Self {
            tenant_id: tenant.0,
            id: table.id.0,
            version: table.version,
        }
    }
}

row! {
    /// A sector.
    SectorRow = sector, key (tenant_id, id), guard "t.version < r.version" {
        tenant_id: Uuid,
        id: Uuid,
        created_at: DateTime<Utc>,
        branch_id: Uuid,
        name: String,
        prefix: String,
        display_order: i32,
        deleted_at: Option<DateTime<Utc>>,
        version: i64,
    }
}
