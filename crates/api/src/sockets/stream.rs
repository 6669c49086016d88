//! One stream of server-sent events, driven by its connection's own task: no task of its own, no channel but its
//! queue. It is told, counted, limited and ended as a socket is.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use bytes::BytesMut;
use comanda_domain::cursor::{Epoch, StreamCursor};
use comanda_domain::event::TypeFilters;
use comanda_infrastructure::gateway::{Admitted, Counted, Entry, Membership, Message};
use comanda_security::policy::Principal;
use futures_util::future::LocalBoxFuture;
use tokio::time::{Instant, Sleep, sleep_until};

use super::close::Close;
use super::count::Open;
use super::frames::HEARTBEAT_MS;
use super::login::Line;
use super::socket::{ENOUGH, EXPIRING, GRACE};
use super::sse;
use crate::http::answer::Answer;
use crate::http::frame::RequestName;
use crate::http::principal::GoodUntil;
use crate::problem::{Code, Problem};
use crate::state::State;

/// A client that has gone is noticed when something is written to it for the second time.
const PROBE: Duration = Duration::from_secs(1);

/// Who listens to what.
pub struct Listening {
    /// Who.
    pub who: Principal,
    /// To what, and through whose eyes.
    pub admitted: Admitted,
    /// Which types only.
    pub types: TypeFilters,
    /// What they have seen.
    pub after: Option<StreamCursor>,
}

/// Answers with a stream.
///
/// # Errors
/// More connections than the process takes, or than somebody may have.
pub async fn listen(state: web::Data<State>, request: &HttpRequest, listening: Listening) -> Answer {
    let queue = state.door.queue();
    let unavailable = || Problem::new(Code::ServiceUnavailable);
    let mut entry = state.door.enter(&queue).await.ok_or_else(unavailable)?;
    let line = Line {
        state,
        view: Some(listening.admitted.subscription.viewer.view()),
        queue,
        types: listening.types.clone(),
        // Which pages may ask is for the browser to judge, as with every request.
        origin: None,
        address: request.peer_addr().map(|address| address.ip()),
    };
    let until = request.extensions().get::<GoodUntil>().and_then(|until| until.0);
    let owner = line.owner(listening.who, until).map_err(refused)?;
    let counted = line.count(&owner).map_err(refused)?;
    entry.known();
    let joining = line
        .clone()
        .enter(owner.member, listening.admitted, listening.after);
    let stream = Stream::new(
        line,
        owner.expires,
        Box::pin(joining),
        (entry, counted),
        RequestName::of(request),
    );
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // Proxies pass on what comes, as it comes.
        .insert_header((HeaderName::from_static("x-accel-buffering"), "no"))
        .body(stream))
}

/// What ends a stream before it began is an answer like any other.
fn refused(why: Close) -> Problem {
    why.problem
        .unwrap_or_else(|| Problem::new(Code::InternalError).because(why.reason))
}

type Joining = LocalBoxFuture<'static, Result<Membership, Close>>;

/// The body of the answer.
struct Stream {
    line: Line,
    request: String,
    joining: Option<Joining>,
    membership: Option<Membership>,
    /// Room in the process and among the owner's connections.
    _place: (Entry, Counted),
    epoch: Option<Epoch>,
    out: BytesMut,
    expires: Option<Instant>,
    told_expiry: bool,
    heartbeat: Instant,
    probe: Option<Instant>,
    /// Whoever asks next does so because something was written.
    wrote: bool,
    sleep: Pin<Box<Sleep>>,
    ended: bool,
    open: Open,
}

impl Stream {
    fn new(
        line: Line,
        expires: Option<Instant>,
        joining: Joining,
        place: (Entry, Counted),
        request: String,
    ) -> Self {
        let now = Instant::now();
        let mut out = BytesMut::new();
        sse::retry(&mut out);
        Self {
            line,
            request,
            joining: Some(joining),
            membership: None,
            _place: place,
            epoch: None,
            out,
            expires,
            told_expiry: false,
            heartbeat: now + Duration::from_millis(HEARTBEAT_MS),
            probe: None,
            wrote: false,
            sleep: Box::pin(sleep_until(now)),
            ended: false,
            open: Open::new("sse"),
        }
    }

    /// Says why, and ends.
    fn end(&mut self, why: &Close) {
        if let Some(problem) = &why.problem {
            let public_url = &self.line.state.public_url;
            let problem = problem.body(public_url, "/v1/events/stream", &self.request);
            sse::error(&mut self.out, &problem);
        }
        self.open.closes(why.code);
        (self.joining, self.membership) = (None, None);
        self.ended = true;
    }

    /// Goes on with subscribing. Says whether something came of it.
    fn join(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(joining) = &mut self.joining else {
            return false;
        };
        let Poll::Ready(joined) = joining.as_mut().poll(cx) else {
            return false;
        };
        self.joining = None;
        match joined {
            Ok(membership) => self.membership = Some(membership),
            Err(why) => self.end(&why),
        }
        true
    }

    /// Does what is due. Says whether anything was.
    fn keep_time(&mut self, cx: &mut Context<'_>) -> bool {
        if self.due(Instant::now()) {
            return true;
        }
        let next = self.next_due();
        if self.sleep.deadline() != next {
            self.sleep.as_mut().reset(next);
        }
        self.sleep.as_mut().poll(cx).is_ready()
    }

    fn due(&mut self, now: Instant) -> bool {
        if self.expires.is_some_and(|end| end + GRACE <= now) {
            self.end(&Close::expired());
        } else if !self.told_expiry && self.expires.is_some_and(|end| end <= now + EXPIRING) {
            self.told_expiry = true;
            let left = self
                .expires
                .map_or(Duration::ZERO, |end| end.saturating_duration_since(now));
            sse::expiring(&mut self.out, u64::try_from(left.as_millis()).unwrap_or(0));
        } else if self.probe.is_some_and(|at| at <= now) {
            self.probe = None;
            sse::comment(&mut self.out);
        } else if self.heartbeat <= now {
            self.heartbeat = now + Duration::from_millis(HEARTBEAT_MS);
            self.membership.iter().for_each(Membership::heartbeat);
        } else {
            return false;
        }
        true
    }

    fn next_due(&self) -> Instant {
        let expiry = self.expires.map(|end| {
            if self.told_expiry {
                end + GRACE
            } else {
                end.checked_sub(EXPIRING).unwrap_or(end)
            }
        });
        let sometimes = [expiry, self.probe].into_iter().flatten();
        sometimes.fold(self.heartbeat, Instant::min)
    }

    /// Writes what the gateway tells. Says whether there was anything.
    fn write(&mut self, cx: &Context<'_>) -> bool {
        let mut wrote = false;
        while !self.ended && self.out.len() < ENOUGH {
            match self.line.queue.poll(cx) {
                Poll::Pending => return wrote,
                // Whoever asks for certain types wants nothing else.
                Poll::Ready(Ok(Message::Signal(_))) if !self.line.types.is_empty() => {}
                Poll::Ready(Ok(message)) => sse::told(&mut self.out, &mut self.epoch, &message),
                Poll::Ready(Err(ended)) => self.end(&Close::ended(ended)),
            }
            wrote = true;
        }
        wrote
    }

    /// Asked without a reason of ours: perhaps the client has gone, which only writing tells.
    fn doubt(&mut self) {
        if self.joining.is_none() && self.probe.is_none() {
            self.probe = Some(Instant::now() + PROBE);
            sse::comment(&mut self.out);
        }
    }
}

impl MessageBody for Stream {
    type Error = actix_web::Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let stream = self.get_mut();
        let mut reason = std::mem::take(&mut stream.wrote);
        loop {
            let mut moved = false;
            if !stream.ended {
                moved |= stream.join(cx);
                moved |= stream.keep_time(cx);
                moved |= stream.write(cx);
            }
            reason |= moved;
            if !reason && !stream.ended {
                stream.doubt();
                reason = true;
                // Its second half is due in a while.
                moved = true;
            }
            if !stream.out.is_empty() {
                stream.wrote = true;
                return Poll::Ready(Some(Ok(std::mem::take(&mut stream.out).freeze())));
            }
            if stream.ended {
                return Poll::Ready(None);
            }
            if !moved {
                return Poll::Pending;
            }
        }
    }
}
