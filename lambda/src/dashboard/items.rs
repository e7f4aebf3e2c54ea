//! `GET /api/v2/items`: the items of the last 24 hours, page by page.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use contract::{DataSettings, limits, routes};
use http::{HeaderMap, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::csv_table::{CsvTable, Format};
use super::deps::Deps;
use super::item::ItemAnswer;
use super::openapi::Problem;
use super::whole::whole;
use crate::error::ApiError;
use crate::request::{filter, parameters};
use stream_core::page::{Place, page};

/// One page.
#[derive(Serialize, ToSchema)]
#[schema(as = ItemsAnswer)]
struct Items<'a> {
    /// Newest first.
    items: Vec<ItemAnswer<'a>>,
    /// What `after` must be for the page that follows; null where nothing does.
    #[schema(required)]
    next: Option<String>,
}

/// The newest items that match, or those after a page before.
#[utoipa::path(
    get,
    path = routes::ITEMS,
    operation_id = "items",
    summary = "Items of the last 24 hours, newest first",
    responses(
        (status = 200, description = "A page", content((Items<'_> = "application/json"), (String = "text/csv"))),
        (status = 400, description = "A parameter is malformed", body = Problem),
        (status = 401, description = "`auth.private` is set and the request has no good token", body = Problem),
        (status = 503, description = "The table cannot be read", body = Problem),
    ),
)]
pub(super) async fn items(
    State(deps): State<Deps>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let [size, after] = parameters(query.as_deref(), [routes::LIMIT_QUERY, routes::AFTER_QUERY])?;
    let (size, after, filter) = (limit(size.as_deref())?, place(after.as_deref())?, filter(query.as_deref())?);
    let format = Format::of(query.as_deref())?;
    deps.auth.admit(&headers, query.as_deref()).await?;
    let snapshot = deps.hub.current(deps.settings.poll.poll_interval.get()).await?;
    let page = page(&snapshot, &filter, after, size);
    let rows = whole(&*deps.items, &snapshot, &page.rows).await?;
    let items = rows.iter().map(|row| ItemAnswer::new(&snapshot.data, &row.item)).collect();
    let answer = Items { items, next: page.next.map(Place::to_text) };
    let caching = [(header::CACHE_CONTROL, "no-store")];
    Ok(match format {
        Format::Json => (caching, Json(answer)).into_response(),
        Format::Csv => {
            let link = answer.next.as_deref().map(|next| [(header::LINK, next_page(query.as_deref(), next))]);
            (caching, link, answer.table(&snapshot.data)).into_response()
        }
    })
}

impl Items<'_> {
    /// A row for each item.
    fn table(&self, data: &DataSettings) -> Response {
        let mut table = CsvTable::new(ItemAnswer::columns(data));
        for item in &self.items {
            table.row(item.cells());
        }
        table.answer("items")
    }
}

/// Where the page after this one is, as a header says it (RFC 8288): a table has no place for it.
fn next_page(query: Option<&str>, next: &str) -> String {
    let own = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    // A token goes with each request by itself, and into no header of an answer.
    let kept = own.filter(|(name, _)| ![routes::AFTER_QUERY, routes::TOKEN_QUERY].contains(&name.as_ref()));
    let mut all = form_urlencoded::Serializer::new(String::new());
    all.extend_pairs(kept).append_pair(routes::AFTER_QUERY, next);
    format!("<{}?{}>; rel=\"next\"", routes::ITEMS, all.finish())
}

fn limit(text: Option<&str>) -> Result<usize, ApiError> {
    let Some(text) = text else { return Ok(limits::PAGE_ITEMS_DEFAULT) };
    // `parse` takes a leading `+`, which the description does not.
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let size = text.parse().ok().filter(|size| is_plain && (1..=limits::PAGE_ITEMS_MAX).contains(size));
    size.ok_or_else(|| {
        let found: String = text.chars().take(20).flat_map(char::escape_debug).collect();
        let rule = format!("it must be a whole number from 1 to {}", limits::PAGE_ITEMS_MAX);
        ApiError::BadParameter(format!("`{}` is `{found}`; {rule}", routes::LIMIT_QUERY))
    })
}

fn place(text: Option<&str>) -> Result<Option<Place>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    let bad = || ApiError::BadParameter(format!("`{}` is no cursor; it must be {}", routes::AFTER_QUERY, Place::RULE));
    Place::parse(text).map(Some).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_plain_numbers_within_their_range() {
        for (text, expected) in [("1", 1), ("20", 20), ("0200", 200), ("200", 200)] {
            assert_eq!(limit(Some(text)).unwrap(), expected);
        }
        assert_eq!(limit(None).unwrap(), 20);
        for bad in ["0", "201", "", "+1", "-1", "1.0", "x", "99999999999999999999", " 1", "\u{661}"] {
            let error = limit(Some(bad)).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`limit` is `{bad}`; it must be a whole number")), "{error}");
        }
    }
}
