//! The commands, each against a server of its own.

#[cfg(test)]
mod api_key;
#[cfg(test)]
mod command;
#[cfg(test)]
mod dinner;
#[cfg(test)]
mod dlq;
#[cfg(test)]
mod events;
#[cfg(test)]
mod outbox;
#[cfg(test)]
mod sockets;
