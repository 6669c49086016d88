//! Counting connections.

/// An open connection of a role, until it is dropped.
#[derive(Debug)]
pub struct Open {
    role: &'static str,
    code: u16,
}

impl Open {
    /// One more.
    pub fn new(role: &'static str) -> Self {
        metrics::gauge!("comanda_ws_connections", "role" => role).increment(1);
        metrics::counter!("comanda_ws_connections_opened_total", "role" => role).increment(1);
        // Without a close frame: the client has gone.
        Self { role, code: 1006 }
    }

    /// It ends with this code.
    pub fn closes(&mut self, code: u16) {
        self.code = code;
        if code == 4401 || code == 4403 {
            let reason = if code == 4401 { "token" } else { "forbidden" };
            metrics::counter!("comanda_auth_rejections_total", "surface" => "ws", "reason" => reason)
                .increment(1);
        }
    }
}

/// A client asked for something.
pub fn received(op: &'static str) {
    metrics::counter!("comanda_ws_messages_received_total", "op" => op).increment(1);
}

impl Drop for Open {
    fn drop(&mut self) {
        metrics::gauge!("comanda_ws_connections", "role" => self.role).decrement(1);
        let code = self.code.to_string();
        metrics::counter!("comanda_ws_connections_closed_total", "role" => self.role, "code" => code)
            .increment(1);
    }
}
