//! Many times as a few numbers.

use std::time::Duration;

use serde::Serialize;

/// In milliseconds.
#[derive(Debug, Default, Serialize)]
#[expect(
    clippy::struct_field_names,
    reason = "the names of the JSON members carry the unit"
)]
pub(super) struct Percentiles {
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) max_ms: f64,
}

impl Percentiles {
    /// Zeros where there is nothing.
    pub(super) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |percent: usize| {
            let place = times.len().saturating_sub(1) * percent / 100;
            let time = times.get(place).copied().unwrap_or_default();
            rounded(time.as_secs_f64() * 1000.0)
        };
        Self {
            p50_ms: at(50),
            p99_ms: at(99),
            max_ms: at(100),
        }
    }

    /// In words.
    pub(super) fn text(&self) -> String {
        format!(
            "p50 {} ms, p99 {} ms, max {} ms",
            self.p50_ms, self.p99_ms, self.max_ms
        )
    }
}

/// To two places.
pub(super) fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

/// So many a second.
pub(super) fn per_second(number: usize, time: Duration) -> f64 {
    let number = u32::try_from(number).unwrap_or(u32::MAX);
    rounded(f64::from(number) / time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_times() {
        let times = (1..=100).rev().map(Duration::from_millis).collect();
        let found = Percentiles::of(times);
        assert!((found.p50_ms - 50.0).abs() < 0.01 && (found.p99_ms - 99.0).abs() < 0.01);
        assert!((found.max_ms - 100.0).abs() < 0.01);
        assert!(Percentiles::of(Vec::new()).p99_ms.abs() < 0.01);
    }

    #[test]
    fn rates() {
        assert!((per_second(7, Duration::from_secs(2)) - 3.5).abs() < 0.01);
    }
}
