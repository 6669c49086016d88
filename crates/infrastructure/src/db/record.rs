//! Recording: every row that an operation changes goes out as one statement.
//!
//! Each table that is touched becomes one data-modifying CTE over `jsonb_populate_recordset`, so the statement's
//! text depends only on *which* tables are touched, is prepared once per connection and shape, and costs one round
//! trip whatever the number of rows. Foreign keys are checked at its end. The last `SELECT` compares the number of
//! rows written with the number wanted and raises otherwise, so a lost compare-and-set cannot commit.

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Jsonb};
use serde_json::Value;

use super::row::Row;

/// The changes of one operation.
#[derive(Debug, Default)]
pub struct Recorder {
    writes: Vec<Pending>,
    failure: Option<serde_json::Error>,
}

#[derive(Debug)]
struct Pending {
    kind: Kind,
    table: &'static str,
    columns: &'static [&'static str],
    key: &'static [&'static str],
    guard: &'static str,
    rows: Vec<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Insert,
    Update,
    Delete,
}

impl Recorder {
    /// A new row.
    pub fn insert<R: Row>(&mut self, row: &R) {
        self.push(Kind::Insert, row);
    }

    /// New rows.
    pub fn insert_all<'a, R: Row + 'a>(&mut self, rows: impl IntoIterator<Item = &'a R>) {
        rows.into_iter().for_each(|row| self.insert(row));
    }

    /// A changed row; its guard must hold.
    pub fn update<R: Row>(&mut self, row: &R) {
        self.push(Kind::Update, row);
    }

    /// Changed rows.
    pub fn update_all<'a, R: Row + 'a>(&mut self, rows: impl IntoIterator<Item = &'a R>) {
        rows.into_iter().for_each(|row| self.update(row));
    }

    /// A row that goes away; it must be there.
    pub fn delete<R: Row>(&mut self, row: &R) {
        self.push(Kind::Delete, row);
    }

    /// Rows that go away.
    pub fn delete_all<'a, R: Row + 'a>(&mut self, rows: impl IntoIterator<Item = &'a R>) {
        rows.into_iter().for_each(|row| self.delete(row));
    }

    /// Whether there is nothing to record.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    fn push<R: Row>(&mut self, kind: Kind, row: &R) {
        let value = match serde_json::to_value(row) {
            Ok(value) => value,
            Err(error) => {
                self.failure = Some(error);
                return;
            }
        };
        match self
            .writes
            .iter_mut()
            .find(|w| w.kind == kind && w.table == R::TABLE)
        {
            Some(write) => write.rows.push(value),
            None => self.writes.push(Pending {
                kind,
                table: R::TABLE,
                columns: R::COLUMNS,
                key: R::KEY,
                guard: R::GUARD,
                rows: vec![value],
            }),
        }
    }

    /// The one statement.
    ///
    /// # Errors
    /// A row that has no JSON form, which is a defect of its declaration.
    pub(super) fn into_statement(self) -> Result<Statement, diesel::result::Error> {
        if let Some(error) = self.failure {
            return Err(diesel::result::Error::SerializationError(Box::new(error)));
        }
        let mut parts = Vec::with_capacity(4 * self.writes.len() + 2);
        let mut counts = Vec::with_capacity(self.writes.len());
        for (n, write) in self.writes.into_iter().enumerate() {
            let (head, tail) = write.sql();
            let opening = if n == 0 { "WITH" } else { "," };
            parts.push(Part::Sql(format!("{opening} w{n} AS ({head}")));
            counts.push((
                n,
                write.table,
                i64::try_from(write.rows.len()).unwrap_or(i64::MAX),
            ));
            parts.push(Part::Rows(Value::Array(write.rows)));
            parts.push(Part::Sql(format!("{tail} RETURNING 1)")));
        }
        for (n, table, wanted) in counts {
            let opening = if n == 0 { " SELECT" } else { "," };
            parts.push(Part::Sql(format!(
                "{opening} comanda_expect((SELECT count(*) FROM w{n}), "
            )));
            parts.push(Part::Count(wanted));
            parts.push(Part::Sql(format!(", '{table}')")));
        }
        Ok(Statement(parts))
    }
}

impl Pending {
    /// The statement before and after its one bind, the rows.
    fn sql(&self) -> (String, String) {
        let table = self.table;
        let from = format!("jsonb_populate_recordset(NULL::{table}, ");
        match self.kind {
            Kind::Insert => {
                let columns = self.columns.join(", ");
                (
                    format!("INSERT INTO {table} ({columns}) SELECT {columns} FROM {from}"),
                    ") r".to_owned(),
                )
            }
            Kind::Update => {
                let set: Vec<String> = self
                    .columns
                    .iter()
                    // A row keeps the time of its making.
                    .filter(|column| !self.key.contains(column) && **column != "created_at")
                    .map(|column| format!("{column} = r.{column}"))
                    .collect();
                (
                    format!("UPDATE {table} t SET {} FROM {from}", set.join(", ")),
                    format!(") r WHERE {}", self.matches(true)),
                )
            }
            Kind::Delete => (
                format!("DELETE FROM {table} t USING {from}"),
                format!(") r WHERE {}", self.matches(false)),
            ),
        }
    }

    fn matches(&self, guarded: bool) -> String {
        let mut conditions: Vec<String> = self
            .key
            .iter()
            .map(|column| format!("t.{column} = r.{column}"))
            .collect();
        if guarded && !self.guard.is_empty() {
            conditions.push(self.guard.to_owned());
        }
        conditions.join(" AND ")
    }
}

/// One statement, prepared once per text: one list of rows and one expected count per table.
#[derive(Debug)]
pub(super) struct Statement(Vec<Part>);

#[derive(Debug)]
enum Part {
    Sql(String),
    Rows(Value),
    Count(i64),
}

impl QueryId for Statement {
    type QueryId = ();
    // The text differs by the tables touched; it is cached by its text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Statement {
    type SqlType = ();
}

impl QueryFragment<Pg> for Statement {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> diesel::QueryResult<()> {
        for part in &self.0 {
            match part {
                Part::Sql(sql) => out.push_sql(sql),
                Part::Rows(rows) => out.push_bind_param::<Jsonb, _>(rows)?,
                Part::Count(wanted) => out.push_bind_param::<BigInt, _>(wanted)?,
            }
        }
        Ok(())
    }
}

/// `COMMIT` as a prepared statement, so that it keeps its place behind the statement before it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Commit;

impl QueryId for Commit {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Commit {
    type SqlType = ();
}

impl QueryFragment<Pg> for Commit {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> diesel::QueryResult<()> {
        out.push_sql("COMMIT");
        Ok(())
    }
}
