//! Which items a page of `GET /api/v2/items` has, and where the next one begins.
//!
//! A cursor is a place in one total order of all items: time, then a hash of the row's key. It says nothing of how many
//! there are, so that rows may come in and go away between two pages, and each old one comes once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::filter::Filter;
use crate::item::Row;
use crate::snapshot::{RowRef, Snapshot};
use crate::timestamp::Timestamp;

/// Form of the bytes of a cursor; another form of another release is refused and not misread.
const VERSION: u8 = 1;
const BYTES: usize = 1 + 6 + 8;
/// Characters of a cursor, three bytes in four of them.
const TEXT: usize = BYTES / 3 * 4;

/// Where an item stands among all, newest first when sorted downwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    at: Timestamp,
    key: u64,
}

impl Place {
    /// The rule of its text, for messages.
    pub const RULE: &'static str = "the `next` of an earlier page, as it was";
    /// The same as a pattern, for programs.
    pub const PATTERN: &'static str = "^A[Q-Za-f][A-Za-z0-9_-]{18}$";

    fn of(row: RowRef<'_>) -> Self {
        Self { at: row.at(), key: row.place() }
    }

    /// Where a whole row stands: after it a page goes on that had to end there.
    #[must_use]
    pub fn of_row(row: &Row) -> Self {
        Self { at: row.item.at, key: row.place }
    }

    /// Writes the cursor.
    #[must_use]
    pub fn to_text(self) -> String {
        let mut bytes = [0; BYTES];
        bytes[0] = VERSION;
        bytes[1..7].copy_from_slice(&self.at.millis().to_be_bytes()[2..]);
        bytes[7..].copy_from_slice(&self.key.to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor; `None` for what none of this form is like.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; BYTES];
        if text.len() != TEXT {
            return None;
        }
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        let (mut millis, mut key) = ([0; 8], [0; 8]);
        millis[2..].copy_from_slice(&bytes[1..7]);
        key.copy_from_slice(&bytes[7..]);
        let is_whole = length == BYTES && bytes[0] == VERSION;
        // A year that no row can have is later than all of them, as any other late cursor.
        let at = Timestamp::from_millis(u64::from_be_bytes(millis));
        is_whole.then_some(Self { at, key: u64::from_be_bytes(key) })
    }
}

/// One page.
#[derive(Debug)]
pub struct Page<'a> {
    /// Its rows, newest first. Those that are not whole any more have to be read from the table.
    pub rows: Vec<RowRef<'a>>,
    /// Where the next one begins, if there is more.
    pub next: Option<Place>,
}

/// Which items a page may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// First moment; none: the first that there is.
    pub from: Option<Timestamp>,
    /// First moment after it; none: all that there is.
    pub to: Option<Timestamp>,
    /// Where the page before ended.
    pub after: Option<Place>,
}

/// Returns the newest rows of a snapshot that match and are wanted, at most `limit` of them.
#[must_use]
pub fn page<'a>(snapshot: &'a Snapshot, filter: &Filter, Wanted { from, to, after }: Wanted, limit: usize) -> Page<'a> {
    let before = |at: Timestamp| Timestamp::from_millis(at.millis().saturating_sub(1));
    let (first, last) = (from.unwrap_or(Timestamp::EPOCH), to.map_or(Timestamp::MAX, before));
    let until = after.map_or(last, |place| place.at.min(last));
    // Rows of one time stand in their minute by the hash of their key, as here.
    let rows = snapshot.rows_between(before(first), until).rev();
    let rows = rows.filter(|row| first <= row.at() && !row.is_hidden() && row.matches(filter));
    let mut rows: Vec<RowRef<'a>> =
        rows.filter(|row| after.is_none_or(|after| Place::of(*row) < after)).take(limit + 1).collect();
    let is_more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().map(|row| Place::of(*row)).filter(|_| is_more);
    Page { rows, next }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::item::{Item, tests::item};
    use crate::world::snapshot_of;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn window(rows: Vec<Item>) -> Snapshot {
        snapshot_of(rows, NOW)
    }

    fn row(id: &str, back_millis: u64, tags: &[&str]) -> Item {
        item(id, NOW.millis() - back_millis, 0, 0.1, tags)
    }

    fn ids(page: &Page<'_>) -> Vec<String> {
        page.rows.iter().map(|row| row.row().unwrap().item.key.id.to_string()).collect()
    }

    #[test]
    fn pages_are_newest_first_and_the_last_one_says_so() {
        let rows = ["a", "b", "c", "d"].iter().zip([40, 30, 20, 10]).map(|(id, back)| row(id, back, &["A"]));
        let window = window(rows.collect());
        let all = Filter::all();
        let first = page(&window, &all, Wanted::default(), 3);
        assert_eq!(ids(&first), ["d", "c", "b"]);
        let second = page(&window, &all, behind(first.next), 3);
        assert_eq!((ids(&second), second.next), (vec!["a".to_owned()], None));
        // Exactly full: nothing more, and no page to be told that.
        assert_eq!(page(&window, &all, Wanted::default(), 4).next, None);
        let empty = snapshot_of(Vec::new(), NOW);
        let none = page(&empty, &all, behind(first.next), 3);
        assert!(none.rows.is_empty() && none.next.is_none());
    }

    fn behind(after: Option<Place>) -> Wanted {
        Wanted { after, ..Wanted::default() }
    }

    #[test]
    fn a_range_has_its_first_moment_and_not_its_last() {
        let rows = ["a", "b", "c", "d"].iter().zip([120_003, 120_002, 3, 1]).map(|(id, back)| row(id, back, &[]));
        let window = window(rows.collect());
        let of = |from: Option<u64>, to: Option<u64>, after: Option<Place>, limit: usize| {
            let at = |back: u64| Timestamp::from_millis(NOW.millis() - back);
            let found = page(&window, &Filter::all(), Wanted { from: from.map(at), to: to.map(at), after }, limit);
            (ids(&found).concat(), found.next)
        };
        for (from, to, expected) in [
            (None, None, "dcba"),
            (Some(120_003), None, "dcba"),
            (Some(120_002), None, "dcb"),
            (Some(120_001), None, "dc"),
            (None, Some(1), "cba"),
            (None, Some(0), "dcba"),
            (Some(120_002), Some(3), "b"),
            (Some(120_002), Some(2), "cb"),
            (Some(1), Some(1), ""),
            (Some(1), Some(3), ""),
        ] {
            assert_eq!(of(from, to, None, 9), (expected.to_owned(), None), "{from:?} {to:?}");
        }
        let (first, next) = of(Some(120_002), Some(1), None, 1);
        assert_eq!((first.as_str(), of(Some(120_002), Some(1), next, 1)), ("c", ("b".to_owned(), None)));
        let ends = Wanted { from: Some(Timestamp::EPOCH), to: Some(Timestamp::EPOCH), after: None };
        assert!(page(&window, &Filter::all(), ends, 9).rows.is_empty());
        assert_eq!(page(&window, &Filter::all(), Wanted { to: Some(Timestamp::MAX), ..ends }, 9).rows.len(), 4);
    }

    #[test]
    fn a_page_of_some_tickers_is_full_of_them() {
        let rows = (0..30).map(|n| row(&format!("r{n}"), n, if n % 3 == 0 { &["A"] } else { &["B"] })).collect();
        let window = window(rows);
        let only = Filter::parse("A").unwrap();
        let first = page(&window, &only, Wanted::default(), 4);
        assert_eq!(ids(&first), ["r0", "r3", "r6", "r9"]);
        assert_eq!(ids(&page(&window, &only, behind(first.next), 20)), ["r12", "r15", "r18", "r21", "r24", "r27"]);
    }

    #[test]
    fn a_cursor_reads_back_and_everything_else_is_none() {
        let of_one = window(vec![row("a", 5, &[])]);
        let place = Place::of(page(&of_one, &Filter::all(), Wanted::default(), 1).rows[0]);
        let text = place.to_text();
        assert_eq!(text.len(), TEXT);
        assert_eq!(Place::parse(&text), Some(place));
        let of_version_2 = format!("Ag{}", &text[2..]);
        for bad in
            ["", "x", &text[1..], &format!("{text}A"), &format!("{}=", &text[1..]), &of_version_2, &"é".repeat(10)]
        {
            assert_eq!(Place::parse(bad), None, "{bad}");
        }
        // A year of five digits: every row is behind it.
        assert_eq!(Place::parse("Af__________________").map(|place| place.at), Some(Timestamp::MAX));
    }

    proptest! {
        /// Rows come in and go away between two pages: each that was there all the time comes once, in one order.
        #[test]
        fn every_row_that_stays_comes_once(
            // Few different times, so that many rows share one.
            times in prop::collection::vec(0_u64..12, 1..60),
            limit in 1_usize..9,
            changes in prop::collection::vec((0_u64..12, any::<bool>()), 0..40),
        ) {
            let mut rows: Vec<Item> = times.iter().enumerate().map(|(n, back)| row(&format!("r{n}"), *back, &[])).collect();
            let mut changes = changes.into_iter().enumerate();
            let (mut gone, mut seen) = (BTreeSet::new(), Vec::new());
            let mut after = None;
            loop {
                let window = window(rows.clone());
                let page = page(&window, &Filter::all(), behind(after), limit);
                prop_assert!(page.rows.len() <= limit);
                seen.extend(page.rows.iter().map(|row| (Place::of(*row), row.row().unwrap().item.key.id.to_string())));
                let Some(next) = page.next else { break };
                prop_assert_eq!(Some(next), Place::parse(&next.to_text()));
                after = Some(next);
                match changes.next() {
                    Some((n, (back, true))) => rows.push(row(&format!("new{n}"), back, &[])),
                    Some((_, (back, false))) => {
                        let index = usize::try_from(back).unwrap() % rows.len();
                        if rows.len() > 1 {
                            gone.insert(rows.swap_remove(index).key.id.to_string());
                        }
                    }
                    None => {}
                }
            }
            prop_assert!(seen.windows(2).all(|two| two[0].0 > two[1].0), "{:?}", seen);
            for n in 0..times.len() {
                let id = format!("r{n}");
                let times = seen.iter().filter(|(_, seen)| *seen == id).count();
                prop_assert!(times == 1 || (times == 0 && gone.contains(&id)), "{} came {} times", id, times);
            }
        }
    }
}
