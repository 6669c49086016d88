//! `comanda api-key …`, each command in a good and in a bad case.

use std::collections::BTreeMap;

use chrono::DateTime;
use comanda_domain::ids::BranchId;
use comanda_security::signing::{SignableRequest, SignedHeaders, SigningSecret, verify};
use comanda_testkit::cluster::TestDatabase;
use uuid::Uuid;

use crate::command::{comanda, comanda_with};

async fn branch(database: &TestDatabase) -> String {
    let client = database.connect().await;
    let sql = "SELECT id::text FROM branch WHERE slug = 'centro'";
    let id: String = client.query_one(sql, &[]).await.unwrap().get(0);
    BranchId(Uuid::parse_str(&id).unwrap()).to_string()
}

#[tokio::test]
async fn a_key_is_made_listed_rotated_and_revoked() {
    let database = TestDatabase::seeded().await;
    let branch = branch(&database).await;
    let create =
        format!("api-key create --tenant buen-sabor --name Till --scopes menu:read --branches {branch}");
    let made = comanda(&database, &create).await;
    assert_eq!(made.exit, 0, "{made:?}");
    let key = made.stdout.trim_end();
    assert!(key.starts_with("cmd_test_") && key.len() == 75, "{made:?}");
    let id = &key[9..25];

    let listed = comanda(&database, "api-key list --tenant buen-sabor --json").await;
    let shown = &listed.json()["data"][0];
    assert_eq!(
        (&shown["key_id"], &shown["state"]),
        (&id.into(), &"active".into())
    );
    assert!(!listed.stdout.contains(&key[26..]), "{listed:?}");
    let table = comanda(&database, "api-key list --tenant buen-sabor")
        .await
        .stdout;
    for word in ["KEY ID", "LAST USED", id, "Till", "menu:read"] {
        assert!(table.contains(word), "{table}");
    }

    let rotated = comanda(&database, &format!("api-key rotate {id} --overlap 1h --json")).await;
    assert_eq!(rotated.exit, 0, "{rotated:?}");
    let document = rotated.json();
    assert_eq!(document["key_id"], id);
    assert!(
        document["previous_valid_until"].is_string() && document["key"] != key,
        "{document}"
    );
    let again = comanda(&database, &format!("api-key rotate {id} --json")).await;
    assert_eq!((again.exit, again.error().as_str()), (5, "api_key_wrong_state"));
    let forced = comanda(&database, &format!("api-key rotate {id} --force --overlap 0")).await;
    assert_eq!(
        (forced.exit, forced.stdout.trim_end().len()),
        (0, 75),
        "{forced:?}"
    );

    let asked = comanda(&database, &format!("api-key revoke {id} --json")).await;
    assert_eq!((asked.exit, asked.error().as_str()), (2, "confirmation_needed"));
    for changed in [true, false] {
        let revoked = comanda(
            &database,
            &format!("api-key revoke {id} --reason lost --yes --json"),
        )
        .await;
        assert_eq!(revoked.json()["changed"], changed, "{revoked:?}");
    }
    let refused = comanda(&database, &format!("api-key rotate {id} --json")).await;
    assert_eq!(
        (refused.exit, refused.error().as_str()),
        (5, "api_key_wrong_state")
    );

    let client = database.connect().await;
    let sql = "SELECT count(*), count(*) FILTER (WHERE actor_kind = 'operator' AND actor_label <> ''), \
                      count(*) FILTER (WHERE reason = 'lost') \
                 FROM audit_stage WHERE action = 'api_key.manage'";
    let row = client.query_one(sql, &[]).await.unwrap();
    assert_eq!([0, 1, 2].map(|n| row.get::<_, i64>(n)), [4, 4, 1]);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let database = TestDatabase::seeded().await;
    let branch = branch(&database).await;
    for (line, exit, code) in [
        ("api-key rotate 0000000000000000".to_owned(), 3, "key_not_found"),
        (
            "api-key revoke 0000000000000000 --yes".to_owned(),
            3,
            "key_not_found",
        ),
        ("api-key list".to_owned(), 2, "tenant_needed"),
        ("api-key list --tenant nobody".to_owned(), 3, "tenant_not_found"),
        (
            format!(
                "api-key create --tenant la-otra-mesa --name Till --scopes menu:read --branches {branch}"
            ),
            3,
            "not_found",
        ),
        (
            "api-key sign GET /v1/integration/me --key-id 0000000000000000".to_owned(),
            2,
            "no_signing_secret",
        ),
    ] {
        let said = comanda(&database, &format!("{line} --json")).await;
        assert_eq!(
            (said.exit, said.error().as_str()),
            (exit, code),
            "{line}: {said:?}"
        );
    }
}

#[tokio::test]
async fn a_request_is_signed() {
    let database = TestDatabase::seeded().await;
    let branch = branch(&database).await;
    let create = format!(
        "api-key create --tenant buen-sabor --name Till --scopes menu:read --branches {branch} \
         --require-signature --expires 90d --json"
    );
    let made = comanda(&database, &create).await.json();
    let secret = made["signing_secret"].as_str().unwrap();
    assert!(made["expires_at"].is_string(), "{made}");
    let settings = BTreeMap::from([
        (
            "COMANDA_KEY_ID".to_owned(),
            made["key_id"].as_str().unwrap().to_owned(),
        ),
        ("COMANDA_SIGNING_SECRET".to_owned(), secret.to_owned()),
    ]);
    let line = "api-key sign get http://localhost:8080/v1/integration/branches?limit=5";
    let signed = comanda_with(&database, line, &settings).await;
    assert_eq!(signed.exit, 0, "{signed:?}");
    let headers: Vec<(&str, &str)> = signed
        .stdout
        .lines()
        .map(|line| line.split_once(": ").unwrap())
        .collect();
    let read = SignedHeaders::read(&headers).unwrap();
    let request = SignableRequest {
        method: "GET",
        path: "/v1/integration/branches",
        query: "limit=5",
        body: b"",
    };
    let now = DateTime::from_timestamp(read.timestamp, 0).unwrap();
    let secrets = [SigningSecret::parse(secret).unwrap()];
    assert_eq!(verify(&read, &request, &secrets, now), Ok(0));
    let json = comanda_with(&database, &format!("{line} --json"), &settings)
        .await
        .json();
    assert_eq!(json["headers"]["X-Key-Id"], made["key_id"]);
    // A setting that is there does not stop the other commands.
    let listed = comanda_with(&database, "api-key list --tenant buen-sabor", &settings).await;
    assert_eq!(listed.exit, 0, "{listed:?}");
}
