//! The cases: what is tried, the rule, and where the rule comes from.

mod churn;
mod endings;
mod events;
mod headers;
mod limits;
mod observer;
mod readers;
mod registry;
mod requests;
mod resume;

use std::future::Future;
use std::pin::Pin;

use serde::Serialize;
use tokio::sync::OnceCell;

use crate::options::Options;
use crate::stream::{Sample, Stream};

pub use registry::CASES;

/// What a case says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The rule holds; perhaps with what was measured.
    Passed(Option<String>),
    /// It does not: how that shows.
    Found(Vec<String>),
    /// It could not be tried: why.
    Skipped(String),
}

impl Verdict {
    /// Passed where nothing was found.
    fn of(found: Vec<String>) -> Self {
        if found.is_empty() { Self::Passed(None) } else { Self::Found(found) }
    }

    fn found(text: impl Into<String>) -> Self {
        Self::Found(vec![text.into()])
    }

    fn passed(note: impl Into<String>) -> Self {
        Self::Passed(Some(note.into()))
    }

    fn skipped(why: impl Into<String>) -> Self {
        Self::Skipped(why.into())
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Events are lost, or a client is.
    Error,
    /// It works today, here, with these clients.
    Warning,
}

/// What every case may look at.
pub struct Context {
    /// What steers the run.
    pub options: Options,
    /// The first stream, after it was listened to.
    pub sample: Sample,
    /// A stream that was read until the server ended it; the first case that needs one waits for it.
    pub(crate) ended: OnceCell<Result<Stream, Verdict>>,
}

type Boxed<'a> = Pin<Box<dyn Future<Output = Verdict> + Send + 'a>>;

/// How a case is tried.
#[derive(Clone, Copy)]
pub enum Check {
    /// By looking at the first stream.
    Sample(fn(&Context) -> Verdict),
    /// With requests of its own.
    Active(for<'a> fn(&'a Context) -> Boxed<'a>),
}

/// One case.
#[derive(Clone, Copy)]
pub struct Case {
    /// Its name, for `--only` and `--skip`.
    pub name: &'static str,
    /// The rule.
    pub rule: &'static str,
    /// Where the rule comes from.
    pub source: &'static str,
    /// How bad a finding is.
    pub severity: Severity,
    /// Whether there must be a stream at all.
    pub needs_stream: bool,
    /// Whether it needs the first stream to have been listened to.
    pub listens: bool,
    /// How it is tried.
    pub check: Check,
}
