//! An item as REST answers with it.

use contract::{Label, Tag};
use stream_core::item::Item;
use stream_core::timestamp::Timestamp;
use utoipa::ToSchema;

/// An item, with all its tickers.
#[derive(Debug, serde::Serialize, ToSchema)]
#[schema(as = Item)]
pub(super) struct ItemAnswer<'a> {
    /// Hash key of its row.
    item_id: &'a str,
    /// Tickers that it matched.
    tickers: Vec<&'a str>,
    /// Left out where the table has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = -1, maximum = 1, nullable = false)]
    score: Option<f64>,
    /// One of the table's labels.
    label: &'a str,
    /// Left out where the table has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1, nullable = false)]
    confidence: Option<f64>,
    /// Left out where the table has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    source: Option<&'a str>,
    /// RFC 3339, UTC, milliseconds.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
}

impl<'a> ItemAnswer<'a> {
    /// Describes an item of a table with these labels.
    pub(super) fn new(labels: &'a [Label], item: &'a Item) -> Self {
        Self {
            item_id: &item.key.id,
            tickers: item.tags.iter().map(Tag::as_str).collect(),
            score: item.score,
            label: labels.get(usize::from(item.label)).map_or("", Label::as_str),
            confidence: item.confidence,
            source: item.source.as_deref(),
            timestamp: item.at,
        }
    }
}
