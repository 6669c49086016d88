//! `comanda demo dinner` at the tables of a real server.

use std::time::Duration;

use comanda_cli::client::{Client, ClientError};
use comanda_cli::commands::dinner::{Cause, DinnerError, DinnerOptions, Step, Summary, serve};
use comanda_cli::exit::Exit;
use comanda_cli::failure::Failure;
use comanda_testkit::TestApp;

async fn dine(url: &str, table: &str, guests: usize) -> (Vec<Step>, Result<Summary, DinnerError>) {
    let client = Client::new(url, Duration::from_secs(20)).unwrap();
    let options = DinnerOptions {
        table: table.to_owned(),
        guests,
        speed: 0.0,
    };
    let mut steps = Vec::new();
    let mut audience = |step: &Step| {
        steps.push(step.clone());
        Ok(())
    };
    let outcome = serve(&client, &options, &mut audience).await;
    (steps, outcome)
}

#[tokio::test]
async fn parties_of_every_size_dine_one_after_the_other() {
    let app = TestApp::start().await;
    for (check, guests) in (1..).zip([3, 1, 2, 8]) {
        let (steps, outcome) = dine(&app.url, "SAL-01", guests).await;
        let summary = outcome.unwrap();
        assert_eq!((summary.check_number, summary.guests.len()), (check, guests));
        assert!(summary.receipt_url.is_some());
        let mut shown: Vec<u8> = steps.iter().map(|step| step.step).collect();
        shown.dedup();
        let all: Vec<u8> = (1..=25)
            .filter(|step| guests > 1 || *step != 20)
            .filter(|step| guests > 2 || *step != 21)
            .collect();
        assert_eq!(shown, all);
    }
}

#[tokio::test]
async fn a_table_in_use_is_left_alone_and_another_one_named() {
    let app = TestApp::start().await;
    let client = Client::new(&app.url, Duration::from_secs(20)).unwrap();
    let options = DinnerOptions {
        table: "BAR-01".to_owned(),
        guests: 1,
        speed: 0.0,
    };
    // Somebody closes the laptop once the guests sit.
    let mut leaving = |step: &Step| {
        if step.step == 6 {
            Err(std::io::ErrorKind::BrokenPipe.into())
        } else {
            Ok(())
        }
    };
    let left = serve(&client, &options, &mut leaving).await.unwrap_err();
    assert_eq!(Failure::from(left).exit, Exit::Success);

    let (_, outcome) = dine(&app.url, "BAR-01", 3).await;
    let refused = outcome.unwrap_err();
    assert!(
        matches!(&refused.cause, Cause::TableInUse { status, free: Some(free), .. } if status == "open" && free != "BAR-01"),
        "{refused}"
    );
    assert_eq!((refused.step, Failure::from(refused).exit), (3, Exit::Conflict));
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let app = TestApp::start().await;
    let (_, outcome) = dine(&app.url, "XXX-01", 3).await;
    assert_eq!(Failure::from(outcome.unwrap_err()).exit, Exit::NotFound);

    let nobody = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let (steps, outcome) = dine(&format!("http://{nobody}"), "SAL-01", 3).await;
    let refused = outcome.unwrap_err();
    assert!(
        matches!(refused.cause, Cause::Client(ClientError::Unreachable { .. })) && steps.is_empty(),
        "{refused}"
    );
    assert_eq!(Failure::from(refused).exit, Exit::Unreachable);
}
