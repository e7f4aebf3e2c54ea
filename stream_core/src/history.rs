//! What the window counts, step by step, and before it what is kept of old hours: `GET /api/v2/history`.
//!
//! Steps are whole minutes that divide an hour, and begin at multiples of their length since 1970: two requests at different moments
//! have the same steps. The sums are those of the window's minutes, so that all steps together are the numbers of `metrics`. Hours that
//! begin before the window come from their sums ([`crate::past`]), and nothing of the window is counted in them.

use std::sync::Arc;
use std::time::Duration;

use contract::{Tag, limits};

use crate::filter::Filter;
use crate::interner::Judged;
use crate::minute::{MINUTE_MILLIS, Minute, ScoreSums, first_moment, minute_of};
use crate::past::Past;
use crate::rollup::Sums;
use crate::snapshot::Snapshot;
use crate::timestamp::Timestamp;

/// Minutes of an hour.
const HOUR_MINUTES: u64 = limits::HISTORY_STEP_MAX.as_secs() / 60;

/// Length of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    minutes: u64,
}

impl Step {
    /// The rule, for messages.
    pub const RULE: &'static str = "whole minutes that divide an hour, such as `1m`, `5m`, `15m` or `1h`";

    /// All lengths, shortest first.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..=HOUR_MINUTES).filter(|minutes| HOUR_MINUTES.is_multiple_of(*minutes)).map(|minutes| Self { minutes })
    }

    /// Takes a length; `None` where it is not one of [`Step::all`].
    #[must_use]
    pub fn new(length: Duration) -> Option<Self> {
        Self::all().find(|step| step.length() == length)
    }

    /// The shortest that makes no more than [`limits::HISTORY_STEPS_DEFAULT`] of a range, or the longest.
    #[must_use]
    pub fn of_range(length: Duration) -> Self {
        let fits = |step: &Self| length.as_secs().div_ceil(step.length().as_secs()) <= limits::HISTORY_STEPS_DEFAULT;
        Self::all().find(fits).unwrap_or(Self { minutes: HOUR_MINUTES })
    }

    /// The length.
    #[must_use]
    pub const fn length(self) -> Duration {
        Duration::from_secs(self.minutes * 60)
    }

    /// Number of the step that a minute lies in.
    pub(crate) const fn of_minute(self, minute: u64) -> u64 {
        minute / self.minutes
    }

    /// First moment of a step, by number.
    pub(crate) const fn start(self, number: u64) -> Timestamp {
        first_moment(number * self.minutes)
    }
}

/// The rows of one step.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// First moment of the step.
    pub at: Timestamp,
    /// What they sum up to.
    pub sums: Sums,
}

impl Point {
    /// Rows of all labels.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.sums.by_label.iter().sum()
    }
}

/// Steps one after the other, those without rows too; those of which nothing is known are not there.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// First moment of the first step.
    pub from: Timestamp,
    /// First moment after the last step.
    pub to: Timestamp,
    /// Length of a step.
    pub step: Step,
    /// Oldest first.
    pub points: Vec<Point>,
    /// Ranges of which nothing is known, oldest first: the first moment and the one after the last.
    pub gaps: Vec<(Timestamp, Timestamp)>,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// First moment wanted; else that of the window. The step that it lies in is whole.
    pub from: Option<Timestamp>,
    /// First moment not wanted; else all there is. The step that the moment before lies in is whole.
    pub to: Option<Timestamp>,
    /// Length of a step; else one that suits the range.
    pub step: Option<Step>,
}

impl Asked {
    /// First moment wanted and first one not wanted, as far as the window reaches.
    pub(crate) fn range(&self, snapshot: &Snapshot) -> (Timestamp, Timestamp) {
        let begin = snapshot.window_after().plus(Duration::from_millis(1));
        // A clock may be behind those of the rows: what counts is in.
        let newest = snapshot.minutes.last().map_or(Timestamp::EPOCH, |minute| minute.at(minute.len() - 1));
        let end = snapshot.read_at.max(newest).plus(Duration::from_millis(1));
        let from = self.from.unwrap_or(begin).clamp(begin, end);
        (from, self.to.unwrap_or(end).clamp(from, end))
    }
}

/// Counts what a filter lets through, step by step, as far as the window and what is known of the `past` reach. With a past, steps
/// are hours: nothing shorter is kept.
#[must_use]
pub fn history(snapshot: &Snapshot, filter: &Filter, asked: Asked, past: &Past) -> History {
    let (from, to) = asked.range(snapshot);
    let hours = Step { minutes: HOUR_MINUTES };
    let suitable = || Step::of_range(Duration::from_millis(to.millis() - from.millis()));
    let (from, to, step) = match past.start() {
        Some(start) => (start, asked.to.unwrap_or(Timestamp::MAX).min(to).max(start), hours),
        None => (from, to, asked.step.unwrap_or_else(suitable)),
    };
    let first = step.of_minute(minute_of(from));
    let steps = if from < to { step.of_minute(minute_of(to.before())) - first + 1 } else { 0 };
    let labels = snapshot.data.labels.as_slice().len();
    let point = |number: u64| {
        let at = step.start(number);
        Point { at, sums: past.of_minute(minute_of(at)).cloned().unwrap_or_else(|| Sums::none(labels)) }
    };
    let mut points: Vec<Point> = (first..first + steps).map(point).collect();
    let (from, to) = (step.start(first), step.start(first + steps));
    let mut counting = Counting::of(snapshot, filter);
    for minute in snapshot.minutes.between(from.before(), to.before()) {
        // The window lacks the beginning of an hour that is known from what was kept of it.
        if past.of_minute(minute.number()).is_some() {
            continue;
        }
        let index = step.of_minute(minute.number()).checked_sub(first).and_then(|index| usize::try_from(index).ok());
        if let Some(point) = index.and_then(|index| points.get_mut(index)) {
            counting.count(minute, &mut point.sums);
        }
    }
    let gaps = past.gaps(snapshot.window_after());
    points.retain(|point| !gaps.iter().any(|(from, to)| *from <= point.at && point.at.plus(step.length()) <= *to));
    History { from, to, step, points, gaps }
}

/// Which rows count.
enum Counting {
    /// All: a minute has their sums.
    All,
    /// Those whose set of tags has one of some.
    Some(Judged),
}

impl Counting {
    fn of(snapshot: &Snapshot, filter: &Filter) -> Self {
        if filter.is_all() {
            return Self::All;
        }
        let tags: Vec<Arc<Tag>> = filter.tags().cloned().map(Arc::new).collect();
        let mut judged = Judged::default();
        snapshot.names.judge(None, &mut judged, &tags);
        Self::Some(judged)
    }

    fn count(&mut self, minute: &Minute, sums: &mut Sums) {
        let Self::Some(judged) = self else {
            sums.by_label.iter_mut().zip(minute.by_label()).for_each(|(sum, rows)| *sum += rows);
            sums.scores = sums.scores.and(minute.score_sums());
            return;
        };
        for (index, set) in minute.sets().iter().enumerate() {
            if judged.of_set(*set) == 0 || minute.is_hidden(index) {
                continue;
            }
            let cell = minute.cell(index);
            if let Some(sum) = sums.by_label.get_mut(usize::from(cell.label)) {
                *sum += 1;
            }
            sums.scores = sums.scores.and(ScoreSums::of_one(cell.score));
        }
    }
}

const _: () = assert!(MINUTE_MILLIS == 60_000 && HOUR_MINUTES == 60);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::filter_numbers::FilterNumbers;
    use crate::item::{Item, tests::item};
    use crate::world::snapshot_of;

    /// 2027-01-15T08:00:30Z, within a minute.
    const NOW: Timestamp = Timestamp::from_millis(1_800_000_030_000);

    fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(minutes * 60)
    }

    fn step(length: u64) -> Option<Step> {
        Step::new(minutes(length))
    }

    fn rows(backs: &[(u64, u8, f64, &[&str])]) -> Vec<Item> {
        let row = |(number, (back, label, score, tags)): (usize, &(u64, u8, f64, &[&str]))| {
            item(&format!("r{number}"), NOW.millis() - back * 1000, *label, *score, tags)
        };
        backs.iter().enumerate().map(row).collect()
    }

    #[test]
    fn steps_are_whole_minutes_that_divide_an_hour() {
        let all: Vec<u64> = Step::all().map(|step| step.length().as_secs() / 60).collect();
        assert_eq!(all, [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60]);
        for bad in [Duration::ZERO, Duration::from_secs(30), minutes(7), minutes(61), minutes(120)] {
            assert_eq!(Step::new(bad), None, "{bad:?}");
        }
        for (range, expected) in [(60, 1), (300, 1), (301, 2), (360, 2), (24 * 60, 5), (48 * 60, 10), (1000 * 60, 60)] {
            assert_eq!(Step::of_range(minutes(range)), step(expected).unwrap(), "{range}");
        }
    }

    #[test]
    fn a_step_has_what_is_in_it_and_empty_ones_are_there() {
        let rows = rows(&[(0, 0, 0.5, &["A"]), (20, 1, -0.5, &["B"]), (31, 0, 1.0, &[]), (240, 2, 0.25, &["A", "B"])]);
        let snapshot = snapshot_of(rows, NOW);
        let asked = Asked { from: Some(NOW.minus(minutes(4))), to: None, step: step(1) };
        let found = history(&snapshot, &Filter::all(), asked, &Past::default());
        assert_eq!((found.from, found.to), (first_moment(29_999_996), first_moment(30_000_001)));
        let counts: Vec<&[u32]> = found.points.iter().map(|point| &*point.sums.by_label).collect();
        assert_eq!(counts, [[0, 0, 1], [0, 0, 0], [0, 0, 0], [1, 0, 0], [1, 1, 0]]);
        let last = found.points[4].sums.scores;
        assert_eq!((last.count, last.mean(), last.min, last.max), (2, Some(0.0), -0.5, 0.5));
        assert_eq!(found.points[1].sums.scores.mean(), None);

        let only = history(&snapshot, &Filter::parse("A").unwrap(), asked, &Past::default());
        let counts: Vec<u32> = only.points.iter().map(Point::total).collect();
        assert_eq!(counts, [1, 0, 0, 0, 1]);
        // Longer steps begin at multiples of their length.
        let hours = history(&snapshot, &Filter::all(), Asked { step: step(60), ..asked }, &Past::default());
        let starts: Vec<(u64, u32)> = hours.points.iter().map(|point| (point.at.millis(), point.total())).collect();
        assert_eq!(starts, [(1_799_996_400_000, 2), (1_800_000_000_000, 2)]);
    }

    #[test]
    fn what_is_asked_for_beyond_the_window_is_not_made_up() {
        let snapshot = snapshot_of(rows(&[(0, 0, 0.5, &[])]), NOW);
        let of = |from: Option<u64>, to: Option<u64>| {
            let at = |back: u64| NOW.minus(minutes(back));
            history(
                &snapshot,
                &Filter::all(),
                Asked { from: from.map(at), to: to.map(at), step: step(60) },
                &Past::default(),
            )
        };
        assert_eq!(of(None, None).points.len(), 25, "24 hours that begin and end within one");
        assert_eq!(of(Some(100 * 60), None), of(None, None));
        assert!(of(Some(200 * 60), Some(100 * 60)).points.is_empty());
        assert!(of(Some(10), Some(10)).points.is_empty());
        let future = Asked { from: Some(NOW.plus(minutes(600))), ..Asked::default() };
        assert!(history(&snapshot, &Filter::all(), future, &Past::default()).points.is_empty());
        // A clock behind the rows' cuts nothing off.
        let ahead = snapshot_of(vec![item("a", NOW.millis() + 90_000, 0, 0.5, &[])], NOW);
        let found = history(&ahead, &Filter::all(), Asked::default(), &Past::default());
        assert_eq!(found.points.iter().map(Point::total).sum::<u32>(), ahead.numbers.total);
    }

    proptest! {
        /// All steps together are the numbers of `metrics`, of everything and of a filter, whatever the length of a step; and each
        /// step has the rows of its time.
        #[test]
        fn all_steps_together_are_the_numbers(
            table in prop::collection::vec((0_u64..90_000, 0_u8..3, -100_i32..=100, 0_usize..4), 0..80),
            length in prop::sample::select(vec![None, Some(1_u64), Some(5), Some(12), Some(60)]),
        ) {
            const TAGS: [&[&str]; 4] = [&[], &["A"], &["B"], &["A", "B"]];
            let rows: Vec<Item> = rows(
                &table.iter().map(|(back, label, score, tags)| (*back, *label, f64::from(*score) / 100.0, TAGS[*tags])).collect::<Vec<_>>(),
            );
            let snapshot = snapshot_of(rows.clone(), NOW);
            for filter in [Filter::all(), Filter::parse("A").unwrap(), Filter::parse("B,C").unwrap()] {
                let asked = Asked { step: length.and_then(step), ..Asked::default() };
                let found = history(&snapshot, &filter, asked, &Past::default());
                let numbers = match filter.is_all() {
                    true => (*snapshot.numbers).clone(),
                    false => FilterNumbers::new(&filter).follow(&snapshot),
                };
                let sums = (0..3).map(|label| found.points.iter().map(|point| point.sums.by_label[label]).sum()).collect::<Vec<u32>>();
                prop_assert_eq!(&sums, &numbers.by_label);
                for point in &found.points {
                    let end = point.at.plus(found.step.length());
                    let inside = |row: &&Item| {
                        (point.at..end).contains(&row.at) && snapshot.window_after() < row.at && filter.matches(row)
                    };
                    let inside: Vec<&Item> = rows.iter().filter(inside).collect();
                    prop_assert_eq!(point.total() as usize, inside.len());
                    let sum: f64 = inside.iter().filter_map(|row| row.score).sum();
                    prop_assert!((point.sums.scores.sum - sum).abs() < 1e-5, "{} {}", point.sums.scores.sum, sum);
                }
            }
        }
    }
}
