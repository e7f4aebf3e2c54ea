//! Items in memory, with a sample feed: what `./justw dev` shows without an account.
//!
//! The feed is a function of seed and time, so it needs no task of its own: a read works out which items have appeared.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use contract::{DataSettings, Tag, limits};

use super::configurations::READ_MAX;
use super::{
    Change, Configuration, Configurations, Goodbyes, Heads, HourBytes, Hours, Items, Left, Page, StoreError,
    StoreFuture,
};
use crate::clock::Clock;
use crate::ids::{ConfigId, UserId};
use stream_core::item::{Item, ItemKey};
use stream_core::moment::TimeRange;
use stream_core::reading::{KeyValue, PageRequest, PageStart};
use stream_core::shelf::{Head, Scope, Write};
use stream_core::stream_id::StreamId;
use stream_core::timestamp::Timestamp;

/// Items of one page.
const PAGE_ITEMS: usize = 1000;
/// Time from its beginning for which an hour is kept, seconds.
const HOURS_KEPT_SECS: u64 = limits::HOUR_LIFE.as_secs() + 3600;
/// Goodbyes kept, newest last: more than there can be streams on one machine.
const GOODBYES_MAX: usize = 4096;

/// Items that were put in, and items that a feed makes up.
pub struct Memory {
    clock: Clock,
    rows: Mutex<Vec<Item>>,
    /// By user, then by id.
    configurations: Mutex<BTreeMap<UserId, BTreeMap<ConfigId, Configuration>>>,
    goodbyes: Mutex<VecDeque<StreamId>>,
    hours: Mutex<BTreeMap<u64, (Head, Vec<u8>)>>,
    feed: Option<Feed>,
}

impl Memory {
    /// Holds nothing.
    #[must_use]
    pub fn empty(clock: Clock) -> Self {
        let (rows, configurations, goodbyes, hours) = Default::default();
        Self { clock, rows, configurations, goodbyes, hours, feed: None }
    }

    /// Holds what a sample feed makes up: an item a minute for the past day, fifteen in its last hour, and `rate` a second
    /// from now on.
    #[must_use]
    pub fn with_feed(clock: Clock, data: &DataSettings, seed: u64, rate: u32) -> Self {
        let feed = Feed { seed, rate, labels: data.labels.as_slice().len(), began: clock.wall() };
        Self { feed: Some(feed), ..Self::empty(clock) }
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
        let mut made = Vec::new();
        if let Some(feed) = &self.feed {
            let until = end.map_or(range.until, |end| range.until.min(end.0)).min(self.clock.wall());
            // Whole seconds, from the newest: what is left out is older than everything that is in.
            for second in (range.after.millis() / 1000..=until.millis() / 1000).rev() {
                made.extend(feed.of_second(second, Some(label), self.clock.wall()).filter(is_wanted));
                if made.len() > PAGE_ITEMS {
                    break;
                }
            }
        }
        let mut found: Vec<&Item> = rows.iter().filter(|item| is_wanted(item)).chain(&made).collect();
        found.sort_unstable_by(|one, other| (other.at, &other.key).cmp(&(one.at, &one.key)));
        let is_whole = found.len() <= PAGE_ITEMS;
        found.truncate(PAGE_ITEMS);
        let next = found.last().filter(|_| !is_whole).map(|last| start_after(last));
        Page { items: found.into_iter().cloned().collect(), next, ..Page::default() }
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

/// Of one scope: a process has one.
impl Hours for Memory {
    fn heads(&self, _: Scope, from: u64, to: u64) -> StoreFuture<'_, Heads> {
        Box::pin(async move {
            let hours = self.hours.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(Heads { heads: hours.range(from..=to).map(|(_, (head, _))| head.clone()).collect(), units: 0.0 })
        })
    }

    fn bytes<'a>(&'a self, _: Scope, heads: &'a [Head]) -> StoreFuture<'a, HourBytes> {
        Box::pin(async move {
            let hours = self.hours.lock().unwrap_or_else(PoisonError::into_inner);
            let known = |head: &Head| hours.get(&head.hour).filter(|(known, _)| known.version == head.version);
            let hours = heads.iter().map(|head| known(head).map(|(_, bytes)| bytes.clone()).unwrap_or_default());
            Ok(HourBytes { hours: hours.collect(), units: 0.0 })
        })
    }

    fn write<'a>(&'a self, _: Scope, write: &'a Write) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let mut hours = self.hours.lock().unwrap_or_else(PoisonError::into_inner);
            let now = self.clock.wall().millis() / 1000;
            hours.retain(|hour, (head, _)| {
                *hour == write.head.hour || head.start().millis() / 1000 + HOURS_KEPT_SECS > now
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

struct Feed {
    seed: u64,
    /// Items a second, from when it began.
    rate: u32,
    labels: usize,
    began: Timestamp,
}

/// Large companies and how much the news writes about them.
const COMPANIES: [(&str, &str, u32); 16] = [
    ("AAPL", "apple", 14),
    ("MSFT", "microsoft", 12),
    ("NVDA", "nvidia", 14),
    ("AMZN", "amazon", 10),
    ("GOOGL", "alphabet", 9),
    ("META", "meta", 7),
    ("TSLA", "tesla", 11),
    ("BRK.B", "berkshire", 3),
    ("JPM", "jpmorgan", 4),
    ("V", "visa", 2),
    ("UNH", "unitedhealth", 2),
    ("XOM", "exxon", 3),
    ("JNJ", "johnson-and-johnson", 2),
    ("WMT", "walmart", 3),
    ("NFLX", "netflix", 5),
    ("AMD", "amd", 6),
];
const SOURCES: [&str; 6] = ["newswire", "market-brief", "filings", "tech-daily", "street-talk", "morning-notes"];
const HEADLINES: [&[&str]; 3] = [
    &["beats-quarterly-estimates", "raises-full-year-guidance", "wins-long-term-contract", "shares-climb-on-upgrade"],
    &["to-report-on-thursday", "names-new-finance-chief", "holds-annual-meeting", "trades-in-line-with-sector"],
    &["misses-revenue-forecast", "faces-antitrust-inquiry", "recalls-product-line", "slips-after-downgrade"],
];
/// How long before the feed begins it is livelier, seconds: what the page shows as a chart.
const LIVELY_SECS: u64 = 3600;
/// One item in this many is analysed late: the stream's late window at work.
const LATE_ONE_IN: u32 = 40;

/// A small generator (SplitMix64), because the same seed and second must make the same item everywhere and for good.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(self.next() % u64::from(bound.max(1))).unwrap_or(0)
    }

    fn unit(&mut self) -> f64 {
        f64::from(self.below(10_001)) / 10_000.0
    }

    fn company(&mut self) -> (&'static str, &'static str) {
        let mut rest = self.below(COMPANIES.iter().map(|(_, _, weight)| weight).sum());
        for (ticker, name, weight) in COMPANIES {
            if rest < weight {
                return (ticker, name);
            }
            rest -= weight;
        }
        (COMPANIES[0].0, COMPANIES[0].1)
    }
}

impl Feed {
    /// The items of a second, of one label or of all, that have appeared by `now`.
    fn of_second(&self, second: u64, label: Option<u8>, now: Timestamp) -> impl Iterator<Item = Item> {
        (0..self.count(second)).filter_map(move |number| self.item_of(second, number, label, now))
    }

    /// How many items a second has.
    fn count(&self, second: u64) -> u32 {
        let began = self.began.millis() / 1000;
        let pause = if second + LIVELY_SECS < began { 60 } else { 4 };
        if second >= began { self.rate } else { u32::from(second.is_multiple_of(pause)) }
    }

    /// One item of a second, if it has appeared by `now` and is of the label.
    fn item_of(&self, second: u64, number: u32, label: Option<u8>, now: Timestamp) -> Option<Item> {
        let moment = second.wrapping_mul(0x2545_f491_4f6c_dd1d);
        let mut draw = Draw(self.seed ^ moment ^ u64::from(number).wrapping_mul(0xd6e8_feb8_6659_fd93));
        let at = Timestamp::from_millis(second * 1000 + u64::from(draw.below(1000)));
        let late = draw.below(LATE_ONE_IN) == 0;
        let appears = if late { at.plus(Duration::from_secs(20 + u64::from(draw.below(60)))) } else { at };
        let company = draw.company();
        let mood = match draw.below(100) {
            0..45 => 0_usize,
            45..75 => 1,
            _ => 2,
        };
        let this = if self.labels == HEADLINES.len() {
            u8::try_from(mood).unwrap_or(0)
        } else {
            u8::try_from(draw.next() % self.labels.max(1) as u64).unwrap_or(0)
        };
        // Before the dear part: a page is of one label, and most seconds are none of its.
        if now < appears || label.is_some_and(|wanted| wanted != this) {
            return None;
        }
        let id = if number == 0 { second.to_string() } else { format!("{second}-{number}") };
        Some(make(&mut draw, at, &id, company, (this, mood)))
    }
}

fn make(draw: &mut Draw, at: Timestamp, id: &str, (ticker, name): (&str, &str), (label, mood): (u8, usize)) -> Item {
    let strength = draw.unit();
    let score = match mood {
        0 => 0.2 + 0.8 * strength,
        1 => -0.2 + 0.4 * strength,
        _ => -0.2 - 0.8 * strength,
    };
    let headline = HEADLINES[mood][draw.below(4) as usize];
    let source = SOURCES[draw.below(6) as usize];
    let mut tags: Vec<Tag> = Tag::new(ticker).into_iter().collect();
    if draw.below(5) == 0 {
        tags.extend(Tag::new(draw.company().0).into_iter().filter(|other| other.as_str() != ticker));
    }
    let round = |value: f64| (value * 1000.0).round() / 1000.0;
    Item {
        key: ItemKey { id: format!("{name}-{headline}-{id}").into(), time_text: at.to_string().into() },
        at,
        label,
        score: Some(round(score)),
        confidence: Some(round(0.6 + 0.4 * draw.unit())),
        source: Some(source.into()),
        tags: tags.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use contract::TableName;

    use super::*;

    #[tokio::test]
    async fn the_feed_is_the_same_for_the_same_seed_and_about_one_item_a_second() {
        let data = DataSettings::with_tables(TableName::new("items").unwrap(), TableName::new("users").unwrap());
        let start = Timestamp::parse("2025-12-02T10:30:00Z").unwrap();
        let feed = Feed { seed: 7, rate: 1, labels: 3, began: start };
        let later = start.plus(Duration::from_secs(600));
        let range = TimeRange { after: start, until: later };
        let items = |feed: &Feed, now: Timestamp| -> Vec<Item> {
            let seconds = range.after.millis() / 1000..=range.until.millis() / 1000;
            let all = seconds.flat_map(|second| feed.of_second(second, None, now));
            all.filter(|item| range.contains(item.at)).collect()
        };
        let made = items(&feed, later);
        assert_eq!(made, items(&feed, later));
        assert!((570..=600).contains(&made.len()), "{}", made.len());
        assert!(made.iter().all(|item| item.score.is_some_and(|score| (-1.0..=1.0).contains(&score))));
        let memory = Memory::with_feed(Clock::new(move || start), &data, 7, 1);
        let day = TimeRange { after: start.minus(contract::limits::WINDOW), until: later };
        let mut baseline = Vec::new();
        for label in 0..3 {
            baseline.extend(pages(&memory, label, day).await.concat());
        }
        assert!((2200..=2282).contains(&baseline.len()), "{}", baseline.len());
        let faster = Feed { rate: 40, ..feed };
        let many: std::collections::BTreeSet<ItemKey> =
            items(&faster, later.plus(Duration::from_secs(100))).into_iter().map(|item| item.key).collect();
        assert!((39 * 600..=41 * 600).contains(&many.len()), "{}", many.len());
        assert!(items(&Feed { rate: 0, ..faster }, later).is_empty());
        assert!((0..3).all(|label| baseline.iter().any(|item| item.label == label)));
    }
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
        let memory =
            Memory::with_feed(Clock::new(move || Timestamp::from_millis(read.load(Ordering::Relaxed))), &data, 11, 14);
        clock.store(now.millis(), Ordering::Relaxed);
        // Rows that were put in, many of them at one moment, between what the feed makes up.
        let put = 1500_u32;
        for n in 0..put {
            let at = start.plus(Duration::from_millis(u64::from(n / 600) * 1000));
            let key = ItemKey { id: format!("put-{n}").into(), time_text: at.to_string().into() };
            let item = Item { key, at, label: 1, score: None, confidence: None, source: None, tags: Box::default() };
            memory.put(item);
        }
        let range = TimeRange { after: start.minus(Duration::from_secs(7000)), until: now };
        let feed = memory.feed.as_ref().unwrap();
        for label in 0..3 {
            let pages = pages(&memory, label, range).await;
            let (last, full) = pages.split_last().unwrap();
            assert!(full.len() >= 2 && full.iter().all(|page| page.len() == PAGE_ITEMS), "label {label}");
            assert!((1..=PAGE_ITEMS).contains(&last.len()));
            let all = pages.concat();
            assert!(all.is_sorted_by(|one, next| (next.at, &next.key) < (one.at, &one.key)), "label {label}");
            let seconds = range.after.millis() / 1000..=now.millis() / 1000;
            let made = seconds.flat_map(|second| feed.of_second(second, Some(label), now));
            let made = made.filter(|item| range.contains(item.at)).count();
            let put = if label == 1 { put as usize } else { 0 };
            assert_eq!(all.len(), made + put, "label {label}");
        }
        let foreign = Some(PageStart([("at".into(), KeyValue::Text("x".into()))].into()));
        assert!(memory.page(&PageRequest { label: 0, range, start: foreign }).await.is_err());
    }
}
