//! The objects of the examples: one table's evening.

use comanda_domain::event::EventName;
use comanda_domain::ids::{
    BranchId, ChargeId, CheckId, DinerId, ModifierOptionId, PaymentId, ProductId, RoundId, RoundItemId,
    SectorId, ServiceCallId, SessionId, TableId, TenantId, TicketId, TicketItemId, UserId,
};
use uuid::Uuid;

use crate::views::{
    ActorView, AllocationView, BranchRef, CallView, CheckTotalsView, CoverView, DinerView, ItemView,
    ModifierView, MoneyView, NamedRef, PaymentView, PersonRef, RoundView, SessionTable, SessionView,
    ShareView, SplitView, TableRef, TicketItemView, TicketView, TimelineView,
};

/// A name of its own for everything; version 7, as all ids are.
pub(super) const fn uuid(n: u128) -> Uuid {
    Uuid::from_u128(0x0193_6000_0000_7000_8000_0000_0000_0000 | n)
}

pub(super) const TENANT: TenantId = TenantId(uuid(1));
pub(super) const BRANCH: BranchId = BranchId(uuid(2));
pub(super) const SECTOR: SectorId = SectorId(uuid(3));
pub(super) const TERRACE: SectorId = SectorId(uuid(4));
pub(super) const TABLE: TableId = TableId(uuid(5));
pub(super) const OTHER_TABLE: TableId = TableId(uuid(6));
pub(super) const SESSION: SessionId = SessionId(uuid(7));
pub(super) const ANA: DinerId = DinerId(uuid(8));
const BRUNO: DinerId = DinerId(uuid(9));
pub(super) const LEO: UserId = UserId(uuid(10));
pub(super) const MARTA: UserId = UserId(uuid(11));
const NORA: UserId = UserId(uuid(12));
pub(super) const STEAK: ProductId = ProductId(uuid(13));
const EGG: ModifierOptionId = ModifierOptionId(uuid(14));
const ROUND: RoundId = RoundId(uuid(15));
pub(super) const ITEM: RoundItemId = RoundItemId(uuid(16));
pub(super) const TICKET: TicketId = TicketId(uuid(17));
pub(super) const TICKET_ITEM: TicketItemId = TicketItemId(uuid(18));
const CALL: ServiceCallId = ServiceCallId(uuid(19));
pub(super) const CHECK: CheckId = CheckId(uuid(20));
const CHARGE: ChargeId = ChargeId(uuid(21));
pub(super) const PAYMENT: PaymentId = PaymentId(uuid(22));

/// A minute of the evening.
pub(super) fn at(minute: u8) -> String {
    format!("2026-11-24T23:{minute:02}:00.000Z")
}

pub(super) fn pesos(amount: i64) -> MoneyView {
    MoneyView {
        amount,
        currency: "ARS".to_owned(),
    }
}

pub(super) fn table() -> TableRef {
    TableRef::new(TABLE, "SAL-01")
}

pub(super) fn user(id: UserId) -> ActorView {
    let name = [(LEO, "Leo"), (MARTA, "Marta"), (NORA, "Nora")];
    let name = name.iter().find(|(known, _)| *known == id);
    ActorView {
        kind: "user".to_owned(),
        id: Some(id.to_string()),
        name: name.map(|(_, name)| (*name).to_owned()),
    }
}

pub(super) fn guest() -> ActorView {
    ActorView {
        kind: "diner".to_owned(),
        id: Some(ANA.to_string()),
        name: Some("Ana".to_owned()),
    }
}

pub(super) fn nobody(kind: &str) -> ActorView {
    ActorView {
        kind: kind.to_owned(),
        id: None,
        name: None,
    }
}

/// Who does what of this name.
pub(super) fn actor(name: EventName) -> ActorView {
    use EventName as E;
    match name {
        E::DinerJoined
        | E::DinerUpdated
        | E::RoundPending
        | E::ServiceCallOpened
        | E::ServiceCallReminded
        | E::ServiceCallCanceled
        | E::CheckRequested
        | E::PaymentCreated
        | E::PaymentCanceled => guest(),
        E::SessionFlaggedIdle | E::PaymentExpired | E::ApiKeyExpiring | E::WebhookDisabled => {
            nobody("system")
        }
        E::PaymentApproved
        | E::PaymentRejected
        | E::PaymentChargedBack
        | E::PaymentRefundFailed
        | E::PaymentSurplus
        | E::PaymentUnmatched => nobody("provider"),
        _ if name.family() == "ticket" => user(NORA),
        E::RoundInKitchen | E::RoundReady | E::RoundRecalled | E::ProductAvailabilityChanged => user(NORA),
        E::RoundConfirmed | E::RoundServed | E::ServiceCallAcked | E::ServiceCallClosed => user(LEO),
        _ => user(MARTA),
    }
}

pub(super) fn person(id: UserId, name: &str) -> PersonRef {
    PersonRef {
        id: id.to_string(),
        name: name.to_owned(),
    }
}

pub(super) fn diner(id: DinerId, name: &str, color: &str) -> DinerView {
    DinerView {
        id: id.to_string(),
        name: name.to_owned(),
        color: color.to_owned(),
        joined_at: at(2),
    }
}

pub(super) fn ana() -> DinerView {
    diner(ANA, "Ana", "#e91e63")
}

pub(super) fn session(name: EventName) -> SessionView {
    let closed = name == EventName::SessionClosed;
    SessionView {
        id: SESSION.to_string(),
        status: if closed { "closed" } else { "open" }.to_owned(),
        seating: if closed || name == EventName::SessionPhonesRevoked {
            2
        } else {
            1
        },
        join_code: "4711".to_owned(),
        version: 3,
        branch: BranchRef {
            id: BRANCH.to_string(),
            name: "Centro".to_owned(),
            currency: "ARS".to_owned(),
            timezone: "America/Argentina/Buenos_Aires".to_owned(),
        },
        table: SessionTable {
            id: TABLE.to_string(),
            code: "SAL-01".to_owned(),
            sector: NamedRef {
                id: SECTOR.to_string(),
                name: "Salón".to_owned(),
            },
        },
        party_size: Some(2),
        note: None,
        assigned_waiter: Some(person(LEO, "Leo")),
        diners: vec![ana(), diner(BRUNO, "Bruno", "#3f51b5")],
        cart_version: 4,
        check_id: closed.then(|| CHECK.to_string()),
        opened_at: at(1),
        closed_at: closed.then(|| at(55)),
        close_reason: closed.then(|| "paid".to_owned()),
    }
}

/// How far a round of this name has come, and who took each step.
fn steps(name: EventName) -> &'static [&'static str] {
    use EventName as E;
    match name {
        E::RoundPending => &["pending"],
        E::RoundConfirmed => &["pending", "confirmed"],
        E::RoundSubmitted => &["pending", "confirmed", "submitted"],
        E::RoundReady => &["pending", "confirmed", "submitted", "in_kitchen", "ready"],
        E::RoundServed => &[
            "pending",
            "confirmed",
            "submitted",
            "in_kitchen",
            "ready",
            "served",
        ],
        E::RoundCanceled => &["pending", "confirmed", "submitted", "canceled"],
        _ => &["pending", "confirmed", "submitted", "in_kitchen"],
    }
}

pub(super) fn round(name: EventName) -> RoundView {
    let steps = steps(name);
    let people = [guest(), user(LEO), user(MARTA), user(NORA), user(NORA), user(LEO)];
    let timeline = steps.iter().zip((10..).step_by(5)).zip(people);
    RoundView {
        id: ROUND.to_string(),
        branch_id: BRANCH.to_string(),
        session_id: SESSION.to_string(),
        table: Some(table()),
        number: 1,
        status: steps.last().copied().unwrap_or_default().to_owned(),
        source: "diner".to_owned(),
        notes: String::new(),
        menu_version: 12,
        version: 3,
        total: pesos(3_940_000),
        cancel_reason: (name == EventName::RoundCanceled).then(|| "se van".to_owned()),
        items: vec![item(name)],
        timeline: timeline
            .map(|((status, minute), by)| TimelineView {
                status: (*status).to_owned(),
                at: at(minute),
                by,
            })
            .collect(),
    }
}

fn item(name: EventName) -> ItemView {
    ItemView {
        id: ITEM.to_string(),
        line_no: 1,
        product_id: STEAK.to_string(),
        name: "Bife de chorizo".to_owned(),
        station: "grill".to_owned(),
        diner_id: Some(ANA.to_string()),
        sharing: "own".to_owned(),
        shared_with: Vec::new(),
        qty: 2,
        voided_qty: i32::from(name == EventName::RoundItemVoided),
        notes: "sin sal".to_owned(),
        modifiers: vec![ModifierView {
            option_id: EGG.to_string(),
            name: "Huevo frito".to_owned(),
            qty: 1,
            unit_price: pesos(120_000),
        }],
        allergen_alerts: vec!["egg".to_owned()],
        unit_price: pesos(1_970_000),
        line_total: pesos(3_940_000),
    }
}

pub(super) fn ticket(name: EventName) -> TicketView {
    use EventName as E;
    let (status, line) = match name {
        E::TicketCreated => ("pending", "pending"),
        E::TicketReady => ("ready", "ready"),
        E::TicketDelivered => ("delivered", "ready"),
        E::TicketCanceled => ("canceled", "canceled"),
        _ => ("in_progress", "in_progress"),
    };
    let ready = matches!(name, E::TicketReady | E::TicketDelivered);
    TicketView {
        id: TICKET.to_string(),
        branch_id: BRANCH.to_string(),
        round_id: ROUND.to_string(),
        round_number: 1,
        table: Some(table()),
        station: "grill".to_owned(),
        status: status.to_owned(),
        items: vec![TicketItemView {
            id: TICKET_ITEM.to_string(),
            round_item_id: ITEM.to_string(),
            name: "Bife de chorizo".to_owned(),
            qty: 2,
            canceled_qty: if name == E::TicketCanceled { 2 } else { 0 },
            status: line.to_owned(),
            modifiers: vec!["Huevo frito".to_owned()],
            notes: "sin sal".to_owned(),
            allergen_alerts: vec!["egg".to_owned()],
        }],
        submitted_at: at(20),
        started_at: (status != "pending").then(|| at(25)),
        ready_at: ready.then(|| at(30)),
        delivered_at: (name == E::TicketDelivered).then(|| at(35)),
        version: 2,
    }
}

pub(super) fn call(name: EventName) -> CallView {
    use EventName as E;
    let acked = matches!(name, E::ServiceCallAcked | E::ServiceCallClosed);
    let (status, by) = match name {
        E::ServiceCallAcked => ("acked", None),
        E::ServiceCallClosed => ("closed", Some(user(LEO))),
        E::ServiceCallCanceled => ("canceled", Some(guest())),
        _ => ("open", None),
    };
    CallView {
        id: CALL.to_string(),
        branch_id: BRANCH.to_string(),
        session_id: SESSION.to_string(),
        table: Some(table()),
        call_type: "waiter".to_owned(),
        status: status.to_owned(),
        note: Some("agua".to_owned()),
        raised_by_diner_id: Some(ANA.to_string()),
        reminder_count: i32::from(name == E::ServiceCallReminded),
        opened_at: at(40),
        acked_at: acked.then(|| at(41)),
        acked_by: acked.then(|| user(LEO)),
        closed_at: by.is_some().then(|| at(42)),
        closed_by: by,
        version: 2,
    }
}

pub(super) fn check(name: EventName) -> CheckTotalsView {
    use EventName as E;
    let paid = matches!(
        name,
        E::CheckPaid | E::CheckSettled | E::PaymentApproved | E::PaymentSurplus
    );
    let status = match name {
        E::CheckVoided => "void",
        E::PaymentRefunded | E::PaymentChargedBack => "refunded",
        E::CheckRequested => "requested",
        _ if paid => "paid",
        _ => "in_payment",
    };
    let share = |diner: DinerId| ShareView {
        diner_id: diner.to_string(),
        amount: pesos(1_970_000),
        paid: pesos(if paid { 1_970_000 } else { 0 }),
        outstanding: pesos(if paid { 0 } else { 1_970_000 }),
    };
    CheckTotalsView {
        id: CHECK.to_string(),
        branch_id: BRANCH.to_string(),
        session_id: SESSION.to_string(),
        number: 118,
        status: status.to_owned(),
        version: 4,
        total: pesos(3_940_000),
        paid: pesos(if paid { 3_940_000 } else { 0 }),
        due: pesos(if paid { 0 } else { 3_940_000 }),
        reserved: pesos(if name == E::PaymentCreated { 1_970_000 } else { 0 }),
        surplus: pesos(if name == E::PaymentSurplus { 1_970_000 } else { 0 }),
        tips: pesos(100_000),
        split: Some(SplitView {
            revision: 1,
            method: "equal".to_owned(),
            unassigned: pesos(0),
            shares: vec![share(ANA), share(BRUNO)],
        }),
        requested_at: at(45),
        paid_at: paid.then(|| at(50)),
        settled_at: (name == E::CheckSettled).then(|| at(55)),
    }
}

pub(super) fn payment(name: EventName) -> PaymentView {
    use EventName as E;
    let status = match name {
        E::PaymentCreated => "pending",
        E::PaymentRejected => "rejected",
        E::PaymentExpired => "expired",
        E::PaymentCanceled => "canceled",
        E::PaymentRefunded => "refunded",
        E::PaymentChargedBack => "charged_back",
        _ => "approved",
    };
    let received = !matches!(status, "pending" | "rejected" | "expired" | "canceled");
    let amount = || pesos(1_970_000);
    PaymentView {
        id: PAYMENT.to_string(),
        check_id: CHECK.to_string(),
        provider: "sandbox".to_owned(),
        status: status.to_owned(),
        version: 2,
        amount: amount(),
        tip: pesos(100_000),
        tendered: None,
        change: None,
        payer_diner_id: Some(ANA.to_string()),
        covers: vec![CoverView {
            diner_id: ANA.to_string(),
            amount: amount(),
        }],
        allocations: if received && name != E::PaymentSurplus {
            vec![AllocationView {
                charge_id: CHARGE.to_string(),
                amount: amount(),
            }]
        } else {
            Vec::new()
        },
        unallocated: pesos(if name == E::PaymentSurplus { 1_970_000 } else { 0 }),
        refunded: pesos(if status == "refunded" { 1_970_000 } else { 0 }),
        refunds: Vec::new(),
        checkout_url: Some("https://pay.example/checkout/sandbox-20931".to_owned()),
        expires_at: Some(at(59)),
        reference: Some("sandbox-20931".to_owned()),
        failure_code: (name == E::PaymentRejected).then(|| "insufficient_funds".to_owned()),
        created_at: at(46),
        approved_at: received.then(|| at(48)),
    }
}
