//! The shared cart.

use actix_web::{HttpRequest, delete, get, patch, post, web};
use comanda_domain::cart::{AddLine, ChangeLine, Sharing};
use comanda_domain::ids::{CartLineId, DinerId, ProductId};
use comanda_infrastructure::views::CartView;
use comanda_security::policy::Principal;

use crate::http::answer::{Answer, seen, stored, versioned};
use crate::http::body::{Id, Int, List, Named, Nothing, body};
use crate::http::command::{Command, Unkeyed, ask};
use crate::http::path::PathId;
use crate::http::principal::Diner;
use crate::routes::bodies::{ModifierBody, Notes, diners, modifiers, sharing};
use crate::state::State;

body! {
    /// What is wanted.
    AddLineBody {
        /// The dish.
        product_id: Id<ProductId>,
        /// How many.
        qty: Int<1, 99>,
        /// Chosen options.
        modifiers: Option<List<ModifierBody, 20>>,
        /// `own` if not said, `group` when guests are named.
        sharing: Option<Named<Sharing>>,
        /// The guests of a `group` line, at least two.
        shared_with: Option<List<Id<DinerId>, 50>>,
        /// A wish to the kitchen.
        notes: Option<Notes>,
    }
}

body! {
    /// What changes of a line.
    ChangeLineBody {
        /// How many.
        qty: Option<Int<1, 99>>,
        /// All chosen options.
        modifiers: Option<List<ModifierBody, 20>>,
        /// Who it belongs to.
        sharing: Option<Named<Sharing>>,
        /// The guests of a `group` line.
        shared_with: Option<List<Id<DinerId>, 50>>,
        /// A wish to the kitchen.
        notes: Option<Notes>,
    }
}

/// The cart with current prices, availability and allergen alerts.
#[utoipa::path(tag = "diner", responses((status = 200, body = CartView)),
    extensions(("x-comanda-action" = json!("cart.read")), ("x-comanda-cursor" = json!(true))))]
#[get("/cart")]
pub async fn get(state: web::Data<State>, diner: Diner, request: HttpRequest) -> Answer {
    let ask = ask(&request, &Principal::Diner(diner.0.clone()));
    let found = state.services.carts.get(&ask, &diner.0).await?;
    Ok(seen(found, |(view, version)| versioned(&view, version)))
}

/// Adds a line; an equal line gains quantity instead.
#[utoipa::path(tag = "diner", request_body = AddLineBody, responses((status = 201, body = CartView)),
    extensions(("x-comanda-action" = json!("cart.write"))))]
#[post("/cart/lines")]
pub async fn add(state: web::Data<State>, diner: Diner, command: Command<AddLineBody, Unkeyed>) -> Answer {
    let body = command.body;
    let line = AddLine {
        product_id: body.product_id.0,
        qty: body.qty.0,
        modifiers: modifiers(body.modifiers),
        sharing: sharing(body.sharing),
        shared_with: diners(body.shared_with),
        notes: body.notes.map(|notes| notes.0).unwrap_or_default(),
    };
    Ok(stored(
        state.services.carts.add(&command.ask, &diner.0, &line).await?,
    ))
}

/// Changes a line of the caller, or one that the caller shares.
#[utoipa::path(tag = "diner", request_body = ChangeLineBody, responses((status = 200, body = CartView)),
    extensions(("x-comanda-action" = json!("cart.write"))))]
#[patch("/cart/lines/{line_id}")]
pub async fn change(
    state: web::Data<State>,
    diner: Diner,
    line: PathId<CartLineId>,
    command: Command<ChangeLineBody, Unkeyed>,
) -> Answer {
    let body = command.body;
    let change = ChangeLine {
        line_id: line.0,
        qty: body.qty.map(|qty| qty.0),
        modifiers: body.modifiers.map(|list| modifiers(Some(list))),
        sharing: sharing(body.sharing),
        shared_with: body.shared_with.map(|list| diners(Some(list))),
        notes: body.notes.map(|notes| notes.0),
    };
    Ok(stored(
        state
            .services
            .carts
            .change(&command.ask, &diner.0, &change)
            .await?,
    ))
}

/// Removes a line.
#[utoipa::path(tag = "diner", responses((status = 200, body = CartView)),
    extensions(("x-comanda-action" = json!("cart.write"))))]
#[delete("/cart/lines/{line_id}")]
pub async fn remove(
    state: web::Data<State>,
    diner: Diner,
    line: PathId<CartLineId>,
    command: Command<Nothing, Unkeyed>,
) -> Answer {
    Ok(stored(
        state
            .services
            .carts
            .remove(&command.ask, &diner.0, line.0)
            .await?,
    ))
}

/// Removes the caller's own lines; needs the version that the caller saw.
#[utoipa::path(tag = "diner", responses((status = 200, body = CartView)),
    extensions(("x-comanda-action" = json!("cart.write"))))]
#[delete("/cart")]
pub async fn clear(state: web::Data<State>, diner: Diner, command: Command<Nothing, Unkeyed>) -> Answer {
    let seen = command.seen_version()?;
    Ok(stored(
        state.services.carts.clear(&command.ask, &diner.0, seen).await?,
    ))
}
