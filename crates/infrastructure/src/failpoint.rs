//! Named places where a test lets the process die, and defects that it plants to see whether they are found.
//!
//! One name per process, by `COMANDA_FAILPOINT`, which configuration accepts in `test` only. Elsewhere nothing is
//! named, and asking costs one atomic read.

use std::sync::OnceLock;

/// The sequencer follows the numbers that staged events were given before their transactions committed.
pub const CURSOR_OVER_IDENTITY: &str = "cursor_over_identity";
/// Events are published before the transaction that numbers them has committed.
pub const PUBLISH_BEFORE_COMMIT: &str = "publish_before_commit";
/// Who comes in is told what they missed first, and hears what happens only afterwards.
pub const REPLAY_BEFORE_ATTACH: &str = "replay_before_attach";
/// Every defect that can be planted. Each must be found by the fault rig.
pub const DEFECTS: [&str; 3] = [CURSOR_OVER_IDENTITY, PUBLISH_BEFORE_COMMIT, REPLAY_BEFORE_ATTACH];

static ARMED: OnceLock<String> = OnceLock::new();

/// Lets the process abort when it next reaches the named place, or have the named defect. Configuration accepts it in
/// `test` only.
pub fn arm(name: &str) {
    // A second name is ignored: a process dies once.
    let _ = ARMED.set(name.to_owned());
}

/// Whether the process is to have this defect.
pub(crate) fn planted(defect: &str) -> bool {
    ARMED.get().is_some_and(|armed| armed == defect)
}

/// Dies here if the place is armed, without unwinding or cleaning up, as after `kill -9`.
pub(crate) fn reached(name: &str) {
    if ARMED.get().is_some_and(|armed| armed == name) {
        std::process::abort();
    }
}
