//! The fault rig, as it runs in CI.

use std::fs;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

const RIG: &str = env!("CARGO_BIN_EXE_comanda-rig");
/// How long it may take until a planted defect is found.
const FOUND: Duration = Duration::from_mins(2);

/// Runs the rig; it prints its seed and the command that repeats it.
fn rig(arguments: &[&str]) -> (Output, String) {
    let output = Command::new(RIG).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    let all = format!("{said}{complained}");
    (output, all)
}

fn passes(arguments: &[&str]) {
    let (output, said) = rig(arguments);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("verdict: pass"), "{said}");
}

/// With this defect in every server the rig must fail, and for this reason.
fn finds(defect: &str, reason: &str) {
    let began = Instant::now();
    let (output, said) = rig(&[
        "--seed",
        "1",
        "--kills",
        "10",
        "--pace-ms",
        "1000",
        "--plant",
        defect,
    ]);
    let took = began.elapsed();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("verdict: fail"), "{said}");
    let mut reasons = said.lines().filter_map(|line| line.strip_prefix("- "));
    assert!(reasons.any(|found| found.contains(reason)), "{said}");
    assert!(took < FOUND, "found after {took:?}\n{said}");
    // What was to be found is no riddle: nobody needs the histories.
    let folder = said
        .lines()
        .find_map(|line| line.strip_prefix("histories and logs: "));
    fs::remove_dir_all(folder.unwrap()).unwrap();
}

#[test]
fn a_wrong_argument_is_an_error() {
    for (arguments, error) in [
        (["--kilsl", "3"], "--kilsl is unknown"),
        (["--plant", "weeds"], "--plant: weeds is none of"),
    ] {
        let (output, said) = rig(&arguments);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(error), "{said}");
    }
}

mod slow {
    use super::{finds, passes};

    #[test]
    fn sixty_kills_lose_nothing() {
        passes(&["--seed", "1", "--kills", "60", "--pace-ms", "1600"]);
    }

    #[test]
    fn a_cursor_over_the_identity_column_is_found() {
        finds("cursor_over_identity", "happened and was announced 0 times");
    }

    #[test]
    fn publishing_before_the_commit_is_found() {
        finds("publish_before_commit", "publisher.stopped");
    }

    #[test]
    fn reading_the_log_before_attaching_is_found() {
        finds("replay_before_attach", "events are missing");
    }
}
