//! Logins of staff, and what they may read of the floor, against a real database.

use std::collections::HashSet;

use comanda_domain::actor::ActorKind;
use comanda_infrastructure::audit::Caller;
use comanda_infrastructure::db::{Ask, Origin};
use comanda_infrastructure::paging::Page;
use comanda_infrastructure::refusal::Refusal;
use comanda_infrastructure::staff::{Login, LoginOutcome, Stranger};
use comanda_security::SystemEntropy;
use comanda_security::cursor::CursorKeys;
use comanda_security::keys::{KeyList, MasterKeys, generate_key_list};
use comanda_security::policy::{Principal, StaffPrincipal};
use comanda_security::tokens::{Credential, authenticate};

use crate::house::{House, PASSWORD};

fn login(name: &str, password: &str) -> Login {
    Login {
        tenant: "house".into(),
        email: format!("{name}@house.demo"),
        password: password.into(),
    }
}

impl House {
    async fn login(&self, name: &str) -> LoginOutcome {
        self.services
            .staff
            .login(&Stranger::default(), &login(name, PASSWORD))
            .await
            .unwrap()
    }

    async fn refresh(&self, token: &str) -> Result<LoginOutcome, Refusal> {
        self.services.staff.refresh(&Stranger::default(), token).await
    }

    /// As a process does that has not heard of the login yet.
    async fn still_valid(&self, who: &StaffPrincipal) -> Result<(), Refusal> {
        tokio::time::sleep(std::time::Duration::from_millis(1010)).await;
        self.services.staff.still_valid(who).await
    }

    fn who(&self, outcome: &LoginOutcome) -> StaffPrincipal {
        let now = self.services.sources.now();
        match authenticate(
            &self.keys.tokens,
            "http://localhost:8080",
            &outcome.view.access_token,
            now,
        ) {
            Ok(Credential::Staff(claims)) => claims.principal(),
            other => panic!("{other:?}"),
        }
    }

    fn ask(&self, who: &StaffPrincipal) -> Ask {
        let caller = Caller {
            kind: ActorKind::User,
            id: Some(who.user.0),
            client_ip: None,
            user_agent: None,
        };
        Ask {
            tenant: self.tenant,
            caller,
            request_id: "it".into(),
            origin: Origin::default(),
            language: None,
            found_at: "",
            nonce: None,
            idempotency: None,
        }
    }
}

#[tokio::test]
async fn whatever_is_wrong_is_the_same() {
    let house = House::new().await;
    let disable = "UPDATE app_user SET disabled_at = now() WHERE email = 'waiter@house.demo'";
    house.client.batch_execute(disable).await.unwrap();
    let mut wrong = vec![
        login("owner", "not the password"),
        login("stranger", PASSWORD),
        login("waiter", PASSWORD),
    ];
    wrong.push(Login {
        tenant: "other".into(),
        ..login("owner", PASSWORD)
    });
    for login in wrong {
        let answer = house
            .services
            .staff
            .login(&Stranger::default(), &login)
            .await
            .err();
        assert!(matches!(answer, Some(Refusal::CredentialsInvalid)), "{login:?}");
    }
    assert_eq!(house.count("refresh_family").await, 0);
}

#[tokio::test]
async fn a_login_says_who_and_what() {
    let house = House::new().await;
    let given = Login {
        email: " Manager@House.demo ".into(),
        ..login("manager", PASSWORD)
    };
    let outcome = house
        .services
        .staff
        .login(&Stranger::default(), &given)
        .await
        .unwrap();
    assert_eq!(
        (outcome.view.expires_in, outcome.view.user.email.as_str()),
        (900, "manager@house.demo")
    );
    let grants: Vec<_> = outcome
        .view
        .user
        .grants
        .iter()
        .map(|g| (g.branch_name.as_str(), g.role.as_str()))
        .collect();
    assert_eq!(grants, [("Branch first", "manager")]);
    assert!(outcome.view.refresh_token.is_none());
    let who = house.who(&outcome);
    house.services.staff.still_valid(&who).await.unwrap();
    let me = house.services.staff.me(&house.ask(&who), &who).await.unwrap();
    assert_eq!(me.id, who.user.to_string());
    assert_eq!(
        house
            .count("app_user WHERE last_login_at IS NOT NULL AND version = 2")
            .await,
        1
    );
    assert_eq!(
        house
            .count("audit_stage WHERE action = 'auth.login' AND actor_id IS NOT NULL")
            .await,
        1
    );
}

#[tokio::test]
async fn who_may_not_come_in_is_told_only_with_the_right_password() {
    let house = House::new().await;
    let tried = async |login: Login| {
        house
            .services
            .staff
            .login(&Stranger::default(), &login)
            .await
            .err()
    };
    assert!(matches!(
        tried(login("nobody", PASSWORD)).await,
        Some(Refusal::Forbidden(_))
    ));
    house
        .client
        .batch_execute("UPDATE tenant SET status = 'suspended'")
        .await
        .unwrap();
    assert!(matches!(
        tried(login("owner", PASSWORD)).await,
        Some(Refusal::TenantSuspended)
    ));
    assert!(matches!(
        tried(login("owner", "not the password")).await,
        Some(Refusal::CredentialsInvalid)
    ));
}

#[tokio::test]
async fn a_stolen_refresh_token_ends_the_login() {
    let house = House::new().await;
    let first = house.login("waiter").await;
    let who = house.who(&first);
    let second = house.refresh(&first.refresh_token).await.unwrap();
    // A lost answer, or a second tab.
    house.pass(10);
    let again = house.refresh(&first.refresh_token).await.unwrap();
    assert_eq!(again.refresh_token, second.refresh_token);
    house.pass(1);
    let reused = house.refresh(&first.refresh_token).await;
    assert!(matches!(reused.err(), Some(Refusal::RefreshReused)));
    // The end was committed although the request was refused.
    assert!(matches!(
        house.refresh(&second.refresh_token).await.err(),
        Some(Refusal::CredentialRevoked)
    ));
    assert!(matches!(
        house.still_valid(&who).await,
        Err(Refusal::CredentialRevoked)
    ));
    assert_eq!(
        house
            .count("app_user WHERE email LIKE 'waiter@%' AND token_epoch = 2")
            .await,
        1
    );
    assert_eq!(
        house
            .count("audit_stage WHERE action = 'auth.refresh_reuse' AND actor_id IS NOT NULL")
            .await,
        1
    );
}

#[tokio::test]
async fn tabs_that_refresh_at_once_receive_the_same_token() {
    let house = House::new().await;
    let first = house.login("waiter").await;
    let tabs = (0..8).map(|_| house.refresh(&first.refresh_token));
    let tokens: HashSet<_> = futures_util::future::join_all(tabs)
        .await
        .into_iter()
        .map(|outcome| outcome.unwrap().refresh_token)
        .collect();
    assert_eq!(tokens.len(), 1);
    assert_eq!(house.count("refresh_family WHERE generation = 2").await, 1);
}

#[tokio::test]
async fn a_login_lives_seven_days_without_use_and_thirty_with() {
    const DAY: i64 = 86_400;
    let house = House::new().await;
    let mut token = house.login("waiter").await.refresh_token;
    for _ in 0..4 {
        house.pass(6 * DAY);
        token = house.refresh(&token).await.unwrap().refresh_token;
    }
    house.pass(6 * DAY);
    assert!(matches!(
        house.refresh(&token).await.err(),
        Some(Refusal::CredentialRevoked)
    ));
    for foreign in [
        "",
        "cmdr_x",
        "cmdr_00000000000000000000000005_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        assert!(
            matches!(
                house.refresh(foreign).await.err(),
                Some(Refusal::CredentialRevoked)
            ),
            "{foreign}"
        );
    }
}

#[tokio::test]
async fn logging_out_ends_one_login_or_all() {
    let house = House::new().await;
    let [a, b, c] = [
        house.login("waiter").await,
        house.login("waiter").await,
        house.login("waiter").await,
    ];
    let staff = &house.services.staff;
    let whos = [house.who(&a), house.who(&b), house.who(&c)];
    let ask = house.ask(&whos[0]);
    for _ in 0..2 {
        staff.logout(&ask, &whos[0]).await.unwrap();
    }
    assert!(matches!(
        staff.still_valid(&whos[0]).await,
        Err(Refusal::CredentialRevoked)
    ));
    staff.still_valid(&whos[1]).await.unwrap();
    staff.logout_all(&ask, &whos[1]).await.unwrap();
    assert!(matches!(
        staff.still_valid(&whos[1]).await,
        Err(Refusal::CredentialRevoked)
    ));
    assert!(matches!(
        house.refresh(&c.refresh_token).await.err(),
        Some(Refusal::CredentialRevoked)
    ));
    // Within the same instant, a new login works.
    let anew = house.login("waiter").await;
    staff.still_valid(&house.who(&anew)).await.unwrap();
    assert_eq!(house.count("audit_stage WHERE action = 'auth.logout'").await, 1);
}

#[tokio::test]
async fn a_new_password_ends_the_other_logins() {
    let house = House::new().await;
    let (mine, other) = (house.login("waiter").await, house.login("waiter").await);
    let who = house.who(&mine);
    let ask = house.ask(&who);
    let change = async |current: &str, new: &str| {
        house
            .services
            .staff
            .change_password(&ask, &who, &current.into(), &new.into())
            .await
    };
    assert!(matches!(
        change(PASSWORD, "short").await,
        Err(Refusal::Invalid {
            code: "too_short",
            ..
        })
    ));
    assert!(matches!(
        change(PASSWORD, "waiter@house.demo").await,
        Err(Refusal::Invalid {
            code: "not_allowed",
            ..
        })
    ));
    assert!(matches!(
        change("not mine", "a new long password").await,
        Err(Refusal::CredentialsInvalid)
    ));
    change(PASSWORD, "a new long password").await.unwrap();
    assert!(matches!(
        house.refresh(&other.refresh_token).await.err(),
        Some(Refusal::CredentialRevoked)
    ));
    assert!(matches!(
        house.services.staff.still_valid(&who).await,
        Err(Refusal::CredentialRevoked)
    ));
    let goes_on = house.refresh(&mine.refresh_token).await.unwrap();
    house
        .services
        .staff
        .still_valid(&house.who(&goes_on))
        .await
        .unwrap();
    let old = house
        .services
        .staff
        .login(&Stranger::default(), &login("waiter", PASSWORD))
        .await;
    assert!(matches!(old.err(), Some(Refusal::CredentialsInvalid)));
}

#[tokio::test]
async fn the_floor_shows_each_what_they_manage() {
    let house = House::new().await;
    let keys = generate_key_list("1", &SystemEntropy::new()).unwrap();
    let keys = CursorKeys::new(&MasterKeys::new(KeyList::parse(&keys).unwrap()));
    let page = |limit, cursor| Page {
        limit,
        cursor,
        context: &["it"],
        keys: &keys,
    };
    let floor = &house.services.floor;
    let staff = async |name: &str| {
        let who = house.who(&house.login(name).await);
        (house.ask(&who), Principal::Staff(who))
    };
    let (ask, owner) = staff("owner").await;
    let first = floor.branches(&ask, &owner, &page(1, None)).await.unwrap();
    let cursor = first.next_cursor.unwrap();
    let second = floor
        .branches(&ask, &owner, &page(1, Some(&cursor)))
        .await
        .unwrap();
    assert_eq!(
        (first.data[0].slug.as_str(), second.data[0].slug.as_str()),
        ("first", "second")
    );
    assert!(second.next_cursor.is_none());
    let forbidden = floor
        .tables(&ask, &owner, house.branch, None, &page(10, None))
        .await
        .err();
    assert!(matches!(forbidden, Some(Refusal::Forbidden(_))));

    let (ask, waiter) = staff("waiter").await;
    assert!(matches!(
        floor.branches(&ask, &waiter, &page(1, None)).await.err(),
        Some(Refusal::Forbidden(_))
    ));

    let (ask, manager) = staff("manager").await;
    let branches = floor.branches(&ask, &manager, &page(10, None)).await.unwrap();
    assert_eq!(
        branches
            .data
            .iter()
            .map(|branch| branch.slug.as_str())
            .collect::<Vec<_>>(),
        ["first"]
    );
    assert!(matches!(
        floor.branch(&ask, &manager, house.other_branch).await.err(),
        Some(Refusal::Forbidden(_))
    ));
    let absent = uuid::Uuid::from_u128(99);
    assert!(matches!(
        floor.branch(&ask, &manager, absent.into()).await.err(),
        Some(Refusal::NotFound)
    ));
    assert!(matches!(
        floor.table(&ask, &manager, absent.into()).await.err(),
        Some(Refusal::NotFound)
    ));

    let tables = floor
        .tables(&ask, &manager, house.branch, None, &page(1, None))
        .await
        .unwrap();
    let rest = floor
        .tables(
            &ask,
            &manager,
            house.branch,
            None,
            &page(1, tables.next_cursor.as_deref()),
        )
        .await
        .unwrap();
    assert_eq!(
        (tables.data[0].code.as_str(), rest.data[0].code.as_str()),
        ("SAL-01", "SAL-02")
    );
    let one = floor
        .tables(&ask, &manager, house.branch, Some("SAL-02"), &page(10, None))
        .await
        .unwrap();
    assert_eq!((one.data.len(), one.data[0].status.as_str()), (1, "free"));

    let qr = floor.qr(&ask, &manager, house.table).await.unwrap();
    assert_eq!(qr.url, format!("http://localhost:8080/t/{}", qr.code));
    let read = house.keys.codes.read_table_code(&qr.code).unwrap();
    assert_eq!(
        (read.tenant, read.table, read.qr_version),
        (house.tenant, house.table, 1)
    );
}
