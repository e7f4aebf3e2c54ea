//! The numbers of what a filter lets through, kept up to date from snapshot to snapshot.

use std::sync::Arc;

use contract::{Tag, limits};

use crate::filter::Filter;
use crate::interner::{Judged, SetNames};
use crate::minute::Minute;
use crate::minutes::Minutes;
use crate::numbers::Numbers;
use crate::snapshot::Snapshot;
use crate::timestamp::Timestamp;

/// A filter's tags have a bit each.
const _: () = assert!(limits::FILTER_TAGS_MAX <= u64::BITS as usize);

/// The numbers of a filter, kept up to date by counting only the minutes that changed.
#[derive(Debug)]
pub struct FilterNumbers {
    tags: Vec<Arc<Tag>>,
    minutes: Minutes,
    names: Option<SetNames>,
    /// Which of the filter's tags each set has.
    judged: Judged,
    hour_after: Timestamp,
    total: u32,
    last_hour: u32,
    by_label: Vec<u32>,
    by_tag: Vec<u32>,
    serial: Option<u64>,
}

impl FilterNumbers {
    /// Begins with nothing counted. The filter must have a condition: what everything counts, a snapshot says.
    #[must_use]
    pub fn new(filter: &Filter) -> Self {
        let tags: Vec<Arc<Tag>> = filter.tags().cloned().map(Arc::new).collect();
        Self {
            by_tag: vec![0; tags.len()],
            tags,
            minutes: Minutes::default(),
            names: None,
            judged: Judged::default(),
            hour_after: Timestamp::EPOCH,
            total: 0,
            last_hour: 0,
            by_label: Vec::new(),
            serial: None,
        }
    }

    /// Counts what is in `snapshot` and was not in the one before, and the other way round. Snapshots may come in any order.
    pub fn follow(&mut self, snapshot: &Snapshot) -> Numbers {
        if self.serial != Some(snapshot.serial) {
            self.advance(snapshot);
            self.serial = Some(snapshot.serial);
        }
        Numbers {
            total: self.total,
            by_label: self.by_label.clone(),
            by_tag: self.tags.iter().cloned().zip(self.by_tag.iter().copied()).filter(|(_, rows)| *rows > 0).collect(),
            tags_left_out: 0,
            last_hour: self.last_hour,
        }
    }

    fn advance(&mut self, snapshot: &Snapshot) {
        self.by_label.resize(snapshot.data.labels.as_slice().len(), 0);
        let before = std::mem::replace(&mut self.minutes, snapshot.minutes.clone());
        let (gone, new) = before.differences(&snapshot.minutes);
        // What is gone is counted with the names that it was counted with: a number of a set may mean another one by now.
        for minute in gone {
            self.count(minute, 0, minute.len(), false);
        }
        snapshot.names.judge(self.names.as_ref(), &mut self.judged, &self.tags);
        self.names = Some(snapshot.names.clone());
        for minute in new {
            self.count(minute, 0, minute.len(), true);
        }
        self.move_hour(Numbers::hour_after(snapshot.read_at));
    }

    fn count(&mut self, minute: &Minute, from: usize, until: usize, is_added: bool) {
        let add = |sum: &mut u32| *sum = if is_added { *sum + 1 } else { *sum - 1 };
        let in_hour = minute.until(self.hour_after);
        let rows = minute.sets().iter().zip(minute.labels()).enumerate().take(until).skip(from);
        for (index, (set, label)) in rows {
            let mut mask = self.judged.of_set(*set);
            if mask == 0 || minute.is_hidden(index) {
                continue;
            }
            add(&mut self.total);
            if let Some(sum) = self.by_label.get_mut(usize::from(*label)) {
                add(sum);
            }
            if index >= in_hour {
                add(&mut self.last_hour);
            }
            while mask != 0 {
                add(&mut self.by_tag[mask.trailing_zeros() as usize]);
                mask &= mask - 1;
            }
        }
    }

    /// Lets rows leave the last hour, or come back into it where the clock was set back.
    fn move_hour(&mut self, hour_after: Timestamp) {
        let (low, high) = (self.hour_after.min(hour_after), self.hour_after.max(hour_after));
        let mut between = 0;
        for minute in self.minutes.between(low, high) {
            let rows = minute.until(low)..minute.until(high);
            let matches = |index: &usize| self.judged.of_set(minute.sets()[*index]) != 0 && !minute.is_hidden(*index);
            between += rows.filter(matches).count();
        }
        let between = u32::try_from(between).expect("the window holds fewer than 2^32 rows");
        self.last_hour = if hour_after > self.hour_after { self.last_hour - between } else { self.last_hour + between };
        self.hour_after = hour_after;
    }
}
