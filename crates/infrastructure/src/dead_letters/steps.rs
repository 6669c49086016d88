//! What a letter looks like after each step of its machine.

use chrono::TimeDelta;
use comanda_domain::Timestamp;
use comanda_domain::backoff::Draw;
use comanda_domain::dead_letter::{LetterState, after_failure};

use super::{Letter, RedriveError};

/// How long nobody else touches a claimed letter: longer than any attempt may take.
const LEASE: TimeDelta = TimeDelta::seconds(120);

/// Its handler is about to run. The claim itself counts as a redrive, so that a crash counts.
pub(super) fn claimed(letter: &Letter, owner: &str, now: Timestamp) -> Letter {
    Letter {
        state: LetterState::Retrying,
        lease_owner: Some(owner.to_owned()),
        lease_until: Some(now + LEASE),
        fence: letter.fence + 1,
        redrives: letter.redrives.saturating_add(1),
        next_attempt_at: None,
        ..letter.clone()
    }
}

/// Its handler has succeeded.
pub(super) fn resolved(letter: &Letter, by: String, now: Timestamp) -> Letter {
    Letter {
        attempts: letter.attempts.saturating_add(1),
        ..ended(letter, LetterState::Resolved, by, now)
    }
}

/// Its handler has failed.
pub(super) fn failed(letter: &Letter, error: RedriveError, now: Timestamp, draw: Draw) -> Letter {
    Letter {
        error_class: error.class,
        error_code: error.code,
        error_text: error.text,
        attempts: letter.attempts.saturating_add(1),
        last_failed_at: now,
        ..released(letter, now, draw)
    }
}

/// Whoever had it is gone.
pub(super) fn released(letter: &Letter, now: Timestamp, draw: Draw) -> Letter {
    Letter {
        state: LetterState::Pending,
        lease_owner: None,
        lease_until: None,
        next_attempt_at: after_failure(letter.redrives_made(), now, draw),
        ..letter.clone()
    }
}

/// It is archived or discarded.
pub(super) fn ended(letter: &Letter, state: LetterState, by: String, now: Timestamp) -> Letter {
    Letter {
        state,
        lease_owner: None,
        lease_until: None,
        next_attempt_at: None,
        resolved_by: Some(by),
        resolved_at: Some(now),
        ..letter.clone()
    }
}

/// It is taken out of the archive, and waits for a person: by itself it would only be archived again.
pub(super) fn reopened(letter: &Letter) -> Letter {
    Letter {
        state: LetterState::Pending,
        next_attempt_at: None,
        resolved_by: None,
        resolved_at: None,
        ..letter.clone()
    }
}
