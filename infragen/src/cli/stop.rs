//! Ctrl-C in a command of many steps: the step that runs is ended, or waited for where breaking it off would leave something behind;
//! this program says where it was and goes no further.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// How long a signal may take from the system to the flag, where other programs keep the processor busy: one second.
const NOTICES: u32 = 100;
const NOTICE_EVERY: Duration = Duration::from_millis(10);

/// How often somebody asked this to end.
#[derive(Clone, Debug, Default)]
pub(super) struct Stop(Arc<AtomicU32>);

impl Stop {
    /// Begins to listen; from here on neither SIGINT nor SIGTERM ends this program by itself.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn listen() -> Result<Self, ctrlc::Error> {
        let stop = Self::default();
        let said = stop.clone();
        ctrlc::set_handler(move || {
            said.0.fetch_add(1, Ordering::SeqCst);
        })?;
        Ok(stop)
    }

    /// Whether it was asked for.
    pub(super) fn is_set(&self) -> bool {
        self.times() > 0
    }

    /// Whether it was asked for, where a program has just failed. A terminal tells everybody at once, and that program may have ended
    /// of it before this one has noticed.
    pub(super) fn explains_a_failure(&self) -> bool {
        for _ in 0..NOTICES {
            if self.is_set() {
                return true;
            }
            std::thread::sleep(NOTICE_EVERY);
        }
        self.is_set()
    }

    /// How often.
    pub(super) fn times(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}
