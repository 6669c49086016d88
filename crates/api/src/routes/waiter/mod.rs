//! What waiters do (and managers and admins with them).

mod calls;
mod rounds;
mod sessions;
mod tables;

use utoipa_actix_web::service_config::ServiceConfig;

/// Adds the routes below `/v1/waiter`.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(crate::routes::events::list_waiter_events)
        .service(tables::list)
        .service(tables::get)
        .service(tables::open)
        .service(sessions::get)
        .service(sessions::add_guest)
        .service(sessions::reopen)
        .service(sessions::close)
        .service(rounds::place_round)
        .service(rounds::list_rounds)
        .service(rounds::get_round)
        .service(rounds::confirm_round)
        .service(rounds::submit_round)
        .service(rounds::serve_round)
        .service(rounds::cancel_round)
        .service(rounds::void_item)
        .service(calls::list)
        .service(calls::ack)
        .service(calls::close);
}
