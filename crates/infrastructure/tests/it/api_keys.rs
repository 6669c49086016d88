//! Keys of integrations: what is told of their end, how they are kept, and what is remembered of their requests.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use comanda_domain::Timestamp;
use comanda_domain::ids::{ApiKeyId, FamilyId, UserId};
use comanda_infrastructure::api_keys::{ApiKeyService, KeyManager, NewApiKey, Rotation, forget_nonces};
use comanda_infrastructure::audit::Caller;
use comanda_infrastructure::clock::{ManualClock, Sources};
use comanda_infrastructure::db::{Ask, Origin};
use comanda_infrastructure::postgres::Database;
use comanda_security::api_key::ApiKeyPeppers;
use comanda_security::keys::KeyList;
use comanda_security::policy::{Principal, Scope, StaffPrincipal};
use comanda_security::seal::SealKeys;
use comanda_security::signing::SigningSecret;
use serde_json::Value;
use tokio::task::LocalSet;
use uuid::Uuid;

use crate::house::{House, config};

fn ask(house: &House) -> Ask {
    Ask {
        tenant: house.tenant,
        caller: Caller::system(),
        request_id: "it".to_owned(),
        origin: Origin::default(),
        language: None,
        found_at: "/found/",
        nonce: None,
        idempotency: None,
    }
}

fn owner(house: &House) -> Principal {
    Principal::Staff(StaffPrincipal {
        tenant: house.tenant,
        user: UserId(Uuid::from_u128(11)),
        family: FamilyId(Uuid::from_u128(91)),
        epoch: 0,
        owner: true,
        grants: Vec::new(),
    })
}

fn new_key(house: &House, expires_at: Option<DateTime<Utc>>) -> NewApiKey {
    NewApiKey {
        name: "Till".to_owned(),
        scopes: vec![Scope::MenuRead],
        branches: vec![house.branch, house.other_branch],
        expires_at,
        ip_allow: None,
        requires_signature: false,
    }
}

async fn made(house: &House, keys: &ApiKeyService, new: &NewApiKey) -> Value {
    let who = owner(house);
    let stored = keys.create(&ask(house), &KeyManager::Person(&who), new).await;
    serde_json::from_slice(&stored.unwrap().body).unwrap()
}

const STAGED: &str = "outbox_stage WHERE type = 'dev.comanda.api_key.expiring.v1'";

#[tokio::test]
async fn the_end_of_a_key_is_told_once_seven_days_before() {
    let house = House::new().await;
    let keys = &house.services.api_keys;
    let start: Timestamp = house.services.sources.now();
    let ends = |days| Some(start + TimeDelta::days(days));
    let ending = made(&house, keys, &new_key(&house, ends(8))).await;
    let revoked = made(&house, keys, &new_key(&house, ends(8))).await;
    for later in [None, ends(60)] {
        made(&house, keys, &new_key(&house, later)).await;
    }
    let id: ApiKeyId = revoked["id"].as_str().unwrap().parse().unwrap();
    let who = owner(&house);
    keys.revoke(&ask(&house), &KeyManager::Person(&who), id, None, None)
        .await
        .unwrap();
    assert_eq!(keys.announce_expiring(house.tenant).await.unwrap(), 0);
    house.pass(24 * 3_600);
    let (one, other) = tokio::join!(
        keys.announce_expiring(house.tenant),
        keys.announce_expiring(house.tenant)
    );
    assert_eq!(one.unwrap() + other.unwrap(), 1);
    // One for each of its branches.
    assert_eq!(house.count(STAGED).await, 2);
    let row = house
        .client
        .query_one(&format!("SELECT data::text FROM {STAGED} LIMIT 1"), &[])
        .await
        .unwrap();
    let data: Value = serde_json::from_str(row.get(0)).unwrap();
    assert_eq!(data["key_id"], ending["id"]);
    assert_eq!(
        (&data["name"], &data["expires_at"]),
        (&ending["name"], &ending["expires_at"])
    );
    house.pass(24 * 3_600);
    assert_eq!(keys.announce_expiring(house.tenant).await.unwrap(), 0);
    assert_eq!(house.count(STAGED).await, 2);
}

const ONE: &str = "p1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const TWO: &str = "p2:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

/// A service over the same database with these peppers; the first one is current.
fn with_peppers(house: &House, database: &Database, peppers: &str) -> ApiKeyService {
    ApiKeyService::new(
        database.db.clone(),
        ApiKeyPeppers::new(KeyList::parse(&peppers.into()).unwrap()),
        SealKeys::new(&house.keys.master),
    )
}

/// A pepper is replaced by putting the new one first: keys go over to it as they are used, and then need the old one no
/// more.
#[tokio::test]
async fn keys_go_over_to_the_current_pepper() {
    let house = House::new().await;
    let config = config(&house.empty.url, &[]);
    let database = Database::open_with(&config, Sources::system(), false)
        .await
        .unwrap();
    let old = with_peppers(&house, &database, ONE);
    let made = made(&house, &old, &new_key(&house, None)).await;
    let secret = made["secret"].as_str().unwrap();
    let refused = with_peppers(&house, &database, TWO)
        .authenticate(secret, None)
        .await;
    assert!(refused.is_err());
    let both = with_peppers(&house, &database, &format!("{TWO},{ONE}"));
    LocalSet::new()
        .run_until(async {
            both.authenticate(secret, None).await.unwrap();
            while house.count("api_key WHERE pepper_id = 'p2'").await == 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
    LocalSet::new()
        .run_until(async {
            let new = with_peppers(&house, &database, TWO);
            new.authenticate(secret, None).await.unwrap();
        })
        .await;
}

#[tokio::test]
async fn signing_secrets_are_sealed_and_renewed() {
    let house = House::new().await;
    let keys = &house.services.api_keys;
    let new = NewApiKey {
        requires_signature: true,
        ..new_key(&house, None)
    };
    let first = made(&house, keys, &new).await;
    let id: ApiKeyId = first["id"].as_str().unwrap().parse().unwrap();
    let who = owner(&house);
    let stored = keys
        .rotate(
            &ask(&house),
            &KeyManager::Person(&who),
            id,
            Some(1),
            Rotation::default(),
        )
        .await
        .unwrap();
    let second: Value = serde_json::from_slice(&stored.body).unwrap();
    assert_ne!(first["signing_secret"], second["signing_secret"]);
    let sql =
        "SELECT k::text || coalesce((SELECT string_agg(a::text, '') FROM audit_stage a), '') FROM api_key k";
    let row: String = house.client.query_one(sql, &[]).await.unwrap().get(0);
    for issued in [&first, &second] {
        let text = issued["signing_secret"].as_str().unwrap();
        let secret = SigningSecret::parse(text).unwrap();
        let digits = format!("{:02x?}", secret.bytes()).replace(['[', ']', ',', ' '], "");
        assert!(!row.contains(text) && !row.contains(&digits), "{row}");
    }
    let sealed =
        "api_key WHERE sealed_signing_secret IS NOT NULL AND previous_sealed_signing_secret IS NOT NULL";
    assert_eq!(house.count(sealed).await, 1);
}

#[tokio::test]
async fn nonces_are_forgotten_after_ten_minutes() {
    let house = House::new().await;
    let start = house.services.sources.now();
    let rows = format!(
        "INSERT INTO request_nonce (tenant_id, api_key_id, nonce, claim, created_at) \
         SELECT '{}', gen_random_uuid(), lpad(n::text, 16, '0'), gen_random_uuid(), \
                '{}'::timestamptz + n * interval '1 s' FROM generate_series(1, 12000) n",
        house.tenant.0,
        start.to_rfc3339()
    );
    house.client.batch_execute(&rows).await.unwrap();
    let config = config(&house.empty.url, &[]);
    let clock = ManualClock::new(start + TimeDelta::seconds(11_600));
    let database = Database::open_with(&config, Sources::new(Arc::new(clock)), false)
        .await
        .unwrap();
    assert_eq!(forget_nonces(&database.relay).await.unwrap(), 10_999);
    assert_eq!(house.count("request_nonce").await, 1_001);
    assert_eq!(forget_nonces(&database.relay).await.unwrap(), 0);
}
