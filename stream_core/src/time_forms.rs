//! In which forms a table writes its times, and between which texts all rows of a range lie. The table compares times as
//! texts; what sorts otherwise than its time is found because the bounds are as wide as the forms that were met need.

use std::time::Duration;

use crate::moment::TimeRange;
use crate::times::{Times, Written};
use crate::timestamp::Timestamp;

/// Room for a clock that is put forward or back, minutes: the zone of a table that has one changes twice a year.
const SUMMER_TIME_MINUTES: u32 = 60;
const MINUTE_MILLIS: u64 = 60_000;

/// The forms of a table's times, as far as they are known.
///
/// What holds: if every row of a range is written in a form that [`TimeForms::note`] was told of, its text lies within
/// [`TimeForms::bounds`] of the range. A row of a form that is new to an instance may lie outside, and be found later: at
/// the latest by the full reading after an instance knows the form.
///
/// Of a table that has one separator and is in one zone, UTC or the one that the manifest names, the bounds are exact to the
/// second, and to the minute if some texts end there. Other zones cost as many hours of rows as they are away from it, two
/// separators the rows of the day, dates with hyphens and without them those of months.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeForms {
    /// The separators that sort first and last; none where no row was met.
    separators: Option<(u8, u8)>,
    some_end_at_minute: bool,
    /// Whether dates are written without hyphens, where any row was met: some, and all.
    some_are_basic: bool,
    some_are_extended: bool,
    /// The zone that most texts are in: how far its clock is ahead of UTC, minutes.
    zone: i16,
    /// How far texts are ahead of that, minutes, and how far behind.
    ahead: u32,
    behind: u32,
}

impl TimeForms {
    /// Nothing is known yet: bounds are those of texts such as `2025-12-02T10:30:00`, in the table's zone.
    #[must_use]
    pub const fn unknown(times: Times) -> Self {
        Self {
            separators: None,
            some_end_at_minute: false,
            some_are_basic: false,
            some_are_extended: false,
            zone: times.zone_minutes(),
            ahead: 0,
            behind: 0,
        }
    }

    /// Everything that the world's clocks show, which are from 12 hours behind UTC to 14 ahead. That dates may be without
    /// hyphens costs nothing where none is: between the two kinds of text there is only what is to come.
    #[must_use]
    pub fn all(times: Times) -> Self {
        let minutes = |minutes: i16| u32::try_from(minutes).unwrap_or_default();
        let zone = times.zone_minutes();
        Self {
            separators: Some((b' ', b't')),
            some_end_at_minute: true,
            some_are_basic: true,
            some_are_extended: true,
            zone,
            ahead: minutes(14 * 60 - zone),
            behind: minutes(12 * 60 + zone),
        }
    }

    /// Notes the form of a time.
    pub fn note(&mut self, written: Written) {
        let (first, last) = self.separators.unwrap_or((written.separator, written.separator));
        self.separators = Some((first.min(written.separator), last.max(written.separator)));
        self.some_end_at_minute |= written.ends_at_minute;
        self.some_are_basic |= written.is_basic;
        self.some_are_extended |= !written.is_basic;
        let offset = written.offset_minutes - self.zone;
        if offset != 0 {
            let minutes = u32::from(offset.unsigned_abs()) + SUMMER_TIME_MINUTES;
            let side = if offset > 0 { &mut self.ahead } else { &mut self.behind };
            *side = minutes.max(*side);
        }
    }

    /// Forms of either, of one table.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let separators = match (self.separators, other.separators) {
            (Some(one), Some(two)) => Some((one.0.min(two.0), one.1.max(two.1))),
            (one, two) => one.or(two),
        };
        Self {
            separators,
            some_end_at_minute: self.some_end_at_minute || other.some_end_at_minute,
            some_are_basic: self.some_are_basic || other.some_are_basic,
            some_are_extended: self.some_are_extended || other.some_are_extended,
            zone: self.zone,
            ahead: self.ahead.max(other.ahead),
            behind: self.behind.max(other.behind),
        }
    }

    /// The forms as a text, for other instances of the same table.
    #[must_use]
    pub fn to_text(self) -> String {
        let flag = |flag: bool| u8::from(flag);
        let (first, last) = self.separators.unwrap_or_default();
        let Self { some_end_at_minute, some_are_basic, some_are_extended, ahead, behind, .. } = self;
        let flags = flag(some_end_at_minute) | flag(some_are_basic) << 1 | flag(some_are_extended) << 2;
        format!("{first} {last} {flags} {ahead} {behind}")
    }

    /// Reads what another instance knew; `None` where the text is none of ours, or says what no table has.
    #[must_use]
    pub fn from_text(times: Times, text: &str) -> Option<Self> {
        let numbers: Vec<u32> = text.split(' ').map(|number| number.parse().ok()).collect::<Option<_>>()?;
        let [first, last, flags @ 0..8, ahead, behind] = numbers[..] else { return None };
        let separator = |byte: u32| u8::try_from(byte).ok().filter(|byte| b" Tt".contains(byte));
        let separators = if (first, last) == (0, 0) { None } else { Some((separator(first)?, separator(last)?)) };
        let all = Self::all(times);
        let is_possible = ahead <= all.ahead + SUMMER_TIME_MINUTES && behind <= all.behind + SUMMER_TIME_MINUTES;
        let flag = |bit: u32| flags >> bit & 1 == 1;
        is_possible.then(|| Self {
            separators,
            some_end_at_minute: flag(0),
            some_are_basic: flag(1),
            some_are_extended: flag(2),
            ahead,
            behind,
            ..Self::unknown(times)
        })
    }

    /// First and last text that a row of the range may have. Texts of other rows may lie between them.
    ///
    /// The lower bound is a second without fraction and zone, or a minute where some texts end there: `22:40+0000` sorts
    /// before `22:40:00`. The upper one is the second that follows, or the minute: `22:40Z` sorts after `22:40:59`.
    #[must_use]
    pub fn bounds(self, range: TimeRange) -> (String, String) {
        let (first, last) = self.separators.unwrap_or((b'T', b'T'));
        let minutes = |minutes: u32| Duration::from_millis(u64::from(minutes) * MINUTE_MILLIS);
        let (from, to) = (range.after.plus(Duration::from_millis(1)), range.until);
        let shown = |at: Timestamp| match u32::from(self.zone.unsigned_abs()) {
            ahead if self.zone > 0 => at.plus(minutes(ahead)),
            behind => at.minus(minutes(behind)),
        };
        let (from, to) = (shown(from).minus(minutes(self.behind)), shown(to).plus(minutes(self.ahead)));
        let (step, length) = if self.some_end_at_minute { (minutes(1), 16) } else { (Duration::from_secs(1), 19) };
        let (from, to) = (prefix(from, first, length), prefix(to.plus(step), last, length));
        match (self.some_are_basic, self.some_are_extended) {
            (false, _) => (from, to),
            (true, false) => (basic(&from), basic(&to)),
            (true, true) => (basic(&from).min(from), basic(&to).max(to)),
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

/// A time without hyphens and colons.
fn basic(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '-' | ':')).collect()
}

/// Whether the times of a table come in the order of their texts, newest first and to the minute: all of one form. Where they
/// do not, the last row of a page says nothing of the next page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TextOrder {
    times: Times,
    form: Option<(u8, bool, i16)>,
    is_mixed: bool,
}

impl TextOrder {
    /// Knows nothing yet of a table that writes its times so.
    pub(crate) const fn new(times: Times) -> Self {
        Self { times, form: None, is_mixed: false }
    }

    /// Notes the text of a row, which parsed.
    pub(crate) fn note(&mut self, text: &str) {
        // Numbers are compared as numbers.
        if self.is_mixed || self.times.are_counted() {
            return;
        }
        let bytes = text.as_bytes();
        let is_usual = bytes.last() == Some(&b'Z') && bytes.get(10) == Some(&b'T');
        if is_usual && self.form == Some((b'T', false, 0)) {
            return;
        }
        let form = self.times.parse(text).map(|written| (written.separator, written.is_basic, written.offset_minutes));
        self.is_mixed = form.ok().is_none_or(|form| *self.form.get_or_insert(form) != form);
    }

    /// Whether some rows sort otherwise than their times.
    pub(crate) const fn is_mixed(self) -> bool {
        self.is_mixed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Times::TEXTS.parse(text).unwrap().at
    }

    fn forms(texts: &[&str]) -> TimeForms {
        let mut forms = TimeForms::unknown(Times::TEXTS);
        for text in texts {
            forms.note(Times::TEXTS.parse(text).unwrap());
        }
        forms
    }

    #[test]
    fn bounds_of_the_usual_form_are_whole_seconds_that_take_in_every_form_of_a_time() {
        let range = TimeRange { after: at("2025-12-02T10:29:59.999Z"), until: at("2025-12-02T11:00:00.500Z") };
        let expected = ("2025-12-02T10:30:00".to_owned(), "2025-12-02T11:00:01".to_owned());
        assert_eq!(TimeForms::unknown(Times::TEXTS).bounds(range), expected);
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
            "2025-12-02 10:30 UTC",
            "2025-12-02 11:30:00.25 +0100 CET",
        ];
        for text in texts {
            let at = at(text);
            let range = TimeRange { after: at.before(), until: at };
            for forms in [
                forms(&[text]),
                forms(&texts),
                TimeForms::all(Times::TEXTS),
                forms(&[text]).or(TimeForms::unknown(Times::TEXTS)),
            ] {
                let (from, to) = forms.bounds(range);
                assert!(*from <= *text && *text <= *to, "{text} is not between {from} and {to}");
            }
        }
    }

    /// A text of the moment so many milliseconds after 1970, in one of the forms that tables have.
    fn text_of(millis: u64, (separator, zone, end, is_basic): (char, &str, &str, bool)) -> String {
        let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
        let minutes = |text: &str| text.parse::<u64>().unwrap_or_default();
        let offset = digits.get(..2).map_or(0, minutes) * 60 + digits.get(2..4).map_or(0, minutes);
        let at = Timestamp::from_millis(millis);
        let clock = Duration::from_secs(offset * 60);
        let shown = if zone.trim().starts_with('-') { at.minus(clock) } else { at.plus(clock) }.to_string();
        let (second, decimals) = (&shown[..19], &shown[20..23]);
        let text = match end {
            "minute" => second[..16].to_owned(),
            "second" => second.to_owned(),
            "short" => format!("{second}.{decimals}").trim_end_matches('0').trim_end_matches('.').to_owned(),
            long => format!("{second}.{decimals}{long}"),
        };
        let text = text.replacen('T', &separator.to_string(), 1);
        let text = if is_basic { basic(&text) } else { text };
        format!("{text}{zone}")
    }

    proptest! {
        // Edges are where a text is shorter than its bound, or sorts after it by what stands where the bound has ended.
        #[test]
        fn a_text_of_any_form_lies_between_the_bounds_where_its_time_is_in_the_range(
            after_secs in (26_000_000..31_000_000_u64, prop_oneof![Just(0_u64), 0..60_u64]).prop_map(|(minute, s)| minute * 60 + s),
            length in prop_oneof![Just(0_u64), 0..3_000_u64, 0..200_000_000_u64],
            edge in prop_oneof![Just(0_u64), 0..1_500_u64, 0..61_000_u64],
            is_at_end in any::<bool>(),
            separator in prop_oneof![Just('T'), Just('t'), Just(' ')],
            zone in prop::sample::select(vec![
                "Z", "z", "+00:00", "+0000", "-00:00", "+00", " UTC", " +0000", "+05:30", "-0330", "+14", "-12:00", " +0100 CET",
                "+01:00[Europe/Paris]",
            ]),
            end in prop::sample::select(vec!["minute", "second", "short", "", "0", "999999"]),
            is_basic in any::<bool>(),
        ) {
            // Requests begin at a whole second.
            let range = TimeRange {
                after: Timestamp::from_millis(after_secs * 1000 - 1),
                until: Timestamp::from_millis(after_secs * 1000 + length),
            };
            let (first, last) = (range.after.millis() + 1, range.until.millis());
            let millis = if is_at_end { last.saturating_sub(edge).max(first) } else { (first + edge).min(last) };
            let text = text_of(millis, (separator, zone, end, is_basic));
            let written = Times::TEXTS.parse(&text).unwrap();
            if range.contains(written.at) {
                for forms in [forms(&[&text]), TimeForms::all(Times::TEXTS), forms(&[&text, "2025-12-02T10:30:00Z"])] {
                    let (from, to) = forms.bounds(range);
                    prop_assert!(*from <= *text && *text <= *to, "{text} is not between {from} and {to}");
                }
            }
        }
    }

    #[test]
    fn texts_of_one_separator_in_utc_are_in_order_and_others_are_not() {
        let is_mixed = |texts: &[&str]| {
            let mut order = TextOrder::new(Times::TEXTS);
            for text in texts {
                order.note(text);
            }
            order.is_mixed()
        };
        assert!(!is_mixed(&["2025-12-02T10:30:00Z", "2025-12-02T10:30:00+00:00", "2025-12-02T10:30z"]));
        assert!(!is_mixed(&["2025-12-02 10:30:00Z", "2025-12-02 10:30:00+0000"]));
        assert!(is_mixed(&["2025-12-02 10:30:00Z", "2025-12-02T10:30:00Z"]));
        assert!(is_mixed(&["2025-12-02T10:30:00Z", "2025-12-02t10:30:00Z"]));
        assert!(!is_mixed(&["2025-12-02T10:30:00+01", "2025-12-02T10:31+0100"]));
        assert!(is_mixed(&["2025-12-02T10:30:00+01", "2025-12-02T10:30:00+02"]));
    }

    #[test]
    fn a_table_in_one_zone_is_read_to_the_second_where_the_manifest_names_it() {
        let data = |name: &str| match name {
            "SENTIMENTS_TABLE" => Some("items".to_owned()),
            "USERS_TABLE" => Some("users".to_owned()),
            "DATA_TIME_ZONE" => Some("-05:00".to_owned()),
            _ => None,
        };
        let times = Times::of(&contract::DataSettings::from_env(&data).unwrap());
        let range = TimeRange { after: at("2025-12-02T10:30:29.999Z"), until: at("2025-12-02T11:00:30.500Z") };
        let check = |met: &[&str], from: &str, to: &str| {
            let mut forms = TimeForms::unknown(times);
            met.iter().for_each(|text| forms.note(times.parse(text).unwrap()));
            assert_eq!(forms.bounds(range), (from.to_owned(), to.to_owned()), "{met:?}");
        };
        check(&["2025-12-02T05:30:00"], "2025-12-02T05:30:30", "2025-12-02T06:00:31");
        check(&["20251202T053000"], "20251202T053030", "20251202T060031");
        check(&["20251202T0530", "2025-12-02T05:30"], "2025-12-02T05:30", "20251202T0601");
        check(&["2025-12-02T05:30:00", "2025-12-02T10:30:00Z"], "2025-12-02T05:30:30", "2025-12-02T12:00:31");
        // What has any form lies between the bounds of all.
        for text in ["20251202T053045", "2025-12-02 05:30:45,5", "2025-12-02T10:30:45Z", "20251203T003045+1400"] {
            let (from, to) = TimeForms::all(times).bounds(range);
            assert!(range.contains(times.parse(text).unwrap().at) && *from <= *text && *text <= *to, "{text}");
        }
    }
}
