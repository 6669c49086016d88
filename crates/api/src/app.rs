//! The application: what the binary starts and the tests start on port 0.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::from_fn;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use comanda_infrastructure::gateway::Door;
use utoipa::OpenApi;
use utoipa_actix_web::AppExt;
use utoipa_swagger_ui::SwaggerUi;

use crate::documents::{self, Document, Frame, RouteTable};
use crate::http::frame;
use crate::problem::{Code, Problem};
use crate::routes;
use crate::sockets;
use crate::state::State;

/// How the server listens and ends.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Where.
    pub bind: SocketAddr,
    /// Worker threads.
    pub workers: usize,
    /// How long running requests may take once the server stops.
    pub drain_timeout: Duration,
    /// Whether more than probes is served.
    pub api: bool,
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
        if !options.api {
            return Self::probes(options, listener, address, state);
        }
        let (draining, door) = (state.draining.clone(), state.door.clone());
        let state = web::Data::new(state);
        let document = openapi(&state.public_url);
        let routes = web::Data::new(RouteTable::of(&document));
        let text = web::Data::new(Document(
            documents::text(&document).map_err(std::io::Error::other)?,
        ));
        let server = HttpServer::new(move || {
            let (app, _) = App::new()
                .into_utoipa_app()
                .app_data(state.clone())
                .app_data(routes.clone())
                .app_data(text.clone())
                .configure(routes::configure)
                .split_for_parts();
            app.service(sockets::open)
                .service(documents::openapi_json)
                .service(documents::jwks)
                .service(documents::problem_page)
                .service(
                    SwaggerUi::new("/docs/{_:.*}").config(utoipa_swagger_ui::Config::from("/openapi.json")),
                )
                .service(web::redirect("/docs", "/docs/"))
                .default_service(web::to(nowhere))
                .wrap(from_fn(frame::finish))
        })
        .workers(options.workers)
        .shutdown_timeout(options.drain_timeout.as_secs())
        .client_request_timeout(Duration::from_secs(5))
        .disable_signals()
        .listen(listener)?
        .run();
        Ok(Self {
            server,
            address,
            draining,
            door,
        })
    }

    /// For a process that does its work unseen: nothing but the probes.
    fn probes(
        options: &ServerOptions,
        listener: TcpListener,
        address: SocketAddr,
        state: State,
    ) -> std::io::Result<Self> {
        let (draining, door) = (state.draining.clone(), state.door.clone());
        let state = web::Data::new(state);
        let (_, document) = App::new()
            .into_utoipa_app()
            .configure(routes::probes)
            .split_for_parts();
        let known = web::Data::new(RouteTable::of(&document));
        let server = HttpServer::new(move || {
            let (app, _) = App::new()
                .into_utoipa_app()
                .app_data(state.clone())
                .app_data(known.clone())
                .configure(routes::probes)
                .split_for_parts();
            app.default_service(web::to(nowhere)).wrap(from_fn(frame::finish))
        })
        .workers(1)
        .shutdown_timeout(options.drain_timeout.as_secs())
        .client_request_timeout(Duration::from_secs(5))
        .disable_signals()
        .listen(listener)?
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

/// The OpenAPI document, from the routes themselves.
pub fn openapi(public_url: &str) -> utoipa::openapi::OpenApi {
    let (_, document) = App::new()
        .into_utoipa_app()
        .openapi(Frame::openapi())
        .configure(routes::configure)
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
