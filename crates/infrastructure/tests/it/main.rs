//! Integration tests of the infrastructure, in one binary.

// `cfg(test)` tells clippy that helpers, too, may unwrap here.
#[cfg(test)]
mod api_keys;
#[cfg(test)]
mod billing;
#[cfg(test)]
mod bus;
#[cfg(test)]
mod database;
#[cfg(test)]
mod dead_letters;
#[cfg(test)]
mod embedded;
#[cfg(test)]
mod events;
#[cfg(test)]
mod house;
#[cfg(test)]
mod kitchen;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod outbox;
#[cfg(test)]
mod redaction;
#[cfg(test)]
#[path = "../../../testkit/src/redis.rs"]
mod redis;
#[cfg(test)]
mod seed;
#[cfg(test)]
mod staff;
#[cfg(test)]
mod visits;
