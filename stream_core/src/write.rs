//! What a snapshot has that a client at some place has not, as the bytes of one write.
//!
//! It follows from the place and the snapshot alone: clients at the same place, with the same filter, get the same bytes, so that these
//! are made once for all of them.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use contract::events;

use crate::cursor::{Cursor, Epoch, MetricsMark};
use crate::encode;
use crate::event::MetricsFrame;
use crate::filter::Filter;
use crate::offset::{Meeting, Offset};
use crate::position::Position;
use crate::report::Due;
use crate::snapshot::Snapshot;

/// Bytes after which a write is handed to the transport even if more could be said.
pub(crate) const WRITE_BYTES: usize = 32 * 1024;

/// Where a client is that differs in nothing from its instance: which update it gets next, and which metrics it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Number of its next update within the instance.
    pub next_seq: u64,
    /// The metrics that it has.
    pub metrics: Had,
}

/// Metrics that a client has: the whole hash, or after a resume the three bytes that its id carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Had {
    /// What ids carry; zeros where it has none.
    pub mark: MetricsMark,
    /// Hash of the numbers, once this instance has compared them.
    pub hash: Option<[u8; 32]>,
}

impl Had {
    pub(crate) fn is(&self, frame: &MetricsFrame) -> bool {
        match self.hash {
            Some(hash) => hash == frame.hash,
            None => self.mark == frame.mark,
        }
    }
}

/// A live client's place, and how it differs from its instance.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub(crate) place: Place,
    pub(crate) offset: Offset,
    pub(crate) position: Position,
    /// Whether what another instance has shown it is not to come here any more.
    pub(crate) is_lead_over: bool,
}

/// One write, and where it leaves its client.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// Whole events; nothing, where there is no news.
    pub(crate) bytes: Bytes,
    pub(crate) place: Place,
    pub(crate) offset: Offset,
    pub(crate) position: Position,
    /// Numbers of its updates, and when each was due; those that had been handed out before are not among them.
    pub(crate) dues: Vec<(u64, Due)>,
    pub(crate) updates: u32,
    pub(crate) has_metrics: bool,
    /// Whether nothing is left to say of this snapshot.
    pub(crate) is_all: bool,
}

impl Write {
    /// Says what the snapshot has from a place on, as much as fits into one write. `numbers` are those of the filter, asked for where
    /// nothing else is left to say.
    pub(crate) fn of(
        snapshot: &Snapshot,
        filter: &Filter,
        epoch: Epoch,
        start: Start,
        numbers: impl FnOnce() -> Arc<MetricsFrame>,
    ) -> Self {
        let Start { place, mut offset, mut position, is_lead_over } = start;
        let Place { mut next_seq, metrics: mut had } = place;
        let mut out = BytesMut::new();
        let (mut dues, mut updates, mut is_all) = (Vec::new(), 0, true);
        offset.settle(snapshot, next_seq, is_lead_over);
        for (number, update) in snapshot.updates.from(next_seq) {
            if out.len() >= WRITE_BYTES {
                is_all = false;
                break;
            }
            next_seq = number + 1;
            let meeting = offset.meet(update);
            if meeting != Meeting::Behind {
                position = offset.apply(update.position);
            }
            if meeting == Meeting::News && update.matches(filter) {
                put(&mut out, epoch, position, had, &update.body);
                updates += 1;
                if !update.returned {
                    dues.push((number, update.due));
                }
            }
        }
        if is_all {
            next_seq = snapshot.updates.next();
            position = offset.apply(snapshot.position);
        }
        is_all &= out.len() < WRITE_BYTES;
        let mut has_metrics = false;
        if is_all {
            let frame = numbers();
            has_metrics = !had.is(&frame);
            had.hash = Some(frame.hash);
            if has_metrics {
                had.mark = frame.mark;
                put(&mut out, epoch, position, had, &frame.body);
            }
        }
        let place = Place { next_seq, metrics: had };
        Self { bytes: exact(&out), place, offset, position, dues, updates, has_metrics, is_all }
    }

    /// How many events of which name it has.
    pub(crate) fn events(&self) -> [(&'static str, u32); 2] {
        [(contract::metrics::UPDATE, self.updates), (events::METRICS, u32::from(self.has_metrics))]
    }
}

/// What was put together, in no more memory than it needs: a reader that does not read keeps a dozen of these, and a buffer
/// that grew by doubling may be half empty.
pub(crate) fn exact(out: &BytesMut) -> Bytes {
    Bytes::copy_from_slice(out)
}

/// Appends an event with its id.
pub(crate) fn put(out: &mut BytesMut, epoch: Epoch, position: Position, had: Had, body: &[u8]) {
    encode::id(out, &Cursor { position, metrics: had.mark }.to_id(epoch));
    out.extend_from_slice(body);
}
