//! The `comanda` command; everything it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    comanda_cli::main()
}
