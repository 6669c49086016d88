//! What the database itself says: tenants are kept apart on every table, and the code knows every column.

use std::collections::BTreeMap;

use comanda_testkit::cluster::{TestDatabase, workspace};
use tokio_postgres::Client;

/// Every statement names what breaks a rule: it must find nothing.
async fn nothing(client: &Client, rule: &str, sql: &str) {
    let rows = client.query(sql, &[]).await.unwrap();
    let found: Vec<String> = rows.iter().map(|row| row.get::<_, String>(0)).collect();
    assert!(found.is_empty(), "{rule}: {found:?}");
}

const TENANT_TABLES: &str = "
    SELECT c.oid, c.relname FROM pg_class c
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'tenant_directory'
       AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id')";

#[tokio::test]
async fn every_tenant_table_is_protected() {
    let database = TestDatabase::seeded().await;
    let client = database.connect().await;
    nothing(
        &client,
        "row level security is enabled and forced, for the application by the tenant's setting alone (I1)",
        &format!(
            "SELECT t.relname::text FROM ({TENANT_TABLES}) t JOIN pg_class c ON c.oid = t.oid
              WHERE NOT (c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (
                SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'tenant_isolation' AND p.polcmd = '*'
                   AND (SELECT array_agg(r.rolname::text ORDER BY r.rolname) FROM pg_roles r
                         WHERE r.oid = ANY (p.polroles)) = ARRAY['comanda_app', 'comanda_support']
                   AND pg_get_expr(p.polqual, p.polrelid) LIKE '(tenant_id = ( SELECT (NULLIF(current_setting(%'
                   AND pg_get_expr(p.polqual, p.polrelid) = pg_get_expr(p.polwithcheck, p.polrelid)))"
        ),
    )
    .await;
    nothing(
        &client,
        "no other policy lets the application in",
        "SELECT p.polname || ' on ' || p.polrelid::regclass FROM pg_policy p
          WHERE 'comanda_app'::regrole = ANY (p.polroles) AND p.polname <> 'tenant_isolation'",
    )
    .await;
    nothing(
        &client,
        "every primary and unique key begins with the tenant (I1)",
        &format!(
            "SELECT i.indexrelid::regclass::text FROM pg_index i JOIN ({TENANT_TABLES}) t ON t.oid = i.indrelid
               JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = 'tenant_id'
              WHERE i.indisunique AND i.indkey[0] <> a.attnum
                -- Looked up before a tenant is known.
                AND i.indexrelid <> 'api_key_key_id'::regclass"
        ),
    )
    .await;
    nothing(
        &client,
        "every foreign key begins with the tenant (I1)",
        &format!(
            "SELECT k.conname::text FROM pg_constraint k JOIN ({TENANT_TABLES}) t ON t.oid = k.conrelid
               JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attname = 'tenant_id'
              WHERE k.contype = 'f' AND k.conkey[1] <> a.attnum"
        ),
    )
    .await;
    nothing(
        &client,
        "rows of a branch refer to rows of the same branch or visit (I3)",
        "SELECT k.conname::text FROM pg_constraint k
          WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace AND k.confrelid <> 'branch'::regclass
            AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = k.conrelid AND attname = 'branch_id')
            AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = k.confrelid AND attname = 'branch_id')
            AND NOT EXISTS (SELECT FROM unnest(k.conkey) n JOIN pg_attribute a
                 ON a.attrelid = k.conrelid AND a.attnum = n WHERE a.attname IN ('branch_id', 'session_id'))",
    )
    .await;
}

#[tokio::test]
async fn the_application_role_has_no_power_over_the_walls() {
    let database = TestDatabase::seeded().await;
    let client = database.connect().await;
    nothing(
        &client,
        "the roles are no superusers, create nothing and bypass nothing",
        "SELECT rolname::text FROM pg_roles WHERE rolname LIKE 'comanda\\_%'
           AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication
                OR rolbypassrls <> (rolname = 'comanda_backup'))",
    )
    .await;
    nothing(
        &client,
        "only the migrator owns anything",
        "SELECT c.relname::text FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
          WHERE r.rolname IN ('comanda_app', 'comanda_relay', 'comanda_backup', 'comanda_support')",
    )
    .await;
    nothing(
        &client,
        "what is written once is never changed (I37)",
        "SELECT t || ' ' || v FROM unnest(ARRAY['item_void', 'allocation', 'tip', 'outbox_stage', 'audit_stage',
                'event_log']) t,
                unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) v WHERE has_table_privilege('comanda_app', t, v)",
    )
    .await;
}

#[tokio::test]
async fn without_a_tenant_nothing_is_seen_and_nothing_is_written() {
    let database = TestDatabase::seeded().await;
    let client = database.connect().await;
    let tables = client.query(TENANT_TABLES, &[]).await.unwrap();
    client.batch_execute("SET ROLE comanda_app").await.unwrap();
    for row in tables {
        let table: String = row.get::<_, &str>(1).to_owned();
        // The stages are written only; nobody of the application reads them.
        let Ok(seen) = client
            .query_one(&format!("SELECT count(*) FROM {table}"), &[])
            .await
        else {
            assert!(table.ends_with("_stage"), "{table} cannot be read at all");
            continue;
        };
        assert_eq!(
            seen.get::<_, i64>(0),
            0,
            "{table} shows rows without a tenant (I2)"
        );
    }
    let refused = client
        .batch_execute(
            "INSERT INTO device (tenant_id, id, token_hash, preferences, last_seen_at, created_at) VALUES \
            ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000002', \
             decode(repeat('00', 32), 'hex'), '{}', now(), now())",
        )
        .await
        .unwrap_err();
    assert!(
        format!("{refused:?}").contains("row-level security"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn the_code_knows_every_column() {
    let database = TestDatabase::seeded().await;
    let client = database.connect().await;
    let rows = client
        .query(
            "SELECT table_name::text, column_name::text, is_nullable = 'YES' FROM information_schema.columns
              WHERE table_schema = 'public' AND table_name <> '__diesel_schema_migrations'
                AND (SELECT relkind IN ('r', 'p') AND NOT relispartition FROM pg_class
                      WHERE oid = format('%I.%I', table_schema, table_name)::regclass)",
            &[],
        )
        .await
        .unwrap();
    let mut stored: BTreeMap<String, Vec<(String, bool)>> = BTreeMap::new();
    for row in rows {
        stored
            .entry(row.get(0))
            .or_default()
            .push((row.get(1), row.get(2)));
    }
    let text = std::fs::read_to_string(workspace().join("crates/infrastructure/src/schema.rs")).unwrap();
    let mut declared = declared(&text);
    stored
        .values_mut()
        .chain(declared.values_mut())
        .for_each(|columns| columns.sort());
    assert_eq!(declared, stored);
}

/// Tables with their columns, and whether these may be null, as `schema.rs` has them.
fn declared(text: &str) -> BTreeMap<String, Vec<(String, bool)>> {
    let mut tables: BTreeMap<String, Vec<(String, bool)>> = BTreeMap::new();
    let mut table = String::new();
    let mut sql_name = None;
    for line in text.lines().map(str::trim) {
        if let Some((name, _)) = line.strip_suffix('{').and_then(|head| head.split_once(" (")) {
            name.clone_into(&mut table);
        } else if let Some(name) = line.strip_prefix("#[sql_name = \"") {
            sql_name = name.split('"').next().map(str::to_owned);
        } else if let Some((name, kind)) = line.split_once(" -> ") {
            let name = sql_name.take().unwrap_or_else(|| name.to_owned());
            tables
                .entry(table.clone())
                .or_default()
                .push((name, kind.starts_with("Nullable<")));
        }
    }
    tables
}
