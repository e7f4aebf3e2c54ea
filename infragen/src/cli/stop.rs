//! Ctrl-C in a command of many steps: the step that runs is ended, or waited for where breaking it off would leave something behind;
//! this program says where it was and goes no further.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

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

    /// How often.
    pub(super) fn times(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}
