//! Items of a file again and again, with times that are always fresh: what `./justw dev --example` shows. Like the made up feed it is
//! a function of seed and time, so that a read works out which items have appeared.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::limits;
use stream_core::item::Item;
use stream_core::moment::TimeRange;
use stream_core::timestamp::Timestamp;

use super::feed::{Draw, HISTORY_ITEMS_MAX};

/// Items of a file in rounds without end, at one steady rate.
///
/// Rows of one key are a story: they keep their order and the time between them, as an order is paid two minutes after it was placed.
/// Each round has every story once, in an order of its own, begun at even distances; a story's key gets the number of its round.
pub(super) struct Replay {
    seed: u64,
    stories: Vec<Story>,
    /// Length of a round in milliseconds, at least 1.
    round: u64,
    /// Length of the longest story in milliseconds.
    longest: u64,
    /// When it begins.
    first: Timestamp,
}

/// Items of one key, from the oldest, each with the milliseconds since the first.
type Story = Vec<(u64, Item)>;

impl Replay {
    /// Begins a day before `now`, with so many items a minute; where a day had more than [`HISTORY_ITEMS_MAX`], with so many. `None`
    /// where there are no items, or none a minute.
    pub(super) fn new(items: Vec<Item>, seed: u64, rate: u32, now: Timestamp) -> Option<Self> {
        if items.is_empty() || rate == 0 {
            return None;
        }
        let count = items.len() as u64;
        let mut stories = BTreeMap::<Box<str>, Vec<Item>>::new();
        for item in items {
            stories.entry(item.key.id.as_str().into()).or_default().push(item);
        }
        let stories: Vec<Story> = stories.into_values().map(story).collect();
        let longest = stories.iter().filter_map(|story| story.last()).map(|(offset, _)| *offset).max().unwrap_or(0);
        let history = Duration::from_secs(u64::from(HISTORY_ITEMS_MAX) * 60 / u64::from(rate));
        let first = now.minus(history.min(limits::WINDOW));
        Some(Self { seed, stories, round: (count * 60_000 / u64::from(rate)).max(1), longest, first })
    }

    /// The items of a label in a range that have appeared by `now`.
    pub(super) fn items(&self, label: u8, range: TimeRange, now: Timestamp) -> Vec<Item> {
        let after = range.after.max(self.first);
        let until = range.until.min(now);
        let rounds = after.millis().saturating_sub(self.longest) / self.round..=until.millis() / self.round;
        let mut found = Vec::new();
        for round in rounds {
            for (story, begins) in self.begun(round) {
                let items = self.stories[story].iter().filter(|(_, item)| item.label == label);
                for (offset, item) in items {
                    let at = Timestamp::from_millis(begins + offset);
                    if after < at && at <= until {
                        found.push(again(item, round, at));
                    }
                }
            }
        }
        found
    }

    /// Which story begins when in a round, in milliseconds since 1970.
    fn begun(&self, round: u64) -> Vec<(usize, u64)> {
        let mut draw = Draw::of(self.seed ^ round.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let mut order: Vec<(u64, usize)> = (0..self.stories.len()).map(|story| (draw.next(), story)).collect();
        order.sort_unstable();
        let (count, begins) = (self.stories.len() as u64, round * self.round);
        let place = |place: usize| begins + place as u64 * self.round / count;
        order.into_iter().enumerate().map(|(at, (_, story))| (story, place(at))).collect()
    }
}

fn story(mut items: Vec<Item>) -> Story {
    items.sort_by_key(|item| item.at);
    let first = items.first().map_or(Timestamp::EPOCH, |item| item.at);
    items.into_iter().map(|item| (item.at.millis() - first.millis(), item)).collect()
}

fn again(item: &Item, round: u64, at: Timestamp) -> Item {
    let mut item = item.clone();
    item.key.id = format!("{}-{round:x}", item.key.id).into();
    item.key.time_text = at.to_string().into();
    item.at = at;
    item
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use stream_core::item::ItemKey;

    use super::*;

    /// Orders that are placed and then shipped a minute later, and one that never is.
    fn items(orders: u64) -> Vec<Item> {
        let item = |id: u64, secs: u64, label: u8| Item {
            key: ItemKey { id: format!("o-{id}").into(), time_text: "".into() },
            at: Timestamp::from_millis(secs * 1000),
            label,
            score: None,
            confidence: None,
            source: None,
            tags: Box::default(),
            about: None,
        };
        let placed = (0..orders).map(|id| item(id, 100 + id, 0));
        placed.chain((1..orders).map(|id| item(id, 160 + id, 1))).collect()
    }

    fn now() -> Timestamp {
        Timestamp::parse("2025-12-02T10:30:00Z").unwrap()
    }

    fn range(from_secs: i64, to_secs: i64) -> TimeRange {
        let at = |secs: i64| Timestamp::from_millis(now().millis().saturating_add_signed(secs * 1000));
        TimeRange { after: at(from_secs), until: at(to_secs) }
    }

    fn all(replay: &Replay, range: TimeRange, now: Timestamp) -> Vec<Item> {
        (0..2).flat_map(|label| replay.items(label, range, now)).collect()
    }

    #[test]
    fn the_rate_is_the_same_before_and_after_it_begins_and_no_key_comes_twice() {
        let replay = Replay::new(items(50), 7, 20, now()).unwrap();
        let later = now().plus(Duration::from_secs(100_000));
        // 99 items a round, which takes 297 s.
        for round in [-200_i64, -3, 0, 5, 300] {
            let found = all(&replay, range(round * 297, (round + 1) * 297), later);
            assert!((95..=103).contains(&found.len()), "{} in {round}", found.len());
            let keys: BTreeSet<&ItemKey> = found.iter().map(|item| &item.key).collect();
            assert_eq!(keys.len(), found.len());
        }
        assert_eq!(all(&replay, range(-600, -300), later), all(&replay, range(-600, -300), later));
    }

    #[test]
    fn a_story_keeps_its_order_and_its_pace_in_every_round_and_rounds_differ() {
        let replay = Replay::new(items(50), 7, 20, now()).unwrap();
        let found = all(&replay, range(-6000, 0), now());
        let mut orders = Vec::new();
        for shipped in found.iter().filter(|item| item.label == 1) {
            let placed = found.iter().find(|item| item.key.id == shipped.key.id && item.label == 0);
            if let Some(placed) = placed {
                assert_eq!(shipped.at.millis() - placed.at.millis(), 60_000);
            }
            orders.push(shipped.key.id.split('-').nth(1).unwrap().to_owned());
        }
        assert!(orders.len() > 500 && orders[..49] != orders[49..98], "{orders:?}");
    }

    #[test]
    fn nothing_is_there_before_its_time_and_nothing_before_it_began() {
        let replay = Replay::new(items(50), 7, 20, now()).unwrap();
        assert_eq!(all(&replay, range(1, 600), now()), []);
        assert_eq!(all(&replay, range(-200_000, -86_401), now()), []);
        let few = all(&Replay::new(items(50), 7, 60_000, now()).unwrap(), range(-86_400, 0), now());
        assert!((29_000..=31_000).contains(&few.len()), "{}", few.len());
        assert!(Replay::new(Vec::new(), 7, 20, now()).is_none() && Replay::new(items(2), 7, 0, now()).is_none());
    }
}
