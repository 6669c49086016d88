//! Steps 18 to 22: the bill, its equal parts, and three ways to pay them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::arrive::table_now;
use super::evening::{Evening, Party, Person, amounts, money, same};
use super::expected::{Expected, LEMONADE, TIP};
use super::{Cause, Paid};
use crate::client::{Check, Payment};

/// The bill as it was paid.
#[derive(Debug)]
pub(super) struct Bill {
    pub(super) check: Check,
    pub(super) payments: Vec<Paid>,
}

pub(super) async fn pay(
    evening: &mut Evening<'_>,
    party: &Party,
    expected: &Expected,
) -> Result<Bill, Cause> {
    let check = request(evening, party, expected).await?;
    refuse_more_orders(evening, party).await?;
    let mut payments = Vec::new();
    for seat in 0..party.guests.len() {
        payments.push(pay_share(evening, party, expected, &check, seat).await?);
    }
    let check = paid(evening, party, expected).await?;
    Ok(Bill { check, payments })
}

async fn request(evening: &mut Evening<'_>, party: &Party, expected: &Expected) -> Result<Check, Cause> {
    evening.at(18);
    let carla = party.guest(2)?;
    let everyone: Vec<&str> = party.guests.iter().map(|guest| guest.id.as_str()).collect();
    let body = json!({ "split": { "method": "equal", "participants": everyone } });
    let draft = evening
        .client
        .post("/v1/diner/check")
        .bearer(&carla.token)
        .key(party.key("check"))
        .body(body);
    let check: Check = draft.send().await?.json(201)?;
    same("the check", check.status.as_str(), "requested")?;
    amounts("the total", check.total, expected.total)?;
    amounts("the due", check.due, expected.total)?;
    charges(party, &check, expected)?;
    let table = table_now(evening, &party.marta, &party.branch.id, &party.table.code).await?;
    same("the table", table.status.as_str(), "paying")?;
    let text = format!("asks for check {}, split equally", check.number);
    evening
        .show(carla.name, text, Some(check.due), &check.status)
        .await?;

    let shares = check.split.as_ref().map_or(&[][..], |split| &split.shares);
    same("the number of shares", shares.len(), party.guests.len())?;
    for (guest, wanted) in party.guests.iter().zip(&expected.shares) {
        let share = shares.iter().find(|share| share.diner_id == guest.id);
        let share = share.ok_or_else(|| Cause::Missing {
            what: format!("share of {}", guest.name),
        })?;
        amounts(&format!("the share of {}", guest.name), share.amount, *wanted)?;
        evening
            .show(
                guest.name,
                "is told their share",
                Some(share.outstanding),
                "to pay",
            )
            .await?;
    }
    Ok(check)
}

/// The charges are the lines of the order, in their order.
fn charges(party: &Party, check: &Check, expected: &Expected) -> Result<(), Cause> {
    same("the number of charges", check.charges.len(), expected.lines.len())?;
    for (charge, line) in check.charges.iter().zip(&expected.lines) {
        let what = format!("the charge of {}", line.dish.code);
        amounts(&what, charge.amount, line.amount)?;
        let owner = match line.owner() {
            Some(seat) => party.guest(seat)?.id.as_str(),
            None => "nobody",
        };
        same(
            &format!("the owner of {what}"),
            charge.diner_id.as_deref().unwrap_or("nobody"),
            owner,
        )?;
    }
    Ok(())
}

async fn refuse_more_orders(evening: &mut Evening<'_>, party: &Party) -> Result<(), Cause> {
    let ana = party.ana()?;
    let lemonade = party.menu.product(LEMONADE.code);
    let lemonade = lemonade.ok_or_else(|| Cause::Missing {
        what: LEMONADE.code.to_owned(),
    })?;
    let body = json!({ "product_id": lemonade.id, "qty": 1 });
    let draft = evening
        .client
        .post("/v1/diner/cart/lines")
        .bearer(&ana.token)
        .body(body);
    draft.send().await?.refusal(409, "session_not_open")?;
    evening
        .show(
            ana.name,
            "wants one more lemonade",
            None,
            "refused: session_not_open",
        )
        .await
}

/// How a guest pays: Ana by phone with a tip, Bruno in cash, the others by card.
struct Way {
    provider: &'static str,
    text: &'static str,
    tip: i64,
    change: Option<i64>,
    body: Value,
}

fn way(seat: usize, guest: &Person, share: i64) -> Way {
    match seat {
        0 => Way {
            provider: "sandbox",
            text: "pays by phone",
            tip: TIP,
            change: None,
            body: json!({ "provider": "sandbox", "tip": money(TIP), "provider_options": { "outcome": "approved" } }),
        },
        1 => {
            let tendered = Expected::tendered(share);
            Way {
                provider: "cash",
                text: "pays in cash",
                tip: 0,
                change: Some(tendered - share),
                body: json!({ "provider": "cash", "amount": money(share), "tendered": money(tendered),
                              "payer_diner_id": guest.id }),
            }
        }
        _ => Way {
            provider: "card_terminal",
            text: "pays by card",
            tip: 0,
            change: None,
            body: json!({ "provider": "card_terminal", "amount": money(share), "payer_diner_id": guest.id,
                          "reference": "VISA 4242 auth 081733" }),
        },
    }
}

async fn pay_share(
    evening: &mut Evening<'_>,
    party: &Party,
    expected: &Expected,
    check: &Check,
    seat: usize,
) -> Result<Paid, Cause> {
    evening.at(match seat {
        0 => 19,
        1 => 20,
        _ => 21,
    });
    let guest = party.guest(seat)?;
    let share = expected.shares.get(seat).copied().unwrap_or_default();
    let way = way(seat, guest, share);
    let draft = if seat == 0 {
        evening.client.post("/v1/diner/payments").bearer(&guest.token)
    } else {
        let path = format!("/v1/billing/checks/{}/payments", check.id);
        evening.client.post(path).bearer(&party.leo.token)
    };
    let draft = draft
        .key(party.key(&format!("pay-{}", guest.name.to_lowercase())))
        .body(way.body.clone());
    let payment: Payment = draft.send().await?.json(201)?;

    same("the payment", payment.status.as_str(), "approved")?;
    amounts("the amount of the payment", payment.amount, share)?;
    amounts("the tip", payment.tip, way.tip)?;
    amounts("what the payment leaves uncovered", payment.unallocated, 0)?;
    if let Some(wanted) = way.change {
        let change = payment
            .change
            .ok_or_else(|| Cause::differs("the change", "absent", wanted))?;
        amounts("the change", change, wanted)?;
    }
    evening
        .show(
            guest.name,
            describe(&way, &payment),
            Some(payment.amount),
            &payment.status,
        )
        .await?;
    covers(evening, check, expected, seat, &payment).await?;
    Ok(Paid {
        name: guest.name.to_owned(),
        share: payment.amount,
        tip: payment.tip,
        provider: way.provider,
    })
}

fn describe(way: &Way, payment: &Payment) -> String {
    match payment.change {
        Some(change) => format!("{}, gets {} back", way.text, change.to_decimal()),
        None if payment.tip.minor > 0 => {
            format!("{}, and {} for the staff", way.text, payment.tip.to_decimal())
        }
        None => way.text.to_owned(),
    }
}

/// Looks at which lines of the bill a payment covers.
async fn covers(
    evening: &mut Evening<'_>,
    check: &Check,
    expected: &Expected,
    seat: usize,
    payment: &Payment,
) -> Result<(), Cause> {
    let got: BTreeMap<&str, _> = payment
        .allocations
        .iter()
        .map(|part| (part.charge_id.as_str(), part.amount))
        .collect();
    let wanted = expected.covered.get(seat).map_or(&[][..], Vec::as_slice);
    same("the number of charges covered", got.len(), wanted.len())?;
    for (index, wanted) in wanted {
        let (Some(charge), Some(line)) = (check.charges.get(*index), expected.lines.get(*index)) else {
            continue;
        };
        let what = format!("what is covered of {}", line.dish.code);
        let part = got
            .get(charge.id.as_str())
            .ok_or_else(|| Cause::differs(what.as_str(), "nothing", wanted))?;
        amounts(&what, *part, *wanted)?;
        let text = format!("… for {}", line.dish.code);
        evening.show("", text, Some(*part), "").await?;
    }
    Ok(())
}

async fn paid(evening: &mut Evening<'_>, party: &Party, expected: &Expected) -> Result<Check, Cause> {
    evening.at(22);
    let bruno = party.guest(1)?;
    let check: Check = evening
        .client
        .get("/v1/diner/check")
        .bearer(&bruno.token)
        .send()
        .await?
        .json(200)?;
    same("the check", check.status.as_str(), "paid")?;
    amounts("what is paid", check.paid, expected.total)?;
    amounts("the due", check.due, 0)?;
    amounts("the surplus", check.surplus, 0)?;
    amounts("the tips", check.tips, TIP)?;
    for share in check.split.iter().flat_map(|split| &split.shares) {
        amounts("an outstanding share", share.outstanding, 0)?;
    }
    evening
        .show(
            bruno.name,
            "looks at the check: nothing is due",
            Some(check.paid),
            &check.status,
        )
        .await?;
    Ok(check)
}
