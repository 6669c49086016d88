//! What a decision needs to know of a branch.

use chrono::NaiveTime;
use chrono_tz::Tz;

use crate::ids::{BranchId, TenantId};
use crate::money::Currency;

/// One place of a restaurant, with its switches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Branch {
    /// Whose branch.
    pub tenant_id: TenantId,
    /// The branch.
    pub id: BranchId,
    /// Its name.
    pub name: String,
    /// Its one currency.
    pub currency: Currency,
    /// Default language of menus and receipts.
    pub locale: String,
    /// Its zone.
    pub timezone: Tz,
    /// When its business day begins, local time.
    pub business_day_start: NaiveTime,
    /// Rises with every change visible on the menu.
    pub menu_version: i64,
    /// The switches.
    pub settings: BranchSettings,
}

/// What a branch allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BranchSettings {
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
}

impl Default for BranchSettings {
    fn default() -> Self {
        Self {
            waiter_may_submit: false,
            auto_submit_on_confirm: false,
            diners_may_open: true,
            diners_may_request_check: true,
            diners_may_pay_online: true,
            join_code_required: false,
        }
    }
}
