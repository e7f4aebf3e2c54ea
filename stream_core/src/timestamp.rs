//! Points in time as the table, the ids and the wire write them.

use std::fmt;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Milliseconds since 1970-01-01T00:00:00Z, at most the year 9999.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

/// Why a text is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// It has another form, or there is no such day or hour.
    #[error("is no RFC 3339 time, such as `2025-12-02T10:30:00Z`")]
    Form,
    /// It is a time of nobody knows where.
    #[error("says no zone; `data.time_zone` must name it, where times do not end in one, such as `Z` or `+0000`")]
    NoZone,
    /// It is no number.
    #[error("is no number of seconds or milliseconds since 1970")]
    Number,
    /// It is a text of so many digits as a format has that is not the one in use.
    #[error("is digits and no RFC 3339 time; `data.time_format = \"{0}\"` reads them as counted from 1970")]
    Counted(&'static str),
    /// It is no text of ten digits, or of thirteen.
    #[error("is no text of 10 digits of seconds or 13 of milliseconds since 1970, as `data.time_format` says")]
    Width,
    /// It is a time before 1970 or after 9999.
    #[error("is not from the years 1970 to 9999, in UTC")]
    Year,
}

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);
    /// Last millisecond that has a four-digit year.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// Makes a time from milliseconds since 1970; later times than [`Timestamp::MAX`] become it.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        if millis > Self::MAX.0 { Self::MAX } else { Self(millis) }
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// Parses a time of RFC 3339; decimals after the third are cut off.
    ///
    /// # Errors
    /// [`TimestampError`], which says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| TimestampError::Form)?;
        let millis = time.unix_timestamp_nanos().div_euclid(1_000_000);
        let millis = u64::try_from(millis).map_err(|_| TimestampError::Year)?;
        if millis > Self::MAX.0 { Err(TimestampError::Year) } else { Ok(Self(millis)) }
    }

    /// Adds a duration, up to [`Timestamp::MAX`].
    #[must_use]
    pub const fn plus(self, duration: Duration) -> Self {
        Self::from_millis(self.0.saturating_add(whole_millis(duration)))
    }

    /// Subtracts a duration, down to 1970.
    #[must_use]
    pub const fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(whole_millis(duration)))
    }

    /// The millisecond before.
    #[must_use]
    pub const fn before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// The whole second this time lies in.
    #[must_use]
    pub const fn floor_second(self) -> Self {
        Self(self.0 - self.0 % 1000)
    }

    /// Writes the second without fraction and zone: every RFC 3339 text of this second, and of later ones, sorts at or
    /// after it, whatever its fraction; every text of an earlier second sorts before it.
    #[must_use]
    pub fn second_prefix(self) -> String {
        let mut text = self.to_string();
        text.truncate("2025-12-02T10:30:00".len());
        text
    }
}

#[expect(clippy::cast_possible_truncation, reason = "limits keep durations far below 2^64 milliseconds")]
const fn whole_millis(duration: Duration) -> u64 {
    duration.as_millis() as u64
}

/// `2025-12-02T10:30:00.000Z`: RFC 3339, UTC, always three decimals.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .expect("the constructors keep the year below 10000");
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            time.year(),
            u8::from(time.month()),
            time.day(),
            time.hour(),
            time.minute(),
            time.second(),
            time.millisecond()
        )
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(Timestamp::parse(text).ok().map(|t| t.to_string()).as_deref(), expected, "{text}");
    }

    #[test]
    fn the_standards_own_form_is_taken_with_any_zone() {
        check("2025-12-02T10:30:00Z", Some("2025-12-02T10:30:00.000Z"));
        check("2025-12-02T10:30:00.123456+00:00", Some("2025-12-02T10:30:00.123Z"));
        check("2025-12-02T10:30:00.1Z", Some("2025-12-02T10:30:00.100Z"));
        check("2025-12-02T10:30:00+02:00", Some("2025-12-02T08:30:00.000Z"));
        check("2025-12-31T23:30:00.5-05:30", Some("2026-01-01T05:00:00.500Z"));
        check("2025-12-02T10:30:00-00:00", Some("2025-12-02T10:30:00.000Z"));
        check("1970-01-01T00:00:00Z", Some("1970-01-01T00:00:00.000Z"));
        check("9999-12-31T23:59:59.999Z", Some("9999-12-31T23:59:59.999Z"));
    }

    #[test]
    fn a_second_prefix_sorts_before_every_form_of_its_second_and_after_the_second_before() {
        let prefix = Timestamp::parse("2025-12-02T10:30:00.900Z").unwrap().second_prefix();
        for same in ["2025-12-02T10:30:00Z", "2025-12-02T10:30:00.000Z", "2025-12-02T10:30:00+00:00"] {
            assert!(same >= prefix.as_str());
        }
        for earlier in ["2025-12-02T10:29:59.999999Z", "2025-12-02T10:29:59Z", "2025-12-02T10:29:59+00:00"] {
            assert!(earlier < prefix.as_str());
        }
    }
}
