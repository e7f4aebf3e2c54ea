//! Items in memory, made up or of a file: what `./justw dev` shows without an account.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use contract::{DataSettings, limits};

use super::configurations::READ_MAX;
use super::feed::Feed;
use super::replay::Replay;
use super::{
    Change, Configuration, Configurations, Goodbyes, Heads, HourBytes, Hours, Items, Left, Page, StoreError,
    StoreFuture,
};
use crate::clock::Clock;
use crate::ids::{ConfigId, UserId};
use stream_core::item::{Item, ItemKey};
use stream_core::moment::TimeRange;
use stream_core::reading::{KeyValue, PageRequest, PageStart};
use stream_core::shelf::{Head, Kind, Scope, Write};
use stream_core::stream_id::StreamId;
use stream_core::timestamp::Timestamp;

/// Items of one page.
const PAGE_ITEMS: usize = 1000;
/// Time from its beginning for which an hour is kept, seconds.
const HOURS_KEPT_SECS: u64 = limits::HOUR_LIFE.as_secs() + 3600;
/// Goodbyes kept, newest last: more than there can be streams on one machine.
const GOODBYES_MAX: usize = 4096;

/// Where items come from that nobody puts in.
enum Source {
    Nowhere,
    MadeUp(Feed),
    Again(Replay),
}

/// Items that were put in, and items that come by themselves.
pub struct Memory {
    clock: Clock,
    rows: Mutex<Vec<Item>>,
    /// By user, then by id.
    configurations: Mutex<BTreeMap<UserId, BTreeMap<ConfigId, Configuration>>>,
    goodbyes: Mutex<VecDeque<StreamId>>,
    hours: Mutex<BTreeMap<u64, (Head, Vec<u8>)>>,
    young: Mutex<BTreeMap<u64, (Head, Vec<u8>)>>,
    /// Those that are sums, as long as the process lives.
    rollups: Mutex<BTreeMap<u64, (Head, Vec<u8>)>>,
    source: Source,
}

impl Memory {
    const fn shelf(&self, scope: Scope) -> &Mutex<BTreeMap<u64, (Head, Vec<u8>)>> {
        match scope.kind() {
            Kind::Rows => &self.hours,
            Kind::Young => &self.young,
            Kind::Sums => &self.rollups,
        }
    }

    /// Holds nothing.
    #[must_use]
    pub fn empty(clock: Clock) -> Self {
        let (rows, configurations, goodbyes, hours, young, rollups) = Default::default();
        Self { clock, rows, configurations, goodbyes, hours, young, rollups, source: Source::Nowhere }
    }

    /// Holds what a sample feed makes up: `rate` items a minute, as many in the past day as from now on ([`Feed::new`]).
    #[must_use]
    pub fn with_feed(clock: Clock, data: &DataSettings, seed: u64, rate: u32) -> Self {
        let feed = Feed::new(data, seed, rate, clock.wall());
        Self { source: Source::MadeUp(feed), ..Self::empty(clock) }
    }

    /// Holds the items of a file again and again, `rate` a minute, as many in the past day as from now on ([`Replay::new`]).
    #[must_use]
    pub fn with_items(clock: Clock, items: Vec<Item>, seed: u64, rate: u32) -> Self {
        let replay = Replay::new(items, seed, rate, clock.wall());
        Self { source: replay.map_or(Source::Nowhere, Source::Again), ..Self::empty(clock) }
    }

    /// Puts an item in, in place of one with the same key.
    pub fn put(&self, item: Item) {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.retain(|held| held.key != item.key);
        rows.push(item);
    }
}

impl Memory {
    /// The newest items of a label in a range, after where the page before ended.
    fn newest(&self, label: u8, range: TimeRange, end: Option<&PageEnd>) -> Page {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let is_wanted = |item: &Item| {
            item.label == label
                && range.contains(item.at)
                && end.is_none_or(|end| (item.at, &item.key) < (end.0, &end.1))
        };
        let until = end.map_or(range.until, |end| range.until.min(end.0));
        let (left, now) = (TimeRange { until, ..range }, self.clock.wall());
        let made = match &self.source {
            Source::Nowhere => Vec::new(),
            Source::MadeUp(feed) => feed.newest((label, left, now), is_wanted, PAGE_ITEMS),
            Source::Again(replay) => replay.items(label, left, now),
        };
        let put = rows.iter().filter(|item| is_wanted(item)).cloned();
        let mut found: Vec<Item> = put.chain(made.into_iter().filter(is_wanted)).collect();
        found.sort_unstable_by(|one, other| (other.at, &other.key).cmp(&(one.at, &one.key)));
        let is_whole = found.len() <= PAGE_ITEMS;
        found.truncate(PAGE_ITEMS);
        let next = found.last().filter(|_| !is_whole).map(start_after);
        Page { items: found, next, ..Page::default() }
    }
}

/// Time and key of a page's last item.
type PageEnd = (Timestamp, ItemKey);

fn start_after(item: &Item) -> PageStart {
    let text = |text: &str| KeyValue::Text(text.into());
    let at = KeyValue::Number(item.at.millis().to_string().into());
    let parts = [("at", at), ("id", text(&item.key.id)), ("time", text(&item.key.time_text))];
    PageStart(parts.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

fn page_end(start: &PageStart) -> Option<PageEnd> {
    let [(_, KeyValue::Number(at)), (_, KeyValue::Text(id)), (_, KeyValue::Text(time_text))] = &*start.0 else {
        return None;
    };
    let key = ItemKey { id: (**id).into(), time_text: (**time_text).into() };
    Some((Timestamp::from_millis(at.parse().ok()?), key))
}

impl Items for Memory {
    fn page<'a>(&'a self, request: &'a PageRequest) -> StoreFuture<'a, Page> {
        Box::pin(async move {
            let end = request.start.as_ref().map(|start| {
                page_end(start).ok_or_else(|| StoreError::Refused("the start of the page is none of ours".into()))
            });
            Ok(self.newest(request.label, request.range, end.transpose()?.as_ref()))
        })
    }

    fn warm_up(&self) -> StoreFuture<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}

impl Configurations for Memory {
    fn one<'a>(&'a self, user: &'a UserId, id: &'a ConfigId) -> StoreFuture<'a, Option<Configuration>> {
        Box::pin(async move {
            let saved = self.configurations.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(saved.get(user).and_then(|own| own.get(id)).cloned())
        })
    }

    fn all<'a>(&'a self, user: &'a UserId) -> StoreFuture<'a, Vec<Configuration>> {
        Box::pin(async move {
            let saved = self.configurations.lock().unwrap_or_else(PoisonError::into_inner);
            let own = saved.get(user).into_iter().flat_map(BTreeMap::values);
            Ok(own.take(READ_MAX).cloned().collect())
        })
    }

    fn change<'a>(&'a self, user: &'a UserId, change: &'a Change, _: Timestamp) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let mut saved = self.configurations.lock().unwrap_or_else(PoisonError::into_inner);
            let own = saved.entry(user.clone()).or_default();
            let (id, new, expected) = match change {
                Change::Create(new) => (&new.config_id, Some(new), false),
                Change::Replace(new) => (&new.config_id, Some(new), true),
                Change::Delete(id) => (id, None, true),
            };
            let is_done = own.contains_key(id) == expected;
            match new {
                _ if !is_done => {}
                Some(new) => drop(own.insert(id.clone(), new.clone())),
                None => drop(own.remove(id)),
            }
            if own.is_empty() {
                saved.remove(user);
            }
            Ok(is_done)
        })
    }
}

impl Goodbyes for Memory {
    fn say(&self, stream: StreamId, _: u64) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let mut goodbyes = self.goodbyes.lock().unwrap_or_else(PoisonError::into_inner);
            goodbyes.push_back(stream);
            if goodbyes.len() > GOODBYES_MAX {
                goodbyes.pop_front();
            }
            Ok(())
        })
    }

    fn look<'a>(&'a self, streams: &'a [StreamId]) -> StoreFuture<'a, Left> {
        Box::pin(async move {
            let goodbyes = self.goodbyes.lock().unwrap_or_else(PoisonError::into_inner);
            let left = streams.iter().copied().filter(|stream| goodbyes.contains(stream)).collect();
            Ok(Left { streams: left, units: 0.0 })
        })
    }
}

/// Of one scope of each kind: a process has one.
impl Hours for Memory {
    fn heads(&self, scope: Scope, from: u64, to: u64) -> StoreFuture<'_, Heads> {
        Box::pin(async move {
            let hours = self.shelf(scope).lock().unwrap_or_else(PoisonError::into_inner);
            Ok(Heads { heads: hours.range(from..=to).map(|(_, (head, _))| head.clone()).collect(), units: 0.0 })
        })
    }

    fn bytes<'a>(&'a self, scope: Scope, heads: &'a [Head]) -> StoreFuture<'a, HourBytes> {
        Box::pin(async move {
            let hours = self.shelf(scope).lock().unwrap_or_else(PoisonError::into_inner);
            let known = |head: &Head| hours.get(&head.hour).filter(|(known, _)| known.version == head.version);
            let hours = heads.iter().map(|head| known(head).map(|(_, bytes)| bytes.clone()).unwrap_or_default());
            Ok(HourBytes { hours: hours.collect(), units: 0.0 })
        })
    }

    fn write<'a>(&'a self, scope: Scope, write: &'a Write) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let mut hours = self.shelf(scope).lock().unwrap_or_else(PoisonError::into_inner);
            let now = self.clock.wall().millis() / 1000;
            hours.retain(|hour, (head, _)| {
                let is_young = head.start().millis() / 1000 + HOURS_KEPT_SECS > now;
                *hour == write.head.hour || is_young || scope.kind() == Kind::Sums
            });
            let known = hours.get(&write.head.hour);
            if known.map(|(head, _)| head.seen()) != write.seen {
                return Ok(false);
            }
            let kept = known.filter(|_| write.bytes.is_empty()).map(|(_, bytes)| bytes.clone());
            hours.insert(write.head.hour, (write.head.clone(), kept.unwrap_or_else(|| write.bytes.clone())));
            Ok(true)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use contract::TableName;

    use super::*;

    /// All pages of a label.
    async fn pages(memory: &Memory, label: u8, range: TimeRange) -> Vec<Vec<Item>> {
        let mut pages = Vec::new();
        let mut request = PageRequest { label, range, start: None };
        loop {
            let page = memory.page(&request).await.unwrap();
            pages.push(page.items);
            request.start = page.next;
            if request.start.is_none() {
                return pages;
            }
        }
    }

    #[tokio::test]
    async fn pages_are_bounded_newest_first_and_leave_nothing_out() {
        let data = DataSettings::with_tables(TableName::new("items").unwrap(), TableName::new("users").unwrap());
        let start = Timestamp::parse("2026-03-01T00:00:00Z").unwrap();
        let now = start.plus(Duration::from_secs(700));
        let clock = Arc::new(AtomicU64::new(start.millis()));
        let read = Arc::clone(&clock);
        let memory = Memory::with_feed(
            Clock::new(move || Timestamp::from_millis(read.load(Ordering::Relaxed))),
            &data,
            11,
            14 * 60,
        );
        clock.store(now.millis(), Ordering::Relaxed);
        // Rows that were put in, many of them at one moment, between what the feed makes up.
        let put = 1500_u32;
        for n in 0..put {
            let at = start.plus(Duration::from_millis(u64::from(n / 600) * 1000));
            let key = ItemKey { id: format!("put-{n}").into(), time_text: at.to_string().into() };
            let item = Item {
                key,
                at,
                label: 1,
                score: None,
                confidence: None,
                source: None,
                tags: Box::default(),
                about: None,
            };
            memory.put(item);
        }
        let range = TimeRange { after: start.minus(Duration::from_secs(2100)), until: now };
        let Source::MadeUp(feed) = &memory.source else { panic!("it was made so") };
        for label in 0..3 {
            let pages = pages(&memory, label, range).await;
            let (last, full) = pages.split_last().unwrap();
            assert!(full.len() >= 2 && full.iter().all(|page| page.len() == PAGE_ITEMS), "label {label}");
            assert!((1..=PAGE_ITEMS).contains(&last.len()));
            let all = pages.concat();
            assert!(all.is_sorted_by(|one, next| (next.at, &next.key) < (one.at, &one.key)), "label {label}");
            let made = feed.newest((label, range, now), |item| range.contains(item.at), usize::MAX).len();
            let put = if label == 1 { put as usize } else { 0 };
            assert_eq!(all.len(), made + put, "label {label}");
        }
        let foreign = Some(PageStart([("at".into(), KeyValue::Text("x".into()))].into()));
        assert!(memory.page(&PageRequest { label: 0, range, start: foreign }).await.is_err());
    }
}
