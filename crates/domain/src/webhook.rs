//! What a receiver's reply means for a delivery and its endpoint (`events.md` 9).

use chrono::TimeDelta;

use crate::Timestamp;
use crate::backoff::{self, Draw};
use crate::dead_letter::ErrorClass;
use crate::enums::text_enum;

/// The type of the delivery that an owner sends to try an endpoint. It is no event and has no number.
pub const TEST_TYPE: &str = "dev.comanda.webhook.test.v1";

/// A delivery is leased for so long; an attempt takes less.
pub const LEASE: TimeDelta = TimeDelta::seconds(60);
/// A reply must have come by then.
pub const TIMEOUT: TimeDelta = TimeDelta::seconds(15);
/// Deliveries of one endpoint that are under way at once.
pub const IN_FLIGHT_OF_ENDPOINT: u32 = 4;
/// Deliveries of one tenant that are under way at once.
pub const IN_FLIGHT_OF_TENANT: u32 = 32;
/// An endpoint that does nothing but fail is given up after this.
pub const FAILING_FOR: TimeDelta = TimeDelta::days(5);

/// How an attempt ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reply<'a> {
    /// The receiver answered. Redirects are answers, too: they are not followed.
    Status {
        /// The HTTP status.
        code: u16,
        /// The header of that name.
        retry_after: Option<&'a str>,
    },
    /// It did not answer in time.
    Timeout,
    /// It could not be reached: no connection, no TLS, no such host.
    Unreachable,
    /// The address is one that we do not call.
    RefusedAddress,
}

/// What a reply means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Done.
    Delivered,
    /// The receiver wants nothing more, ever.
    Gone,
    /// Try again.
    Retry {
        /// Not earlier than this, if the receiver said so.
        not_before: Option<Timestamp>,
        /// The receiver is overloaded: one at a time from here on.
        overloaded: bool,
    },
}

impl Reply<'_> {
    /// What it means.
    pub fn verdict(self, now: Timestamp) -> Verdict {
        match self {
            Self::Status { code: 200..=299, .. } => Verdict::Delivered,
            Self::Status { code: 410, .. } => Verdict::Gone,
            Self::Status {
                code: 429 | 502 | 503 | 504,
                retry_after,
            } => Verdict::Retry {
                not_before: retry_after.and_then(|text| backoff::retry_after(text, now)),
                overloaded: true,
            },
            Self::Status { .. } | Self::Timeout | Self::Unreachable | Self::RefusedAddress => {
                Verdict::Retry {
                    not_before: None,
                    overloaded: false,
                }
            }
        }
    }

    /// The class of the error it is; none if it is none.
    pub fn class(self) -> Option<ErrorClass> {
        match self {
            Self::Status { code: 200..=299, .. } => None,
            Self::Status {
                code: 429 | 500..=599,
                ..
            }
            | Self::Timeout
            | Self::Unreachable => Some(ErrorClass::Retryable),
            Self::Status { code: 410, .. } | Self::RefusedAddress => Some(ErrorClass::Unrecoverable),
            Self::Status { .. } => Some(ErrorClass::Unknown),
        }
    }
}

/// What becomes of a delivery after an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeliveryFate {
    /// It arrived.
    Delivered,
    /// It stays pending, until the endpoint is enabled again or deleted.
    Waits,
    /// It stays pending, for so long.
    Retry {
        /// When the next attempt is due.
        at: Timestamp,
    },
    /// The schedule is used up: failed for good, and a dead letter.
    Failed,
}

/// What becomes of a delivery. `attempts` counts the one that just ended.
pub fn delivery_fate(verdict: Verdict, attempts: u32, now: Timestamp, draw: Draw) -> DeliveryFate {
    match verdict {
        Verdict::Delivered => DeliveryFate::Delivered,
        Verdict::Gone => DeliveryFate::Waits,
        Verdict::Retry { not_before, .. } => match backoff::webhook_retry(attempts, draw) {
            Some(wait) => DeliveryFate::Retry {
                at: not_before.map_or(now + wait, |earliest| earliest.max(now + wait)),
            },
            None => DeliveryFate::Failed,
        },
    }
}

text_enum! {
    /// Why Comanda switched an endpoint off.
    DisableReason {
        /// It said so, with 410.
        Gone = "gone",
        /// It did nothing but fail for five days.
        Failing = "failing",
    }
}

/// How an endpoint is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct EndpointHealth {
    /// Since when it does nothing but fail; none after a success, and when it is new or was enabled again.
    pub failing_since: Option<Timestamp>,
    /// It said that it is overloaded and has accepted nothing since.
    pub one_at_a_time: bool,
}

impl EndpointHealth {
    /// How it is doing after one more attempt, and why it is to be disabled, if it is.
    pub fn after(self, verdict: Verdict, now: Timestamp) -> (Self, Option<DisableReason>) {
        let failing_since = self.failing_since.unwrap_or(now);
        let health = |overloaded| Self {
            failing_since: Some(failing_since),
            one_at_a_time: self.one_at_a_time || overloaded,
        };
        match verdict {
            Verdict::Delivered => (Self::default(), None),
            Verdict::Gone => (health(false), Some(DisableReason::Gone)),
            Verdict::Retry { overloaded, .. } => {
                let given_up = now - failing_since >= FAILING_FOR;
                (health(overloaded), given_up.then_some(DisableReason::Failing))
            }
        }
    }

    /// How many of its deliveries may be under way at once.
    pub fn in_flight(self) -> u32 {
        if self.one_at_a_time {
            1
        } else {
            IN_FLIGHT_OF_ENDPOINT
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn status(code: u16, retry_after: Option<&str>) -> Reply<'_> {
        Reply::Status { code, retry_after }
    }

    const RETRY: Verdict = Verdict::Retry {
        not_before: None,
        overloaded: false,
    };

    #[test]
    fn replies_mean_what_the_table_says() {
        let verdict = |reply: Reply<'_>| reply.verdict(now());
        for code in [200, 202, 204, 299] {
            assert_eq!(verdict(status(code, Some("9"))), Verdict::Delivered, "{code}");
        }
        assert_eq!(verdict(status(410, Some("9"))), Verdict::Gone);
        for code in [429, 502, 503, 504] {
            let overloaded = |not_before| Verdict::Retry {
                not_before,
                overloaded: true,
            };
            let later = now() + TimeDelta::seconds(90);
            assert_eq!(
                verdict(status(code, Some("90"))),
                overloaded(Some(later)),
                "{code}"
            );
            assert_eq!(verdict(status(code, None)), overloaded(None), "{code}");
            assert_eq!(verdict(status(code, Some("soon"))), overloaded(None), "{code}");
        }
        for code in [100, 199, 301, 302, 307, 400, 401, 404, 409, 418, 500, 501] {
            assert_eq!(verdict(status(code, Some("90"))), RETRY, "{code}");
        }
        for reply in [Reply::Timeout, Reply::Unreachable, Reply::RefusedAddress] {
            assert_eq!(verdict(reply), RETRY, "{reply:?}");
        }
    }

    #[test]
    fn errors_are_classified_by_what_they_are() {
        use ErrorClass::{Retryable, Unknown, Unrecoverable};
        assert_eq!(status(204, None).class(), None);
        for (reply, class) in [
            (status(429, None), Retryable),
            (status(500, None), Retryable),
            (status(503, None), Retryable),
            (Reply::Timeout, Retryable),
            (Reply::Unreachable, Retryable),
            (status(410, None), Unrecoverable),
            (Reply::RefusedAddress, Unrecoverable),
            (status(301, None), Unknown),
            (status(404, None), Unknown),
        ] {
            assert_eq!(reply.class(), Some(class), "{reply:?}");
        }
    }

    #[test]
    fn the_ninth_failure_is_the_last() {
        let fate = |attempts| delivery_fate(RETRY, attempts, now(), Draw::LEAST);
        assert_eq!(
            fate(1),
            DeliveryFate::Retry {
                at: now() + TimeDelta::seconds(4)
            }
        );
        assert!(matches!(fate(8), DeliveryFate::Retry { .. }));
        assert_eq!(fate(9), DeliveryFate::Failed);
        assert_eq!(
            delivery_fate(Verdict::Gone, 9, now(), Draw::LEAST),
            DeliveryFate::Waits
        );
        assert_eq!(
            delivery_fate(Verdict::Delivered, 9, now(), Draw::LEAST),
            DeliveryFate::Delivered
        );
    }

    #[test]
    fn an_endpoint_is_given_up_after_five_days_of_failures() {
        let day = |days| now() + TimeDelta::days(days);
        let (health, reason) = EndpointHealth::default().after(RETRY, now());
        assert_eq!((health.failing_since, reason), (Some(now()), None));
        let almost = day(5) - TimeDelta::milliseconds(1);
        assert_eq!(health.after(RETRY, almost).1, None);
        assert_eq!(health.after(RETRY, day(5)).1, Some(DisableReason::Failing));
        let (well, _) = health.after(Verdict::Delivered, day(4));
        assert_eq!(well, EndpointHealth::default());
        assert_eq!(well.after(RETRY, day(6)).1, None);
        assert_eq!(well.after(Verdict::Gone, day(6)).1, Some(DisableReason::Gone));
    }

    fn reply() -> impl Strategy<Value = Reply<'static>> {
        let header = prop_oneof![
            Just(None),
            Just(Some("0")),
            Just(Some("7200")),
            Just(Some("999999999"))
        ];
        prop_oneof![
            4 => (100_u16..600, header).prop_map(|(code, retry_after)| Reply::Status { code, retry_after }),
            1 => Just(Reply::Timeout),
            1 => Just(Reply::Unreachable),
            1 => Just(Reply::RefusedAddress),
        ]
    }

    proptest! {
        #[test]
        fn only_what_has_arrived_is_no_error(reply in reply()) {
            let delivered = reply.verdict(now()) == Verdict::Delivered;
            prop_assert_eq!(delivered, reply.class().is_none());
        }

        #[test]
        fn a_retry_is_never_at_once_nor_before_the_receiver_wants_it(
            reply in reply(), attempts in 1_u32..12, draw: u16,
        ) {
            let verdict = reply.verdict(now());
            let fate = delivery_fate(verdict, attempts, now(), Draw(draw));
            let may_retry = matches!(verdict, Verdict::Retry { .. });
            prop_assert_eq!(fate == DeliveryFate::Failed, may_retry && attempts > 8);
            if let (DeliveryFate::Retry { at }, Verdict::Retry { not_before, .. }) = (fate, verdict) {
                prop_assert!(at >= now() + TimeDelta::seconds(4));
                prop_assert!(not_before.is_none_or(|earliest| at >= earliest));
                prop_assert!(at <= now() + TimeDelta::hours(24) * 6 / 5);
            }
        }

        /// The health of an endpoint, told again from the whole history of its replies.
        #[test]
        fn health_is_what_happened_since_the_last_success(
            history in vec((0_i64..100, reply()), 1..40),
        ) {
            let mut health = EndpointHealth::default();
            let mut time = now();
            let mut past = Vec::new();
            for (hours, reply) in history {
                time += TimeDelta::hours(hours);
                let verdict = reply.verdict(time);
                let (after, reason) = health.after(verdict, time);
                health = after;
                past.push((time, verdict));
                let since = past.rsplit(|(_, verdict)| *verdict == Verdict::Delivered).next().unwrap();
                prop_assert_eq!(health.failing_since, since.first().map(|(at, _)| *at));
                let overloaded = since
                    .iter()
                    .any(|(_, verdict)| matches!(verdict, Verdict::Retry { overloaded: true, .. }));
                prop_assert_eq!(health.in_flight(), if overloaded { 1 } else { 4 });
                let expected = match (verdict, since.first()) {
                    (Verdict::Gone, _) => Some(DisableReason::Gone),
                    (_, Some((first, _))) if (time - *first).num_days() >= 5 => Some(DisableReason::Failing),
                    _ => None,
                };
                prop_assert_eq!(reason, expected);
            }
        }
    }
}
