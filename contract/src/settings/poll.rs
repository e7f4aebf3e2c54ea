//! How the hub reads the table.

use super::setting::{SettingError, known, settings};
use crate::limits;
use crate::units::{
    DataWindow, LateInterval, LateWindow, PollInterval, ReconcileInterval, ReplayWindow, duration_text,
};
use crate::values::ReplayEvents;

settings! {
    /// How the hub reads the table. Both functions read them.
    pub struct PollSettings {
        /// Time between two reads of the table.
        "SSE_POLL_INTERVAL" => poll_interval: PollInterval = PollInterval::DEFAULT;
        /// How late after its own timestamp a row may appear and still be delivered.
        "SSE_LATE_WINDOW" => late_window: LateWindow = LateWindow::DEFAULT;
        /// Time within which each part of the late interval is read again where a table is busy; a quiet one is read whole at each poll.
        "SSE_LATE_INTERVAL" => late_interval: LateInterval = LateInterval::DEFAULT;
        /// Time between two full re-reads of the window.
        "SSE_RECONCILE_INTERVAL" => reconcile_interval: ReconcileInterval = ReconcileInterval::DEFAULT;
        /// Updates a resume may bring, and that a slow reader may fall behind.
        "SSE_REPLAY_EVENTS" => replay_events: ReplayEvents = known!(ReplayEvents, limits::REPLAY_EVENTS_DEFAULT);
        /// Age up to which a cursor can be resumed.
        "SSE_REPLAY_WINDOW" => replay_window: ReplayWindow = ReplayWindow::DEFAULT;
        check Self::check_intervals;
    }
}

impl PollSettings {
    fn check_intervals(&self) -> Result<(), Vec<SettingError>> {
        let (interval, between) = (self.late_interval, self.poll_interval);
        if between.get() <= interval.get() {
            return Ok(());
        }
        let reason = format!("`{interval}` is too short; it must be SSE_POLL_INTERVAL, `{between}`, or longer");
        Err(vec![SettingError { name: "SSE_LATE_INTERVAL", value: Some(interval.to_string()), reason }])
    }

    /// Says whether a window holds every row that a cursor may have to look for.
    pub(super) fn check_window(&self, window: DataWindow) -> Result<(), Vec<SettingError>> {
        let (late, replay) = (self.late_window, self.replay_window);
        let needed = limits::window_needed(late.get(), replay.get());
        if needed < window.get() {
            return Ok(());
        }
        let skew = duration_text(limits::FUTURE_SKEW);
        let reason = format!(
            "`{window}` is too short; it must be longer than SSE_LATE_WINDOW, `{late}`, SSE_REPLAY_WINDOW, `{replay}`, and \
             {skew} together"
        );
        Err(vec![SettingError { name: "DATA_WINDOW", value: Some(window.to_string()), reason }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_the_late_interval_is_read_again_no_sooner_than_the_next_poll() {
        let read = |poll: &'static str, late: &'static str| {
            let env = move |name: &str| match name {
                "SSE_POLL_INTERVAL" => Some(poll.to_owned()),
                "SSE_LATE_INTERVAL" => Some(late.to_owned()),
                _ => None,
            };
            PollSettings::from_env(&env).map(|poll| poll.late_interval.to_string()).map_err(|e| e[0].to_string())
        };
        assert_eq!(read("5s", "5s"), Ok("5s".into()));
        assert_eq!(read("5m", "5m"), Ok("5m".into()));
        let error = "SSE_LATE_INTERVAL: `1m` is too short; it must be SSE_POLL_INTERVAL, `61s`, or longer";
        assert_eq!(read("61s", "1m"), Err(error.into()));
        assert_eq!(read("1s", "4s"), Err("SSE_LATE_INTERVAL: `4s` is out of range; it must be from 5s to 5m".into()));
    }
}
