//! The operations listener: probes and metrics, away from the public.

use std::net::{SocketAddr, TcpListener};

use actix_web::dev::{Server, ServerHandle};
use actix_web::{App, HttpResponse, HttpServer, web};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;

use crate::readiness::Readiness;

/// The type of Prometheus' text format.
const TEXT: &str = "text/plain; version=0.0.4";

struct Watched {
    readiness: Readiness,
    metrics: Option<&'static PrometheusHandle>,
}

/// The listener, bound and waiting to be run.
pub struct Operations {
    server: Server,
    address: SocketAddr,
}

impl Operations {
    /// Binds the address.
    ///
    /// # Errors
    /// The address is taken or not ours.
    pub fn build(
        bind: SocketAddr,
        readiness: Readiness,
        metrics: Option<&'static PrometheusHandle>,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(bind)?;
        let address = listener.local_addr()?;
        let watched = web::Data::new(Watched { readiness, metrics });
        let server = HttpServer::new(move || {
            App::new()
                .app_data(watched.clone())
                .route("/livez", web::get().to(livez))
                .route("/readyz", web::get().to(readyz))
                .route("/metrics", web::get().to(render))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)?
        .run();
        Ok(Self { server, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A handle that stops it.
    pub fn stopper(&self) -> ServerHandle {
        self.server.handle()
    }

    /// Serves until it is stopped.
    ///
    /// # Errors
    /// The server failed.
    pub async fn run(self) -> std::io::Result<()> {
        self.server.await
    }
}

async fn livez() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

/// The verdict, and what it is made of.
async fn readyz(watched: web::Data<Watched>) -> HttpResponse {
    let checks = watched.readiness.checks().await;
    let ready = checks.iter().all(|check| check.ok);
    let body = json!({ "status": if ready { "ok" } else { "unready" }, "checks": checks });
    if ready {
        HttpResponse::Ok().json(body)
    } else {
        HttpResponse::ServiceUnavailable().json(body)
    }
}

async fn render(watched: web::Data<Watched>) -> HttpResponse {
    match watched.metrics {
        Some(metrics) => {
            metrics.run_upkeep();
            HttpResponse::Ok().content_type(TEXT).body(metrics.render())
        }
        None => HttpResponse::ServiceUnavailable().finish(),
    }
}
