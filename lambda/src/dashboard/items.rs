//! `GET /api/v2/items`: the items of the last 24 hours, page by page.

use std::sync::Arc;

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
use super::moment::moment;
use super::openapi::Problem;
use super::whole::whole;
use crate::error::ApiError;
use crate::request::{filter, parameters};
use stream_core::item::Row;
use stream_core::page::{Place, Wanted, page};

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
    let (wanted, size) = wanted(query.as_deref())?;
    let filter = filter(query.as_deref())?;
    let format = Format::of(query.as_deref())?;
    deps.auth.admit(&headers, query.as_deref()).await?;
    let snapshot = deps.hub.current(deps.settings.poll.poll_interval.get()).await?;
    let page = page(&snapshot, &filter, wanted, size);
    let rows = whole(&*deps.items, &snapshot, &page.rows).await?;
    let (items, cut) = fitting(&snapshot.data, &rows, limits::PAGE_BYTES_MAX);
    let answer = Items { items, next: cut.or(page.next).map(Place::to_text) };
    let caching = [(header::CACHE_CONTROL, "no-store")];
    let link = answer.next.as_deref().map(|next| [(header::LINK, next_page(query.as_deref(), next))]);
    let body = match format {
        Format::Json => Json(answer).into_response(),
        Format::Csv => answer.table(&snapshot.data),
    };
    Ok((caching, link, body).into_response())
}

/// The rows as items, up to the one with which they are as many bytes as a page may have; and where it stands if others follow.
fn fitting<'a>(data: &'a DataSettings, rows: &'a [Arc<Row>], bytes_max: usize) -> (Vec<ItemAnswer<'a>>, Option<Place>) {
    let (mut items, mut bytes) = (Vec::with_capacity(rows.len()), 0);
    for (index, row) in rows.iter().enumerate() {
        let item = ItemAnswer::new(data, &row.item);
        bytes += item.bytes();
        items.push(item);
        if bytes_max <= bytes && index + 1 < rows.len() {
            return (items, Some(Place::of_row(row)));
        }
    }
    (items, None)
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

/// Reads which items are asked for, and how many.
fn wanted(query: Option<&str>) -> Result<(Wanted, usize), ApiError> {
    let names = [routes::LIMIT_QUERY, routes::AFTER_QUERY, routes::FROM_QUERY, routes::TO_QUERY];
    let [size, after, from, to] = parameters(query, names)?;
    let wanted = Wanted {
        from: from.as_deref().map(|text| moment(routes::FROM_QUERY, text)).transpose()?,
        to: to.as_deref().map(|text| moment(routes::TO_QUERY, text)).transpose()?,
        after: place(after.as_deref())?,
    };
    Ok((wanted, limit(size.as_deref())?))
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
    use contract::TableName;
    use stream_core::item::{Item, ItemKey};
    use stream_core::timestamp::Timestamp;

    use super::*;

    #[test]
    fn a_page_ends_with_the_item_that_is_too_much() {
        let names = ["items", "users"].map(|name| TableName::new(name).unwrap());
        let data = {
            let [items, users] = names;
            DataSettings::with_tables(items, users)
        };
        let rows: Vec<Arc<Row>> = (0..4)
            .map(|n| {
                let at = Timestamp::from_millis(1_000 * n);
                let key = ItemKey { id: format!("item-{n}").into(), time_text: at.to_string().into() };
                let item = Item {
                    key,
                    at,
                    label: 0,
                    score: None,
                    confidence: None,
                    source: None,
                    tags: Box::default(),
                    about: None,
                };
                Arc::new(Row::new(item, data.labels.as_slice(), data.identity))
            })
            .collect();
        let one = ItemAnswer::new(&data, &rows[0].item).bytes();
        for (bytes_max, count, cut) in [
            (1, 1, true),
            (one, 1, true),
            (one + 1, 2, true),
            (3 * one, 3, true),
            (3 * one + 1, 4, false),
            (9 * one, 4, false),
        ] {
            let (items, place) = fitting(&data, &rows, bytes_max);
            assert_eq!((items.len(), place), (count, cut.then(|| Place::of_row(&rows[count - 1]))), "{bytes_max}");
        }
    }

    #[test]
    fn limits_are_plain_numbers_within_their_range() {
        for (text, expected) in [("1", 1), ("20", 20), ("0200", 200), ("1000", 1000)] {
            assert_eq!(limit(Some(text)).unwrap(), expected);
        }
        assert_eq!(limit(None).unwrap(), 20);
        for bad in ["0", "1001", "", "+1", "-1", "1.0", "x", "99999999999999999999", " 1", "\u{661}"] {
            let error = limit(Some(bad)).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`limit` is `{bad}`; it must be a whole number")), "{error}");
        }
    }
}
