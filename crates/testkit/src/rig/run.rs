//! A run from beginning to end: set up, warm, storm, heal, settle, judge.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::alarms::alarms;
use super::args::{Args, USAGE};
use super::check::check;
use super::dice::Dice;
use super::faults::{Fired, storm};
use super::fleet::Fleet;
use super::history::{Evidence, Heard, Notes, Operation, QueueSum};
use super::load::{Sender, eat, seat, staff};
use super::place::Place;
use super::plan::{kinds, plan};
use super::screens::{Phase, Screen};
use super::seats::open_screens;
use super::settle::settle;
use super::verdict::{Verdict, acknowledged, judge};
use super::{evidence, postgres};

/// How long a screen may take to come back for the last time.
const LAST_CALL: Duration = Duration::from_secs(30);

/// The program.
pub fn main() -> ExitCode {
    let args = match Args::read(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(error) => {
            println!("{error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let Some(program) = args.program.clone().or_else(beside) else {
        println!("comanda-api is not beside this program: cargo build --workspace --bins");
        return ExitCode::from(2);
    };
    println!("seed {}; again: {}", args.seed, args.again());
    let place = Place::open();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let verdict = runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).expect("signals can be heard");
        tokio::select! {
            verdict = run(&args, &program, &place) => verdict,
            _ = terminate.recv() => Verdict::Unknown(vec!["it was told to stop".to_owned()]),
            _ = tokio::signal::ctrl_c() => Verdict::Unknown(vec!["it was interrupted".to_owned()]),
        }
    });
    // The servers end with their tasks.
    runtime.shutdown_timeout(Duration::from_secs(10));
    place.sweep();
    report(&args, &verdict, &place)
}

fn beside() -> Option<PathBuf> {
    let ours = std::env::current_exe().ok()?;
    let program = ours.with_file_name("comanda-api");
    program.is_file().then_some(program)
}

fn report(args: &Args, verdict: &Verdict, place: &Place) -> ExitCode {
    let (name, reasons) = match verdict {
        Verdict::Pass => ("pass", &[][..]),
        Verdict::Fail(reasons) => ("fail", &reasons[..]),
        Verdict::Unknown(reasons) => ("unknown", &reasons[..]),
    };
    println!("verdict: {name}");
    for reason in reasons.iter().take(40) {
        println!("- {reason}");
    }
    if *verdict == Verdict::Pass {
        let _ = fs::remove_dir_all(&place.folder);
        return ExitCode::SUCCESS;
    }
    println!("histories and logs: {}", place.folder.display());
    println!("again: {}", args.again());
    ExitCode::FAILURE
}

async fn run(args: &Args, program: &Path, place: &Place) -> Verdict {
    let began = Instant::now();
    let fleet = Fleet::start(place, program, args.plant.as_deref()).await;
    let staff = staff(&fleet).await;
    let mut parties = Vec::new();
    for nth in 1..=args.parties {
        parties.push(seat(&fleet, &staff, &format!("SAL-0{nth}")).await);
    }
    let (tell_phase, phase) = watch::channel(Phase::Live);
    let mut listening = JoinSet::new();
    let screens = open_screens(&fleet, &staff, &parties, args.seed, &phase, &mut listening).await;
    println!(
        "{:>4} s  everything runs, all screens listen",
        began.elapsed().as_secs()
    );

    let notes = Arc::<Notes<Operation>>::default();
    let sums = Arc::<Notes<QueueSum>>::default();
    let (tell_stop, stop) = watch::channel(false);
    let mut eating = JoinSet::new();
    for (party, nth) in parties.into_iter().zip(1..) {
        let sender = Sender::new(&fleet, &notes, Dice::new(args.seed.wrapping_add(nth)));
        eating.spawn(eat(sender, staff.clone(), party, stop.clone()));
    }
    let sampling = tokio::spawn(sample(Arc::clone(&fleet), Arc::clone(&sums), stop));
    let steps = plan(args.seed, args.kills, args.pace);
    let planned = kinds(&steps);
    let fired = storm(&fleet, steps).await;
    let last_fault = Instant::now();
    println!(
        "{:>4} s  the storm is over: {:?}",
        began.elapsed().as_secs(),
        fired.kinds
    );
    tell_stop.send_replace(true);
    while eating.join_next().await.is_some() {}
    let _ = sampling.await;

    let settled = settle(&fleet, &screens, last_fault).await;
    println!(
        "{:>4} s  settled {settled:?} after the last fault",
        began.elapsed().as_secs()
    );
    tell_phase.send_replace(Phase::LastCall);
    let leaving = async { while listening.join_next().await.is_some() {} };
    let left = timeout(LAST_CALL, leaving).await;
    let mut evidence = read(&fleet).await;
    evidence.operations = notes.all();
    evidence.queues.extend(sums.all());
    evidence.accidents.extend(fleet.accidents.all());
    evidence.accidents.extend(alarms(&place.folder));
    evidence.screens = screens.iter().map(Screen::history).collect();
    evidence.accidents.extend(settled.err());
    if left.is_err() {
        let what = format!("not every screen came back for the last time within {LAST_CALL:?}");
        evidence.accidents.push(what);
    }
    write(&place.folder, &evidence);
    conclude(&evidence, &planned, &fired)
}

fn conclude(evidence: &Evidence, planned: &BTreeMap<&'static str, usize>, fired: &Fired) -> Verdict {
    let acknowledged = acknowledged(&evidence.operations);
    let heard = || evidence.screens.iter().flat_map(|screen| &screen.heard);
    println!(
        "{} operations, {acknowledged} acknowledged; {} rounds; {} events; {} screens heard {} and were closed {} times",
        evidence.operations.len(),
        evidence.rounds.len(),
        evidence.log.len(),
        evidence.screens.len(),
        heard()
            .filter(|heard| matches!(heard, Heard::Event { .. }))
            .count(),
        heard()
            .filter(|heard| matches!(heard, Heard::Closed { .. }))
            .count()
    );
    judge(check(evidence), planned, fired, &evidence.operations)
}

/// Looks at the queues for as long as the load runs; PostgreSQL is away now and then.
async fn sample(fleet: Arc<Fleet>, sums: Arc<Notes<QueueSum>>, stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Ok(client) = postgres::connect(&fleet.database).await {
            while let Ok(found) = evidence::queues(&client).await {
                for sum in found {
                    sums.add(sum);
                }
                sleep(Duration::from_millis(250)).await;
                if *stop.borrow() {
                    return;
                }
            }
        }
        sleep(Duration::from_millis(100)).await;
    }
}

async fn read(fleet: &Fleet) -> Evidence {
    let client = postgres::connect(&fleet.database)
        .await
        .expect("PostgreSQL answers");
    let mut evidence = evidence::read(&client).await.expect("the log can be read");
    evidence.queues = evidence::queues(&client).await.expect("the queues can be read");
    evidence
}

/// The histories as JSON lines, for whoever has to find out what happened.
fn write(folder: &Path, evidence: &Evidence) {
    let mut file = fs::File::create(folder.join("history.jsonl")).expect("our own folder");
    let operations = evidence
        .operations
        .iter()
        .map(|operation| json!({ "operation": operation }));
    let screens = evidence.screens.iter().flat_map(|screen| {
        let line = move |heard| json!({ "screen": screen.name, "heard": heard });
        screen.heard.iter().map(line)
    });
    let log = evidence.log.iter().map(|event| {
        json!({ "log": { "shard": event.shard, "pos": event.pos, "seq": event.seq, "id": event.id,
            "kind": event.kind, "subject": event.subject, "version": event.version } })
    });
    for line in operations.chain(screens).chain(log) {
        writeln!(file, "{line}").expect("our own folder");
    }
}
