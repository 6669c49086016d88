//! What guests do from their phones.

mod calls;
mod cart;
mod check;
mod me;
mod menu;
mod rounds;

use utoipa_actix_web::service_config::ServiceConfig;

/// Adds the routes below `/v1/diner`.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(crate::routes::events::list_diner_events)
        .service(me::register)
        .service(me::session)
        .service(me::me)
        .service(me::update_me)
        .service(menu::menu)
        .service(cart::get)
        .service(cart::clear)
        .service(cart::add)
        .service(cart::change)
        .service(cart::remove)
        .service(rounds::place)
        .service(rounds::list)
        .service(rounds::get)
        .service(rounds::cancel)
        .service(calls::list)
        .service(calls::raise)
        .service(calls::cancel)
        .service(check::preview)
        .service(check::request_check)
        .service(check::get_check)
        .service(check::set_split)
        .service(check::get_receipt)
        .service(check::start_payment)
        .service(check::get_payment)
        .service(check::cancel_payment);
}

pub use check::{ProviderOptionsBody, provider_options};
pub use me::color;
