//! The zone of a table's times.

use std::fmt;

use crate::names::NameError;
use crate::values::{SettingValue, optional_setting};

/// The zone of times that name none: how far its clock is ahead of UTC, minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeZone(i16);

impl TimeZone {
    /// The rule, as error messages print it.
    pub const RULE: &'static str = "`UTC`, or hours and minutes from it, -12:00 to +14:00, such as `+05:30`";
    /// The zone of who has none.
    pub const UTC: Self = Self(0);

    /// Checks and takes the zone. A place is none: what its clock shows changes twice a year.
    ///
    /// # Errors
    /// [`NameError`] with the text and the rule.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let error = || NameError::new(text, "time zone", Self::RULE);
        if matches!(text, "UTC" | "Z") {
            return Ok(Self::UTC);
        }
        let (sign, digits) = match text.split_at_checked(1) {
            Some(("+", digits)) => (1, digits),
            Some(("-", digits)) => (-1, digits),
            _ => return Err(error()),
        };
        let (hours, minutes) = digits.split_once(':').ok_or_else(error)?;
        let number = |text: &str| {
            let is_two = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            if is_two { text.parse::<i16>().map_err(|_| error()) } else { Err(error()) }
        };
        let (hours, minutes) = (number(hours)?, number(minutes)?);
        let offset = sign * (hours * 60 + minutes);
        if minutes < 60 && (-12 * 60..=14 * 60).contains(&offset) { Ok(Self(offset)) } else { Err(error()) }
    }

    /// Minutes that its clock is ahead of UTC.
    #[must_use]
    pub const fn minutes(self) -> i16 {
        self.0
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, minutes) = (if self.0 < 0 { '-' } else { '+' }, self.0.unsigned_abs());
        match minutes {
            0 => f.write_str("UTC"),
            _ => write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60),
        }
    }
}

impl SettingValue for TimeZone {
    fn read(text: &str) -> Result<Self, String> {
        Self::new(text).map_err(|error| error.to_string())
    }
    fn write(&self) -> String {
        self.to_string()
    }
    fn rule() -> String {
        Self::RULE.to_owned()
    }
}
optional_setting!(TimeZone, "where every time names its own");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_an_offset_that_the_world_has() {
        for (text, minutes) in [("UTC", 0), ("Z", 0), ("+00:00", 0), ("+05:30", 330), ("-09:30", -570), ("+14:00", 840)]
        {
            let zone = TimeZone::new(text).unwrap();
            assert_eq!(zone.minutes(), minutes, "{text}");
            assert_eq!(TimeZone::new(&zone.to_string()), Ok(zone));
        }
        for bad in
            ["", "utc", "Europe/Berlin", "CET", "+5", "+0530", "5:30", "+05:60", "+14:01", "-12:30", "+é5:30", "++5:30"]
        {
            assert!(TimeZone::new(bad).is_err(), "{bad}");
        }
    }
}
