//! The laws of the ledger over whole evenings: the dinner of `api.md` 8, and P3 over random sequences.

use proptest::prelude::*;

use super::fixtures::{
    Bill, EQUAL, apply_to, ars, bill_of, branch, diners, later, leo, line, names, now, online, per_charge,
    register, report, running_example, split, start_with, take,
};
use super::{
    CheckStatus, Payment, PaymentEnd, Provider, ProviderStatus, RegisterPayment, SplitFacts, SplitRequest,
    StartOnlinePayment, check_status, end_payment, outstanding, set_split, settle_check, void_check,
};
use crate::actor::Actor;

#[test]
fn the_whole_dinner_is_paid_to_the_last_unit() {
    let [ana, bruno, carla] = diners(3)[..] else {
        panic!()
    };
    // 18
    let bill = split(&running_example(), &EQUAL);
    // 19: Ana pays her share through the sandbox, with a tip.
    let command = StartOnlinePayment {
        tip: Some(ars(100_000)),
        ..online(None)
    };
    let started = start_with(&bill, &command, &Actor::diner(ana)).unwrap();
    assert_eq!(started.payment.amount, 1_553_334);
    let bill = Bill {
        check: bill.check,
        ledger: started.ledger,
    };
    let bill = apply_to(&bill, 0, &report(ProviderStatus::Approved));
    assert_eq!(per_charge(&bill, 0), [1_553_334, 0, 0, 0]);
    let payment = &bill.ledger.payments[0];
    assert_eq!(payment.version, 2);
    assert_eq!(
        payment
            .covers
            .iter()
            .map(|cover| cover.amount)
            .collect::<Vec<_>>(),
        [1_553_334]
    );
    assert_eq!(bill.check.due(), 3_106_666);
    // 20: Bruno in cash
    let cash = RegisterPayment {
        tendered: Some(ars(1_600_000)),
        ..take(Provider::Cash, 1_553_333, Some(bruno))
    };
    let done = register(&bill, &cash, &leo()).unwrap();
    assert_eq!(done.payment.change_amount, Some(46_667));
    let bill = Bill {
        check: done.check,
        ledger: done.ledger,
    };
    assert_eq!(per_charge(&bill, 1), [13_333, 980_000, 560_000, 0]);
    // 21: Carla by card
    let done = register(
        &bill,
        &take(Provider::CardTerminal, 1_553_333, Some(carla)),
        &leo(),
    )
    .unwrap();
    assert_eq!(names(&done.events), ["payment.approved", "check.paid"]);
    let bill = Bill {
        check: done.check,
        ledger: done.ledger,
    };
    assert_eq!(per_charge(&bill, 2), [1_103_333, 0, 0, 450_000]);
    // 22
    assert_eq!(bill.check.status, CheckStatus::Paid);
    assert_eq!(
        (
            bill.check.paid_amount,
            bill.check.due(),
            bill.check.surplus_amount,
            bill.ledger.tips()
        ),
        (4_660_000, 0, 0, 100_000)
    );
    let standing = outstanding(&bill.check, &bill.ledger);
    assert!(standing.shares.iter().all(|share| share.outstanding == 0));
    obeys(&bill);
}

/// I18 and I21 to I26, read off the books alone.
fn obeys(bill: &Bill) {
    let (check, ledger) = (&bill.check, &bill.ledger);
    let nets: i64 = ledger.charges.iter().map(super::Charge::net).sum();
    assert_eq!(check.total_amount, nets, "I18");
    assert!(ledger.charges.iter().all(|charge| charge.net() >= 0), "I18");
    let mut paid = 0;
    for charge in &ledger.charges {
        let covered = ledger.allocated_to(charge.id);
        assert!((0..=charge.net()).contains(&covered), "I21");
        paid += covered;
    }
    assert_eq!(check.paid_amount, paid, "I21");
    let surplus: i64 = ledger
        .payments
        .iter()
        .map(|payment| payment.unallocated_amount)
        .sum();
    assert_eq!(check.surplus_amount, surplus, "I22");
    ledger.payments.iter().for_each(payment_obeys);
    assert!(check.paid_amount <= check.total_amount, "I23");
    assert!(!check.is_live() || paid == nets || surplus == 0, "I23");
    let status = check_status(nets, paid, check.voided.is_some(), check.settled_at.is_some());
    assert_eq!(check.status, status, "I24");
    assert_eq!(check.paid_at.is_some(), status == CheckStatus::Paid);
    assert!(
        check.is_live() || ledger.reserved() == 0,
        "nothing is under way on a check that has ended"
    );
    let standing = outstanding(check, ledger);
    let open: i64 = standing.shares.iter().map(|share| share.outstanding).sum();
    assert_eq!(
        open + standing.unassigned,
        check.due(),
        "outstanding shares add up to the due"
    );
}

fn payment_obeys(payment: &Payment) {
    let allocated: i64 = payment.allocations.iter().map(|row| row.amount).sum();
    let placed = allocated + payment.unallocated_amount + payment.refunded_amount;
    let effective = payment.status.is_effective();
    assert_eq!(placed, if effective { payment.amount } else { 0 }, "I22");
    let tip = payment.tip.map_or(0, |tip| tip.amount);
    assert_eq!(tip, if effective { payment.tip_amount } else { 0 }, "I26");
    if let (Some(tendered), Some(change)) = (payment.tendered_amount, payment.change_amount) {
        assert!(change >= 0, "I26");
        assert_eq!(tendered - change, payment.amount + payment.tip_amount, "I26");
    }
    assert_eq!(effective, payment.approved.is_some());
    assert_eq!(payment.expires_at.is_some(), payment.status.is_under_way());
    let covered: i64 = payment.covers.iter().map(|cover| cover.amount).sum();
    assert!(covered <= payment.amount);
}

/// What may still be paid, reckoned from the rows.
fn room(bill: &Bill) -> i64 {
    let under_way = bill
        .ledger
        .payments
        .iter()
        .filter(|payment| payment.status.rank() < 2);
    let reserved: i64 = under_way.map(|payment| payment.amount).sum();
    bill.check.total_amount - bill.check.paid_amount - reserved
}

/// One thing that happens to a check. Numbers pick among what there is.
#[derive(Clone, Debug)]
enum Step {
    Split(bool),
    Pay {
        amount: i64,
        tip: i64,
        payer: usize,
        cash: bool,
    },
    Start {
        amount: Option<i64>,
        tip: i64,
        payer: usize,
        cover: usize,
    },
    Report {
        payment: usize,
        status: ProviderStatus,
    },
    End {
        payment: usize,
        how: bool,
    },
    Settle,
    Void,
}

fn step() -> impl Strategy<Value = Step> {
    let amount = prop_oneof![-1..3_i64, 0..6_000_i64];
    let status = prop::sample::select(ProviderStatus::ALL);
    prop_oneof![
        2 => any::<bool>().prop_map(Step::Split),
        4 => (amount.clone(), -1..50_i64, 0..5_usize, any::<bool>())
            .prop_map(|(amount, tip, payer, cash)| Step::Pay { amount, tip, payer, cash }),
        4 => (prop::option::of(amount), -1..50_i64, 0..4_usize, 0..4_usize)
            .prop_map(|(amount, tip, payer, cover)| Step::Start { amount, tip, payer, cover }),
        5 => (0..6_usize, status).prop_map(|(payment, status)| Step::Report { payment, status }),
        2 => (0..6_usize, any::<bool>()).prop_map(|(payment, how)| Step::End { payment, how }),
        1 => Just(Step::Settle),
        1 => Just(Step::Void),
    ]
}

/// The bill after a step; a refused step changes nothing.
fn taken(bill: &Bill, step: &Step) -> Bill {
    let guest = |n: usize| diners(3).get(n).copied();
    match step {
        Step::Split(equal) => divided(bill, *equal),
        Step::Pay {
            amount,
            tip,
            payer,
            cash,
        } => {
            let provider = if *cash { Provider::Cash } else { Provider::Transfer };
            let command = RegisterPayment {
                tip: Some(ars(*tip)),
                ..take(provider, *amount, guest(*payer))
            };
            let room = room(bill);
            register(bill, &command, &leo()).map_or_else(
                |_| bill.clone(),
                |done| {
                    assert!(done.payment.amount <= room, "I32");
                    assert_eq!(
                        done.payment.unallocated_amount, 0,
                        "manual payments leave no surplus"
                    );
                    Bill {
                        check: done.check,
                        ledger: done.ledger,
                    }
                },
            )
        }
        Step::Start {
            amount,
            tip,
            payer,
            cover,
        } => {
            let command = StartOnlinePayment {
                tip: Some(ars(*tip)),
                payer: guest(*payer),
                covers: guest(*cover).into_iter().collect(),
                ..online(amount.map(ars))
            };
            let room = room(bill);
            start_with(bill, &command, &leo()).map_or_else(
                |_| bill.clone(),
                |done| {
                    assert!(done.payment.amount <= room, "I32");
                    Bill {
                        check: bill.check.clone(),
                        ledger: done.ledger,
                    }
                },
            )
        }
        Step::Report { payment, status } if *payment < bill.ledger.payments.len() => {
            apply_to(bill, *payment, &report(*status))
        }
        Step::End { payment, how } if *payment < bill.ledger.payments.len() => {
            let how = if *how {
                PaymentEnd::Canceled
            } else {
                PaymentEnd::Expired
            };
            let ended = end_payment(&bill.check, &bill.ledger.payments[*payment], how, &Actor::SYSTEM);
            ended.map_or_else(
                |_| bill.clone(),
                |done| Bill {
                    check: bill.check.clone(),
                    ledger: bill.ledger.with_payment(&done.payment),
                },
            )
        }
        Step::Report { .. } | Step::End { .. } => bill.clone(),
        Step::Settle | Step::Void => ended(bill, step),
    }
}

fn divided(bill: &Bill, equal: bool) -> Bill {
    let request = if equal {
        EQUAL
    } else {
        SplitRequest::ByConsumption { participants: None }
    };
    let facts = SplitFacts {
        check: &bill.check,
        ledger: &bill.ledger,
        diners: &diners(3),
    };
    set_split(&facts, &request, &leo(), now()).map_or_else(
        |_| bill.clone(),
        |done| {
            let shares: i64 = done.split.shares.iter().map(|share| share.amount).sum();
            assert_eq!(shares, bill.check.due(), "I29");
            Bill {
                check: done.check,
                ledger: done.ledger,
            }
        },
    )
}

/// Settles or withdraws where closing and reopening would.
fn ended(bill: &Bill, step: &Step) -> Bill {
    let (check, ledger) = (&bill.check, &bill.ledger);
    let paid = check.status == CheckStatus::Paid && check.surplus_amount == 0;
    let empty = check.paid_amount == 0 && check.surplus_amount == 0 && ledger.reserved() == 0;
    let done = match step {
        Step::Settle if check.is_live() && paid => settle_check(check, ledger, &branch(), later(60)),
        Step::Void if check.is_live() && empty => void_check(check, ledger, &leo(), later(60)),
        _ => return bill.clone(),
    };
    Bill {
        check: done.check,
        ledger: done.ledger,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    // P3
    #[test]
    fn no_sequence_of_steps_breaks_the_ledger(
        lines in prop::collection::vec((0..4_usize, 0..3_000_i64), 1..6),
        steps in prop::collection::vec(step(), 0..25),
    ) {
        let lines: Vec<_> =
            lines.iter().map(|(who, amount)| line(diners(3).get(*who).copied(), *amount)).collect();
        let mut bill = bill_of(&lines);
        obeys(&bill);
        for step in &steps {
            let after = taken(&bill, step);
            obeys(&after);
            let changed = after.check != bill.check;
            prop_assert_eq!(after.check.version, bill.check.version + i64::from(changed));
            prop_assert!(bill.check.is_live() || after.check.paid_amount == bill.check.paid_amount);
            bill = after;
        }
    }
}
