//! Test applications, personas and fixtures; only ever a dev-dependency.
