//! Moves staged events into the log and numbers them: one leader per shard, fenced by a term.
//!
//! Leadership is a session's advisory lock, so it ends with its connection. A leader is never idle for long; if it is
//! paused, PostgreSQL ends its session, the lock is free, and the next leader raises the term. Whatever the paused one
//! still tries under its old term is refused by `comanda_sequence`.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::NaiveDate;
use diesel::prelude::QueryableByName;
use diesel::sql_types::{Array, BigInt, Date, Integer, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use super::Bell;
use crate::db::{DbError, Relay};

/// First half of the advisory locks of leadership, the shard being the second; ours, and arbitrary.
const LOCK_CLASS: i32 = 0x636f_6d61;
/// How long a leader's session may do nothing before PostgreSQL ends it; many times the longest pause of a live one.
const LEASE: &str = "SET idle_session_timeout = '3s'; SET idle_in_transaction_session_timeout = '3s';";
/// How often free shards are looked for, and how long a failure is left alone.
const CLAIM_INTERVAL: Duration = Duration::from_secs(1);
/// How long there is looked often after work was found.
const BUSY: Duration = Duration::from_secs(1);
/// Pause between two looks while there was work lately.
const BUSY_PAUSE: Duration = Duration::from_millis(5);
/// … and while there was none.
const QUIET_PAUSE: Duration = Duration::from_millis(50);

/// Numbers what is staged, as long as it runs.
#[derive(Clone)]
pub struct Sequencer {
    relay: Relay,
    bell: Bell,
    batch: i32,
}

impl Sequencer {
    /// At most `batch` events at once; woken by `bell`.
    pub fn new(relay: Relay, bell: Bell, batch: u32) -> Self {
        Self {
            relay,
            bell,
            batch: i32::try_from(batch).unwrap_or(i32::MAX),
        }
    }

    /// Leads whatever shards are free, until it is told to stop.
    pub async fn run(self, mut stopped: watch::Receiver<bool>) {
        while !*stopped.borrow() {
            match self.lead(&mut stopped).await {
                Ok(()) => return,
                Err(DbError::Fenced) => {
                    metrics::counter!("comanda_sequencer_fenced_total").increment(1);
                    warn!("sequencer.fenced");
                }
                Err(error) => warn!(%error, "sequencer.failed"),
            }
            wait(&mut stopped, CLAIM_INTERVAL).await;
        }
    }

    async fn lead(&self, stopped: &mut watch::Receiver<bool>) -> Result<(), DbError> {
        let mut lead = Leadership::begin(&self.relay).await?;
        let mut claim_at = Instant::now();
        let mut busy_until = claim_at;
        while !*stopped.borrow() {
            if Instant::now() >= claim_at {
                lead.claim().await?;
                claim_at = Instant::now() + CLAIM_INTERVAL;
            }
            if lead.batch(self.batch).await? > 0 {
                busy_until = Instant::now() + BUSY;
                continue;
            }
            let pause = if Instant::now() < busy_until {
                BUSY_PAUSE
            } else {
                QUIET_PAUSE
            };
            tokio::select! {
                () = self.bell.rung() => {}
                () = wait(stopped, pause) => {}
            }
        }
        Ok(())
    }
}

async fn wait(stopped: &mut watch::Receiver<bool>, at_most: Duration) {
    tokio::select! {
        _ = stopped.changed() => {}
        () = sleep(at_most) => {}
    }
}

/// The shards that this process leads, and the connection that they are held by; dropping it gives them up.
pub struct Leadership {
    relay: Relay,
    conn: AsyncPgConnection,
    terms: BTreeMap<i32, i64>,
    partitions_of: Option<NaiveDate>,
}

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = Integer)]
    shard: i32,
    #[diesel(sql_type = BigInt)]
    term: i64,
}

#[derive(QueryableByName)]
struct Moved {
    #[diesel(sql_type = BigInt)]
    moved: i64,
}

/// Locks what nobody leads and opens a new term for it.
const CLAIM: &str = "
WITH locked AS MATERIALIZED (
    SELECT shard FROM (SELECT shard FROM event_shard WHERE shard <> ALL ($1) ORDER BY shard) free
     WHERE pg_try_advisory_lock($2, shard))
UPDATE event_shard s SET term = s.term + 1, holder = $3 FROM locked l WHERE s.shard = l.shard
RETURNING s.shard, s.term";

impl Leadership {
    /// Of no shard yet.
    ///
    /// # Errors
    /// [`DbError::Unavailable`].
    pub async fn begin(relay: &Relay) -> Result<Self, DbError> {
        Ok(Self {
            relay: relay.clone(),
            conn: relay.connect(LEASE).await?,
            terms: BTreeMap::new(),
            partitions_of: None,
        })
    }

    /// The shards led, each with its term.
    pub fn terms(&self) -> &BTreeMap<i32, i64> {
        &self.terms
    }

    /// Takes every shard that nobody leads.
    ///
    /// # Errors
    /// A failure of the database; leadership should be given up then.
    pub async fn claim(&mut self) -> Result<(), DbError> {
        if self.terms.len() >= usize::try_from(self.relay.shards()).unwrap_or(usize::MAX) {
            return Ok(());
        }
        let held: Vec<i32> = self.terms.keys().copied().collect();
        let taken: Vec<Taken> = diesel::sql_query(CLAIM)
            .bind::<Array<Integer>, _>(held)
            .bind::<Integer, _>(LOCK_CLASS)
            .bind::<Text, _>(self.relay.instance())
            .load(&mut self.conn)
            .await?;
        if !taken.is_empty() {
            info!(shards = taken.len(), "sequencer.leads");
        }
        for Taken { shard, term } in taken {
            let label = shard.to_string();
            metrics::gauge!("comanda_sequencer_leader", "shard" => label.clone()).set(1.0);
            metrics::gauge!("comanda_sequencer_term", "shard" => label).set(precise(term));
            self.terms.insert(shard, term);
        }
        Ok(())
    }

    /// Numbers the oldest staged events of the shards led, at most `most`; says how many.
    ///
    /// # Errors
    /// [`DbError::Fenced`] when somebody else leads one of them now, or a failure of the database. Nothing was moved
    /// then.
    pub async fn batch(&mut self, most: i32) -> Result<i64, DbError> {
        if self.terms.is_empty() {
            return Ok(0);
        }
        let now = self.relay.sources().now();
        self.ensure_partitions(now.date_naive()).await?;
        let began = Instant::now();
        let found: Moved =
            diesel::sql_query("SELECT count(*) AS moved FROM comanda_sequence($1, $2, $3, $4, $5)")
                .bind::<Array<Integer>, _>(self.terms.keys().copied().collect::<Vec<_>>())
                .bind::<Array<BigInt>, _>(self.terms.values().copied().collect::<Vec<_>>())
                .bind::<Integer, _>(most)
                .bind::<Date, _>(now.date_naive())
                .bind::<Timestamptz, _>(now)
                .get_result(&mut self.conn)
                .await?;
        if found.moved > 0 {
            metrics::counter!("comanda_sequencer_events_total").increment(found.moved.unsigned_abs());
            metrics::histogram!("comanda_sequencer_batch_size").record(precise(found.moved));
            metrics::histogram!("comanda_sequencer_batch_duration_seconds").record(began.elapsed());
        }
        Ok(found.moved)
    }

    async fn ensure_partitions(&mut self, today: NaiveDate) -> Result<(), DbError> {
        if self.partitions_of == Some(today) {
            return Ok(());
        }
        diesel::sql_query("SELECT comanda_event_partitions($1)")
            .bind::<Date, _>(today)
            .execute(&mut self.conn)
            .await?;
        self.partitions_of = Some(today);
        Ok(())
    }
}

impl Drop for Leadership {
    fn drop(&mut self) {
        for shard in self.terms.keys() {
            metrics::gauge!("comanda_sequencer_leader", "shard" => shard.to_string()).set(0.0);
        }
    }
}

/// As metrics take it. Beyond 2^53 a digit may be lost, which no reader of a chart sees.
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "there is no other way from i64 to f64"
)]
fn precise(number: i64) -> f64 {
    number as f64
}
