//! The authorisation table, operation by operation and caller by caller, on objects of the branch Centro.

use std::collections::BTreeMap;

use comanda_domain::actor::Role;
use comanda_security::policy::{Action, ApiScope, Mark, Reach, Rule, Scope};
use comanda_testkit::{Answer, Client, TestApp};
use serde_json::{Value, json};

use crate::operations::{Operation, fresh, problem};
use crate::party::Party;

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Caller {
    /// A login of Buen Sabor with these roles in Centro, and anywhere.
    Staff {
        name: &'static str,
        here: &'static [Role],
        anywhere: &'static [Role],
        owner: bool,
    },
    /// A registered guest.
    Guest,
    /// A phone with a table token.
    Visitor,
    /// An integration with every scope, or without the one that matters.
    Key { scoped: bool },
    /// Nobody.
    Anyone,
}

const CALLERS: [Caller; 10] = [
    staff("leo", &[Role::Waiter]),
    staff("nora", &[Role::Kitchen]),
    staff("marta", &[Role::Manager]),
    Caller::Staff {
        name: "olga",
        here: &[Role::Admin],
        anywhere: &[Role::Admin],
        owner: true,
    },
    Caller::Staff {
        name: "caro",
        here: &[Role::Waiter],
        anywhere: &[Role::Waiter, Role::Manager],
        owner: false,
    },
    Caller::Guest,
    Caller::Visitor,
    Caller::Key { scoped: true },
    Caller::Key { scoped: false },
    Caller::Anyone,
];

const fn staff(name: &'static str, here: &'static [Role]) -> Caller {
    Caller::Staff {
        name,
        here,
        anywhere: here,
        owner: false,
    }
}

/// What the table says.
#[derive(Debug, Clone, PartialEq)]
enum Expected {
    /// This status and code.
    Refused(u16, &'static str),
    /// `forbidden`, naming these roles.
    Forbidden(Vec<Role>),
    /// `scope_missing`, naming this one.
    ScopeMissing(Scope),
    /// Whatever the answer is, it is not about rights.
    Admitted,
    /// The domain's condition decides.
    Depends,
}

fn expected(operation: &Operation, rule: &Rule, caller: Caller) -> Expected {
    let other_kind = Expected::Refused(401, "token_wrong_audience");
    match caller {
        Caller::Anyone => Expected::Refused(401, "unauthenticated"),
        Caller::Key { .. } if !operation.is_for_keys() => other_kind,
        Caller::Key { scoped } => match rule.scope {
            ApiScope::Of(scope) if !scoped => Expected::ScopeMissing(scope),
            _ => Expected::Admitted,
        },
        _ if operation.is_for_keys() => other_kind,
        Caller::Staff { .. } if operation.is_for_guests() => other_kind,
        Caller::Guest | Caller::Visitor if !operation.is_for_guests() => other_kind,
        Caller::Guest if rule.action == Action::DinerRegister => other_kind,
        Caller::Guest => of_mark(rule.diner(), rule),
        Caller::Visitor => match rule.action {
            Action::DinerRegister | Action::SessionRead | Action::MenuRead => Expected::Admitted,
            _ => Expected::Refused(403, "registration_required"),
        },
        Caller::Staff {
            here,
            anywhere,
            owner,
            ..
        } => {
            let counted = match rule.reach {
                Reach::Tenant if operation.segments().is_empty() => anywhere,
                _ => here,
            };
            let marks = counted.iter().map(|role| rule.role(*role));
            let marks: Vec<Mark> = marks.chain(owner.then(|| rule.owner())).collect();
            let best = [Mark::Allowed, Mark::Conditional]
                .into_iter()
                .find(|mark| marks.contains(mark));
            of_mark(best.unwrap_or(Mark::Denied), rule)
        }
    }
}

fn of_mark(mark: Mark, rule: &Rule) -> Expected {
    match mark {
        Mark::Allowed => Expected::Admitted,
        Mark::Conditional => Expected::Depends,
        Mark::Denied => Expected::Forbidden(rule.roles()),
    }
}

struct Scene {
    app: TestApp,
    party: Party,
    logins: BTreeMap<&'static str, Client>,
    /// With every scope, and with none that a route needs.
    keys: [Client; 2],
}

impl Scene {
    async fn set() -> Self {
        let app = TestApp::start().await;
        let olga = app.staff("olga").await;
        let mut party = Party::eating(&app, &olga, "centro", "SAL-01").await;
        party.pay().await;
        let mut logins = BTreeMap::new();
        for caller in CALLERS {
            if let Caller::Staff { name, .. } = caller {
                logins.insert(name, app.staff(name).await);
            }
        }
        let branch = party.ids["brn"].clone();
        let all = app.key_in(&olga, Scope::ALL, &[&branch]).await;
        let few = app.key_in(&olga, &[Scope::ReportsRead], &[&branch]).await;
        // With a key that nobody else uses: it is looked at and revoked.
        let _ = party.integrate(&app, &olga).await;
        Self {
            app,
            party,
            logins,
            keys: [all, few],
        }
    }

    async fn call(&self, operation: &Operation, caller: Caller) -> Answer {
        let client = match caller {
            // Logging out must not disturb the others.
            Caller::Staff { name, .. } if operation.path.starts_with("/v1/auth/") => {
                self.app.staff(name).await
            }
            Caller::Staff { name, .. } => self.logins[name].clone(),
            Caller::Guest => self.party.guest.clone(),
            Caller::Visitor => self.party.visitor.clone(),
            Caller::Key { scoped } => self.keys[usize::from(!scoped)].clone(),
            Caller::Anyone => self.app.anyone(),
        };
        let ids = &self.party.ids;
        let body = operation.has_command().then(|| operation.sample(ids, false));
        client
            .key(&fresh("key"))
            .seen(1)
            .send(operation.method.clone(), &operation.at(ids), body.as_ref())
            .await
    }
}

#[tokio::test]
async fn the_answers_match_the_table() {
    let scene = Scene::set().await;
    let mut operations = Operation::all(&scene.app).await;
    operations.retain(|operation| !operation.is_public() && !operation.is_for_everyone());
    // Logging out everywhere ends the logins that the rest needs.
    operations.sort_by_key(|operation| {
        // What is deleted is not found any more.
        let deletes = operation.method == reqwest::Method::DELETE;
        (operation.path.starts_with("/v1/auth/"), deletes)
    });
    for operation in &operations {
        let action = Action::parse(&operation.action)
            .unwrap_or_else(|| panic!("{}: no such action: {:?}", operation.name(), operation.action));
        for caller in CALLERS {
            let expected = expected(operation, &action.rule(), caller);
            let answer = scene.call(operation, caller).await;
            check(
                &answer,
                &expected,
                &format!("{} ({action}) by {caller:?}: {expected:?}", operation.name()),
            );
        }
    }
}

fn check(answer: &Answer, expected: &Expected, what: &str) {
    let report = format!("{what}\n{}", answer.report());
    let code = answer.at("/code");
    if !answer.status.is_success() {
        assert_eq!(code, problem(answer), "{report}");
    }
    match expected {
        Expected::Refused(status, expected) => {
            assert_eq!(
                (answer.status.as_u16(), code),
                (*status, json!(expected)),
                "{report}"
            );
        }
        Expected::Forbidden(roles) => {
            let roles: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
            assert_eq!(
                (answer.status.as_u16(), code),
                (403, json!("forbidden")),
                "{report}"
            );
            assert_eq!(answer.at("/required_roles"), json!(roles), "{report}");
        }
        Expected::ScopeMissing(scope) => {
            assert_eq!(
                (answer.status.as_u16(), code),
                (403, json!("scope_missing")),
                "{report}"
            );
            assert_eq!(answer.at("/required_scope"), scope.as_str(), "{report}");
        }
        Expected::Admitted => {
            assert_ne!(answer.status, 403, "{report}");
            // A wrong present password is the caller's to correct.
            assert!(answer.status != 401 || code == "credentials_invalid", "{report}");
            assert_ne!(code, "not_found", "{report}");
        }
        Expected::Depends => assert_ne!(answer.status, 401, "{report}"),
    }
}

#[tokio::test]
async fn every_operation_names_its_action() {
    let app = TestApp::start().await;
    let public = [
        "GET /livez",
        "GET /readyz",
        "GET /v1/public/receipts/{receipt_code}",
        "POST /v1/auth/login",
        "POST /v1/auth/refresh",
        "POST /v1/public/tables/open",
    ];
    let mut open = Vec::new();
    for operation in Operation::all(&app).await {
        if operation.is_public() {
            open.push(operation.name());
        } else {
            assert!(
                Action::parse(&operation.action).is_some(),
                "{}: {:?}",
                operation.name(),
                operation.action
            );
        }
    }
    open.sort();
    assert_eq!(open, public, "what needs no credential is listed here on purpose");
}

#[tokio::test]
async fn rights_end_at_the_branch() {
    let app = TestApp::start().await;
    let (olga, caro) = (app.staff("olga").await, app.staff("caro").await);
    let branches = olga.get("/v1/admin/branches").await.expect(200).list("/data");
    let id = |slug: &str| {
        let branch = branches.iter().find(|branch| branch["slug"] == slug).unwrap();
        branch["id"].as_str().unwrap().to_owned()
    };
    let (centro, palermo) = (id("centro"), id("palermo"));
    // A manager in Palermo …
    let _ = caro
        .get(&format!("/v1/admin/branches/{palermo}/tables"))
        .await
        .expect(200);
    // … is a waiter in Centro …
    let _ = caro
        .get(&format!("/v1/waiter/branches/{centro}/tables"))
        .await
        .expect(200);
    let refused = caro
        .get(&format!("/v1/admin/branches/{centro}/tables"))
        .await
        .refused(403, "forbidden");
    assert_eq!(refused.at("/required_roles"), json!(["manager", "admin"]));
    // … and sees the branches that she manages.
    let seen = caro.get("/v1/admin/branches").await.expect(200);
    let seen: Vec<Value> = seen
        .list("/data")
        .iter()
        .map(|branch| branch["slug"].clone())
        .collect();
    assert_eq!(seen, ["palermo"]);
    // Those of Centro have no right in Palermo at all, and the other way round.
    for name in ["leo", "marta"] {
        let path = format!("/v1/waiter/branches/{palermo}/tables");
        let _ = app.staff(name).await.get(&path).await.refused(403, "forbidden");
    }
    let path = format!("/v1/kitchen/branches/{centro}/tickets");
    let _ = app.staff("teo").await.get(&path).await.refused(403, "forbidden");
}
