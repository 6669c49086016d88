//! Numbers what is staged. One leader per shard: a session lock says who may try, the shard's term who may write.

mod planted;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use diesel::sql_types::{Array, BigInt, Date, Integer, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tracing::{info, warn};

use super::{Bell, LoggedEvent, gauge, prepare_days};
use crate::db::{DbError, Relay};
use crate::failpoint;

/// A leader that is paused this long loses its session, and with it its locks; a live one asks every 50 ms.
const SESSION: &str = "SET idle_session_timeout = '3s'; SET idle_in_transaction_session_timeout = '3s';";
/// How often free shards are looked for.
const TRY: Duration = Duration::from_secs(1);
/// How often work is looked for while there was some within [`BUSY`].
const BUSY_POLL: Duration = Duration::from_millis(5);
/// How often otherwise.
const IDLE_POLL: Duration = Duration::from_millis(50);
const BUSY: Duration = Duration::from_secs(1);

/// The first number of the locks' names is ours, and arbitrary; the second is the shard.
const TAKE: &str = "WITH other AS MATERIALIZED (SELECT shard FROM event_shard WHERE shard <> ALL($1)), \
     free AS MATERIALIZED (SELECT shard FROM other WHERE pg_try_advisory_lock(1667196513, shard)) \
     UPDATE event_shard s SET term = s.term + 1, holder = $2 FROM free f WHERE s.shard = f.shard \
     RETURNING s.shard, s.term";
/// How many of these shards have been taken over by another leader since.
const OVERTAKEN: &str = "SELECT count(*)::integer AS shards FROM unnest($1, $2) AS mine (shard, term) \
     JOIN event_shard s USING (shard) WHERE s.term > mine.term";
const SEQUENCE: &str = "SELECT *, type AS type_ FROM comanda_sequence($1, $2, $3, $4, $5)";

#[derive(diesel::QueryableByName)]
struct Taken {
    #[diesel(sql_type = Integer)]
    shard: i32,
    #[diesel(sql_type = BigInt)]
    term: i64,
}

#[derive(diesel::QueryableByName)]
struct Overtaken {
    #[diesel(sql_type = Integer)]
    shards: i32,
}

/// The shards that this process leads, by a connection of its own: they are free once it closes.
pub struct Leadership {
    relay: Relay,
    connection: AsyncPgConnection,
    terms: BTreeMap<i32, i64>,
    /// Of the defect that a test may plant; unused otherwise.
    cursor: i64,
}

impl Leadership {
    /// Leads nothing yet.
    ///
    /// # Errors
    /// [`DbError::Unavailable`].
    pub async fn open(relay: &Relay) -> Result<Self, DbError> {
        Ok(Self {
            relay: relay.clone(),
            connection: relay.connect(SESSION).await?,
            terms: BTreeMap::new(),
            cursor: 0,
        })
    }

    /// Takes every shard that nobody leads, and says how many it took.
    ///
    /// # Errors
    /// A failure of the database; the leadership must not be used any more.
    pub async fn take(&mut self) -> Result<usize, DbError> {
        let mine: Vec<i32> = self.shards().collect();
        let taken: Vec<Taken> = diesel::sql_query(TAKE)
            .bind::<Array<Integer>, _>(mine)
            .bind::<Text, _>(self.relay.instance())
            .load(&mut self.connection)
            .await?;
        for Taken { shard, term } in &taken {
            metrics::gauge!("comanda_sequencer_leader", "shard" => shard.to_string()).set(1.0);
            metrics::gauge!("comanda_sequencer_term", "shard" => shard.to_string()).set(gauge(*term));
            self.terms.insert(*shard, *term);
        }
        Ok(taken.len())
    }

    /// Says whether another leader has taken over any of the shards that were led under these terms.
    ///
    /// # Errors
    /// A failure of the database; the leadership must not be used any more.
    async fn overtaken(&mut self, terms: &BTreeMap<i32, i64>) -> Result<bool, DbError> {
        let (shards, terms): (Vec<i32>, Vec<i64>) = terms.iter().map(|(shard, term)| (*shard, *term)).unzip();
        let overtaken: Overtaken = diesel::sql_query(OVERTAKEN)
            .bind::<Array<Integer>, _>(shards)
            .bind::<Array<BigInt>, _>(terms)
            .get_result(&mut self.connection)
            .await?;
        Ok(overtaken.shards > 0)
    }

    /// What it leads.
    pub fn shards(&self) -> impl Iterator<Item = i32> {
        self.terms.keys().copied()
    }

    /// Numbers the oldest staged events, `most` at most, in one transaction that has been committed when this
    /// returns. In the order of shard and position.
    ///
    /// # Errors
    /// [`DbError::Fenced`] when another leader has taken over, or a failure of the database. The leadership must not
    /// be used any more.
    pub async fn sequence(&mut self, most: i32) -> Result<Vec<LoggedEvent>, DbError> {
        if failpoint::planted(failpoint::CURSOR_OVER_IDENTITY) {
            self.follow_identity(most).await?;
        }
        let now = self.relay.sources().now();
        let (mine, terms): (Vec<i32>, Vec<i64>) =
            self.terms.iter().map(|(shard, term)| (*shard, *term)).unzip();
        let mut events: Vec<LoggedEvent> = diesel::sql_query(SEQUENCE)
            .bind::<Array<Integer>, _>(mine)
            .bind::<Array<BigInt>, _>(terms)
            .bind::<Integer, _>(most)
            .bind::<Date, _>(now.date_naive())
            .bind::<Timestamptz, _>(now)
            .load(&mut self.connection)
            .await?;
        events.sort_unstable_by_key(|event| (event.shard, event.pos));
        Ok(events)
    }
}

impl Drop for Leadership {
    fn drop(&mut self) {
        for shard in self.terms.keys() {
            metrics::gauge!("comanda_sequencer_leader", "shard" => shard.to_string()).set(0.0);
        }
    }
}

/// What the sequencer tells the publisher.
#[derive(Clone)]
pub struct Sequenced {
    /// The shards that this process leads.
    pub leads: watch::Sender<Vec<i32>>,
    /// Events that have been committed. A batch that finds no room is left out; the log has it.
    pub batches: mpsc::Sender<Vec<Arc<LoggedEvent>>>,
}

/// Leads what it can.
pub struct Sequencer {
    /// The way to the database.
    pub relay: Relay,
    /// Rings when something was staged.
    pub bell: Bell,
    /// Events of one transaction at most.
    pub batch: i32,
    /// Who hears of it.
    pub out: Sequenced,
}

impl Sequencer {
    /// Leads or stands by until it is stopped; then the batch is finished and leadership ends.
    pub async fn run(self, mut stopped: watch::Receiver<bool>) {
        metrics::gauge!("comanda_event_shards").set(f64::from(self.relay.shards()));
        metrics::counter!("comanda_sequencer_fenced_total").increment(0);
        // What was led when the connection was lost. A leader that was paused learns only afterwards that it was
        // followed.
        let mut lost = BTreeMap::new();
        while !*stopped.borrow() {
            if let Err(error) = self.lead(&mut stopped, &mut lost).await {
                if matches!(error, DbError::Fenced) {
                    lost.clear();
                    count_fenced();
                }
                warn!(%error, "sequencer.leadership_lost");
            }
            if *stopped.borrow() {
                return;
            }
            self.out.leads.send_replace(Vec::new());
            tokio::select! {
                _ = stopped.changed() => {}
                () = tokio::time::sleep(TRY) => {}
            }
        }
    }

    async fn lead(
        &self,
        stopped: &mut watch::Receiver<bool>,
        lost: &mut BTreeMap<i32, i64>,
    ) -> Result<(), DbError> {
        prepare_days(&self.relay).await?;
        let mut leadership = Leadership::open(&self.relay).await?;
        if !lost.is_empty() && leadership.overtaken(lost).await? {
            count_fenced();
        }
        lost.clear();
        let outcome = self.work(&mut leadership, stopped).await;
        if outcome.is_err() {
            lost.clone_from(&leadership.terms);
        }
        outcome
    }

    async fn work(
        &self,
        leadership: &mut Leadership,
        stopped: &mut watch::Receiver<bool>,
    ) -> Result<(), DbError> {
        let mut tried: Option<Instant> = None;
        let mut found: Option<Instant> = None;
        while !*stopped.borrow() {
            if tried.is_none_or(|at| at.elapsed() >= TRY) {
                tried = Some(Instant::now());
                self.take(leadership).await?;
            }
            if self.move_batch(leadership).await? {
                found = Some(Instant::now());
                continue;
            }
            let busy = found.is_some_and(|at| at.elapsed() < BUSY);
            tokio::select! {
                _ = stopped.changed() => {}
                () = self.bell.rung() => {}
                () = tokio::time::sleep(if busy { BUSY_POLL } else { IDLE_POLL }) => {}
            }
        }
        Ok(())
    }

    async fn take(&self, leadership: &mut Leadership) -> Result<(), DbError> {
        let taken = leadership.take().await?;
        if taken > 0 {
            info!(taken, "sequencer.leads");
            self.out.leads.send_replace(leadership.shards().collect());
        }
        Ok(())
    }

    /// Says whether there was anything.
    async fn move_batch(&self, leadership: &mut Leadership) -> Result<bool, DbError> {
        if failpoint::planted(failpoint::PUBLISH_BEFORE_COMMIT) {
            return self.publish_before_commit(leadership).await;
        }
        self.number(leadership).await
    }

    /// Numbers a batch and hands it on.
    async fn number(&self, leadership: &mut Leadership) -> Result<bool, DbError> {
        let started = Instant::now();
        let events = leadership.sequence(self.batch).await?;
        let Ok(size @ 1..) = u32::try_from(events.len()) else {
            return Ok(false);
        };
        metrics::counter!("comanda_sequencer_events_total").increment(u64::from(size));
        metrics::histogram!("comanda_sequencer_batch_size").record(f64::from(size));
        metrics::histogram!("comanda_sequencer_batch_duration_seconds")
            .record(started.elapsed().as_secs_f64());
        // No room, or nobody there: the publisher finds them in the log.
        let _ = self
            .out
            .batches
            .try_send(events.into_iter().map(Arc::new).collect());
        Ok(true)
    }
}

fn count_fenced() {
    metrics::counter!("comanda_sequencer_fenced_total").increment(1);
    warn!("sequencer.fenced");
}
