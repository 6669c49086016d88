//! Who listens: sockets at `GET /v1/ws/{view}`, protocol `comanda.v1` (`events.md` 7), and the same as server-sent
//! events (`events.md` 8).
//!
//! A socket has no task of its own. Its handshake is a request like any other; once it is answered, the connection's
//! task drives the socket on the bare connection.

mod close;
mod count;
mod drive;
mod frames;
mod login;
mod socket;
mod sse;
mod stream;
mod takeover;
mod times;
mod wire;

use actix_http::ws::verify_handshake;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, get, web};
use comanda_domain::event::{TypeFilters, View};

pub use self::close::codes;
pub use self::frames::{AUTH_WITHIN_MS, HEARTBEAT_MS};
use self::login::Line;
use self::socket::Socket;
pub use self::stream::{Listening, listen};
pub use self::takeover::takeover;
pub use self::wire::MAX_FRAME;
use crate::http::answer::Answer;
use crate::http::frame::RequestName;
use crate::problem::{Code, Problem};
use crate::state::State;

/// The sub-protocol.
pub const PROTOCOL: &str = "comanda.v1";
/// How an offered sub-protocol begins that is a token.
const BEARER: &str = "bearer.";

/// Opens a socket.
#[get("/v1/ws/{view}")]
pub async fn open(state: web::Data<State>, request: HttpRequest, view: web::Path<String>) -> Answer {
    let view = View::parse(&view).ok_or_else(|| Problem::new(Code::RouteNotFound))?;
    verify_handshake(request.head()).map_err(|error| {
        Problem::with_detail(
            Code::InvalidParameter,
            format!("this is the address of a WebSocket: {error}"),
        )
    })?;
    let offered = offered(&request)?;
    let queue = state.door.queue();
    let entry = state
        .door
        .enter(&queue)
        .await
        .ok_or_else(|| Problem::new(Code::ServiceUnavailable))?;
    let line = Line {
        state,
        view: Some(view),
        queue,
        types: TypeFilters::default(),
        origin: text(&request, header::ORIGIN),
        address: request.peer_addr().map(|address| address.ip()),
    };
    let name = RequestName::of(&request);
    let socket = Socket::new(line, view, entry, name, offered.token);
    let mut answer = upgraded(&request);
    if offered.protocol {
        answer.insert_header((header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL)));
    }
    let mut answer = answer.finish();
    // Who takes over the connection finds it here.
    answer.extensions_mut().insert(Box::new(socket));
    Ok(answer)
}

/// What the client offered as sub-protocols.
struct Offered {
    /// Ours.
    protocol: bool,
    /// A token.
    token: Option<String>,
}

fn offered(request: &HttpRequest) -> Result<Offered, Problem> {
    if request.query_string().contains("token") {
        let detail =
            "a token never travels in an address: offer it as sub-protocol, or send it in the first frame";
        return Err(Problem::with_detail(Code::InvalidParameter, detail));
    }
    let headers = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL);
    let all: Vec<&str> = headers
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(',').map(str::trim))
        .collect();
    Ok(Offered {
        protocol: all.contains(&PROTOCOL),
        token: all
            .iter()
            .find_map(|offer| offer.strip_prefix(BEARER).map(str::to_owned)),
    })
}

fn text(request: &HttpRequest, name: header::HeaderName) -> Option<String> {
    let value = request.headers().get(name)?;
    value.to_str().ok().map(str::to_owned)
}

/// The answer to the handshake (RFC 6455 4.2.2).
fn upgraded(request: &HttpRequest) -> HttpResponseBuilder {
    let key = request.headers().get(header::SEC_WEBSOCKET_KEY);
    let accept = actix_http::ws::hash_key(key.map_or(&[], HeaderValue::as_bytes));
    let mut answer = HttpResponse::build(StatusCode::SWITCHING_PROTOCOLS);
    answer.upgrade("websocket");
    if let Ok(accept) = HeaderValue::from_bytes(&accept) {
        answer.insert_header((header::SEC_WEBSOCKET_ACCEPT, accept));
    }
    answer
}
