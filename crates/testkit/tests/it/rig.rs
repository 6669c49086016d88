//! The fault rig, as it runs in CI.

use std::process::Command;

const RIG: &str = env!("CARGO_BIN_EXE_comanda-rig");

/// Runs the rig; it prints its seed and the command that repeats it.
fn passes(arguments: &[&str]) {
    let output = Command::new(RIG).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}{complained}");
    assert!(said.contains("verdict: pass"), "{said}{complained}");
}

#[test]
fn a_wrong_argument_is_an_error() {
    let output = Command::new(RIG).args(["--kilsl", "3"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stdout).contains("--kilsl is unknown"));
}

mod slow {
    #[test]
    fn sixty_kills_lose_nothing() {
        super::passes(&["--seed", "1", "--kills", "60", "--pace-ms", "1600"]);
    }
}
