//! Which bus a process has.

use std::sync::Arc;

use chrono::TimeDelta;
use comanda_domain::breaker::BreakerSettings;

use super::{EventBus, MemoryBus, RedisBus};
use crate::breaker::CircuitBreaker;
use crate::clock::Sources;
use crate::config::Config;
use crate::redis::{Redis, RedisError};

/// Events are to be quick again soon after Redis is back.
const OPEN_MOST: TimeDelta = TimeDelta::seconds(2);

/// The one bus of a process: Redis if one is set, else the process itself. Connects to nothing yet.
///
/// # Errors
/// [`RedisError::Address`].
pub fn open(config: &Config, sources: &Sources) -> Result<Arc<dyn EventBus>, RedisError> {
    let Some(redis) = &config.redis else {
        return Ok(Arc::new(MemoryBus::default()));
    };
    let settings = BreakerSettings {
        open_for: config.breaker.open_for.min(OPEN_MOST),
        ..config.breaker
    };
    let breaker = CircuitBreaker::new("redis_events", settings, sources.clone());
    Ok(Arc::new(RedisBus::new(
        Redis::new(redis)?,
        Arc::new(breaker),
        config.events.stream_maxlen,
        &config.instance,
    )))
}
