//! Registering, and what a guest is.

use actix_web::{HttpRequest, HttpResponse, get, patch, post, web};
use comanda_domain::diner::Preferences;
use comanda_infrastructure::diners::{RegisterDiner, UpdateMe};
use comanda_infrastructure::views::{DinerRegisteredView, OwnDinerView, SessionView};
use comanda_security::policy::Principal;

use crate::http::answer::{Answer, ok, seen, stored, versioned};
use crate::http::body::{Patch, Raw, Text, body};
use crate::http::command::{Command, Plain, Unkeyed, ask};
use crate::http::principal::{Diner, Guest, Visitor};
use crate::problem::{Code, Problem};
use crate::routes::bodies::{ColorText, PreferencesBody};
use crate::state::State;

body! {
    /// Who joins the table.
    RegisterBody {
        /// What the others call them.
        name: Text<1, 50>,
        /// `#RRGGBB`; chosen by order of joining if not said.
        color: Option<ColorText>,
        /// Chosen by the phone; makes registering repeatable.
        client_ref: Option<Text<8, 64>>,
        /// Of a phone that was remembered before.
        device_token: Option<Raw<200>>,
        /// Remember this phone.
        remember: Option<bool>,
        /// What they eat and read.
        preferences: Option<PreferencesBody>,
    }
}

body! {
    /// What changes.
    UpdateMeBody {
        /// What the others call them.
        name: Option<Text<1, 50>>,
        /// `#RRGGBB`
        color: Option<ColorText>,
        /// What they eat and read; null clears.
        preferences: Patch<PreferencesBody>,
    }
}

/// `#RRGGBB`, or what is wrong with it.
pub fn color(given: Option<ColorText>) -> Result<Option<String>, Problem> {
    let Some(ColorText { 0: text }) = given else {
        return Ok(None);
    };
    let good = text
        .strip_prefix('#')
        .is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    if good {
        Ok(Some(text))
    } else {
        Err(Problem::new(Code::ValidationFailed).at("/color", "wrong_format", "a colour such as #E4572E"))
    }
}

/// Joins the table by name.
#[utoipa::path(tag = "diner", request_body = RegisterBody, responses(
        (status = 201, body = DinerRegisteredView),
        (status = 200, description = "a known client_ref", body = DinerRegisteredView),
    ), extensions(("x-comanda-action" = json!("diner.register"))))]
#[post("/register")]
pub async fn register(
    state: web::Data<State>,
    visitor: Visitor,
    command: Command<RegisterBody, Plain>,
) -> Answer {
    let body = command.body;
    let registering = RegisterDiner {
        name: body.name.0,
        color: color(body.color)?,
        client_ref: body.client_ref.map(|text| text.0),
        device_token: body.device_token.map(|token| token.0),
        remember: body.remember.unwrap_or(false),
        preferences: body.preferences.map(Preferences::from),
    };
    let (view, is_new) = state
        .services
        .diners
        .register(&command.ask, &visitor.0, &registering)
        .await?;
    Ok(if is_new {
        HttpResponse::Created().json(view)
    } else {
        ok(&view)
    })
}

/// The visit, as everybody at the table sees it.
#[utoipa::path(tag = "diner", responses((status = 200, body = SessionView)),
    extensions(("x-comanda-action" = json!("session.read")), ("x-comanda-cursor" = json!(true))))]
#[get("/session")]
pub async fn session(state: web::Data<State>, guest: Guest, request: HttpRequest) -> Answer {
    let ask = ask(&request, &guest.0);
    let found = state.services.sessions.of_visit(&ask, &guest.0).await?;
    Ok(seen(found, |(view, version)| versioned(&view, version)))
}

/// The caller, with their own preferences.
#[utoipa::path(tag = "diner", responses((status = 200, body = OwnDinerView)),
    extensions(("x-comanda-action" = json!("diner.update"))))]
#[get("/me")]
pub async fn me(state: web::Data<State>, diner: Diner, request: HttpRequest) -> Answer {
    let ask = ask(&request, &Principal::Diner(diner.0.clone()));
    let (view, version) = state.services.diners.me(&ask, &diner.0).await?;
    Ok(versioned(&view, version))
}

/// Changes the caller's name, colour or preferences.
#[utoipa::path(tag = "diner", request_body = UpdateMeBody, responses((status = 200, body = OwnDinerView)),
    extensions(("x-comanda-action" = json!("diner.update"))))]
#[patch("/me")]
pub async fn update_me(
    state: web::Data<State>,
    diner: Diner,
    command: Command<UpdateMeBody, Unkeyed>,
) -> Answer {
    let body = command.body;
    let update = UpdateMe {
        name: body.name.map(|name| name.0),
        color: color(body.color)?,
        preferences: match body.preferences {
            Patch::Keep => None,
            Patch::Clear => Some(Preferences::default()),
            Patch::Set(preferences) => Some(preferences.into()),
        },
    };
    Ok(stored(
        state
            .services
            .diners
            .update_me(&command.ask, &diner.0, &update)
            .await?,
    ))
}
