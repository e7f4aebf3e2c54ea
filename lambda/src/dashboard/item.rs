//! An item as REST answers with it.

use contract::{DataSettings, Label, Tag};
use stream_core::about::{AboutFields, Field};
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
    /// What it is about: which fields there are follows from the settings.
    #[serde(flatten)]
    #[schema(ignore)]
    about: AboutFields<'a>,
}

impl<'a> ItemAnswer<'a> {
    /// Names of [`ItemAnswer::cells`]: those that all tables have, and those of what is shown of their rows.
    pub(super) fn columns(data: &DataSettings) -> impl Iterator<Item = &str> {
        let of_all = ["timestamp", "item_id", "label", "score", "confidence", "tickers", "source"];
        of_all.into_iter().chain(AboutFields::new(data, None).all().map(|(name, _)| name))
    }

    /// The item as a row of a table. Tickers stand in one cell, with commas between them, which no ticker has.
    pub(super) fn cells(&self) -> impl Iterator<Item = String> {
        let of_all = [
            text(&self.timestamp.to_string()),
            text(self.item_id),
            text(self.label),
            number(self.score),
            number(self.confidence),
            text(&self.tickers.join(",")),
            text(self.source.unwrap_or_default()),
        ];
        of_all.into_iter().chain(self.about.all().map(|(_, value)| match value {
            None => String::new(),
            Some(Field::Text(value)) => text(value),
            Some(Field::Number(value)) => value.as_str().to_owned(),
            Some(Field::Truth(value)) => value.to_string(),
        }))
    }

    /// Bytes of it as JSON. A row of a table has fewer: it names no fields, and doubles what JSON escapes.
    pub(super) fn bytes(&self) -> usize {
        serde_json::to_vec(self).map_or(0, |bytes| bytes.len() + 1)
    }

    /// Describes an item of a table with these settings.
    pub(super) fn new(data: &'a DataSettings, item: &'a Item) -> Self {
        Self {
            item_id: &item.key.id,
            tickers: item.tags.iter().map(Tag::as_str).collect(),
            score: item.score,
            label: data.labels.as_slice().get(usize::from(item.label)).map_or("", Label::as_str),
            confidence: item.confidence,
            source: item.source.as_deref(),
            timestamp: item.at,
            about: AboutFields::new(data, item.about.as_deref()),
        }
    }
}
