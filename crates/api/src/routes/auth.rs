//! Staff logs in and out.

use actix_web::cookie::{Cookie, SameSite};
use actix_web::middleware::from_fn;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use comanda_infrastructure::staff::{Login, LoginOutcome};
use comanda_infrastructure::views::{LoginView, UserView};
use utoipa_actix_web::scope::scope;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::nowhere;
use crate::http::answer::{Answer, ok};
use crate::http::body::{Named, Names, Nothing, Raw, body};
use crate::http::command::{Command, Open, Plain, ask, stranger};
use crate::http::principal::{Staff, staff_only};
use crate::problem::{Code, Problem};
use crate::state::State;

/// Carries the refresh token of browsers that want it so.
const COOKIE: &str = "comanda_refresh";

/// Adds the routes below `/v1/auth`.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(login)
        .service(refresh)
        // Other methods of these two need no credential either to be told that they do not exist.
        .route("/v1/auth/login", web::route().to(nowhere))
        .route("/v1/auth/refresh", web::route().to(nowhere))
        .service(
            scope("/v1/auth")
                .wrap(from_fn(staff_only))
                .service(logout)
                .service(logout_all)
                .service(get_me)
                .service(change_password),
        );
}

/// Where the refresh token travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// In the body.
    Token,
    /// In a cookie that scripts cannot read.
    Cookie,
}

impl Names for Mode {
    const NAMES: &'static [&'static str] = &["token", "cookie"];

    fn of(name: &str) -> Option<Self> {
        match name {
            "token" => Some(Self::Token),
            "cookie" => Some(Self::Cookie),
            _ => None,
        }
    }
}

body! {
    /// Who logs in.
    LoginBody {
        /// The restaurant's short name.
        tenant: Raw<254>,
        /// E-mail.
        email: Raw<254>,
        /// Password.
        password: Raw<512>,
        /// `token` (default) or `cookie`.
        mode: Option<Named<Mode>>,
    }
}

body! {
    /// The login goes on.
    RefreshBody {
        /// Or in the cookie.
        refresh_token: Option<Raw<200>>,
    }
}

body! {
    /// A new password.
    PasswordBody {
        /// The present one.
        current: Raw<512>,
        /// Ten to 128 characters.
        new: Raw<512>,
    }
}

/// Logs in.
#[utoipa::path(tag = "auth", request_body = LoginBody, responses((status = 200, body = LoginView)),
    extensions(("x-comanda-action" = json!("public"))))]
#[post("/v1/auth/login")]
pub async fn login(state: web::Data<State>, request: HttpRequest, open: Open<LoginBody>) -> Answer {
    let mode = open.body.mode.map_or(Mode::Token, |mode| mode.0);
    let login = Login {
        tenant: open.body.tenant.0,
        email: open.body.email.0,
        password: open.body.password.0.into(),
    };
    let outcome = state.services.staff.login(&stranger(&request), &login).await?;
    Ok(logged_in(&state, outcome, mode))
}

/// Exchanges a refresh token for its successor and a new access token.
#[utoipa::path(tag = "auth", request_body = RefreshBody, responses((status = 200, body = LoginView)),
    extensions(("x-comanda-action" = json!("public"))))]
#[post("/v1/auth/refresh")]
pub async fn refresh(state: web::Data<State>, request: HttpRequest, open: Open<RefreshBody>) -> Answer {
    let (token, mode) = match (open.body.refresh_token, request.cookie(COOKIE)) {
        (Some(token), _) => (token.0, Mode::Token),
        (None, Some(cookie)) => {
            same_origin(&state, &request)?;
            (cookie.value().to_owned(), Mode::Cookie)
        }
        (None, None) => {
            return Err(Problem::new(Code::ValidationFailed).at(
                "/refresh_token",
                "required",
                "must be given",
            ));
        }
    };
    let outcome = state.services.staff.refresh(&stranger(&request), &token).await?;
    Ok(logged_in(&state, outcome, mode))
}

/// Ends this login.
#[utoipa::path(tag = "auth", responses((status = 204, description = "done")),
    extensions(("x-comanda-action" = json!("self.manage"))))]
#[post("/logout")]
pub async fn logout(state: web::Data<State>, staff: Staff, command: Command<Nothing, Plain>) -> Answer {
    state.services.staff.logout(&command.ask, &staff.0).await?;
    Ok(HttpResponse::NoContent()
        .cookie(cookie(&state, String::new()))
        .finish())
}

/// Ends all logins of the caller.
#[utoipa::path(tag = "auth", responses((status = 204, description = "done")),
    extensions(("x-comanda-action" = json!("self.manage"))))]
#[post("/logout-all")]
pub async fn logout_all(state: web::Data<State>, staff: Staff, command: Command<Nothing, Plain>) -> Answer {
    state.services.staff.logout_all(&command.ask, &staff.0).await?;
    Ok(HttpResponse::NoContent()
        .cookie(cookie(&state, String::new()))
        .finish())
}

/// The caller with their grants.
#[utoipa::path(tag = "auth", responses((status = 200, body = UserView)),
    extensions(("x-comanda-action" = json!("self.manage"))))]
#[get("/me")]
pub async fn get_me(state: web::Data<State>, staff: Staff, request: HttpRequest) -> Answer {
    let ask = ask(
        &request,
        &comanda_security::policy::Principal::Staff(staff.0.clone()),
    );
    Ok(ok(&state.services.staff.me(&ask, &staff.0).await?))
}

/// Changes the caller's password; all other logins end.
#[utoipa::path(tag = "auth", request_body = PasswordBody, responses((status = 204, description = "done")),
    extensions(("x-comanda-action" = json!("self.manage"))))]
#[post("/password")]
pub async fn change_password(
    state: web::Data<State>,
    staff: Staff,
    command: Command<PasswordBody, Plain>,
) -> Answer {
    let (current, new) = (command.body.current.0.into(), command.body.new.0.into());
    state
        .services
        .staff
        .change_password(&command.ask, &staff.0, &current, &new)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

fn logged_in(state: &State, outcome: LoginOutcome, mode: Mode) -> HttpResponse {
    let LoginOutcome {
        mut view,
        refresh_token,
    } = outcome;
    match mode {
        Mode::Token => {
            view.refresh_token = Some(refresh_token);
            HttpResponse::Ok().json(view)
        }
        Mode::Cookie => HttpResponse::Ok().cookie(cookie(state, refresh_token)).json(view),
    }
}

fn cookie(state: &State, value: String) -> Cookie<'static> {
    Cookie::build(COOKIE, value)
        .http_only(true)
        .secure(state.public_url.starts_with("https:"))
        .same_site(SameSite::Strict)
        .path("/v1/auth")
        .finish()
}

/// A cookie is only good from our own pages.
fn same_origin(state: &State, request: &HttpRequest) -> Result<(), Problem> {
    let origin = request
        .headers()
        .get("origin")
        .and_then(|value| value.to_str().ok());
    if origin == Some(state.public_url.as_str()) {
        Ok(())
    } else {
        Err(
            Problem::with_detail(Code::InvalidParameter, "the cookie needs an allowed Origin").at(
                "/header/Origin",
                "not_allowed",
                "not an allowed origin",
            ),
        )
    }
}
