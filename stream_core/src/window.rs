//! The 24 hours of items that `metrics` count, kept up to date by reading only what may have changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use contract::{Tag, limits};

use super::filter::Filter;
use super::item::{Item, ItemKey, ItemOrder};
use super::timestamp::Timestamp;

const HOUR: Duration = Duration::from_secs(3600);

/// The numbers of `metrics`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Items in the window.
    pub total: u32,
    /// Items by label, in the labels' order.
    pub by_label: Vec<u32>,
    /// Items by ticker; an item with two tickers counts for both.
    pub by_tag: BTreeMap<Tag, u32>,
    /// Items of the last hour.
    pub last_hour: u32,
}

impl Counts {
    fn new(labels: usize) -> Self {
        Self { by_label: vec![0; labels], ..Self::default() }
    }

    fn add(&mut self, item: &Item, filter: &Filter) {
        self.total += 1;
        if let Some(count) = self.by_label.get_mut(usize::from(item.label)) {
            *count += 1;
        }
        for tag in item.tags.iter().filter(|tag| filter.matches_tag(tag)) {
            *self.by_tag.entry(tag.clone()).or_default() += 1;
        }
    }

    fn remove(&mut self, item: &Item) {
        self.total -= 1;
        if let Some(count) = self.by_label.get_mut(usize::from(item.label)) {
            *count -= 1;
        }
        for tag in &item.tags {
            if let Some(count) = self.by_tag.get_mut(tag) {
                *count -= 1;
                if *count == 0 {
                    self.by_tag.remove(tag);
                }
            }
        }
    }
}

/// What one read changed.
#[derive(Debug, Default, PartialEq)]
pub struct Changes {
    /// Items that are new or different, oldest first.
    pub added: Vec<Arc<Item>>,
    /// Items that are gone or were replaced.
    pub removed: Vec<Arc<Item>>,
}

/// Items of `(now - 24 h, now + skew]` with their counts.
///
/// Cloning is cheap enough to hand out a copy per change: items are shared.
#[derive(Clone, Debug)]
pub struct Window {
    items: BTreeMap<ItemOrder, Arc<Item>>,
    counts: Counts,
    /// Items up to here are not of the last hour.
    hour_after: Timestamp,
}

impl Window {
    /// Makes an empty window for a table with that many labels.
    #[must_use]
    pub fn new(labels: usize) -> Self {
        Self { items: BTreeMap::new(), counts: Counts::new(labels), hour_after: Timestamp::EPOCH }
    }

    /// First moment the window excludes.
    #[must_use]
    pub const fn after(now: Timestamp) -> Timestamp {
        now.minus(limits::WINDOW)
    }

    /// Last moment the window includes: a little in the future, because clocks differ.
    #[must_use]
    pub const fn until(now: Timestamp) -> Timestamp {
        now.plus(limits::FUTURE_SKEW)
    }

    /// Takes what the table held in `(after, now + skew]` in place of what the window held there.
    pub fn replace(&mut self, after: Timestamp, rows: Vec<Item>, now: Timestamp) -> Changes {
        let mut changes = Changes::default();
        let (after, until) = (after.max(Self::after(now)), Self::until(now));
        // A row can come twice, when its label changes between the queries: the last one read stands, whichever it is.
        let rows: BTreeMap<ItemOrder, Item> = rows
            .into_iter()
            .filter(|item| after < item.at && item.at <= until)
            .map(|item| ((item.at, Arc::new(item.key.clone())), item))
            .collect();
        let gone: BTreeSet<ItemOrder> = self.between(after, Timestamp::MAX).map(|(order, _)| order.clone()).collect();
        for order in gone.into_iter().filter(|order| !rows.contains_key(order)) {
            changes.removed.extend(self.remove(&order));
        }
        for (order, item) in rows {
            if self.items.get(&order).is_some_and(|held| **held == item) {
                continue;
            }
            changes.removed.extend(self.remove(&order));
            let item = Arc::new(item);
            self.insert(order, Arc::clone(&item));
            changes.added.push(item);
        }
        self.age(now);
        changes
    }

    /// Lets items leave the last hour and the window as time passes.
    fn age(&mut self, now: Timestamp) {
        let hour_after = now.minus(HOUR);
        // Backwards too: a clock that was set back brings items into the last hour again.
        let between = |low: Timestamp, high: Timestamp| u32::try_from(self.between(low, high).count());
        let moved = |low, high| between(low, high).expect("the window holds fewer than 2^32 items");
        if hour_after >= self.hour_after {
            self.counts.last_hour -= moved(self.hour_after, hour_after);
        } else {
            self.counts.last_hour += moved(hour_after, self.hour_after);
        }
        self.hour_after = hour_after;
        let after = Self::after(now);
        while let Some((order, _)) = self.items.first_key_value() {
            if order.0 > after {
                break;
            }
            let order = order.clone();
            self.remove(&order);
        }
    }

    fn insert(&mut self, order: ItemOrder, item: Arc<Item>) {
        self.counts.add(&item, &Filter::all());
        self.counts.last_hour += u32::from(item.at > self.hour_after);
        self.items.insert(order, item);
    }

    fn remove(&mut self, order: &ItemOrder) -> Option<Arc<Item>> {
        let item = self.items.remove(order)?;
        self.counts.remove(&item);
        self.counts.last_hour -= u32::from(item.at > self.hour_after);
        Some(item)
    }

    fn between(&self, after: Timestamp, until: Timestamp) -> impl DoubleEndedIterator<Item = (&ItemOrder, &Arc<Item>)> {
        let first =
            |at: Timestamp| (Timestamp::from_millis(at.millis().saturating_add(1)), Arc::new(ItemKey::default()));
        let low = first(after);
        let high = if until == Timestamp::MAX { None } else { Some(first(until).max(low.clone())) };
        let high = high.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        self.items.range((std::ops::Bound::Included(low), high))
    }

    /// Items of `(after, until]`, oldest first.
    pub fn items_between(&self, after: Timestamp, until: Timestamp) -> impl DoubleEndedIterator<Item = &Arc<Item>> {
        self.between(after, until).map(|(_, item)| item)
    }

    /// All items, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Arc<Item>> {
        self.items.values().rev()
    }

    /// Time of the newest item.
    #[must_use]
    pub fn newest(&self) -> Option<Timestamp> {
        self.items.last_key_value().map(|(order, _)| order.0)
    }

    /// The numbers of everything, at no cost.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The numbers of matching items, by counting them.
    #[must_use]
    pub fn counts_for(&self, filter: &Filter) -> Counts {
        let mut counts = Counts::new(self.counts.by_label.len());
        for item in self.items.values().filter(|item| filter.matches(item)) {
            counts.add(item, filter);
            counts.last_hour += u32::from(item.at > self.hour_after);
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::tests::item;

    const NOW: u64 = 1_800_000_000_000;

    fn at(offset_secs: i64) -> u64 {
        NOW.saturating_add_signed(offset_secs * 1000)
    }

    #[test]
    fn both_ends_of_the_window_and_of_the_hour_are_exact() {
        let mut window = Window::new(3);
        let now = Timestamp::from_millis(NOW);
        let day = 24 * 3600;
        let rows = vec![
            item("too old", at(-day), 0, 0.1, &["A"]),
            item("just in", at(-day) + 1, 0, 0.1, &["A"]),
            item("not of the hour", at(-3600), 1, 0.1, &["A", "B"]),
            item("of the hour", at(-3600) + 1, 2, 0.1, &[]),
            item("future", at(300), 2, 0.1, &["B"]),
            item("too far in the future", at(300) + 1, 2, 0.1, &["B"]),
        ];
        let changes = window.replace(Timestamp::EPOCH, rows, now);
        assert_eq!(changes.added.len(), 4);
        let tag = |text| Tag::new(text).unwrap();
        let expected = Counts {
            total: 4,
            by_label: vec![1, 1, 2],
            by_tag: BTreeMap::from([(tag("A"), 2), (tag("B"), 2)]),
            last_hour: 2,
        };
        assert_eq!(window.counts(), &expected);
        assert_eq!(window.counts_for(&Filter::all()), expected);
        let only_b = window.counts_for(&Filter::parse("B").unwrap());
        assert_eq!((only_b.total, only_b.by_tag.len(), only_b.last_hour), (2, 1, 1));
    }

    #[test]
    fn a_read_replaces_only_what_it_read() {
        let mut window = Window::new(3);
        let now = Timestamp::from_millis(NOW);
        window.replace(
            Timestamp::EPOCH,
            vec![item("old", at(-100), 0, 0.1, &[]), item("a", at(-50), 0, 0.1, &[]), item("b", at(-40), 0, 0.1, &[])],
            now,
        );
        let rows = vec![item("a", at(-50), 1, 0.1, &[]), item("c", at(-30), 0, 0.1, &[])];
        let changes = window.replace(Timestamp::from_millis(at(-60)), rows, now);
        let ids = |items: &[Arc<Item>]| items.iter().map(|i| i.key.id.to_string()).collect::<Vec<_>>();
        assert_eq!(ids(&changes.added), ["a", "c"]);
        assert_eq!(ids(&changes.removed), ["b", "a"]);
        assert_eq!(window.counts().by_label, [2, 1, 0]);
    }
}
