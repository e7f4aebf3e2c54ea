//! What an instance measures, added up: CloudWatch gets a line now and then, Prometheus the totals when it asks.
//!
//! They are added under a lock that is held for a few instructions and never across a wait; text is made outside of it.

mod distribution;
mod emf;
mod measurements;
mod prometheus;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use contract::metrics::{FLUSH_INTERVAL, Metric};
use contract::{MetricsMode, MetricsNamespace, WatchSettings};
use tokio::time::Instant;

pub use emf::{DASHBOARD, STREAM};
pub(crate) use prometheus::CONTENT_TYPE;

use crate::clock::Clock;
use crate::watch::lines;
use measurements::Measurements;
use stream_core::report::Report;

/// The measurements of one process.
#[derive(Clone)]
pub struct Meter {
    shared: Arc<Shared>,
}

struct Shared {
    mode: MetricsMode,
    namespace: MetricsNamespace,
    function: &'static str,
    clock: Clock,
    state: Mutex<State>,
}

struct State {
    connections: u32,
    /// Since the process began.
    total: Measurements,
    /// Since the last line for CloudWatch.
    pending: Measurements,
    flushed: Instant,
}

impl Meter {
    /// Measures for a function, [`STREAM`] or [`DASHBOARD`]. Must be called within a tokio runtime's clock.
    #[must_use]
    pub fn new(settings: &WatchSettings, function: &'static str, clock: Clock) -> Self {
        let state =
            State { connections: 0, total: Measurements::new(), pending: Measurements::new(), flushed: Instant::now() };
        let shared = Shared {
            mode: settings.metrics,
            namespace: settings.namespace.clone(),
            function,
            clock,
            state: Mutex::new(state),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Adds to a counter.
    pub fn add(&self, metric: Metric, value: f64) {
        self.add_by(metric, "", value);
    }

    /// Adds to a counter, under a value of its dimension.
    pub fn add_by(&self, metric: Metric, by: &str, value: f64) {
        let index = metric.index(by);
        let mut state = self.state();
        state.total.add(metric, index, value);
        state.pending.add(metric, index, value);
    }

    /// Takes a measurement of a distribution, in milliseconds.
    pub fn observe(&self, metric: Metric, millis: f64) {
        let mut state = self.state();
        state.total.observe(metric, millis, 1);
        state.pending.observe(metric, millis, 1);
    }

    /// Notes that a stream is open.
    pub fn opened(&self) {
        let mut state = self.state();
        state.connections += 1;
        state.pending.peak = state.pending.peak.max(Some(state.connections));
        drop(state);
        self.add(Metric::StreamsOpened, 1.0);
    }

    /// Notes that a stream is not open any more.
    pub fn closed(&self) {
        let mut state = self.state();
        state.connections = state.connections.saturating_sub(1);
    }

    /// Whether no stream is open.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.state().connections == 0
    }

    /// Takes what a session says it did in a step that wrote so many bytes: all under one lock, because thousands of streams step at once.
    pub fn take(&self, report: &Report, bytes: usize) {
        if *report == Report::default() && bytes == 0 {
            return;
        }
        let mut state = self.state();
        let State { total, pending, .. } = &mut *state;
        for of in [total, pending] {
            for (name, count) in report.by_name() {
                of.add(Metric::EventsSent, Metric::EventsSent.index(name), f64::from(count));
            }
            if let Some(reason) = report.reset {
                of.add(Metric::StreamsReset, Metric::StreamsReset.index(reason.as_str()), 1.0);
            }
            of.add(Metric::StreamsResumed, Metric::StreamsResumed.index(""), f64::from(u8::from(report.resumed)));
            of.add(Metric::LateUpdates, Metric::LateUpdates.index(""), f64::from(report.late));
            #[expect(clippy::cast_precision_loss, reason = "a write is some kilobytes")]
            of.add(Metric::BytesSent, Metric::BytesSent.index(""), bytes as f64);
            for (millis, count) in report.lags() {
                of.observe(Metric::Lag, f64::from(millis), count);
            }
        }
    }

    /// Writes what was measured since the last time, if an instance that goes on serving should by now.
    pub fn flush_if_due(&self) {
        if self.state().flushed.elapsed() >= FLUSH_INTERVAL {
            self.flush();
        }
    }

    /// Writes what was measured since the last time, if no stream is open: the platform may stop the process from now on, and
    /// what is not written by then may come hours late or never.
    pub fn flush_if_idle(&self) {
        if self.is_idle() {
            self.flush();
        }
    }

    /// Writes what was measured since the last time.
    pub fn flush(&self) {
        let pending = {
            let mut state = self.state();
            state.flushed = Instant::now();
            let next =
                Measurements { peak: (state.connections > 0).then_some(state.connections), ..Measurements::new() };
            std::mem::replace(&mut state.pending, next)
        };
        let shared = &self.shared;
        let line = emf::Line {
            namespace: shared.namespace.as_str(),
            function: shared.function,
            millis: shared.clock.wall().millis(),
            dropped: lines::dropped(),
        };
        for text in line.all(shared.mode, &pending) {
            lines::write(text);
        }
    }

    /// The numbers since the process began, in the text format that Prometheus reads.
    #[must_use]
    pub fn exposition(&self) -> String {
        let (connections, total) = {
            let state = self.state();
            (state.connections, state.total.clone())
        };
        prometheus::exposition(connections, &total, lines::dropped())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in the lock can panic half way, so a poisoned one holds right numbers.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
