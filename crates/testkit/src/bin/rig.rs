//! `comanda-rig`: see `docs/testing.md`.

fn main() -> std::process::ExitCode {
    comanda_testkit::rig::main()
}
