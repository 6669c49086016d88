//! Black-box tests over HTTP, each on its own database.

#[cfg(test)]
mod announced;
#[cfg(test)]
mod api_keys;
#[cfg(test)]
mod asyncapi;
#[cfg(test)]
mod auth;
#[cfg(test)]
mod authorisation;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod concurrency;
#[cfg(test)]
mod cost;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod cursors;
#[cfg(test)]
mod dinner;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod events;
#[cfg(test)]
mod fleet;
#[cfg(test)]
mod foreign_screens;
#[cfg(test)]
mod gauges;
#[cfg(test)]
mod json_schema;
#[cfg(test)]
mod large_events;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod party;
#[cfg(test)]
mod raw;
#[cfg(test)]
mod roles;
#[cfg(test)]
mod rotation;
#[cfg(test)]
mod signing;
#[cfg(test)]
mod sockets;
#[cfg(test)]
mod streams;
#[cfg(test)]
mod tenancy;
#[cfg(test)]
mod webhooks;
