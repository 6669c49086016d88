use std::time::Duration;

use chrono::TimeDelta;
use comanda_domain::breaker::BreakerSettings;

use super::reader::Reader;
use super::{settings, values};
use crate::redis::{RedisAddress, RedisConfig};

const REDIS_HINT: &str =
    "docs/configuration.md shows the three forms; percent-encode what is special in a password";

/// How events travel.
#[derive(Debug, Clone)]
pub struct EventsConfig {
    /// How long they are kept.
    pub retention: Duration,
    /// How many are numbered at once, at most.
    pub batch: u32,
    /// How many of the newest of a shard Redis keeps, about.
    pub stream_maxlen: u32,
}

pub(super) fn events(reader: &mut Reader<'_>) -> Option<EventsConfig> {
    let retention = reader.parsed(&settings::EVENT_RETENTION, values::retention);
    let batch = reader.parsed(&settings::SEQUENCER_BATCH, |text| values::count(text, 1..=10_000));
    let maxlen = reader.parsed(&settings::STREAM_MAXLEN, |text| {
        values::count(text, 1000..=1_000_000)
    });
    Some(EventsConfig {
        retention: retention?,
        batch: batch?,
        stream_maxlen: maxlen?,
    })
}

/// Nothing without an address. Where something is wrong with it there is a problem, and no configuration.
pub(super) fn redis(reader: &mut Reader<'_>) -> Option<RedisConfig> {
    let pool = reader.parsed(&settings::REDIS_POOL, |text| values::count(text, 1..=1000));
    let timeout = reader.parsed(&settings::REDIS_TIMEOUT, |text| {
        values::duration_within(text, Duration::from_millis(10), Duration::from_secs(5))
    });
    let address = reader.parsed_or(&settings::REDIS_URL, REDIS_HINT, RedisAddress::parse);
    Some(RedisConfig {
        address: address?,
        pool: pool?,
        timeout: timeout?,
    })
}

pub(super) fn breaker(reader: &mut Reader<'_>) -> Option<BreakerSettings> {
    let failures = reader.parsed(&settings::BREAKER_FAILURES, |text| values::count(text, 1..=1000));
    let open = reader.parsed(&settings::BREAKER_OPEN, |text| {
        values::duration_within(text, Duration::from_secs(1), Duration::from_hours(1))
    });
    Some(BreakerSettings {
        failures_to_open: failures?,
        open_for: TimeDelta::from_std(open?).ok()?,
        ..BreakerSettings::default()
    })
}
