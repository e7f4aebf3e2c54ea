//! Rows of a page as items: those that the instance still has whole, and those that it reads from the table again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use contract::DataSettings;
use futures_util::StreamExt as _;
use futures_util::stream;

use crate::store::{Items, StoreError};
use stream_core::item::Row;
use stream_core::moment::TimeRange;
use stream_core::reading::PageRequest;
use stream_core::snapshot::{RowRef, Snapshot};
use stream_core::timestamp::Timestamp;

/// Reads of the table at once for one page.
const READS_MAX: usize = 8;
/// Rows of one label that are further apart than this are read apart, milliseconds.
const GAP_MILLIS: u64 = 60_000;

/// Returns the rows in their order. One that is not in the table any more is left out.
///
/// # Errors
/// [`StoreError`] where the table cannot be read.
pub(super) async fn whole(
    items: &dyn Items,
    snapshot: &Snapshot,
    rows: &[RowRef<'_>],
) -> Result<Vec<Arc<Row>>, StoreError> {
    let lacking = || rows.iter().filter(|row| row.row().is_none());
    let ranges = ranges(lacking().map(|row| (row.label(), row.at())));
    let wanted: BTreeSet<Version> = lacking().map(version).collect();
    let (wanted, data) = (&wanted, &snapshot.data);
    let reads = ranges.into_iter().map(|(label, range)| read(items, data, label, range, wanted));
    let mut found: BTreeMap<Version, Arc<Row>> = BTreeMap::new();
    for read in stream::iter(reads).buffer_unordered(READS_MAX).collect::<Vec<_>>().await {
        found.extend(read?);
    }
    Ok(rows.iter().filter_map(|row| row.row().or_else(|| found.get(&version(row))).cloned()).collect())
}

/// A row by label and time too: rows that are one item by their key alone are several in the table.
type Version = (u8, Timestamp, u64);

fn version(row: &RowRef<'_>) -> Version {
    (row.label(), row.at(), row.place())
}

/// The wanted rows of a range. Others of it, which a filter leaves out, are not kept in memory.
async fn read(
    items: &dyn Items,
    data: &DataSettings,
    label: u8,
    range: TimeRange,
    wanted: &BTreeSet<Version>,
) -> Result<Vec<(Version, Arc<Row>)>, StoreError> {
    let mut request = PageRequest { label, range, start: None };
    let mut found = Vec::new();
    loop {
        let page = items.page(&request).await?;
        let rows = page.items.into_iter().map(|item| Row::new(item, data.labels.as_slice(), data.identity));
        let rows = rows.map(|row| ((row.item.label, row.item.at, row.place), row));
        found.extend(
            rows.filter(|(version, _)| wanted.contains(version)).map(|(version, row)| (version, Arc::new(row))),
        );
        if page.next.is_none() {
            return Ok(found);
        }
        request.start = page.next;
    }
}

/// The ranges to read for rows of some labels and times: one for each label and stretch of rows near each other.
fn ranges(rows: impl Iterator<Item = (u8, Timestamp)>) -> Vec<(u8, TimeRange)> {
    let mut by_label: BTreeMap<u8, Vec<Timestamp>> = BTreeMap::new();
    for (label, at) in rows {
        by_label.entry(label).or_default().push(at);
    }
    let mut ranges: Vec<(u8, TimeRange)> = Vec::new();
    for (label, mut times) in by_label {
        times.sort_unstable();
        for at in times {
            let near = |range: &TimeRange| at.millis() <= range.until.millis() + GAP_MILLIS;
            match ranges.last_mut().filter(|(of, range)| *of == label && near(range)) {
                Some((_, range)) => range.until = at,
                None => {
                    let after = Timestamp::from_millis(at.floor_second().millis().saturating_sub(1));
                    ranges.push((label, TimeRange { after, until: at }));
                }
            }
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_near_each_other_are_read_together() {
        let at = Timestamp::from_millis;
        let rows = [(1, at(5_500)), (0, at(70_000)), (0, at(1_000)), (0, at(61_000)), (0, at(200_000))];
        let found: Vec<_> = ranges(rows.into_iter())
            .into_iter()
            .map(|(label, range)| (label, range.after.millis(), range.until.millis()))
            .collect();
        assert_eq!(found, [(0, 999, 70_000), (0, 199_999, 200_000), (1, 4_999, 5_500)]);
    }
}
