//! What a session did in its last steps, for those who count: the session itself measures nothing.

use std::time::Duration;

use crate::cursor::ResetReason;
use crate::timestamp::Timestamp;

/// Events by name, and what became of the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    by_name: Vec<(&'static str, u32)>,
    /// The client went on where it had been.
    pub resumed: bool,
    /// Its cursor could not be honoured.
    pub reset: Option<ResetReason>,
    /// Milliseconds since live updates were due, and of how many one after the other that is so: what one poll brings was due together.
    lags: Vec<(u32, u32)>,
    /// Live updates whose row appeared late.
    pub late: u32,
}

/// When an update could first have been read, and whether its row appeared later than its timestamp says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The row's timestamp, or the last read that did not have the row, whichever is later.
    pub at: Timestamp,
    /// Whether a read that should have had the row did not.
    pub late: bool,
}

impl Due {
    /// Compares a row's timestamp with the read before the one that found it.
    #[must_use]
    pub fn of(row: Timestamp, read_before: Option<Timestamp>) -> Self {
        match read_before {
            Some(read) if row < read => Self { at: read, late: true },
            _ => Self { at: row, late: false },
        }
    }
}

impl Report {
    /// Counts events of a name; the update event goes by `contract::metrics::UPDATE`.
    pub fn events(&mut self, name: &'static str, count: u32) {
        match self.by_name.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum += count,
            None if count > 0 => self.by_name.push((name, count)),
            None => {}
        }
    }

    /// Notes how long an update took to be written. A row from the future is on time.
    pub fn written(&mut self, due: Due, now: Timestamp) {
        let lag = Duration::from_millis(now.millis().saturating_sub(due.at.millis()));
        let millis = u32::try_from(lag.as_millis()).unwrap_or(u32::MAX);
        match self.lags.last_mut() {
            Some((last, count)) if *last == millis => *count += 1,
            _ => self.lags.push((millis, 1)),
        }
        self.late += u32::from(due.late);
    }

    /// Milliseconds since live updates were due, and of how many.
    pub fn lags(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.lags.iter().copied()
    }

    /// Events by name.
    pub fn by_name(&self) -> impl Iterator<Item = (&'static str, u32)> + '_ {
        self.by_name.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_row_is_due_from_the_last_read_that_did_not_have_it() {
        let at = Timestamp::from_millis;
        assert_eq!(Due::of(at(1000), Some(at(900))), Due { at: at(1000), late: false });
        assert_eq!(Due::of(at(1000), Some(at(1000))), Due { at: at(1000), late: false });
        assert_eq!(Due::of(at(1000), Some(at(61_000))), Due { at: at(61_000), late: true });
        assert_eq!(Due::of(at(1000), None), Due { at: at(1000), late: false });
        let mut report = Report::default();
        report.written(Due { at: at(61_000), late: true }, at(61_250));
        report.written(Due { at: at(2000), late: false }, at(1000));
        report.written(Due { at: at(3000), late: false }, at(1000));
        assert_eq!((report.lags, report.late), (vec![(250, 1), (0, 2)], 1));
    }
}
