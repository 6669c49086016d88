//! The demo restaurants in a database.

use comanda_infrastructure::config::{Config, Environment};
use comanda_infrastructure::demo::{SeedError, Seeded, seed};
use comanda_infrastructure::postgres::Database;
use tokio_postgres::Client;

use crate::house::{Empty, config, connect};

/// A database that opens, a way around row level security, and its settings.
async fn opened(empty: &Empty) -> (Database, Client, Config) {
    let config = config(&empty.url, &[]);
    let database = Database::open(&config).await.unwrap();
    (database, connect(&empty.url).await, config)
}

fn created(seeded: &Seeded) -> Vec<(&str, bool)> {
    seeded
        .tenants
        .iter()
        .map(|tenant| (tenant.tenant, tenant.created))
        .collect()
}

async fn number(client: &Client, query: &str) -> i64 {
    client.query_one(query, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn everything_is_there_once() {
    let empty = Empty::new().await;
    let (database, client, config) = opened(&empty).await;
    let first = seed(&database.db, &config, false).await.unwrap();
    assert_eq!(created(&first), [("buen-sabor", true), ("la-otra-mesa", true)]);
    let counts = first
        .tenants
        .iter()
        .map(|t| (t.branches, t.tables, t.products, t.users));
    assert_eq!(counts.collect::<Vec<_>>(), [(2, 24, 60, 7), (1, 2, 3, 1)]);

    let again = seed(&database.db, &config, false).await.unwrap();
    assert_eq!(created(&again), [("buen-sabor", false), ("la-otra-mesa", false)]);
    assert_eq!(number(&client, "SELECT count(*) FROM product").await, 63);

    // Leo in one sector and Sol in two, today and on the next thirty days.
    assert_eq!(
        number(&client, "SELECT count(*) FROM sector_assignment").await,
        93
    );
    assert_eq!(
        number(&client, "SELECT count(DISTINCT password_verifier) FROM app_user").await,
        8
    );
    assert_eq!(
        number(&client, "SELECT count(*) FROM branch_counter WHERE value = 0").await,
        6
    );
    assert_eq!(
        number(&client, "SELECT count(*) FROM branch_provider WHERE enabled").await,
        12
    );
    assert_eq!(number(&client, "SELECT count(*) FROM audit_stage").await, 2);
    database.close().await.unwrap();
}

#[tokio::test]
async fn palermo_makes_its_own_menu_of_it() {
    let empty = Empty::new().await;
    let (database, client, config) = opened(&empty).await;
    seed(&database.db, &config, false).await.unwrap();
    let price = async |slug: &str| {
        let query = "SELECT bp.price_amount FROM branch_product bp JOIN branch b ON b.id = bp.branch_id \
                     JOIN product p ON p.id = bp.product_id WHERE p.code = 'bife_chorizo' AND b.slug = $1";
        client.query_one(query, &[&slug]).await.unwrap().get::<_, i64>(0)
    };
    assert_eq!(
        (price("centro").await, price("palermo").await),
        (2_490_000, 2_730_000)
    );
    let hidden = "SELECT b.slug || ' ' || c.code FROM branch_hidden_category h JOIN branch b ON b.id = h.branch_id \
                  JOIN category c ON c.id = h.category_id";
    let hidden = client.query(hidden, &[]).await.unwrap();
    assert_eq!(
        hidden.iter().map(|row| row.get(0)).collect::<Vec<String>>(),
        ["palermo minutas"]
    );
    database.close().await.unwrap();
}

#[tokio::test]
async fn whoever_seeds_at_the_same_time_finds_it_done() {
    let empty = Empty::new().await;
    let (database, client, config) = opened(&empty).await;
    let (one, two) = tokio::join!(
        seed(&database.db, &config, false),
        seed(&database.db, &config, false)
    );
    let (one, two) = (one.unwrap(), two.unwrap());
    for (one, two) in one.tenants.iter().zip(&two.tenants) {
        assert!(one.created != two.created, "{}", one.tenant);
    }
    assert_eq!(number(&client, "SELECT count(*) FROM tenant").await, 2);
    database.close().await.unwrap();
}

#[tokio::test]
async fn other_peoples_restaurants_are_respected() {
    let empty = Empty::new().await;
    let (database, client, config) = opened(&empty).await;
    let somebody = "INSERT INTO tenant (tenant_id, name, default_locale, created_at) \
                    VALUES ('01920000-0000-7000-8000-000000000001', 'Real', 'es', now()); \
                    INSERT INTO tenant_directory (slug, tenant_id, created_at) \
                    VALUES ('real', '01920000-0000-7000-8000-000000000001', now())";
    client.batch_execute(somebody).await.unwrap();
    let refused = seed(&database.db, &config, false).await.unwrap_err();
    assert!(
        matches!(&refused, SeedError::ForeignTenant { slug } if slug == "real"),
        "{refused}"
    );
    assert_eq!(number(&client, "SELECT count(*) FROM tenant").await, 1);
    assert!(
        seed(&database.db, &config, true)
            .await
            .unwrap()
            .tenants
            .iter()
            .all(|tenant| tenant.created)
    );
    database.close().await.unwrap();
}

#[tokio::test]
async fn staging_and_production_stay_clean() {
    let empty = Empty::new().await;
    let (database, client, mut config) = opened(&empty).await;
    for environment in [Environment::Staging, Environment::Production] {
        config.environment = environment;
        let refused = seed(&database.db, &config, true).await.unwrap_err();
        assert!(matches!(refused, SeedError::Environment(_)), "{refused}");
    }
    assert_eq!(number(&client, "SELECT count(*) FROM tenant").await, 0);
    database.close().await.unwrap();
}
