//! Which attributes of rows are tags, score, confidence, source, status, title and link: by their names, and by whether their values can be such.

use contract::AttributePath;
use serde_json::Value;

use super::keys::{Chosen, Keys};
use crate::stored::{at_path, count, typed};

/// Names of the last step of a path, in small letters and without what is no letter and no digit, the likeliest first.
const TAGS: [&str; 24] = [
    "matchedtickers",
    "tickers",
    "ticker",
    "symbols",
    "symbol",
    "tags",
    "tag",
    "topics",
    "topic",
    "codes",
    "categories",
    "category",
    "products",
    "product",
    "sku",
    "queues",
    "queue",
    "rooms",
    "hosts",
    "host",
    "regions",
    "region",
    "alertname",
    "fullname",
];
const SCORES: [&str; 6] = ["score", "sentimentscore", "overallsentimentscore", "compound", "polarity", "positive"];
const CONFIDENCES: [&str; 4] = ["confidence", "probability", "certainty", "progress"];
const SOURCES: [&str; 14] = [
    "source",
    "publisher",
    "feed",
    "media",
    "provider",
    "outlet",
    "channel",
    "author",
    "origin",
    "site",
    "shop",
    "worker",
    "rater",
    "instance",
];
const TITLES: [&str; 6] = ["title", "displaytitle", "headline", "subject", "summary", "message"];
const URLS: [&str; 6] = ["url", "htmlurl", "link", "permalink", "href", "weburl"];
const STATUSES: [&str; 3] = ["status", "state", "stage"];
/// Values of a status that say that a row is ready.
const READY: [&str; 8] = ["analyzed", "analysed", "completed", "complete", "processed", "published", "ready", "done"];
/// Steps of a path, at most.
const STEPS_MAX: usize = 4;
/// A number that came from a rounding may be so far out of its range.
const ROUNDING: f64 = 0.001;

/// A value with its type, such as `N` and `0.5`.
type Typed = (String, String);

/// Paths by what they are for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Attributes {
    tags: Option<String>,
    score: Option<String>,
    confidence: Option<String>,
    source: Option<String>,
    status: Option<String>,
    title: Option<String>,
    url: Option<String>,
    /// What the status of a row that is ready says.
    pub(super) status_ready: Option<String>,
    /// What a person has to look at.
    pub(super) notes: Vec<String>,
}

impl Attributes {
    /// Each with its key in `data.attributes`.
    pub(super) fn all(&self) -> [(&'static str, Option<&str>); 7] {
        [
            ("tags", self.tags.as_deref()),
            ("score", self.score.as_deref()),
            ("confidence", self.confidence.as_deref()),
            ("source", self.source.as_deref()),
            ("status", self.status.as_deref()),
            ("title", self.title.as_deref()),
            ("url", self.url.as_deref()),
        ]
    }

    /// Looks through the rows, or where there are none through the names that the index has.
    pub(super) fn find(index: &Chosen, keys: &Keys, rows: &[Value]) -> Self {
        let taken = [Some(&keys.hash), keys.range.as_ref(), Some(&index.label.name), Some(&index.time.name)];
        let is_free = |name: &str| !taken.iter().flatten().any(|taken| *taken == name);
        let is_projected =
            |name: &str| index.projected.as_ref().is_none_or(|names| names.iter().any(|known| known == name));
        let mut paths = Vec::new();
        for row in rows.iter().filter_map(Value::as_object) {
            for (name, value) in row.iter().filter(|(name, _)| is_free(name) && is_projected(name)) {
                collect(&step(name), value, 1, &mut paths);
            }
        }
        if rows.is_empty() {
            paths.extend(index.projected.iter().flatten().filter(|name| is_free(name)).map(|name| step(name)));
        }
        let paths: Vec<AttributePath> = paths.iter().filter_map(|path| AttributePath::new(path).ok()).collect();
        let all = |path: &AttributePath| typed_at(rows, path);
        let first = |names: &[&str], fits: &dyn Fn(&[Typed]) -> bool| -> Option<String> {
            let of = |name: &&str| paths.iter().find(|path| last(path) == **name && fits(&all(path)));
            names.iter().find_map(of).map(ToString::to_string)
        };
        let within = |min: f64| move |values: &[Typed]| are_numbers(values, min);
        let mut found = Self {
            tags: first(&TAGS, &are_tags).or_else(|| {
                let is_set = |path: &&AttributePath| {
                    let kinds = all(path);
                    !kinds.is_empty() && kinds.iter().all(|(kind, _)| ["SS", "NS"].contains(&kind.as_str()))
                };
                paths.iter().find(is_set).map(ToString::to_string)
            }),
            score: first(&SCORES, &within(-1.0)),
            confidence: first(&CONFIDENCES, &within(0.0)),
            source: first(&SOURCES, &are_texts),
            title: first(&TITLES, &are_texts),
            url: first(&URLS, &are_links).or_else(|| link_in_key(&keys.hash, rows)),
            ..Self::default()
        };
        found.look_for_status(first(&STATUSES, &|_| true), &all);
        found
    }

    /// A status is mapped only where one of its values says that rows are ready: mapped wrongly, it hides rows.
    fn look_for_status(&mut self, path: Option<String>, values: &dyn Fn(&AttributePath) -> Vec<Typed>) {
        let Some(path) = path else { return };
        let Ok(known) = AttributePath::new(&path) else { return };
        let found = count(values(&known).into_iter().map(|(_, value)| value));
        let is_ready = |value: &str| READY.contains(&value.to_lowercase().as_str());
        if let Some((ready, _)) = found.iter().find(|(value, _)| is_ready(value)) {
            self.status_ready = Some(ready.clone());
            self.status = Some(path);
        } else if !found.is_empty() {
            let seen: Vec<String> = found.iter().take(3).map(|(value, _)| format!("`{value}`")).collect();
            self.notes.push(format!(
                "rows have a `{path}` ({}); if only some of them are to be shown, set `status` in [data.attributes] and `status_ready` in [data]",
                seen.join(", ")
            ));
        }
    }
}

/// A name as a step of a path.
fn step(name: &str) -> String {
    name.replace('\\', "\\\\").replace('.', "\\.")
}

/// Paths to what is no map, the outer ones first; each once.
fn collect(path: &str, value: &Value, depth: usize, paths: &mut Vec<String>) {
    let Some((kind, inner)) = typed(value) else { return };
    let maps: Vec<&Value> = match kind {
        "M" => vec![inner],
        // The members of a list of maps are alike.
        "L" => inner.as_array().into_iter().flatten().filter_map(|member| member.get("M")).collect(),
        _ => Vec::new(),
    };
    if maps.is_empty() {
        if !paths.iter().any(|known| known == path) {
            paths.push(path.to_owned());
        }
        return;
    }
    if depth < STEPS_MAX {
        for (name, value) in maps.iter().filter_map(|map| map.as_object()).flatten() {
            collect(&format!("{path}.{}", step(name)), value, depth + 1, paths);
        }
    }
}

/// Steps that are types: of a row as DynamoDB Streams tells of it, kept as it came.
const TYPES: [&str; 6] = ["S", "N", "L", "M", "SS", "NS"];

/// The last step of a path as names are compared.
fn last(path: &AttributePath) -> String {
    let last = path
        .steps()
        .filter(|step| !TYPES.contains(&step.as_str()))
        .last()
        .unwrap_or_default()
        .replace(|character: char| !character.is_alphanumeric() && character != '.', "")
        .to_lowercase();
    // What a library puts before its names, as in `meta.source`.
    last.rsplit('.').next().map(str::to_owned).unwrap_or_default()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn are_tags(values: &[Typed]) -> bool {
    values.iter().all(|(kind, _)| ["L", "SS", "NS", "S", "N"].contains(&kind.as_str()))
}

fn are_texts(values: &[Typed]) -> bool {
    values.iter().all(|(kind, _)| kind == "S")
}

/// Whether most lead somewhere.
fn are_links(values: &[Typed]) -> bool {
    let is_link = |(kind, text): &&Typed| kind == "S" && text.starts_with("https://");
    2 * values.iter().filter(is_link).count() >= values.len()
}

/// What rows have where a path leads.
fn typed_at(rows: &[Value], path: &AttributePath) -> Vec<Typed> {
    let values = rows.iter().flat_map(|row| at_path(row, path));
    values.map(|(kind, value)| (kind.to_owned(), plain(value))).collect()
}

/// The hash key, where items are known by their links.
fn link_in_key(hash: &str, rows: &[Value]) -> Option<String> {
    let path = AttributePath::new(&step(hash)).ok().filter(|path| URLS.contains(&last(path).as_str()))?;
    let values = typed_at(rows, &path);
    (!values.is_empty() && are_links(&values)).then(|| path.to_string())
}

/// Whether most are numbers from `min` to 1; an empty text is no value, and what else is none is a fault of its row.
fn are_numbers(values: &[Typed], min: f64) -> bool {
    let fits = |number: f64| min - ROUNDING <= number && number <= 1.0 + ROUNDING;
    let is_number = |(kind, text): &&Typed| {
        let text = text.trim();
        ["N", "S"].contains(&kind.as_str()) && (text.is_empty() || text.parse().is_ok_and(fits))
    };
    2 * values.iter().filter(is_number).count() >= values.len()
}
