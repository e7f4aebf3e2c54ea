//! What instances leave of old hours for one another, and which hour is taken from there, read again or left there.
//!
//! An hour is on the shelf as bytes ([`crate::hour`]) and a head that names them, with the time at which the table was read.
//! It is a cache of the table with an age: nothing on it is believed for longer than an instance believes what it has read itself.
//! A head is replaced under the condition that it is the one that was seen, so that of several instances one writes. Who is
//! about to read an hour again claims it for a while; the others go on with what they have, which is not too old yet.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use contract::{DataSettings, PollSettings, limits};
use sha2::{Digest, Sha256};

use crate::cursor::Epoch;
use crate::hour::{FORMAT, HOUR_MINUTES, HourError, NAMING, Version};
use crate::minute::{MINUTE_MILLIS, first_moment};
use crate::moment::TimeRange;
use crate::rollup;
use crate::timestamp::Timestamp;

/// Times further ahead of ours than this are no times at which a table was read.
const CLOCK_SLACK: Duration = limits::CLOCK_ERROR_MAX;

/// Bytes of a row, roughly.
const ROW_BYTES: usize = 20;

/// What the bytes of hours are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Rows, for other instances, as long as the window has them.
    Rows,
    /// Rows of the newest hours as they stand, for those that start, until the next ones are left.
    Young,
    /// Sums ([`crate::rollup`]), for histories, as long as they are kept.
    Sums,
}

/// Which hours are of one kind: table, settings that make rows of it, and format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    kind: Kind,
    digest: u64,
}

impl Scope {
    /// Those of these settings.
    #[must_use]
    pub fn of(kind: Kind, data: &DataSettings) -> Self {
        let format: &[u8] = match kind {
            Kind::Rows => &[FORMAT, NAMING],
            Kind::Young => &[FORMAT, NAMING, 1],
            Kind::Sums => &[rollup::FORMAT],
        };
        let digest = Sha256::new().chain_update(Epoch::digest(data, None)).chain_update(format).finalize();
        Self { kind, digest: digest.iter().take(8).fold(0, |value, byte| value << 8 | u64::from(*byte)) }
    }

    /// What the bytes are.
    #[must_use]
    pub const fn kind(self) -> Kind {
        self.kind
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.digest)
    }
}

/// What is on the shelf of one hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// What its bytes are.
    pub kind: Kind,
    /// Number of the hour since 1970.
    pub hour: u64,
    /// Which bytes; `None` where it was only claimed so far.
    pub version: Option<Version>,
    /// How many bytes.
    pub bytes: u32,
    /// When the table was begun to be read.
    pub read_at: Timestamp,
    /// Rows of the hour up to this moment are not among them.
    pub after: Timestamp,
    /// Until when somebody is reading it again.
    pub claimed_until: Timestamp,
}

impl Head {
    /// That of an hour of which nothing is there.
    pub(crate) const fn nothing(kind: Kind, hour: u64) -> Self {
        let epoch = Timestamp::EPOCH;
        Self { kind, hour, version: None, bytes: 0, read_at: epoch, after: before_hour(hour), claimed_until: epoch }
    }

    /// Whether somebody is about to put something in its place.
    pub(crate) fn is_claimed(&self, now: Timestamp) -> bool {
        now < self.claimed_until && self.claimed_until <= now.plus(limits::HOUR_CLAIM * 2)
    }

    /// Whether it names bytes for which the table was read at a time that can be, less than so long ago.
    pub(crate) fn is_younger(&self, age: Duration, now: Timestamp) -> bool {
        self.version.is_some()
            && self.bytes > 0
            && self.read_at <= now.plus(CLOCK_SLACK)
            && since(self.read_at, now) < age
    }

    /// Rows that its bytes are of, roughly.
    pub(crate) const fn rows(&self) -> usize {
        self.bytes as usize / ROW_BYTES
    }

    /// What another head must still be for this one to be replaced.
    #[must_use]
    pub const fn seen(&self) -> Seen {
        Seen { version: self.version, read_at: self.read_at, claimed_until: self.claimed_until }
    }

    /// Says whether these are the bytes that it names.
    ///
    /// # Errors
    /// [`HourError::Altered`]
    pub fn check(&self, bytes: &[u8]) -> Result<(), HourError> {
        let version = || if self.kind == Kind::Sums { Version::of_kept(bytes) } else { Version::of(bytes) };
        let is_it = bytes.len() == self.bytes as usize && Some(version()) == self.version;
        if is_it { Ok(()) } else { Err(HourError::Altered { found: bytes.len(), expected: self.bytes }) }
    }

    /// Items that its bytes are in.
    #[must_use]
    pub const fn chunks(&self) -> usize {
        (self.bytes as usize).div_ceil(limits::HOUR_CHUNK_BYTES_MAX)
    }

    /// When the hour begins.
    #[must_use]
    pub const fn start(&self) -> Timestamp {
        first_moment(self.hour * HOUR_MINUTES)
    }
}

/// Which head stood there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Which bytes it named.
    pub version: Option<Version>,
    /// When the table was read.
    pub read_at: Timestamp,
    /// Until when it was claimed.
    pub claimed_until: Timestamp,
}

/// Something to put on the shelf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The new head.
    pub head: Head,
    /// The head that it takes the place of, nothing else; `None` where there must be none.
    pub seen: Option<Seen>,
    /// Its bytes, to be written before the head; empty where they are there already.
    pub bytes: Vec<u8>,
    /// When the store may forget all of it, seconds since 1970.
    pub expires_at: u64,
}

impl Write {
    /// Puts a head in the place of what is there, and its bytes before; all of it is wanted for so long after the end of its hour.
    pub(crate) fn new(head: Head, bytes: Vec<u8>, there: Option<&Head>, life: Duration) -> Self {
        let end = before_hour(head.hour + 1).plus(life);
        Self { head, seen: there.map(Head::seen), bytes, expires_at: end.millis() / 1000 }
    }

    /// Puts bytes there, with a head like `head` that names them; only the head where they are there already. `None` where they are
    /// too many.
    pub(crate) fn of_bytes(mut head: Head, bytes: Vec<u8>, there: Option<&Head>, life: Duration) -> Option<Self> {
        (head.version, head.bytes) = (Some(Version::of(&bytes)), u32::try_from(bytes.len()).ok()?);
        let is_there = there.is_some_and(|there| there.version == head.version && there.bytes > 0);
        let bytes = if is_there { Vec::new() } else { bytes };
        (head.bytes as usize <= limits::HOUR_BYTES_MAX).then(|| Self::new(head, bytes, there, life))
    }
}

/// Something that is to be asked of the shelf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// The heads of these hours, first and last.
    Look {
        /// Of which kind.
        kind: Kind,
        /// The oldest.
        from: u64,
        /// The newest.
        to: u64,
    },
    /// The bytes that a head names.
    Fetch(Head),
    /// A head that says that the hour is about to be read again.
    Claim(Write),
    /// A head, and its bytes, unless they are there.
    Leave(Write),
}

/// What this instance has of an hour.
#[derive(Clone, Copy, Debug)]
struct Held {
    /// When the table was begun to be read, be it by another instance.
    read_at: Timestamp,
    /// Rows up to this moment may be missing.
    after: Timestamp,
    /// The bytes that it was taken from, or that were made of it.
    version: Option<Version>,
    /// Whether what is on the shelf is as good.
    is_offered: bool,
}

/// What becomes of an hour next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing.
    Rest,
    /// It is taken from the shelf.
    Adopt(Head),
    /// It is put there.
    Offer,
    /// It is claimed, and read again if that succeeds.
    Claim,
    /// It is read again.
    Read,
}

/// What an instance knows of the shelf.
#[derive(Debug)]
pub struct Shelf {
    writes: bool,
    reconcile_interval: Duration,
    poll_interval: Duration,
    /// Below one; spreads what all instances would do at once.
    share: f64,
    held: BTreeMap<u64, Held>,
    heads: BTreeMap<u64, Head>,
    /// Hours and versions of bytes that were not there or were others.
    bad: BTreeSet<(u64, Version)>,
    looked_at: Option<Timestamp>,
}

/// First moment before an hour.
pub(crate) const fn before_hour(hour: u64) -> Timestamp {
    first_moment(hour * HOUR_MINUTES).before()
}

/// Time since the table was read; none where a clock says that it is still to come.
pub(crate) fn since(read_at: Timestamp, now: Timestamp) -> Duration {
    Duration::from_millis(now.millis().saturating_sub(read_at.millis()))
}

/// Number of the hour of a time.
pub(crate) const fn hour_of(at: Timestamp) -> u64 {
    at.millis() / (MINUTE_MILLIS * HOUR_MINUTES)
}

impl Shelf {
    /// Knows nothing. `writes` says whether it leaves anything there, `share`, from 0 to 1, when within a time that all
    /// instances would otherwise choose at once.
    #[must_use]
    pub fn new(poll: &PollSettings, writes: bool, share: f64) -> Self {
        Self {
            writes,
            reconcile_interval: poll.reconcile_interval.get(),
            poll_interval: poll.poll_interval.get(),
            share,
            held: BTreeMap::new(),
            heads: BTreeMap::new(),
            bad: BTreeSet::new(),
            looked_at: None,
        }
    }

    /// Forgets what this instance has, because it has it no longer.
    pub(crate) fn forget(&mut self) {
        self.held.clear();
        self.heads.clear();
        self.looked_at = None;
    }

    /// Notes that a range was read from the table: hours that it covers to their end.
    pub(crate) fn note_read(&mut self, range: TimeRange, read_at: Timestamp) {
        let first = hour_of(range.after.plus(Duration::from_millis(1)));
        for hour in first..hour_of(range.until.plus(Duration::from_millis(1))) {
            let after = range.after.max(before_hour(hour));
            self.held.insert(hour, Held { read_at, after, version: None, is_offered: false });
        }
    }

    /// Notes that an hour was taken from the shelf.
    pub(crate) fn note_adopted(&mut self, head: &Head) {
        let Head { hour, version, read_at, after, .. } = *head;
        self.held.insert(hour, Held { read_at, after, version, is_offered: true });
    }

    /// Notes the heads of some hours.
    pub(crate) fn note_heads(&mut self, heads: Vec<Head>, now: Timestamp) {
        self.heads = heads.into_iter().map(|head| (head.hour, head)).collect();
        for (hour, version) in &self.bad {
            // It is still what a new one takes the place of.
            let named = self.heads.get_mut(hour).filter(|head| head.version == Some(*version));
            named.into_iter().for_each(|head| head.bytes = 0);
        }
        self.looked_at = Some(now);
    }

    /// Notes that a head names bytes that are not there, or are not what they should be.
    pub(crate) fn note_bad(&mut self, head: &Head) {
        self.bad.extend(head.version.map(|version| (head.hour, version)));
        self.heads.entry(head.hour).and_modify(|known| known.bytes = 0);
    }

    /// Notes that the bytes that a head names could not be read now.
    pub(crate) fn note_unread(&mut self, head: &Head) {
        self.heads.remove(&head.hour);
    }

    /// Notes what became of a claim or of what was left: another instance may have been quicker.
    pub(crate) fn note_written(&mut self, write: &Write, is_done: bool) {
        if is_done {
            self.heads.insert(write.head.hour, write.head.clone());
            if !write.bytes.is_empty() {
                self.bad.retain(|(hour, _)| *hour != write.head.hour);
            }
        } else {
            self.looked_at = None;
        }
    }

    /// Notes that the rows of an hour are on the shelf as this instance has them.
    pub(crate) fn note_left(&mut self, write: &Write) {
        if let Some(held) = self.held.get_mut(&write.head.hour) {
            (held.version, held.is_offered) = (write.head.version, true);
        }
    }

    /// Age from which on an hour is read again, before it is too old to be believed, so that nobody waits for that.
    fn ripe_age(&self) -> Duration {
        let eighth = self.reconcile_interval / 8;
        self.reconcile_interval - eighth + eighth.mul_f64(self.share / 2.0)
    }

    /// Whether what a head names can be believed, and has all rows of the hour that are in the window.
    fn is_usable(&self, head: &Head, window_after: Timestamp, now: Timestamp) -> bool {
        head.is_younger(self.reconcile_interval, now) && head.after <= window_after.max(before_hour(head.hour))
    }

    /// What a load does with an hour: it is adopted or read.
    pub(crate) fn first(&self, hour: u64, window_after: Timestamp, now: Timestamp) -> Next {
        match self.heads.get(&hour).filter(|head| self.is_usable(head, window_after, now)) {
            Some(head) => Next::Adopt(head.clone()),
            None => Next::Read,
        }
    }

    /// What becomes of an hour, as far as this instance knows.
    pub(crate) fn next(&mut self, hour: u64, window_after: Timestamp, now: Timestamp) -> Next {
        let head = self.heads.get(&hour);
        let usable = head.filter(|head| self.is_usable(head, window_after, now));
        let held = self.held.get(&hour);
        let age = held.map_or(Duration::MAX, |held| since(held.read_at, now));
        let is_overdue = age >= self.reconcile_interval;
        if let Some(held) = held.filter(|_| age < self.ripe_age()) {
            // What is there may be a little older than what this instance has: not every instance improves it.
            let good = held.read_at.minus(self.reconcile_interval / 4);
            let is_good = !self.writes || usable.is_some_and(|head| good <= head.read_at);
            if held.is_offered || !is_good {
                return if held.is_offered { Next::Rest } else { Next::Offer };
            }
            self.held.entry(hour).and_modify(|held| held.is_offered = true);
            return Next::Rest;
        }
        if let Some(head) = usable.filter(|head| is_overdue || since(head.read_at, now) < self.ripe_age()) {
            return Next::Adopt(head.clone());
        }
        if is_overdue && held.is_some() || !self.writes {
            return if is_overdue { Next::Read } else { Next::Rest };
        }
        if head.is_some_and(|head| head.is_claimed(now)) { Next::Rest } else { Next::Claim }
    }

    /// Hours, those first that were read the longest time ago: where an interval is so short that the first are due again before the
    /// last were read, each has its turn all the same.
    pub(crate) fn by_age(&self, hours: std::ops::RangeInclusive<u64>) -> Vec<u64> {
        let mut hours: Vec<u64> = hours.collect();
        hours.sort_by_key(|hour| self.held.get(hour).map(|held| held.read_at));
        hours
    }

    /// Whether anything may have to be done about some hours, so that a look pays.
    pub(crate) fn stirs(&self, hours: std::ops::RangeInclusive<u64>, now: Timestamp) -> bool {
        let is_at_rest = |held: &Held| held.is_offered && since(held.read_at, now) < self.ripe_age();
        hours.into_iter().any(|hour| !self.held.get(&hour).is_some_and(is_at_rest))
    }

    /// Whether what was seen is too old to decide by.
    pub(crate) fn is_look_due(&self, now: Timestamp) -> bool {
        let pause = (self.reconcile_interval / 32).max(self.poll_interval);
        self.looked_at.is_none_or(|looked| now < looked || since(looked, now) >= pause)
    }

    /// Bytes that an hour was last seen as by this instance.
    pub(crate) fn version_of(&self, hour: u64) -> Option<Version> {
        self.held.get(&hour)?.version
    }

    /// Puts an hour on the shelf: its bytes, or only a head where they are there already. `None` where it is too large.
    pub(crate) fn offer(&self, hour: u64, bytes: Vec<u8>, window_after: Timestamp) -> Option<Write> {
        let Held { read_at, after, .. } = *self.held.get(&hour)?;
        let after = after.max(window_after.min(before_hour(hour + 1)));
        let head = Head { read_at, after, ..Head::nothing(Kind::Rows, hour) };
        Write::of_bytes(head, bytes, self.heads.get(&hour), limits::HOUR_LIFE)
    }

    /// Says that this instance is about to read an hour again.
    pub(crate) fn claim(&self, hour: u64, now: Timestamp) -> Write {
        let there = self.heads.get(&hour);
        let claimed_until = now.plus(limits::HOUR_CLAIM.min(self.reconcile_interval / 8));
        let head = Head { claimed_until, ..there.cloned().unwrap_or_else(|| Head::nothing(Kind::Rows, hour)) };
        Write::new(head, Vec::new(), there, limits::HOUR_LIFE)
    }

    /// Drops what is known of hours that have left the window.
    pub(crate) fn age_out(&mut self, first: u64) {
        self.held = self.held.split_off(&first);
        self.heads = self.heads.split_off(&first);
        self.bad.retain(|(hour, _)| first <= *hour);
    }
}
