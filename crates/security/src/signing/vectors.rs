//! What other implementations can be tried with: `docs/signing-vectors.json`, recomputed by the clients in `clients/`.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::process::{Command, Stdio};

use chrono::DateTime;
use comanda_domain::Timestamp;
use ring::signature::{Ed25519KeyPair, KeyPair};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::*;
use crate::api_key::KeyId;
use crate::encoding::{base64, hex};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/signing-vectors.json");
const KEY: &str = "041061050r3gg28a";
const TIME: i64 = 1_800_000_000;
const SHORTEST: &str = "0123456789abcdef";
const ORDER: &str = r#"{"note":"sin cebolla, con ají"}"#;

fn at(seconds: i64) -> Timestamp {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn secret(from: u8) -> SigningSecret {
    let bytes: Vec<u8> = (0..32).map(|n| from.wrapping_add(n)).collect();
    SigningSecret::from_bytes(&bytes).unwrap()
}

/// What was signed, and what arrived.
struct Case<'a> {
    name: &'a str,
    signed: SignableRequest<'a>,
    sent: SignableRequest<'a>,
    nonce: &'a str,
    signer: SigningSecret,
    live: Vec<SigningSecret>,
}

impl<'a> Case<'a> {
    fn new(name: &'a str, method: &'a str, target: &'a str, body: &'a [u8]) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let signed = SignableRequest {
            method,
            path,
            query,
            body,
        };
        Self {
            name,
            signed,
            sent: signed,
            nonce: SHORTEST,
            signer: secret(1),
            live: vec![secret(1)],
        }
    }

    fn vector(&self) -> Value {
        let nonce = Nonce::parse(self.nonce).unwrap();
        let signed = RequestSigner::new(KeyId::parse(KEY).unwrap(), self.signer.clone())
            .sign(&self.signed, at(TIME), nonce)
            .unwrap();
        let SignableRequest {
            method,
            path,
            query,
            body,
        } = self.sent;
        let secrets: Vec<String> = self
            .live
            .iter()
            .map(|secret| secret.text().expose_secret().to_owned())
            .collect();
        json!({
            "name": self.name, "method": method, "path": path, "query": query, "body": base64(body),
            "timestamp": TIME, "nonce": self.nonce, "key_id": KEY, "secrets": secrets,
            "canonical_query": canonical_query(query).unwrap(),
            "canonical": hex(&signed.covers(&self.sent).unwrap()),
            "signature": hex(&signed.signature),
            "accepted": verify(&signed, &self.sent, &self.live, at(TIME)).is_ok(),
        })
    }
}

fn requests() -> Vec<Value> {
    let ready = "/v1/integration/tickets/tkt_01m6e22wg0f2sbd6h75gvkq2c9/ready";
    let order = Case::new("non-ASCII body", "POST", ready, ORDER.as_bytes());
    let longest = "Z9-_".repeat(16);
    let body = ORDER.replace("sin", "con");
    let mut cases = vec![
        Case::new("no body", "GET", "/v1/integration/me", b""),
        Case::new(
            "query with duplicates, empty value, plus, encoded slash, unsorted names",
            "GET",
            "/v1/integration/branches?tag=b&limit=5&tag=a&empty=&bare&sum=1+1&dir=%2fa%2Fb&&tag=b&~x=%C3%A9",
            b"",
        ),
        Case::new(
            "encoded path",
            "GET",
            "/v1/integration/branches/brn%5F01m6e22wg0f2sbd6h75gvkq2c9/tickets%2F",
            b"",
        ),
        Case::new("body of bytes", "POST", ready, &[0, 1, 127, 128, 255]),
        Case {
            nonce: &longest,
            ..Case::new("longest nonce", "POST", ready, b"{}")
        },
        Case {
            live: vec![secret(101), secret(1)],
            ..Case::new("two live secrets, signed with the older", "POST", ready, b"{}")
        },
        Case {
            live: vec![secret(101), secret(1)],
            signer: secret(101),
            ..Case::new("two live secrets, signed with the newer", "POST", ready, b"{}")
        },
        Case {
            live: vec![secret(101)],
            ..Case::new("refused: a secret that is not live", "POST", ready, b"{}")
        },
    ];
    cases.push(Case {
        name: "refused: another body",
        sent: SignableRequest {
            body: body.as_bytes(),
            ..order.signed
        },
        live: order.live.clone(),
        signer: order.signer.clone(),
        ..order
    });
    cases.push(Case {
        name: "refused: another method",
        sent: SignableRequest {
            method: "PUT",
            ..order.signed
        },
        live: order.live.clone(),
        signer: order.signer.clone(),
        ..order
    });
    cases.push(order);
    cases.iter().map(Case::vector).collect()
}

fn webhooks() -> Vec<Value> {
    const ID: &str = "evt_01m6e22wg0f2sbd6h75gvkq2c9";
    let key = |byte| WebhookSecret::from_bytes(&[byte; 32]).unwrap();
    let text = |secret: &WebhookSecret| secret.text().expose_secret().to_owned();
    let (old, new) = (key(3), key(4));
    let body = ORDER.as_bytes();
    let one = sign_webhook(std::slice::from_ref(&new), ID, at(TIME), body);
    let two = sign_webhook(&[new.clone(), old.clone()], ID, at(TIME), body);
    let pair = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
    let public = format!(
        "{WEBHOOK_PUBLIC_KEY_PREFIX}{}",
        base64(pair.public_key().as_ref())
    );
    let content = [ID.as_bytes(), TIME.to_string().as_bytes(), body].join(&b'.');
    let asymmetric = format!("v1a,{}", base64(pair.sign(&content).as_ref()));
    let dotted = sign_webhook(std::slice::from_ref(&new), "evt.1", at(TIME), body);
    let vector = |name: &str, keys: &[String], id: &str, signatures: &str, body: &[u8], now: i64| {
        let time = TIME.to_string();
        let headers = [
            (WEBHOOK_ID, id),
            (WEBHOOK_TIMESTAMP, time.as_str()),
            (WEBHOOK_SIGNATURE, signatures),
        ];
        let parsed: Vec<WebhookKey> = keys.iter().map(|key| WebhookKey::parse(key).unwrap()).collect();
        json!({
            "name": name, "keys": keys, "id": id, "timestamp": time, "signatures": signatures, "body": base64(body),
            "now": now,
            "accepted": verify_webhook_signature(&parsed, &headers, body, at(now), WEBHOOK_TOLERANCE).is_ok(),
        })
    };
    let (old, new) = (text(&old), text(&new));
    let other = ORDER.replace("sin", "con");
    let both = [public.clone(), new.clone()];
    vec![
        vector(
            "webhook with one signature",
            std::slice::from_ref(&new),
            ID,
            &one,
            body,
            TIME,
        ),
        vector(
            "webhook with two signatures, old secret",
            std::slice::from_ref(&old),
            ID,
            &two,
            body,
            TIME,
        ),
        vector(
            "webhook with two signatures, new secret",
            std::slice::from_ref(&new),
            ID,
            &two,
            body,
            TIME + 300,
        ),
        vector(
            "webhook with v1a",
            std::slice::from_ref(&public),
            ID,
            &asymmetric,
            body,
            TIME,
        ),
        vector(
            "webhook with v1 and v1a",
            &both,
            ID,
            &format!("{asymmetric} {one}"),
            body,
            TIME - 300,
        ),
        vector(
            "refused webhook: another secret",
            std::slice::from_ref(&old),
            ID,
            &one,
            body,
            TIME,
        ),
        vector(
            "refused webhook: another body",
            std::slice::from_ref(&new),
            ID,
            &one,
            other.as_bytes(),
            TIME,
        ),
        vector(
            "refused webhook: another body, v1a",
            std::slice::from_ref(&public),
            ID,
            &asymmetric,
            other.as_bytes(),
            TIME,
        ),
        vector(
            "refused webhook: too old",
            std::slice::from_ref(&new),
            ID,
            &one,
            body,
            TIME + 301,
        ),
        vector(
            "refused webhook: from the future",
            std::slice::from_ref(&new),
            ID,
            &one,
            body,
            TIME - 301,
        ),
        vector(
            "refused webhook: a dot in the id",
            std::slice::from_ref(&new),
            "evt.1",
            &dotted,
            body,
            TIME,
        ),
        vector("refused webhook: no key", &[], ID, &one, body, TIME),
    ]
}

fn vectors() -> Value {
    json!({ "requests": requests(), "webhooks": webhooks() })
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "not a setting of the service: it lets the test write the file"
)]
fn the_published_vectors_are_ours() {
    let text = format!("{}\n", serde_json::to_string_pretty(&vectors()).unwrap());
    if std::env::var("COMANDA_UPDATE_DOCS").is_ok_and(|update| update == "1") {
        std::fs::write(FILE, &text).unwrap();
    }
    let published = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        published == text,
        "docs/signing-vectors.json is out of date: write it with COMANDA_UPDATE_DOCS=1"
    );
}

#[test]
fn names_say_what_is_refused() {
    let vectors = vectors();
    let lists = ["requests", "webhooks"].map(|kind| vectors[kind].as_array().unwrap());
    let mut names = Vec::new();
    for vector in lists.into_iter().flatten() {
        let name = vector["name"].as_str().unwrap().to_owned();
        assert_eq!(vector["accepted"], !name.starts_with("refused"), "{vector:#}");
        names.push(name);
    }
    names.sort();
    assert!(
        names.len() > 20 && names.windows(2).all(|two| two[0] != two[1]),
        "{names:?}"
    );
}

/// What another implementation makes of the published vectors, by name.
fn recomputed(mut command: Command) -> Option<BTreeMap<String, Value>> {
    let output = match command.arg(FILE).stdin(Stdio::null()).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        outcome => outcome.unwrap(),
    };
    assert!(output.status.success(), "{command:?}: {output:#?}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let found = lines.lines().map(|line| {
        let answer: Value = serde_json::from_str(line).unwrap();
        (answer["name"].as_str().unwrap().to_owned(), answer)
    });
    Some(found.collect())
}

fn agrees(found: &BTreeMap<String, Value>) {
    let vectors = vectors();
    let mut compared = 0;
    for (kind, members) in [
        ("requests", &["canonical", "accepted"][..]),
        ("webhooks", &["accepted"]),
    ] {
        for vector in vectors[kind].as_array().unwrap() {
            let name = vector["name"].as_str().unwrap();
            for member in members {
                assert_eq!(found[name][member], vector[member], "{name}: {vector:#}");
            }
            compared += 1;
        }
    }
    println!("{compared} vectors agree");
}

#[test]
fn python_agrees() {
    let mut command = Command::new("python3");
    command
        .arg("-I")
        .arg(format!("{ROOT}/clients/comanda_signing.py"));
    agrees(&recomputed(command).expect("Python is needed: the vectors are recomputed with it"));
}

#[test]
fn javascript_agrees_where_there_is_node() {
    let mut command = Command::new("node");
    command.arg(format!("{ROOT}/clients/comanda-signing.mjs"));
    match recomputed(command) {
        Some(found) => agrees(&found),
        None => println!("JavaScript was NOT run: there is no node on this machine"),
    }
}

#[test]
fn the_shell_agrees_where_there_is_openssl() {
    if Command::new("openssl").arg("version").output().is_err() {
        println!("the shell script was NOT run: there is no openssl on this machine");
        return;
    }
    let body = std::env::temp_dir().join(format!("comanda-signing-body-{}", std::process::id()));
    let mut compared = 0;
    for vector in requests() {
        let text = |member: &str| vector[member].as_str().unwrap();
        std::fs::write(&body, crate::encoding::from_any_base64(text("body")).unwrap()).unwrap();
        let secrets = vector["secrets"].as_array().unwrap();
        let signs = |secret: &Value| {
            let output = Command::new(format!("{ROOT}/clients/comanda-sign.sh"))
                .args([text("method"), text("path"), text("canonical_query")])
                .arg(&body)
                .env("COMANDA_KEY_ID", KEY)
                .env("COMANDA_SIGNING_SECRET", secret.as_str().unwrap())
                .env("COMANDA_SIGN_TIME", TIME.to_string())
                .env("COMANDA_SIGN_NONCE", text("nonce"))
                .output()
                .unwrap();
            assert!(output.status.success(), "{output:?}");
            let headers = String::from_utf8(output.stdout).unwrap();
            headers.contains(&format!("X-Signature: {}\n", text("signature")))
        };
        assert_eq!(secrets.iter().any(signs), vector["accepted"], "{vector:#}");
        compared += 1;
    }
    std::fs::remove_file(&body).unwrap();
    println!("{compared} vectors agree");
}

/// The page shows the code that is tried here, not a copy that has gone its own way.
#[test]
fn the_page_shows_what_is_tried() {
    let read = |path: &str| std::fs::read_to_string(format!("{ROOT}/{path}")).unwrap();
    let page = read("docs/signing.md");
    let shown = |language: &str| -> Vec<String> {
        let blocks = page.split("```").skip(1).step_by(2);
        let own = blocks.filter_map(|block| block.strip_prefix(&format!("{language}\n")));
        own.map(str::to_owned).collect()
    };
    let module = read("crates/security/src/signing/mod.rs");
    let documented: Vec<&str> = module
        .lines()
        .filter_map(|line| line.strip_prefix("//!"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    for (language, source) in [
        ("rust", documented.join("\n") + "\n"),
        ("python", read("clients/comanda_signing.py")),
        ("javascript", read("clients/comanda-signing.mjs")),
        ("bash", read("clients/comanda-sign.sh")),
    ] {
        let blocks = shown(language);
        assert!(!blocks.is_empty(), "the page shows nothing in {language}");
        for block in blocks {
            assert!(
                source.contains(&block),
                "this {language} is not what is tried:\n{block}"
            );
        }
    }
}
