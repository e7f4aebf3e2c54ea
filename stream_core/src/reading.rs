//! What is asked of the table page by page, and what came of it so far.

use std::sync::Arc;
use std::time::Duration;

use crate::collected::Collected;
use crate::minute::{MINUTE_MILLIS, minute_of};
use crate::moment::{Now, TimeRange};
use crate::timestamp::Timestamp;

/// How much further back one label may be read than another.
const LEAD_MAX: Duration = Duration::from_secs(3600);

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
    /// Bytes: nothing that is read here has them, but a table's own key may.
    Bytes(Box<[u8]>),
}

/// One label's share of a reading: a range, of which the newest pages have been read.
#[derive(Clone, Debug)]
struct Part {
    label: u8,
    range: TimeRange,
    start: Option<PageStart>,
    /// Everything of the range after this moment has been read.
    front: Timestamp,
    is_done: bool,
}

impl Part {
    fn asks(&self, request: &PageRequest) -> bool {
        !self.is_done && self.label == request.label && self.range == request.range && self.start == request.start
    }
}

/// Some ranges of the table that are being read, page by page and newest first. What was read stays read, whatever fails.
#[derive(Debug)]
pub(crate) struct Reading {
    /// When it was planned.
    pub(crate) planned: Now,
    pub(crate) ranges: Vec<TimeRange>,
    parts: Vec<Part>,
    pub(crate) collected: Collected,
    /// Everything after this moment has been handed over.
    handed_over: Timestamp,
}

impl Reading {
    /// Plans to read some ranges of every label.
    pub(crate) fn new(planned: Now, ranges: Vec<TimeRange>, labels: usize) -> Self {
        let parts = ranges.iter().flat_map(|range| {
            (0..labels).map(|label| Part {
                label: u8::try_from(label).expect("`limits::LABELS_MAX` is below 256"),
                range: *range,
                start: None,
                front: range.until,
                is_done: false,
            })
        });
        let parts = parts.collect();
        let handed_over = ranges.iter().map(|range| range.until).max().unwrap_or_default();
        Self { planned, ranges, parts, collected: Collected::default(), handed_over }
    }

    /// Whether every page has been read.
    pub(crate) fn is_done(&self) -> bool {
        self.parts.iter().all(|part| part.is_done)
    }

    /// The pages to read next, at most one of each part. A label that is further back than the others waits for them, so
    /// that no more rows than need be wait for what belongs to the same minutes.
    pub(crate) fn requests(&self) -> Vec<PageRequest> {
        let open = || self.parts.iter().filter(|part| !part.is_done);
        let newest = open().map(|part| part.front).max().unwrap_or_default();
        let is_near = |part: &&Part| part.start.is_none() || newest <= part.front.plus(LEAD_MAX);
        let request = |part: &Part| PageRequest { label: part.label, range: part.range, start: part.start.clone() };
        open().filter(is_near).map(request).collect()
    }

    /// Whether it asked for that page, and has not had it.
    pub(crate) fn owns(&self, request: &PageRequest) -> bool {
        self.parts.iter().any(|part| part.asks(request))
    }

    /// Notes that a page was read: where the next one starts, and the time of its oldest row.
    pub(crate) fn take(&mut self, request: &PageRequest, next: Option<PageStart>, last: Option<Timestamp>) {
        let Some(part) = self.parts.iter_mut().find(|part| part.asks(request)) else { return };
        part.is_done = next.is_none();
        part.start = next;
        if let Some(last) = last {
            // Rows of the same moment may be on the next page.
            part.front = part.front.min(last);
        }
    }

    /// What of the only range can be handed over because every label has been read that far: whole minutes, newest first.
    /// `None` where it is less than a minute.
    pub(crate) fn next_share(&mut self) -> Option<TimeRange> {
        let range = *self.ranges.first()?;
        let fronts = self.parts.iter().filter(|part| !part.is_done).map(|part| part.front).max();
        let after = match fronts {
            None => range.after,
            // The minute of the front is not complete.
            Some(front) => Timestamp::from_millis((minute_of(front) + 1) * MINUTE_MILLIS - 1).max(range.after),
        };
        if self.handed_over <= after {
            return None;
        }
        let share = TimeRange { after, until: self.handed_over };
        self.handed_over = after;
        Some(share)
    }

    /// Whether anything of it was handed over.
    pub(crate) fn has_handed_over(&self) -> bool {
        self.ranges.iter().all(|range| self.handed_over < range.until)
    }

    /// How far back it has come: everything after this moment has been read.
    pub(crate) fn front(&self) -> Timestamp {
        let open = self.parts.iter().filter(|part| !part.is_done);
        let end = self.ranges.iter().map(|range| range.after).min().unwrap_or_default();
        open.map(|part| part.front).max().unwrap_or(end)
    }
}

/// How far reading is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Rows read so far.
    pub rows: usize,
    /// Everything after this moment has been read.
    pub back_to: Timestamp,
    /// Share of the window that has been read, 0 to 1.
    pub share: f64,
}
