//! Signals as they travel: an envelope without number, epoch and trace.

use comanda_domain::event::event_type;
use comanda_domain::ids::{BranchId, SessionId, TenantId};
use serde_json::json;

use super::Rendered;
use crate::events::bus::Signal;

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
        "source": format!("/tenants/{tenant}/branches/{branch}"),
        "subject": session,
        "datacontenttype": "application/json",
        "data": data,
    });
    Rendered {
        name: "signal",
        json: envelope.to_string().into_bytes(),
    }
}
