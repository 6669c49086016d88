//! Work that no request asks for.

use std::time::Duration;

use comanda_domain::ids::TenantId;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::warn;

use crate::services::Services;

/// How often online payments are looked at whose time is over, and keys whose time is soon over.
const EXPIRY_INTERVAL: Duration = Duration::from_mins(1);

/// The running jobs of a process.
#[derive(Debug)]
pub struct Jobs {
    stop: watch::Sender<bool>,
    expiry: JoinHandle<()>,
}

/// Starts them on the current thread's local set.
pub fn start(services: &Services) -> Jobs {
    let (stop, stopped) = watch::channel(false);
    let expiry = tokio::task::spawn_local(look_after_time(services.clone(), stopped));
    Jobs { stop, expiry }
}

impl Jobs {
    /// Ends them after what they are at.
    pub async fn stop(self) {
        // Nobody listening means that they have ended.
        let _ = self.stop.send(true);
        let _ = self.expiry.await;
    }
}

async fn look_after_time(services: Services, mut stopped: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            () = tokio::time::sleep(EXPIRY_INTERVAL) => {}
        }
        let tenants = match services.staff.tenants().await {
            Ok(tenants) => tenants,
            Err(error) => {
                warn!(%error, "jobs.tenants");
                continue;
            }
        };
        for tenant in tenants {
            look_after(&services, tenant).await;
        }
    }
}

async fn look_after(services: &Services, tenant: TenantId) {
    if let Err(error) = services.billing.expire_due_payments(tenant).await {
        // The next round tries again; one tenant's trouble is not the others'.
        warn!(%error, "payments.expiry");
    }
    if let Err(error) = services.api_keys.announce_expiring(tenant).await {
        warn!(%error, "api_keys.expiring");
    }
}
