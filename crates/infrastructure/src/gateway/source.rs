//! What the gateway asks the database for.

use std::collections::HashMap;
use std::sync::Arc;

use comanda_domain::ids::{BranchId, TenantId};
use diesel::{ExpressionMethods, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use futures_util::stream::FuturesUnordered;
use futures_util::{StreamExt, try_join};
use tokio::sync::{mpsc, oneshot};

use super::SharedEvent;
use super::cover::Assigned;
use super::room::At;
use crate::db::{Conn, Db, DbError, head};
use crate::events::LoggedEvent;
use crate::floor;
use crate::refusal::Refusal;
use crate::schema::event_log;
use crate::sessions::assigned::servers;

/// Events that are read from the log at once.
const CHUNK: u64 = 512;
/// Those who come back a few events apart share what is read for them: reading begins at a multiple of this.
const STEP: u64 = 128;
/// Questions that may wait.
const WAITING: usize = 256;

/// Events of a branch, in order.
pub(super) type Events = Arc<[Arc<SharedEvent>]>;

/// What is asked about a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Question {
    /// Where its stream stands, and who serves which sector.
    Start,
    /// The events after a number.
    After(u64),
}

#[derive(Clone)]
enum Reply {
    Start(At, Arc<Assigned>),
    Events(Events),
    /// There is no such branch.
    NoBranch,
    Failed(String),
}

type Key = (TenantId, BranchId, Question);

/// Asks the log. Whoever asks the same while an answer is under way shares it, so that a storm of those who come back
/// costs as many queries as there are branches.
#[derive(Clone)]
pub(super) struct Source {
    asking: mpsc::Sender<(Key, oneshot::Sender<Reply>)>,
}

/// The other end of [`Source`]: on one thread, with the database.
pub(super) struct Answering {
    db: Db,
    asked: mpsc::Receiver<(Key, oneshot::Sender<Reply>)>,
}

impl Source {
    pub fn new(db: Db) -> (Self, Answering) {
        let (asking, asked) = mpsc::channel(WAITING);
        (Self { asking }, Answering { db, asked })
    }

    async fn ask(&self, key: Key) -> Result<Reply, Refusal> {
        let gone = || DbError::Unavailable("nobody answers any more".to_owned());
        let (answer, answered) = oneshot::channel();
        self.asking.send((key, answer)).await.map_err(|_| gone())?;
        match answered.await.map_err(|_| gone())? {
            Reply::NoBranch => Err(Refusal::NotFound),
            Reply::Failed(error) => Err(DbError::Unavailable(error).into()),
            reply => Ok(reply),
        }
    }

    /// Where the stream of a branch stands, and who serves which of its sectors now.
    pub async fn start(&self, tenant: TenantId, branch: BranchId) -> Result<(At, Arc<Assigned>), Refusal> {
        match self.ask((tenant, branch, Question::Start)).await? {
            Reply::Start(at, assigned) => Ok((at, assigned)),
            _ => Err(Refusal::NotFound),
        }
    }

    /// Events after a number, about 500 at once.
    pub async fn events(&self, tenant: TenantId, branch: BranchId, after: u64) -> Result<Events, Refusal> {
        let from = after - after % STEP;
        match self.ask((tenant, branch, Question::After(from))).await? {
            Reply::Events(events) => Ok(events
                .iter()
                .filter(|event| event.seq() > after)
                .cloned()
                .collect()),
            _ => Err(Refusal::NotFound),
        }
    }
}

impl Answering {
    /// Answers until nobody can ask any more.
    pub async fn run(mut self) {
        let mut waiting: HashMap<Key, Vec<oneshot::Sender<Reply>>> = HashMap::new();
        let mut running = FuturesUnordered::new();
        loop {
            tokio::select! {
                asked = self.asked.recv() => match asked {
                    None => return,
                    Some((key, answer)) => {
                        let others = waiting.entry(key).or_default();
                        if others.is_empty() {
                            running.push(answer_one(&self.db, key));
                        }
                        others.push(answer);
                    }
                },
                Some((key, reply)) = running.next(), if !running.is_empty() => {
                    for answer in waiting.remove(&key).unwrap_or_default() {
                        // Whoever has gone meanwhile needs no answer.
                        let _ = answer.send(reply.clone());
                    }
                }
            }
        }
    }
}

async fn answer_one(db: &Db, key: Key) -> (Key, Reply) {
    let (tenant, branch, question) = key;
    let reply = match question {
        Question::Start => start(db, tenant, branch).await,
        Question::After(from) => events(db, tenant, branch, from).await,
    };
    let reply = reply.unwrap_or_else(|refusal| match refusal {
        Refusal::NotFound => Reply::NoBranch,
        other => Reply::Failed(other.to_string()),
    });
    (key, reply)
}

async fn start(db: &Db, tenant: TenantId, branch: BranchId) -> Result<Reply, Refusal> {
    let now = db.sources().now();
    db.read(tenant, async |conn| {
        let ((epoch, head), row) = try_join!(
            head(conn, tenant, branch),
            floor::store::branch(conn, tenant, branch)
        )?;
        let row = row.ok_or(Refusal::NotFound)?.to_domain()?;
        let mut assigned = Assigned::new();
        for (sector, user) in servers(conn, tenant, &row, now).await? {
            assigned.entry(sector).or_default().insert(user);
        }
        Ok(Reply::Start(At { epoch, head }, Arc::new(assigned)))
    })
    .await
}

async fn events(db: &Db, tenant: TenantId, branch: BranchId, from: u64) -> Result<Reply, Refusal> {
    let limit = i64::try_from(CHUNK + STEP).unwrap_or(i64::MAX);
    let rows = db
        .read(tenant, async |conn| {
            Ok(after(conn, tenant, branch, from, limit).await?)
        })
        .await?;
    let events = rows.into_iter().map(|row| SharedEvent::new(Arc::new(row)));
    Ok(Reply::Events(events.collect()))
}

/// Events of a branch after a number, in order.
pub(crate) async fn after(
    conn: Conn<'_>,
    tenant: TenantId,
    branch: BranchId,
    seq: u64,
    limit: i64,
) -> Result<Vec<LoggedEvent>, DbError> {
    Ok(event_log::table
        .filter(event_log::tenant_id.eq(tenant.0))
        .filter(event_log::branch_id.eq(branch.0))
        .filter(event_log::seq.gt(i64::try_from(seq).unwrap_or(i64::MAX)))
        .order(event_log::seq)
        .limit(limit)
        .select(LoggedEvent::as_select())
        .load(&mut &*conn)
        .await?)
}
