//! Says in the log why there is nothing to show, where a read of the whole window found nothing.

use std::time::Duration;

use contract::{DataSettings, logs};
use tokio::time::Instant;

use crate::store::Items;
use stream_core::moment::TimeRange;
use stream_core::snapshot::Snapshot;
use stream_core::window::window_until;

/// Time until an instance that still finds nothing says so again; doubled each time.
const PAUSE: Duration = Duration::from_secs(3600);
/// Until then only doubled.
const PAUSE_MAX: Duration = Duration::from_secs(24 * 3600);

/// When it is to be said.
#[derive(Debug)]
pub(super) struct Silence {
    /// `None` from the first row on: the manifest fits the table.
    due: Option<Instant>,
    pause: Duration,
}

impl Silence {
    pub(super) fn new() -> Self {
        Self { due: Some(Instant::now()), pause: PAUSE }
    }

    /// Whether it is time to say that the window holds nothing, where it does.
    pub(super) fn is_due(&mut self, is_empty: bool) -> bool {
        if !is_empty {
            self.due = None;
        }
        let now = Instant::now();
        let is_due = self.due.is_some_and(|due| due <= now);
        if is_due {
            self.due = Some(now + self.pause);
            self.pause = (self.pause * 2).min(PAUSE_MAX);
        }
        is_due
    }
}

/// Says what was looked for and what is there instead. Returns the read units that the look took.
pub(super) async fn explain(items: &dyn Items, data: &DataSettings, snapshot: &Snapshot) -> f64 {
    let range = TimeRange { after: snapshot.window_after(), until: window_until(snapshot.read_at) };
    let (found, units) = match items.look_around(range).await {
        // The store has no more to say.
        Ok(None) => return 0.0,
        Ok(Some(silence)) => (silence.found, silence.units),
        Err(error) => (format!("it could not be looked at: {error}"), 0.0),
    };
    let status = data.status_attribute.as_ref().map(|name| format!("{name} = {}", data.status_ready));
    tracing::warn!(
        message = logs::NOTHING_FOUND,
        table = %data.items_table,
        index = %data.index,
        label = %data.label_attribute,
        labels = %data.labels,
        time = %data.time_attribute,
        after = %range.after,
        until = %range.until,
        status = status.as_deref().unwrap_or("any"),
        found,
    );
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_said_at_once_and_ever_more_seldom_until_there_is_a_row() {
        let mut silence = Silence::new();
        let began = Instant::now();
        let mut said = Vec::new();
        for _ in 0..200 {
            if silence.is_due(true) {
                said.push(began.elapsed().as_secs() / 3600);
            }
            tokio::time::advance(PAUSE).await;
        }
        assert_eq!(said, [0, 1, 3, 7, 15, 31, 55, 79, 103, 127, 151, 175, 199]);
        assert!(!silence.is_due(false));
        tokio::time::advance(PAUSE_MAX * 2).await;
        assert!(!silence.is_due(true), "it is quiet, and not silent");
    }
}
