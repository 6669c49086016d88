//! Signed requests through the public door: what is genuine is done once, and nothing else is done.

use std::collections::BTreeMap;

use chrono::{TimeDelta, Utc};
use comanda_security::SystemEntropy;
use comanda_security::api_key::KeyId;
use comanda_security::policy::Scope;
use comanda_security::signing::{
    NONCE, Nonce, RequestSigner, SIGNATURE, SIGNED_HEADERS, SignableRequest, SigningSecret,
};
use comanda_testkit::process::Process;
use comanda_testkit::{Answer, Client, TestApp};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

const KEYS: &str = "/v1/admin/api-keys";
const ME: &str = "/v1/integration/me";
const HOOKS: &str = "/v1/integration/webhooks";

/// A request with its signature, as somebody on the way might have kept it.
#[derive(Clone)]
pub struct Captured {
    method: Method,
    path: String,
    body: Option<Vec<u8>>,
    headers: Vec<(&'static str, String)>,
}

impl Captured {
    pub async fn send(&self, by: &Client) -> Answer {
        let mut by = by.header("content-type", "application/json");
        for (name, value) in &self.headers {
            by = by.header(name, value);
        }
        by.send_raw(self.method.clone(), &self.path, self.body.clone())
            .await
    }

    /// The same with another value in one of its headers.
    fn with(&self, name: &'static str, value: &str) -> Self {
        let mut changed = self.clone();
        changed.headers.retain(|(own, _)| *own != name);
        changed.headers.push((name, value.to_owned()));
        changed
    }
}

/// An integration that signs.
pub struct Signing {
    pub id: &'static str,
    signer: RequestSigner,
    bearer: &'static str,
}

impl Signing {
    pub fn of(issued: &Answer) -> Self {
        let secret = SigningSecret::parse(issued.text("/signing_secret")).unwrap();
        Self {
            id: issued.text("/id"),
            signer: RequestSigner::new(KeyId::parse(issued.text("/key_id")).unwrap(), secret),
            bearer: issued.text("/secret"),
        }
    }

    /// A key of the owner's first branch that signs.
    pub async fn made(owner: &Client, scopes: &[Scope], more: Value) -> Self {
        let branches = owner.get("/v1/admin/branches").await.expect(200);
        let scopes: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
        let mut body = json!({
            "name": "Till", "scopes": scopes, "branch_ids": [branches.text("/data/0/id")],
            "requires_signature": true,
        });
        let more = more.as_object().cloned().unwrap_or_default();
        body.as_object_mut().unwrap().extend(more);
        Self::of(&owner.post(KEYS, &body).await.expect(201))
    }

    fn signed_ago(&self, seconds: i64, method: Method, target: &str, body: Option<&Value>) -> Captured {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let body = body.map(|body| body.to_string().into_bytes());
        let request = SignableRequest {
            method: method.as_str(),
            path,
            query,
            body: body.as_deref().unwrap_or_default(),
        };
        // The tests' own clock: the server's is the machine's.
        #[expect(clippy::disallowed_methods, reason = "a client's clock, not the service's")]
        let now = Utc::now() - TimeDelta::seconds(seconds);
        let nonce = Nonce::fresh(&SystemEntropy::new()).unwrap();
        let headers = self.signer.sign(&request, now, nonce).unwrap().pairs().to_vec();
        Captured {
            method,
            path: target.to_owned(),
            body,
            headers,
        }
    }

    pub fn signed(&self, method: Method, target: &str, body: Option<&Value>) -> Captured {
        self.signed_ago(0, method, target, body)
    }

    fn get(&self, target: &str) -> Captured {
        self.signed(Method::GET, target, None)
    }

    /// A receiver of webhooks that it makes; each change of it raises its version.
    async fn hook(&self, by: &Client) -> String {
        let own = self.get(ME).send(by).await.expect(200);
        let body = json!({
            "url": "http://127.0.0.1:9/", "event_types": ["round.*"], "branch_ids": own.at("/branch_ids"),
            "enabled": false,
        });
        let made = self
            .signed(Method::POST, HOOKS, Some(&body))
            .send(by)
            .await
            .expect(201);
        format!("{HOOKS}/{}", made.text("/id"))
    }

    fn change(&self, hook: &str) -> Captured {
        self.signed(Method::PATCH, hook, Some(&json!({ "enabled": false })))
    }

    async fn version(&self, hook: &str, by: &Client) -> i64 {
        self.get(hook).send(by).await.expect(200).number("/version")
    }
}

async fn owner_and_key(app: &TestApp) -> (Client, Signing) {
    let olga = app.staff("olga").await;
    let key = Signing::made(&olga, &[Scope::WebhooksWrite], json!({})).await;
    (olga, key)
}

#[tokio::test]
async fn what_is_signed_is_done_and_a_signing_key_is_never_sent() {
    let app = TestApp::start().await;
    let (_, key) = owner_and_key(&app).await;
    let anyone = app.anyone();
    let me = key.get(ME).send(&anyone).await.expect(200);
    assert_eq!(me.at("/scopes"), json!(["webhooks:write"]));
    // The query is signed as it means, not as it is spelt.
    let listed = key
        .get("/v1/integration/branches?limit=5")
        .send(&anyone)
        .await
        .expect(200);
    assert_eq!(listed.list("/data").len(), 1);
    let hook = key.hook(&anyone).await;
    let changed = key.change(&hook).send(&anyone).await.expect(200);
    assert_eq!(changed.at("/version"), 2);
    let events = format!(
        "/v1/integration/branches/{}/events",
        me.at("/branch_ids/0").as_str().unwrap()
    );
    let _ = key.get(&events).send(&anyone).await.expect(200);

    let sent = anyone.with_token(key.bearer);
    sent.get(ME).await.refused(401, "token_invalid");
    key.get(ME).send(&sent).await.refused(400, "invalid_parameter");
    // A scope is judged behind the signature.
    let tickets = format!(
        "/v1/integration/branches/{}/tickets",
        me.at("/branch_ids/0").as_str().unwrap()
    );
    key.get(&tickets)
        .send(&anyone)
        .await
        .refused(403, "scope_missing");
    // Where no key comes, a signature is none.
    key.get(KEYS).send(&anyone).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn everything_else_is_refused_alike() {
    let app = TestApp::start().await;
    let (olga, key) = owner_and_key(&app).await;
    let anyone = app.anyone();
    let hook = key.hook(&anyone).await;
    let genuine = key.change(&hook);
    let refused = async |request: &Captured, why: &str| {
        let answer = request.send(&anyone).await;
        assert_eq!(
            answer.at("/code"),
            "signature_invalid",
            "{why}: {}",
            answer.report()
        );
        assert_eq!(answer.status, 401, "{why}: {}", answer.report());
    };
    for name in SIGNED_HEADERS {
        let mut less = genuine.clone();
        less.headers.retain(|(own, _)| *own != name);
        refused(&less, name).await;
        refused(&genuine.with(name, "x"), name).await;
    }
    refused(&genuine.with(SIGNATURE, &"0".repeat(64)), "another signature").await;
    refused(&genuine.with(NONCE, "abcdefghijklmnop"), "another nonce").await;
    let mut other = genuine.clone();
    other.body = Some(br#"{"enabled":true}"#.to_vec());
    refused(&other, "another body").await;
    let mut other = genuine.clone();
    other.path.push_str("?a=1");
    refused(&other, "another query").await;
    let mut other = genuine.clone();
    other.method = Method::DELETE;
    refused(&other, "another method").await;
    let body = json!({ "enabled": false });
    for (age, why) in [(302, "too old"), (-40, "from the future")] {
        refused(&key.signed_ago(age, Method::PATCH, &hook, Some(&body)), why).await;
    }

    let elsewhere = Signing::made(
        &olga,
        &[Scope::WebhooksWrite],
        json!({ "ip_allow": ["192.0.2.0/24"] }),
    )
    .await;
    refused(&elsewhere.get(ME), "another address").await;
    let plain = app.key(&olga, &[Scope::WebhooksWrite]).await;
    let unsigned = plain.get(ME).await.expect(200);
    let unsigned = Signing {
        id: "",
        signer: RequestSigner::new(
            KeyId::parse(unsigned.text("/key_id")).unwrap(),
            SigningSecret::from_bytes(&[0; 32]).unwrap(),
        ),
        bearer: "",
    };
    refused(&unsigned.get(ME), "a key that does not sign").await;

    // Nothing of all that was an effect, and the genuine request is still good.
    assert_eq!(key.version(&hook, &anyone).await, 1);
    assert_eq!(genuine.send(&anyone).await.expect(200).at("/version"), 2);

    // Another restaurant's object is absent.
    let stranger = Signing::made(&app.stranger().await, &[Scope::WebhooksWrite], json!({})).await;
    stranger
        .change(&hook)
        .send(&anyone)
        .await
        .refused(404, "not_found");
    let path = format!("{KEYS}/{}", key.id);
    let _ = olga.delete(&path).await.expect(200);
    refused(&key.get(ME), "revoked").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_at_once_one_is_done() {
    let app = TestApp::start().await;
    let (_, key) = owner_and_key(&app).await;
    let anyone = app.anyone();
    let hook = key.hook(&anyone).await;
    for round in 1..=10 {
        let request = key.change(&hook);
        let answers = join_all((0..8).map(|_| request.send(&anyone))).await;
        let done = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(done, 1, "round {round}");
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            assert_eq!(
                answer.at("/code"),
                "signature_invalid",
                "round {round}: {}",
                answer.report()
            );
        }
        assert_eq!(key.version(&hook, &anyone).await, round + 1, "round {round}");
    }
}

#[tokio::test]
async fn a_request_is_answered_once_also_where_it_was_refused() {
    let app = TestApp::start().await;
    let (_, key) = owner_and_key(&app).await;
    let anyone = app.anyone();
    let wrong = key.signed(Method::POST, HOOKS, Some(&json!({ "url": 1 })));
    wrong.send(&anyone).await.refused(422, "validation_failed");
    wrong.send(&anyone).await.refused(401, "signature_invalid");
    let absent = key.change(&format!("{HOOKS}/whk_01m6e22wg0f2sbd6h75gvkq2c9"));
    absent.send(&anyone).await.refused(404, "not_found");
    absent.send(&anyone).await.refused(401, "signature_invalid");
    let database = app.database.connect().await;
    let count: i64 = database
        .query_one("SELECT count(*) FROM request_nonce", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(count, 2);
}

mod slow {
    use super::*;

    /// Writes that were captured are sent again here, elsewhere, after Redis was emptied, and to a process that began
    /// later: thousands of times.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn captured_requests_have_no_second_effect() {
        const CAPTURED: usize = 150;
        const AGAIN: usize = 7;
        let app = TestApp::among_others().await;
        let (_, key) = owner_and_key(&app).await;
        let anyone = app.anyone();
        let hook = key.hook(&anyone).await;
        let program = env!("CARGO_BIN_EXE_comanda-api");
        let vars = app.vars_of_another(&BTreeMap::new());
        let mut other = Process::start(program, &[], &vars);
        let writes: Vec<Captured> = (0..CAPTURED).map(|_| key.change(&hook)).collect();
        let reads: Vec<Captured> = (0..20).map(|_| key.get(ME)).collect();
        for request in writes.iter().chain(&reads) {
            let _ = request.send(&anyone).await.expect(200);
        }
        let version = i64::try_from(CAPTURED).unwrap() + 1;
        let mut replayed = 0;
        let mut replay = async |requests: &[Captured], url: &str, when: &str| {
            let by = anyone.at(url);
            for part in requests.chunks(16) {
                let answers = join_all(part.iter().flat_map(|one| (0..AGAIN).map(|_| one.send(&by)))).await;
                for answer in answers {
                    assert_eq!(
                        answer.at("/code"),
                        "signature_invalid",
                        "{when}: {}",
                        answer.report()
                    );
                    replayed += 1;
                }
            }
        };
        replay(&writes, &app.url, "to the same process").await;
        replay(&writes, &other.url, "to another process").await;
        replay(&reads, &other.url, "reads, to another process").await;
        app.redis.as_ref().unwrap().command("FLUSHALL");
        replay(&writes, &other.url, "after Redis was emptied").await;
        assert!(other.terminate().success());
        let other = Process::start(program, &[], &vars);
        replay(&writes, &other.url, "after a restart").await;
        assert!(replayed > 4_000, "{replayed}");
        assert_eq!(
            key.version(&hook, &anyone).await,
            version,
            "after {replayed} replays"
        );
    }

    /// Reads go on while Redis is away, and none of them passes twice.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn without_redis_nonces_are_kept_in_the_database() {
        let mut app = TestApp::among_others().await;
        let (_, key) = owner_and_key(&app).await;
        let anyone = app.anyone();
        app.redis.as_mut().unwrap().kill();
        for _ in 0..10 {
            let read = key.get(ME);
            let _ = read.send(&anyone).await.expect(200);
            read.send(&anyone).await.refused(401, "signature_invalid");
        }
    }
}
