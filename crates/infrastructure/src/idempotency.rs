//! A repeated command has one effect: the stored answer of each idempotency key.
//!
//! The record is a row of the transaction of the effect, so it exists exactly when the effect is committed.
//! Operations of two steps (online payments) write it as `started` with the intent and finish it with the result.

use chrono::{DateTime, TimeDelta, Utc};
use comanda_domain::Timestamp;
use comanda_domain::ids::{IdSource, TenantId};
use comanda_security::hash::sha256;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::Ids;
use crate::db::{Ask, Conn, DbError, bytes_as_hex, optional_bytes_as_hex, row};
use crate::refusal::Refusal;
use crate::schema::idempotency_record;

/// How long an answer is kept.
const KEPT: TimeDelta = TimeDelta::days(7);
/// How long the first try of a two-step operation has before a repetition takes over.
const LEASE: TimeDelta = TimeDelta::seconds(30);

/// A key and what it was first used for.
#[derive(Debug, Clone)]
pub struct Idempotency {
    /// The client's key.
    pub key: String,
    /// `POST`
    pub method: &'static str,
    /// The route's template.
    pub route: String,
    /// SHA-256 of method, route, path ids, query and canonical body.
    pub fingerprint: [u8; 32],
    /// Whose key: `diner`, `user` or `api_key`.
    pub principal_kind: &'static str,
    /// Which one.
    pub principal_id: Uuid,
}

impl Idempotency {
    /// The number of the advisory lock that one use of the key holds.
    pub(crate) fn lock_number(&self, tenant: TenantId) -> i64 {
        let digest = sha256(&[
            tenant.0.as_bytes(),
            self.principal_kind.as_bytes(),
            self.principal_id.as_bytes(),
            self.method.as_bytes(),
            b"\0",
            self.route.as_bytes(),
            b"\0",
            self.key.as_bytes(),
        ]);
        let mut first = [0; 8];
        first.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        i64::from_be_bytes(first)
    }
}

/// An answer as it is stored and given again.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// HTTP status, always 2xx.
    pub status: u16,
    /// The version of the object, for `ETag`.
    pub version: Option<i64>,
    /// Address of what was created.
    pub location: Option<String>,
    /// The JSON body.
    pub body: Vec<u8>,
    /// Given again.
    pub replayed: bool,
}

impl Stored {
    /// An answer with a body.
    ///
    /// # Errors
    /// A view that has no JSON form, which is a defect.
    pub fn new(status: u16, view: &impl serde::Serialize) -> Result<Self, Refusal> {
        let body = serde_json::to_vec(view).map_err(|error| DbError::Corrupt(error.to_string()))?;
        Ok(Self {
            status,
            version: None,
            location: None,
            body,
            replayed: false,
        })
    }

    /// With the version of the object.
    #[must_use]
    pub fn version(mut self, version: i64) -> Self {
        self.version = Some(version);
        self
    }

    /// With the address of the created object.
    #[must_use]
    pub fn location(mut self, path: String) -> Self {
        self.location = Some(path);
        self
    }
}

row! {
    /// A stored answer, or one that is being worked on.
    RecordRow = idempotency_record, key (tenant_id, id), guard "t.state = 'started'" {
        tenant_id: Uuid,
        id: Uuid,
        created_at: DateTime<Utc>,
        principal_kind: String,
        principal_id: Uuid,
        method: String,
        route: String,
        key: String,
        #[serde(serialize_with = "bytes_as_hex")]
        fingerprint: Vec<u8>,
        state: String,
        status: Option<i32>,
        headers: Option<Value>,
        #[serde(serialize_with = "optional_bytes_as_hex")]
        body: Option<Vec<u8>>,
        lease_until: Option<DateTime<Utc>>,
        resource_id: Option<Uuid>,
        expires_at: DateTime<Utc>,
    }
}

/// What an idempotency key says.
#[derive(Debug)]
pub enum Claim {
    /// Go on.
    Fresh,
    /// Give this answer again.
    Replay(Stored),
    /// A two-step operation whose first try gave up: go on with this resource.
    Resume(Box<RecordRow>),
}

/// The record of a key, if there is one.
pub(crate) async fn find(conn: Conn<'_>, ask: &Ask) -> Result<Option<RecordRow>, DbError> {
    let Some(wanted) = &ask.idempotency else {
        return Ok(None);
    };
    let record = idempotency_record::table
        .filter(idempotency_record::tenant_id.eq(ask.tenant.0))
        .filter(idempotency_record::principal_kind.eq(wanted.principal_kind))
        .filter(idempotency_record::principal_id.eq(wanted.principal_id))
        .filter(idempotency_record::method.eq(wanted.method))
        .filter(idempotency_record::route.eq(&wanted.route))
        .filter(idempotency_record::key.eq(&wanted.key))
        .select(RecordRow::as_select())
        .first(&mut &*conn)
        .await
        .optional()?;
    Ok(record)
}

/// What the record means for this request.
pub(crate) fn judge(
    wanted: Option<&Idempotency>,
    found: Option<RecordRow>,
    now: Timestamp,
) -> Result<Claim, Refusal> {
    let (Some(wanted), Some(row)) = (wanted, found) else {
        return Ok(Claim::Fresh);
    };
    if row.fingerprint != wanted.fingerprint {
        return Err(Refusal::KeyReused);
    }
    if row.state == STARTED {
        let leased = row.lease_until.is_some_and(|until| until > now);
        return if leased {
            Err(DbError::KeyInUse.into())
        } else {
            Ok(Claim::Resume(Box::new(row)))
        };
    }
    let header = |name: &str| row.headers.as_ref().and_then(|headers| headers.get(name));
    Ok(Claim::Replay(Stored {
        status: row
            .status
            .and_then(|status| u16::try_from(status).ok())
            .unwrap_or(200),
        version: header("version").and_then(Value::as_i64),
        location: header("location").and_then(Value::as_str).map(str::to_owned),
        body: row.body.unwrap_or_default(),
        replayed: true,
    }))
}

const STARTED: &str = "started";
const DONE: &str = "done";

/// The record of a finished operation.
pub(crate) fn done(ask: &Ask, stored: &Stored, now: Timestamp, ids: &mut Ids) -> Option<RecordRow> {
    let mut row = fresh(ask, now, ids)?;
    finish(&mut row, stored);
    Some(row)
}

/// The record of an operation whose second step is still to come.
pub(crate) fn started(ask: &Ask, resource: Uuid, now: Timestamp, ids: &mut Ids) -> Option<RecordRow> {
    let mut row = fresh(ask, now, ids)?;
    lease(&mut row, now);
    row.resource_id = Some(resource);
    Some(row)
}

/// Takes a started operation over.
pub(crate) fn lease(row: &mut RecordRow, now: Timestamp) {
    row.lease_until = Some(now + LEASE);
}

/// Gives a started operation back: its first try is known to have failed, so a repetition need not wait.
pub(crate) fn release(row: &mut RecordRow, now: Timestamp) {
    row.lease_until = Some(now);
}

/// Turns a started record into a finished one.
pub(crate) fn finish(row: &mut RecordRow, stored: &Stored) {
    DONE.clone_into(&mut row.state);
    row.status = Some(i32::from(stored.status));
    row.headers = Some(json!({ "version": stored.version, "location": stored.location }));
    row.body = Some(stored.body.clone());
    row.lease_until = None;
}

fn fresh(ask: &Ask, now: Timestamp, ids: &mut Ids) -> Option<RecordRow> {
    let wanted = ask.idempotency.as_ref()?;
    Some(RecordRow {
        tenant_id: ask.tenant.0,
        id: ids.uuid(),
        created_at: now,
        principal_kind: wanted.principal_kind.to_owned(),
        principal_id: wanted.principal_id,
        method: wanted.method.to_owned(),
        route: wanted.route.clone(),
        key: wanted.key.clone(),
        fingerprint: wanted.fingerprint.to_vec(),
        state: STARTED.to_owned(),
        status: None,
        headers: None,
        body: None,
        lease_until: None,
        resource_id: None,
        expires_at: now + KEPT,
    })
}
