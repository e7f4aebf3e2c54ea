//! The time as rows and headers write it, and waiting for conditions.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::macros::format_description;

/// What a busy machine may add to a time that is planned. Where a test says "at most", what it tells apart from that comes later
/// than this, or never; how exact a plan is, the tests of the pure code say, which have no clock.
pub(crate) const BUSY: Duration = Duration::from_secs(5);

/// Milliseconds since 1970.
pub(crate) fn epoch_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is after 1970");
    u64::try_from(since.as_millis()).expect("the clock is before the year 500 million")
}

/// A moment so long ago, RFC 3339 UTC with milliseconds, as the tables hold it.
pub(crate) fn ago(duration: Duration) -> String {
    rfc3339(SystemTime::now() - duration)
}

/// A moment, RFC 3339 UTC with milliseconds.
pub(crate) fn rfc3339(moment: SystemTime) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    OffsetDateTime::from(moment).format(format).expect("every moment can be written so")
}

/// Reads RFC 3339, as milliseconds since 1970.
pub(crate) fn parse_ms(text: &str) -> i128 {
    let moment = OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339);
    moment.unwrap_or_else(|error| panic!("`{text}` is not RFC 3339: {error}")).unix_timestamp_nanos() / 1_000_000
}

/// Looks every 10 ms until `look` finds something; fails with `what` at the limit.
pub(crate) async fn until<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let wait = async {
        loop {
            if let Some(found) = look() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let Ok(found) = tokio::time::timeout(limit, wait).await else { panic!("{what}: not within {limit:?}") };
    found
}
