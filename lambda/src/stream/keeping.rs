//! Sums of hours for histories, between the journal that knows which are due and the store that keeps them. Nothing of it fails a
//! poll.

use std::sync::Arc;

use contract::{limits, logs};

use super::errands::Errands;
use crate::store::Hours;
use stream_core::hour::HOUR_MINUTES;
use stream_core::journal::Journal;
use stream_core::keeping::Kept;
use stream_core::minute::first_moment;
use stream_core::shelf::Scope;

/// The sums of one journal.
pub(super) struct Keeping {
    hours: Option<Arc<dyn Hours>>,
    scope: Scope,
    errands: Errands,
}

impl Keeping {
    /// Keeps them there; none where there is nothing.
    pub(super) const fn new(hours: Option<Arc<dyn Hours>>, scope: Scope) -> Self {
        let errands = Errands::new(logs::ROLLUPS_FAIL, "sums of old hours can be had again");
        Self { hours, scope, errands }
    }

    /// Looks at what is there of the hours that are due, and writes what is not as good. Adds the read units that it took.
    pub(super) async fn settle(&mut self, journal: &mut Journal, units: &mut f64) {
        let Some(hours) = self.hours.as_ref().filter(|_| !self.errands.are_paused()) else { return };
        let due = journal.due_rollups();
        let (Some(first), Some(last)) = (due.first(), due.last()) else { return };
        let Some(found) = self.errands.heard(hours.heads(self.scope, *first, *last).await) else { return };
        *units += found.units;
        for hour in due {
            let head = found.heads.iter().find(|head| head.hour == hour);
            let is_there = match journal.rollup(hour, head) {
                Kept::AsItIs => true,
                // Nothing that was tried again could make it smaller, and the next reading may.
                Kept::TooLarge { bytes, is_known } => {
                    if !is_known {
                        report(hour, bytes);
                    }
                    true
                }
                Kept::Anew(write) => match self.errands.heard(hours.write(self.scope, &write).await) {
                    // Of an hour that another instance has written meanwhile the next poll looks what it is.
                    Some(is_written) => is_written,
                    None => return,
                },
            };
            if is_there {
                journal.settled_rollup(hour);
            }
        }
    }
}

/// Says which hour is not kept, and what there is to do.
fn report(hour: u64, bytes: usize) {
    tracing::warn!(
        message = logs::ROLLUP_TOO_LARGE,
        hour = %first_moment(hour * HOUR_MINUTES),
        bytes,
        max = limits::HOUR_BYTES_MAX,
        remedy = "fewer different sets of tags: map `data.attributes.tags` to an attribute with few values, or to none",
    );
}
