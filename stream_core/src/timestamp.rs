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
    #[error("says no zone; a time must end in one, such as `Z` or `+0000`")]
    NoZone,
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

    /// Parses a time as [`Written::parse`] does.
    ///
    /// # Errors
    /// [`TimestampError`], which says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        Written::parse(text).map(|written| written.at)
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

    /// The whole hour this time lies in.
    #[must_use]
    pub const fn floor_hour(self) -> Self {
        Self(self.0 - self.0 % 3_600_000)
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

/// A time with the form in which it is written, on which depends how its text sorts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The time.
    pub at: Timestamp,
    /// What stands between date and time of day: `b'T'`, `b't'` or a space.
    pub separator: u8,
    /// Whether the text ends its time of day at the minute.
    pub ends_at_minute: bool,
    /// How much later than UTC the clock is that the text shows, minutes.
    pub offset_minutes: i16,
}

impl Written {
    /// Parses RFC 3339 as programs write it. Beyond the standard's own form: a space or `t` for `T`, no seconds, any number
    /// of decimals (those after the third are cut off), `z`, and zones as `+0530`, `+05`, after one space, and with a name
    /// in brackets after them.
    ///
    /// # Errors
    /// [`TimestampError`], which says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        if is_usual(text)
            && let Ok(time) = OffsetDateTime::parse(text, &Rfc3339)
        {
            return Ok(Self { at: to_timestamp(time)?, separator: b'T', ends_at_minute: false, offset_minutes: 0 });
        }
        let parts = Parts::of(text)?;
        let time = OffsetDateTime::parse(&parts.to_rfc_3339(), &Rfc3339).map_err(|_| TimestampError::Form)?;
        Ok(Self {
            at: to_timestamp(time)?,
            separator: parts.separator,
            ends_at_minute: parts.seconds.is_empty(),
            offset_minutes: time.offset().whole_minutes(),
        })
    }

    /// Whether texts with this separator sort as their times do, to the minute.
    #[must_use]
    pub fn sorts_with(self, separator: u8) -> bool {
        self.separator == separator && self.offset_minutes == 0
    }
}

/// Whether a text has the form that most tables have, which is parsed as it is.
fn is_usual(text: &str) -> bool {
    let is_utc = text.ends_with('Z') || text.ends_with("+00:00");
    // Up to nine decimals.
    is_utc && (20..=35).contains(&text.len()) && text.as_bytes()[10] == b'T'
}

fn to_timestamp(time: OffsetDateTime) -> Result<Timestamp, TimestampError> {
    let millis = time.unix_timestamp_nanos().div_euclid(1_000_000);
    let millis = u64::try_from(millis).map_err(|_| TimestampError::Year)?;
    if millis > Timestamp::MAX.0 { Err(TimestampError::Year) } else { Ok(Timestamp(millis)) }
}

/// The parts of a text, of which only the lengths are checked.
struct Parts<'a> {
    date: &'a str,
    separator: u8,
    /// `10:30`.
    minutes: &'a str,
    /// `:00` or nothing.
    seconds: &'a str,
    /// `.123` or nothing.
    fraction: &'a str,
    /// `Z`, `z`, or a sign and digits, with a colon among them or not.
    zone: &'a str,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Result<Self, TimestampError> {
        let form = || TimestampError::Form;
        if !text.is_ascii() {
            return Err(TimestampError::Form);
        }
        if has_no_zone(text) {
            return Err(TimestampError::NoZone);
        }
        // `+01:00[Europe/Paris]`, as Java's `ZonedDateTime` writes it: the offset says all.
        let text = text.strip_suffix(']').and_then(|text| text.split_once('[')).map_or(text, |(text, _)| text);
        let (date, rest) = text.split_at_checked(10).ok_or_else(form)?;
        let separator = rest.bytes().next().filter(|byte| b"Tt ".contains(byte)).ok_or_else(form)?;
        let rest = &rest[1..];
        let (clock, zone) = rest.split_at(rest.find(['Z', 'z', '+', '-']).ok_or_else(form)?);
        let clock = clock.strip_suffix(' ').unwrap_or(clock);
        let (clock, fraction) = clock.split_at(clock.find('.').unwrap_or(clock.len()));
        let (minutes, seconds) = clock.split_at_checked(5).ok_or_else(form)?;
        let is_fraction = fraction.is_empty()
            || !seconds.is_empty() && fraction.len() > 1 && fraction[1..].bytes().all(|byte| byte.is_ascii_digit());
        if is_fraction && (seconds.is_empty() || seconds.len() == 3) {
            Ok(Self { date, separator, minutes, seconds, fraction, zone })
        } else {
            Err(TimestampError::Form)
        }
    }

    /// The text as the standard has it, to be judged by one who knows how long months are.
    fn to_rfc_3339(&self) -> String {
        let Self { date, minutes, seconds, fraction, zone, .. } = self;
        let seconds = if seconds.is_empty() { ":00" } else { seconds };
        let fraction = &fraction[..fraction.len().min(4)];
        let zone = match zone.len() {
            1 => zone.to_ascii_uppercase(),
            3 => format!("{zone}:00"),
            5 => format!("{}:{}", &zone[..3], &zone[3..]),
            _ => (*zone).to_owned(),
        };
        format!("{date}T{minutes}{seconds}{fraction}{zone}")
    }
}

/// Whether a text is a date, or a date and a time of day, and nothing after it: `2025-12-02 10:30:00`, `20251202T103000`.
fn has_no_zone(text: &str) -> bool {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (date, clock) = text.split_once(['T', 't', ' ']).unwrap_or((text, "0"));
    let is_date = match date.len() {
        8 => is_digits(date) && date.len() < text.len(),
        10 => date.split('-').map(str::len).eq([4, 2, 2]) && date.split('-').all(is_digits),
        _ => false,
    };
    is_date && clock.split([':', '.', ',']).all(is_digits)
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
    fn what_programs_make_of_the_standard_is_taken() {
        let time = Some("2026-11-27T22:40:05.678Z");
        // PynamoDB; Python's `str`, with and without `sep`; PostgreSQL; Ruby; Java.
        check("2026-11-27T22:40:05.678901+0000", time);
        check("2026-11-27T17:10:05.678901-0530", time);
        check("2026-11-27 22:40:05.678+00:00", time);
        check("2026-11-28 07:40:05.678+09", time);
        check("2026-11-27 22:40:05.678 +0000", time);
        check("2026-11-27T23:40:05.678+01:00[Europe/Paris]", time);
        check("2026-11-27T22:40:05.678Z[UTC]", time);
        check("2026-11-27t22:40:05.678z", time);
        check("2026-11-27T22:40:05.6789999999999999999999999999999999999999999999999999Z", time);
        for minute in ["2026-11-27T22:40Z", "2026-11-27 22:40+00:00", "2026-11-27t22:40z", "2026-11-27T22:40+0000"] {
            check(minute, Some("2026-11-27T22:40:00.000Z"));
        }
    }

    #[test]
    fn a_time_without_a_zone_is_told_from_what_is_no_time() {
        let fault = |text: &str| Timestamp::parse(text).map_err(|error| (text.to_owned(), error));
        for text in [
            "2025-12-02",
            "2025-12-02T10:30:00",
            "2025-12-02 10:30:00.123",
            "2025-12-02 10:30:00,123",
            "2025-12-02 10:30",
            "20251202T103000",
            "20251202t1030",
        ] {
            assert_eq!(fault(text), Err((text.to_owned(), TimestampError::NoZone)));
        }
        for text in [
            "",
            "yesterday",
            "20251202",
            "1764671400",
            "2025-12-02Z",
            "2025-13-02T10:30:00Z",
            "2025-02-29 10:30:00+0000",
            "2025-12-02T24:00:00+0000",
            "2025-12-02T10:60Z",
            "2025-12-02T1:30:00+0000",
            "2025-12-02T10Z",
            "2025-12-02T10:30.5Z",
            "2025-12-02T10:30:00.Z",
            "2025-12-02T10:30:00.-5Z",
            "2025-12-02T10:30:00  +0000",
            "2025-12-02T10:30:00+5",
            "2025-12-02T10:30:00+053",
            "2025-12-02T10:30:00+05300",
            "2025-12-02T10:30:00+2500",
            "2025-12-02T10:30:00+0060",
            "2025-12-02T10:30:00 EST",
            "2025-12-02T10:30:00Zulu",
            "2025-12-02T10:30:00[UTC]",
            "2025-12-02_10:30:00Z",
            " 2025-12-02T10:30:00Z",
            "2025-12-02T10:30:00Z ",
            "١٢٣٤-12-02T10:30:00Z",
        ] {
            assert_eq!(fault(text), Err((text.to_owned(), TimestampError::Form)));
        }
        for text in ["1969-12-31T23:59:59Z", "1970-01-01T00:59:59+01:00", "9999-12-31T23:59:59-0001"] {
            assert_eq!(fault(text), Err((text.to_owned(), TimestampError::Year)));
        }
    }

    #[test]
    fn the_form_of_a_text_is_known_beside_its_time() {
        let form = |text: &str| {
            let written = Written::parse(text).unwrap();
            (written.separator, written.ends_at_minute, written.offset_minutes)
        };
        assert_eq!(form("2025-12-02T10:30:00Z"), (b'T', false, 0));
        assert_eq!(form("2025-12-02t10:30Z"), (b't', true, 0));
        assert_eq!(form("2025-12-02 10:30:00-0530"), (b' ', false, -330));
        assert_eq!(form("2025-12-02T10:30:00.5+14"), (b'T', false, 840));
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
