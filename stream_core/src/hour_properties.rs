//! Hours as bytes: what comes back is what was there, and whatever bytes there are, nothing breaks.

use std::time::Duration;

use contract::{Identity, limits};
use proptest::prelude::*;

use crate::collected::Collected;
use crate::hour::{self, HOUR_MINUTES, HourError, Version};
use crate::item::{Item, Row, tests::item};
use crate::minute::first_moment;
use crate::moment::TimeRange;
use crate::timestamp::Timestamp;
use crate::window::{Window, window_until};
use crate::world::{START, identity, tags};

const LABELS: usize = 3;
const ALL: TimeRange = TimeRange { after: Timestamp::EPOCH, until: Timestamp::MAX };

fn now() -> Timestamp {
    Timestamp::from_millis(START)
}

fn window(identity: Identity) -> Window {
    Window::new(LABELS, limits::WINDOW, 200, identity)
}

/// A window that has read these rows.
fn window_of(rows: &[Item], identity: Identity) -> Window {
    let (mut window, mut collected) = (window(identity), Collected::default());
    let labels = contract::Labels::default();
    for row in rows {
        window.collect(&mut collected, Row::new(row.clone(), labels.as_slice(), identity), false);
    }
    let range = TimeRange { after: window.after(now()), until: window_until(now()) };
    window.replace(&[range], &mut collected, now(), Timestamp::MAX);
    window.discard(collected);
    window
}

fn hours(window: &Window) -> Vec<u64> {
    let mut hours: Vec<u64> = window.minutes().iter().map(|minute| minute.number() / HOUR_MINUTES).collect();
    hours.dedup();
    hours
}

/// Everything that a window says of its rows.
fn said(window: &Window) -> Vec<String> {
    let names = window.names();
    let rows = window.minutes().iter().flat_map(|minute| (0..minute.len()).map(move |index| (minute, index)));
    let row = |(minute, index): (&std::sync::Arc<crate::minute::Minute>, usize)| {
        let cell = minute.cell(index);
        let tags: Vec<&str> = names.tags_of(cell.set).map(contract::Tag::as_str).collect();
        let (at, score) = (minute.at(index), cell.score.to_bits());
        format!("{at} {} {} {} {score} {tags:?} {}", cell.place, cell.hash, cell.label, cell.is_hidden)
    };
    rows.map(row).chain([format!("{:?}", window.numbers(now()))]).collect()
}

fn rows() -> impl Strategy<Value = Vec<Item>> {
    let row =
        (0_u64..5 * 3_600_000, 0_u8..3, 0_u8..8, prop_oneof![Just(None), (-1000_i32..=1000).prop_map(Some)], 0_u32..40);
    prop::collection::vec(row, 0..120).prop_map(|rows| {
        let item = |(age, label, bits, score, id): (u64, u8, u8, Option<i32>, u32)| Item {
            score: score.map(|score| f64::from(score) / 1000.0),
            ..item(&format!("r{id}"), START - age, label, 0.5, &tags(bits))
        };
        rows.into_iter().map(item).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn hours_come_back_as_they_were_in_whatever_order_they_are_taken(rows in rows(), identity in identity(), order in any::<u64>()) {
        let from = window_of(&rows, identity);
        let mut all = hours(&from);
        all.sort_by_key(|hour| hour.wrapping_mul(order | 1));
        let mut to = window(identity);
        for hour in &all {
            let bytes = from.hour_bytes(*hour);
            let decoded = hour::decode(&bytes, LABELS).unwrap();
            prop_assert!(to.adopt(*hour, &decoded, ALL, now(), Timestamp::MAX));
            prop_assert_eq!(to.hour_bytes(*hour), bytes, "equal rows are equal bytes");
        }
        prop_assert_eq!(said(&to), said(&from));
        // Taken again, or by a window that had other rows there, it is the same.
        let decoded: Vec<_> = all.iter().map(|hour| (*hour, hour::decode(&from.hour_bytes(*hour), LABELS).unwrap())).collect();
        for (hour, rows) in &decoded {
            prop_assert!(!to.adopt(*hour, rows, ALL, now(), Timestamp::MAX));
        }
        let mut other = window_of(&[item("other", START - 3 * 3_600_000, 1, 0.5, &["X"])], identity);
        let emptied = (START / 3_600_000 - 6..=START / 3_600_000).filter(|hour| !all.contains(hour));
        let none = hour::decode(&window(identity).hour_bytes(0), LABELS).unwrap();
        emptied.for_each(|hour| _ = other.adopt(hour, &none, ALL, now(), Timestamp::MAX));
        decoded.iter().for_each(|(hour, rows)| _ = other.adopt(*hour, rows, ALL, now(), Timestamp::MAX));
        other.reveal_all();
        prop_assert_eq!(said(&other), said(&from));
    }

    #[test]
    fn rows_beside_the_window_or_before_what_an_hour_has_are_left_out(rows in rows(), gone in 0_u64..5 * 3_600_000) {
        let from = window_of(&rows, Identity::KeyAndTime);
        let after = Timestamp::from_millis(START - gone);
        let later = after.plus(limits::WINDOW);
        let mut to = window(Identity::KeyAndTime);
        for hour in hours(&from) {
            to.adopt(hour, &hour::decode(&from.hour_bytes(hour), LABELS).unwrap(), ALL, later, Timestamp::MAX);
        }
        let young: Vec<Item> = rows.into_iter().filter(|row| row.at > after).collect();
        let expected = window_of(&young, Identity::KeyAndTime);
        prop_assert_eq!(to.rows(), expected.rows());
        prop_assert_eq!(to.numbers(now()).by_tag, expected.numbers(now()).by_tag);
    }

    #[test]
    fn altered_bytes_are_refused_or_are_rows(rows in rows(), edits in prop::collection::vec((any::<usize>(), any::<u8>(), 0_u8..3), 1..6)) {
        let from = window_of(&rows, Identity::KeyAndTime);
        for hour in hours(&from) {
            let good = from.hour_bytes(hour);
            let mut bytes = good.clone();
            for (at, byte, edit) in &edits {
                let at = at % bytes.len().max(1);
                match edit {
                    0 if at < bytes.len() => bytes[at] = *byte,
                    1 => bytes.truncate(at),
                    _ => bytes.insert(at, *byte),
                }
            }
            prop_assert!(bytes == good || Version::of(&bytes) != Version::of(&good));
            let mut to = window(Identity::Key);
            if let Ok(rows) = hour::decode(&bytes, LABELS) {
                to.adopt(hour, &rows, ALL, now(), Timestamp::MAX);
                prop_assert!(to.rows() <= rows.len());
            }
        }
    }

    #[test]
    fn any_bytes_are_refused_or_are_rows(mut bytes in prop::collection::vec(any::<u8>(), 0..300), is_ours: bool) {
        if is_ours && bytes.len() > 1 {
            (bytes[0], bytes[1]) = (hour::FORMAT, 3);
        }
        let _ = hour::decode(&bytes, LABELS);
    }
}

#[test]
fn bytes_of_another_format_or_of_other_labels_are_foreign() {
    let bytes =
        window_of(&[item("a", START - 7, 0, 0.5, &["X"])], Identity::KeyAndTime).hour_bytes((START - 7) / 3_600_000);
    assert!(hour::decode(&bytes, LABELS).is_ok());
    assert_eq!(hour::decode(&bytes, 2), Err(HourError::Foreign));
    let other = [&[hour::FORMAT + 1], &bytes[1..]].concat();
    assert_eq!(hour::decode(&other, LABELS), Err(HourError::Foreign));
    assert_eq!(hour::decode(&bytes[..bytes.len() - 1], LABELS), Err(HourError::Broken("keys")));
    assert_eq!(hour::decode(&[&bytes[..], &[0]].concat(), LABELS), Err(HourError::Broken("keys")));
}

/// A line that promises more than there is takes no memory for it.
#[test]
fn numbers_of_things_that_are_not_there_are_refused() {
    for part in 0..4 {
        let mut bytes = vec![hour::FORMAT, 3];
        bytes.extend(vec![0; part]);
        bytes.extend([0xff, 0xff, 0xff, 0xff, 0x0f]);
        assert!(hour::decode(&bytes, LABELS).is_err(), "{part}");
    }
}

#[test]
fn an_hour_takes_some_twenty_bytes_a_row() {
    let first = first_moment(START / 3_600_000 * 60 - 120).millis();
    let row = |n: u64| {
        item(
            &format!("r{n}"),
            first + n * 137,
            u8::try_from(n % 3).unwrap(),
            f64::from(u32::try_from(n % 200).unwrap()) / 200.0,
            &tags(u8::try_from(n % 8).unwrap()),
        )
    };
    let rows: Vec<Item> = (0..20_000).map(row).collect();
    let bytes = window_of(&rows, Identity::KeyAndTime).hour_bytes(first / 3_600_000);
    assert!(bytes.len() < 22 * 20_000, "{}", bytes.len());
    assert!(Duration::from_millis(20_000 * 137) < Duration::from_secs(3600));
}
