//! Notes which commit and compiler a binary comes from, for `comanda version`.

use std::path::Path;
use std::process::Command;

fn main() {
    let commit = first_line(Command::new("git").args(["rev-parse", "--short=12", "HEAD"]));
    let rustc = first_line(Command::new("rustc").arg("--version"));
    println!(
        "cargo::rustc-env=COMANDA_COMMIT={}",
        commit.unwrap_or_else(|| "unknown".to_owned())
    );
    println!(
        "cargo::rustc-env=COMANDA_RUSTC={}",
        rustc.unwrap_or_else(|| "unknown".to_owned())
    );
    println!("cargo::rerun-if-changed=build.rs");
    // Grows with every commit and change of branch.
    if let Some(log) = first_line(Command::new("git").args(["rev-parse", "--git-path", "logs/HEAD"]))
        && Path::new(&log).exists()
    {
        println!("cargo::rerun-if-changed={log}");
    }
}

/// What a program says, if it can be run and succeeds.
fn first_line(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().next().map(str::to_owned)
}
