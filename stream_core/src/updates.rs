//! Updates that an instance handed out, poll by poll, and which of them it still has.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use contract::Tag;

use crate::filter::Filter;
use crate::item::Row;
use crate::position::Position;
use crate::report::Due;
use crate::timestamp::Timestamp;

/// Bytes of updates that are kept beside those of the newest poll: some 5,000 updates, or what a reader misses that hangs
/// for as long as a connection may hang.
pub const UPDATES_KEPT_BYTES: usize = 2 * 1024 * 1024;
/// Polls whose updates are kept, at most.
pub const POLLS_KEPT_MAX: usize = 512;
/// Positions beside those of updates, at most.
const TURNS_KEPT_MAX: usize = 512;
/// Tags for which it is remembered which of their updates were let go last. What was let go before is taken to be wanted.
const TAGS_LET_GO_MAX: usize = 10_000;

/// One update that this instance handed out, encoded once for all sessions.
#[derive(Debug)]
pub struct Update {
    /// The row.
    pub row: Arc<Row>,
    /// Which of its tickers.
    pub tag_index: usize,
    /// The row's updates before this number have been handed out with it.
    pub upto: usize,
    /// Whether it was handed out before, then missing from a read, and is there again: only clients that came in between
    /// lack it. Indexes are eventually consistent, so a row can be seen, not be seen, and be seen again.
    pub returned: bool,
    /// When it could first have been read.
    pub due: Due,
    /// Where a client is that has had it and all before it.
    pub position: Position,
    /// Event name and data.
    pub body: Bytes,
}

impl Update {
    /// Its ticker, where the row has any.
    #[must_use]
    pub fn tag(&self) -> Option<&Tag> {
        self.row.item.tags.get(self.tag_index)
    }

    /// Whether a stream with this filter gets the update.
    #[must_use]
    pub fn matches(&self, filter: &Filter) -> bool {
        filter.matches_update(self.tag())
    }
}

/// What one poll brought.
#[derive(Debug)]
pub struct Batch {
    /// Number of its first update within the instance.
    pub first: u64,
    /// Its updates, oldest first.
    pub updates: Vec<Update>,
    bytes: usize,
}

impl Batch {
    fn end(&self) -> u64 {
        self.first + self.updates.len() as u64
    }
}

/// The updates that are kept. Cloning shares them.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    batches: VecDeque<Arc<Batch>>,
    bytes: usize,
    next: u64,
    /// Number after the last update of each tag that was let go.
    let_go: Arc<BTreeMap<Tag, u64>>,
    /// What was let go before this number is not known by tag.
    forgotten: u64,
    /// Positions that no update led to, as of rows that were deleted, each with the number of the next update; oldest first.
    turns: Arc<VecDeque<(u64, Position)>>,
}

impl Kept {
    /// Number of the next update.
    #[must_use]
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// Takes what a poll brought, and lets go of the oldest polls beyond the limits; never of this one.
    pub fn push(&mut self, updates: Vec<Update>) {
        if updates.is_empty() {
            return;
        }
        let bytes = updates.iter().map(|update| update.body.len() + size_of::<Update>()).sum();
        let batch = Batch { first: self.next, updates, bytes };
        self.next = batch.end();
        self.bytes += bytes;
        self.batches.push_back(Arc::new(batch));
        let newest = bytes;
        while self.batches.len() > 1
            && (self.bytes - newest > UPDATES_KEPT_BYTES || self.batches.len() > POLLS_KEPT_MAX)
        {
            if let Some(oldest) = self.batches.pop_front() {
                self.let_go(&oldest);
            }
        }
    }

    /// Notes where a client is that has had everything, if no update says so.
    pub fn turn(&mut self, position: Position) {
        let newest = self.batches.back().and_then(|batch| batch.updates.last()).map(|update| update.position);
        let newest = self.turns.back().filter(|(next, _)| *next == self.next).map(|(_, position)| *position).or(newest);
        if newest == Some(position) {
            return;
        }
        let turns = Arc::make_mut(&mut self.turns);
        turns.push_back((self.next, position));
        if turns.len() > TURNS_KEPT_MAX {
            turns.pop_front();
        }
    }

    fn let_go(&mut self, batch: &Batch) {
        self.bytes -= batch.bytes;
        let tags = Arc::make_mut(&mut self.let_go);
        for (update, number) in batch.updates.iter().zip(batch.first..) {
            if let Some(tag) = update.tag() {
                tags.insert(tag.clone(), number + 1);
            }
        }
        if tags.len() > TAGS_LET_GO_MAX {
            let mut numbers: Vec<u64> = tags.values().copied().collect();
            let (_, median, _) = numbers.select_nth_unstable(TAGS_LET_GO_MAX / 2);
            self.forgotten = *median;
            tags.retain(|_, number| *number > self.forgotten);
        }
    }

    /// The updates from number `from` on that are kept, with their numbers.
    pub fn from(&self, from: u64) -> impl Iterator<Item = (u64, &Update)> {
        let first = self.batches.partition_point(|batch| batch.end() <= from);
        self.batches.range(first..).flat_map(move |batch| {
            let skipped = usize::try_from(from.saturating_sub(batch.first)).unwrap_or(usize::MAX);
            (batch.first..).zip(&batch.updates).skip(skipped)
        })
    }

    /// The number after the update that left a client at this position: where it goes on that has had nothing since.
    #[must_use]
    pub fn after(&self, position: &Position) -> Option<u64> {
        self.after_one(position.watermark, |found| found.is_at(*position))
    }

    /// The same where the position was told: there was a client here at it, of whose tail nobody knows which updates it had.
    #[must_use]
    pub fn after_told(&self, position: &Position) -> Option<u64> {
        self.after_one(position.watermark, |found| found.told() == *position)
    }

    /// The newest of several: what came between two places that are the same is gone.
    fn after_one(&self, watermark: Timestamp, is_it: impl Fn(Position) -> bool) -> Option<u64> {
        let newest_first = self
            .batches
            .iter()
            .rev()
            .flat_map(|batch| (batch.first..batch.end()).rev().zip(batch.updates.iter().rev()));
        let mut back_to = newest_first.take_while(|(_, update)| update.position.watermark >= watermark);
        let after = back_to.find(|(_, update)| is_it(update.position)).map(|(number, _)| number + 1);
        let turn = self.turns.iter().rev().find(|(_, position)| is_it(*position)).map(|(next, _)| *next);
        after.max(turn)
    }

    /// Whether updates from number `from` on that this filter lets through are not kept any more.
    #[must_use]
    pub fn lost(&self, from: u64, filter: &Filter) -> bool {
        let oldest = self.batches.front().map_or(self.next, |batch| batch.first);
        if from >= oldest {
            return false;
        }
        filter.is_all()
            || from < self.forgotten
            || filter.tags().any(|tag| self.let_go.get(tag).is_some_and(|end| *end > from))
    }
}

#[cfg(test)]
mod tests {
    use contract::Identity;

    use super::*;
    use crate::item::tests::item;

    fn update(n: usize, tag: &str, bytes: usize) -> Update {
        let labels = contract::Labels::default();
        Update {
            row: Arc::new(Row::new(
                item(&format!("r{n}"), 1000, 0, 0.5, &[tag]),
                labels.as_slice(),
                Identity::KeyAndTime,
            )),
            tag_index: 0,
            upto: 1,
            returned: false,
            due: Due::of(Timestamp::EPOCH, None),
            position: Position::ORIGIN,
            body: Bytes::from(vec![b'x'; bytes]),
        }
    }

    fn only(tag: &str) -> Filter {
        Filter::parse(tag).unwrap()
    }

    #[test]
    fn the_newest_poll_is_whole_however_large_and_older_ones_are_bounded() {
        let mut kept = Kept::default();
        kept.push((0..3).map(|n| update(n, "A", 10)).collect());
        kept.push((0..8).map(|n| update(n, "B", UPDATES_KEPT_BYTES)).collect());
        assert_eq!(kept.from(0).map(|(number, _)| number).collect::<Vec<_>>(), (0..11).collect::<Vec<_>>());
        assert_eq!(kept.from(5).map(|(number, _)| number).collect::<Vec<_>>(), (5..11).collect::<Vec<_>>());
        kept.push(vec![update(0, "C", 10)]);
        assert_eq!(kept.from(0).map(|(number, _)| number).collect::<Vec<_>>(), [11]);
        assert!(!kept.lost(11, &Filter::all()) && kept.lost(10, &Filter::all()));
        assert!(
            kept.lost(2, &only("A"))
                && !kept.lost(3, &only("A"))
                && kept.lost(3, &only("B"))
                && !kept.lost(0, &only("C"))
        );
    }

    #[test]
    fn what_is_remembered_of_tags_is_bounded_and_what_is_forgotten_counts_as_wanted() {
        let mut kept = Kept::default();
        for n in 0..2 * TAGS_LET_GO_MAX {
            kept.push(vec![update(n, &format!("T{n}"), UPDATES_KEPT_BYTES)]);
            assert!(kept.let_go.len() <= TAGS_LET_GO_MAX && kept.batches.len() <= 2);
        }
        assert!(kept.lost(0, &only("NEVER")) && !kept.lost(kept.forgotten, &only("NEVER")));
    }
}
