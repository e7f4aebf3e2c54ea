//! What the log says while the window is being read for the first time, and whether it fits into memory.

use std::time::Duration;

use tokio::time::Instant;

use crate::store::StoreError;
use stream_core::reading::Progress;

/// Time between two lines that say how far it is; a window that is read sooner needs none.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// Memory that is not for rows: the program, its connections, the answers that are being parsed.
const OTHER_BYTES: usize = 56 * 1024 * 1024;

/// The first reading, over all polls that it takes.
#[derive(Default)]
pub(super) struct Loading {
    began: Option<Instant>,
    line_at: Option<Instant>,
    rows: usize,
    has_spoken: bool,
}

impl Loading {
    /// Says how far it is, now and then.
    pub(super) fn report(&mut self, progress: Progress) {
        let now = Instant::now();
        self.began.get_or_insert(now);
        self.rows = progress.rows;
        if *self.line_at.get_or_insert(now + LINE_EVERY) <= now {
            self.line_at = Some(now + LINE_EVERY);
            self.has_spoken = true;
            tracing::info!(
                rows = progress.rows,
                back_to = %progress.back_to,
                percent = percent(progress),
                "the window is being read; streams have heartbeats until it is whole"
            );
        }
    }

    /// Says that it is whole, where it was said that it was not.
    pub(super) fn end(&mut self) {
        if let Self { began: Some(began), has_spoken: true, rows, .. } = self {
            tracing::info!(rows, seconds = began.elapsed().as_secs_f64(), "the window is whole");
        }
        *self = Self::default();
    }
}

/// Says whether there is memory for more rows.
///
/// # Errors
/// [`StoreError::Refused`] where there is not: better no numbers, and a line that says why, than a process that is killed
/// and begins anew.
pub(super) fn check_memory(
    progress: Progress,
    footprint: usize,
    memory_bytes: Option<usize>,
) -> Result<(), StoreError> {
    match memory_bytes.filter(|memory| footprint + OTHER_BYTES > *memory) {
        Some(memory) => Err(StoreError::Refused(too_many(progress, memory))),
        None => Ok(()),
    }
}

fn percent(progress: Progress) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 100")]
    let percent = (progress.share * 100.0) as u32;
    percent
}

fn too_many(progress: Progress, memory: usize) -> String {
    format!(
        "{} rows back to {} ({} % of the window) are all that {} MB of memory hold; set `stream.memory` (or `dashboard.memory`) \
         higher, or `data.window` shorter",
        progress.rows,
        progress.back_to,
        percent(progress),
        memory / (1024 * 1024)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use stream_core::timestamp::Timestamp;

    #[test]
    fn rows_beyond_the_memory_are_refused_with_both_remedies() {
        let progress = Progress { rows: 900_000, back_to: Timestamp::from_millis(1_800_000_000_000), share: 0.5 };
        let megabytes = 1024 * 1024;
        assert!(check_memory(progress, 72 * megabytes, Some(128 * megabytes)).is_ok());
        assert!(check_memory(progress, 500 * megabytes, None).is_ok());
        let error = check_memory(progress, 73 * megabytes, Some(128 * megabytes)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the table refuses: 900000 rows back to 2027-01-15T08:00:00.000Z (50 % of the window) are all that 128 MB of memory \
             hold; set `stream.memory` (or `dashboard.memory`) higher, or `data.window` shorter"
        );
    }
}
