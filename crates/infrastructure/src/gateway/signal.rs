//! Signals as they travel: an envelope without number, epoch and trace.

use comanda_domain::event::{SignalName, event_type};
use comanda_domain::ids::{BranchId, ProductId, SessionId, TenantId};
use comanda_security::policy::DinerPrincipal;
use serde_json::json;

use super::{EventService, Rendered};
use crate::events::bus::Signal;
use crate::events::render::source;

/// The envelope of a signal.
pub(super) fn rendered(signal: &Signal) -> Rendered {
    let (tenant, branch) = (TenantId(signal.tenant_id), BranchId(signal.branch_id));
    let session = SessionId(signal.session_id);
    let mut data = signal.data.clone();
    if let Some(members) = data.as_object_mut() {
        members.insert("branch_id".to_owned(), json!(branch));
        members.insert("session_id".to_owned(), json!(session));
    }
    let envelope = json!({
        "specversion": "1.0",
        "type": event_type(&signal.name),
        "source": source(tenant, branch),
        "subject": session,
        "datacontenttype": "application/json",
        "data": data,
    });
    Rendered {
        name: "signal",
        json: envelope.to_string().into_bytes(),
    }
}

impl EventService {
    /// What a guest is doing, for the others at the table.
    pub fn presence(&self, diner: &DinerPrincipal, state: &'static str, product: Option<ProductId>) {
        self.db.signals().send(Signal {
            tenant_id: diner.tenant.0,
            branch_id: diner.branch.0,
            session_id: diner.session.0,
            name: SignalName::CartPresence.as_str().to_owned(),
            data: json!({ "diner_id": diner.diner, "state": state, "product_id": product }),
        });
    }
}
