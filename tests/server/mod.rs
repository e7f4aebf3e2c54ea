//! The program `server`: when it may be asked, what it holds, and how it leaves. That its streams are what streams are, the tests of `local`
//! and `sse-check` say, which is the same server.

mod documents;
mod drain;
mod heads;
mod herd;
mod limits;
mod readiness;

use std::time::Duration;

/// Nothing here takes that long; a hang fails one test and not the run.
const LIMIT: Duration = Duration::from_secs(60);
const STREAM: &str = contract::routes::STREAM;
