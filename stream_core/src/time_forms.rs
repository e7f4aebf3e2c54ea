//! In which forms a table writes its times, and between which texts all rows of a range lie. The table compares times as
//! texts; what sorts otherwise than its time is found because the bounds are as wide as the forms that were met need.

use std::time::Duration;

use crate::moment::TimeRange;
use crate::timestamp::{Timestamp, Written};

/// Room for a clock that is put forward or back, minutes: the zone of a table that has one changes twice a year.
const SUMMER_TIME_MINUTES: u32 = 60;
const MINUTE_MILLIS: u64 = 60_000;

/// The forms of a table's times, as far as they are known.
///
/// What holds: if every row of a range is written in a form that [`TimeForms::note`] was told of, its text lies within
/// [`TimeForms::bounds`] of the range. A row of a form that is new to an instance may lie outside, and be found later: at
/// the latest by the full reading after an instance knows the form.
///
/// Of a table that has one separator and is in UTC the bounds are exact to the second, and to the minute if some texts end
/// there. Zones cost as many hours of rows as they are away from UTC, two separators the rows of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeForms {
    /// The separators that sort first and last; none where no row was met.
    separators: Option<(u8, u8)>,
    some_end_at_minute: bool,
    /// How far texts are ahead of UTC, minutes, and how far behind.
    ahead: u32,
    behind: u32,
}

impl TimeForms {
    /// Nothing is known yet: bounds are those of texts such as `2025-12-02T10:30:00Z`.
    pub const UNKNOWN: Self = Self { separators: None, some_end_at_minute: false, ahead: 0, behind: 0 };
    /// Everything that the world's clocks show, which are from 12 hours behind UTC to 14 ahead.
    pub const ALL: Self =
        Self { separators: Some((b' ', b't')), some_end_at_minute: true, ahead: 14 * 60, behind: 12 * 60 };

    /// Notes the form of a time.
    pub fn note(&mut self, written: Written) {
        let (first, last) = self.separators.unwrap_or((written.separator, written.separator));
        self.separators = Some((first.min(written.separator), last.max(written.separator)));
        self.some_end_at_minute |= written.ends_at_minute;
        if written.offset_minutes != 0 {
            let minutes = u32::from(written.offset_minutes.unsigned_abs()) + SUMMER_TIME_MINUTES;
            let side = if written.offset_minutes > 0 { &mut self.ahead } else { &mut self.behind };
            *side = minutes.max(*side);
        }
    }

    /// Forms of either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let separators = match (self.separators, other.separators) {
            (Some(one), Some(two)) => Some((one.0.min(two.0), one.1.max(two.1))),
            (one, two) => one.or(two),
        };
        Self {
            separators,
            some_end_at_minute: self.some_end_at_minute || other.some_end_at_minute,
            ahead: self.ahead.max(other.ahead),
            behind: self.behind.max(other.behind),
        }
    }

    /// First and last text that a row of the range may have. Texts of other rows may lie between them.
    ///
    /// The lower bound is a second without fraction and zone, or a minute where some texts end there: `22:40+0000` sorts
    /// before `22:40:00`. The upper one is the second that follows, or the minute: `22:40Z` sorts after `22:40:59`.
    #[must_use]
    pub fn bounds(self, range: TimeRange) -> (String, String) {
        let (first, last) = self.separators.unwrap_or((b'T', b'T'));
        let minutes = |minutes: u32| Duration::from_millis(u64::from(minutes) * MINUTE_MILLIS);
        let step = minutes(1);
        let (from, to) = (range.after.plus(Duration::from_millis(1)), range.until);
        let (from, to) = (from.minus(minutes(self.behind)), to.plus(minutes(self.ahead)));
        if self.some_end_at_minute {
            (prefix(from, first, 16), prefix(to.plus(step), last, 16))
        } else {
            (prefix(from, first, 19), prefix(to.plus(Duration::from_secs(1)), last, 19))
        }
    }
}

/// So many characters of a time, with this separator.
fn prefix(at: Timestamp, separator: u8, length: usize) -> String {
    let mut text = at.second_prefix();
    text.truncate(length);
    if separator != b'T' {
        text.replace_range(10..11, char::from(separator).encode_utf8(&mut [0; 4]));
    }
    text
}

/// Whether the times of one separator come in the order of their texts, newest first and to the minute. Where they do not,
/// the last row of a page says nothing of the next page.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TextOrder {
    separator: Option<u8>,
    is_mixed: bool,
}

impl TextOrder {
    /// Notes the text of a row, which parsed.
    pub(crate) fn note(&mut self, text: &str) {
        if self.is_mixed {
            return;
        }
        let bytes = text.as_bytes();
        let is_usual = bytes.last() == Some(&b'Z') && bytes.get(10) == Some(&b'T');
        let separator = *self.separator.get_or_insert(bytes.get(10).copied().unwrap_or(b'T'));
        if !(is_usual && separator == b'T') {
            self.is_mixed = !Written::parse(text).is_ok_and(|written| written.sorts_with(separator));
        }
    }

    /// Whether some rows sort otherwise than their times.
    pub(crate) const fn is_mixed(self) -> bool {
        self.is_mixed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn forms(texts: &[&str]) -> TimeForms {
        let mut forms = TimeForms::UNKNOWN;
        for text in texts {
            forms.note(Written::parse(text).unwrap());
        }
        forms
    }

    #[test]
    fn bounds_of_the_usual_form_are_whole_seconds_that_take_in_every_form_of_a_time() {
        let range = TimeRange { after: at("2025-12-02T10:29:59.999Z"), until: at("2025-12-02T11:00:00.500Z") };
        let expected = ("2025-12-02T10:30:00".to_owned(), "2025-12-02T11:00:01".to_owned());
        assert_eq!(TimeForms::UNKNOWN.bounds(range), expected);
        assert_eq!(forms(&["2025-12-02T10:30:00.25+0000", "2025-12-02T10:30:00z"]).bounds(range), expected);
        assert!("2025-12-02T11:00:00.500Z" <= expected.1.as_str());
    }

    #[test]
    fn bounds_are_as_wide_as_the_forms_that_were_met_need() {
        let range = TimeRange { after: at("2025-12-02T10:30:29.999Z"), until: at("2025-12-02T11:00:30.500Z") };
        let check = |met: &[&str], from: &str, to: &str| {
            assert_eq!(forms(met).bounds(range), (from.to_owned(), to.to_owned()), "{met:?}");
        };
        check(&["2025-12-02 10:30:00Z"], "2025-12-02 10:30:30", "2025-12-02 11:00:31");
        check(&["2025-12-02 10:30:00Z", "2025-12-02T10:30:00Z"], "2025-12-02 10:30:30", "2025-12-02T11:00:31");
        check(&["2025-12-02t10:30:00Z", "2025-12-02T10:30:00Z"], "2025-12-02T10:30:30", "2025-12-02t11:00:31");
        check(&["2025-12-02T10:30Z"], "2025-12-02T10:30", "2025-12-02T11:01");
        check(&["2025-12-02T10:30:00-0530"], "2025-12-02T04:00:30", "2025-12-02T11:00:31");
        check(&["2025-12-02T10:30:00+09:00"], "2025-12-02T10:30:30", "2025-12-02T21:00:31");
    }

    #[test]
    fn every_text_of_a_range_lies_between_its_bounds_once_its_form_was_met() {
        let texts = [
            "2025-12-02T10:30:00Z",
            "2025-12-02T10:30:00.999999z",
            "2025-12-02 10:30:00+00",
            "2025-12-02t10:30:00 +0000",
            "2025-12-02T10:30Z",
            "2025-12-02T10:30z",
            "2025-12-02T10:30+0000",
            "2025-12-02 10:30-00:00",
            "2025-12-02T05:00:00-0530",
            "2025-12-03 00:30+14:00",
            "2025-12-01t22:30:00.5-1200",
            "2025-12-02T12:30+02:00[Africa/Cairo]",
        ];
        for text in texts {
            let at = at(text);
            let range = TimeRange { after: at.before(), until: at };
            for forms in [forms(&[text]), forms(&texts), TimeForms::ALL, forms(&[text]).or(TimeForms::UNKNOWN)] {
                let (from, to) = forms.bounds(range);
                assert!(*from <= *text && *text <= *to, "{text} is not between {from} and {to}");
            }
        }
    }

    #[test]
    fn texts_of_one_separator_in_utc_are_in_order_and_others_are_not() {
        let is_mixed = |texts: &[&str]| {
            let mut order = TextOrder::default();
            for text in texts {
                order.note(text);
            }
            order.is_mixed()
        };
        assert!(!is_mixed(&["2025-12-02T10:30:00Z", "2025-12-02T10:30:00+00:00", "2025-12-02T10:30z"]));
        assert!(!is_mixed(&["2025-12-02 10:30:00Z", "2025-12-02 10:30:00+0000"]));
        assert!(is_mixed(&["2025-12-02 10:30:00Z", "2025-12-02T10:30:00Z"]));
        assert!(is_mixed(&["2025-12-02T10:30:00Z", "2025-12-02t10:30:00Z"]));
        assert!(is_mixed(&["2025-12-02T10:30:00+01"]));
    }
}
