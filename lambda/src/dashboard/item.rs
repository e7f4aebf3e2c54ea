//! An item as REST answers with it.

use contract::{Label, Tag};
use stream_core::item::Item;
use stream_core::timestamp::Timestamp;
use utoipa::ToSchema;

use super::csv_table::{number, text};

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
    /// Names of [`ItemAnswer::cells`].
    pub(super) const COLUMNS: [&'static str; 7] =
        ["timestamp", "item_id", "label", "score", "confidence", "tickers", "source"];

    /// The item as a row of a table. Tickers stand in one cell, with commas between them, which no ticker has.
    pub(super) fn cells(&self) -> [String; 7] {
        [
            text(&self.timestamp.to_string()),
            text(self.item_id),
            text(self.label),
            number(self.score),
            number(self.confidence),
            text(&self.tickers.join(",")),
            text(self.source.unwrap_or_default()),
        ]
    }

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
