//! What a handshake leaves behind: the bare connection, without the buffers that HTTP needs. Thousands of sockets that
//! say nothing then cost little more than what they listen to.

use std::rc::Rc;

use actix_codec::Framed;
use actix_http::h1::{Codec, SendResponse};
use actix_http::{Request, Response};
use actix_service::{IntoServiceFactory, Service, ServiceFactory, fn_factory, fn_service};
use actix_web::body::{BodySize, MessageBody, to_bytes};
use actix_web::dev::ServiceResponse;
use actix_web::rt::net::TcpStream;
use bytes::BytesMut;
use socket2::SockRef;

use super::drive::Driven;
use super::socket::Socket;

/// Bytes that the system keeps for a socket that does not read, before they wait in its queue, where it is noticed.
/// By itself it would keep megabytes, of thousands of them.
const UNSENT: usize = 64 * 1024;

/// What actix hands over when a client asks for another protocol.
type Handed = (Request, Framed<TcpStream, Codec>);

/// Answers handshakes as `app` answers any request, and drives the sockets that it opened.
pub fn takeover<F, S, B>(
    app: F,
) -> impl ServiceFactory<Handed, Config = (), Response = (), Error = actix_http::Error, InitError = ()>
where
    F: IntoServiceFactory<S, Request> + 'static,
    S: ServiceFactory<
            Request,
            Config = (),
            Response = ServiceResponse<B>,
            Error = actix_web::Error,
            InitError = (),
        > + 'static,
    S::Service: 'static,
    B: MessageBody + 'static,
{
    let app = app.into_factory();
    fn_factory(move || {
        let starting = app.new_service(());
        async move {
            let app = Rc::new(starting.await?);
            Ok(fn_service(move |(request, framed): Handed| {
                let app = Rc::clone(&app);
                async move {
                    // In a box of its own, which goes before the socket lives.
                    let opened = Box::pin(shake(&*app, request, framed)).await?;
                    if let Some((socket, connection, early)) = opened {
                        Driven::new(socket, connection, &early).await;
                    }
                    Ok(())
                }
            }))
        }
    })
}

/// Answers. Gives the socket with its connection and what the client has sent already, if one was opened.
async fn shake<S, B>(
    app: &S,
    request: Request,
    framed: Framed<TcpStream, Codec>,
) -> Result<Option<(Box<Socket>, TcpStream, BytesMut)>, actix_http::Error>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody + 'static,
{
    let mut answer = match app.call(request).await {
        Ok(answer) => answer.into_parts().1.map_into_boxed_body(),
        Err(error) => error.error_response(),
    };
    let socket = answer.extensions_mut().remove::<Box<Socket>>();
    let (head, body) = Response::from(answer).into_parts();
    // Who asks for another protocol, of something that never ends, gets neither.
    if body.size() == BodySize::Stream {
        return Ok(None);
    }
    let Ok(body) = to_bytes(body).await else {
        return Ok(None);
    };
    let sent = SendResponse::new(framed, head.set_body(body)).await?;
    let parts = sent.into_parts();
    if socket.is_some() {
        // The system's own size is as good, only later noticed to be full.
        let _ = SockRef::from(&parts.io).set_send_buffer_size(UNSENT);
    }
    Ok(socket.map(|socket| (socket, parts.io, parts.read_buf)))
}
