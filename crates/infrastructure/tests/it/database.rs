//! Opening a database: its schema, its shards, and who may not open it.

use comanda_infrastructure::clock::Sources;
use comanda_infrastructure::config::Environment;
use comanda_infrastructure::postgres::{Database, OpenError, migrate_up, pending, revert_all};

use crate::house::{Empty, config, connect};

const OBJECTS: &str = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace \
                       AND relname NOT LIKE '\\_\\_diesel%'";

#[tokio::test]
async fn the_schema_goes_up_and_down_and_up() {
    let empty = Empty::new().await;
    let client = connect(&empty.url).await;
    let objects = async || client.query_one(OBJECTS, &[]).await.unwrap().get::<_, i64>(0);
    let lacking = pending(&empty.url).await.unwrap().0;
    let applied = migrate_up(&empty.url, 4).await.unwrap();
    assert_eq!((&applied.applied, applied.shards), (&lacking, 4));
    assert!(applied.applied.len() > 5 && objects().await > 20);
    assert_eq!(pending(&empty.url).await.unwrap(), (Vec::new(), 4));

    let reverted = revert_all(&empty.url).await.unwrap();
    assert!(reverted.iter().rev().eq(&applied.applied));
    assert_eq!(objects().await, 0);
    assert_eq!(migrate_up(&empty.url, 4).await.unwrap(), applied);
}

#[tokio::test]
async fn processes_that_start_at_once_migrate_once() {
    let empty = Empty::new().await;
    let (one, two) = tokio::join!(migrate_up(&empty.url, 4), migrate_up(&empty.url, 8));
    let (one, two) = (one.unwrap(), two.unwrap());
    // Whoever was first decided the number of shards.
    assert_eq!(one.shards, two.shards);
    assert!(one.applied.is_empty() != two.applied.is_empty());
}

#[tokio::test]
async fn a_schema_that_is_too_old_is_refused_where_it_matters() {
    let empty = Empty::new().await;
    let mut config = config(&empty.url, &[]);
    config.environment = Environment::Staging;
    let refused = Database::open(&config).await.err().unwrap();
    assert!(
        matches!(&refused, OpenError::TooOld(lacking) if lacking.len() > 5),
        "{refused}"
    );
    // The superuser of the test could take its rights back at any time.
    let refused = Database::open_with(&config, Sources::system(), true)
        .await
        .err()
        .unwrap();
    assert!(
        matches!(&refused, OpenError::Unsafe { role, .. } if role == "postgres"),
        "{refused}"
    );
    config.environment = Environment::Test;
    Database::open(&config).await.unwrap().close().await.unwrap();
}

#[tokio::test]
async fn staging_opens_with_a_login_that_can_do_nothing_else() {
    let empty = Empty::new().await;
    migrate_up(&empty.url, 4).await.unwrap();
    let client = connect(&empty.url).await;
    let login = format!("it_app_{}", std::process::id());
    client
        .batch_execute(&format!(
            "DROP ROLE IF EXISTS {login}; CREATE ROLE {login} LOGIN IN ROLE comanda_app"
        ))
        .await
        .unwrap();
    let mut config = config(&empty.url_of(&login), &[]);
    config.environment = Environment::Staging;
    let opened = Database::open(&config).await;
    if let Ok(database) = opened {
        database.close().await.unwrap();
    } else {
        panic!("{}", opened.err().unwrap());
    }
    client
        .batch_execute(&format!("GRANT comanda_migrator TO {login}"))
        .await
        .unwrap();
    let refused = Database::open(&config).await.err().unwrap();
    assert!(
        matches!(&refused, OpenError::Unsafe { fault, .. } if fault.contains("owner")),
        "{refused}"
    );
    client.batch_execute(&format!("DROP ROLE {login}")).await.unwrap();
}
