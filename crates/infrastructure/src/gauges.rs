//! Gauges that are read from the database: by the leading worker, every few seconds, and exported by it alone.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use comanda_domain::Timestamp;
use comanda_domain::dead_letter::{LetterState, Source};
use diesel::prelude::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use tokio::sync::watch;
use tracing::warn;

use crate::db::{Conn, DbError, Relay};
use crate::dead_letters::{Conservation, Group, conservation, groups};
use crate::events::gauge;

/// Time between two readings.
const PAUSE: Duration = Duration::from_secs(5);
/// Whoever leads this shard is the leading worker.
const LEADING: i32 = 0;

/// Reads and sets them while this process leads.
pub(crate) async fn keep(
    relay: Relay,
    mut led: watch::Receiver<Vec<i32>>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut gauges = Gauges::default();
    while !*stopped.borrow() {
        let leads = led.borrow_and_update().contains(&LEADING);
        if leads {
            match relay.look(read).await {
                Ok(reading) => gauges.set(&reading, relay.sources().now()),
                // What was read last would be told for ever.
                Err(error) => {
                    warn!(%error, "gauges.read");
                    gauges.clear();
                }
            }
        } else {
            gauges.clear();
        }
        tokio::select! {
            _ = stopped.changed() => {}
            Ok(()) = led.changed() => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
    gauges.clear();
}

struct Reading {
    groups: Vec<Group>,
    queues: Vec<Conservation>,
    consumers: Vec<Lag>,
    stage: Stage,
    webhooks: Webhooks,
}

#[derive(QueryableByName)]
struct Lag {
    #[diesel(sql_type = Text)]
    consumer: String,
    #[diesel(sql_type = BigInt)]
    lag: i64,
}

#[derive(QueryableByName)]
struct Stage {
    #[diesel(sql_type = BigInt)]
    staged: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    oldest: Option<Timestamp>,
    #[diesel(sql_type = BigInt)]
    audit: i64,
}

#[derive(QueryableByName)]
struct Webhooks {
    #[diesel(sql_type = Nullable<Timestamptz>)]
    oldest: Option<Timestamp>,
    #[diesel(sql_type = BigInt)]
    enabled: i64,
    #[diesel(sql_type = BigInt)]
    disabled: i64,
}

const CONSUMERS: &str = "SELECT c.consumer, sum(greatest(s.pos - c.pos, 0))::bigint AS lag \
    FROM event_consumer c JOIN event_shard s ON s.shard = c.shard GROUP BY c.consumer";
const STAGE: &str = "SELECT count(*) AS staged, min(occurred_at) AS oldest, \
    (SELECT count(*) FROM audit_stage) AS audit FROM outbox_stage";
const WEBHOOKS: &str = "SELECT (SELECT min(created_at) FROM webhook_delivery WHERE status = 'pending') AS oldest, \
    count(*) FILTER (WHERE enabled) AS enabled, count(*) FILTER (WHERE NOT enabled) AS disabled \
    FROM webhook_endpoint WHERE deleted_at IS NULL";

async fn read(conn: Conn<'_>) -> Result<Reading, DbError> {
    Ok(Reading {
        groups: groups(conn).await?,
        queues: conservation(conn).await?,
        consumers: diesel::sql_query(CONSUMERS).load(&mut &*conn).await?,
        stage: diesel::sql_query(STAGE).get_result(&mut &*conn).await?,
        webhooks: diesel::sql_query(WEBHOOKS).get_result(&mut &*conn).await?,
    })
}

type Name = (&'static str, Vec<(&'static str, String)>);

/// What this process has exported. A gauge that is not read any more falls to zero: nobody else can take it back.
#[derive(Default)]
struct Gauges(BTreeMap<Name, f64>);

impl Gauges {
    fn set(&mut self, reading: &Reading, now: Timestamp) {
        let mut values = BTreeMap::new();
        let mut put = |name, labels: &[(&'static str, &str)], value| {
            let labels = labels
                .iter()
                .map(|(key, text)| (*key, (*text).to_owned()))
                .collect();
            values.insert((name, labels), value);
        };
        let age = |since: Option<Timestamp>| since.map_or(0.0, |since| seconds(now - since));
        put("comanda_outbox_staged", &[], gauge(reading.stage.staged));
        put("comanda_outbox_oldest_seconds", &[], age(reading.stage.oldest));
        put("comanda_audit_staged", &[], gauge(reading.stage.audit));
        put(
            "comanda_webhook_oldest_pending_seconds",
            &[],
            age(reading.webhooks.oldest),
        );
        put(
            "comanda_webhook_endpoints",
            &[("state", "enabled")],
            gauge(reading.webhooks.enabled),
        );
        put(
            "comanda_webhook_endpoints",
            &[("state", "disabled")],
            gauge(reading.webhooks.disabled),
        );
        for lag in &reading.consumers {
            put(
                "comanda_event_consumer_lag",
                &[("consumer", &lag.consumer)],
                gauge(lag.lag),
            );
        }
        for queue in &reading.queues {
            let counts = [
                ("accepted", queue.accepted),
                ("settled", queue.settled),
                ("pending", queue.pending),
                ("dead", queue.dead),
            ];
            for (state, count) in counts {
                let labels = [("queue", queue.queue.as_str()), ("state", state)];
                put("comanda_queue_messages", &labels, gauge(count));
            }
        }
        for source in Source::ALL {
            let of = |state| {
                reading
                    .groups
                    .iter()
                    .find(|group| (group.source, group.state) == (*source, state))
            };
            for state in LetterState::ALL {
                let labels = [("source", source.as_str()), ("state", state.as_str())];
                put(
                    "comanda_dlq_messages",
                    &labels,
                    gauge(of(*state).map_or(0, |group| group.count)),
                );
            }
            let open = [LetterState::Pending, LetterState::Retrying];
            let oldest = open.into_iter().filter_map(of).map(|group| group.oldest).min();
            put(
                "comanda_dlq_oldest_seconds",
                &[("source", source.as_str())],
                age(oldest),
            );
        }
        for name in self.0.keys() {
            values.entry(name.clone()).or_insert(0.0);
        }
        self.0 = values;
        self.export();
    }

    fn clear(&mut self) {
        if self.0.is_empty() {
            return;
        }
        self.0.values_mut().for_each(|value| *value = 0.0);
        self.export();
        self.0.clear();
    }

    fn export(&self) {
        for ((name, labels), value) in &self.0 {
            let labels: Vec<metrics::Label> = labels
                .iter()
                .map(|(key, text)| metrics::Label::new(*key, text.clone()))
                .collect();
            metrics::gauge!(*name, labels).set(*value);
        }
    }
}

/// A clock that was set back makes nothing younger than now.
fn seconds(age: TimeDelta) -> f64 {
    age.to_std().map_or(0.0, |age| age.as_secs_f64())
}
