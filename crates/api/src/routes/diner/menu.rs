//! The menu as a guest reads it.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, web};
use comanda_infrastructure::menus::MenuQuery;
use comanda_infrastructure::views::MenuView;

use crate::http::answer::Answer;
use crate::http::command::ask;
use crate::http::language;
use crate::http::principal::Guest;
use crate::http::query::Query;
use crate::state::State;

/// The menu of the branch, in one language, filtered by allergens and diets.
#[utoipa::path(tag = "diner", responses((status = 200, body = MenuView)), params(
        ("lang" = Option<String>, Query, description = "language tag; else Accept-Language, else the branch's"),
        ("exclude" = Option<String>, Query, description = "allergen codes, separated by commas"),
        ("mode" = Option<String>, Query, description = "contains, traces (default) or declared_free"),
        ("diets" = Option<String>, Query, description = "diets, separated by commas"),
        ("apply_preferences" = Option<bool>, Query, description = "also the caller's own preferences"),
    ), extensions(("x-comanda-action" = json!("menu.read"))))]
#[get("/menu")]
pub async fn menu(state: web::Data<State>, guest: Guest, request: HttpRequest) -> Answer {
    let mut query = Query::of(&request)?;
    let lang = query.language()?.or_else(|| language::accepted(&request));
    let wanted = MenuQuery {
        exclude: query.codes("exclude")?,
        mode: query.named("mode")?,
        diets: query.all("diets")?.unwrap_or_default(),
        apply_preferences: query.flag("apply_preferences")?,
        lang,
    };
    query.close()?;
    let (view, tag) = state
        .services
        .menus
        .of_visit(&ask(&request, &guest.0), &guest.0, &wanted)
        .await?;
    let fresh = request
        .headers()
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|known| {
            known
                .split(',')
                .any(|known| known.trim().trim_start_matches("W/") == tag)
        });
    let mut response = if fresh {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((header::ETAG, tag))
        .insert_header((header::CONTENT_LANGUAGE, view.lang.clone()))
        .insert_header((header::CACHE_CONTROL, "private, max-age=0, must-revalidate"));
    Ok(if fresh {
        response.finish()
    } else {
        response.json(view)
    })
}
