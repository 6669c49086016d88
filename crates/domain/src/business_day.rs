//! The local date of a branch, changing at its business day start instead of midnight.

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;

use crate::Timestamp;

/// The business day that an instant belongs to.
pub fn business_day(at: Timestamp, zone: Tz, start: NaiveTime) -> NaiveDate {
    let local = at.with_timezone(&zone).naive_local();
    if local.time() < start {
        // The first representable day has no day before it; no restaurant was open then.
        local.date().pred_opt().unwrap_or(local.date())
    } else {
        local.date()
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_night_belongs_to_the_evening_before() {
        let five = NaiveTime::from_hms_opt(5, 0, 0).unwrap();
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        let zone = chrono_tz::America::Argentina::Mendoza;
        assert_eq!(
            business_day(at("2026-11-25T02:00:00Z"), zone, five).to_string(),
            "2026-11-24"
        );
        assert_eq!(
            business_day(at("2026-11-25T07:59:59Z"), zone, five).to_string(),
            "2026-11-24"
        );
        assert_eq!(
            business_day(at("2026-11-25T08:00:00Z"), zone, five).to_string(),
            "2026-11-25"
        );
    }

    proptest! {
        // P19: time only moves a business day forwards, also across clock changes.
        #[test]
        fn business_days_follow_each_other(
            seconds in 0_i64..4_000_000_000,
            step in 0_i64..200_000,
            hour in 0_u32..24,
            zone in prop::sample::select(vec![
                chrono_tz::America::Argentina::Mendoza,
                chrono_tz::Europe::Madrid,
                chrono_tz::Australia::Lord_Howe,
                chrono_tz::Pacific::Apia,
            ]),
        ) {
            let start = NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
            let first = DateTime::from_timestamp(seconds, 0).unwrap();
            let later = first + TimeDelta::seconds(step);
            // Where clocks go back over the day's start, the hour that repeats may fall to the day before.
            let slack = TimeDelta::hours(1);
            prop_assert!(business_day(first, zone, start) <= business_day(later + slack, zone, start));
        }
    }
}
