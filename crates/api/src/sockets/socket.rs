//! One WebSocket, driven by its connection's own task: no task of its own, no channel but its queue.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use comanda_domain::event::{View, Viewer};
use comanda_domain::menu::Station;
use comanda_infrastructure::gateway::{Counted, Entry, Membership};
use comanda_security::policy::Principal;
use futures_util::future::LocalBoxFuture;
use tokio::time::{Instant, Sleep, sleep_until};

use super::close::Close;
use super::count::{Open, received};
use super::frames::{self, Asked, HEARTBEAT_MS, Sectors};
use super::login::{Line, Owner, Wanted};
use super::times::{PING, Times};
use super::wire::{self, Incoming, MAX_FRAME, Reader};

/// Bytes that are handed to the connection at once, about.
pub(super) const ENOUGH: usize = 16 * 1024;
/// A client that is not heard for so long is gone.
const IDLE: Duration = Duration::from_mins(1);
/// How long before its end a token's holder is told.
pub(super) const EXPIRING: Duration = Duration::from_mins(1);
/// How long after its end a token still holds the socket open.
pub(super) const GRACE: Duration = Duration::from_secs(5);
/// How long the client has to answer a close.
const LINGER: Duration = Duration::from_secs(1);
/// How long a client that does not read has to be told why it is cut.
const FLUSH: Duration = Duration::from_secs(30);
/// Branches of one socket.
const MOST_BRANCHES: usize = 16;

type Joining = LocalBoxFuture<'static, Result<Joined, Close>>;

/// What became of a client's wish.
enum Joined {
    /// It has said who it is.
    Known(Owner),
    /// It listens to a branch.
    Member(Membership),
    /// Both.
    Both(Owner, Counted, Membership),
}

/// What one client is told and says. Its bytes are moved by [`super::drive::Driven`].
pub struct Socket {
    line: Line,
    view: View,
    request: String,
    reader: Reader,
    out: BytesMut,
    entry: Entry,
    owner: Option<Owner>,
    counted: Option<Counted>,
    members: Vec<Membership>,
    joining: Option<Joining>,
    times: Times,
    sleep: Pin<Box<Sleep>>,
    /// Since when it is being closed.
    closing: Option<Instant>,
    open: Open,
}

impl Socket {
    /// A socket whose handshake has been answered. `token` came with it, if it did.
    pub fn new(line: Line, view: View, entry: Entry, request: String, token: Option<String>) -> Self {
        let now = Instant::now();
        let mut out = BytesMut::new();
        wire::text(&mut out, &frames::hello());
        let joining = token.map(|token| {
            let identify = line.clone().identify(token);
            let joining: Joining = Box::pin(async { identify.await.map(Joined::Known) });
            joining
        });
        Self {
            view,
            request,
            reader: Reader::default(),
            out,
            entry,
            owner: None,
            counted: None,
            members: Vec::new(),
            joining,
            times: Times::new(now),
            sleep: Box::pin(sleep_until(now)),
            closing: None,
            open: Open::new(view.as_str()),
            line,
        }
    }

    /// Says why, and waits a little for the client to hear it.
    fn close(&mut self, why: &Close) {
        if self.closing.is_some() {
            return;
        }
        if let Some(problem) = &why.problem {
            let state = &self.line.state;
            let problem = problem.body(&state.public_url, &format!("/v1/ws/{}", self.view), &self.request);
            let problem = serde_json::to_value(problem).unwrap_or_default();
            wire::text(&mut self.out, &frames::error(&problem));
        }
        wire::close(&mut self.out, why.code, why.reason);
        self.open.closes(why.code);
        self.members.clear();
        self.joining = None;
        self.closing = Some(Instant::now());
    }

    /// Takes what has arrived.
    pub fn heard(&mut self, bytes: &[u8]) {
        self.times.heard = Instant::now();
        if self.closing.is_none() {
            self.reader.feed(bytes);
            self.understand();
        }
    }

    /// Answers the messages that are complete. One that waits for the database holds up those behind it.
    fn understand(&mut self) {
        while self.closing.is_none() && self.joining.is_none() {
            match self.reader.next() {
                Ok(None) => return,
                Ok(Some(Incoming::Ping(data))) => wire::pong(&mut self.out, &data),
                Ok(Some(Incoming::Pong)) => {}
                Ok(Some(Incoming::Close)) => self.close(&Close::NORMAL),
                Ok(Some(Incoming::Text(text))) => {
                    let done = if self.times.allows_frame(Instant::now()) {
                        Asked::read(&text).and_then(|asked| self.answer(asked))
                    } else {
                        Err(Close::frames())
                    };
                    if let Err(why) = done {
                        self.close(&why);
                    }
                }
                Err(why) => self.close(&why),
            }
        }
    }

    fn answer(&mut self, asked: Asked) -> Result<(), Close> {
        received(asked.op());
        match asked {
            Asked::Ping { n } => wire::text(&mut self.out, &frames::pong(&n)),
            Asked::Auth {
                token,
                branch_id,
                after,
            } => self.log_in(
                token,
                Wanted {
                    branch: branch_id,
                    after,
                },
            ),
            Asked::Subscribe { branch_id, after } => {
                let wanted = Wanted {
                    branch: branch_id,
                    after,
                };
                self.subscribe(wanted)?;
            }
            Asked::Unsubscribe { branch_id } => self.members.retain(|member| member.branch() != branch_id),
            Asked::Filter { stations, sectors } => self.narrow(stations, sectors)?,
            Asked::Presence { state, product_id } => {
                let owner = self.owner.as_ref().ok_or_else(Close::no_auth)?;
                let Principal::Diner(diner) = &owner.who else {
                    return Err(Close::unknown_op());
                };
                self.line.state.events.presence(diner, state.as_str(), product_id);
            }
        }
        Ok(())
    }

    /// The first time it says who it is; later a fresh token renews.
    fn log_in(&mut self, token: String, wanted: Wanted) {
        let (line, renews) = (self.line.clone(), self.owner.is_some());
        self.joining = Some(Box::pin(async move {
            let owner = line.clone().identify(token).await?;
            if renews {
                return Ok(Joined::Known(owner));
            }
            let counted = line.count(&owner)?;
            let membership = line.subscribe(owner.who.clone(), owner.member, wanted).await?;
            Ok(Joined::Both(owner, counted, membership))
        }));
    }

    fn subscribe(&mut self, wanted: Wanted) -> Result<(), Close> {
        let owner = self.owner.as_ref().ok_or_else(Close::no_auth)?;
        // Subscribing again, with a cursor, is how a client that has missed something asks for it.
        self.members
            .retain(|member| Some(member.branch()) != wanted.branch && wanted.branch.is_some());
        if self.members.len() >= MOST_BRANCHES {
            return Err(Close::connections());
        }
        let joining = self
            .line
            .clone()
            .subscribe(owner.who.clone(), owner.member, wanted);
        self.joining = Some(Box::pin(async { joining.await.map(Joined::Member) }));
        Ok(())
    }

    fn narrow(&self, stations: Option<Vec<Station>>, sectors: Option<Sectors>) -> Result<(), Close> {
        match (self.view, stations, sectors) {
            (View::Kitchen, Some(shown), None) => {
                let shown = (!shown.is_empty()).then(|| shown.into_iter().collect());
                self.each(|viewer| {
                    if let Viewer::Kitchen { stations, .. } = viewer {
                        stations.clone_from(&shown);
                    }
                });
            }
            (View::Waiter, None, Some(wanted)) => self.each(|viewer| {
                if let Viewer::Waiter { unfiltered, .. } = viewer {
                    *unfiltered = matches!(wanted, Sectors::All);
                }
            }),
            _ => return Err(Close::unknown_op()),
        }
        Ok(())
    }

    fn each(&self, narrow: impl Fn(&mut Viewer)) {
        self.members.iter().for_each(|member| member.narrow(&narrow));
    }

    /// Goes on with what waits for the database. Says whether something came of it.
    fn join(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(joining) = &mut self.joining else {
            return false;
        };
        let Poll::Ready(joined) = joining.as_mut().poll(cx) else {
            return false;
        };
        self.joining = None;
        let done = joined.and_then(|joined| match joined {
            Joined::Known(owner) => self.own(owner),
            Joined::Member(membership) => {
                self.members.push(membership);
                Ok(())
            }
            Joined::Both(owner, counted, membership) => {
                self.members.push(membership);
                self.counted = Some(counted);
                self.own(owner)
            }
        });
        if let Err(why) = done {
            self.close(&why);
        }
        self.understand();
        true
    }

    fn own(&mut self, owner: Owner) -> Result<(), Close> {
        if let Some(known) = &self.owner
            && !known.member.is_same(&owner.member)
        {
            return Err(Close::somebody_else());
        }
        for member in &self.members {
            member.renew(owner.member);
        }
        if self.counted.is_none() {
            self.counted = Some(self.line.count(&owner)?);
        }
        self.entry.known();
        self.times.told_expiry = false;
        if !self.members.is_empty() {
            self.times.auth = None;
        }
        self.owner = Some(owner);
        Ok(())
    }

    /// Does what is due. Says whether anything was.
    fn keep_time(&mut self, cx: &mut Context<'_>) -> bool {
        let now = Instant::now();
        let due = self.due(now);
        let next = self.next_due();
        if self.sleep.deadline() != next {
            self.sleep.as_mut().reset(next);
        }
        due | self.sleep.as_mut().poll(cx).is_ready()
    }

    fn due(&mut self, now: Instant) -> bool {
        if !self.members.is_empty() {
            self.times.auth = None;
        }
        let expires = self.owner.as_ref().and_then(|owner| owner.expires);
        let late = self.times.auth.is_some_and(|until| until <= now);
        if late && self.joining.is_none() {
            self.close(&Close::no_auth());
        } else if self.times.heard + IDLE <= now {
            self.close(&Close::idle());
        } else if expires.is_some_and(|end| end + GRACE <= now) {
            self.close(&Close::expired());
        } else if !self.times.told_expiry && expires.is_some_and(|end| end <= now + EXPIRING) {
            self.times.told_expiry = true;
            let left = expires.map_or(Duration::ZERO, |end| end.saturating_duration_since(now));
            let left = u64::try_from(left.as_millis()).unwrap_or(0);
            wire::text(&mut self.out, &frames::expiring(left));
        } else if self.times.ping <= now {
            self.times.ping = now + PING;
            wire::ping(&mut self.out);
        } else if self.times.heartbeat <= now {
            self.times.heartbeat = now + Duration::from_millis(HEARTBEAT_MS);
            self.members.iter().for_each(Membership::heartbeat);
        } else {
            return false;
        }
        true
    }

    fn next_due(&self) -> Instant {
        let expires = self.owner.as_ref().and_then(|owner| owner.expires);
        let expiry = expires.map(|end| {
            if self.times.told_expiry {
                end + GRACE
            } else {
                end.checked_sub(EXPIRING).unwrap_or(end)
            }
        });
        let always = [self.times.heard + IDLE, self.times.ping, self.times.heartbeat];
        let sometimes = [self.times.auth.filter(|_| self.joining.is_none()), expiry];
        let all = always.into_iter().chain(sometimes.into_iter().flatten());
        all.min().unwrap_or(self.times.ping)
    }

    /// Writes what the gateway tells. Says whether there was anything.
    fn write(&mut self, cx: &Context<'_>) -> bool {
        let mut wrote = false;
        while self.out.len() < ENOUGH {
            match self.line.queue.poll(cx) {
                Poll::Pending => return wrote,
                Poll::Ready(Ok(message)) => wire::text(&mut self.out, &frames::told(&message)),
                Poll::Ready(Err(ended)) => {
                    self.close(&Close::ended(ended));
                    return true;
                }
            }
            wrote = true;
        }
        wrote
    }

    /// What goes to the client next.
    pub fn out(&mut self) -> &mut BytesMut {
        &mut self.out
    }

    /// Whether more of what the client says fits. What waits for the database holds up what came behind it.
    pub fn listens(&self) -> bool {
        self.joining.is_none() || self.reader.len() < MAX_FRAME
    }

    /// All that was to go has gone. The time to answer a close begins when it can be read.
    pub fn flushed(&mut self) {
        if self.closing.is_some() {
            self.closing = Some(Instant::now());
        }
    }

    /// Does what is due, and takes what the gateway tells. Says whether anything came of it.
    pub fn step(&mut self, cx: &mut Context<'_>) -> bool {
        if let Some(until) = self.ends_at() {
            if self.sleep.deadline() != until {
                self.sleep.as_mut().reset(until);
            }
            return self.sleep.as_mut().poll(cx).is_ready();
        }
        let mut moved = self.join(cx);
        moved |= self.keep_time(cx);
        moved |= self.write(cx);
        moved
    }

    /// When a socket that is being closed ends, whether the client has answered or not.
    fn ends_at(&self) -> Option<Instant> {
        let patience = if self.out.is_empty() { LINGER } else { FLUSH };
        self.closing.map(|since| since + patience)
    }

    /// Whether nothing more is said or heard.
    pub fn is_over(&self) -> bool {
        self.ends_at().is_some_and(|until| until <= Instant::now())
    }
}
