//! The server of Comanda.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use comanda_api::process::{Preparations, Process, ProcessError};
use comanda_infrastructure::clock::Sources;
use comanda_infrastructure::config::Config;
use comanda_infrastructure::telemetry;
use mimalloc::MiMalloc;

/// A request makes hundreds of small values that live for milliseconds.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Serves restaurants over HTTP. Settings come from the environment; see docs/configuration.md.
#[derive(Debug, Parser)]
#[command(name = "comanda-api", version)]
struct Arguments {
    /// Load the demo restaurants on first start.
    #[arg(long)]
    demo: bool,
    /// Apply pending migrations also in staging and production.
    #[arg(long)]
    migrate: bool,
}

#[actix_web::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let config = match Config::from_env() {
        Ok(config) => config,
        Err(problems) => {
            complain(&problems.to_string());
            return ExitCode::from(2);
        }
    };
    telemetry::start(&config);
    match serve(&arguments, &config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the operator reads why the server does not start"
)]
fn complain(text: &str) {
    eprintln!("{text}");
}

#[expect(clippy::print_stdout, reason = "the newcomer reads where to go next")]
fn greet(text: &str) {
    println!("{text}");
}

async fn serve(arguments: &Arguments, config: &Config) -> Result<(), ProcessError> {
    let prepare = Preparations {
        demo: arguments.demo,
        migrate: arguments.migrate,
    };
    let process = Process::start(config, Sources::system(), prepare).await?;
    // Before anybody is told that it may be stopped.
    let told = stop_signal();
    tracing::info!(address = %process.address(), operations = %process.operations_address(), "listening");
    if arguments.demo {
        greet(&addresses(process.address()));
    }
    let stopper = process.stopper();
    let delay = config.drain_delay;
    actix_web::rt::spawn(async move {
        told.await;
        stopper.drain();
        tokio::time::sleep(delay).await;
        stopper.stop().await;
    });
    process.run().await
}

fn addresses(address: SocketAddr) -> String {
    format!(
        "Comanda serves the demo restaurants.\n  \
         API documentation   http://{address}/docs/\n  \
         OpenAPI document    http://{address}/openapi.json\n  \
         Readiness           http://{address}/readyz\n\
         Next, in another terminal: ./dev comanda demo dinner"
    )
}

/// The first of SIGTERM and SIGINT from now on; the second one ends the process at once.
fn stop_signal() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    async move {
        let (Ok(mut term), Ok(mut interrupt)) = signals else {
            return std::future::pending().await;
        };
        tokio::select! { _ = term.recv() => {}, _ = interrupt.recv() => {} }
        actix_web::rt::spawn(async move {
            tokio::select! { _ = term.recv() => {}, _ = interrupt.recv() => {} }
            std::process::exit(1);
        });
    }
}
