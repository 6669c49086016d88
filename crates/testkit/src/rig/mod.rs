//! The fault rig: a fleet of real processes under load, things that go wrong by seed, and a checker over all that was
//! written down meanwhile. `docs/testing.md` tells how to use it.

#![expect(clippy::print_stdout, reason = "it is a program that reports")]

mod alarms;
mod args;
pub mod check;
mod dice;
mod evidence;
mod faults;
mod fleet;
pub mod history;
mod load;
mod money;
mod place;
mod plan;
mod postgres;
mod run;
mod screens;
mod seats;
mod server;
mod settle;
mod verdict;

pub use run::main;
