//! Who is at the other end of a connection, and what they may hear.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use comanda_domain::Timestamp;
use comanda_domain::cursor::StreamCursor;
use comanda_domain::event::{TypeFilters, View};
use comanda_domain::ids::BranchId;
use comanda_infrastructure::gateway::{Admitted, Counted, Member, Membership, Queue, Wish};
use comanda_infrastructure::refusal::Refusal;
use comanda_security::policy::Principal;
use tokio::time::Instant;

use super::close::Close;
use crate::http::principal::holder;
use crate::problem::{Code, Problem};
use crate::state::State;

/// Somebody who has said who they are.
pub struct Owner {
    /// Who.
    pub who: Principal,
    /// Whose connection it is.
    pub member: Member,
    /// When the token's time is over, if it ever is.
    pub expires: Option<Instant>,
}

/// Which branch is wanted, and what has been seen of it.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Guests need not say it.
    pub branch: Option<BranchId>,
    /// What has been seen.
    pub after: Option<StreamCursor>,
}

/// Where a connection is told, and how it was opened.
#[derive(Clone)]
pub struct Line {
    /// What everything shares.
    pub state: web::Data<State>,
    /// Through whose eyes.
    pub view: Option<View>,
    /// Where it is told.
    pub queue: Arc<Queue>,
    /// Which types only.
    pub types: TypeFilters,
    /// The page that opened it, if a browser says so.
    pub origin: Option<String>,
    /// Where it came from.
    pub address: Option<IpAddr>,
}

impl Line {
    /// Whose token it is, and how long it is good.
    pub async fn identify(self, token: String) -> Result<Owner, Close> {
        let held = holder(&self.state, &token, self.address).await;
        let (who, expires_at) = held.map_err(Close::of)?;
        self.judge_origin(&who).await?;
        self.owner(who, expires_at)
    }

    /// The owner of a connection, whose credential is good until then.
    pub fn owner(&self, who: Principal, expires_at: Option<Timestamp>) -> Result<Owner, Close> {
        let nobody = || Close::of(Problem::new(Code::RegistrationRequired));
        let member = Member::of(&who).ok_or_else(nobody)?;
        let expires = expires_at.map(|at| self.instant(at));
        Ok(Owner { who, member, expires })
    }

    /// One of the connections that somebody may have.
    pub fn count(&self, owner: &Owner) -> Result<Counted, Close> {
        let hub = self.state.events.hub();
        hub.count(owner.who.tenant(), owner.member)
            .ok_or_else(Close::connections)
    }

    /// Subscribes somebody to a branch.
    pub async fn subscribe(
        self,
        who: Principal,
        member: Member,
        wanted: Wanted,
    ) -> Result<Membership, Close> {
        let events = &self.state.events;
        let admitted =
            events
                .admit(&who, self.view, wanted.branch)
                .await
                .map_err(|refusal| match refusal {
                    // The token is good, but not for this view.
                    Refusal::WrongCredential => Close::of(Problem::new(Code::Forbidden)),
                    refusal => Close::of(Problem::from(refusal)),
                })?;
        self.enter(member, admitted, wanted.after).await
    }

    /// Subscribes somebody who may listen.
    pub async fn enter(
        self,
        member: Member,
        admitted: Admitted,
        after: Option<StreamCursor>,
    ) -> Result<Membership, Close> {
        let wish = Wish {
            member,
            branch: admitted.branch,
            subscription: admitted.subscription,
            types: self.types,
            after,
            queue: self.queue,
        };
        let entered = self.state.events.hub().subscribe(wish).await;
        entered.map_err(|refusal| Close::of(Problem::from(refusal)))
    }

    /// Native apps send no origin; a page must be ours or one that the tenant lists.
    async fn judge_origin(&self, who: &Principal) -> Result<(), Close> {
        let Some(origin) = self.origin.as_deref() else {
            return Ok(());
        };
        if origin == self.state.public_url.trim_end_matches('/') {
            return Ok(());
        }
        let allowed = self.state.events.allows_origin(who.tenant(), origin).await;
        if allowed.map_err(|refusal| Close::of(Problem::from(refusal)))? {
            Ok(())
        } else {
            Err(Close::origin())
        }
    }

    /// A time of the clock as a moment to wait for.
    fn instant(&self, at: Timestamp) -> Instant {
        let left = at - self.state.services.sources.now();
        Instant::now() + left.to_std().unwrap_or(Duration::ZERO)
    }
}
