//! What the database says in the end.

use comanda_domain::event::{Cover, EventFacts, EventName, Routing};
use comanda_domain::ids::{BranchId, EventId, RoundId, TenantId, TicketId};
use serde::Deserialize;
use serde_json::Value;
use tokio_postgres::row::RowIndex;
use tokio_postgres::{Client, Error, Row};
use uuid::Uuid;

use super::history::{Evidence, LogEvent, QueueSum, Thing};

/// The steps of a round that leave a stamp, and their events.
const ROUND_STEPS: [(&str, &str); 7] = [
    ("pending_at", "round.pending"),
    ("confirmed_at", "round.confirmed"),
    ("submitted_at", "round.submitted"),
    ("in_kitchen_at", "round.in_kitchen"),
    ("ready_at", "round.ready"),
    ("served_at", "round.served"),
    ("canceled_at", "round.canceled"),
];

/// Reads log, rounds, tickets and sums.
pub async fn read(client: &Client) -> Result<Evidence, Error> {
    let log = "SELECT tenant_id::text, shard, pos, branch_id::text, seq, event_id::text, type, subject, data::text \
                 FROM event_log ORDER BY shard, pos";
    let log = client.query(log, &[]).await?.iter().map(logged).collect();
    let stamps: Vec<String> = ROUND_STEPS
        .iter()
        .map(|(column, _)| format!("{column} IS NOT NULL"))
        .collect();
    let rounds = format!("SELECT id::text, version, {} FROM round", stamps.join(", "));
    let rounds = client.query(&rounds, &[]).await?;
    let tickets = client
        .query("SELECT id::text, version FROM kitchen_ticket", &[])
        .await?;
    let heads = client.query("SELECT shard, pos FROM event_shard", &[]).await?;
    Ok(Evidence {
        log,
        rounds: rounds.iter().map(round).collect(),
        tickets: tickets.iter().map(ticket).collect(),
        staged: staged(client).await?,
        heads: heads.iter().map(|row| (row.get(0), row.get(1))).collect(),
        ..Evidence::default()
    })
}

/// How many events wait for their number.
pub async fn staged(client: &Client) -> Result<i64, Error> {
    let count = client.query_one("SELECT count(*) FROM outbox_stage", &[]).await?;
    Ok(count.get(0))
}

/// The sums of all queues, of one moment.
pub async fn queues(client: &Client) -> Result<Vec<QueueSum>, Error> {
    let sums = "SELECT queue, accepted, settled, pending, dead FROM queue_conservation";
    let rows = client.query(sums, &[]).await?;
    let sum = |row: &Row| QueueSum {
        queue: row.get(0),
        accepted: row.get(1),
        settled: row.get(2),
        pending: row.get(3),
        dead: row.get(4),
    };
    Ok(rows.iter().map(sum).collect())
}

/// The tenant of a branch.
pub async fn tenant_of(client: &Client, branch: BranchId) -> Result<TenantId, Error> {
    let row = client
        .query_one(
            "SELECT tenant_id::text FROM branch WHERE id = $1::text::uuid",
            &[&branch.0.to_string()],
        )
        .await?;
    Ok(TenantId(uuid(&row, 0)))
}

fn uuid(row: &Row, column: impl RowIndex + std::fmt::Display) -> Uuid {
    let text: String = row.get(column);
    text.parse().expect("a uuid")
}

fn logged(row: &Row) -> LogEvent {
    let (kind, data): (String, String) = (row.get("type"), row.get("data"));
    let data: Value = serde_json::from_str(&data).expect("the database keeps JSON");
    let branch = row
        .get::<_, Option<String>>("branch_id")
        .map(|text| BranchId(text.parse().expect("a uuid")));
    let name = EventName::of_type(&kind);
    let facts = name.and_then(|name| {
        Some(EventFacts {
            tenant: TenantId(uuid(row, "tenant_id")),
            branch,
            name: Some(name),
            routing: Routing::deserialize(&data).ok()?,
            // The tables of the load are of one sector, and its waiter is connected all the time.
            cover: Cover::Everyone,
        })
    });
    LogEvent {
        shard: row.get("shard"),
        pos: row.get("pos"),
        branch: branch.map(|branch| branch.to_string()),
        seq: row.get("seq"),
        id: EventId(uuid(row, "event_id")).to_string(),
        kind: name.map_or(kind, |name| name.to_string()),
        subject: row.get("subject"),
        version: data["aggregate"]["version"].as_i64().unwrap_or_default(),
        facts,
    }
}

fn round(row: &Row) -> Thing {
    let happened = |(nth, (_, event)): (usize, &(&str, &'static str))| {
        let stamped: bool = row.get(nth + 2);
        stamped.then_some(*event)
    };
    Thing {
        id: RoundId(uuid(row, 0)).to_string(),
        version: row.get(1),
        steps: ROUND_STEPS.iter().enumerate().filter_map(happened).collect(),
    }
}

fn ticket(row: &Row) -> Thing {
    Thing {
        id: TicketId(uuid(row, 0)).to_string(),
        version: row.get(1),
        steps: vec!["ticket.created"],
    }
}
