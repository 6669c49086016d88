//! How long to wait before trying again. Chance is an argument.

use chrono::TimeDelta;

use crate::Timestamp;

/// A draw of the lot, uniform over all values: 0 makes a wait as short as it may be, `u16::MAX` as long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Draw(pub u16);

impl Draw {
    /// The shortest.
    pub const LEAST: Self = Self(0);
    /// The longest.
    pub const MOST: Self = Self(u16::MAX);

    /// The point between two durations that was drawn, to the millisecond.
    fn between(self, least: TimeDelta, most: TimeDelta) -> TimeDelta {
        let width = (most - least).num_milliseconds();
        let part = i128::from(width) * i128::from(self.0) / i128::from(u16::MAX);
        // A part of a width that is an i64 is one, too.
        least + i64::try_from(part).map_or(TimeDelta::zero(), TimeDelta::milliseconds)
    }
}

/// A duration that is up to `percent` shorter or longer.
pub fn spread(duration: TimeDelta, percent: u8, draw: Draw) -> TimeDelta {
    let margin = duration * i32::from(percent) / 100;
    draw.between(duration - margin, duration + margin)
}

/// Waits after the failed attempts of a webhook delivery, the first wait after the first attempt.
pub const WEBHOOK_RETRIES: [TimeDelta; 8] = [
    TimeDelta::seconds(5),
    TimeDelta::seconds(30),
    TimeDelta::minutes(2),
    TimeDelta::minutes(10),
    TimeDelta::hours(1),
    TimeDelta::hours(3),
    TimeDelta::hours(8),
    TimeDelta::hours(24),
];

const JITTER_PERCENT: u8 = 20;

/// The wait after this many attempts, all failed. None when the schedule is used up.
pub fn webhook_retry(attempts: u32, draw: Draw) -> Option<TimeDelta> {
    let before = usize::try_from(attempts.checked_sub(1)?).ok()?;
    let wait = WEBHOOK_RETRIES.get(before)?;
    Some(spread(*wait, JITTER_PERCENT, draw))
}

/// How often a dead letter is tried again without a person asking for it.
pub const REDRIVES: u32 = 5;

/// The wait after this many redrives, all failed: one minute after the first, four times as long after each further
/// one. None when no more are made.
pub fn redrive(redrives: u32, draw: Draw) -> Option<TimeDelta> {
    let before = redrives.checked_sub(1).filter(|_| redrives < REDRIVES)?;
    let minutes = 4_i64.checked_pow(before)?;
    Some(spread(TimeDelta::minutes(minutes), JITTER_PERCENT, draw))
}

/// Full jitter: anything from `least` to a bound that doubles with each failure, but not beyond `most`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FullJitter {
    /// No wait is shorter.
    pub least: TimeDelta,
    /// No wait is longer.
    pub most: TimeDelta,
}

impl FullJitter {
    /// For clients of the event stream.
    pub const CLIENT: Self = Self {
        least: TimeDelta::milliseconds(500),
        most: TimeDelta::seconds(30),
    };
    /// For our own connections to Redis.
    pub const BUS: Self = Self {
        least: TimeDelta::milliseconds(100),
        most: TimeDelta::seconds(5),
    };

    /// The wait after this many failures in a row; the first failure is 1.
    pub fn wait(self, failures: u32, draw: Draw) -> TimeDelta {
        let factor = 1_i32.checked_shl(failures.min(20)).unwrap_or(1);
        let bound = self.least.checked_mul(factor).unwrap_or(self.most);
        draw.between(self.least, bound.clamp(self.least, self.most))
    }
}

/// The longest `Retry-After` that is honoured.
pub const RETRY_AFTER_MOST: TimeDelta = TimeDelta::hours(24);

/// When a header `Retry-After`, in seconds or as an HTTP date, allows to come back, but in 24 hours at the latest.
/// None for a text that is neither, or a date that is past.
pub fn retry_after(header: &str, now: Timestamp) -> Option<Timestamp> {
    let text = header.trim();
    let latest = now + RETRY_AFTER_MOST;
    if !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit()) {
        // More digits than fit are more than 24 hours.
        let seconds = text.parse().ok().and_then(TimeDelta::try_seconds);
        let wait = seconds.map_or(RETRY_AFTER_MOST, |wait| wait.min(RETRY_AFTER_MOST));
        return Some(now + wait);
    }
    let date = Timestamp::from(chrono::DateTime::parse_from_rfc2822(text).ok()?);
    (date > now).then(|| date.min(latest))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        DateTime::parse_from_rfc3339("2026-11-24T23:13:13Z")
            .unwrap()
            .to_utc()
    }

    #[test]
    fn the_schedules_are_the_ones_of_the_specification() {
        let seconds = |wait: Option<TimeDelta>| wait.map(|wait| wait.num_seconds());
        let shortest: Vec<_> = (0..=10).map(|n| seconds(webhook_retry(n, Draw::LEAST))).collect();
        let longest: Vec<_> = (0..=10).map(|n| seconds(webhook_retry(n, Draw::MOST))).collect();
        let minutes = [4, 24, 96, 480, 2880, 8640, 23_040, 69_120].map(Some);
        assert_eq!(shortest[1..9], minutes);
        assert_eq!(
            longest[1..9],
            [6, 36, 144, 720, 4320, 12_960, 34_560, 103_680].map(Some)
        );
        assert_eq!([shortest[0], shortest[9], longest[10]], [None; 3]);

        let redrives: Vec<_> = (0..=6).map(|n| seconds(redrive(n, Draw::MOST))).collect();
        let expected = [None, Some(72), Some(288), Some(1152), Some(4608), None, None];
        assert_eq!(redrives, expected);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_at_most_a_day() {
        let after = |text| retry_after(text, now()).map(|at| (at - now()).num_seconds());
        assert_eq!(after("0"), Some(0));
        assert_eq!(after(" 120 "), Some(120));
        assert_eq!(after("86401"), Some(86_400));
        assert_eq!(after("99999999999999999999999"), Some(86_400));
        assert_eq!(after("9223372036854775807"), Some(86_400));
        assert_eq!(after("Tue, 24 Nov 2026 23:14:13 GMT"), Some(60));
        assert_eq!(after("Wed, 25 Nov 2026 23:14:13 GMT"), Some(86_400));
        assert_eq!(after("Tue, 24 Nov 2026 23:12:13 GMT"), None);
        for wrong in ["", "-1", "+5", "1.5", "soon", "2026-11-24T23:14:13Z"] {
            assert_eq!(after(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_spread_stays_in_its_bounds_and_follows_the_draw(ms in 0_i64..100_000_000, percent in 0_u8..=100, a: u16, b: u16) {
            let base = TimeDelta::milliseconds(ms);
            let margin = base * i32::from(percent) / 100;
            let (a, b) = (a.min(b), a.max(b));
            let (short, long) = (spread(base, percent, Draw(a)), spread(base, percent, Draw(b)));
            prop_assert!(base - margin <= short && short <= long && long <= base + margin, "{short} {long}");
            prop_assert_eq!(spread(base, 0, Draw(a)), base);
        }

        #[test]
        fn reconnecting_never_spins_and_never_sleeps_for_ever(failures: u32, draw: u16) {
            for jitter in [FullJitter::CLIENT, FullJitter::BUS] {
                let wait = jitter.wait(failures, Draw(draw));
                prop_assert!(jitter.least <= wait && wait <= jitter.most, "{wait}");
                let longest = jitter.wait(failures, Draw::MOST);
                prop_assert!(wait <= longest && longest <= jitter.wait(failures.saturating_add(1), Draw::MOST));
            }
        }

        #[test]
        fn no_header_moves_the_next_attempt_into_the_past_or_beyond_a_day(text in "\\PC{0,40}") {
            if let Some(at) = retry_after(&text, now()) {
                prop_assert!(now() <= at && at <= now() + RETRY_AFTER_MOST);
            }
        }
    }
}
