//! Hours that instances share: what a journal takes from the shelf in the place of pages, and what it leaves there.
//!
//! Only hours are shared of which nobody needs whole rows any more. What is newer is read from the table by everybody.

use contract::limits;

use super::Journal;
use super::load::{Load, MILLISECOND, Sharing};
use crate::hour::{self, HourError, Version};
use crate::moment::{Now, TimeRange};
use crate::position::interval_after;
use crate::reading::Reading;
use crate::shelf::{Errand, Head, Kind, Next, Scope, Shelf, Write, before_hour, hour_of};
use crate::sweep::second_before;
use crate::timestamp::Timestamp;
use crate::window::window_until;
use crate::young::Young;

/// Errands of an hour that are run at once, while the window is whole.
const ERRANDS_MAX: usize = 4;
/// Rows that are read from the table at least: the newest ones are shown first, and what comes from others has not their texts.
const NEWEST_ROWS_MIN: usize = 200;
/// Hours that are left at once: a poll is not held up by them for long.
const LEAVES_MAX: usize = 2;

impl Journal {
    /// Shares hours with other instances; `writes` and `share` as [`Shelf::new`] takes them.
    #[must_use]
    pub fn sharing(self, writes: bool, share: f64) -> Self {
        let (shelf, young) = (Shelf::new(&self.poll, writes, share), Young::new(writes, share));
        Self { sharing: Some(Sharing { shelf, young, load: Load::Looking, now: None, thin: None }), ..self }
    }

    /// Which hours are of its kind.
    #[must_use]
    pub fn scope(&self, kind: Kind) -> Scope {
        Scope::of(kind, &self.data)
    }

    /// Where a load begins to read: with the whole window, or what nobody shares.
    pub(super) fn load_after(&mut self, now: Now) -> Timestamp {
        let whole = second_before(self.window.after(now.wall));
        let (late_window, replay_window) = (self.poll.late_window.get(), self.poll.replay_window.get());
        let Some(sharing) = &mut self.sharing else { return whole };
        sharing.shelf.forget();
        (sharing.load, sharing.now, sharing.thin) = (Load::Looking, Some(now), None);
        let needed = interval_after(interval_after(now.wall.minus(replay_window), late_window), late_window);
        before_hour(hour_of(needed)).max(whole)
    }

    /// Where a reconciliation ends: where shared hours begin.
    pub(super) fn rest_after(&mut self, planned: Now) -> Timestamp {
        let whole = second_before(self.window.after(planned.wall));
        let (has_stepped_back, shared) = (self.has_stepped_back(planned), before_hour(self.border()));
        match &mut self.sharing {
            None => whole,
            // Ages mean nothing any more.
            Some(sharing) if has_stepped_back => {
                sharing.shelf.forget();
                whole
            }
            Some(_) => shared.max(whole),
        }
    }

    /// The hour before which hours are shared.
    pub(super) fn border(&self) -> u64 {
        hour_of(self.whole_after().plus(MILLISECOND))
    }

    /// Notes which hours a reading has read. What is newer than thin hours counts when these have been read too.
    pub(super) fn note_read(&mut self, reading: &Reading) {
        let (is_rest, is_loaded) = (self.is_rest, self.is_loaded);
        let Some(sharing) = &mut self.sharing else { return };
        let rest = sharing.thin.take_if(|_| is_loaded && is_rest);
        for range in &reading.ranges {
            if sharing.thin.is_some_and(|thin| thin.after == range.after) {
                continue;
            }
            let until = rest.map_or(range.until, |thin| range.until.max(thin.read.wall));
            sharing.shelf.note_read(TimeRange { until, ..*range }, reading.planned.wall);
        }
    }

    /// Goes on with a load of which a part is done. Does nothing where nothing is shared.
    pub fn advance(&mut self) {
        let Some(older) = self.older.take_if(|older| older.is_done() && !self.is_loaded) else { return };
        self.note_whole(&older);
        self.note_read(&older);
        self.settle_thin();
        let (planned, read) = (older.planned, older.ranges[0]);
        let end = second_before(self.window.after(planned.wall));
        let is_enough = self.is_enough(read.after) || self.thin().is_some();
        let next = self.sharing.as_mut().and_then(|sharing| sharing.next_stretch(read.after, end, planned, is_enough));
        self.older = Some(match next {
            Some(range) => {
                self.window.discard(older.collected);
                Reading::new(planned, vec![range], self.data.labels.as_slice().len())
            }
            None => older,
        });
    }

    /// Whether everything is there that is kept whole, if all after this moment is.
    fn is_enough(&self, after: Timestamp) -> bool {
        self.window.rows() >= NEWEST_ROWS_MIN && after <= self.whole_after()
    }

    /// What is to be asked of the shelf next, all of it at once. Empty where there is nothing now.
    pub fn errands(&mut self) -> Vec<Errand> {
        if self.is_thin() {
            return Vec::new();
        }
        let Some((now, sharing)) = self.sharing.as_mut().and_then(|sharing| Some((sharing.now?, sharing))) else {
            return Vec::new();
        };
        let first = hour_of(second_before(self.window.after(now.wall)).plus(MILLISECOND));
        match &sharing.load {
            _ if self.is_loaded => {
                let errands = self.share(now, first);
                if errands.is_empty() && self.older.is_none() { self.share_young(now) } else { errands }
            }
            // Of the newest hours too, which others may have left already when this instance has read them.
            Load::Looking if self.older.is_some() => {
                vec![Errand::Look { kind: Kind::Rows, from: first, to: hour_of(now.wall) }]
            }
            Load::LookingYoung => {
                let newest = self.older.iter().flat_map(|older| &older.ranges);
                let from = newest.map(|range| hour_of(range.after.plus(MILLISECOND))).min().unwrap_or(first);
                vec![Errand::Look { kind: Kind::Young, from, to: hour_of(now.wall) }]
            }
            Load::Looking | Load::Newest | Load::Whole => Vec::new(),
            Load::Taking { there, .. } => {
                let mut bytes = 0;
                let is_more = |head: &&Head| {
                    let is_first = bytes == 0;
                    bytes += head.bytes as usize;
                    is_first || bytes <= limits::HOURS_READ_BYTES_MAX
                };
                there.iter().take_while(is_more).cloned().map(Errand::Fetch).collect()
            }
        }
    }

    /// What a window that is whole takes from the shelf and leaves there; begins to read an hour where it is too old.
    fn share(&mut self, now: Now, first: u64) -> Vec<Errand> {
        let hours = first..=self.border().saturating_sub(1);
        let window_after = second_before(self.window.after(now.wall));
        // What nobody shares is read by each instance itself: an hour that is begun now would put that off.
        let is_newest_due = self.is_reconciliation_due(now);
        let Some(sharing) = self.sharing.as_mut().filter(|_| self.older.is_none() && !hours.is_empty()) else {
            return Vec::new();
        };
        let shelf = &mut sharing.shelf;
        shelf.age_out(first);
        if !shelf.stirs(hours.clone(), now.wall) {
            return Vec::new();
        }
        if shelf.is_look_due(now.wall) {
            return vec![Errand::Look { kind: Kind::Rows, from: first, to: *hours.end() }];
        }
        let (mut errands, mut taken, mut leaves, mut read) = (Vec::new(), Vec::new(), 0, None);
        for hour in shelf.by_age(hours) {
            match shelf.next(hour, window_after, now.wall) {
                Next::Rest => {}
                Next::Claim | Next::Read if is_newest_due => {}
                Next::Adopt(head) => {
                    let known = shelf.version_of(hour).or_else(|| Some(Version::of(&self.window.hour_bytes(hour))));
                    if known == head.version {
                        shelf.note_adopted(&head);
                        taken.push(head);
                    } else {
                        errands.push(Errand::Fetch(head));
                    }
                }
                Next::Offer if leaves < LEAVES_MAX => {
                    let write = shelf.offer(hour, self.window.hour_bytes(hour), window_after);
                    errands.extend(write.map(Errand::Leave));
                    leaves += 1;
                }
                // One at a time, so that other instances share in the work.
                Next::Claim if !errands.iter().any(|errand| matches!(errand, Errand::Claim(_))) => {
                    errands.push(Errand::Claim(shelf.claim(hour, now.wall)));
                }
                Next::Offer | Next::Claim => {}
                Next::Read => read = read.or(Some(hour)),
            }
            if errands.len() == ERRANDS_MAX {
                break;
            }
        }
        taken.iter().for_each(|head| self.note_taken(head));
        if let Some(hour) = read {
            // What is too old comes first, whatever becomes of the shelf.
            errands.retain(|errand| !matches!(errand, Errand::Claim(_)));
            self.read_hour(hour);
        }
        errands
    }

    fn read_hour(&mut self, hour: u64) {
        let Some(now) = self.sharing.as_ref().and_then(|sharing| sharing.now) else { return };
        let after = before_hour(hour).max(second_before(self.window.after(now.wall)));
        let range = TimeRange { after, until: before_hour(hour + 1) };
        self.is_rest = false;
        self.older = Some(Reading::new(now, vec![range], self.data.labels.as_slice().len()));
    }

    /// Takes the heads that a look found; none where it failed.
    pub fn looked(&mut self, kind: Kind, heads: Vec<Head>) {
        if kind == Kind::Young {
            return self.looked_for_young(heads);
        }
        let Some((now, sharing)) = self.sharing.as_mut().and_then(|sharing| Some((sharing.now?, sharing))) else {
            return;
        };
        sharing.shelf.note_heads(heads, now.wall);
        if !matches!(sharing.load, Load::Looking) {
            return;
        }
        let end = second_before(self.window.after(now.wall));
        let newest = self.older.as_ref().and_then(|older| older.ranges.first()).map_or(end, |range| range.after);
        if let Some(rows) = sharing.newest_rows(end, newest, now) {
            sharing.load = if sharing.young.is_worth(rows) { Load::LookingYoung } else { Load::Newest };
            return;
        }
        // In stretches the whole day would be read twice: as long as no form of a time was met, bounds are a day wider than
        // their range, however short that is (`TimeForms::all`).
        sharing.load = Load::Whole;
        let range = TimeRange { after: end, until: window_until(now.wall) };
        let whole = Reading::new(now, vec![range], self.data.labels.as_slice().len());
        if let Some(newest) = self.older.replace(whole) {
            self.window.discard(newest.collected);
        }
    }

    /// Takes the bytes that a head names; `None` where they could not be had. What cannot be used is read from the table.
    ///
    /// # Errors
    /// [`HourError`] where they are not what they should be.
    pub fn fetched(&mut self, head: &Head, bytes: Option<&[u8]>) -> Result<(), HourError> {
        let labels = self.data.labels.as_slice().len();
        let decoded = bytes.map(|bytes| head.check(bytes).and_then(|()| hour::decode(bytes, labels)));
        let whole_after = self.whole_after();
        let Some((now, sharing)) = self.sharing.as_mut().and_then(|sharing| Some((sharing.now?, sharing))) else {
            return Ok(());
        };
        let is_good = matches!(decoded, Some(Ok(_)));
        if let Load::Taking { there, unread } = &mut sharing.load {
            there.retain(|other| other.hour != head.hour);
            if !is_good {
                unread.push(head.hour);
                unread.sort_unstable_by(|one, other| other.cmp(one));
            }
        }
        if head.kind == Kind::Young {
            let until = sharing.thin.map_or(Timestamp::EPOCH, |thin| thin.after);
            let range = TimeRange { after: head.after, until };
            if let Some(rows) = decoded.transpose()? {
                self.is_dirty |= self.window.adopt(head.hour, &rows, range, now.wall, whole_after);
            }
            return Ok(());
        }
        match decoded {
            None => {
                sharing.shelf.note_unread(head);
                Ok(())
            }
            Some(Ok(rows)) => {
                sharing.shelf.note_adopted(head);
                let range = TimeRange { after: head.after, until: Timestamp::MAX };
                self.is_dirty |= self.window.adopt(head.hour, &rows, range, now.wall, whole_after);
                if self.is_loaded {
                    // What stands behind rows that were deleted was read by whoever left the hour.
                    self.window.reveal_all();
                    self.is_dirty = true;
                }
                self.note_taken(head);
                Ok(())
            }
            Some(Err(error)) => {
                sharing.shelf.note_bad(head);
                Err(error)
            }
        }
    }

    /// Notes what became of a claim. An hour that is claimed is read again.
    pub fn claimed(&mut self, write: &Write, is_done: bool) {
        let Some(sharing) = &mut self.sharing else { return };
        if write.head.kind == Kind::Young {
            return sharing.young.note_written(write, is_done);
        }
        sharing.shelf.note_written(write, is_done);
        if is_done && self.older.is_none() {
            self.read_hour(write.head.hour);
        }
    }

    /// Notes what became of an hour that was left on the shelf.
    pub fn left(&mut self, write: &Write, is_done: bool) {
        let Some(sharing) = &mut self.sharing else { return };
        if write.head.kind == Kind::Young {
            return sharing.young.note_written(write, is_done);
        }
        sharing.shelf.note_written(write, is_done);
        if is_done {
            sharing.shelf.note_left(write);
        }
    }
}
