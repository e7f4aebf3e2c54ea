//! Which index the functions read, and how its times are written.

use std::cmp::Reverse;

use contract::limits::LABELS_MAX;
use contract::{TimeFormat, TimeZone};
use serde_json::Value;
use stream_core::times::Times;

use crate::described::Described;
use crate::manifest::regions::Region;
use crate::stored::{count, of_name};

/// Words that names of times have in them, in lower case.
const TIME_WORDS: [&str; 11] =
    ["time", "date", "_at", "ts", "created", "updated", "published", "changed", "when", "start", "epoch"];
/// From here on a number of seconds since 1970 would be of the year 5138, and one of milliseconds is of 1973.
const MILLIS_MIN: f64 = 1e11;
/// Seconds of September 2001: smaller numbers are counts of something else.
const SECONDS_MIN: f64 = 1e9;

/// A key: its name and its type, `S`, `N` or `B`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyOf {
    pub(super) name: String,
    pub(super) kind: String,
}

/// The index that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) name: String,
    pub(super) label: KeyOf,
    pub(super) time: KeyOf,
    /// Attributes that it has beside keys; none where it has all.
    pub(super) projected: Option<Vec<String>>,
}

impl Chosen {
    /// Whether every attribute of a row is in it.
    pub(super) const fn has_everything(&self) -> bool {
        self.projected.is_none()
    }
}

/// Keys of a table and of the index that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Keys {
    pub(super) name: String,
    pub(super) hash: String,
    pub(super) range: Option<String>,
    pub(super) index: Option<Chosen>,
    /// Names of other indexes that would do as well.
    pub(super) others: Vec<String>,
    arn: String,
}

impl Keys {
    /// None where it is no description.
    pub(super) fn of(table: &Described, rows: &[Value]) -> Option<Self> {
        let name = Described::text(&table.table, "TableName");
        let hash = table.key(&table.table, "HASH").filter(|_| !name.is_empty())?.0;
        let range = table.key(&table.table, "RANGE").map(|range| range.0);
        let mut found: Vec<(Reverse<Fit>, usize, Chosen)> = Vec::new();
        for (at, index) in table.indexes().iter().enumerate() {
            let key = |kind| table.key(index, kind).map(|(name, kind)| KeyOf { name, kind });
            let (Some(label), Some(time)) = (key("HASH"), key("RANGE")) else { continue };
            let projection = index.get("Projection").unwrap_or(&Value::Null);
            let included = || Described::list(projection, "NonKeyAttributes").iter().filter_map(Value::as_str);
            let projected = (Described::text(projection, "ProjectionType") != "ALL")
                .then(|| included().map(str::to_owned).collect());
            let chosen = Chosen { name: Described::text(index, "IndexName").to_owned(), label, time, projected };
            if let Some(fit) = Fit::of(&chosen, range.as_deref(), rows) {
                found.push((Reverse(fit), at, chosen));
            }
        }
        found.sort_by_key(|(fit, at, _)| (*fit, *at));
        let best = found.first().map(|(fit, ..)| *fit);
        let mut chosen = found.into_iter();
        let index = chosen.next().map(|(_, _, chosen)| chosen);
        let others = chosen.filter(|(fit, ..)| Some(*fit) == best).map(|(_, _, chosen)| chosen.name).collect();
        let arn = Described::text(&table.table, "TableArn").to_owned();
        Some(Self { name: name.to_owned(), hash, range, index, others, arn })
    }

    /// Region of the table, by its ARN; none where it is none that a manifest can name.
    pub(super) fn region(&self) -> Option<&'static str> {
        self.arn.split(':').nth(3).and_then(Region::new).map(|region| region.as_str())
    }
}

/// How well an index fits: what rows say counts before names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    /// Whether rows have times in it.
    has_times: bool,
    /// Whether the hash key has few values.
    has_labels: bool,
    /// Whether its range key is called as times are.
    is_called: bool,
    /// Whether it is the range key of the table.
    is_range: bool,
}

impl Fit {
    /// None for one that cannot be read: keys of bytes, or in whose range key rows have no times.
    fn of(index: &Chosen, range: Option<&str>, rows: &[Value]) -> Option<Self> {
        let is_key = |key: &KeyOf| ["S", "N"].contains(&key.kind.as_str());
        if !is_key(&index.label) || !is_key(&index.time) {
            return None;
        }
        let times = values(&index.time, rows);
        let has_times = times.iter().any(|text| is_time(&index.time.kind, text));
        if !times.is_empty() && !has_times {
            return None;
        }
        let labels = count(values(&index.label, rows).into_iter().map(str::to_owned));
        Some(Self {
            has_times,
            has_labels: (1..=LABELS_MAX).contains(&labels.len()),
            is_called: is_called_time(&index.time.name),
            is_range: range == Some(index.time.name.as_str()),
        })
    }
}

fn is_called_time(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    TIME_WORDS.iter().any(|word| match word.len() {
        // So short that they are in many words.
        2 => name == *word || name.ends_with(&format!("_{word}")),
        _ => name.contains(word),
    }) || name.ends_with("at")
}

/// Texts of a key, of the rows that have it.
fn values<'a>(key: &KeyOf, rows: &'a [Value]) -> Vec<&'a str> {
    let of = rows.iter().filter_map(|row| of_name(row, &key.name)).filter(|(kind, _)| *kind == key.kind);
    of.filter_map(|(_, value)| value.as_str()).collect()
}

fn is_time(kind: &str, text: &str) -> bool {
    if kind == "N" {
        return text.parse().is_ok_and(|number: f64| number >= SECONDS_MIN);
    }
    let zone = TimeZone::new("UTC").ok();
    Times::new(TimeFormat::Rfc3339, zone).parse(text).is_ok()
        || [TimeFormat::EpochSecondsText, TimeFormat::EpochMillisText]
            .into_iter()
            .any(|format| Times::new(format, None).parse_number(text).is_ok())
}

/// Labels of the rows that have a time: an index may have rows of several kinds.
pub(super) fn labels(index: &Chosen, rows: &[Value]) -> Vec<(String, usize)> {
    let is_timed = |row: &&Value| {
        values(&index.time, std::slice::from_ref(*row)).iter().any(|text| is_time(&index.time.kind, text))
    };
    let labels = rows.iter().filter(is_timed).flat_map(|row| values(&index.label, std::slice::from_ref(row)));
    count(labels.map(str::to_owned))
}

/// How times are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) format: TimeFormat,
    /// Whether some name no zone.
    pub(super) needs_zone: bool,
    /// Whether any row says so.
    pub(super) is_seen: bool,
}

/// Finds it in rows; without any it is what the type of the key allows.
pub(super) fn time_format(time: &KeyOf, rows: &[Value]) -> Found {
    let times: Vec<&str> = values(time, rows).into_iter().filter(|text| is_time(&time.kind, text)).collect();
    let is_seen = !times.is_empty();
    if time.kind == "N" {
        let are_millis = times.iter().filter_map(|text| text.parse().ok()).any(|number: f64| number >= MILLIS_MIN);
        let format = if are_millis { TimeFormat::EpochMillis } else { TimeFormat::EpochSeconds };
        return Found { format, needs_zone: false, is_seen };
    }
    let all_are =
        |format: TimeFormat| is_seen && times.iter().all(|text| Times::new(format, None).parse_number(text).is_ok());
    for format in [TimeFormat::EpochSecondsText, TimeFormat::EpochMillisText] {
        if all_are(format) {
            return Found { format, needs_zone: false, is_seen };
        }
    }
    let needs_zone = times.iter().any(|text| Times::TEXTS.parse(text).is_err());
    Found { format: TimeFormat::Rfc3339, needs_zone, is_seen }
}
