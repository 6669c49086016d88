//! The application: what the binary starts and the tests start on port 0.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_http::HttpService;
use actix_service::map_config;
use actix_web::dev::{AppConfig, Server, ServerHandle};
use actix_web::middleware::from_fn;
use actix_web::rt::net::TcpStream;
use actix_web::{App, HttpRequest, HttpResponse, web};
use comanda_infrastructure::gateway::Door;
use socket2::SockRef;
use tracing::warn;
use utoipa::OpenApi;
use utoipa_actix_web::AppExt;
use utoipa_swagger_ui::SwaggerUi;

use crate::asyncapi;
use crate::documents::{self, Document, Frame, RouteTable};
use crate::http::frame;
use crate::problem::{Code, Problem};
use crate::routes::{self, Serving};
use crate::sockets;
use crate::state::State;

/// How long a peer may leave what was sent unacknowledged.
const SILENCE: Duration = Duration::from_secs(30);

/// How the server listens and ends.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Where.
    pub bind: SocketAddr,
    /// Worker threads.
    pub workers: usize,
    /// How long running requests may take once the server stops.
    pub drain_timeout: Duration,
    /// What is served besides probes.
    pub serving: Serving,
}

/// A server that has its address and waits to be run.
pub struct Application {
    server: Server,
    address: SocketAddr,
    draining: Arc<AtomicBool>,
    door: Arc<Door>,
}

impl Application {
    /// Binds the address and builds the server.
    ///
    /// # Errors
    /// The address is taken or not ours.
    pub fn build(options: &ServerOptions, state: State) -> std::io::Result<Self> {
        let listener = TcpListener::bind(options.bind)?;
        let address = listener.local_addr()?;
        let (draining, door) = (state.draining.clone(), state.door.clone());
        let (serving, state) = (options.serving, web::Data::new(state));
        let document = openapi(&state.public_url);
        let known = web::Data::new(RouteTable::of(&described(serving)));
        let text = web::Data::new(Document(
            documents::text(&document).map_err(std::io::Error::other)?,
        ));
        let serve = move || {
            let (app, _) = App::new()
                .into_utoipa_app()
                .app_data(state.clone())
                .app_data(known.clone())
                .app_data(text.clone())
                .configure(|config| routes::serve(serving, config))
                .split_for_parts();
            let app = app
                .configure(|config| undescribed(serving, config))
                .default_service(web::to(nowhere))
                .wrap(from_fn(frame::finish));
            map_config(app, |()| AppConfig::default())
        };
        // As `HttpServer` does it, which does not let sockets take over their connections.
        let builder = Server::build();
        let ending = builder.graceful_shutdown_signal();
        let server = builder
            .workers(options.workers)
            .shutdown_timeout(options.drain_timeout.as_secs())
            .disable_signals()
            .listen("comanda", listener, move || {
                let ending = ending.clone();
                HttpService::build()
                    .graceful_shutdown_signal(move || {
                        let ending = ending.clone();
                        async move { ending.notified().await }
                    })
                    .client_request_timeout(Duration::from_secs(5))
                    .client_disconnect_timeout(Duration::from_secs(1))
                    // What is told must not wait for the next thing to be told.
                    .tcp_nodelay(true)
                    .on_connect_ext(|connection: &TcpStream, _| give_up_on_silence(connection))
                    .upgrade(sockets::takeover(serve()))
                    .finish(serve())
                    .tcp()
            })?
            .run();
        Ok(Self {
            server,
            address,
            draining,
            door,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A handle that stops it.
    pub fn stopper(&self) -> Stopper {
        Stopper {
            handle: self.server.handle(),
            draining: self.draining.clone(),
            door: self.door.clone(),
        }
    }

    /// Serves until it is stopped.
    ///
    /// # Errors
    /// The server failed.
    pub async fn run(self) -> std::io::Result<()> {
        self.server.await
    }
}

/// Stops a running server.
#[derive(Clone)]
pub struct Stopper {
    handle: ServerHandle,
    draining: Arc<AtomicBool>,
    door: Arc<Door>,
}

impl Stopper {
    /// Not ready any more, but still serving.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Finishes what runs and stops.
    pub async fn stop(&self) {
        self.door.close();
        self.handle.stop(true).await;
    }

    /// Stops at once.
    pub async fn stop_now(&self) {
        self.door.close();
        self.handle.stop(false).await;
    }
}

/// Runs a server's future on this thread until it ends; for binaries and tests without actix's own macros.
pub fn block_on<F: Future>(future: F) -> F::Output {
    actix_web::rt::System::new().block_on(future)
}

/// A peer that acknowledges nothing any more is gone, however much waits for it: the system ends such a connection.
fn give_up_on_silence(connection: &TcpStream) {
    if let Err(error) = SockRef::from(connection).set_tcp_user_timeout(Some(SILENCE)) {
        warn!(%error, "app.no_user_timeout");
    }
}

/// What no OpenAPI document describes: sockets, and the pages about the rest.
fn undescribed(serving: Serving, config: &mut web::ServiceConfig) {
    if serving.gateway {
        config.service(sockets::open);
    }
    if serving.api {
        config
            .service(documents::openapi_json)
            .service(asyncapi::asyncapi_json)
            .service(asyncapi::event_schema)
            .service(documents::jwks)
            .service(documents::problem_page)
            .service(SwaggerUi::new("/docs/{_:.*}").config(utoipa_swagger_ui::Config::from("/openapi.json")))
            .service(web::redirect("/docs", "/docs/"));
    }
}

/// The document of what this process serves.
fn described(serving: Serving) -> utoipa::openapi::OpenApi {
    App::new()
        .into_utoipa_app()
        .configure(|config| routes::serve(serving, config))
        .split_for_parts()
        .1
}

/// The OpenAPI document, from the routes themselves.
pub fn openapi(public_url: &str) -> utoipa::openapi::OpenApi {
    let (_, document) = App::new()
        .into_utoipa_app()
        .openapi(Frame::openapi())
        .configure(|config| routes::serve(Serving::ALL, config))
        .split_for_parts();
    documents::complete(document, public_url)
}

/// No route has this path, or not with this method.
pub(crate) async fn nowhere(
    request: HttpRequest,
    routes: web::Data<RouteTable>,
) -> Result<HttpResponse, Problem> {
    let methods = routes.methods(request.path());
    if methods.is_empty() {
        return Err(Problem::new(Code::RouteNotFound));
    }
    let mut problem = Problem::new(Code::MethodNotAllowed);
    problem.allow = Some(methods.join(", "));
    Err(problem)
}
