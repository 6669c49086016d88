use comanda_domain::ids::{BranchId, SectorId, TableId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::floor::store::Seated;
use crate::sessions::rows::BranchRow;

/// A branch, to those who run it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BranchView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its name in addresses.
    pub slug: String,
    /// Its one currency, ISO 4217.
    pub currency: String,
    /// Default language of menus and receipts.
    pub locale: String,
    /// Its IANA zone.
    pub timezone: String,
    /// When its business day begins, local time.
    #[schema(example = "05:00")]
    pub business_day_start: String,
    /// Where it is.
    pub address: Option<String>,
    /// How to call it.
    pub phone: Option<String>,
    /// Above receipts.
    pub receipt_header: Option<String>,
    /// Below receipts.
    pub receipt_footer: Option<String>,
    /// A waiter may send a confirmed round to the kitchen.
    pub waiter_may_submit: bool,
    /// Confirming also submits.
    pub auto_submit_on_confirm: bool,
    /// A scanned code opens a free table.
    pub diners_may_open: bool,
    /// Guests may ask for the check.
    pub diners_may_request_check: bool,
    /// Guests may pay online.
    pub diners_may_pay_online: bool,
    /// Joining needs the four digits.
    pub join_code_required: bool,
    /// After this long without activity a visit is flagged.
    pub idle_flag_minutes: i32,
    /// Rises with every change visible on the menu.
    pub menu_version: i64,
    /// Rises with each update.
    pub version: i64,
}

/// A table, to those who manage the floor.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TableView {
    /// Its id.
    pub id: String,
    /// The branch.
    pub branch_id: String,
    /// Its sector.
    pub sector_id: String,
    /// The name of its sector.
    pub sector_name: String,
    /// What is printed on it.
    #[schema(example = "SAL-01")]
    pub code: String,
    /// Seats.
    pub capacity: i32,
    /// `free`, `open`, `paying` or `out_of_service`.
    pub status: String,
    /// Not to be used.
    pub out_of_service: bool,
    /// Why not.
    pub out_of_service_reason: Option<String>,
    /// Version of the printed code.
    pub qr_version: i32,
    /// Rises with each update.
    pub version: i64,
}

/// What the sticker on a table holds.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QrView {
    /// The code.
    pub code: String,
    /// The address that the picture leads to.
    pub url: String,
    /// The picture.
    pub svg: String,
    /// Version of the printed code.
    pub qr_version: i32,
}

/// A branch, to those who run it.
pub(crate) fn admin_branch(row: &BranchRow) -> BranchView {
    BranchView {
        id: BranchId(row.id).to_string(),
        name: row.name.clone(),
        slug: row.slug.clone(),
        currency: row.currency.clone(),
        locale: row.locale.clone(),
        timezone: row.timezone.clone(),
        business_day_start: row.business_day_start.format("%H:%M").to_string(),
        address: row.address.clone(),
        phone: row.phone.clone(),
        receipt_header: row.receipt_header.clone(),
        receipt_footer: row.receipt_footer.clone(),
        waiter_may_submit: row.waiter_may_submit,
        auto_submit_on_confirm: row.auto_submit_on_confirm,
        diners_may_open: row.diners_may_open,
        diners_may_request_check: row.diners_may_request_check,
        diners_may_pay_online: row.diners_may_pay_online,
        join_code_required: row.join_code_required,
        idle_flag_minutes: row.idle_flag_minutes,
        menu_version: row.menu_version,
        version: row.version,
    }
}

/// A table, to those who manage the floor.
pub(crate) fn table(seated: &Seated) -> TableView {
    let row = &seated.table;
    TableView {
        id: TableId(row.id).to_string(),
        branch_id: BranchId(row.branch_id).to_string(),
        sector_id: SectorId(row.sector_id).to_string(),
        sector_name: seated.sector_name.clone(),
        code: row.code.clone(),
        capacity: row.capacity,
        status: seated.status.to_string(),
        out_of_service: row.out_of_service,
        out_of_service_reason: row.out_of_service_reason.clone(),
        qr_version: row.qr_version,
        version: row.version,
    }
}
