//! What the database refuses to stage, whoever writes it.

use comanda_infrastructure::postgres::migrate_up;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::house::{Empty, connect};

const HOUSE: &str = "INSERT INTO tenant (tenant_id, name, default_locale, created_at) VALUES \
        ('00000000-0000-0000-0000-000000000001', 'House', 'es', now()), \
        ('00000000-0000-0000-0000-000000000002', 'Other', 'es', now()); \
     INSERT INTO branch (tenant_id, id, name, slug, currency, locale, timezone, created_at) VALUES \
        ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-00000000000a', 'Branch', 'branch', 'ARS', \
         'es', 'America/Argentina/Mendoza', now())";

/// A good event, and how to spoil a column of it.
const GOOD: [(&str, &str); 9] = [
    ("tenant_id", "'00000000-0000-0000-0000-000000000001'"),
    ("branch_id", "'00000000-0000-0000-0000-00000000000a'"),
    ("event_id", "'00000000-0000-0000-0000-0000000000ff'"),
    ("type", "'dev.comanda.table.status_changed.v1'"),
    ("subject", "'tbl_01m6e22wg0ef1acak7bd7b2htv'"),
    ("data", "'{}'"),
    ("attributes", "'{}'"),
    ("shard", "0"),
    ("numbered", "true"),
];

/// Stages the good event with these columns spoilt.
async fn stage(client: &Client, spoilt: &[(&str, &str)]) -> Result<(), tokio_postgres::Error> {
    let value = |(column, good): &(&'static str, &'static str)| {
        let other = spoilt.iter().find(|(name, _)| name == column);
        other.map_or((*good).to_owned(), |(_, value)| (*value).to_owned())
    };
    let columns: Vec<&str> = GOOD.iter().map(|(column, _)| *column).collect();
    let values: Vec<String> = GOOD.iter().map(value).collect();
    let sql = format!(
        "INSERT INTO outbox_stage ({}, occurred_at) VALUES ({}, now())",
        columns.join(", "),
        values.join(", ")
    );
    client.batch_execute(&sql).await
}

#[tokio::test]
async fn an_event_of_nobody_or_of_nothing_cannot_be_staged() {
    const ZERO: &str = "'00000000-0000-0000-0000-000000000000'";
    const OTHER: &str = "'00000000-0000-0000-0000-000000000002'";
    let empty = Empty::new().await;
    migrate_up(&empty.url, 4).await.unwrap();
    let client = connect(&empty.url).await;
    client.batch_execute(HOUSE).await.unwrap();
    let wrong: [(&[(&str, &str)], SqlState); 14] = [
        (&[("tenant_id", "NULL")], SqlState::NOT_NULL_VIOLATION),
        (&[("tenant_id", ZERO)], SqlState::CHECK_VIOLATION),
        // The branch exists, but it is not this tenant's.
        (&[("tenant_id", OTHER)], SqlState::FOREIGN_KEY_VIOLATION),
        (&[("branch_id", "NULL")], SqlState::CHECK_VIOLATION),
        (&[("branch_id", ZERO)], SqlState::FOREIGN_KEY_VIOLATION),
        (&[("branch_id", OTHER)], SqlState::FOREIGN_KEY_VIOLATION),
        // Internal events may concern no branch, but no invented one.
        (
            &[("branch_id", OTHER), ("numbered", "false")],
            SqlState::FOREIGN_KEY_VIOLATION,
        ),
        (&[("event_id", "NULL")], SqlState::NOT_NULL_VIOLATION),
        (&[("event_id", ZERO)], SqlState::CHECK_VIOLATION),
        (&[("subject", "''")], SqlState::CHECK_VIOLATION),
        (&[("type", "''")], SqlState::CHECK_VIOLATION),
        (&[("type", "'round.submitted'")], SqlState::CHECK_VIOLATION),
        (&[("data", "'[]'")], SqlState::CHECK_VIOLATION),
        (&[("attributes", "'null'")], SqlState::CHECK_VIOLATION),
    ];
    for (spoilt, state) in wrong {
        let refused = stage(&client, spoilt).await.expect_err(&format!("{spoilt:?}"));
        assert_eq!(refused.code(), Some(&state), "{spoilt:?}: {refused:?}");
    }
    stage(&client, &[]).await.unwrap();
    stage(&client, &[("branch_id", "NULL"), ("numbered", "false")])
        .await
        .unwrap();
}
