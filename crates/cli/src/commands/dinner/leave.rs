//! Steps 23 to 25: the table is free again, and the phones are only phones.

use serde_json::json;

use super::Cause;
use super::arrive::table_now;
use super::evening::{Evening, Party, amounts, same};
use super::expected::Expected;
use super::order::Placed;
use super::pay::Bill;
use crate::client::{Receipt, Session};

/// Gives the address of the receipt.
pub(super) async fn leave(
    evening: &mut Evening<'_>,
    party: &Party,
    placed: &Placed,
    bill: &Bill,
    expected: &Expected,
) -> Result<Option<String>, Cause> {
    close(evening, party).await?;
    let url = receipt(evening, party, bill, expected).await?;
    evening.at(25);
    let ana = party.ana()?;
    let answer = evening
        .client
        .get("/v1/diner/cart")
        .bearer(&ana.token)
        .send()
        .await?;
    answer.refusal(401, "seating_ended")?;
    evening
        .show(
            ana.name,
            "looks into the cart from outside",
            None,
            "refused: seating_ended",
        )
        .await?;
    placed.again(evening, party).await?;
    Ok(url)
}

async fn close(evening: &mut Evening<'_>, party: &Party) -> Result<(), Cause> {
    evening.at(23);
    let leo = &party.leo;
    let path = format!("/v1/waiter/sessions/{}/close", party.session.id);
    let draft = evening
        .client
        .post(path)
        .bearer(&leo.token)
        .key(party.key("close"))
        .body(json!({}));
    let closed: Session = draft.send().await?.json(200)?;
    same("the session", closed.status.as_str(), "closed")?;
    same("the seating", closed.seating, party.session.seating + 1)?;
    let table = table_now(evening, &party.marta, &party.branch.id, &party.table.code).await?;
    same("the table", table.status.as_str(), "free")?;
    evening
        .show(
            leo.name,
            format!("closes table {}", table.code),
            None,
            table.status,
        )
        .await
}

async fn receipt(
    evening: &mut Evening<'_>,
    party: &Party,
    bill: &Bill,
    expected: &Expected,
) -> Result<Option<String>, Cause> {
    evening.at(24);
    let leo = &party.leo;
    let draft = |form: &str| {
        let path = format!("/v1/billing/checks/{}/receipt", bill.check.id);
        evening.client.get(path).accept(form).bearer(&leo.token)
    };
    let page = draft("text/html").send().await?;
    let media_type = page
        .wanted(200)?
        .media_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned();
    same(
        "the form of the printable receipt",
        media_type.as_str(),
        "text/html",
    )?;
    let receipt: Receipt = draft("application/json").send().await?.json(200)?;
    same("the kind of the receipt", receipt.kind.as_str(), "receipt")?;
    same("the number of the receipt", receipt.number, bill.check.number)?;
    amounts("the total of the receipt", receipt.total, expected.total)?;
    amounts("the due of the receipt", receipt.due, 0)?;
    let text = format!("prints receipt {}", receipt.number);
    evening
        .show(leo.name, text, Some(receipt.total), receipt.kind)
        .await?;
    Ok(receipt.public_url)
}
