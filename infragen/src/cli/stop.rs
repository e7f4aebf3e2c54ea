//! Ctrl-C in a command of many steps: the step that runs is ended, or waited for where breaking it off would leave something behind;
//! this program says where it was and goes no further.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::signal::unix::{SignalKind, signal};

/// How often somebody asked this to end.
#[derive(Clone, Debug, Default)]
pub(super) struct Stop(Arc<AtomicU32>);

impl Stop {
    /// Begins to listen; from here on neither SIGINT nor SIGTERM ends this program by itself.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn listen() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let guard = runtime.enter();
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        drop(guard);
        let stop = Self::default();
        let said = stop.clone();
        std::thread::spawn(move || {
            runtime.block_on(async {
                loop {
                    tokio::select! {
                        _ = interrupt.recv() => {}
                        _ = terminate.recv() => {}
                    }
                    said.0.fetch_add(1, Ordering::SeqCst);
                }
            });
        });
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
