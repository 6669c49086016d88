//! What Comanda performs: configuration, PostgreSQL, Redis and the use cases.
//!
//! A use case is *load → decide → record* in one transaction: see [`db`].

pub mod api_keys;
pub mod audit;
pub mod billing;
pub mod breaker;
pub mod carts;
pub mod clock;
pub mod config;
pub mod db;
pub mod dead_letters;
pub mod demo;
pub mod diners;
pub mod draw;
pub mod events;
pub mod failpoint;
pub mod floor;
pub mod gateway;
mod gauges;
pub mod idempotency;
pub mod jobs;
pub mod kitchen;
pub mod menus;
pub mod outbox;
pub mod paging;
pub mod people;
pub mod policy;
pub mod postgres;
pub mod redis;
pub mod refusal;
pub mod rounds;
pub mod schema;
pub mod service_calls;
pub mod services;
pub mod sessions;
pub mod staff;
mod stored;
pub mod telemetry;
pub mod tls;
pub mod tokens;
pub mod views;
pub mod webhooks;
