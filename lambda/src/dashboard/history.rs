//! `GET /api/v2/history`: what the window counts, step by step, and before it what is kept of old hours.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use contract::units::{Bare, parse_duration};
use contract::{HistoryKeep, Label, routes};
use http::HeaderMap;
use serde::Serialize;
use stream_core::cursor::Cursor;
use stream_core::filter::Filter;
use stream_core::history::{Asked, History, Step, history as count};
use stream_core::minute::ScoreSums;
use stream_core::past::Past;
use stream_core::shelf::{Kind, Scope};
use stream_core::snapshot::Snapshot;
use stream_core::tag_history::{TagHistory, TagPoint, tag_history};
use stream_core::timestamp::Timestamp;
use utoipa::ToSchema;

use super::csv_table::{CsvTable, Format, number, text};
use super::deps::Deps;
use super::etag::ETag;
use super::kept;
use super::moment::{moment, shown};
use super::openapi::Problem;
use crate::error::ApiError;
use crate::request::{filter, parameters};

/// Decimals of a score: what a table's scores have, and more than a chart shows.
const SCORE_DECIMALS: f64 = 1e6;

/// Steps one after the other.
#[derive(Serialize, ToSchema)]
#[schema(as = HistoryAnswer)]
struct Answer<'a> {
    /// First moment of the first step, RFC 3339.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// First moment after the last step, RFC 3339.
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// Length of a step.
    #[schema(minimum = 60, maximum = 3600)]
    step_seconds: u64,
    /// Oldest first; steps in which nothing happened are there, and those of which nothing is known are not.
    points: Vec<PointAnswer<'a>>,
    /// Ranges of which nothing is known, oldest first; left out where there is none. They have no steps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    gaps: Vec<GapAnswer>,
    /// Position of a stream that continues where this was counted: its updates are those of items that are not in it yet.
    #[schema(pattern = "^evt_[A-Za-z0-9_-]{60}$")]
    last_event_id: String,
    /// Time of the newest item of the table that was counted, RFC 3339: what is newer is not in it, and what is not came late if it is missing.
    #[schema(value_type = String, format = DateTime)]
    watermark: Timestamp,
    /// Where `by_ticker` asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    by_ticker: Option<TickersAnswer>,
}

/// A range of which nothing is known.
#[derive(Serialize, ToSchema)]
#[schema(as = Gap)]
struct GapAnswer {
    /// First moment, RFC 3339.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// First moment after it, RFC 3339.
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// Why.
    reason: GapReason,
}

/// Why nothing is known of a range.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum GapReason {
    /// No instance read the table while the window had these items: nobody watched for a day.
    NotKept,
    /// What is kept cannot be read now, or is too much for one answer.
    Unavailable,
}

/// Steps of the tickers that most items have.
#[derive(Serialize, ToSchema)]
#[schema(as = TickerHistory)]
struct TickersAnswer {
    /// First moment of the first step, RFC 3339.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// Length of a step.
    #[schema(minimum = 60, maximum = 3600)]
    step_seconds: u64,
    /// By ticker.
    tickers: BTreeMap<String, TickerAnswer>,
    /// Tickers beside them.
    tickers_left_out: usize,
}

/// Steps of one ticker, oldest first.
#[derive(Serialize, ToSchema)]
#[schema(as = TickerSteps)]
struct TickerAnswer {
    /// Items.
    totals: Vec<u32>,
    /// Items that have a score.
    score_counts: Vec<u32>,
    /// Mean scores; zero where no item has one.
    score_means: Vec<f64>,
}

impl From<TagHistory> for TickersAnswer {
    fn from(found: TagHistory) -> Self {
        let tickers = found.by_tag.iter().map(|(tag, points)| {
            let mean = |point: &TagPoint| rounded(point.scores.mean().unwrap_or_default());
            let answer = TickerAnswer {
                totals: points.iter().map(|point| point.total).collect(),
                score_counts: points.iter().map(|point| point.scores.count).collect(),
                score_means: points.iter().map(mean).collect(),
            };
            (tag.as_str().to_owned(), answer)
        });
        Self {
            from: found.from,
            step_seconds: found.step.length().as_secs(),
            tickers: tickers.collect(),
            tickers_left_out: found.left_out,
        }
    }
}

/// One step.
#[derive(Serialize, ToSchema)]
#[schema(as = Point)]
struct PointAnswer<'a> {
    /// First moment of the step, RFC 3339.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    /// Items.
    total: u32,
    /// Items by label, named as in the numbers.
    by_label: BTreeMap<&'a str, u32>,
    /// Left out where no item of the step has a score.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    score: Option<Scores>,
}

/// Scores of the items of a step.
#[derive(Clone, Copy, Serialize, ToSchema)]
struct Scores {
    /// Items that have one.
    #[schema(minimum = 1)]
    count: u32,
    /// Their mean.
    #[schema(minimum = -1, maximum = 1)]
    mean: f64,
    /// The lowest.
    #[schema(minimum = -1, maximum = 1)]
    min: f64,
    /// The highest.
    #[schema(minimum = -1, maximum = 1)]
    max: f64,
}

fn rounded(score: f64) -> f64 {
    (score * SCORE_DECIMALS).round() / SCORE_DECIMALS
}

impl Scores {
    fn of(sums: ScoreSums) -> Option<Self> {
        let (min, max) = (rounded(sums.min.into()), rounded(sums.max.into()));
        sums.mean().map(|mean| Self { count: sums.count, mean: rounded(mean), min, max })
    }
}

/// Counts of the window by step: all steps together are the numbers. Where sums of old hours are kept, a history may begin before the
/// window; its steps are hours then.
#[utoipa::path(
    get,
    path = routes::HISTORY,
    operation_id = "history",
    summary = "Counts and scores, step by step",
    responses(
        (status = 200, description = "The steps", content((Answer<'_> = "application/json"), (String = "text/csv"))),
        (status = 304, description = "They are what the client has"),
        (status = 400, description = "A parameter is malformed", body = Problem),
        (status = 401, description = "`auth.private` is set and the request has no good token", body = Problem),
        (status = 503, description = "The table cannot be read", body = Problem),
    ),
)]
pub(super) async fn history(
    State(deps): State<Deps>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let query = query.as_deref();
    let ((asked, by_ticker), filter, format) = (asked(query)?, filter(query)?, Format::of(query)?);
    deps.auth.admit(&headers, query).await?;
    let snapshot = deps.hub.current(deps.settings.poll.poll_interval.get()).await?;
    let labels = snapshot.data.labels.as_slice();
    let by_ticker = by_ticker.and_then(|step| by_ticker_answer(&snapshot, &filter, asked, step));
    let keep = snapshot.data.history_keep.map(HistoryKeep::get);
    let mut past = Past::of(&snapshot, asked.from, asked.to, keep);
    let scope = Scope::of(Kind::Sums, &snapshot.data);
    let heads = kept::look(&past, &*deps.hours, scope).await;
    // What the window says, and which sums there are: an answer that is held needs none of their bytes.
    let versions: Vec<_> =
        heads.iter().flatten().map(|head| (head.hour, head.version.map(|version| version.0))).collect();
    let window = count(&snapshot, &filter, asked, &past);
    let mut answer = Answer { by_ticker, ..Answer::new(labels, &window, GapReason::NotKept, &snapshot) };
    let mut tag = ETag::of(&(&answer, &versions));
    if heads.is_some() && tag.is_held(&headers) {
        return Ok(tag.not_modified());
    }
    let is_whole = match &heads {
        Some(heads) => kept::fill(&mut past, &*deps.hours, scope, heads, labels.len(), &filter).await,
        None => false,
    };
    let found;
    if !(is_whole && versions.is_empty()) {
        let reason = if is_whole { GapReason::NotKept } else { GapReason::Unavailable };
        found = count(&snapshot, &filter, asked, &past);
        answer = Answer { by_ticker: answer.by_ticker, ..Answer::new(labels, &found, reason, &snapshot) };
    }
    if !is_whole {
        // An answer with holes is one of its own, so that nobody takes it for the whole one.
        tag = ETag::of(&answer);
    }
    Ok(tag.answer(&headers, || match format {
        Format::Json => Json(answer).into_response(),
        Format::Csv => answer.table(labels),
    }))
}

impl<'a> Answer<'a> {
    fn new(labels: &'a [Label], found: &History, reason: GapReason, snapshot: &Snapshot) -> Self {
        let points = found.points.iter().map(|point| PointAnswer {
            timestamp: point.at,
            total: point.total(),
            by_label: labels.iter().map(Label::key).zip(point.sums.by_label.iter().copied()).collect(),
            score: Scores::of(point.sums.scores),
        });
        // Without a mark of metrics: whoever continues from here has not had any.
        let last_event_id = Cursor { position: snapshot.position, ..Cursor::ORIGIN }.to_id(snapshot.epoch);
        let step_seconds = found.step.length().as_secs();
        let gaps = found.gaps.iter().map(|(from, to)| GapAnswer { from: *from, to: *to, reason });
        Self {
            from: found.from,
            to: found.to,
            step_seconds,
            points: points.collect(),
            gaps: gaps.collect(),
            last_event_id,
            watermark: snapshot.position.watermark,
            by_ticker: None,
        }
    }

    /// A row for each step, a column for each label in the labels' order.
    fn table(&self, labels: &[Label]) -> Response {
        let keys = || labels.iter().map(Label::key);
        let scores = ["score_count", "score_mean", "score_min", "score_max"];
        let mut table = CsvTable::new(["timestamp", "total"].into_iter().chain(keys()).chain(scores));
        for point in &self.points {
            let start = [text(&point.timestamp.to_string()), point.total.to_string()];
            let counts = keys().map(|key| number(point.by_label.get(key)));
            let of = |value: fn(Scores) -> f64| number(point.score.map(value));
            let scores = [
                number(point.score.map(|score| score.count)),
                of(|score| score.mean),
                of(|score| score.min),
                of(|score| score.max),
            ];
            table.row(start.into_iter().chain(counts).chain(scores));
        }
        table.answer("history")
    }
}

/// In steps of this length, or of the next longer one that makes no more of them than an answer has: an hour always does.
fn by_ticker_answer(snapshot: &Snapshot, filter: &Filter, asked: Asked, step: Step) -> Option<TickersAnswer> {
    let mut lengths = Step::all().filter(|longer| longer.length() >= step.length());
    lengths.find_map(|step| tag_history(snapshot, filter, asked, step).ok()).map(TickersAnswer::from)
}

/// Reads what a query asks for, and the length of steps by ticker.
fn asked(query: Option<&str>) -> Result<(Asked, Option<Step>), ApiError> {
    let names = [routes::FROM_QUERY, routes::TO_QUERY, routes::STEP_QUERY, routes::BY_TICKER_QUERY];
    let [from, to, step, by_ticker] = parameters(query, names)?;
    let asked = Asked {
        from: from.as_deref().map(|text| moment(routes::FROM_QUERY, text)).transpose()?,
        to: to.as_deref().map(|text| moment(routes::TO_QUERY, text)).transpose()?,
        step: step.as_deref().map(|text| length(routes::STEP_QUERY, text)).transpose()?,
    };
    Ok((asked, by_ticker.as_deref().map(|text| length(routes::BY_TICKER_QUERY, text)).transpose()?))
}

fn length(name: &str, text: &str) -> Result<Step, ApiError> {
    let step = parse_duration(text, Bare::Seconds).ok().and_then(Step::new);
    let rule = || format!("`{name}` is `{}`; it must be {}", shown(text), Step::RULE);
    step.ok_or_else(|| ApiError::BadParameter(rule()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_and_a_step_are_read_or_named() {
        let query = "from=2026-01-01T00:00:00Z&to=2026-01-01T02:00:00%2B01:00&step=5m&by_ticker=1h";
        let (asked_for, by_ticker) = asked(Some(query)).unwrap();
        assert_eq!(by_ticker.unwrap().length().as_secs(), 3600);
        assert_eq!(asked_for.from.unwrap().to_string(), "2026-01-01T00:00:00.000Z");
        assert_eq!(asked_for.to.unwrap().to_string(), "2026-01-01T01:00:00.000Z");
        assert_eq!(asked(Some("step=300")).unwrap().0.step, asked_for.step);
        assert_eq!(asked(None).unwrap(), (Asked::default(), None));
        let (ends, _) = asked(Some("from=0719-02-19T01:12:38-05:17&to=9999-12-31T23:59:59-12:00")).unwrap();
        assert_eq!((ends.from, ends.to), (Some(Timestamp::EPOCH), Some(Timestamp::MAX)));
        for (bad, said) in [
            (
                "step=7m",
                "`step` is `7m`; it must be whole minutes that divide an hour, such as `1m`, `5m`, `15m` or `1h`",
            ),
            ("step=30s", "`step` is `30s`; it must be"),
            ("step=", "`step` is ``; it must be"),
            ("by_ticker=30s", "`by_ticker` is `30s`; it must be"),
            ("from=yesterday", "`from` is `yesterday`: it is no RFC 3339 time"),
            ("to=2026-13-01T00:00:00Z", "`to` is `2026-13-01T00:00:00Z`: it is no RFC 3339 time"),
            ("from=1767225600", "`from` is `1767225600`: it is no RFC 3339 time"),
            ("step=1m&step=1m", "`step` is given twice"),
        ] {
            let error = asked(Some(bad)).unwrap_err().to_string();
            assert!(error.starts_with(said), "{bad}: {error}");
        }
    }
}
