//! One client's stream from accept to close, as a state machine: the shell around it only waits and writes.
//!
//! It is pulled: nothing is made before the transport asks for it, so a client that reads slowly costs a constant amount of
//! memory, gets only the newest metrics, and is sent away only when an update that it wants is not kept any more.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use contract::metrics::UPDATE;
use contract::{DataSettings, Identity, events, logs};

use crate::cursor::{Cursor, Epoch, MetricsMark, ResetReason};
use crate::encode;
use crate::event::{self, EndReason, MetricsFrame};
use crate::filter::Filter;
use crate::item::RowKey;
use crate::moment::Now;
use crate::offset::{LEAD_MAX, Offset};
use crate::position::Position;
use crate::report::Report;
use crate::resume::{ReplayLimits, Resume};
use crate::snapshot::Snapshot;
use crate::write::{self, Had, Place, Start, WRITE_BYTES, Write, exact};

/// What a session is told when it begins; randomness and clocks are drawn outside.
#[derive(Debug)]
pub struct SessionParams {
    /// Random name of the stream.
    pub stream_id: String,
    /// Epoch of the ids.
    pub epoch: Epoch,
    /// Which items the client wants.
    pub filter: Filter,
    /// The cursor the client presented, or why it cannot be honoured.
    pub presented: Option<Result<Cursor, ResetReason>>,
    /// Time between heartbeats.
    pub heartbeat_every: Duration,
    /// Reconnect delay to announce at the start, jitter included.
    pub retry: Duration,
    /// Reconnect delay to announce before a planned end, jitter included.
    pub reconnect: Duration,
    /// The same where the process was told to stop: all its clients come back together then, and are spread over some time.
    pub reconnect_at_shutdown: Duration,
    /// When the session ends, and why.
    pub ends_at: (Instant, EndReason),
    /// How far back the client may resume.
    pub replay: ReplayLimits,
    /// Where a cache hands the stream to many: the mark that the id gets where the stream ends early. Who comes back with it asks for another
    /// answer than the one that just ended, which the cache keeps until its time, and gets the numbers once more.
    pub early_mark: Option<MetricsMark>,
}

/// What a session keeps of what it was told.
#[derive(Debug)]
struct Terms {
    stream_id: Box<str>,
    epoch: Epoch,
    filter: Filter,
    heartbeat_every: Duration,
    retry: Duration,
    reconnect: Duration,
    reconnect_at_shutdown: Duration,
    ends_at: (Instant, EndReason),
    replay: ReplayLimits,
    early_mark: Option<MetricsMark>,
}

/// What sessions with equal filters share.
pub trait Shared {
    /// Returns the `metrics` event of what `filter`, which has a condition, lets through of `snapshot`.
    fn metrics(&self, filter: &Filter, snapshot: &Snapshot) -> Arc<MetricsFrame>;

    /// Returns what `make` makes for `place` with that filter and snapshot: the same for everybody who asks for it, so it need not be made
    /// again while it is at hand.
    fn write(
        &self,
        _filter: &Filter,
        _snapshot: &Snapshot,
        _place: Place,
        make: &mut dyn FnMut() -> Write,
    ) -> Arc<Write> {
        Arc::new(make())
    }
}

/// What the session sees of the instance at a step.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// Newest snapshot that is not stale.
    pub snapshot: Option<&'a Arc<Snapshot>>,
    /// Whether a read that began after the client came found nothing newer than it. Until then another instance may have
    /// shown the client more than this one knows.
    pub is_confirmed: bool,
    /// What sessions of the instance share.
    pub shared: &'a dyn Shared,
    /// Streams open on this instance.
    pub connections: u32,
    /// When the instance started.
    pub started: Instant,
    /// Whether the process was told to stop.
    pub shutdown: bool,
    /// Whether the page has said goodbye.
    pub goodbye: bool,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write these bytes and step again, after [`Session::take_rest`] where that says so.
    Send(Bytes),
    /// Nothing to do before this moment, unless the view changes.
    Wait(Instant),
    /// End the stream.
    Close,
}

#[derive(Debug)]
enum At {
    /// Nothing known yet.
    Fresh,
    /// Returned, and not yet compared with a snapshot.
    Returning(Position),
    /// Getting what it missed.
    Replaying { joins: Box<Joins>, resume: Box<Resume> },
    /// Up to date, and further than this instance has read: another one was quicker.
    Ahead(Position),
    /// Up to date.
    Live { next_seq: u64, offset: Offset, position: Position },
}

/// Where a client joins those that are live, once it has got what it missed. Not the snapshot itself: a reader that stops
/// reading would keep a whole window alive.
#[derive(Debug)]
struct Joins {
    data: Arc<DataSettings>,
    position: Position,
    ghosts: BTreeSet<RowKey>,
    next_seq: u64,
}

impl Joins {
    fn after(snapshot: &Snapshot) -> Self {
        Self {
            data: Arc::clone(&snapshot.data),
            position: snapshot.position,
            ghosts: snapshot.ghosts.clone(),
            next_seq: snapshot.updates.next(),
        }
    }

    fn live(&self, offset: Offset) -> At {
        At::Live { next_seq: self.next_seq, position: offset.apply(self.position), offset }
    }

    /// Joins a client that has had everything that the snapshot held.
    fn caught_up(&self, Resume { mut tracker, doubtful, .. }: Resume) -> At {
        tracker.repeated();
        if tracker.position().watermark > self.position.watermark {
            // It is met again here, where all of it is known.
            return At::Ahead(tracker.position().exact());
        }
        tracker.advance(self.position.watermark);
        self.live(Offset::of(&tracker, &self.ghosts, doubtful))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Opening,
    Open,
    Closed,
}

/// One client's stream.
#[derive(Debug)]
pub struct Session {
    terms: Terms,
    phase: Phase,
    at: At,
    heartbeat_at: Instant,
    /// Metrics the client has.
    had: Had,
    /// Why a `reset` is still to be sent.
    reset: Option<ResetReason>,
    /// Updates before this number were handed out before the client came: what it gets of them it was away for.
    live_from: u64,
    /// Until when rows that another instance has shown the client may still come here; `None` where it has had none.
    lead_until: Option<Instant>,
    /// When every row was read since the client came; `None` where it has not been compared yet.
    settled_at: Option<Instant>,
    /// Number of the snapshot that was last looked at, and whether it was confirmed.
    looked_at: Option<(u64, bool)>,
    /// Whether the last step said all that there was.
    is_resting: bool,
    events_sent: u64,
    updates_sent: u64,
    report: Report,
    ended: Option<&'static str>,
}

impl Session {
    /// Begins a session.
    #[must_use]
    pub fn new(params: SessionParams, now: Instant) -> Self {
        let SessionParams { stream_id, epoch, filter, presented, heartbeat_every, retry, .. } = params;
        let SessionParams { reconnect, reconnect_at_shutdown, ends_at, replay, early_mark, .. } = params;
        let (at, mark, reset) = match presented {
            // An id from before anything was read says no more than no id.
            None | Some(Ok(Cursor::ORIGIN)) => (At::Fresh, [0; 3], None),
            Some(Ok(cursor)) => (At::Returning(cursor.position), cursor.metrics, None),
            Some(Err(reason)) => (At::Fresh, [0; 3], Some(reason)),
        };
        let terms = Terms {
            stream_id: stream_id.into(),
            epoch,
            filter,
            heartbeat_every,
            retry,
            reconnect,
            reconnect_at_shutdown,
            ends_at,
            replay,
            early_mark,
        };
        Self {
            terms,
            phase: Phase::Opening,
            at,
            heartbeat_at: now,
            had: Had { mark, hash: None },
            reset,
            live_from: 0,
            lead_until: None,
            settled_at: None,
            looked_at: None,
            is_resting: false,
            events_sent: 0,
            updates_sent: 0,
            report: Report::default(),
            ended: None,
        }
    }

    /// Follows another filter from here on. The position counts what it lets through and what it does not, so nothing is
    /// lost or doubled for a ticker that both let through; `metrics` come anew, because they count something else now.
    pub fn narrow(&mut self, filter: &Filter) {
        if self.terms.filter != *filter {
            self.terms.filter = filter.clone();
            (self.had, self.looked_at) = (Had::default(), None);
        }
    }

    /// Ends the session at its next step, unless something else does.
    pub fn end_early(&mut self, now: Instant, reason: EndReason) {
        if now < self.terms.ends_at.0 {
            self.terms.ends_at = (now, reason);
        }
    }

    /// Events sent so far, updates included.
    #[must_use]
    pub const fn events_sent(&self) -> u64 {
        self.events_sent
    }

    /// Updates sent so far.
    #[must_use]
    pub const fn updates_sent(&self) -> u64 {
        self.updates_sent
    }

    /// What it did since this was asked last.
    pub fn take_report(&mut self) -> Report {
        std::mem::take(&mut self.report)
    }

    /// Why the session ended, once it has: a word for the log.
    #[must_use]
    pub const fn ended(&self) -> Option<&'static str> {
        self.ended
    }

    /// Until when there is nothing to do, where the last step said all that there was: what the next one would answer, which is spared.
    /// Says so once.
    #[must_use]
    pub fn take_rest(&mut self) -> Option<Instant> {
        (std::mem::take(&mut self.is_resting) && self.phase == Phase::Open).then(|| self.waits_until())
    }

    fn waits_until(&self) -> Instant {
        self.heartbeat_at.min(self.terms.ends_at.0)
    }

    /// When rows are told that are in doubt until then, where there are any.
    fn doubts_until(&self) -> Option<Instant> {
        let At::Live { offset, .. } = &self.at else { return None };
        self.settled_at.filter(|_| offset.is_doubtful())
    }

    /// Decides what this client gets next. Reads no clock, does no I/O, never sleeps.
    pub fn step(&mut self, now: Now, view: View<'_>) -> Step {
        self.is_resting = false;
        let mut out = BytesMut::new();
        match self.phase {
            Phase::Closed => return Step::Close,
            Phase::Opening => {
                encode::retry(&mut out, self.terms.retry);
                if let Some(snapshot) = view.snapshot {
                    self.place_in(snapshot, view.is_confirmed, now);
                }
                self.put_reset(&mut out);
                self.put_heartbeat(&mut out, now, view);
                self.phase = Phase::Open;
                return Step::Send(exact(&out));
            }
            Phase::Open => {}
        }
        if view.shutdown {
            return self.end(EndReason::Shutdown);
        }
        if self.terms.ends_at.0 <= now.instant {
            return self.end(self.terms.ends_at.1);
        }
        if view.goodbye {
            return self.break_off(logs::GOODBYE);
        }
        let news = view.snapshot.map_or_else(Bytes::new, |snapshot| self.follow(&mut out, snapshot, view, now));
        let is_due = self.heartbeat_at <= now.instant && self.phase == Phase::Open;
        if !is_due && out.is_empty() && !news.is_empty() {
            let shown = view.snapshot.map(|snapshot| (snapshot.serial, view.is_confirmed));
            self.is_resting = self.looked_at == shown && self.doubts_until().is_none();
            // As they are: others are sent the same bytes.
            return Step::Send(news);
        }
        out.extend_from_slice(&news);
        // After the news, so that its id is the newest position; a write is short, so it is not kept waiting.
        if is_due {
            self.put_heartbeat(&mut out, now, view);
        }
        if !out.is_empty() {
            return Step::Send(exact(&out));
        }
        if self.phase == Phase::Closed {
            return Step::Close;
        }
        // What is due already cannot be done without the instance, or what is said before it.
        let doubts_until = self.doubts_until().filter(|until| now.instant < *until);
        Step::Wait(doubts_until.map_or(self.waits_until(), |until| until.min(self.waits_until())))
    }

    fn end(&mut self, reason: EndReason) -> Step {
        self.phase = Phase::Closed;
        self.ended = Some(reason.as_str());
        let mut out = BytesMut::new();
        let delay = if reason == EndReason::Shutdown { self.terms.reconnect_at_shutdown } else { self.terms.reconnect };
        self.put_end(&mut out, reason, delay);
        Step::Send(exact(&out))
    }

    /// Ends the stream without an event: for a reason that is no business of its reader's, who comes back if there is one.
    /// `reason` is a word for the log.
    pub fn break_off(&mut self, reason: &'static str) -> Step {
        let mut out = BytesMut::new();
        self.put_break(&mut out, reason);
        Step::Send(exact(&out))
    }

    fn put_end(&mut self, out: &mut BytesMut, reason: EndReason, delay: Duration) {
        encode::retry(out, delay);
        let body = event::deadline(reason, u64::try_from(delay.as_millis()).unwrap_or(u64::MAX));
        let is_planned = matches!(reason, EndReason::Session | EndReason::Deadline);
        let mark = self.terms.early_mark.filter(|_| !is_planned && self.position() != Position::ORIGIN);
        if let Some(mark) = mark {
            self.had = Had { mark, hash: None };
            return self.put(out, self.position(), events::DEADLINE, &body);
        }
        out.extend_from_slice(&body);
        self.events_sent += 1;
        self.report.events(events::DEADLINE, 1);
    }

    fn put_break(&mut self, out: &mut BytesMut, reason: &'static str) {
        self.phase = Phase::Closed;
        self.ended = Some(reason);
        if self.terms.early_mark.is_some() {
            return self.put_end(out, EndReason::Shutdown, self.terms.reconnect);
        }
        encode::retry(out, self.terms.reconnect);
        encode::end_block(out);
    }

    fn put_heartbeat(&mut self, out: &mut BytesMut, now: Now, view: View<'_>) {
        self.heartbeat_at = now.instant + self.terms.heartbeat_every;
        let uptime = now.instant.saturating_duration_since(view.started);
        let body = event::heartbeat(now.wall, view.connections, uptime, &self.terms.stream_id);
        self.put(out, self.position(), events::HEARTBEAT, &body);
    }

    fn put_reset(&mut self, out: &mut BytesMut) {
        if let Some(reason) = self.reset.take() {
            self.had = Had::default();
            self.report.reset = Some(reason);
            self.put(out, self.position(), events::RESET, &event::reset(reason));
        }
    }

    fn put(&mut self, out: &mut BytesMut, position: Position, name: &'static str, body: &[u8]) {
        self.events_sent += 1;
        self.report.events(name, 1);
        write::put(out, self.terms.epoch, position, self.had, body);
    }

    fn position(&self) -> Position {
        match &self.at {
            At::Fresh => Position::ORIGIN,
            At::Returning(position) | At::Ahead(position) | At::Live { position, .. } => *position,
            At::Replaying { resume, .. } => resume.tracker.position(),
        }
    }

    /// Finds the client's place in a snapshot, where that is not known yet.
    fn place_in(&mut self, snapshot: &Snapshot, is_confirmed: bool, now: Now) {
        let position = match &self.at {
            At::Fresh => {
                self.at = Joins::after(snapshot).live(Offset::default());
                return;
            }
            At::Returning(position) | At::Ahead(position) => *position,
            At::Replaying { .. } | At::Live { .. } => return,
        };
        let is_returning = matches!(self.at, At::Returning(_));
        // What it lacks may be among the rows that are still to be read: it is told a moment later.
        if snapshot.is_thin_at(position) {
            return;
        }
        // A row that another instance saw replaced has left the position, and may still stand here.
        let may_be_behind =
            !is_confirmed && snapshot.data.identity == Identity::Key && !snapshot.position.is_at(position);
        // The common case, at no cost: this instance knows all that happened since, be it nothing, as updates.
        if !may_be_behind && let Some(next_seq) = snapshot.continues(&position, &self.terms.filter, self.terms.replay) {
            self.report.resumed |= is_returning;
            self.live_from = snapshot.updates.next();
            self.at = At::Live { next_seq, offset: Offset::default(), position };
            return;
        }
        let settled_at = *self.settled_at.get_or_insert(now.instant + snapshot.settles_in);
        let is_settled = settled_at <= now.instant;
        match snapshot.resume(position, &self.terms.filter, self.terms.replay, now.wall, is_settled) {
            // Another instance may have been quicker; the next read tells.
            Ok(resume) if !(is_confirmed || resume.is_exact) => {}
            Err(_) if !is_confirmed => {}
            Ok(mut resume) => {
                self.report.resumed |= is_returning;
                if self.is_lead_over(now.instant) {
                    resume.tracker.forget_unnamed(&snapshot.ghosts);
                } else {
                    self.lead_until.get_or_insert((now.instant + LEAD_MAX).max(settled_at));
                }
                self.at = At::Replaying { joins: Box::new(Joins::after(snapshot)), resume: Box::new(resume) };
            }
            Err(reason) => {
                self.reset = Some(reason);
                self.at = Joins::after(snapshot).live(Offset::default());
            }
        }
    }

    /// Says what the snapshot has that this client has not.
    fn follow(&mut self, out: &mut BytesMut, snapshot: &Snapshot, view: View<'_>, now: Now) -> Bytes {
        let looked_at = Some((snapshot.serial, view.is_confirmed));
        let is_placed = matches!(self.at, At::Live { .. } | At::Replaying { .. });
        let is_same = self.looked_at.is_some_and(|(serial, _)| serial == snapshot.serial);
        // What was never seen here leaves the id then, though nothing happens.
        let is_lead_over = self.is_lead_over(now.instant);
        let has_settled = self.doubts_until().is_some_and(|until| until <= now.instant);
        if has_settled
            && let At::Live { position, next_seq, .. } = self.at
            && next_seq == snapshot.updates.next()
        {
            // What stands there still was not replaced.
            self.at = At::Ahead(position.exact());
        }
        if !is_lead_over
            && !has_settled
            && (self.looked_at == looked_at || is_same && is_placed)
            && !matches!(self.at, At::Replaying { .. })
        {
            return Bytes::new();
        }
        self.place_in(snapshot, view.is_confirmed, now);
        self.put_reset(out);
        self.replay(out);
        let mut news = Bytes::new();
        match self.at {
            At::Replaying { .. } => return news,
            // What was replayed is a write of its own: the next one looks at this snapshot again.
            At::Live { .. } if out.len() >= WRITE_BYTES / 2 => {
                self.looked_at = None;
                return news;
            }
            At::Live { .. } => {
                let Some((bytes, is_all)) = self.news(out, snapshot, view, now) else { return news };
                if !is_all {
                    return bytes; // there is more to say of this snapshot: look at it again
                }
                news = bytes;
            }
            // Another instance was quicker: numbers that differ from its are news, once they are known to be.
            At::Ahead(_) | At::Fresh => self.put_metrics(out, snapshot, view),
            // Numbers from before another instance's are none.
            At::Returning(_) => {}
        }
        self.looked_at = looked_at;
        if is_lead_over && matches!(self.at, At::Ahead(_) | At::Live { .. }) {
            self.lead_until = None;
        }
        news
    }

    /// Whether what another instance has shown the client and this one has not is not to come any more, and is still counted.
    fn is_lead_over(&self, now: Instant) -> bool {
        self.lead_until.is_some_and(|until| until <= now)
    }

    fn replay(&mut self, out: &mut BytesMut) {
        let (joins, mut resume) = match std::mem::replace(&mut self.at, At::Fresh) {
            At::Replaying { joins, resume } => (joins, resume),
            other => {
                self.at = other;
                return;
            }
        };
        let mut body = BytesMut::new();
        while out.len() < WRITE_BYTES {
            let Some((row, tag_index, upto)) = resume.next_update() else {
                self.at = joins.caught_up(*resume);
                return;
            };
            resume.tracker.hand_out(row.item.at, row.key, upto);
            if self.terms.filter.matches_update(row.item.tags.get(tag_index)) {
                body.clear();
                event::write_update(&mut body, &joins.data, &row.item, tag_index);
                self.put(out, resume.tracker.position(), UPDATE, &body);
                self.updates_sent += 1;
            }
        }
        self.at = At::Replaying { joins, resume };
    }

    /// What a live client lacks, and whether nothing is left to say then. One that differs in nothing from its instance gets what all get
    /// who are at its place. `None` where some of it is gone already: the client comes back with its cursor and gets it from the table.
    fn news(&mut self, out: &mut BytesMut, snapshot: &Snapshot, view: View<'_>, now: Now) -> Option<(Bytes, bool)> {
        let is_lead_over = self.is_lead_over(now.instant);
        let At::Live { next_seq, offset, position } = &mut self.at else { return None };
        let (filter, epoch) = (&self.terms.filter, self.terms.epoch);
        if snapshot.updates.lost(*next_seq, filter) {
            self.put_break(out, "overflow");
            return None;
        }
        let place = Place { next_seq: *next_seq, metrics: self.had };
        let is_common = offset.is_none() && !is_lead_over;
        let start = Start { place, offset: std::mem::take(offset), position: *position, is_lead_over };
        let mut make = || Write::of(snapshot, filter, epoch, start.clone(), || numbers(filter, snapshot, view));
        let write = if is_common { view.shared.write(filter, snapshot, place, &mut make) } else { Arc::new(make()) };
        (*next_seq, *position, *offset) = (write.place.next_seq, write.position, write.offset.clone());
        self.had = write.place.metrics;
        for (name, count) in write.events() {
            self.events_sent += u64::from(count);
            self.report.events(name, count);
        }
        self.updates_sent += u64::from(write.updates);
        for (_, due) in write.dues.iter().filter(|(number, _)| self.live_from <= *number) {
            self.report.written(*due, now.wall);
        }
        Some((write.bytes.clone(), write.is_all))
    }

    fn put_metrics(&mut self, out: &mut BytesMut, snapshot: &Snapshot, view: View<'_>) {
        let frame = numbers(&self.terms.filter, snapshot, view);
        let is_news = !self.had.is(&frame);
        self.had.hash = Some(frame.hash);
        if is_news {
            self.had.mark = frame.mark;
            self.put(out, self.position(), events::METRICS, &frame.body);
        }
    }
}

fn numbers(filter: &Filter, snapshot: &Snapshot, view: View<'_>) -> Arc<MetricsFrame> {
    if filter.is_all() { Arc::clone(&snapshot.metrics) } else { view.shared.metrics(filter, snapshot) }
}
