//! Why a connection ends, as a client sees it (`events.md` 7.3).

use std::collections::{BTreeMap, BTreeSet};

use comanda_infrastructure::gateway::Ended;

use crate::problem::{Code, Problem};

/// A close code with its reason, and the problem that is told before.
#[derive(Debug, Clone)]
pub struct Close {
    /// The WebSocket close code.
    pub code: u16,
    /// A stable text.
    pub reason: &'static str,
    /// In full; nothing for a normal end.
    pub problem: Option<Problem>,
}

impl Close {
    fn new(code: u16, reason: &'static str, problem: Problem) -> Self {
        Self {
            code,
            reason,
            problem: Some(problem),
        }
    }

    /// The client has closed.
    pub const NORMAL: Self = Self {
        code: 1000,
        reason: "",
        problem: None,
    };

    /// A frame that is longer than allowed.
    pub fn too_big() -> Self {
        Self::new(1009, "frame_too_big", Problem::new(Code::PayloadTooLarge))
    }

    /// A frame that cannot be read.
    pub fn malformed(detail: &str) -> Self {
        Self::new(4400, "malformed", Problem::with_detail(Code::InvalidJson, detail))
    }

    /// A frame that asks for what there is not, or not for this client.
    pub fn unknown_op() -> Self {
        let detail = "no such operation here";
        Self::new(
            4400,
            "unknown_op",
            Problem::with_detail(Code::InvalidParameter, detail),
        )
    }

    /// Nobody has said who they are.
    pub fn no_auth() -> Self {
        Self::new(4408, "no_auth", Problem::new(Code::Unauthenticated))
    }

    /// Nothing was heard.
    pub fn idle() -> Self {
        let detail = "nothing heard for 60 seconds";
        Self::new(4408, "idle", Problem::with_detail(Code::InvalidParameter, detail))
    }

    /// The token's time is over.
    pub fn expired() -> Self {
        Self::new(4401, "token_expired", Problem::new(Code::TokenExpired))
    }

    /// A token of somebody else.
    pub fn somebody_else() -> Self {
        let detail = "a fresh token of the same person renews; somebody else opens a socket of their own";
        Self::new(
            4401,
            "token_invalid",
            Problem::with_detail(Code::TokenInvalid, detail),
        )
    }

    /// The page that opened the socket is not one of the restaurant's.
    pub fn origin() -> Self {
        let detail = "this origin may not listen";
        Self::new(4403, "origin", Problem::with_detail(Code::Forbidden, detail))
    }

    /// More frames than anybody needs.
    pub fn frames() -> Self {
        let detail = "at most 10 frames a second";
        Self::new(4429, "frames", Problem::with_detail(Code::RateLimited, detail))
    }

    /// More connections than one may have.
    pub fn connections() -> Self {
        let detail = "too many connections of the same owner";
        Self::new(
            4429,
            "connections",
            Problem::with_detail(Code::RateLimited, detail),
        )
    }

    /// What a refused request amounts to here.
    pub fn of(problem: Problem) -> Self {
        let (code, reason) = match problem.code {
            Code::TokenExpired => (4401, "token_expired"),
            Code::TokenInvalid | Code::TokenWrongAudience | Code::Unauthenticated => (4401, "token_invalid"),
            Code::SeatingEnded => (4409, "seating_ended"),
            Code::NotFound => (4403, "branch"),
            _ if problem.code.info().status >= 500 => (1011, "internal"),
            Code::ValidationFailed | Code::InvalidParameter => (4400, "malformed"),
            _ => (4403, "role"),
        };
        Self::new(code, reason, problem)
    }

    /// What the gateway has decided.
    pub fn ended(ended: Ended) -> Self {
        match ended {
            Ended::TooSlow => {
                let detail = "more waited for this connection than it reads";
                Self::new(4410, "too_slow", Problem::with_detail(Code::RateLimited, detail))
            }
            Ended::SeatingEnded => Self::new(4409, "seating_ended", Problem::new(Code::SeatingEnded)),
            Ended::Revoked => Self::new(4401, "token_invalid", Problem::new(Code::TokenInvalid)),
            Ended::Forbidden => Self::new(4403, "role", Problem::new(Code::Forbidden)),
            Ended::GoingAway => Self::new(4503, "going_away", Problem::new(Code::ServiceUnavailable)),
        }
    }
}

/// Every code with its reason texts, and what a client does then: what the rest of this file can say.
pub fn codes() -> BTreeMap<u16, (BTreeSet<&'static str>, &'static str)> {
    let refusals = [
        Code::TokenInvalid,
        Code::NotFound,
        Code::Forbidden,
        Code::InternalError,
    ];
    let endings = [
        Ended::TooSlow,
        Ended::SeatingEnded,
        Ended::Revoked,
        Ended::Forbidden,
        Ended::GoingAway,
    ];
    let own = [
        Close::NORMAL,
        Close::too_big(),
        Close::malformed(""),
        Close::unknown_op(),
        Close::no_auth(),
        Close::idle(),
        Close::expired(),
        Close::somebody_else(),
        Close::origin(),
        Close::frames(),
        Close::connections(),
    ];
    let refused = refusals.into_iter().map(|code| Close::of(Problem::new(code)));
    let ended = endings.into_iter().map(Close::ended);
    let mut codes: BTreeMap<u16, (BTreeSet<&'static str>, &'static str)> = BTreeMap::new();
    for close in own.into_iter().chain(refused).chain(ended) {
        let (reasons, _) = codes
            .entry(close.code)
            .or_insert_with(|| (BTreeSet::new(), advice(close.code)));
        if !close.reason.is_empty() {
            reasons.insert(close.reason);
        }
    }
    codes
}

fn advice(code: u16) -> &'static str {
    match code {
        1000 => "nothing",
        4400 => "fix the client; do not loop",
        4401 => "get a new token first",
        4403 => "do not retry",
        4408 => "reconnect",
        4409 => "scan again",
        4410 => "reconnect with the cursor",
        4429 => "back off at least 10 seconds",
        4503 => "reconnect as the `reconnect` frame says, with jitter",
        _ => "reconnect with backoff",
    }
}
