//! Sums of old hours as bytes, and histories that reach beyond the window beside a count of all rows.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use crate::filter::Filter;
use crate::history::{Asked, Step, history};
use crate::hour::{HOUR_MINUTES, HourError};
use crate::item::{Item, tests::item};
use crate::minute::first_moment;
use crate::past::Past;
use crate::rollup::{FORMAT, Rollup};
use crate::shelf::{before_hour, hour_of};
use crate::timestamp::Timestamp;
use crate::world::{START, snapshot_of, tags};

const LABELS: usize = 3;
const HOUR_MILLIS: u64 = 3_600_000;
/// How far back rows of the tests reach, hours.
const REACH: u64 = 100;
const KEEP: Duration = Duration::from_secs(90 * 3600);

fn rows() -> impl Strategy<Value = Vec<Item>> {
    // Many at the moments in which hours and the window begin, and beside them.
    let edge = prop::sample::select(vec![0_u64, 1, 2, HOUR_MILLIS - 1]);
    let age = prop_oneof![
        0..REACH * HOUR_MILLIS,
        (0..REACH, edge).prop_map(|(hour, edge)| (hour * HOUR_MILLIS + START % HOUR_MILLIS).saturating_sub(edge)),
        (0_u64..4).prop_map(|age| 24 * HOUR_MILLIS + 2 - age),
    ];
    let row = (age, 0_u8..3, 0_u8..8, prop_oneof![Just(None), (-1000_i32..=1000).prop_map(Some)]);
    prop::collection::vec(row, 0..120).prop_map(|rows| {
        let item = |(n, (age, label, bits, score)): (usize, (u64, u8, u8, Option<i32>))| Item {
            score: score.map(|score| f64::from(score) / 1000.0),
            ..item(&format!("r{n}"), START - age, label, 0.5, &tags(bits))
        };
        rows.into_iter().enumerate().map(item).collect()
    })
}

/// The sums of an hour as whoever had it whole in its window has written them.
fn kept(rows: &[Item], hour: u64) -> Vec<u8> {
    let now = before_hour(hour + 2);
    let there: Vec<Item> =
        rows.iter().filter(|row| now.minus(Duration::from_secs(86_400)) < row.at && row.at <= now).cloned().collect();
    let snapshot = snapshot_of(there, now);
    let minutes = snapshot.minutes.between(before_hour(hour), before_hour(hour + 1));
    Rollup::of(minutes, &snapshot.names, LABELS).encode()
}

fn filters() -> [Filter; 3] {
    [Filter::all(), Filter::parse("AAPL").unwrap(), Filter::parse("MSFT,NVDA").unwrap()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn sums_come_back_as_they_were_and_every_filter_is_exact(rows in rows()) {
        let now = Timestamp::from_millis(START);
        let hour = hour_of(now) - 1;
        let bytes = kept(&rows, hour);
        let read = Rollup::decode(&bytes, LABELS).unwrap();
        prop_assert_eq!(read.encode(), &bytes[..]);
        for filter in filters() {
            let inside: Vec<&Item> = rows.iter().filter(|row| hour_of(row.at) == hour && filter.matches(row)).collect();
            let sums = read.sums(&filter);
            for label in 0..3_u8 {
                let expected = inside.iter().filter(|row| row.label == label).count();
                prop_assert_eq!(sums.by_label[usize::from(label)] as usize, expected);
            }
            prop_assert_eq!(sums.scores.count as usize, inside.iter().filter(|row| row.score.is_some()).count());
            let sum: f64 = inside.iter().filter_map(|row| row.score).sum();
            prop_assert!((sums.scores.sum - sum).abs() < 1e-4);
        }
    }

    /// However the window lies within the hours, and whichever of them are kept: each row is counted once, or lies in a gap.
    #[test]
    fn no_row_is_lost_or_counted_twice_where_the_window_begins(
        rows in rows(),
        minute in 0_u64..60,
        from in 1_u64..120,
        length in prop::option::of(1_u64..120),
        lost in prop::collection::btree_set(0_u64..REACH, 0..6),
    ) {
        let now = Timestamp::from_millis(START - START % HOUR_MILLIS + minute * 60_000);
        let rows: Vec<Item> = rows.into_iter().filter(|row| row.at <= now).collect();
        let snapshot = snapshot_of(rows.iter().filter(|row| now.minus(Duration::from_secs(86_400)) < row.at).cloned().collect(), now);
        let from = now.minus(Duration::from_secs(from * 3000));
        let to = length.map(|length| from.plus(Duration::from_secs(length * 3000)));
        let lost: BTreeSet<u64> = lost.into_iter().map(|back| hour_of(now) - back).collect();
        for filter in filters() {
            let mut past = Past::of(&snapshot, Some(from), to, Some(KEEP));
            for hour in past.hours().filter(|hour| !lost.contains(hour)) {
                past.take(hour, &kept(&rows, hour), LABELS, &filter).unwrap();
            }
            let asked = Asked { from: Some(from), to, step: None };
            let found = history(&snapshot, &filter, asked, &past);
            let is_known = |at: Timestamp| !found.gaps.iter().any(|(from, to)| (*from..*to).contains(&at));
            let mut counted = 0;
            for point in &found.points {
                let end = point.at.plus(found.step.length());
                let inside = |row: &&Item| (point.at..end).contains(&row.at) && is_known(row.at) && filter.matches(row);
                // Where nothing is asked of before the window, the first step has what the window has.
                let is_there = |row: &&Item| !past.hours().is_empty() || snapshot.window_after() < row.at;
                let inside = rows.iter().filter(inside).filter(is_there).count();
                prop_assert_eq!(point.total() as usize, inside, "{} of {:?}", point.at, found.gaps);
                counted += inside;
            }
            if !past.hours().is_empty() {
                let asked_for = |row: &&Item| (found.from..found.to).contains(&row.at) && filter.matches(row);
                let (known, unknown): (Vec<&Item>, Vec<&Item>) = rows.iter().filter(asked_for).partition(|row| is_known(row.at));
                prop_assert_eq!(counted, known.len());
                let is_lost = |row: &&Item| lost.contains(&hour_of(row.at)) && row.at <= snapshot.window_after();
                prop_assert!(unknown.iter().all(is_lost));
                prop_assert!(found.from >= Timestamp::from_millis(hour_of(now.minus(KEEP)) * HOUR_MILLIS));
                prop_assert_eq!(found.step, Step::new(Duration::from_secs(3600)).unwrap());
            }
        }
    }

    #[test]
    fn any_bytes_are_refused_or_are_sums(mut bytes in prop::collection::vec(any::<u8>(), 0..300), is_ours: bool) {
        if is_ours && bytes.len() > 1 {
            (bytes[0], bytes[1]) = (FORMAT, 3);
        }
        if let Ok(rollup) = Rollup::decode(&bytes, LABELS) {
            let sums = rollup.sums(&Filter::all());
            prop_assert!(sums.scores.mean().is_none_or(|mean| (-1.1..=1.1).contains(&mean)), "{:?}", sums);
        }
    }
}

#[test]
fn bytes_of_another_format_or_of_other_labels_are_foreign() {
    let now = Timestamp::from_millis(START);
    let hour = hour_of(now) - 1;
    let bytes = kept(&[item("a", first_moment(hour * HOUR_MINUTES).millis(), 0, 0.5, &["X"])], hour);
    assert!(Rollup::decode(&bytes, LABELS).is_ok());
    assert_eq!(Rollup::decode(&bytes, 2), Err(HourError::Foreign));
    assert_eq!(Rollup::decode(&[&[FORMAT + 1], &bytes[1..]].concat(), LABELS), Err(HourError::Foreign));
    assert_eq!(Rollup::decode(&bytes[..bytes.len() - 1], LABELS), Err(HourError::Broken("sums")));
    assert_eq!(Rollup::decode(&[&bytes[..], &[0]].concat(), LABELS), Err(HourError::Broken("sums")));
}

#[test]
fn nothing_is_taken_from_what_is_kept_where_the_window_has_it_or_nothing_is_kept() {
    let now = Timestamp::from_millis(START);
    let snapshot = snapshot_of(Vec::new(), now);
    let hours = |from: u64, keep: Option<Duration>| {
        Past::of(&snapshot, Some(now.minus(Duration::from_secs(from))), None, keep).hours()
    };
    assert!(hours(86_399, Some(KEEP)).is_empty());
    assert!(hours(90_000, None).is_empty());
    assert!(Past::of(&snapshot, None, None, Some(KEEP)).hours().is_empty());
    let year = Duration::from_secs(400 * 86_400);
    let all = hours(500 * 86_400, Some(year));
    assert_eq!(hour_of(now) - all.start + 1, contract::limits::HISTORY_HOURS_MAX, "the newest that an answer has");
    let kept = hours(500 * 86_400, Some(KEEP));
    assert_eq!(kept.start, hour_of(now.minus(KEEP)));
}
