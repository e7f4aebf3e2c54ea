//! The rows that the numbers count, as a list of minutes. A read replaces the minutes that it changed; a snapshot is the list.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use contract::limits;

use crate::interner::{SetNames, TagSets};
use crate::item::{Item, Row};
use crate::minute::{Cell, Entry, Minute, first_moment, minute_of};
use crate::minutes::Minutes;
use crate::moment::TimeRange;
use crate::numbers::Numbers;
use crate::timestamp::Timestamp;

/// Rows kept whole in any case, however old: on a quiet table none has to be read again to be shown.
pub const WHOLE_ROWS_MIN: usize = 2000;

/// First moment that a window of that length excludes.
#[must_use]
pub const fn window_after(now: Timestamp, length: Duration) -> Timestamp {
    now.minus(length)
}

/// Last moment a window includes: a little in the future, because clocks differ.
#[must_use]
pub const fn window_until(now: Timestamp) -> Timestamp {
    now.plus(limits::FUTURE_SKEW)
}

/// Rows that were read, by minute.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    minutes: BTreeMap<u64, Gathered>,
    rows: usize,
}

impl Collected {
    /// Takes out the rows of some minutes.
    fn take(&mut self, from: u64, until: u64) -> BTreeMap<u64, Gathered> {
        let mut taken = self.minutes.split_off(&from);
        if let Some(next) = until.checked_add(1) {
            self.minutes.append(&mut taken.split_off(&next));
        }
        self.rows -= taken.values().map(|gathered| gathered.rows.len() + gathered.known.count()).sum::<usize>();
        taken
    }

    /// How many rows there are.
    pub(crate) const fn rows(&self) -> usize {
        self.rows
    }
}

/// Rows of one minute that were read.
#[derive(Debug, Default)]
struct Gathered {
    known: Known,
    /// The others; each holds its set of tags.
    rows: Vec<Entry>,
}

/// Which rows of a minute were read again and are there as they were.
#[derive(Debug, Default)]
struct Known {
    /// The minute as it was then; `None` where there are no such rows.
    minute: Option<Arc<Minute>>,
    /// A bit for each of its rows.
    seen: Vec<u64>,
    count: usize,
}

impl Known {
    /// Notes a row; `false` where it is of another version of the minute than those before it.
    fn note(&mut self, minute: &Arc<Minute>, index: usize) -> bool {
        let known = self.minute.get_or_insert_with(|| Arc::clone(minute));
        if !known.has_rows_of(minute) {
            return false;
        }
        self.seen.resize(minute.len().div_ceil(64), 0);
        let (word, bit) = (&mut self.seen[index / 64], 1 << (index % 64));
        self.count += usize::from(*word & bit == 0);
        *word |= bit;
        true
    }

    const fn count(&self) -> usize {
        self.count
    }

    fn has(&self, index: usize) -> bool {
        self.seen.get(index / 64).is_some_and(|word| word & (1 << (index % 64)) != 0)
    }

    /// Index and whole row of each.
    fn rows(&self) -> impl Iterator<Item = (usize, &Arc<Row>)> {
        self.minute.iter().flat_map(|minute| {
            let row = |index| Some((index, minute.row(index)?));
            (0..minute.len()).filter(|index| self.has(*index)).filter_map(row)
        })
    }
}

/// A row that is new, or a new version of one.
#[derive(Debug)]
pub(crate) struct Added {
    pub(crate) row: Arc<Row>,
    /// The version whose place it takes.
    pub(crate) before: Option<Arc<Row>>,
}

/// What one read changed among the rows that are whole.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Whether anything changed, whole or not.
    pub(crate) is_any: bool,
    /// Oldest first.
    pub(crate) added: Vec<Added>,
    /// Rows that are not there any more, in no version.
    pub(crate) removed: Vec<Arc<Row>>,
}

/// Rows of `(now - length, now + skew]`.
#[derive(Debug)]
pub struct Window {
    labels: usize,
    length: Duration,
    minutes: Minutes,
    rows: usize,
    by_label: Vec<u32>,
    sets: TagSets,
    tags_max: usize,
}

impl Window {
    /// Makes an empty window for a table with that many labels.
    #[must_use]
    pub fn new(labels: usize, length: Duration, tags_max: usize) -> Self {
        Self {
            labels,
            length,
            minutes: Minutes::default(),
            rows: 0,
            by_label: vec![0; labels],
            sets: TagSets::new(),
            tags_max,
        }
    }

    /// First moment that the window excludes.
    #[must_use]
    pub const fn after(&self, now: Timestamp) -> Timestamp {
        window_after(now, self.length)
    }

    /// How many rows there are.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// The minutes that have rows.
    #[must_use]
    pub const fn minutes(&self) -> &Minutes {
        &self.minutes
    }

    /// Names of the tags.
    #[must_use]
    pub fn names(&self) -> SetNames {
        self.sets.names()
    }

    /// Time of the newest row.
    #[must_use]
    pub fn newest(&self) -> Option<Timestamp> {
        self.minutes.last().map(|minute| minute.at(minute.len() - 1))
    }

    /// Bytes that the window takes, roughly: what a process can run out of.
    #[must_use]
    pub fn footprint(&self) -> usize {
        const PER_ROW: usize = 28;
        const PER_WHOLE_ROW: usize = 420;
        const PER_MINUTE: usize = 400;
        let whole: usize = self.minutes.iter().filter(|minute| minute.is_whole()).map(|minute| minute.len()).sum();
        self.rows * PER_ROW + whole * PER_WHOLE_ROW + self.minutes.len() * PER_MINUTE + self.sets.footprint()
    }

    /// Rows of a range, counted by minute: those of minutes that the range touches.
    #[must_use]
    pub fn rows_about(&self, range: TimeRange) -> usize {
        self.minutes.between(range.after, range.until).map(|minute| minute.len()).sum()
    }

    /// Takes a row that was read into `collected`; whole, unless it is thinner than that already.
    pub(crate) fn collect(&mut self, collected: &mut Collected, row: Row, is_whole: bool) {
        let set = self.sets.hold(&row.item.tags);
        let number = minute_of(row.item.at);
        let cell = Cell::of(&row, set);
        let row = is_whole.then(|| Arc::new(row));
        collected.minutes.entry(number).or_default().rows.push(Entry { cell, row });
        collected.rows += 1;
    }

    /// Takes a row that was read and is there as it was; `false` where it is new or changed. Most rows of a poll are read
    /// again, and nothing of them need be made anew.
    pub(crate) fn collect_again(&mut self, collected: &mut Collected, item: &Item) -> bool {
        let number = minute_of(item.at);
        let Some(minute) = self.minutes.get(number) else { return false };
        let same_time = minute.until(item.at.before())..minute.until(item.at);
        let print = item.print();
        let is_it = |index: &usize| minute.print(*index) == Some(print);
        let Some(index) = same_time.into_iter().find(is_it) else { return false };
        let gathered = collected.minutes.entry(number).or_default();
        let before = gathered.known.count();
        if !gathered.known.note(minute, index) {
            return false;
        }
        collected.rows += gathered.known.count() - before;
        true
    }

    /// Gives back what was collected and is not wanted any more.
    pub(crate) fn discard(&mut self, collected: Collected) {
        for entry in collected.minutes.into_values().flat_map(|gathered| gathered.rows) {
            self.sets.release(entry.cell.set);
        }
    }

    /// Takes what was read of `ranges`, and nothing beside them, in place of what the window held there. Takes out of
    /// `collected` the rows of the minutes that the ranges touch. Rows from `whole_after` on stay whole.
    pub(crate) fn replace(
        &mut self,
        ranges: &[TimeRange],
        collected: &mut Collected,
        now: Timestamp,
        whole_after: Timestamp,
    ) -> Changes {
        let mut changes = Changes::default();
        let bounds = TimeRange { after: self.after(now), until: window_until(now) };
        for (from, until) in spans(ranges) {
            let mut fresh = collected.take(from, until);
            let mut numbers: Vec<u64> = fresh.keys().copied().collect();
            let held = self.minutes.between(first_moment(from).before(), first_moment(until));
            numbers.extend(held.map(|minute| minute.number()));
            numbers.sort_unstable();
            numbers.dedup();
            for number in numbers {
                let fresh = fresh.remove(&number).unwrap_or_default();
                let touching = Touching { ranges, bounds, whole_after };
                if !self.is_as_it_was(number, &fresh, &touching) {
                    let fresh = self.entries(fresh);
                    self.replace_minute(number, fresh, &touching, &mut changes);
                }
            }
        }
        changes.added.sort_by_key(|added| (added.row.item.at, added.row.place));
        changes
    }

    /// Whether a read brought all rows of a minute that it covers, as they are there, and no other: most do.
    fn is_as_it_was(&self, number: u64, fresh: &Gathered, touching: &Touching<'_>) -> bool {
        let Some(minute) = self.minutes.get(number) else { return false };
        let is_known = match &fresh.known.minute {
            Some(known) => known.has_rows_of(minute),
            None => true,
        };
        let is_inside = touching.bounds.after < minute.start() && minute.end() <= touching.bounds.until;
        if !is_known || !is_inside || !fresh.rows.is_empty() {
            return false;
        }
        (0..minute.len()).all(|index| touching.covers(minute.at(index)) == fresh.known.has(index))
    }

    /// All rows of a minute that were read, those first that were known.
    fn entries(&mut self, fresh: Gathered) -> Vec<Entry> {
        let mut entries = Vec::with_capacity(fresh.known.count() + fresh.rows.len());
        for (index, row) in fresh.known.rows() {
            let minute = fresh.known.minute.as_ref().expect("it has rows");
            // The minute may have been replaced since, and its sets be forgotten.
            let cell = Cell { set: self.sets.hold(&row.item.tags), ..minute.cell(index) };
            entries.push(Entry { cell, row: Some(Arc::clone(row)) });
        }
        entries.extend(fresh.rows);
        entries
    }

    fn replace_minute(&mut self, number: u64, mut fresh: Vec<Entry>, touching: &Touching<'_>, changes: &mut Changes) {
        let before = self.minutes.get(number).cloned();
        // A row can come twice, when its label changes between two queries: the last one read stands, whichever it is.
        fresh.sort_by_key(|entry| entry.cell.order());
        let mut kept: Vec<Entry> = Vec::with_capacity(fresh.len());
        for entry in fresh {
            if !touching.reads(number, &entry.cell) {
                self.sets.release(entry.cell.set);
            } else if let Some(last) = kept.last_mut().filter(|last| last.cell.order() == entry.cell.order()) {
                self.sets.release(last.cell.set);
                *last = entry;
            } else {
                kept.push(entry);
            }
        }
        let mut merge = Merge { entries: Vec::new(), is_changed: false };
        let mut fresh = kept.into_iter().peekable();
        for old in before.iter().flat_map(|minute| minute.entries()) {
            while let Some(new) = fresh.next_if(|new| new.cell.order() < old.cell.order()) {
                self.add(new, None, &mut merge, changes);
            }
            match fresh.next_if(|new| new.cell.order() == old.cell.order()) {
                Some(new) => self.meet(old, new, &mut merge, changes),
                None if touching.covers(Touching::at(number, &old.cell)) => self.drop_row(old, &mut merge, changes),
                None => merge.entries.push(old),
            }
        }
        for new in fresh {
            self.add(new, None, &mut merge, changes);
        }
        if !merge.is_changed {
            return;
        }
        changes.is_any = true;
        self.put(number, &merge.entries, touching.whole_after, before.as_deref());
    }

    /// Counts a row, or no longer.
    fn tally(&mut self, cell: &Cell, is_added: bool) {
        self.sets.count(cell.set, is_added);
        if let Some(rows) = self.by_label.get_mut(usize::from(cell.label)) {
            *rows = if is_added { *rows + 1 } else { *rows - 1 };
        }
    }

    fn add(&mut self, new: Entry, before: Option<Arc<Row>>, merge: &mut Merge, changes: &mut Changes) {
        self.tally(&new.cell, true);
        if let Some(row) = &new.row {
            changes.added.push(Added { row: Arc::clone(row), before });
        }
        merge.entries.push(new);
        merge.is_changed = true;
    }

    fn drop_row(&mut self, old: Entry, merge: &mut Merge, changes: &mut Changes) {
        self.tally(&old.cell, false);
        self.sets.release(old.cell.set);
        changes.removed.extend(old.row);
        merge.is_changed = true;
    }

    /// A row that is there and was read again.
    fn meet(&mut self, old: Entry, mut new: Entry, merge: &mut Merge, changes: &mut Changes) {
        if old.cell.hash == new.cell.hash {
            self.sets.release(new.cell.set);
            new.cell = old.cell;
            let is_same = match (&old.row, &new.row) {
                (Some(old), Some(new)) => old.print == new.print,
                // What is not kept cannot be compared, and nobody is shown it from here.
                _ => true,
            };
            merge.is_changed |= !is_same;
            merge.entries.push(if is_same { old } else { new });
            return;
        }
        self.tally(&old.cell, false);
        self.sets.release(old.cell.set);
        self.add(new, old.row, merge, changes);
    }

    /// Puts a minute in its place, or takes it out where it has no rows.
    fn put(&mut self, number: u64, entries: &[Entry], whole_after: Timestamp, before: Option<&Minute>) {
        let keep_whole = minute_of(whole_after) <= number || self.are_few_newer(number);
        let minute = Minute::new(number, entries, self.labels, keep_whole, before);
        self.rows = self.rows + minute.len() - before.map_or(0, Minute::len);
        self.minutes.put(minute);
    }

    /// Whether fewer rows than [`WHOLE_ROWS_MIN`] are of newer minutes.
    fn are_few_newer(&self, number: u64) -> bool {
        let mut newer = 0;
        for minute in self.minutes.iter().rev().take_while(|minute| minute.number() > number) {
            newer += minute.len();
            if newer >= WHOLE_ROWS_MIN {
                return false;
            }
        }
        true
    }

    /// Lets rows leave the window as time passes, at both ends: a clock may step back. Returns whether any did.
    pub(crate) fn age(&mut self, now: Timestamp, whole_after: Timestamp) -> bool {
        let before = self.rows;
        let (after, until) = (self.after(now), window_until(now));
        while let Some(first) = self.minutes.first().filter(|minute| minute.at(0) <= after).cloned() {
            self.trim(&first, first.until(after)..first.len(), whole_after);
        }
        while let Some(last) = self.minutes.last().filter(|minute| minute.at(minute.len() - 1) > until).cloned() {
            self.trim(&last, 0..last.until(until), whole_after);
        }
        self.rows != before
    }

    fn trim(&mut self, minute: &Minute, kept: std::ops::Range<usize>, whole_after: Timestamp) {
        for index in (0..minute.len()).filter(|index| !kept.contains(index)) {
            let cell = minute.cell(index);
            self.tally(&cell, false);
            self.sets.release(cell.set);
        }
        let entries: Vec<Entry> = minute.entries().skip(kept.start).take(kept.len()).collect();
        self.put(minute.number(), &entries, whole_after, Some(minute));
    }

    /// Lets go of whole rows that are older than anybody needs. Of the newest [`WHOLE_ROWS_MIN`] it keeps all.
    pub(crate) fn thin(&mut self, whole_after: Timestamp) {
        let (mut newer, whole_from) = (0, minute_of(whole_after));
        let mut thinned = Vec::new();
        for minute in self.minutes.iter().rev() {
            if minute.number() < whole_from && newer >= WHOLE_ROWS_MIN {
                if !minute.is_whole() {
                    // So are those before it.
                    break;
                }
                thinned.push(minute.thinned());
            }
            newer += minute.len();
        }
        thinned.into_iter().for_each(|minute| self.minutes.put(minute));
    }

    /// Rows of the last hour.
    #[must_use]
    pub fn last_hour(&self, now: Timestamp) -> u32 {
        let after = Numbers::hour_after(now);
        let newest = self.minutes.iter().rev().take_while(|minute| minute.end() > after);
        count(newest.map(|minute| minute.len() - minute.until(after)).sum())
    }

    /// The numbers of everything.
    #[must_use]
    pub fn numbers(&self, now: Timestamp) -> Numbers {
        let (by_tag, tags_left_out) = self.sets.most_frequent(self.tags_max);
        let (total, by_label, last_hour) = (count(self.rows), self.by_label.clone(), self.last_hour(now));
        Numbers { total, by_label, by_tag, tags_left_out, last_hour }
    }
}

fn count(rows: usize) -> u32 {
    u32::try_from(rows).expect("the window holds fewer than 2^32 rows")
}

/// The minutes that some ranges touch, as first and last number, each once.
fn spans(ranges: &[TimeRange]) -> Vec<(u64, u64)> {
    let mut spans: Vec<(u64, u64)> = ranges
        .iter()
        .filter(|range| range.after < range.until)
        // The first moment that is read, so that nothing is taken of a minute that is still being read.
        .map(|range| (minute_of(range.after.plus(Duration::from_millis(1))), minute_of(range.until)))
        .collect();
    spans.sort_unstable();
    let mut merged: Vec<(u64, u64)> = Vec::new();
    for (from, until) in spans {
        match merged.last_mut().filter(|last| from <= last.1) {
            Some(last) => last.1 = last.1.max(until),
            None => merged.push((from, until)),
        }
    }
    merged
}

/// What a read covers.
struct Touching<'a> {
    ranges: &'a [TimeRange],
    bounds: TimeRange,
    whole_after: Timestamp,
}

impl Touching<'_> {
    fn at(number: u64, cell: &Cell) -> Timestamp {
        Timestamp::from_millis(first_moment(number).millis() + u64::from(cell.millis))
    }

    /// Whether the read says of a row of that time whether it is there.
    fn covers(&self, at: Timestamp) -> bool {
        self.ranges.iter().any(|range| range.contains(at))
    }

    /// Whether a row that was read is of the window.
    fn reads(&self, number: u64, cell: &Cell) -> bool {
        let at = Self::at(number, cell);
        self.covers(at) && self.bounds.contains(at)
    }
}

struct Merge {
    entries: Vec<Entry>,
    is_changed: bool,
}
