//! A sample feed: made up news about large companies, at one steady rate. It is a function of seed and time, so it needs no task of
//! its own: a read works out which items have appeared.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use contract::{AttributePath, DataSettings, LinkUrl, Tag, limits};
use stream_core::about::{About, Decimal, Shown};
use stream_core::item::{Item, ItemKey};
use stream_core::moment::TimeRange;
use stream_core::split_mix;
use stream_core::timestamp::Timestamp;

/// A feed of made up news.
pub(super) struct Feed {
    seed: u64,
    /// Items a minute.
    rate: u32,
    labels: usize,
    /// The second since 1970 in which it begins.
    first: u64,
    about: AboutMade,
    recent: Recent,
}

/// What was made up for the seconds that every poll reads again, by second: it is made once.
type Recent = Mutex<BTreeMap<u64, Vec<Made>>>;

/// An item, and when it appears.
struct Made {
    appears: Timestamp,
    item: Item,
}

/// Which parts of a made up item its table has.
struct AboutMade {
    has_title: bool,
    has_url: bool,
    shown: Vec<AttributePath>,
}

impl AboutMade {
    fn of(data: &DataSettings) -> Self {
        let (has_title, has_url) = (data.title_attribute.is_some(), data.url_attribute.is_some());
        Self { has_title, has_url, shown: data.show.as_slice().to_vec() }
    }

    /// Title, link and values of an item: of any attribute that is shown a name, and of one called `price` a number.
    fn make(&self, draw: &mut Draw, id: &str, company: &Company, headline: &str) -> Option<Box<About>> {
        let title = format!("{} {headline}", company.name);
        let shown = self.shown.iter().map(|path| match path.as_str() {
            "price" => Decimal::new(&format!("{}.{:02}", 20 + draw.below(480), draw.below(100))).map(Shown::Number),
            _ => Some(Shown::Text(AUTHORS[draw.below(6) as usize].into())),
        });
        let about = About {
            shown: shown.collect(),
            title: self.has_title.then(|| title.into()),
            url: LinkUrl::new(&format!("https://example.com/{}/{id}", company.ticker)).ok().filter(|_| self.has_url),
        };
        (about != About::default()).then(|| Box::new(about))
    }
}

/// A large company, and how much the news writes about it.
struct Company {
    ticker: &'static str,
    /// In ids and links.
    slug: &'static str,
    name: &'static str,
    weight: u32,
}

const fn company(ticker: &'static str, slug: &'static str, name: &'static str, weight: u32) -> Company {
    Company { ticker, slug, name, weight }
}

const COMPANIES: [Company; 16] = [
    company("AAPL", "apple", "Apple", 14),
    company("MSFT", "microsoft", "Microsoft", 12),
    company("NVDA", "nvidia", "Nvidia", 14),
    company("AMZN", "amazon", "Amazon", 10),
    company("GOOGL", "alphabet", "Alphabet", 9),
    company("META", "meta", "Meta", 7),
    company("TSLA", "tesla", "Tesla", 11),
    company("BRK.B", "berkshire", "Berkshire Hathaway", 3),
    company("JPM", "jpmorgan", "JPMorgan", 4),
    company("V", "visa", "Visa", 2),
    company("UNH", "unitedhealth", "UnitedHealth", 2),
    company("XOM", "exxon", "Exxon", 3),
    company("JNJ", "johnson-and-johnson", "Johnson & Johnson", 2),
    company("WMT", "walmart", "Walmart", 3),
    company("NFLX", "netflix", "Netflix", 5),
    company("AMD", "amd", "AMD", 6),
];
const SOURCES: [&str; 6] = ["newswire", "market-brief", "filings", "tech-daily", "street-talk", "morning-notes"];
const AUTHORS: [&str; 6] = ["A. Moreau", "B. Okafor", "C. Lindqvist", "D. Tanaka", "E. Silva", "F. Novak"];
const HEADLINES: [&[&str]; 3] = [
    &["beats quarterly estimates", "raises full-year guidance", "wins long-term contract", "shares climb on upgrade"],
    &["to report on Thursday", "names new finance chief", "holds annual meeting", "trades in line with sector"],
    &["misses revenue forecast", "faces antitrust inquiry", "recalls product line", "slips after downgrade"],
];
/// Items that are there when the feed begins, at most: a day of them at 20 a minute, and less at more, because a person waits for
/// them to be read.
pub(super) const HISTORY_ITEMS_MAX: u32 = 30_000;
/// Seconds, up to now, of which what was made up is kept: what a poll reads again, and one poll.
const RECENT_SECS: u64 = 30;
/// Items that are kept for that, at most: some 40 MB.
const RECENT_ITEMS_MAX: u64 = 100_000;
/// One item in this many is analysed late: the stream's late window at work.
const LATE_ONE_IN: u32 = 40;

/// A small generator, because the same seed and second must make the same item everywhere and for good.
pub(super) struct Draw(u64);

impl Draw {
    /// Begins with a seed.
    pub(super) const fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// The next of its numbers, any of 64 bits.
    pub(super) fn next(&mut self) -> u64 {
        split_mix::next(&mut self.0)
    }

    fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(self.next() % u64::from(bound.max(1))).unwrap_or(0)
    }

    fn unit(&mut self) -> f64 {
        f64::from(self.below(10_001)) / 10_000.0
    }

    fn company(&mut self) -> &'static Company {
        let mut rest = self.below(COMPANIES.iter().map(|company| company.weight).sum());
        for company in &COMPANIES {
            if rest < company.weight {
                return company;
            }
            rest -= company.weight;
        }
        &COMPANIES[0]
    }
}

impl Feed {
    /// Begins so many items a minute a day before `now`. Where a day had more than [`HISTORY_ITEMS_MAX`], it begins with so many.
    pub(super) fn new(data: &DataSettings, seed: u64, rate: u32, now: Timestamp) -> Self {
        let history = u64::from(HISTORY_ITEMS_MAX) * 60 / u64::from(rate.max(1));
        let first = (now.millis() / 1000).saturating_sub(history.min(limits::WINDOW.as_secs()));
        Self {
            seed,
            rate,
            labels: data.labels.as_slice().len(),
            first,
            about: AboutMade::of(data),
            recent: Recent::default(),
        }
    }

    /// The newest items of a label in a range that have appeared by `now` and are wanted: more than `count`, where there are as many.
    pub(super) fn newest(
        &self,
        (label, range, now): (u8, TimeRange, Timestamp),
        is_wanted: impl Fn(&Item) -> bool,
        count: usize,
    ) -> Vec<Item> {
        let mut found = Vec::new();
        let newest = now.millis() / 1000;
        let kept = RECENT_SECS.min(RECENT_ITEMS_MAX * 60 / u64::from(self.rate.max(1)));
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.retain(|second, _| newest < second + kept);
        // Whole seconds, from the newest: what is left out is older than everything that is in.
        for second in (range.after.millis() / 1000..=range.until.min(now).millis() / 1000).rev() {
            if second + kept <= newest {
                found.extend(self.of_second(second, Some(label), now).filter(&is_wanted));
            } else {
                // All of them, also those that have not appeared.
                let make = || (0..self.count(second)).filter_map(|number| self.item_of(second, number, None)).collect();
                let made = recent.entry(second).or_insert_with(make);
                let there = made.iter().filter(|made| made.appears <= now && made.item.label == label);
                found.extend(there.map(|made| &made.item).filter(|item| is_wanted(item)).cloned());
            }
            if found.len() > count {
                break;
            }
        }
        found
    }

    /// The items of a second, of one label or of all, that have appeared by `now`.
    fn of_second(&self, second: u64, label: Option<u8>, now: Timestamp) -> impl Iterator<Item = Item> {
        let made = (0..self.count(second)).filter_map(move |number| self.item_of(second, number, label));
        made.filter(move |made| made.appears <= now).map(|made| made.item)
    }

    /// How many items a second has: so that every minute has the same number.
    fn count(&self, second: u64) -> u32 {
        let until = |second: u64| u64::from(self.rate) * (second % 60) / 60;
        let next = if second % 60 == 59 { u64::from(self.rate) } else { until(second + 1) };
        if second < self.first { 0 } else { u32::try_from(next - until(second)).unwrap_or(u32::MAX) }
    }

    /// One item of a second, if it is of the label.
    fn item_of(&self, second: u64, number: u32, label: Option<u8>) -> Option<Made> {
        let moment = second.wrapping_mul(0x2545_f491_4f6c_dd1d);
        let mut draw = Draw::of(self.seed ^ moment ^ u64::from(number).wrapping_mul(0xd6e8_feb8_6659_fd93));
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
        if label.is_some_and(|wanted| wanted != this) {
            return None;
        }
        let id = if number == 0 { second.to_string() } else { format!("{second}-{number}") };
        Some(Made { appears, item: self.make(&mut draw, at, &id, company, (this, mood)) })
    }

    fn make(&self, draw: &mut Draw, at: Timestamp, id: &str, company: &Company, (label, mood): (u8, usize)) -> Item {
        let strength = draw.unit();
        let score = match mood {
            0 => 0.2 + 0.8 * strength,
            1 => -0.2 + 0.4 * strength,
            _ => -0.2 - 0.8 * strength,
        };
        let headline = HEADLINES[mood][draw.below(4) as usize];
        let source = SOURCES[draw.below(6) as usize];
        let mut tags: Vec<Tag> = Tag::new(company.ticker).into_iter().collect();
        if draw.below(5) == 0 {
            tags.extend(Tag::new(draw.company().ticker).into_iter().filter(|other| other.as_str() != company.ticker));
        }
        let id = format!("{}-{}-{id}", company.slug, headline.to_lowercase().replace(' ', "-"));
        let about = self.about.make(draw, &id, company, headline);
        let round = |value: f64| (value * 1000.0).round() / 1000.0;
        Item {
            key: ItemKey { id: id.into(), time_text: at.to_string().into() },
            at,
            label,
            score: Some(round(score)),
            confidence: Some(round(0.6 + 0.4 * draw.unit())),
            source: Some(source.into()),
            tags: tags.into(),
            about,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use contract::{ShownAttributes, TableName};

    use super::*;

    fn data() -> DataSettings {
        DataSettings::with_tables(TableName::new("items").unwrap(), TableName::new("users").unwrap())
    }

    /// The items that a feed has from `from` on, for so many seconds, as seen long after.
    fn items(feed: &Feed, from: Timestamp, secs: u64) -> Vec<Item> {
        let seconds = from.millis() / 1000..from.millis() / 1000 + secs;
        let later = from.plus(Duration::from_secs(secs + 100));
        seconds.flat_map(|second| feed.of_second(second, None, later)).collect()
    }

    #[test]
    fn the_feed_is_the_same_for_the_same_seed_at_one_rate_before_and_after_it_begins() {
        let now = Timestamp::parse("2025-12-02T10:30:00Z").unwrap();
        for rate in [1, 7, 20, 60, 61, 2400] {
            let feed = || Feed::new(&data(), 7, rate, now);
            for minute in [-10_i64, -1, 0, 1, 10] {
                let from = Timestamp::from_millis(now.millis().saturating_add_signed(minute * 60_000));
                assert_eq!(items(&feed(), from, 60).len(), rate as usize, "{minute}");
            }
            let from = now.minus(Duration::from_secs(60));
            assert_eq!(items(&feed(), from, 120), items(&feed(), from, 120));
            let keys: BTreeSet<ItemKey> = items(&feed(), from, 120).into_iter().map(|item| item.key).collect();
            assert_eq!(keys.len(), 2 * rate as usize);
        }
        let day = now.minus(limits::WINDOW);
        let made = items(&Feed::new(&data(), 7, 20, now), day, limits::WINDOW.as_secs());
        assert_eq!(made.len(), 20 * 60 * 24);
        assert!(
            made.iter()
                .all(|item| item.score.is_some_and(|score| (-1.0..=1.0).contains(&score)) && item.about.is_none())
        );
        assert!((0..3).all(|label| made.iter().any(|item| item.label == label)));
        assert!(items(&Feed::new(&data(), 7, 0, now), day, limits::WINDOW.as_secs() + 100).is_empty());
        let many = items(&Feed::new(&data(), 7, 600_000, now), day, limits::WINDOW.as_secs());
        assert_eq!(many.len(), HISTORY_ITEMS_MAX as usize);
    }

    #[test]
    fn items_have_headlines_and_links_where_the_table_has_them() {
        let now = Timestamp::parse("2025-12-02T10:30:00Z").unwrap();
        let path = |text: &str| AttributePath::new(text).unwrap();
        let data = DataSettings {
            title_attribute: Some(path("title")),
            url_attribute: Some(path("url")),
            show: ShownAttributes::new(vec![path("author"), path("price")]).unwrap(),
            ..data()
        };
        let made = items(&Feed::new(&data, 7, 60, now), now, 600);
        let titles: BTreeSet<String> =
            made.iter().map(|item| item.about.as_ref().unwrap().title.as_ref().unwrap().to_string()).collect();
        assert!(titles.len() > 40 && titles.contains("Apple beats quarterly estimates"), "{titles:?}");
        for item in &made {
            let about = item.about.as_ref().unwrap();
            assert!(about.url.as_ref().unwrap().as_str().starts_with("https://example.com/"));
            assert!(matches!(&*about.shown, [Some(Shown::Text(_)), Some(Shown::Number(_))]));
        }
        // The same items but for that.
        let bare: Vec<ItemKey> =
            items(&Feed::new(&self::data(), 7, 60, now), now, 600).into_iter().map(|item| item.key).collect();
        assert_eq!(made.into_iter().map(|item| item.key).collect::<Vec<_>>(), bare);
    }
}
