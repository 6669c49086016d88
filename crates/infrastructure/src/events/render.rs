//! Events as each view sees them.

use comanda_domain::event::{AUDIENCE, EventName, View};
use comanda_domain::ids::{BranchId, EventId, TenantId};
use serde_json::{Value, json};

use super::LoggedEvent;
use crate::views;

/// The envelope of an event in a view; none if the event is not for it.
pub fn envelope(event: &LoggedEvent, view: View, epoch: &str, public_url: &str) -> Option<Value> {
    let name = EventName::of_type(&event.type_)?;
    let audience = AUDIENCE.iter().find(|row| row.name == name)?;
    if !audience.has_view(view) {
        return None;
    }
    let mut data = event.data.clone();
    data.as_object_mut()?.insert("seq".to_owned(), event.seq.into());
    Some(json!({
        "specversion": "1.0", "id": EventId(event.event_id), "type": event.type_,
        "source": format!("/tenants/{}/branches/{}", TenantId(event.tenant_id), BranchId(event.branch_id?)),
        "subject": event.subject, "time": views::time(event.occurred_at), "datacontenttype": "application/json",
        "dataschema": format!("{public_url}/schemas/events/{name}.v1.json"),
        "sequence": format!("{:020}", event.seq?), "epoch": epoch, "data": data,
    }))
}
