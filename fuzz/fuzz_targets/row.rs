//! Rows of a table that anybody writes to: parsed or skipped, and what parsed makes one well-formed event for each ticker, and is
//! found by a query for its time.
#![no_main]

use std::time::Duration;

use arbitrary::Arbitrary;
use contract::{AttributePath, DataSettings, TableName, TimeFormat, TimeZone, limits};
use lambda::store::dynamodb::row;
use libfuzzer_sys::fuzz_target;
use stream_core::event;
use stream_core::moment::TimeRange;
use stream_core::time_forms::TimeForms;
use stream_core::times::Times;
use stream_core::timestamp::Timestamp;

#[path = "../../tests/support/decoder.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod decoder;

#[derive(Arbitrary, Debug)]
enum Value {
    S(String),
    N(String),
    Number(f64),
    Ss(Vec<String>),
    Ns(Vec<f64>),
    L(Vec<Value>),
    M(String, Box<Value>),
    B(Vec<u8>),
    Bool(bool),
    Null,
}

impl From<Value> for row::Value<'static> {
    fn from(value: Value) -> Self {
        match value {
            Value::S(text) => Self::S(text.into()),
            Value::N(text) => Self::N(text.into()),
            Value::Number(number) => Self::N(number.to_string().into()),
            Value::Ss(texts) => Self::Ss(texts.into_iter().map(Into::into).collect()),
            Value::Ns(numbers) => Self::Ns(numbers.iter().map(|number| number.to_string().into()).collect()),
            Value::L(values) => Self::L(values.into_iter().map(Self::from).collect()),
            Value::M(name, value) => Self::M([(name, Self::from(*value))].into_iter().collect()),
            Value::B(bytes) => Self::B(String::from_utf8_lossy(&bytes).into_owned().into()),
            Value::Bool(value) => Self::Bool(value),
            Value::Null => Self::Null(true),
        }
    }
}

/// How the time is written.
#[derive(Arbitrary, Debug)]
struct TimeForm {
    separator: u8,
    ends_at_minute: bool,
    decimals: u8,
    zone: u8,
    is_basic: bool,
}

const SEPARATORS: [char; 3] = ['T', 't', ' '];
const ZONES: [&str; 10] = ["Z", "", "z", "+00:00", "+0000", " +0000", "-05", "-0530", "+14:00", "+01:00[Europe/Paris]"];

impl TimeForm {
    /// The clock shows what `time` is in UTC, whatever the zone says.
    fn write(&self, time: &str) -> String {
        let (clock, zone) = self.parts(time);
        let clock = if self.is_basic { clock.replace(['-', ':'], "") } else { clock };
        clock + zone
    }

    fn parts(&self, time: &str) -> (String, &'static str) {
        let separator = SEPARATORS[usize::from(self.separator) % SEPARATORS.len()];
        let (date, clock) = (&time[..10], &time[11..16]);
        let zone = ZONES[usize::from(self.zone) % ZONES.len()];
        if self.ends_at_minute {
            return (format!("{date}{separator}{clock}"), zone);
        }
        let decimals = "123456789".repeat(8);
        let fraction = match usize::from(self.decimals) % 64 {
            0 => String::new(),
            count => format!(".{}", &decimals[..count]),
        };
        (format!("{date}{separator}{clock}{}{fraction}", &time[16..19]), zone)
    }
}

/// A row that is fine but for what `odd` replaces, so that every attribute is reached.
#[derive(Arbitrary, Debug)]
struct Input {
    scheme: u8,
    id: String,
    time: u64,
    form: TimeForm,
    label: u8,
    tags: Vec<String>,
    odd: Vec<(u8, Value)>,
}

const NAMES: [&str; 8] =
    ["source_id", "timestamp", "sentiment", "matched_tickers", "score", "confidence", "source", "status"];

fuzz_target!(|input: Input| {
    let mut data = DataSettings::with_tables(
        TableName::new("items").expect("a valid name"),
        TableName::new("users").expect("a valid name"),
    );
    // How the manifest says that the table is written.
    data.time_zone = [None, TimeZone::new("UTC").ok(), TimeZone::new("-09:30").ok()][usize::from(input.scheme % 3)];
    data.time_format =
        [TimeFormat::Rfc3339, TimeFormat::EpochSeconds, TimeFormat::EpochMillis, TimeFormat::EpochSecondsText]
            [usize::from(input.scheme / 4 % 4)];
    if input.scheme & 0x40 != 0 {
        data.tags_attribute = AttributePath::new("source.tags").ok();
        data.score_attribute = AttributePath::new("source.score.score").ok();
    }
    let times = Times::of(&data);
    let labels = data.labels.as_slice();
    let time = input.form.write(&Timestamp::from_millis(input.time).to_string());
    let label = labels[usize::from(input.label) % labels.len()].to_string();
    let mut item: row::Row<'_> = [
        ("source_id", Value::S(input.id)),
        ("timestamp", Value::S(time)),
        ("sentiment", Value::S(label)),
        ("matched_tickers", Value::Ss(input.tags)),
    ]
    .into_iter()
    .map(|(name, value)| (name, row::Value::from(value)))
    .collect();
    for (name, value) in input.odd {
        item.set(NAMES[usize::from(name) % NAMES.len()], value.into());
    }
    // What the log says is one short line.
    let is_short = |error: &row::RowError| error.to_string().len() < 1000 && !error.to_string().contains('\n');
    let row::Parsed { item: parsed, written, faults } = match row::parse(&data, &item) {
        Ok(Some(parsed)) => parsed,
        Ok(None) => return,
        Err(error) => return assert!(is_short(&error), "{error}"),
    };
    assert!(faults.iter().all(is_short), "{faults:?}");
    let mut forms = TimeForms::unknown(times);
    let Some(written) = written else { return };
    forms.note(written);
    let (from, to) = forms.bounds(TimeRange { after: parsed.at.before(), until: parsed.at });
    // Not in the first and last days of all, where bounds end.
    let days = Duration::from_secs(2 * 86_400);
    let is_within = Timestamp::EPOCH.plus(days) < parsed.at && parsed.at < Timestamp::MAX.minus(days);
    let text = &*parsed.key.time_text;
    assert!(!is_within || *from <= *text && *text <= *to, "{text} is not between {from} and {to}");
    assert!(parsed.key.id.len() <= limits::ITEM_TEXT_BYTES_MAX && parsed.tags.len() <= limits::ITEM_TAGS_MAX);
    assert!(parsed.score.is_none_or(|score| (-1.0..=1.0).contains(&score)));
    assert!(parsed.confidence.is_none_or(|confidence| (0.0..=1.0).contains(&confidence)));
    for (index, ticker) in parsed.tickers().enumerate() {
        let mut update = bytes::BytesMut::new();
        event::write_update(&mut update, &data, &parsed, index);
        let items = decoder::decode(&update);
        let [decoder::Item::Event(event)] = &items[..] else { panic!("not one event: {items:?}") };
        let json: serde_json::Value = serde_json::from_str(&event.data).expect("data is JSON");
        assert_eq!(json["item_id"], *parsed.key.id);
        assert_eq!(json["ticker"], serde_json::json!(ticker));
    }
});
