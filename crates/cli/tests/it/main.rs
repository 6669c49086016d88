//! The commands, each against a server of its own.

#[cfg(test)]
mod dinner;
#[cfg(test)]
mod outbox;
