//! The parts of a business day that waiters are assigned for (`domain.md` 2.3).

use chrono::{NaiveTime, Timelike};
use chrono_tz::Tz;

use crate::Timestamp;
use crate::enums::text_enum;

text_enum! {
    /// A part of a business day, in the branch's local time.
    Shift {
        /// The whole day.
        AllDay = "all_day",
        /// Until noon.
        Morning = "morning",
        /// From noon to six.
        Afternoon = "afternoon",
        /// From six until the business day ends, which is after midnight.
        Night = "night",
    }
}

const NOON: u32 = 12;
const SIX: u32 = 18;

impl Shift {
    /// Whether an instant falls into this part of its business day, which begins at `start`.
    pub fn covers(self, at: Timestamp, zone: Tz, start: NaiveTime) -> bool {
        self == Self::AllDay || self == Self::part_at(at.with_timezone(&zone).naive_local().time(), start)
    }

    /// What is before the day's start still belongs to the night before.
    fn part_at(local: NaiveTime, start: NaiveTime) -> Self {
        match local.hour() {
            _ if local < start => Self::Night,
            ..NOON => Self::Morning,
            NOON..SIX => Self::Afternoon,
            SIX.. => Self::Night,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    const ZONE: Tz = chrono_tz::America::Argentina::Mendoza;

    fn shifts_at(text: &str) -> Vec<Shift> {
        let at = DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        let five = NaiveTime::from_hms_opt(5, 0, 0).unwrap();
        Shift::ALL
            .iter()
            .copied()
            .filter(|shift| shift.covers(at, ZONE, five))
            .collect()
    }

    #[test]
    fn the_night_lasts_until_the_business_day_ends() {
        assert_eq!(shifts_at("2026-11-24T08:00:00Z"), [Shift::AllDay, Shift::Morning]);
        assert_eq!(shifts_at("2026-11-24T14:59:59Z"), [Shift::AllDay, Shift::Morning]);
        assert_eq!(
            shifts_at("2026-11-24T15:00:00Z"),
            [Shift::AllDay, Shift::Afternoon]
        );
        assert_eq!(shifts_at("2026-11-24T21:00:00Z"), [Shift::AllDay, Shift::Night]);
        assert_eq!(shifts_at("2026-11-25T07:59:59Z"), [Shift::AllDay, Shift::Night]);
    }

    proptest! {
        #[test]
        fn every_instant_has_one_part_of_the_day(seconds in 0_i64..4_000_000_000, hour in 0_u32..24) {
            let at = DateTime::from_timestamp(seconds, 0).unwrap();
            let start = NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
            let covering = Shift::ALL.iter().filter(|shift| shift.covers(at, ZONE, start)).count();
            prop_assert_eq!(covering, 2);
        }
    }
}
