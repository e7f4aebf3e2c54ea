//! The rows that the numbers count, as a list of minutes. A read replaces the minutes that it changed; a snapshot is the list.

mod hours;

use std::sync::Arc;
use std::time::Duration;

use contract::{Identity, limits};

use crate::collected::{Collected, Gathered};
use crate::coverage::{Touching, spans};
use crate::heads::{Flip, Heads, Spot};
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

/// A row that is new, or a new version of one.
#[derive(Debug)]
pub(crate) struct Added {
    pub(crate) row: Arc<Row>,
    /// The version whose place it takes.
    pub(crate) before: Option<Arc<Row>>,
    /// Whether a newer row of its key is there: it counts for the position, and nobody is told.
    pub(crate) is_hidden: bool,
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
    /// The same, where a newer row of their key is there: they were overwritten, and would be hidden if they came back.
    pub(crate) replaced: Vec<Arc<Row>>,
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
    /// Where an item is its hash key alone.
    heads: Option<Heads>,
}

impl Window {
    /// Makes an empty window for a table with that many labels.
    #[must_use]
    pub fn new(labels: usize, length: Duration, tags_max: usize, identity: Identity) -> Self {
        Self {
            labels,
            length,
            minutes: Minutes::default(),
            rows: 0,
            by_label: vec![0; labels],
            sets: TagSets::new(),
            tags_max,
            heads: (identity == Identity::Key).then(Heads::default),
        }
    }

    /// First moment that the window excludes.
    #[must_use]
    pub const fn after(&self, now: Timestamp) -> Timestamp {
        window_after(now, self.length)
    }

    /// How many rows there are, hidden ones too.
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
        let heads = self.heads.as_ref().map_or(0, Heads::footprint);
        self.rows * PER_ROW + whole * PER_WHOLE_ROW + self.minutes.len() * PER_MINUTE + self.sets.footprint() + heads
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
        collected.push(number, Entry { cell, row });
    }

    /// Takes a row that was read and is there as it was; `false` where it is new or changed. Most rows of a poll are read
    /// again, and nothing of them need be made anew.
    pub(crate) fn collect_again(&mut self, collected: &mut Collected, item: &Item) -> bool {
        let number = minute_of(item.at);
        let Some(minute) = self.minutes.get(number) else { return false };
        let print = item.print();
        let is_it = |index: &usize| minute.print(*index) == Some(print);
        let Some(index) = minute.of_moment(item.at).find(is_it) else { return false };
        collected.note(minute, index)
    }

    /// Gives back what was collected and is not wanted any more.
    pub(crate) fn discard(&mut self, collected: Collected) {
        for entry in collected.into_entries() {
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
        self.settle_heads(&mut changes);
        changes.added.sort_by_key(|added| (added.row.item.at, added.row.place));
        changes
    }

    /// Hides what newer rows of its key surpass, and shows what is the newest itself by now.
    fn settle_heads(&mut self, changes: &mut Changes) {
        let Some(heads) = &mut self.heads else { return };
        let (flips, orphans) = heads.settle();
        changes.is_any |= self.flip(&flips);
        if !orphans.is_empty() {
            self.reveal(&|place| orphans.binary_search(&place).is_ok());
        }
        let Some(heads) = &self.heads else { return };
        for added in &mut changes.added {
            added.is_hidden = !heads.has((added.row.item.at, added.row.place));
        }
        for row in std::mem::take(&mut changes.removed) {
            let is_replaced = heads.of(row.place).is_some_and(|head| row.item.at < head);
            if is_replaced { changes.replaced.push(row) } else { changes.removed.push(row) }
        }
    }

    /// Shows the newest known row of each key of which none is shown because its newest was deleted.
    pub(crate) fn reveal_all(&mut self) {
        self.reveal(&|_| true);
        if let Some(heads) = &mut self.heads {
            heads.forget_deleted();
        }
    }

    /// The same of some keys.
    fn reveal(&mut self, is_wanted: &dyn Fn(u64) -> bool) {
        let Some(heads) = &mut self.heads else { return };
        let mut flips = Vec::new();
        for minute in self.minutes.iter() {
            for index in minute.hidden() {
                let place = minute.cell(index).place;
                if is_wanted(place) {
                    heads.promote((minute.at(index), place), &mut flips);
                }
            }
        }
        self.flip(&flips);
    }

    /// Hides and shows rows, where they are there. Returns whether any was.
    fn flip(&mut self, flips: &[Flip]) -> bool {
        // Minute by minute, and of each in the order of the list, in which a row may be shown and hidden.
        let mut order: Vec<(u64, u64)> = flips.iter().map(|flip| minute_of(flip.spot.0)).zip(0..).collect();
        order.sort_unstable();
        let mut is_any = false;
        for of_minute in order.chunk_by(|one, other| one.0 == other.0) {
            let Some(minute) = self.minutes.get(of_minute[0].0).cloned() else { continue };
            let mut entries: Vec<Entry> = minute.entries().collect();
            let mut is_changed = false;
            for (_, index) in of_minute {
                let Flip { spot: (at, place), hides } = flips[usize::try_from(*index).expect("it is one of a list")];
                // They come in the order of their times.
                let is_it = |row: &usize| entries[*row].cell.place == place;
                let Some(row) = minute.of_moment(at).find(is_it) else { continue };
                let cell = &mut entries[row].cell;
                if cell.is_hidden != hides {
                    self.tally(&Cell { is_hidden: false, ..*cell }, !hides);
                    cell.is_hidden = hides;
                    is_changed = true;
                }
            }
            if is_changed {
                let is_whole = minute.is_whole();
                self.minutes.put(Minute::new(minute.number(), &entries, self.labels, is_whole, Some(&minute)));
                is_any = true;
            }
        }
        is_any
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
        // A row can come twice, when its label changes between two queries, and rows of one hash key and time may be two: the same one of
        // them stands on every instance and at every poll. What has changed is there once at the next.
        fresh.sort_by_key(|entry| entry.cell.order());
        let mut kept: Vec<Entry> = Vec::with_capacity(fresh.len());
        for entry in fresh {
            if !touching.reads(number, &entry.cell) {
                self.sets.release(entry.cell.set);
            } else if let Some(last) = kept.last_mut().filter(|last| last.cell.order() == entry.cell.order()) {
                let rank = |entry: &Entry| (entry.cell.label, entry.cell.hash);
                let stays = rank(last) > rank(&entry);
                let gone = if stays { entry } else { std::mem::replace(last, entry) };
                self.sets.release(gone.cell.set);
            } else {
                kept.push(entry);
            }
        }
        let mut merge = Merge { number, entries: Vec::new(), is_changed: false };
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

    /// Counts a row, or no longer; not one that is hidden.
    fn tally(&mut self, cell: &Cell, is_added: bool) {
        if cell.is_hidden {
            return;
        }
        self.sets.count(cell.set, is_added);
        if let Some(rows) = self.by_label.get_mut(usize::from(cell.label)) {
            *rows = if is_added { *rows + 1 } else { *rows - 1 };
        }
    }

    fn add(&mut self, mut new: Entry, before: Option<Arc<Row>>, merge: &mut Merge, changes: &mut Changes) {
        let spot = merge.spot(&new.cell);
        new.cell.is_hidden = self.heads.as_mut().is_some_and(|heads| heads.meet(spot));
        self.tally(&new.cell, true);
        if let Some(row) = &new.row {
            changes.added.push(Added { row: Arc::clone(row), before, is_hidden: false });
        }
        merge.entries.push(new);
        merge.is_changed = true;
    }

    fn drop_row(&mut self, old: Entry, merge: &mut Merge, changes: &mut Changes) {
        let spot = merge.spot(&old.cell);
        if let Some(heads) = &mut self.heads {
            heads.delete(spot);
        }
        self.let_go(&old.cell, spot);
        changes.removed.extend(old.row);
        merge.is_changed = true;
    }

    /// Takes a row out of all that is known by it.
    fn let_go(&mut self, cell: &Cell, spot: Spot) {
        self.tally(cell, false);
        self.sets.release(cell.set);
        if let Some(heads) = &mut self.heads {
            heads.leave(spot);
        }
    }

    /// A row that is there and was read again.
    fn meet(&mut self, old: Entry, mut new: Entry, merge: &mut Merge, changes: &mut Changes) {
        if old.cell.hash == new.cell.hash {
            self.sets.release(new.cell.set);
            new.cell = old.cell;
            let is_same = match (&old.row, &new.row) {
                (Some(old), Some(new)) => old.print == new.print,
                // It was taken from another instance.
                (None, Some(_)) => false,
                // What is not kept cannot be compared, and nobody is shown it from here.
                (_, None) => true,
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
            self.reveal_all();
        }
        self.rows != before
    }

    fn trim(&mut self, minute: &Minute, kept: std::ops::Range<usize>, whole_after: Timestamp) {
        for index in (0..minute.len()).filter(|index| !kept.contains(index)) {
            let cell = minute.cell(index);
            self.let_go(&cell, (minute.at(index), cell.place));
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
        count(newest.map(|minute| minute.shown_after(after)).sum())
    }

    /// The numbers of everything.
    #[must_use]
    pub fn numbers(&self, now: Timestamp) -> Numbers {
        let (by_tag, tags_left_out) = self.sets.most_frequent(self.tags_max);
        let (by_label, last_hour) = (self.by_label.clone(), self.last_hour(now));
        // What is hidden does not count.
        let total = by_label.iter().sum();
        Numbers { total, by_label, by_tag, tags_left_out, last_hour }
    }
}

fn count(rows: usize) -> u32 {
    u32::try_from(rows).expect("the window holds fewer than 2^32 rows")
}

struct Merge {
    number: u64,
    entries: Vec<Entry>,
    is_changed: bool,
}

impl Merge {
    fn spot(&self, cell: &Cell) -> Spot {
        (Touching::at(self.number, cell), cell.place)
    }
}
