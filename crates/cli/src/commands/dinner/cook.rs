//! Steps 13 to 17: confirmed, sent, cooked, served.

use super::Cause;
use super::evening::{Evening, Party, Person, same, version};
use super::expected::Expected;
use super::order::Placed;
use crate::client::{Page, Round, Ticket};

pub(super) async fn cook(
    evening: &mut Evening<'_>,
    party: &Party,
    placed: &Placed,
    expected: &Expected,
) -> Result<(), Cause> {
    let round = &placed.round.id;
    confirm(evening, party, round).await?;
    submit(evening, party, round).await?;
    let tickets = tickets(evening, party, round, expected).await?;

    evening.at(16);
    for (nth, ticket) in tickets.iter().enumerate() {
        if nth == 0 {
            move_ticket(evening, party, ticket, "start", "in_progress").await?;
            round_is(evening, party, round, "in_kitchen").await?;
        }
        move_ticket(evening, party, ticket, "ready", "ready").await?;
    }
    round_is(evening, party, round, "ready").await?;

    evening.at(17);
    let served = move_round(evening, party, &party.leo, round, "serve").await?;
    same("the round", served.status.as_str(), "served")?;
    for ticket in &tickets {
        same(
            "the ticket after serving",
            ticket_now(evening, party, ticket).await?.status.as_str(),
            "delivered",
        )?;
    }
    evening
        .show(
            party.leo.name,
            "serves the round",
            Some(served.total),
            served.status,
        )
        .await
}

async fn confirm(evening: &mut Evening<'_>, party: &Party, round: &str) -> Result<(), Cause> {
    evening.at(13);
    let path = format!("/v1/waiter/rounds/{round}/confirm");
    let draft = evening
        .client
        .post(path)
        .bearer(&party.leo.token)
        .key(party.key("confirm"));
    let answer = draft.send().await?;
    let confirmed: Round = answer.json(200)?;
    same("the round", confirmed.status.as_str(), "confirmed")?;
    version("the round", answer.etag.as_deref(), 2)?;
    evening
        .show(
            party.leo.name,
            "confirms the round",
            Some(confirmed.total),
            confirmed.status,
        )
        .await
}

async fn submit(evening: &mut Evening<'_>, party: &Party, round: &str) -> Result<(), Cause> {
    evening.at(14);
    let path = format!("/v1/waiter/rounds/{round}/submit");
    let draft = evening
        .client
        .post(path)
        .bearer(&party.leo.token)
        .key(party.key("submit"));
    let problem = draft.send().await?.refusal(403, "forbidden")?;
    same(
        "required_roles",
        problem.required_roles.join(", ").as_str(),
        "manager, admin",
    )?;
    evening
        .show(
            party.leo.name,
            "sends it to the kitchen",
            None,
            "refused: forbidden",
        )
        .await?;
    let submitted = move_round(evening, party, &party.marta, round, "submit").await?;
    same("the round", submitted.status.as_str(), "submitted")?;
    evening
        .show(
            party.marta.name,
            "sends it to the kitchen",
            Some(submitted.total),
            submitted.status,
        )
        .await
}

async fn move_round(
    evening: &Evening<'_>,
    party: &Party,
    who: &Person,
    round: &str,
    action: &str,
) -> Result<Round, Cause> {
    let path = format!("/v1/waiter/rounds/{round}/{action}");
    let draft = evening
        .client
        .post(path)
        .bearer(&who.token)
        .key(party.key(action));
    Ok(draft.send().await?.json(200)?)
}

/// The tickets of the round, in the order grill, hot kitchen, bar.
async fn tickets(
    evening: &mut Evening<'_>,
    party: &Party,
    round: &str,
    expected: &Expected,
) -> Result<Vec<Ticket>, Cause> {
    evening.at(15);
    let nora = &party.nora;
    let path = format!("/v1/kitchen/branches/{}/tickets", party.branch.id);
    let draft = evening
        .client
        .get(path)
        .query("status", "pending")
        .query("limit", "200")
        .bearer(&nora.token);
    let page: Page<Ticket> = draft.send().await?.json(200)?;
    let mut of_round: Vec<Ticket> = page
        .data
        .into_iter()
        .filter(|ticket| ticket.round_id == round)
        .collect();
    let mut tickets = Vec::new();
    for (station, items) in expected.stations().into_iter().filter(|(_, items)| *items > 0) {
        let found = of_round.iter().position(|ticket| ticket.station == station);
        let ticket = found.map(|at| of_round.swap_remove(at));
        let ticket = ticket.ok_or_else(|| Cause::Missing {
            what: format!("ticket of {station}"),
        })?;
        same(
            &format!("the number of items for {station}"),
            ticket.items.len(),
            items,
        )?;
        evening
            .show(
                nora.name,
                format!("reads a ticket of {items} for {station}"),
                None,
                &ticket.status,
            )
            .await?;
        tickets.push(ticket);
    }
    same("the number of further tickets", of_round.len(), 0)?;
    Ok(tickets)
}

async fn move_ticket(
    evening: &mut Evening<'_>,
    party: &Party,
    ticket: &Ticket,
    action: &str,
    wanted: &str,
) -> Result<(), Cause> {
    let nora = &party.nora;
    let path = format!("/v1/kitchen/tickets/{}/{action}", ticket.id);
    let draft = evening
        .client
        .post(path)
        .bearer(&nora.token)
        .key(party.key(&format!("{}-{action}", ticket.station)));
    let moved: Ticket = draft.send().await?.json(200)?;
    same(
        &format!("the ticket of {}", ticket.station),
        moved.status.as_str(),
        wanted,
    )?;
    let text = match action {
        "start" => format!("starts to cook at {}", ticket.station),
        _ => format!("has finished at {}", ticket.station),
    };
    evening.show(nora.name, text, None, moved.status).await
}

async fn round_is(evening: &Evening<'_>, party: &Party, round: &str, wanted: &str) -> Result<(), Cause> {
    let path = format!("/v1/waiter/rounds/{round}");
    let now: Round = evening
        .client
        .get(path)
        .bearer(&party.leo.token)
        .send()
        .await?
        .json(200)?;
    same("the round", now.status.as_str(), wanted)
}

async fn ticket_now(evening: &Evening<'_>, party: &Party, ticket: &Ticket) -> Result<Ticket, Cause> {
    let path = format!("/v1/kitchen/tickets/{}", ticket.id);
    let draft = evening
        .client
        .get(path)
        .accept("application/json")
        .bearer(&party.nora.token);
    Ok(draft.send().await?.json(200)?)
}
