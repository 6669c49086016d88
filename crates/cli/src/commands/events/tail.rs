//! `comanda events tail`: a branch as it lives, over HTTP: that also takes keys that sign, filters by type, and passes
//! every proxy.

use std::time::Duration;

use comanda_domain::cursor::StreamCursor;
use comanda_domain::event::View;
use comanda_domain::ids::BranchId;
use secrecy::SecretString;

use super::ask::{Answer, ask};
use super::show;
use crate::client::{Client, ClientError, backoff};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// What is followed.
#[derive(Debug)]
pub struct Tail {
    /// Which branch; guests need not say it.
    pub branch: Option<BranchId>,
    /// Which types only.
    pub types: Option<String>,
    /// Through whose eyes; the best that the token has if not said.
    pub view: Option<View>,
    /// After what; from now if not said.
    pub after: Option<StreamCursor>,
    /// How many events are shown at most.
    pub count: Option<u64>,
    /// Who asks.
    pub token: Option<SecretString>,
    /// How long one answer may take.
    pub patience: Duration,
}

/// Shows events until so many were shown, or until somebody interrupts.
///
/// # Errors
/// A refusal; a server that does not answer the first question; [`Exit::Interrupted`].
pub async fn tail(client: &Client, tail: &Tail, output: Output) -> Result<(), Failure> {
    let mut place = tail.after;
    let outcome = tokio::select! {
        outcome = follow(client, tail, &mut place, output) => return outcome,
        interrupted = tokio::signal::ctrl_c() => interrupted,
    };
    outcome?;
    let hint = place.map_or_else(String::new, |place| format!("go on with --after {place}"));
    Err(Failure::new(
        Exit::Interrupted,
        "interrupted",
        "interrupted",
        hint,
    ))
}

async fn follow(
    client: &Client,
    tail: &Tail,
    place: &mut Option<StreamCursor>,
    output: Output,
) -> Result<(), Failure> {
    let start = match *place {
        Some(after) => after,
        None => now(client, tail).await?,
    };
    *place = Some(start);
    if !output.json {
        output.talk(&show::head());
    }
    let (mut after, mut shown, mut failures, mut answered) = (start, 0, 0, tail.after.is_none());
    loop {
        let answer = match ask(client, tail, after, failures > 0 || !answered).await {
            Ok(answer) => answer,
            Err(error) if answered && is_passing(&error) => {
                failures += 1;
                let wait = backoff(failures);
                output.talk(&format!(
                    "{error}; asking again after {after} in {} ms",
                    wait.as_millis()
                ));
                tokio::time::sleep(wait).await;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        if failures > 0 {
            output.talk("It answers again");
        }
        (failures, answered) = (0, true);
        if answer.truncated {
            output.talk(&format!(
                "What happened after {after} is not kept any more: read the state again"
            ));
        }
        for event in &answer.data {
            if output.json {
                output.document(event)?;
            } else {
                output.text(&format!("{}\n", show::line(event)))?;
            }
            shown += 1;
            if tail.count == Some(shown) {
                return Ok(());
            }
        }
        after = answer.cursor();
        *place = Some(after);
    }
}

/// The newest event there is.
async fn now(client: &Client, tail: &Tail) -> Result<StreamCursor, ClientError> {
    let beginning = StreamCursor { epoch: None, seq: 0 };
    let Answer { epoch, head, .. } = ask(client, tail, beginning, true).await?;
    Ok(StreamCursor {
        epoch: Some(epoch),
        seq: head,
    })
}

/// Whether asking again may help: nobody answered, or too much is asked for right now.
fn is_passing(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { .. } => true,
        ClientError::Refused { problem, .. } => problem.status == 429 || problem.status >= 500,
        ClientError::Status { got, .. } => *got == 429 || *got >= 500,
        _ => false,
    }
}
