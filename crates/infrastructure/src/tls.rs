//! The one cryptography under TLS.

/// Lets every TLS connection of the process use `ring`. Harmless to repeat; clients cannot be built before.
pub fn install() {
    // An error means that it has been installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
