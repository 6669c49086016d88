//! Lists in parts: cursors bound to the caller's tenant, the address and the filter.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use comanda_infrastructure::paging::{Page as Wanted, Part};
use comanda_infrastructure::refusal::Refusal;
use serde::Serialize;

use super::answer::Listed;
use super::principal::principal;
use super::query::Page;
use crate::problem::Problem;
use crate::state::State;

/// Runs a list with its page.
///
/// # Errors
/// Whatever the list refuses.
pub async fn with_page<R>(
    state: &State,
    request: &HttpRequest,
    page: &Page,
    list: impl AsyncFnOnce(Wanted<'_>) -> Result<R, Refusal>,
) -> Result<R, Problem> {
    let tenant = principal(request)?.tenant().to_string();
    let filter = without_page(request.query_string());
    let context = [tenant.as_str(), request.path(), filter.as_str()];
    let wanted = Wanted {
        limit: page.limit,
        cursor: page.cursor.as_deref(),
        context: &context,
        keys: &state.keys.cursors,
    };
    list(wanted).await.map_err(Problem::from)
}

/// A part of a list, with a link to the next one (RFC 8288).
pub fn paged<T: Serialize>(request: &HttpRequest, part: Part<T>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    if let Some(cursor) = &part.next_cursor {
        let mut query = without_page(request.query_string());
        if let Some(limit) = request
            .query_string()
            .split('&')
            .find(|pair| pair.starts_with("limit="))
        {
            query.push('&');
            query.push_str(limit);
        }
        let link = format!(
            "<{}?{}&cursor={cursor}>; rel=\"next\"",
            request.path(),
            query.trim_start_matches('&')
        );
        response.insert_header((header::LINK, link.replace("?&", "?")));
    }
    response.json(Listed {
        data: part.data,
        next_cursor: part.next_cursor,
    })
}

/// The filter of a query: everything but the page.
fn without_page(query: &str) -> String {
    let is_page = |pair: &&str| !pair.starts_with("cursor=") && !pair.starts_with("limit=");
    query.split('&').filter(is_page).collect::<Vec<_>>().join("&")
}
