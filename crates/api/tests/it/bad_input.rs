//! Whatever is sent, wherever: a problem with the right code and pointer, never a failure of the server. The cases
//! are made from the server's own document, so that a new operation has them from its first day.

use std::collections::BTreeMap;

use comanda_security::policy::Scope;
use comanda_testkit::dinner::Dinner;
use comanda_testkit::{Answer, Client, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::operations::{Callers, Operation, faults, fresh, headers, id_prefix, length, problem, sample};
use crate::raw;

const LARGEST: usize = 256 * 1024;

struct Scene {
    app: TestApp,
    dinner: Dinner,
    callers: Callers,
    operations: Vec<Operation>,
}

impl Scene {
    async fn set() -> Self {
        let app = TestApp::start().await;
        let dinner = Dinner::seated_at(&app, "SAL-01", &["Ana"]).await;
        let scanned = app
            .anyone()
            .post("/v1/public/tables/open", &json!({ "code": dinner.code }))
            .await
            .expect(200);
        let callers = Callers {
            staff: app.staff("olga").await,
            guest: dinner.ana().clone(),
            visitor: app.anyone().with_token(scanned.text("/table_token")),
            key: app.key(&app.staff("olga").await, Scope::ALL).await,
            anyone: app.anyone(),
        };
        let operations = Operation::all(&app).await;
        Self {
            app,
            dinner,
            callers,
            operations,
        }
    }

    /// The caller of an operation with everything that it needs around its body.
    fn caller(&self, operation: &Operation) -> Client {
        let caller = self.callers.fitting(operation).seen(1);
        if operation.keyed {
            caller.key(&fresh("key"))
        } else {
            caller
        }
    }

    fn commands(&self) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(|operation| operation.has_command())
    }

    async fn send(&self, operation: &Operation, body: &Value) -> Answer {
        let path = operation.at(&BTreeMap::new());
        self.caller(operation)
            .send(operation.method.clone(), &path, Some(body))
            .await
    }

    async fn send_raw(&self, operation: &Operation, kind: &str, body: &[u8]) -> Answer {
        let path = operation.at(&BTreeMap::new());
        self.caller(operation)
            .header("content-type", kind)
            .send_raw(operation.method.clone(), &path, Some(body.to_vec()))
            .await
    }
}

#[track_caller]
fn is(answer: &Answer, code: &str) {
    assert_eq!(problem(answer), code, "{}", answer.report());
}

fn pair(pointer: &str, code: &str) -> (String, String) {
    (pointer.to_owned(), code.to_owned())
}

#[tokio::test]
async fn a_body_that_is_no_json_is_refused_everywhere() {
    let scene = Scene::set().await;
    let texts: [&[u8]; 10] = [
        b"{",
        b"nonsense",
        b"{}{}",
        b"{\"a\":1,}",
        b"{'a':1}",
        b"\"\xff\xfe\"",
        b"{\"a\":\"\xc3\x28\"}",
        b"{\"a\":1,\"a\":1}",
        b"{\"a\":{\"b\":1,\"b\":2}}",
        b"\xff\xfe{\x00}\x00",
    ];
    for operation in scene.commands() {
        for text in texts {
            is(
                &scene.send_raw(operation, "application/json", text).await,
                "invalid_json",
            );
        }
        let deep = "[".repeat(10_000);
        is(
            &scene
                .send_raw(operation, "application/json", deep.as_bytes())
                .await,
            "invalid_json",
        );
    }
}

#[tokio::test]
async fn a_body_of_another_kind_is_refused_everywhere() {
    let scene = Scene::set().await;
    for operation in scene.commands() {
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/json; charset=latin1",
            "application/problem+json",
        ] {
            is(
                &scene.send_raw(operation, kind, b"{}").await,
                "unsupported_media_type",
            );
        }
        for good in ["application/json; charset=utf-8", "Application/JSON"] {
            let answer = scene.send_raw(operation, good, b"[]").await;
            is(&answer, "validation_failed");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_everywhere() {
    let scene = Scene::set().await;
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(LARGEST));
    for operation in scene.commands() {
        let path = operation.at(&BTreeMap::new());
        let mut head = vec![("content-type", "application/json".to_owned())];
        let token = scene.callers.fitting(operation).token().to_owned();
        if !token.is_empty() {
            head.push(("authorization", format!("Bearer {token}")));
        }
        if operation.keyed {
            head.push(("idempotency-key", fresh("key")));
        }
        for chunked in [false, true] {
            let (status, text) = raw::send(
                &scene.app.url,
                operation.method.as_str(),
                &path,
                &head,
                large.as_bytes(),
                chunked,
            )
            .await;
            assert_eq!(status, 413, "{} chunked={chunked}\n{text}", operation.name());
            assert!(text.contains("\"code\":\"payload_too_large\""), "{text}");
        }
    }
    // The largest that is read is judged like any other.
    let filler = "x".repeat(LARGEST - 8);
    let largest = format!("{{\"a\":\"{filler}\"}}");
    assert_eq!(largest.len(), LARGEST);
    let answer = scene
        .callers
        .anyone
        .header("content-type", "application/json")
        .send_raw(Method::POST, "/v1/auth/login", Some(largest.into_bytes()))
        .await;
    is(&answer, "validation_failed");
}

#[tokio::test]
async fn every_value_is_judged_and_its_place_named() {
    let scene = Scene::set().await;
    let mut count = 0;
    for operation in scene.commands() {
        let no_fields = json!({ "type": "object", "properties": {} });
        let schema = operation.body.clone().unwrap_or(no_fields);
        let good = sample(&schema, &BTreeMap::new(), true);
        for wrong in wrong_values(&schema, "", true) {
            let mut body = good.clone();
            apply(&mut body, &wrong);
            let answer = scene.send(operation, &body).await;
            let code = match wrong.code {
                "id_malformed" | "id_wrong_prefix" => wrong.code,
                _ => "validation_failed",
            };
            let report = format!("{body}\n{}", answer.report());
            assert_eq!(problem(&answer), code, "{report}");
            assert_eq!(faults(&answer), [pair(&wrong.pointer, wrong.code)], "{report}");
            if code == "id_wrong_prefix" {
                assert!(
                    answer.at("/expected").is_string() && answer.at("/got").is_string(),
                    "{report}"
                );
            }
            count += 1;
        }
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        if !required.is_empty() {
            let answer = scene.send(operation, &json!({})).await;
            is(&answer, "validation_failed");
            let mut missing: Vec<_> = required
                .iter()
                .map(|name| pair(&format!("/{}", name.as_str().unwrap()), "required"))
                .collect();
            let mut told = faults(&answer);
            missing.sort();
            told.sort();
            assert_eq!(told, missing, "{}", answer.report());
        }
    }
    assert!(count > 500, "only {count} wrong values");
}

/// A value that is not accepted at a place, and as what it is refused.
struct Wrong {
    /// Where it goes.
    pointer: String,
    /// None removes the member.
    value: Option<Value>,
    code: &'static str,
}

fn wrong_values(schema: &Value, at: &str, required: bool) -> Vec<Wrong> {
    let wrong = |value: Value, code: &'static str| Wrong {
        pointer: at.to_owned(),
        value: Some(value),
        code,
    };
    let mut list: Vec<Wrong> = wrong_types(schema)
        .into_iter()
        .map(|value| wrong(value, "wrong_type"))
        .collect();
    if required && !at.is_empty() {
        list.push(wrong(Value::Null, "wrong_type"));
        // An entry of a list is not a member that could be missing.
        if at
            .rsplit('/')
            .next()
            .is_none_or(|step| step.parse::<usize>().is_err())
        {
            list.push(Wrong {
                pointer: at.to_owned(),
                value: None,
                code: "required",
            });
        }
    }
    match schema["type"].as_str().unwrap() {
        "object" => {
            list.push(Wrong {
                pointer: format!("{at}/no_such~1member"),
                value: Some(json!(1)),
                code: "unknown_field",
            });
            let names = schema["required"].as_array().cloned().unwrap_or_default();
            for (name, part) in schema["properties"].as_object().cloned().unwrap_or_default() {
                let required = names.contains(&json!(name));
                list.extend(wrong_values(&part, &format!("{at}/{name}"), required));
            }
        }
        "array" => {
            let most = length(schema, "maxItems").unwrap();
            let item = sample(&schema["items"], &BTreeMap::new(), true);
            list.push(wrong(vec![item; most + 1].into(), "too_long"));
            list.extend(wrong_values(&schema["items"], &format!("{at}/0"), true));
        }
        "integer" => {
            let (least, most) = (
                schema["minimum"].as_i64().unwrap(),
                schema["maximum"].as_i64().unwrap(),
            );
            list.push(wrong((least - 1).into(), "too_small"));
            list.push(wrong(i64::MIN.into(), "too_small"));
            list.push(wrong((most + 1).into(), "too_large"));
            list.push(wrong(u64::MAX.into(), "too_large"));
        }
        "string" => list.extend(
            wrong_texts(schema)
                .into_iter()
                .map(|(text, code)| wrong(text.into(), code)),
        ),
        _ => {}
    }
    list
}

fn wrong_types(schema: &Value) -> Vec<Value> {
    match schema["type"].as_str().unwrap() {
        "object" => vec![json!([]), json!("{}"), json!(1), json!(true)],
        "array" => vec![json!({}), json!("[]"), json!(1), json!(false)],
        "boolean" => vec![json!("true"), json!(1), json!([]), json!({})],
        "integer" => vec![
            json!("1"),
            json!(1.5),
            json!(1e30),
            json!(true),
            json!([]),
            json!({}),
        ],
        "string" => vec![json!(1), json!(true), json!(["a"]), json!({ "a": "a" })],
        other => panic!("no wrong type for {other}"),
    }
}

fn wrong_texts(schema: &Value) -> Vec<(String, &'static str)> {
    if schema["enum"].is_array() {
        return ["no_such_name", "", " "]
            .map(|text| (text.to_owned(), "not_allowed"))
            .to_vec();
    }
    let of_format = |wrong: &[&str], code| wrong.iter().map(|text| ((*text).to_owned(), code)).collect();
    match schema["format"].as_str() {
        Some("date-time") => {
            return of_format(
                &["", "tomorrow", "2031-01-31T23:59:00", "2031-02-30T00:00:00Z"],
                "wrong_format",
            );
        }
        Some("ip-network") => {
            return of_format(&["", "nonsense", "192.0.2.1/24", "192.0.2.0/33"], "wrong_format");
        }
        Some("event-type") => {
            return of_format(
                &["", "*", "round", "round.eaten", "service_call.*", "cart.changed"],
                "not_allowed",
            );
        }
        _ => {}
    }
    if let Some(prefix) = id_prefix(schema) {
        let other = if prefix == "brn" { "tbl" } else { "brn" };
        let good = fresh(prefix);
        return vec![
            (String::new(), "id_malformed"),
            ("nonsense".to_owned(), "id_malformed"),
            (good.to_uppercase(), "id_malformed"),
            (good[..29].to_owned(), "id_malformed"),
            (format!("{good}0"), "id_malformed"),
            (good.replace('_', "_8"), "id_malformed"),
            (fresh(other), "id_wrong_prefix"),
        ];
    }
    if schema["pattern"] == "^[A-Z]{3}$" {
        return ["", "ars", "PESOS", "A1S", "ÁRS", "$"]
            .map(|text| (text.to_owned(), "wrong_format"))
            .to_vec();
    }
    let most = length(schema, "maxLength").unwrap();
    let with_control = |control: char| {
        let length = length(schema, "minLength").unwrap_or(0).max(3);
        format!("a{control}{}", "a".repeat(length - 2))
    };
    let mut list = vec![
        ("a".repeat(most + 1), "too_long"),
        (with_control('\0'), "wrong_format"),
    ];
    // Texts that are taken as they are have no least length.
    if let Some(least) = length(schema, "minLength") {
        list.push(("ñ".repeat(most + 1), "too_long"));
        if least > 0 {
            list.push((String::new(), "too_short"));
            list.push((" ".repeat(least + 1), "too_short"));
        }
        list.push((with_control('\u{7f}'), "wrong_format"));
    }
    list
}

fn apply(body: &mut Value, wrong: &Wrong) {
    let Some((parent, step)) = wrong.pointer.rsplit_once('/') else {
        *body = wrong.value.clone().unwrap();
        return;
    };
    let step = step.replace("~1", "/");
    match (body.pointer_mut(parent).unwrap(), &wrong.value) {
        (Value::Object(object), Some(value)) => {
            object.insert(step, value.clone());
        }
        (Value::Object(object), None) => {
            object.remove(&step);
        }
        (Value::Array(list), Some(value)) => list[step.parse::<usize>().unwrap()] = value.clone(),
        other => panic!("nothing to change at {}: {other:?}", wrong.pointer),
    }
}

#[tokio::test]
async fn an_idempotency_key_is_required_and_readable() {
    let scene = Scene::set().await;
    let keyed: Vec<_> = scene.commands().filter(|operation| operation.keyed).collect();
    assert!(keyed.len() > 20, "only {} operations need a key", keyed.len());
    for operation in keyed {
        let path = operation.at(&BTreeMap::new());
        let body = operation.sample(&BTreeMap::new(), false);
        let caller = scene.callers.fitting(operation);
        let missing = caller.send(operation.method.clone(), &path, Some(&body)).await;
        is(&missing, "idempotency_key_missing");
        let long = "k".repeat(256);
        for key in [
            "",
            " ",
            "\"\"",
            "\"open",
            "\"a\"b\"",
            "clé",
            "\"\\x\"",
            long.as_str(),
            &format!("\"{long}\""),
        ] {
            let answer = caller
                .header("idempotency-key", key)
                .send(operation.method.clone(), &path, Some(&body))
                .await;
            is(&answer, "idempotency_key_invalid");
            assert_eq!(
                faults(&answer)[0].0,
                "/header/Idempotency-Key",
                "{}",
                answer.report()
            );
        }
        for key in [
            "k".repeat(255),
            format!("\"{}\"", "k".repeat(255)),
            "\"a \\\"b\\\" \\\\ ~\"".to_owned(),
        ] {
            let answer = caller
                .header("idempotency-key", &key)
                .send(operation.method.clone(), &path, Some(&body))
                .await;
            assert!(
                !answer.at("/code").to_string().contains("idempotency"),
                "{}",
                answer.report()
            );
        }
    }
}

#[tokio::test]
async fn a_version_that_cannot_be_read_is_refused() {
    let scene = Scene::set().await;
    for operation in scene.commands().filter(|operation| !operation.is_public()) {
        for version in [
            "*",
            "4",
            "v4",
            "\"4\"",
            "\"v\"",
            "\"v-1\"",
            "\"v4\", \"v5\"",
            "\"v99999999999999999999\"",
            "",
        ] {
            let path = operation.at(&BTreeMap::new());
            let answer = scene
                .caller(operation)
                .header("if-match", version)
                .send(
                    operation.method.clone(),
                    &path,
                    Some(&operation.sample(&BTreeMap::new(), false)),
                )
                .await;
            is(&answer, "invalid_parameter");
            assert_eq!(
                faults(&answer),
                [pair("/header/If-Match", "wrong_format")],
                "{}",
                answer.report()
            );
        }
    }
}

#[tokio::test]
async fn what_depends_on_a_version_says_so() {
    let scene = Scene::set().await;
    let guest = &scene.callers.guest;
    is(&guest.delete("/v1/diner/cart").await, "precondition_required");
    let split = json!({ "method": "equal" });
    is(
        &guest.put("/v1/diner/check/split", &split).await,
        "precondition_required",
    );
    let path = format!("/v1/billing/checks/{}/split", fresh("chk"));
    is(
        &scene.callers.staff.put(&path, &split).await,
        "precondition_required",
    );
    // What compressing proxies make of an entity tag counts the same.
    let _ = guest
        .header("if-match", "W/\"v0\"")
        .delete("/v1/diner/cart")
        .await
        .expect(200);
    let outdated = guest.seen(7).delete("/v1/diner/cart").await;
    is(&outdated, "precondition_failed");
    let cart = guest.get("/v1/diner/cart").await.expect(200);
    assert_eq!(outdated.at("/current"), cart.json(), "{}", outdated.report());
}

#[tokio::test]
async fn ids_in_paths_are_judged() {
    let scene = Scene::set().await;
    for operation in &scene.operations {
        for segment in operation.segments() {
            let send = async |text: &str| {
                let path = operation.at(&BTreeMap::from([(segment, text.to_owned())]));
                let body = operation
                    .has_command()
                    .then(|| operation.sample(&BTreeMap::new(), false));
                scene
                    .caller(operation)
                    .send(operation.method.clone(), &path, body.as_ref())
                    .await
            };
            if !segment.ends_with("_id") {
                for text in ["nonsense", "%00", "%ff%fe", "..%2f..", &"a".repeat(4000)] {
                    is(&send(text).await, "not_found");
                }
                continue;
            }
            let good = operation.unknown(segment);
            let pointer = format!("/path/{segment}");
            for text in [
                "nonsense",
                "%00",
                "%ff%fe",
                "..%2f..",
                "1",
                "brn_",
                &good.to_uppercase(),
                &good[..29],
                &good.replace('_', "_8"),
                &format!("{good}0"),
                &format!("{good}%20"),
                &"a".repeat(4000),
            ] {
                let answer = send(text).await;
                is(&answer, "id_malformed");
                assert_eq!(
                    faults(&answer),
                    [pair(&pointer, "id_malformed")],
                    "{}",
                    answer.report()
                );
            }
            let other = if good.starts_with("brn") { "tbl" } else { "brn" };
            let answer = send(&fresh(other)).await;
            is(&answer, "id_wrong_prefix");
            assert_eq!(
                faults(&answer),
                [pair(&pointer, "id_wrong_prefix")],
                "{}",
                answer.report()
            );
            assert_eq!(
                (answer.at("/expected"), answer.at("/got")),
                (json!(good[..3]), json!(other))
            );
        }
    }
}

/// What a query parameter does not accept, and how it is told.
fn bad_values(name: &str) -> Vec<(&'static str, &'static str)> {
    let values: &[(&str, &str)] = match name {
        "limit" => &[
            ("0", "invalid_parameter"),
            ("201", "invalid_parameter"),
            ("-1", "invalid_parameter"),
            ("many", "invalid_parameter"),
            ("", "invalid_parameter"),
            ("99999999999999999999", "invalid_parameter"),
        ],
        "cursor" => &[
            ("", "invalid_cursor"),
            ("nonsense", "invalid_cursor"),
            (
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                "invalid_cursor",
            ),
            ("%00", "invalid_parameter"),
        ],
        "status" | "station" | "mode" | "diets" | "method" | "mine" | "apply_preferences" => &[
            ("nonsense", "invalid_parameter"),
            ("", "invalid_parameter"),
            ("a,b", "invalid_parameter"),
            ("%00", "invalid_parameter"),
        ],
        "after" => &[
            ("nonsense", "invalid_parameter"),
            ("", "invalid_parameter"),
            ("-1", "invalid_parameter"),
            ("5F3A9C01-1", "invalid_parameter"),
        ],
        "wait" => &[
            ("nonsense", "invalid_parameter"),
            ("26", "invalid_parameter"),
            ("-1", "invalid_parameter"),
        ],
        "types" | "view" => &[
            ("nonsense", "invalid_parameter"),
            ("", "invalid_parameter"),
            ("%00", "invalid_parameter"),
        ],
        "branch_id" => &[
            ("nonsense", "id_malformed"),
            ("", "id_malformed"),
            ("tnt_01m6e22wg0f2sbd6h75gvkq2c9", "id_wrong_prefix"),
        ],
        "session_id" | "sector_id" => &[
            ("nonsense", "id_malformed"),
            ("", "id_malformed"),
            ("brn_01m6e22wg0emzvcdygnjcdzsef", "id_wrong_prefix"),
        ],
        "business_day" => &[
            ("yesterday", "invalid_parameter"),
            ("2026-02-30", "invalid_parameter"),
            ("2026-11-24T00:00:00Z", "invalid_parameter"),
            ("", "invalid_parameter"),
        ],
        "lang" => &[
            ("", "invalid_parameter"),
            ("%C3%B1", "invalid_parameter"),
            ("a_b", "invalid_parameter"),
        ],
        "exclude" => &[
            ("A%20B", "invalid_parameter"),
            ("milk;nuts", "invalid_parameter"),
            ("%00", "invalid_parameter"),
        ],
        // Any text is a code that no table has.
        "code" => &[("%00", "invalid_parameter")],
        other => panic!("what would be a bad value of {other}?"),
    };
    values.to_vec()
}

#[tokio::test]
async fn query_parameters_are_judged() {
    let scene = Scene::set().await;
    let hook = json!({
        "url": "https://192.88.98.1/", "event_types": ["round.*"], "branch_ids": [scene.dinner.branch],
        "enabled": false,
    });
    let hook = scene
        .callers
        .key
        .post("/v1/integration/webhooks", &hook)
        .await
        .expect(201);
    let ids = BTreeMap::from([
        ("webhook_id", hook.text("/id").to_owned()),
        ("branch_id", scene.dinner.branch.clone()),
        ("session_id", scene.dinner.session.clone()),
    ]);
    let asking: Vec<_> = scene
        .operations
        .iter()
        .filter(|operation| !operation.query.is_empty())
        .collect();
    assert!(
        asking.len() >= 10,
        "only {} operations have query parameters",
        asking.len()
    );
    for operation in asking {
        let path = operation.at(&ids);
        let caller = scene.callers.fitting(operation);
        let _ = caller.get(&path).await.expect(200);
        let unknown = caller.get(&format!("{path}?no_such=1")).await;
        is(&unknown, "invalid_parameter");
        assert_eq!(
            faults(&unknown),
            [pair("/query/no_such", "not_allowed")],
            "{}",
            unknown.report()
        );
        for name in &operation.query {
            let pointer = format!("/query/{name}");
            for (value, code) in bad_values(name) {
                let answer = caller.get(&format!("{path}?{name}={value}")).await;
                is(&answer, code);
                if code != "invalid_cursor" {
                    assert_eq!(faults(&answer)[0].0, pointer, "{}", answer.report());
                }
            }
            let twice = caller.get(&format!("{path}?{name}=1&{name}=1")).await;
            is(&twice, "invalid_parameter");
            assert_eq!(faults(&twice)[0].0, pointer, "{}", twice.report());
            let unreadable = caller.get(&format!("{path}?{name}=%ff%fe")).await;
            problem_or_fine(&unreadable);
        }
    }
}

#[track_caller]
fn problem_or_fine(answer: &Answer) {
    if !answer.status.is_success() {
        let _ = problem(answer);
    }
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_list_only() {
    let scene = Scene::set().await;
    let staff = &scene.callers.staff;
    let ids = BTreeMap::from([("branch_id", scene.dinner.branch.clone())]);
    let first = staff.get("/v1/admin/branches?limit=1").await.expect(200);
    let cursor = first.text("/next_cursor");
    let last = staff
        .get(&format!("/v1/admin/branches?limit=1&cursor={cursor}"))
        .await
        .expect(200);
    assert_eq!(
        (last.list("/data").len(), last.at("/next_cursor")),
        (1, Value::Null)
    );
    assert_ne!(last.at("/data/0/id"), first.at("/data/0/id"));
    for operation in &scene.operations {
        if operation.query.iter().any(|name| name == "cursor") && operation.path != "/v1/admin/branches" {
            let reader = scene.callers.fitting(operation);
            let answer = reader
                .get(&format!("{}?cursor={cursor}", operation.at(&ids)))
                .await;
            is(&answer, "invalid_cursor");
        }
    }
    let tables = format!("/v1/admin/branches/{}/tables", scene.dinner.branch);
    let cursor = staff
        .get(&format!("{tables}?limit=3"))
        .await
        .expect(200)
        .text("/next_cursor");
    let _ = staff
        .get(&format!("{tables}?limit=200&cursor={cursor}"))
        .await
        .expect(200);
    is(
        &staff.get(&format!("{tables}?code=SAL-01&cursor={cursor}")).await,
        "invalid_cursor",
    );
    let mut forged = cursor.to_owned();
    let flipped = if forged.ends_with('A') { 'B' } else { 'A' };
    forged.replace_range(forged.len() - 3..forged.len() - 2, &flipped.to_string());
    is(
        &staff.get(&format!("{tables}?cursor={forged}")).await,
        "invalid_cursor",
    );
    // Nor for another caller of another restaurant.
    let stranger = scene.app.stranger().await;
    let cursor = first.text("/next_cursor");
    is(
        &stranger.get(&format!("/v1/admin/branches?cursor={cursor}")).await,
        "invalid_cursor",
    );
}

#[tokio::test]
async fn other_methods_and_addresses_are_told_apart() {
    let scene = Scene::set().await;
    let mut methods: BTreeMap<&str, Vec<Method>> = BTreeMap::new();
    for operation in &scene.operations {
        methods
            .entry(&operation.path)
            .or_default()
            .push(operation.method.clone());
    }
    let all = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
    ];
    for operation in &scene.operations {
        let allowed = &methods[operation.path.as_str()];
        for method in all.iter().filter(|method| !allowed.contains(method)) {
            let path = operation.at(&BTreeMap::new());
            let answer = scene
                .callers
                .fitting(operation)
                .send(method.clone(), &path, None)
                .await;
            is(&answer, "method_not_allowed");
            let mut names: Vec<_> = allowed.iter().map(Method::as_str).collect();
            names.sort_unstable();
            assert_eq!(answer.header("allow"), names.join(", "), "{}", answer.report());
        }
    }
    for (path, caller) in [
        ("/", &scene.callers.anyone),
        ("/v1", &scene.callers.anyone),
        ("/v2/diner/cart", &scene.callers.anyone),
        ("/v1/nothing", &scene.callers.anyone),
        ("/v1/public/nothing", &scene.callers.anyone),
        ("/v1/diner/nothing", &scene.callers.guest),
        ("/v1/diner/cart/", &scene.callers.guest),
        ("/v1/diner//cart", &scene.callers.guest),
        ("/v1/waiter/nothing", &scene.callers.staff),
        ("/v1/kitchen/nothing", &scene.callers.staff),
        ("/v1/billing/nothing", &scene.callers.staff),
        ("/v1/admin/nothing", &scene.callers.staff),
        ("/v1/auth/nothing", &scene.callers.staff),
        ("/%ff%00", &scene.callers.anyone),
    ] {
        for method in [Method::GET, Method::POST] {
            is(&caller.send(method, path, None).await, "route_not_found");
        }
    }
}

#[tokio::test]
async fn credentials_come_before_everything_else() {
    let scene = Scene::set().await;
    let login =
        json!({ "tenant": "buen-sabor", "email": "leo@buensabor.demo", "password": "comanda-demo-waiter" });
    let login = scene
        .callers
        .anyone
        .post("/v1/auth/login", &login)
        .await
        .expect(200);
    let refresh = login.text("/refresh_token");
    for operation in scene.operations.iter().filter(|operation| !operation.is_public()) {
        let path = operation.at(&BTreeMap::new());
        let send = async |caller: &Client| {
            caller
                .header("content-type", "text/plain")
                .send_raw(operation.method.clone(), &path, Some(b"nonsense".to_vec()))
                .await
        };
        let anyone = &scene.callers.anyone;
        for header in [
            None,
            Some("Basic bGVvOng="),
            Some("Bearer"),
            Some("nonsense"),
            Some(""),
        ] {
            let caller =
                header.map_or_else(|| anyone.clone(), |header| anyone.header("authorization", header));
            is(&send(&caller).await, "unauthenticated");
        }
        for token in ["nonsense", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", &"a".repeat(5000)] {
            is(&send(&anyone.with_token(token)).await, "token_invalid");
        }
        is(&send(&anyone.with_token(refresh)).await, "token_wrong_audience");
        let two = anyone
            .with_token(scene.callers.staff.token())
            .header("authorization", "Bearer nonsense");
        is(&send(&two).await, "invalid_parameter");
    }
}

#[tokio::test]
async fn a_request_is_called_as_the_client_calls_it() {
    let scene = Scene::set().await;
    let anyone = &scene.callers.anyone;
    let longest = "x".repeat(64);
    for name in ["a", "7f1c-A.b_C", longest.as_str()] {
        for path in ["/livez", "/v1/diner/cart", "/nowhere"] {
            let answer = anyone.header("x-request-id", name).get(path).await;
            assert_eq!(answer.header("x-request-id"), name, "{}", answer.report());
            headers(&answer);
        }
    }
    let too_long = "x".repeat(65);
    for name in ["", "a b", "a/b", "ñ", "{}", too_long.as_str()] {
        for path in ["/livez", "/v1/diner/cart", "/nowhere"] {
            let answer = anyone.header("x-request-id", name).get(path).await;
            assert!(
                answer.header("x-request-id").starts_with("req_"),
                "{}",
                answer.report()
            );
        }
    }
    let (one, two) = (anyone.get("/livez").await, anyone.get("/livez").await);
    assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
}

/// Faults that no schema tells of, each with its exact place.
#[tokio::test]
async fn members_that_do_not_go_together_are_told_apart() {
    let scene = Scene::set().await;
    let (guest, staff) = (&scene.callers.guest, &scene.callers.staff);
    let (line, diner, check) = (fresh("crt"), scene.dinner.guests[0].id.clone(), fresh("chk"));
    let money = |amount: i64| json!({ "amount": amount, "currency": "ARS" });
    let dish = scene.dinner.dish("empanada_carne");
    let availability = format!(
        "/v1/kitchen/branches/{}/products/{dish}/availability",
        scene.dinner.branch
    );
    let close = format!("/v1/waiter/sessions/{}/close", scene.dinner.session);
    let payments = format!("/v1/billing/checks/{check}/payments");
    let add_guest = format!("/v1/waiter/sessions/{}/diners", scene.dinner.session);
    let cases = [
        (
            guest,
            Method::POST,
            "/v1/diner/rounds",
            json!({ "selection": "lines" }),
            "/line_ids",
            "required",
        ),
        (
            guest,
            Method::POST,
            "/v1/diner/rounds",
            json!({ "selection": "mine", "line_ids": [line] }),
            "/line_ids",
            "not_allowed",
        ),
        (
            guest,
            Method::POST,
            "/v1/diner/check",
            json!({ "split": { "method": "custom" } }),
            "/split/amounts",
            "required",
        ),
        (
            guest,
            Method::POST,
            "/v1/diner/check",
            json!({ "split": { "method": "equal", "amounts": [] } }),
            "/split/amounts",
            "not_allowed",
        ),
        (
            guest,
            Method::POST,
            "/v1/diner/check",
            json!({ "split": { "method": "custom", "amounts": [], "participants": [diner] } }),
            "/split/participants",
            "not_allowed",
        ),
        (
            guest,
            Method::PUT,
            "/v1/diner/check/split",
            json!({ "method": "by_consumption", "amounts": [] }),
            "/amounts",
            "not_allowed",
        ),
        (
            guest,
            Method::PATCH,
            "/v1/diner/me",
            json!({ "color": "magenta" }),
            "/color",
            "wrong_format",
        ),
        (
            guest,
            Method::PATCH,
            "/v1/diner/me",
            json!({ "color": "#12345G" }),
            "/color",
            "wrong_format",
        ),
        (
            guest,
            Method::POST,
            "/v1/diner/cart/lines",
            json!({ "product_id": dish, "qty": 1, "sharing": "group" }),
            "/shared_with",
            "too_short",
        ),
        (
            staff,
            Method::POST,
            &add_guest,
            json!({ "name": "Eva", "color": "1234567" }),
            "/color",
            "wrong_format",
        ),
        (
            staff,
            Method::POST,
            &close,
            json!({ "force": true, "reason": "they ran away" }),
            "/force",
            "not_allowed",
        ),
        (
            staff,
            Method::PUT,
            &availability,
            json!({ "available": true, "unavailable_until": "2030-01-01T00:00:00Z" }),
            "/unavailable_until",
            "not_allowed",
        ),
        (
            staff,
            Method::PUT,
            &availability,
            json!({ "available": false, "unavailable_until": "tomorrow" }),
            "/unavailable_until",
            "wrong_format",
        ),
        (
            staff,
            Method::POST,
            &payments,
            json!({ "provider": "cash" }),
            "/amount",
            "required",
        ),
        (
            staff,
            Method::POST,
            &payments,
            json!({ "provider": "card_terminal", "amount": money(1), "tendered": money(1) }),
            "/tendered",
            "not_allowed",
        ),
        (
            staff,
            Method::POST,
            &payments,
            json!({ "provider": "sandbox", "tendered": money(1) }),
            "/tendered",
            "not_allowed",
        ),
        (
            staff,
            Method::POST,
            &payments,
            json!({ "provider": "cash", "amount": money(1), "provider_options": {} }),
            "/provider_options",
            "not_allowed",
        ),
        (
            &scene.callers.anyone,
            Method::POST,
            "/v1/auth/refresh",
            json!({}),
            "/refresh_token",
            "required",
        ),
    ];
    for (caller, method, path, body, pointer, code) in cases {
        let caller = caller.key(&fresh("key")).seen(0);
        let answer = caller.send(method, path, Some(&body)).await;
        let report = format!("{body}\n{}", answer.report());
        assert_eq!(problem(&answer), "validation_failed", "{report}");
        assert_eq!(faults(&answer), [pair(pointer, code)], "{report}");
    }
}
