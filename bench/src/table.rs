//! A made-up table: rows worked out from their numbers, so that it takes no memory beside what is measured.

use std::time::Duration;

use contract::Tag;
use stream_core::item::{Item, ItemKey};
use stream_core::moment::TimeRange;
use stream_core::reading::{KeyValue, PageRequest, PageStart};
use stream_core::timestamp::Timestamp;

/// Rows of a page: a megabyte of rows of some 200 bytes, as DynamoDB cuts it.
pub(crate) const PAGE_ROWS: usize = 5000;
/// Tickers that occur; number `n` is `n` times rarer than the first.
pub(crate) const TICKERS: u64 = 500;
const DAY_MILLIS: u64 = 24 * 3600 * 1000;

/// Rows spread evenly over a day, and those that were written since.
#[derive(Debug)]
pub(crate) struct Table {
    rows: u64,
    day_began: u64,
    /// Times of the rows written since, ascending.
    written: Vec<u64>,
    tickers: Tickers,
}

impl Table {
    /// Makes a table that holds `rows` rows of the 24 hours before `now`.
    pub(crate) fn new(rows: u64, now: Timestamp) -> Self {
        // Room for everything that a run writes, so that the table is the same size before and after what is measured.
        let written = Vec::with_capacity(200_000);
        Self { rows, day_began: now.millis() - DAY_MILLIS, written, tickers: Tickers::new() }
    }

    /// Writes rows, spread evenly over the time up to `now`.
    pub(crate) fn write(&mut self, rows: u64, now: Timestamp, over: Duration) {
        let millis = u64::try_from(over.as_millis()).expect("a few seconds");
        self.written.extend((1..=rows).map(|row| now.millis() - millis + millis * row / rows));
    }

    /// How many rows there ever were.
    pub(crate) fn len(&self) -> u64 {
        self.rows + self.written.len() as u64
    }

    /// How many rows have a time up to `at`: they have the lowest numbers.
    pub(crate) fn until(&self, at: Timestamp) -> u64 {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.at(middle) <= at { low = middle + 1 } else { high = middle }
        }
        low
    }

    fn at(&self, row: u64) -> Timestamp {
        let millis = match usize::try_from(row.saturating_sub(self.rows)) {
            Ok(written) if row >= self.rows => self.written[written],
            _ => self.day_began + DAY_MILLIS * (row + 1) / self.rows,
        };
        Timestamp::from_millis(millis)
    }

    fn label(row: u64) -> u8 {
        match mixed(row, 1) % 100 {
            0..40 => 0,
            40..75 => 1,
            _ => 2,
        }
    }

    /// Tickers of a row: one (60 of 100 rows), two (25) or three (15), each once.
    pub(crate) fn tags(&self, row: u64) -> Vec<Tag> {
        let count = match mixed(row, 2) % 100 {
            0..60 => 1,
            60..85 => 2,
            _ => 3,
        };
        let mut tags: Vec<Tag> = Vec::with_capacity(count);
        let mut draw = 3;
        while tags.len() < count {
            let tag = self.tickers.drawn(mixed(row, draw));
            if !tags.contains(tag) {
                tags.push(tag.clone());
            }
            draw += 1;
        }
        tags
    }

    /// A ticker, number 0 the most frequent.
    pub(crate) fn ticker(&self, number: u64) -> &Tag {
        &self.tickers.names[usize::try_from(number % TICKERS).expect("a few hundred")]
    }

    /// Identity of a row, 40 bytes.
    pub(crate) fn id(row: u64) -> String {
        format!("news-{:016x}-{row:018}", mixed(row, 0))
    }

    fn item(&self, row: u64) -> Item {
        let at = self.at(row);
        #[expect(clippy::cast_precision_loss, reason = "a score of three digits")]
        let score = (mixed(row, 99) % 2001) as f64 / 1000.0 - 1.0;
        Item {
            key: ItemKey { id: Self::id(row).into(), time_text: at.to_string().into() },
            at,
            label: Self::label(row),
            score: Some(score),
            confidence: Some(0.87),
            source: Some("newswire".into()),
            tags: self.tags(row).into(),
            about: None,
        }
    }

    /// Rows of a range, oldest first, by number.
    pub(crate) fn rows_of(&self, range: TimeRange) -> std::ops::Range<u64> {
        let first = self.until(range.after);
        first..self.until(range.until).max(first)
    }

    /// One page, newest first, and where the next one starts.
    pub(crate) fn page(&self, request: &PageRequest) -> (Vec<Item>, Option<PageStart>) {
        let mut rows = self.rows_of(request.range);
        if let Some((_, KeyValue::Number(before) | KeyValue::Text(before))) =
            request.start.as_ref().and_then(|start| start.0.first())
        {
            rows.end = before.parse().expect("what this wrote");
        }
        let mut rest = rows.rev().filter(|row| Self::label(*row) == request.label).peekable();
        let mut items = Vec::new();
        let mut last = 0;
        while items.len() < PAGE_ROWS
            && let Some(row) = rest.next()
        {
            last = row;
            items.push(self.item(row));
        }
        let next = rest.peek().map(|_| PageStart([("row".into(), KeyValue::Number(last.to_string().into()))].into()));
        (items, next)
    }
}

/// Tickers by how often they occur.
#[derive(Debug)]
struct Tickers {
    names: Vec<Tag>,
    /// Share of the tickers up to each one, as a part of 2^32.
    up_to: Vec<u64>,
}

impl Tickers {
    fn new() -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
        let weight = |number: u64| 1.0 / (number + 1) as f64;
        let all: f64 = (0..TICKERS).map(weight).sum();
        let mut sum = 0.0;
        let shares = (0..TICKERS).map(|number| {
            sum += weight(number);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of 2^32")]
            let share = (sum / all * f64::from(u32::MAX)) as u64;
            share
        });
        Self { up_to: shares.collect(), names: (0..TICKERS).map(name).collect() }
    }

    fn drawn(&self, random: u64) -> &Tag {
        let index = self.up_to.partition_point(|up_to| *up_to < random >> 32);
        &self.names[index.min(self.names.len() - 1)]
    }
}

/// Four letters for a number.
fn name(number: u64) -> Tag {
    let letter =
        |place: u32| char::from(b'A' + u8::try_from((number * 7919 / 26_u64.pow(place)) % 26).expect("below 26"));
    let text: String = (0..4).map(letter).collect();
    Tag::new(&text).expect("four letters are a ticker")
}

/// SplitMix64 of a row's number: the same table in every run.
fn mixed(row: u64, salt: u64) -> u64 {
    let mut mixed = (row ^ salt << 48).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    #[test]
    fn pages_bring_every_row_of_a_range_once_and_newest_first() {
        let mut table = Table::new(20_000, NOW);
        table.write(60, NOW.plus(Duration::from_secs(5)), Duration::from_secs(5));
        let range =
            TimeRange { after: NOW.minus(Duration::from_secs(50_000)), until: NOW.plus(Duration::from_secs(9)) };
        let mut ids = BTreeSet::new();
        for label in 0..3 {
            let mut request = PageRequest { label, range, start: None };
            loop {
                let (items, next) = table.page(&request);
                assert!(items.is_sorted_by(|a, b| a.at >= b.at));
                ids.extend(items.into_iter().map(|item| String::from(item.key.id)));
                request.start = next;
                if request.start.is_none() {
                    break;
                }
            }
        }
        let expected: BTreeSet<String> = table.rows_of(range).map(Table::id).collect();
        assert_eq!(ids, expected);
        assert!(ids.iter().all(|id| id.len() == 40));
    }

    #[test]
    fn tickers_differ_and_the_first_is_the_most_frequent() {
        let table = Table::new(1000, NOW);
        assert_eq!(table.tickers.names.iter().collect::<BTreeSet<_>>().len(), table.tickers.names.len());
        let rows_with = |number| (0..1000).filter(|row| table.tags(*row).contains(table.ticker(number))).count();
        assert!(rows_with(0) > 150 && rows_with(0) > 3 * rows_with(9) && rows_with(499) < 10);
        assert!((0..1000).all(|row| (1..=3).contains(&table.tags(row).len())));
    }
}
