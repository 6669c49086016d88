//! What the other phones at the table hear of a changed cart; told once, not kept (`events.md` 3.4).

use comanda_domain::Timestamp;
use comanda_domain::cart::{CartChange, CartChanged, CartFacts, CartLine, read_cart};
use comanda_domain::event::SignalName;
use comanda_domain::session::Session;
use serde_json::{Value, json};

use crate::events::bus::Signal;
use crate::sessions::Scene;
use crate::views::{self, Texts};

/// The signal of a change that a guest made. Lines that are there now are told whole, in the branch's language; of
/// those that are gone the id is.
pub(super) fn changed(scene: &Scene, change: &CartChanged, after: CartFacts<'_>, now: Timestamp) -> Signal {
    let texts = Texts::of_branch(&scene.branch);
    let cart = views::cart(&read_cart(after, now), after.session, &scene.branch, &texts);
    let affected: Vec<String> = change
        .added
        .iter()
        .chain(&change.updated)
        .map(|line| line.id.to_string())
        .collect();
    let there = cart.lines.iter().filter(|line| affected.contains(&line.id));
    let gone = change.removed.iter().map(|id| json!({ "id": id }));
    let lines: Vec<_> = there.map(|line| json!(line)).chain(gone).collect();
    signal(scene, &change.session, change.change, &lines)
}

/// The signal of lines that became a round.
pub(crate) fn consumed(scene: &Scene, session: &Session, lines: &[&CartLine]) -> Signal {
    let gone: Vec<_> = lines.iter().map(|line| json!({ "id": line.id })).collect();
    signal(scene, session, CartChange::Consumed, &gone)
}

fn signal(scene: &Scene, session: &Session, change: CartChange, lines: &[Value]) -> Signal {
    Signal {
        tenant_id: scene.branch.tenant_id.0,
        branch_id: scene.branch.id.0,
        session_id: session.id.0,
        name: SignalName::CartChanged.as_str().to_owned(),
        data: json!({ "cart_version": session.cart_version, "change": change, "lines": lines }),
    }
}
