//! What a process does.

/// The roles of a process; at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessRoles {
    /// Serves HTTP.
    pub api: bool,
    /// Serves sockets and event streams.
    pub gateway: bool,
    /// Numbers, publishes and delivers.
    pub worker: bool,
}

impl ProcessRoles {
    /// Everything.
    pub const ALL: Self = Self {
        api: true,
        gateway: true,
        worker: true,
    };

    /// Reads `api,worker` or `all`.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut roles = Self {
            api: false,
            gateway: false,
            worker: false,
        };
        for name in text.split(',').map(str::trim) {
            match name {
                "api" => roles.api = true,
                "gateway" => roles.gateway = true,
                "worker" => roles.worker = true,
                "all" => roles = Self::ALL,
                other => return Err(format!("{other:?} is none of api, gateway, worker and all")),
            }
        }
        Ok(roles)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_add_up() {
        assert_eq!(ProcessRoles::parse("all"), Ok(ProcessRoles::ALL));
        assert_eq!(ProcessRoles::parse("api, gateway,worker"), Ok(ProcessRoles::ALL));
        let worker = ProcessRoles::parse("worker").unwrap();
        assert!(worker.worker && !worker.api && !worker.gateway);
        assert!(ProcessRoles::parse("").is_err());
        assert!(ProcessRoles::parse("api,cook").is_err());
    }
}
