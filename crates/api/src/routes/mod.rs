//! Every address, by audience. A handler takes the caller and the parsed command, calls one use case and turns its
//! outcome into the answer; it decides nothing.

pub mod admin;
pub mod api_keys;
pub mod auth;
pub mod billing;
pub mod bodies;
pub mod diner;
pub mod events;
pub mod health;
pub mod integration;
pub mod kitchen;
pub mod public;
pub mod tickets;
pub mod waiter;

use actix_web::middleware::from_fn;
use utoipa_actix_web::scope::scope;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::http::principal::{guests_only, keys_only, listeners_only, staff_only};

/// What a process serves besides probes.
#[derive(Debug, Clone, Copy)]
pub struct Serving {
    /// Requests.
    pub api: bool,
    /// Those who listen.
    pub gateway: bool,
}

impl Serving {
    /// Everything.
    pub const ALL: Self = Self {
        api: true,
        gateway: true,
    };
}

/// Adds the routes of a process: the probes, and what it serves.
pub fn serve(serving: Serving, config: &mut ServiceConfig<'_>) {
    config.service(health::livez).service(health::readyz);
    if serving.api || serving.gateway {
        let listening = scope("/v1/events").wrap(from_fn(listeners_only));
        config.service(listening.configure(|config| events::serve(serving, config)));
    }
    if serving.api {
        requests(config);
    }
}

fn requests(config: &mut ServiceConfig<'_>) {
    config
        .service(scope("/v1/public").configure(public::configure))
        .configure(auth::configure)
        .service(
            scope("/v1/diner")
                .wrap(from_fn(guests_only))
                .configure(diner::configure),
        )
        .service(
            scope("/v1/waiter")
                .wrap(from_fn(staff_only))
                .configure(waiter::configure),
        )
        .service(
            scope("/v1/kitchen")
                .wrap(from_fn(staff_only))
                .configure(kitchen::configure),
        )
        .service(
            scope("/v1/billing")
                .wrap(from_fn(staff_only))
                .configure(billing::configure),
        )
        .service(
            scope("/v1/admin")
                .wrap(from_fn(staff_only))
                .configure(admin::configure)
                .configure(api_keys::configure),
        )
        .service(
            scope("/v1/integration")
                .wrap(from_fn(keys_only))
                .configure(integration::configure),
        );
}
