//! What is asked of the table page by page, and what came of it so far.

use std::sync::Arc;

use crate::moment::TimeRange;

/// One page that is to be read: rows of one label in a range of time, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct PageRequest {
    /// Index of the label among the table's labels.
    pub label: u8,
    /// The range.
    pub range: TimeRange,
    /// Where the page before ended; `None` for the first.
    pub start: Option<PageStart>,
}

/// Where a page ended, in the store's own terms: the key of its last row.
#[derive(Clone, Debug, PartialEq)]
pub struct PageStart(pub Arc<[(Box<str>, KeyValue)]>);

/// One attribute of a key.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyValue {
    /// A string.
    Text(Box<str>),
    /// A number, as text.
    Number(Box<str>),
}
