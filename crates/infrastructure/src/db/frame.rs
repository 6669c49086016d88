//! The frame of every operation: load → decide → record.

use std::time::Duration;

use comanda_domain::Timestamp;
use comanda_domain::cursor::StreamCursor;
use comanda_domain::ids::{BranchId, RequestId, TenantId};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use futures_util::future;

use super::act::{Act, Ask};
use super::error::DbError;
use super::locks::Locks;
use super::open::Open;
use super::pool::Db;
use super::record::Recorder;
use super::seen::{Seen, head};
use crate::clock::Ids;
use crate::idempotency::{self, Claim, Stored};
use crate::refusal::Refusal;

/// A connection inside a transaction whose tenant is set. Shared, so that queries can be pipelined.
pub type Conn<'c> = &'c AsyncPgConnection;

/// The tenant of a piece of work.
pub type Tenant = TenantId;

/// A read sees one moment, and changes nothing.
const SNAPSHOT: &str = "ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// Attempts of one operation against deadlocks and serialisation failures.
const ATTEMPTS: u32 = 5;

impl Db {
    /// Reads in one snapshot of the tenant's data.
    ///
    /// # Errors
    /// Whatever `load` refuses, or a failure of the database.
    pub async fn read<F>(
        &self,
        tenant: TenantId,
        load: impl AsyncFn(Conn<'_>) -> Result<F, Refusal>,
    ) -> Result<F, Refusal> {
        self.look(&begin(SNAPSHOT, tenant, "", &Locks::none()), load)
            .await
    }

    /// Reads like [`Db::read`] what a screen of a branch starts from; `load` also says of which branch. The position
    /// of the stream is of the same snapshot, and is asked for right before `COMMIT`: it costs no round trip.
    ///
    /// # Errors
    /// As for [`Db::read`].
    pub async fn watch<F>(
        &self,
        tenant: TenantId,
        load: impl AsyncFn(Conn<'_>) -> Result<(BranchId, F), Refusal>,
    ) -> Result<Seen<F>, Refusal> {
        let open = Open::new(self).await?;
        let begin = begin(SNAPSHOT, tenant, "", &Locks::none());
        let (opened, facts) = future::join(open.send(&begin), load(open.conn())).await;
        match opened.map_err(Refusal::from).and(facts) {
            Ok((branch, value)) => {
                let cursor = open
                    .commit_after(async |conn| head(conn, tenant, branch).await.map(StreamCursor::from))
                    .await?;
                Ok(Seen { value, cursor })
            }
            Err(refusal) => {
                open.roll_back().await;
                Err(refusal)
            }
        }
    }

    /// Reads where no tenant is known yet: the directory of tenants, and the few functions that find one. Row level
    /// security shows nothing else.
    ///
    /// # Errors
    /// As for [`Db::read`].
    pub async fn directory<F>(
        &self,
        load: impl AsyncFn(Conn<'_>) -> Result<F, Refusal>,
    ) -> Result<F, Refusal> {
        self.look(&format!("BEGIN {SNAPSHOT}"), load).await
    }

    async fn look<F>(
        &self,
        begin: &str,
        load: impl AsyncFn(Conn<'_>) -> Result<F, Refusal>,
    ) -> Result<F, Refusal> {
        let open = Open::new(self).await?;
        let (opened, facts) = future::join(open.send(begin), load(open.conn())).await;
        match opened.map_err(Refusal::from).and(facts) {
            Ok(facts) => {
                open.commit().await?;
                Ok(facts)
            }
            Err(refusal) => {
                open.roll_back().await;
                Err(refusal)
            }
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when it does not.
    pub async fn ping(&self) -> Result<(), DbError> {
        let connection = self.connection().await?;
        (&mut &*connection)
            .batch_execute("SELECT 1")
            .await
            .map_err(DbError::from)
    }

    /// Runs one operation: `load` under `locks`, `decide`, record, commit; or gives the stored answer again.
    ///
    /// # Errors
    /// Whatever `load` or `decide` refuses, a rule of the idempotency key, or a failure of the database.
    pub async fn write<F>(
        &self,
        ask: &Ask,
        locks: Locks,
        load: impl AsyncFn(Conn<'_>) -> Result<F, Refusal>,
        decide: impl Fn(F, &mut Act<'_>) -> Result<Stored, Refusal>,
    ) -> Result<Stored, Refusal> {
        self.transact(ask, locks, load, |claim, facts, act| match claim {
            Claim::Replay(stored) => Ok(stored),
            Claim::Fresh | Claim::Resume(_) => {
                let stored = decide(facts?, act)?;
                if let Some(row) = idempotency::done(ask, &stored, act.now, &mut act.ids) {
                    act.rows.insert(&row);
                }
                Ok(stored)
            }
        })
        .await
    }

    /// The transaction under [`Db::write`]: `step` sees what the idempotency key says before the facts, and what
    /// it puts into the [`Act`] is committed. An outcome that commits an effect *and* refuses the request is an
    /// `Ok` here, which the caller turns into its refusal afterwards.
    ///
    /// # Errors
    /// As for [`Db::write`].
    pub async fn transact<F, T>(
        &self,
        ask: &Ask,
        locks: Locks,
        load: impl AsyncFn(Conn<'_>) -> Result<F, Refusal>,
        step: impl Fn(Claim, Result<F, Refusal>, &mut Act<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut attempt = 1;
        loop {
            match self.attempt(ask, &locks, &load, &step).await {
                Err(Refusal::Database(DbError::Retry(_))) if attempt < ATTEMPTS => {
                    tokio::time::sleep(self.pause(attempt)).await;
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// A pause under 50 ms, different for everyone: drawn from the bits of a fresh id.
    fn pause(&self, attempt: u32) -> Duration {
        use comanda_domain::ids::IdSource;
        let noise = self.sources.ids().uuid().as_u128() & 0xf;
        Duration::from_millis(u64::from(attempt) * 5 + u64::try_from(noise).unwrap_or(0))
    }

    async fn attempt<F, T>(
        &self,
        ask: &Ask,
        locks: &Locks,
        load: &impl AsyncFn(Conn<'_>) -> Result<F, Refusal>,
        step: &impl Fn(Claim, Result<F, Refusal>, &mut Act<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let open = Open::new(self).await?;
        let begin = begin("", ask.tenant, &claims(ask, self.sources.now()), locks);
        let (opened, earlier, facts) = future::join3(
            open.send(&begin),
            idempotency::find(open.conn(), ask),
            load(open.conn()),
        )
        .await;
        let decided = opened.and(earlier).map_err(Refusal::from).and_then(|earlier| {
            let now = self.sources.now();
            let mut act = Act {
                now,
                ids: self.sources.ids(),
                ask,
                rows: Recorder::default(),
                signals: Vec::new(),
                shards: self.shards,
                veto: None,
            };
            let claim = idempotency::judge(ask.idempotency.as_ref(), earlier, now)?;
            let outcome = step(claim, facts, &mut act)?;
            act.veto.map_or(Ok((outcome, act.rows, act.signals)), Err)
        });
        match decided {
            Ok((outcome, rows, signals)) => {
                crate::failpoint::reached("before_commit");
                open.record_and_commit(rows).await?;
                if let Some(nonce) = &ask.nonce {
                    nonce.keep();
                }
                self.bell.ring();
                for signal in signals {
                    self.signals.send(signal);
                }
                crate::failpoint::reached("after_commit");
                Ok(outcome)
            }
            Err(refusal) => {
                open.roll_back().await;
                Err(refusal)
            }
        }
    }
}

/// What only one request may have: its nonce, if it was signed, and then its idempotency key.
fn claims(ask: &Ask, now: Timestamp) -> String {
    let nonce = ask.nonce.as_ref().map(|nonce| nonce.sql(now));
    let key = ask
        .idempotency
        .as_ref()
        .map(|key| format!("EXECUTE claim_key({});", key.lock_number(ask.tenant)));
    nonce.unwrap_or_default() + &key.unwrap_or_default()
}

/// `BEGIN`, the tenant, the claims and the locks, in one message.
fn begin(mode: &str, tenant: TenantId, claims: &str, locks: &Locks) -> String {
    format!(
        "BEGIN {mode}; SET LOCAL comanda.tenant_id = '{}';{claims}{}",
        tenant.0,
        locks.sql(tenant)
    )
}

/// A fresh request id.
pub fn request_id(ids: &mut Ids) -> RequestId {
    use comanda_domain::ids::IdSource;
    ids.next()
}
