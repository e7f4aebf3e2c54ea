//! Segments: the stream for everybody in parts that a shared cache may hand to many viewers, since all that one says to its end is the same
//! for each of them.
//!
//! A segment is what follows an id, or what a newcomer gets; its end is the same for all, and with it the next thing that is asked for. So
//! a thousand viewers who watch the same are one request. Whoever comes late gets what the others have had, and then what comes.

use std::time::Duration;

use axum::response::Response;
use contract::{SegmentSettings, limits};
use http::{HeaderValue, header};
use stream_core::cursor::MetricsMark;
use stream_core::timestamp::Timestamp;

/// One segment, as it begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    /// Time until it ends.
    pub(super) left: Duration,
    /// When its viewers shall come back.
    pub(super) reconnect: Duration,
    /// What the id is marked with where it ends early.
    pub(super) early_mark: MetricsMark,
}

impl Segment {
    /// Begins one, which ends with all the others of the length: two that began apart are followed by one, unless their ids differ.
    pub(super) fn begin(settings: &SegmentSettings, wall: Timestamp) -> Self {
        let [a, b, c, ..] = fastrand::u64(..).to_be_bytes();
        Self {
            left: left(settings.length.get(), wall),
            reconnect: Duration::from_millis(fastrand::u64(
                limits::SEGMENT_RECONNECT_MIN_MS..=limits::RECONNECT_MAX_MS,
            )),
            early_mark: [a, b, c],
        }
    }
}

/// Time until the next whole multiple of `length` since 1970, or until the one after that where the next one is too near.
fn left(length: Duration, wall: Timestamp) -> Duration {
    let millis = u64::try_from(length.as_millis()).unwrap_or(u64::MAX).max(1);
    let left = Duration::from_millis(millis - wall.millis() % millis);
    if left < limits::SEGMENT_LEFT_MIN { left + length } else { left }
}

/// Lets a cache keep an answer for as long as it lasts, to the nearest second: who comes back does so a second after its end.
pub(super) fn keep(mut response: Response, lasts: Duration) -> Response {
    let secs = (lasts + Duration::from_millis(500)).as_secs();
    let value = format!("public, max-age={secs}, must-revalidate, no-transform");
    let value = HeaderValue::from_str(&value).expect("digits and letters are a header");
    response.headers_mut().insert(header::CACHE_CONTROL, value);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_segments_of_a_length_end_together() {
        let length = Duration::from_secs(110);
        for millis in [0, 1, 108_000, 108_001, 109_999, 110_000, 1_795_976_012_345] {
            let left = left(length, Timestamp::from_millis(millis));
            assert!(
                (limits::SEGMENT_LEFT_MIN..length + limits::SEGMENT_LEFT_MIN).contains(&left),
                "{millis}: {left:?}"
            );
            let end = millis + u64::try_from(left.as_millis()).unwrap();
            assert_eq!(end % 110_000, 0, "{millis}");
        }
    }

    #[test]
    fn a_cache_keeps_an_answer_until_it_ends() {
        for (millis, expected) in [(110_000, 110), (109_501, 110), (10_499, 10), (2_000, 2)] {
            let response = keep(Response::default(), Duration::from_millis(millis));
            let expected = format!("public, max-age={expected}, must-revalidate, no-transform");
            assert_eq!(response.headers()[header::CACHE_CONTROL], expected);
        }
    }
}
