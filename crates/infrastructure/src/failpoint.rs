//! Named places where a test lets the process die.

use std::sync::OnceLock;

static ARMED: OnceLock<String> = OnceLock::new();

/// Lets the process abort when it next reaches the named place. Configuration accepts it in `test` only.
pub fn arm(name: &str) {
    // A second name is ignored: a process dies once.
    let _ = ARMED.set(name.to_owned());
}

/// Dies here if the place is armed, without unwinding or cleaning up, as after `kill -9`.
pub(crate) fn reached(name: &str) {
    if ARMED.get().is_some_and(|armed| armed == name) {
        std::process::abort();
    }
}
