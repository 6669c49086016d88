//! `comanda events …`: what happens.

mod ask;
mod show;
mod tail;

pub use tail::{Tail, tail};
