//! Tests that read the house itself, in one binary.

// `cfg(test)` tells clippy that helpers, too, may unwrap here.
#[cfg(test)]
mod catalogue;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod workspace;
