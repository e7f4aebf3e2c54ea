//! What the window counts of each tag, step by step: the small lines beside a history.
//!
//! Steps are those of [`crate::history`]. Rows are counted by their set of tags first, of which there are few, and then for each tag.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use contract::{Tag, limits};

use crate::filter::Filter;
use crate::history::{Asked, Step};
use crate::minute::{ScoreSums, minute_of};
use crate::snapshot::Snapshot;
use crate::timestamp::Timestamp;

/// The rows of one tag in one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TagPoint {
    /// How many they are.
    pub total: u32,
    /// Sums of their scores.
    pub scores: ScoreSums,
}

impl TagPoint {
    const NONE: Self = Self { total: 0, scores: ScoreSums::NONE };

    fn add(&mut self, other: Self) {
        self.total += other.total;
        self.scores = self.scores.and(other.scores);
    }
}

/// Steps of the tags that most rows of the range have.
#[derive(Clone, Debug, PartialEq)]
pub struct TagHistory {
    /// First moment of the first step.
    pub from: Timestamp,
    /// Length of a step.
    pub step: Step,
    /// Points by tag, oldest first, as many for each; at most [`limits::HISTORY_TAGS_MAX`] tags.
    pub by_tag: BTreeMap<Tag, Vec<TagPoint>>,
    /// Tags of the range beside them.
    pub left_out: usize,
}

/// More steps than [`limits::HISTORY_TAG_STEPS_MAX`] were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManySteps {
    /// How many it would be.
    pub steps: u64,
}

/// Counts what a filter lets through by tag, in steps of a length of their own; under a filter its own tags only.
///
/// # Errors
/// Where the range has more steps of this length than are counted by tag.
pub fn tag_history(snapshot: &Snapshot, filter: &Filter, asked: Asked, step: Step) -> Result<TagHistory, TooManySteps> {
    let (from, to) = asked.range(snapshot);
    let first = step.of_minute(minute_of(from));
    let steps = if from < to { step.of_minute(minute_of(to.before())) - first + 1 } else { 0 };
    if steps > limits::HISTORY_TAG_STEPS_MAX {
        return Err(TooManySteps { steps });
    }
    let len = usize::try_from(steps).expect("it is no more than the limit");
    let mut by_set: HashMap<u32, Vec<TagPoint>> = HashMap::new();
    for minute in snapshot.minutes.between(step.start(first).before(), step.start(first + steps).before()) {
        let Some(index) =
            step.of_minute(minute.number()).checked_sub(first).and_then(|index| usize::try_from(index).ok())
        else {
            continue;
        };
        for (row, set) in minute.sets().iter().enumerate().filter(|(row, _)| !minute.is_hidden(*row)) {
            let points = by_set.entry(*set).or_insert_with(|| vec![TagPoint::NONE; len]);
            if let Some(point) = points.get_mut(index) {
                point.add(TagPoint { total: 1, scores: ScoreSums::of_one(minute.cell(row).score) });
            }
        }
    }
    let (by_tag, left_out) = most_frequent(by_tag(snapshot, filter, by_set, len));
    Ok(TagHistory { from: step.start(first), step, by_tag, left_out })
}

fn by_tag(
    snapshot: &Snapshot,
    filter: &Filter,
    by_set: HashMap<u32, Vec<TagPoint>>,
    len: usize,
) -> HashMap<Tag, Vec<TagPoint>> {
    let wanted: Option<Vec<Arc<Tag>>> = (!filter.is_all()).then(|| filter.tags().cloned().map(Arc::new).collect());
    let is_wanted = |tag: &Tag| wanted.as_ref().is_none_or(|wanted| wanted.iter().any(|one| **one == *tag));
    let mut by_tag: HashMap<Tag, Vec<TagPoint>> = HashMap::new();
    for (set, points) in by_set {
        for tag in snapshot.names.tags_of(set).filter(|tag| is_wanted(tag)) {
            let sums = by_tag.entry(tag.clone()).or_insert_with(|| vec![TagPoint::NONE; len]);
            sums.iter_mut().zip(&points).for_each(|(sum, point)| sum.add(*point));
        }
    }
    by_tag
}

/// Those that most rows have, ties by name, and how many there are beside.
fn most_frequent(by_tag: HashMap<Tag, Vec<TagPoint>>) -> (BTreeMap<Tag, Vec<TagPoint>>, usize) {
    let total = |points: &[TagPoint]| points.iter().map(|point| u64::from(point.total)).sum::<u64>();
    let mut all: Vec<(u64, Tag, Vec<TagPoint>)> =
        by_tag.into_iter().map(|(tag, points)| (total(&points), tag, points)).collect();
    all.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let left_out = all.len().saturating_sub(limits::HISTORY_TAGS_MAX);
    all.truncate(limits::HISTORY_TAGS_MAX);
    (all.into_iter().map(|(_, tag, points)| (tag, points)).collect(), left_out)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::history::history;
    use crate::item::{Item, tests::item};
    use crate::past::Past;
    use crate::world::snapshot_of;

    /// 2027-01-15T08:00:30Z, within a minute.
    const NOW: Timestamp = Timestamp::from_millis(1_800_000_030_000);

    fn step(minutes: u64) -> Step {
        Step::new(Duration::from_secs(minutes * 60)).unwrap()
    }

    #[test]
    fn too_many_steps_are_refused_and_few_enough_are_not() {
        let snapshot = snapshot_of(vec![item("a", NOW.millis(), 0, 0.5, &["A"])], NOW);
        let of = |minutes| tag_history(&snapshot, &Filter::all(), Asked::default(), step(minutes));
        assert_eq!(of(1).unwrap_err().steps, 1441);
        assert_eq!(of(60).unwrap().by_tag.len(), 1);
    }

    #[test]
    fn the_most_frequent_tags_are_there_and_the_others_are_counted() {
        let many = limits::HISTORY_TAGS_MAX + 3;
        let mut rows: Vec<Item> =
            (0..many).map(|n| item(&format!("r{n}"), NOW.millis() - 1, 0, 0.5, &[&format!("T{n:04}")])).collect();
        rows.push(item("twice", NOW.millis(), 0, 0.5, &["T0201"]));
        let found = tag_history(&snapshot_of(rows, NOW), &Filter::all(), Asked::default(), step(60)).unwrap();
        assert_eq!((found.by_tag.len(), found.left_out), (limits::HISTORY_TAGS_MAX, 3));
        assert!(found.by_tag.keys().any(|tag| tag.as_str() == "T0201"), "it has two rows");
    }

    proptest! {
        /// The steps of a tag are the history of the filter that names it, under a filter as without one.
        #[test]
        fn each_tag_has_its_own_history(
            table in prop::collection::vec((0_u64..90_000, 0_u8..3, -100_i32..=100, 0_usize..4), 0..60),
            minutes in prop::sample::select(vec![30_u64, 60]),
            filter in prop::sample::select(vec!["", "A", "B,C"]),
        ) {
            const TAGS: [&[&str]; 4] = [&[], &["A"], &["B"], &["A", "B"]];
            let row = |(n, (back, label, score, tags)): (usize, &(u64, u8, i32, usize))| {
                item(&format!("r{n}"), NOW.millis() - back * 1000, *label, f64::from(*score) / 100.0, TAGS[*tags])
            };
            let snapshot = snapshot_of(table.iter().enumerate().map(row).collect::<Vec<Item>>(), NOW);
            let filter = if filter.is_empty() { Filter::all() } else { Filter::parse(filter).unwrap() };
            let found = tag_history(&snapshot, &filter, Asked::default(), step(minutes)).unwrap();
            for name in ["A", "B"] {
                let only = Filter::parse(name).unwrap();
                let asked = Asked { step: Some(step(minutes)), ..Asked::default() };
                let expected = history(&snapshot, &only, asked, &Past::default()).points;
                let is_there = expected.iter().any(|point| point.total() > 0)
                    && (filter.is_all() || filter.tags().any(|tag| tag.as_str() == name));
                let points = found.by_tag.iter().find(|(tag, _)| tag.as_str() == name).map(|(_, points)| points);
                prop_assert_eq!(points.is_some(), is_there);
                for (point, expected) in points.into_iter().flatten().zip(&expected) {
                    prop_assert_eq!(point.total, expected.total());
                    prop_assert_eq!(point.scores.count, expected.sums.scores.count);
                    prop_assert!((point.scores.sum - expected.sums.scores.sum).abs() < 1e-5);
                }
            }
        }
    }
}
