//! Items in memory, with a sample feed: what `./justw dev` shows without an account.
//!
//! The feed is a function of seed and time, so it needs no task of its own: a read works out which items have appeared.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use contract::{DataSettings, Tag};

use super::configurations::READ_MAX;
use super::{Change, Configuration, Goodbyes, Read, Store, StoreFuture};
use crate::clock::Clock;
use stream_core::item::{Item, ItemKey};
use stream_core::journal::TimeRange;
use stream_core::stream_id::StreamId;
use stream_core::timestamp::Timestamp;

/// Goodbyes kept, newest last: more than there can be streams on one machine.
const GOODBYES_MAX: usize = 4096;

/// Items that were put in, and items that a feed makes up.
pub struct Memory {
    clock: Clock,
    rows: Mutex<Vec<Item>>,
    /// By user, then by id.
    configurations: Mutex<BTreeMap<String, BTreeMap<String, Configuration>>>,
    goodbyes: Mutex<VecDeque<StreamId>>,
    feed: Option<Feed>,
}

impl Memory {
    /// Holds nothing.
    #[must_use]
    pub fn empty(clock: Clock) -> Self {
        Self { clock, rows: Mutex::default(), configurations: Mutex::default(), goodbyes: Mutex::default(), feed: None }
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

impl Store for Memory {
    fn read(&self, range: TimeRange) -> StoreFuture<'_, Read> {
        Box::pin(async move {
            let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
            let inside = |item: &&Item| range.after < item.at && item.at <= range.until;
            let mut items: Vec<Item> = rows.iter().filter(inside).cloned().collect();
            if let Some(feed) = &self.feed {
                items.extend(feed.items(range, self.clock.wall()));
            }
            Ok(Read { items, ..Read::default() })
        })
    }

    fn configuration<'a>(&'a self, user_id: &'a str, config_id: &'a str) -> StoreFuture<'a, Option<Configuration>> {
        Box::pin(async move {
            let saved = self.configurations.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(saved.get(user_id).and_then(|own| own.get(config_id)).cloned())
        })
    }

    fn configurations<'a>(&'a self, user_id: &'a str) -> StoreFuture<'a, Vec<Configuration>> {
        Box::pin(async move {
            let saved = self.configurations.lock().unwrap_or_else(PoisonError::into_inner);
            let own = saved.get(user_id).into_iter().flat_map(BTreeMap::values);
            Ok(own.take(READ_MAX).cloned().collect())
        })
    }

    fn change_configuration<'a>(&'a self, user_id: &'a str, change: &'a Change, _: Timestamp) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let mut saved = self.configurations.lock().unwrap_or_else(PoisonError::into_inner);
            let own = saved.entry(user_id.to_owned()).or_default();
            let is_there = |id: &str| own.contains_key(id);
            let (id, new, expected) = match change {
                Change::Create(new) => (&new.config_id, Some(new), false),
                Change::Replace(new) => (&new.config_id, Some(new), true),
                Change::Delete(id) => (id, None, true),
            };
            let is_done = is_there(id) == expected;
            match new {
                _ if !is_done => {}
                Some(new) => drop(own.insert(id.clone(), new.clone())),
                None => drop(own.remove(id)),
            }
            if own.is_empty() {
                saved.remove(user_id);
            }
            Ok(is_done)
        })
    }

    fn say_goodbye(&self, stream: StreamId, _: u64) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let mut goodbyes = self.goodbyes.lock().unwrap_or_else(PoisonError::into_inner);
            goodbyes.push_back(stream);
            if goodbyes.len() > GOODBYES_MAX {
                goodbyes.pop_front();
            }
            Ok(())
        })
    }

    fn goodbyes<'a>(&'a self, streams: &'a [StreamId]) -> StoreFuture<'a, Goodbyes> {
        Box::pin(async move {
            let goodbyes = self.goodbyes.lock().unwrap_or_else(PoisonError::into_inner);
            let left = streams.iter().copied().filter(|stream| goodbyes.contains(stream)).collect();
            Ok(Goodbyes { left, units: 0.0 })
        })
    }

    fn warm_up(&self) -> StoreFuture<'_, ()> {
        Box::pin(async { Ok(()) })
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
    fn items(&self, range: TimeRange, now: Timestamp) -> Vec<Item> {
        let first = range.after.millis() / 1000;
        let last = range.until.min(now).millis() / 1000;
        let inside = |item: &Item| range.after < item.at && item.at <= range.until;
        let of_second = |second| (0..self.count(second)).filter_map(move |number| self.item_of(second, number, now));
        (first..=last).flat_map(of_second).filter(inside).collect()
    }

    /// How many items a second has.
    fn count(&self, second: u64) -> u32 {
        let began = self.began.millis() / 1000;
        let pause = if second + LIVELY_SECS < began { 60 } else { 4 };
        if second >= began { self.rate } else { u32::from(second.is_multiple_of(pause)) }
    }

    /// One item of a second, if it has appeared by `now`.
    fn item_of(&self, second: u64, number: u32, now: Timestamp) -> Option<Item> {
        let moment = second.wrapping_mul(0x2545_f491_4f6c_dd1d);
        let mut draw = Draw(self.seed ^ moment ^ u64::from(number).wrapping_mul(0xd6e8_feb8_6659_fd93));
        let at = Timestamp::from_millis(second * 1000 + u64::from(draw.below(1000)));
        let late = draw.below(LATE_ONE_IN) == 0;
        let appears = if late { at.plus(Duration::from_secs(20 + u64::from(draw.below(60)))) } else { at };
        let id = if number == 0 { second.to_string() } else { format!("{second}-{number}") };
        (appears <= now).then(|| self.make(&mut draw, at, &id))
    }

    fn make(&self, draw: &mut Draw, at: Timestamp, id: &str) -> Item {
        let (ticker, name) = draw.company();
        let mood = match draw.below(100) {
            0..45 => 0_usize,
            45..75 => 1,
            _ => 2,
        };
        let label = if self.labels == HEADLINES.len() {
            u8::try_from(mood).unwrap_or(0)
        } else {
            u8::try_from(draw.next() % self.labels.max(1) as u64).unwrap_or(0)
        };
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
}

#[cfg(test)]
mod tests {
    use contract::TableName;

    use super::*;

    #[tokio::test]
    async fn the_feed_is_the_same_for_the_same_seed_and_about_one_item_a_second() {
        let data = DataSettings::with_tables(TableName::new("items").unwrap(), TableName::new("users").unwrap());
        let start = Timestamp::parse("2025-12-02T10:30:00Z").unwrap();
        let feed = Feed { seed: 7, rate: 1, labels: 3, began: start };
        let later = start.plus(Duration::from_secs(600));
        let range = TimeRange { after: start, until: later, full: false };
        let items = feed.items(range, later);
        assert_eq!(items, feed.items(range, later));
        assert!((570..=600).contains(&items.len()), "{}", items.len());
        assert!(items.iter().all(|item| item.score.is_some_and(|score| (-1.0..=1.0).contains(&score))));
        let memory = Memory::with_feed(Clock::new(move || start), &data, 7, 1);
        let day = TimeRange { after: start.minus(contract::limits::WINDOW), until: later, full: true };
        let baseline = memory.read(day).await.unwrap().items;
        assert!((2200..=2282).contains(&baseline.len()), "{}", baseline.len());
        let faster = Feed { rate: 40, ..feed };
        let many: std::collections::BTreeSet<ItemKey> =
            faster.items(range, later.plus(Duration::from_secs(100))).into_iter().map(|item| item.key).collect();
        assert!((39 * 600..=41 * 600).contains(&many.len()), "{}", many.len());
        assert!(Feed { rate: 0, ..faster }.items(range, later).is_empty());
        assert!((0..3).all(|label| baseline.iter().any(|item| item.label == label)));
    }
}
