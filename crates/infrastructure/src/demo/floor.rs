//! Rows of the demo branches: settings, payment methods, counters, areas and tables.

use chrono::NaiveTime;
use comanda_domain::ids::{BranchId, IdSource};
use uuid::Uuid;

use super::restaurants::{CURRENCY, DemoBranch, DemoSector, LOCALE, PROVIDERS};
use crate::billing::rows::{BranchCounterRow, BranchProviderRow};
use crate::db::Act;
use crate::sessions::rows::{BranchRow, SectorRow, TableRow};

/// Records a branch with its floor; gives the id of each sector by its prefix.
pub(super) fn record(
    id: BranchId,
    demo: &'static DemoBranch,
    act: &mut Act<'_>,
) -> Vec<(&'static str, Uuid)> {
    let row = branch(id, demo, act);
    act.rows.insert(&row);
    for provider in PROVIDERS {
        act.rows.insert(&BranchProviderRow {
            tenant_id: act.ask.tenant.0,
            branch_id: id.0,
            provider: provider.to_string(),
            created_at: act.now,
            enabled: true,
            config: None,
            sealed_secret: None,
        });
    }
    for name in ["check_number", "event_seq"] {
        act.rows.insert(&BranchCounterRow {
            tenant_id: act.ask.tenant.0,
            branch_id: id.0,
            name: name.to_owned(),
            created_at: act.now,
            value: 0,
        });
    }
    (1..)
        .zip(demo.sectors)
        .map(|(order, sector)| (sector.prefix, sector_with_tables(id, order, sector, act)))
        .collect()
}

fn branch(id: BranchId, demo: &DemoBranch, act: &Act<'_>) -> BranchRow {
    BranchRow {
        tenant_id: act.ask.tenant.0,
        id: id.0,
        created_at: act.now,
        name: demo.name.to_owned(),
        slug: demo.slug.to_owned(),
        currency: CURRENCY.to_owned(),
        locale: LOCALE.to_owned(),
        timezone: demo.timezone.to_owned(),
        business_day_start: day_start(),
        address: None,
        phone: None,
        receipt_header: None,
        receipt_footer: None,
        waiter_may_submit: demo.quick_kitchen,
        auto_submit_on_confirm: demo.quick_kitchen,
        diners_may_open: true,
        diners_may_request_check: true,
        diners_may_pay_online: true,
        join_code_required: false,
        idle_flag_minutes: 180,
        menu_version: 1,
        deleted_at: None,
        version: 1,
    }
}

/// Five in the morning, where nothing else is said.
pub(super) fn day_start() -> NaiveTime {
    NaiveTime::from_hms_opt(5, 0, 0).unwrap_or_default()
}

fn sector_with_tables(branch: BranchId, order: i32, demo: &DemoSector, act: &mut Act<'_>) -> Uuid {
    let sector = SectorRow {
        tenant_id: act.ask.tenant.0,
        id: act.ids.uuid(),
        created_at: act.now,
        branch_id: branch.0,
        name: demo.name.to_owned(),
        prefix: demo.prefix.to_owned(),
        display_order: order,
        deleted_at: None,
        version: 1,
    };
    act.rows.insert(&sector);
    for number in 1..=demo.tables {
        let table = TableRow {
            tenant_id: sector.tenant_id,
            id: act.ids.uuid(),
            created_at: act.now,
            branch_id: branch.0,
            sector_id: sector.id,
            code: format!("{}-{number:02}", demo.prefix),
            capacity: demo.seats,
            out_of_service: false,
            out_of_service_reason: None,
            qr_version: 1,
            deleted_at: None,
            version: 1,
        };
        act.rows.insert(&table);
    }
    sector.id
}
