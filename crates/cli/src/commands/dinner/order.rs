//! Steps 8 to 12: the guests fill one cart and place it.

use serde_json::{Value, json};

use super::Cause;
use super::evening::{Evening, Party, amounts, money, same, version};
use super::expected::{Dish, EGG, Expected, Line, RARE, STEAK};
use crate::client::{Answer, Cart, Draft, Round};

/// The round, and the request that placed it.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) round: Round,
    pub(super) request: Draft,
    answer: Answer,
}

pub(super) async fn order(
    evening: &mut Evening<'_>,
    party: &Party,
    expected: &Expected,
) -> Result<Placed, Cause> {
    evening.at(8);
    refuse_steak_without_cooking_point(evening, party).await?;
    for (cart_version, line) in (1..).zip(&expected.lines) {
        add(evening, party, line, cart_version).await?;
    }
    let cart_version = i64::try_from(expected.lines.len()).unwrap_or(i64::MAX);
    read_cart(evening, party, expected, cart_version).await?;
    let placed = place(evening, party, expected, cart_version).await?;
    evening.at(11);
    placed.again(evening, party).await?;
    refuse_other_request(evening, party).await?;
    Ok(placed)
}

async fn refuse_steak_without_cooking_point(evening: &mut Evening<'_>, party: &Party) -> Result<(), Cause> {
    let ana = party.ana()?;
    let body = json!({ "product_id": product(party, STEAK)?.0, "qty": 1 });
    let draft = evening
        .client
        .post("/v1/diner/cart/lines")
        .bearer(&ana.token)
        .body(body);
    let problem = draft.send().await?.refusal(422, "modifiers_invalid")?;
    let (pointer, code) = problem
        .errors
        .first()
        .map_or(("", ""), |error| (error.pointer.as_str(), error.code.as_str()));
    same("the pointer of modifiers_invalid", pointer, "/modifiers")?;
    same("the reason of modifiers_invalid", code, "too_few")?;
    evening
        .show(
            ana.name,
            "wants a steak, but does not say how",
            None,
            "refused: modifiers_invalid",
        )
        .await
}

async fn add(evening: &mut Evening<'_>, party: &Party, line: &Line, cart_version: i64) -> Result<(), Cause> {
    let guest = party.guest(line.by)?;
    let (body, text) = wish(party, line)?;
    let answer = evening
        .client
        .post("/v1/diner/cart/lines")
        .bearer(&guest.token)
        .body(body)
        .send()
        .await?;
    let cart: Cart = answer.json(201)?;
    same("the version of the cart", cart.version, cart_version)?;
    version("the cart", answer.etag.as_deref(), cart_version)?;
    let newest = cart
        .lines
        .last()
        .ok_or_else(|| Cause::differs("the cart", "empty", "one line longer"))?;
    amounts("the new line of the cart", newest.line_total, line.amount)?;
    evening
        .show(
            guest.name,
            text,
            Some(newest.line_total),
            format!("cart v{}", cart.version),
        )
        .await
}

/// The request for a line, and how it is shown.
fn wish(party: &Party, line: &Line) -> Result<(Value, String), Cause> {
    let (id, name) = product(party, line.dish)?;
    let sharing = if line.shared { "table" } else { "own" };
    let mut text = format!("adds {} {name}", line.qty);
    let mut body = json!({ "product_id": id, "qty": line.qty, "sharing": sharing });
    if line.dish == STEAK {
        let ((rare, rare_name), (egg, egg_name)) = (option(party, RARE)?, option(party, EGG)?);
        let modifiers = json!([{ "option_id": rare }, { "option_id": egg }]);
        body = json!({ "product_id": id, "qty": line.qty, "modifiers": modifiers, "notes": "sin sal" });
        text = format!("{text} ({rare_name}, {egg_name})");
    }
    if line.shared {
        text.push_str(" for the table");
    }
    Ok((body, text))
}

fn product(party: &Party, dish: Dish) -> Result<(&str, &str), Cause> {
    let product = party.menu.product(dish.code).ok_or_else(|| Cause::Missing {
        what: dish.code.to_owned(),
    })?;
    Ok((&product.id, &product.name))
}

fn option(party: &Party, dish: Dish) -> Result<(&str, &str), Cause> {
    let option = party
        .menu
        .product(STEAK.code)
        .and_then(|steak| steak.option(dish.code));
    let option = option.ok_or_else(|| Cause::Missing {
        what: dish.code.to_owned(),
    })?;
    Ok((&option.id, &option.name))
}

async fn read_cart(
    evening: &mut Evening<'_>,
    party: &Party,
    expected: &Expected,
    cart_version: i64,
) -> Result<(), Cause> {
    evening.at(9);
    let bruno = party.guest(1)?;
    let answer = evening
        .client
        .get("/v1/diner/cart")
        .bearer(&bruno.token)
        .send()
        .await?;
    let cart: Cart = answer.json(200)?;
    same("the version of the cart", cart.version, cart_version)?;
    version("the cart", answer.etag.as_deref(), cart_version)?;
    amounts("the total of the cart", cart.total, expected.total)?;
    same("the number of lines", cart.lines.len(), expected.lines.len())?;
    let text = format!("reads the cart: {} lines", cart.lines.len());
    evening
        .show(
            bruno.name,
            text,
            Some(cart.total),
            format!("cart v{}", cart.version),
        )
        .await
}

async fn place(
    evening: &mut Evening<'_>,
    party: &Party,
    expected: &Expected,
    cart_version: i64,
) -> Result<Placed, Cause> {
    evening.at(10);
    let ana = party.ana()?;
    let request = evening
        .client
        .post("/v1/diner/rounds")
        .bearer(&ana.token)
        .key(party.key("place"))
        .if_match(cart_version)
        .body(json!({ "selection": "table", "expected_total": money(expected.total) }));
    let answer = request.clone().send().await?;
    let round: Round = answer.json(201)?;
    same("the number of the round", round.number, 1)?;
    same("the round", round.status.as_str(), "pending")?;
    same("the number of items", round.items.len(), expected.lines.len())?;
    amounts("the total of the round", round.total, expected.total)?;
    version("the round", answer.etag.as_deref(), 1)?;
    let found_at = format!("/v1/diner/rounds/{}", round.id);
    let location = answer.location.as_deref().unwrap_or("absent");
    if !location.ends_with(&found_at) {
        return Err(Cause::differs("the Location of the round", location, found_at));
    }
    let cart: Cart = evening
        .client
        .get("/v1/diner/cart")
        .bearer(&ana.token)
        .send()
        .await?
        .json(200)?;
    same("the number of lines left in the cart", cart.lines.len(), 0)?;
    let status = format!("round {} {}", round.number, round.status);
    evening
        .show(ana.name, "places it all", Some(round.total), status)
        .await?;
    Ok(Placed {
        round,
        request,
        answer,
    })
}

impl Placed {
    /// The same request once more gives the same answer.
    pub(super) async fn again(&self, evening: &mut Evening<'_>, party: &Party) -> Result<(), Cause> {
        let again = self.request.clone().send().await?;
        let again = again.wanted(201)?;
        same("Idempotency-Replayed", again.replayed, true)?;
        same(
            "the ETag of the repetition",
            text(again.etag.as_ref()),
            text(self.answer.etag.as_ref()),
        )?;
        same(
            "the Location of the repetition",
            text(again.location.as_ref()),
            text(self.answer.location.as_ref()),
        )?;
        if again.body != self.answer.body {
            return Err(Cause::differs("the repeated answer", "another", "the same"));
        }
        let ana = party.ana()?;
        evening
            .show(
                ana.name,
                "sends the same order again",
                Some(self.round.total),
                "replayed",
            )
            .await
    }
}

fn text(header: Option<&String>) -> &str {
    header.map_or("absent", String::as_str)
}

async fn refuse_other_request(evening: &mut Evening<'_>, party: &Party) -> Result<(), Cause> {
    evening.at(12);
    let ana = party.ana()?;
    let draft = evening
        .client
        .post("/v1/diner/rounds")
        .bearer(&ana.token)
        .key(party.key("place"));
    let answer = draft.body(json!({ "selection": "mine" })).send().await?;
    answer.refusal(422, "idempotency_key_reused")?;
    evening
        .show(
            ana.name,
            "sends another order under the same key",
            None,
            "refused: idempotency_key_reused",
        )
        .await
}
