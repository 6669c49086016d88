//! Without Redis events travel within one process, so there may be one only: it holds a lock of the database for as
//! long as it lives.

use std::time::Duration;

use diesel::prelude::QueryableByName;
use diesel::sql_types::Bool;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tracing::{error, info, warn};

use crate::db::{DbError, Relay};

/// The first number is that of our locks, see the sequencer; the second is no shard's.
const CLAIM: &str = "SELECT pg_try_advisory_lock(1667196513, -1) AS ours";
/// Whoever is paused for longer, or whose machine is gone, loses the lock; a live one asks every [`BEAT`].
const SESSION: &str = "SET idle_session_timeout = '10s';";
/// How often the connection is made sure of.
const BEAT: Duration = Duration::from_secs(1);
/// How long a process that is ending may take to do so.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked meanwhile.
const LOOK: Duration = Duration::from_millis(50);

/// Why a process does not have a database for itself.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// Another process serves it, and they have nowhere to meet.
    #[error(
        "another process serves this database already, and without REDIS_URL there may be one only: stop it, or set \
         REDIS_URL for both"
    )]
    NotAlone,
    /// The database.
    #[error(transparent)]
    Database(#[from] DbError),
}

#[derive(QueryableByName)]
struct Claim {
    #[diesel(sql_type = Bool)]
    ours: bool,
}

/// The claim to be the one process of a database; given up when dropped.
#[derive(Debug)]
pub struct Sole(JoinHandle<()>);

impl Sole {
    /// Claims the database, and waits a little for another process to end.
    ///
    /// # Errors
    /// [`ClaimError::NotAlone`], or a failure of the database.
    pub async fn claim(relay: &Relay) -> Result<Self, ClaimError> {
        let began = Instant::now();
        let mut connection = relay.connect(SESSION).await?;
        while !try_claim(&mut connection).await? {
            if began.elapsed() > PATIENCE {
                return Err(ClaimError::NotAlone);
            }
            sleep(LOOK).await;
        }
        Ok(Self(tokio::spawn(hold(relay.clone(), connection))))
    }
}

impl Drop for Sole {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn try_claim(connection: &mut AsyncPgConnection) -> Result<bool, DbError> {
    let claim: Claim = diesel::sql_query(CLAIM).get_result(connection).await?;
    Ok(claim.ours)
}

/// Keeps the lock; takes it again when PostgreSQL was restarted.
async fn hold(relay: Relay, mut connection: AsyncPgConnection) {
    loop {
        sleep(BEAT).await;
        let Err(fault) = connection.batch_execute("SELECT 1").await else {
            continue;
        };
        warn!(error = %fault, "sole.connection_lost");
        connection = claim_again(&relay).await;
        info!("sole.claimed_again");
    }
}

async fn claim_again(relay: &Relay) -> AsyncPgConnection {
    let mut told = false;
    loop {
        if let Ok(mut connection) = relay.connect(SESSION).await
            && let Ok(ours) = try_claim(&mut connection).await
        {
            if ours {
                return connection;
            }
            if !told {
                error!(
                    remedy = "stop one of the two, or set REDIS_URL for both",
                    "sole.another_process_serves_this_database"
                );
                told = true;
            }
        }
        sleep(BEAT).await;
    }
}
