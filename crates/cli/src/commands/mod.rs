//! One module per command.

pub mod dinner;
