//! Items page by page: one query of the index for each.

use std::borrow::Cow;
use std::sync::PoisonError;
use std::time::Duration;

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemError;
use aws_sdk_dynamodb::operation::batch_get_item::builders::BatchGetItemFluentBuilder;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::query::{QueryError, QueryOutput};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use contract::{AttributeName, DataSettings, KeyType, logs};

use super::answer::{Answer, Keep};
use super::client::{DynamoDb, SdkRow};
use super::faults::Fault;
use super::row::{self, Parsed, Row, RowError, Value};
use super::send::{Failed, send};
use super::values::label_value;
use crate::store::{Items, Page, Silence, StoreError, StoreFuture};
use crate::watch::logs::MEASURED;
use stream_core::moment::TimeRange;
use stream_core::reading::{KeyValue, PageRequest, PageStart};
use stream_core::time_forms::TimeForms;
use stream_core::times::Times;
use stream_core::timestamp::Timestamp;

/// What DynamoDB says of a query whose values are of other types than the keys.
const OTHER_TYPE: &str = "Condition parameter type does not match schema type";

/// What it says of a query for other attributes than the keys.
const OTHER_NAME: &str = "missed key schema element";

/// First and last text that a row of the range may have; `None` where the page before ended below them, as one may that was asked
/// for with wider ones: what follows is older. A page that ended above them begins there all the same, because DynamoDB refuses a
/// start outside of its bounds, and DynamoDB Local one at the lower bound.
fn text_bounds(forms: TimeForms, request: &PageRequest, time: &AttributeName) -> Option<(String, String)> {
    let (mut from, to) = forms.bounds(request.range);
    let Some(start) = start_time(request, time) else { return Some((from, to)) };
    if *start < *from {
        return None;
    }
    if *start == *from {
        // No time is written so: nothing lies between the two.
        from.pop();
    }
    Some((from, to.max(start.to_owned())))
}

/// The same of numbers, which have one form, so that a page ends at the lower bound at most. It is the number of a time then, and
/// no other one of its second has less.
fn number_bounds(times: Times, request: &PageRequest, time: &AttributeName) -> (String, String) {
    let (from, to) = times.number_bounds(request.range);
    let number = |text: &str| text.parse::<f64>().ok();
    let is_at_end = start_time(request, time).is_some_and(|start| number(start) <= number(&from));
    if !is_at_end {
        return (from, to);
    }
    times.number_bounds(TimeRange { after: request.range.after.minus(Duration::from_secs(1)), ..request.range })
}

/// Time of the row at which the page before ended.
fn start_time<'a>(request: &'a PageRequest, time: &AttributeName) -> Option<&'a str> {
    let mut parts = request.start.iter().flat_map(|start| start.0.iter());
    parts.find_map(|(name, part)| match part {
        KeyValue::Text(text) | KeyValue::Number(text) if **name == *time.as_str() => Some(&**text),
        _ => None,
    })
}

fn key_of(start: &PageStart) -> SdkRow {
    let value = |value: &KeyValue| match value {
        KeyValue::Text(text) => AttributeValue::S(text.to_string()),
        KeyValue::Number(text) => AttributeValue::N(text.to_string()),
        KeyValue::Bytes(bytes) => AttributeValue::B(Blob::new(&**bytes)),
    };
    start.0.iter().map(|(name, part)| (name.to_string(), value(part))).collect()
}

/// Takes the key at which a page ended. An empty one is none.
fn start_of(key: Row<'_>) -> Result<Option<PageStart>, StoreError> {
    let part = |(name, value): (Cow<'_, str>, Value<'_>)| {
        let bytes = |text: Cow<'_, str>| STANDARD.decode(&*text).ok();
        let value = match value {
            Value::S(text) => Some(KeyValue::Text(text.into())),
            Value::N(text) => Some(KeyValue::Number(text.into())),
            Value::B(text) => bytes(text).map(|bytes| KeyValue::Bytes(bytes.into())),
            _ => None,
        };
        let of_no_type = || StoreError::Refused(format!("`{name}` is part of a key, and of no type that a key has"));
        Ok((name.as_ref().into(), value.ok_or_else(of_no_type)?))
    };
    let mut parts = key.into_iter().map(part).collect::<Result<Vec<_>, StoreError>>()?;
    // Its parts come in no order, and equal keys must be equal.
    parts.sort_by(|(one, _), (other, _): &(Box<str>, KeyValue)| one.cmp(other));
    Ok((!parts.is_empty()).then(|| PageStart(parts.into())))
}

/// One try of a query for rows, to the end of its body: what breaks off is asked for again.
async fn rows(query: QueryFluentBuilder) -> Result<Bytes, SdkError<QueryError, HttpResponse>> {
    let kept = Keep::of_query();
    query.customize().interceptor(kept.clone()).send().await?;
    kept.read().await
}

/// The same of rows by their keys.
async fn by_keys(get: BatchGetItemFluentBuilder) -> Result<Bytes, SdkError<BatchGetItemError, HttpResponse>> {
    let kept = Keep::of_batch();
    get.customize().interceptor(kept.clone()).send().await?;
    kept.read().await
}

impl DynamoDb {
    /// Sends a query: the one place, because each makes the program larger by the whole of it.
    pub(super) async fn ask(&self, query: QueryFluentBuilder) -> Result<QueryOutput, Failed> {
        let answer = send(|| query.clone().send()).await;
        answer.map_err(|failed| Failed { error: self.with_hint(failed.error), ..failed })
    }

    /// Sends a query for rows of the table, and returns the answer as it came: likewise the one place.
    pub(super) async fn ask_rows(&self, query: QueryFluentBuilder) -> Result<Bytes, Failed> {
        let answer = send(|| rows(query.clone())).await;
        answer.map_err(|failed| Failed { error: self.with_hint(failed.error), ..failed })
    }

    /// Writes a row: likewise.
    pub(super) async fn put(&self, put: PutItemFluentBuilder) -> Result<(), Failed> {
        send(|| put.clone().send()).await.map(|_| ())
    }

    /// Reads rows by their keys, and returns the answer as it came: likewise.
    pub(super) async fn get(&self, get: BatchGetItemFluentBuilder) -> Result<Bytes, Failed> {
        send(|| by_keys(get.clone())).await
    }

    async fn query(&self, request: &PageRequest) -> Result<Page, StoreError> {
        let label = self.data.labels.as_slice().get(usize::from(request.label));
        let label = label.ok_or_else(|| StoreError::Refused(format!("there is no label {}", request.label)))?;
        let Some((from, to)) = self.bounds(request) else { return Ok(Page::default()) };
        let mut query = self
            .client
            .query()
            .table_name(self.data.items_table.as_str())
            .index_name(self.data.index.as_str())
            .key_condition_expression(&self.query.key_condition)
            .projection_expression(&self.query.projection)
            .expression_attribute_values(":label", label_value(&self.data, label.as_str()))
            .expression_attribute_values(":after", from)
            .expression_attribute_values(":until", to)
            .scan_index_forward(false)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .set_exclusive_start_key(request.start.as_ref().map(key_of));
        for (placeholder, name) in &self.query.names {
            query = query.expression_attribute_names(placeholder, name);
        }
        let answer = self.ask_rows(query).await?;
        let (mut count, mut forms) = (0, TimeForms::unknown(self.times()));
        let mut page = Page::default();
        let answer = Answer::read(&answer, &mut |row| {
            count += 1;
            match row::parse(&self.data, &row) {
                Ok(Some(parsed)) => {
                    parsed.written.into_iter().for_each(|written| forms.note(written));
                    self.take(&mut page, &row, parsed, request.range);
                }
                Ok(None) => {}
                Err(error) => {
                    page.skipped += 1;
                    page.newly_skipped += u64::from(self.note_fault(&row, &error));
                }
            }
        })?;
        (page.units, page.next) = (answer.units, start_of(answer.last_evaluated_key.unwrap_or_default())?);
        self.forms.learn(request.label, forms, count, page.units);
        Ok(page)
    }

    const fn times(&self) -> Times {
        Times::of(&self.data)
    }

    /// First and last time that a row of the page may have, as the table's key has it; `None` where nothing is left of the range.
    fn bounds(&self, request: &PageRequest) -> Option<(AttributeValue, AttributeValue)> {
        let (times, time) = (self.times(), &self.data.time_attribute);
        let (from, to) = if times.are_counted() {
            number_bounds(times, request, time)
        } else {
            text_bounds(self.forms.of(request.label), request, time)?
        };
        Some(match times.key_type() {
            KeyType::Number => (AttributeValue::N(from), AttributeValue::N(to)),
            KeyType::Text => (AttributeValue::S(from), AttributeValue::S(to)),
        })
    }

    /// Says what to change where the index has other keys than a query for them: DynamoDB does not say which.
    fn with_hint(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::Refused(text) if text.contains(OTHER_NAME) => {
                let DataSettings { index, label_attribute, time_attribute, .. } = &self.data;
                StoreError::Refused(format!(
                    "{text}; the hash key of the index `{index}` must be `{label_attribute}`, which is `data.attributes.label`, and its \
                     range key `{time_attribute}`, which is `data.attributes.time`: names as the table has them, capital letters too"
                ))
            }
            StoreError::Refused(text) if text.contains(OTHER_TYPE) => {
                let DataSettings { index, label_attribute, label_type, time_attribute, time_format, .. } = &self.data;
                StoreError::Refused(format!(
                    "{text}; of the index `{index}` the hash key `{label_attribute}` must be of type {}, because \
                     `data.label_type` is `{}`, and the range key `{time_attribute}` of type {}, because `data.time_format` is `{}`",
                    label_type.key_type().as_str(),
                    label_type.as_str(),
                    time_format.key_type().as_str(),
                    time_format.as_str()
                ))
            }
            other => other,
        }
    }

    /// Adds a row to a page, if it is of the range: the bounds may take in others.
    fn take(&self, page: &mut Page, row: &Row<'_>, parsed: Parsed, range: TimeRange) {
        if !range.contains(parsed.item.at) {
            return;
        }
        for fault in &parsed.faults {
            page.values_newly_skipped += u64::from(self.note_value_fault(row, fault));
        }
        page.items.push(parsed.item);
    }

    /// Key and time of a row, as far as they can be read.
    fn name_of(&self, row: &Row<'_>) -> (String, String) {
        let part = |name: &AttributeName| match row.get(name.as_str()) {
            Some(Value::S(text) | Value::N(text)) => text.chars().take(200).collect(),
            _ => String::new(),
        };
        (part(&self.data.key_attribute), part(&self.data.time_attribute))
    }

    /// Notes the fault of a row, and says whether it was not met before.
    fn note_fault(&self, row: &Row<'_>, error: &RowError) -> bool {
        let (item_id, timestamp) = self.name_of(row);
        let fault = self.faults.lock().unwrap_or_else(PoisonError::into_inner).note((&item_id, &timestamp));
        if fault == Fault::New {
            tracing::warn!(target: MEASURED, message = logs::ROW_SKIPPED, item_id, timestamp, %error);
        }
        fault != Fault::Known
    }

    /// Notes what was left out of a row, and says whether it was not met before.
    fn note_value_fault(&self, row: &Row<'_>, error: &RowError) -> bool {
        let (item_id, timestamp) = self.name_of(row);
        let mut faults = self.value_faults.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = faults.note((&item_id, &timestamp), error);
        drop(faults);
        if fault == Fault::New {
            tracing::warn!(target: MEASURED, message = logs::VALUE_SKIPPED, item_id, timestamp, %error);
        }
        fault != Fault::Known
    }
}

impl Items for DynamoDb {
    fn page<'a>(&'a self, request: &'a PageRequest) -> StoreFuture<'a, Page> {
        Box::pin(self.query(request))
    }

    fn look_around(&self, range: TimeRange) -> StoreFuture<'_, Option<Silence>> {
        Box::pin(async move { self.explain(range).await.map(Some) })
    }

    fn warm_up(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            // A read that finds nothing costs half a unit and leaves the connection open for the first real one.
            let range = TimeRange { after: Timestamp::EPOCH, until: Timestamp::EPOCH };
            self.query(&PageRequest { label: 0, range, start: None }).await.map(|_| ())
        })
    }
}

#[cfg(test)]
mod tests {
    use contract::TimeFormat;

    use super::*;

    #[test]
    fn bounds_take_in_the_start_of_the_page() {
        let time = AttributeName::new("at").unwrap();
        let range = TimeRange {
            after: Timestamp::parse("2025-12-02T10:29:59.999Z").unwrap(),
            until: Timestamp::parse("2025-12-02T11:00:00.500Z").unwrap(),
        };
        let check = |start: Option<&str>, expected: Option<(&str, &str)>| {
            let key =
                |at: &str| [("at".into(), KeyValue::Text(at.into())), ("id".into(), KeyValue::Text("zzz".into()))];
            let start = start.map(|at| PageStart(key(at).into()));
            let request = PageRequest { label: 0, range, start };
            let found = text_bounds(TimeForms::unknown(Times::TEXTS), &request, &time);
            assert_eq!(found, expected.map(|(from, to)| (from.to_owned(), to.to_owned())));
        };
        let (from, to) = ("2025-12-02T10:30:00", "2025-12-02T11:00:01");
        let between = Some((from, to));
        check(None, between);
        check(Some("2025-12-02T10:45:00Z"), between);
        check(Some("2025-12-02t10:45:00Z"), Some((from, "2025-12-02t10:45:00Z")));
        check(Some("2025-12-02T10:30:00Z"), between);
        // DynamoDB Local refuses a start that is the lower bound.
        check(Some(from), Some(("2025-12-02T10:30:0", to)));
        // The page was asked for when the forms of times were not known, and ended below what they need.
        check(Some("2025-12-02T10:29:59.999Z"), None);
        check(Some("2025-12-01T23:00:00Z"), None);
    }

    #[test]
    fn bounds_of_numbers_are_below_the_start_of_the_page() {
        let time = AttributeName::new("at").unwrap();
        let at = |millis| Timestamp::from_millis(millis);
        for (format, start, from) in [
            (TimeFormat::EpochSeconds, "1764585000.5", "1764585000.001"),
            (TimeFormat::EpochSeconds, "1764585000.001", "1764584999.001"),
            (TimeFormat::EpochMillis, "1764585000002", "1764585000001"),
            (TimeFormat::EpochMillis, "1764585000001", "1764584999001"),
            (TimeFormat::EpochSecondsText, "1764585000.001", "1764584999.001"),
        ] {
            let times = Times::of(&DataSettings {
                time_format: format,
                ..DataSettings::with_tables(
                    contract::TableName::new("items").unwrap(),
                    contract::TableName::new("users").unwrap(),
                )
            });
            let part = if times.key_type() == KeyType::Number { KeyValue::Number } else { KeyValue::Text };
            let start = Some(PageStart([("at".into(), part(start.into()))].into()));
            let range = TimeRange { after: at(1_764_585_000_000), until: at(1_764_586_000_000) };
            assert_eq!(number_bounds(times, &PageRequest { label: 0, range, start }, &time).0, from, "{format:?}");
        }
    }

    #[test]
    fn a_pages_end_is_the_next_ones_start_whatever_the_order_of_its_parts() {
        let read = |json: &str| start_of(serde_json::from_str(json).unwrap());
        let (at, label) = (r#""at":{"S":"2026-02-28T23:59:59Z"}"#, r#""status":{"S":"late & lost"}"#);
        let sent = |id: AttributeValue| {
            let parts = [
                ("order", id),
                ("at", AttributeValue::S("2026-02-28T23:59:59Z".into())),
                ("status", AttributeValue::S("late & lost".into())),
            ];
            SdkRow::from(parts.map(|(name, value)| (name.to_owned(), value)))
        };
        for (id, expected) in [
            (r#""order":{"N":"-7.5"}"#, AttributeValue::N("-7.5".into())),
            (r#""order":{"B":"AP8H"}"#, AttributeValue::B(Blob::new([0, 255, 7]))),
        ] {
            let start = read(&format!("{{{id},{at},{label}}}")).unwrap().unwrap();
            assert_eq!(key_of(&start), sent(expected));
            assert_eq!(read(&format!("{{{label},{id},{at}}}")).unwrap().unwrap(), start);
        }
        assert_eq!(read("{}").unwrap(), None);
        for bad in [r#"{"order":{"BOOL":true}}"#, r#"{"order":{"B":"?"}}"#] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
