//! `comanda ws test`: whether a socket opens, knows who asks, subscribes and answers, and how long each takes.

use std::time::{Duration, Instant};

use comanda_domain::ids::BranchId;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::json;

use crate::client::socket::{Frame, Op, Socket, SocketAddress, SocketError};
use crate::columns::{self, Side};
use crate::failure::Failure;
use crate::output::Output;

/// Close codes that a socket without a token ends with: refused, or not waited for any longer.
const WITHOUT_TOKEN: [u16; 2] = [4401, 4408];

/// What is tried.
#[derive(Debug)]
pub struct WsTest {
    /// Which socket.
    pub address: SocketAddress,
    /// Which branch to listen to.
    pub branch: Option<BranchId>,
    /// Who asks; nobody ends the test with the greeting.
    pub token: Option<SecretString>,
    /// How long one answer may take.
    pub patience: Duration,
}

/// What came of one step.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// `connect`, `hello`, `auth`, `ready` or `ping`.
    pub step: &'static str,
    /// Whether it went well.
    pub ok: bool,
    /// In words.
    pub result: String,
    /// How long it took, in milliseconds.
    pub ms: f64,
}

#[derive(Serialize)]
struct Document<'a> {
    ok: bool,
    steps: &'a [Step],
}

/// The steps so far, and the one that runs.
struct Course {
    steps: Vec<Step>,
    running: &'static str,
    began: Instant,
}

impl Course {
    fn new() -> Self {
        Self {
            steps: Vec::new(),
            running: "connect",
            began: Instant::now(),
        }
    }

    fn is_done(&mut self, ok: bool, result: impl Into<String>) {
        let micros = (self.began.elapsed().as_secs_f64() * 1e6).round();
        self.steps.push(Step {
            step: self.running,
            ok,
            result: result.into(),
            ms: micros / 1000.0,
        });
    }

    fn then(&mut self, next: &'static str) {
        self.running = next;
        self.began = Instant::now();
    }
}

/// Tries it, and shows every step, also the one that failed.
///
/// # Errors
/// The step that failed.
pub async fn run(test: &WsTest, output: Output) -> Result<(), Failure> {
    let mut course = Course::new();
    let outcome = steps(test, &mut course, output).await;
    if let Err(error) = &outcome {
        course.is_done(false, error.to_string());
    }
    let steps = &course.steps;
    if output.json {
        let ok = outcome.is_ok();
        output.document(&Document { ok, steps })?;
    } else {
        output.text(&table(steps))?;
    }
    Ok(outcome?)
}

async fn steps(test: &WsTest, course: &mut Course, output: Output) -> Result<(), SocketError> {
    let token = test.token.as_ref().map(ExposeSecret::expose_secret);
    let mut socket = Socket::open(&test.address, token, test.patience).await?;
    course.is_done(true, test.address.text());
    course.then("hello");
    let hello = socket.hear(Op::Hello).await?;
    let within = hello.auth_within_ms.unwrap_or_default();
    course.is_done(true, format!("{within} ms to say who it is"));
    course.then("auth");
    if token.is_none() {
        output.talk("There is no token: waiting to be closed");
        let closed = without_token(&mut socket).await?;
        course.is_done(true, closed);
        return Ok(());
    }
    // Frames are answered in order, and none before it is known who sends them.
    ping(&mut socket, 1).await?;
    course.is_done(true, "the token is good");
    course.then("ready");
    let wish = json!({ "op": "subscribe", "branch_id": test.branch });
    socket.send(&wish).await?;
    let ready = socket.hear(Op::Ready).await?;
    course.is_done(true, standing(&ready));
    course.then("ping");
    ping(&mut socket, 2).await?;
    course.is_done(true, "pong");
    socket.leave().await;
    Ok(())
}

/// How a socket ends that nobody speaks on.
async fn without_token(socket: &mut Socket) -> Result<String, SocketError> {
    match socket.hear(Op::Ready).await {
        Err(SocketError::Closed { code, reason, .. }) if WITHOUT_TOKEN.contains(&code) => Ok(format!(
            "closed with {code} {reason}, as it must be without a token"
        )),
        Err(error) => Err(error),
        Ok(_) => Err(SocketError::Broken("subscribed without a token".to_owned())),
    }
}

async fn ping(socket: &mut Socket, n: u8) -> Result<Frame, SocketError> {
    socket.send(&json!({ "op": "ping", "n": n })).await?;
    socket.hear(Op::Pong).await
}

fn standing(ready: &Frame) -> String {
    let epoch = ready.epoch.map(|epoch| epoch.to_string()).unwrap_or_default();
    format!("at {epoch}-{}", ready.head.unwrap_or_default())
}

fn table(steps: &[Step]) -> String {
    let heads = [(Side::Left, "STEP"), (Side::Left, "RESULT"), (Side::Right, "MS")];
    let row = |step: &Step| {
        let result = if step.ok {
            step.result.clone()
        } else {
            format!("FAILED: {}", step.result)
        };
        vec![step.step.to_owned(), result, format!("{:.1}", step.ms)]
    };
    columns::table(&heads, &steps.iter().map(row).collect::<Vec<_>>())
}
