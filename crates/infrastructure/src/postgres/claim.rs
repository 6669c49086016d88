//! Without Redis events travel within one process, so there may be one only. Every process holds a lock of the database
//! for as long as it lives: alone without Redis, together with others with it.

use std::time::Duration;

use diesel::prelude::QueryableByName;
use diesel::sql_types::Bool;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tracing::{error, info, warn};

use crate::db::{DbError, Relay};

/// The first number is that of our locks, see the sequencer; the second is no shard's.
const ALONE: &str = "SELECT pg_try_advisory_lock(1667196513, -1) AS ours";
const AMONG_OTHERS: &str = "SELECT pg_try_advisory_lock_shared(1667196513, -1) AS ours";
/// Whoever is paused for longer, or whose machine is gone, loses the lock; a live one asks every [`BEAT`].
const SESSION: &str = "SET idle_session_timeout = '30s';";
/// How often the connection is made sure of.
const BEAT: Duration = Duration::from_secs(1);
/// How long a process that is ending may take to do so.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked meanwhile.
const LOOK: Duration = Duration::from_millis(50);

/// Whether other processes may serve the same database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Company {
    /// They have nowhere to meet.
    Alone,
    /// They meet at Redis.
    AmongOthers,
}

/// Why a process may not serve a database.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// Others are there, and here is nowhere to meet them.
    #[error(
        "another process serves this database already, and without REDIS_URL there may be one only: stop it, or set \
         REDIS_URL for both"
    )]
    NotAlone,
    /// One is there that cannot be met.
    #[error(
        "another process serves this database without REDIS_URL: stop it, or start it again with the same REDIS_URL"
    )]
    Unreachable,
    /// The database.
    #[error(transparent)]
    Database(#[from] DbError),
}

#[derive(QueryableByName)]
struct Locked {
    #[diesel(sql_type = Bool)]
    ours: bool,
}

/// The claim to serve a database; given up when dropped.
#[derive(Debug)]
pub struct Claim(JoinHandle<()>);

impl Claim {
    /// Claims the database, and waits a little for another process to end.
    ///
    /// # Errors
    /// [`ClaimError`].
    pub async fn make(relay: &Relay, company: Company) -> Result<Self, ClaimError> {
        let began = Instant::now();
        let mut connection = relay.connect(SESSION).await?;
        while !lock(&mut connection, company).await? {
            if began.elapsed() > PATIENCE {
                return Err(match company {
                    Company::Alone => ClaimError::NotAlone,
                    Company::AmongOthers => ClaimError::Unreachable,
                });
            }
            sleep(LOOK).await;
        }
        Ok(Self(tokio::spawn(hold(relay.clone(), connection, company))))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn lock(connection: &mut AsyncPgConnection, company: Company) -> Result<bool, DbError> {
    let trying = match company {
        Company::Alone => ALONE,
        Company::AmongOthers => AMONG_OTHERS,
    };
    let locked: Locked = diesel::sql_query(trying).get_result(connection).await?;
    Ok(locked.ours)
}

/// Keeps the lock; takes it again when PostgreSQL was restarted.
async fn hold(relay: Relay, mut connection: AsyncPgConnection, company: Company) {
    loop {
        sleep(BEAT).await;
        let Err(fault) = connection.batch_execute("SELECT 1").await else {
            continue;
        };
        warn!(error = %fault, "claim.connection_lost");
        connection = lock_again(&relay, company).await;
        info!("claim.made_again");
    }
}

async fn lock_again(relay: &Relay, company: Company) -> AsyncPgConnection {
    let mut told = false;
    loop {
        if let Ok(mut connection) = relay.connect(SESSION).await
            && let Ok(ours) = lock(&mut connection, company).await
        {
            if ours {
                return connection;
            }
            if !told {
                error!(
                    remedy = "stop one of the two, or set REDIS_URL for both",
                    "claim.another_process_serves_this_database"
                );
                told = true;
            }
        }
        sleep(BEAT).await;
    }
}
