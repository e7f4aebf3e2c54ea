//! Items page by page: one query of the index for each.

use std::sync::PoisonError;

use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::operation::batch_get_item::builders::BatchGetItemFluentBuilder;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use contract::{AttributeName, DataSettings, KeyType, logs};

use super::client::DynamoDb;
use super::faults::Fault;
use super::row::{self, Parsed, Row, RowError};
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

/// First and last text that a row of the range may have. DynamoDB refuses a start outside of them, which the end of a page that
/// was asked for with wider ones may be: they take it in.
fn text_bounds(forms: TimeForms, request: &PageRequest, time: &AttributeName) -> (String, String) {
    let (from, to) = forms.bounds(request.range);
    let start = request.start.iter().flat_map(|start| start.0.iter()).find(|(name, _)| **name == *time.as_str());
    match start {
        Some((_, KeyValue::Text(start))) => (from.min(start.to_string()), to.max(start.to_string())),
        _ => (from, to),
    }
}

fn key_of(start: &PageStart) -> Row {
    let value = |value: &KeyValue| match value {
        KeyValue::Text(text) => AttributeValue::S(text.to_string()),
        KeyValue::Number(text) => AttributeValue::N(text.to_string()),
        KeyValue::Bytes(bytes) => AttributeValue::B(Blob::new(&**bytes)),
    };
    start.0.iter().map(|(name, part)| (name.to_string(), value(part))).collect()
}

/// Takes the key at which a page ended. An empty one is none.
fn start_of(key: Row) -> Result<Option<PageStart>, StoreError> {
    let part = |(name, value): (String, AttributeValue)| match value {
        AttributeValue::S(text) => Ok((name.into(), KeyValue::Text(text.into()))),
        AttributeValue::N(text) => Ok((name.into(), KeyValue::Number(text.into()))),
        AttributeValue::B(bytes) => Ok((name.into(), KeyValue::Bytes(bytes.into_inner().into()))),
        _ => Err(StoreError::Refused(format!("`{name}` is part of a key, and of no type that a key has"))),
    };
    let mut parts = key.into_iter().map(part).collect::<Result<Vec<_>, _>>()?;
    // The map that it comes from has no order, and equal keys must be equal.
    parts.sort_by(|(one, _), (other, _): &(Box<str>, KeyValue)| one.cmp(other));
    Ok((!parts.is_empty()).then(|| PageStart(parts.into())))
}

impl DynamoDb {
    /// Sends a query: the one place, because each makes the program larger by the whole of it.
    pub(super) async fn ask(&self, query: QueryFluentBuilder) -> Result<QueryOutput, Failed> {
        let answer = send(|| query.clone().send()).await;
        answer.map_err(|failed| Failed { error: self.with_hint(failed.error), ..failed })
    }

    /// Writes a row: likewise the one place.
    pub(super) async fn put(&self, put: PutItemFluentBuilder) -> Result<(), Failed> {
        send(|| put.clone().send()).await.map(|_| ())
    }

    /// Reads rows by their keys: likewise.
    pub(super) async fn get(&self, get: BatchGetItemFluentBuilder) -> Result<BatchGetItemOutput, Failed> {
        send(|| get.clone().send()).await
    }

    async fn query(&self, request: &PageRequest) -> Result<Page, StoreError> {
        let label = self.data.labels.as_slice().get(usize::from(request.label));
        let label = label.ok_or_else(|| StoreError::Refused(format!("there is no label {}", request.label)))?;
        let (from, to) = self.bounds(request);
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
        let answer = self.ask(query).await?;
        let mut page = Page {
            units: answer.consumed_capacity.and_then(|capacity| capacity.capacity_units).unwrap_or_default(),
            next: start_of(answer.last_evaluated_key.unwrap_or_default())?,
            ..Page::default()
        };
        let rows = answer.items.unwrap_or_default();
        let (count, mut forms) = (rows.len(), TimeForms::unknown(self.times()));
        for row in rows {
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
        }
        self.forms.learn(request.label, forms, count, page.units);
        Ok(page)
    }

    const fn times(&self) -> Times {
        Times::of(&self.data)
    }

    /// First and last time that a row of the range may have, as the table's key has it.
    fn bounds(&self, request: &PageRequest) -> (AttributeValue, AttributeValue) {
        let (from, to) = if self.times().are_counted() {
            self.times().number_bounds(request.range)
        } else {
            text_bounds(self.forms.of(request.label), request, &self.data.time_attribute)
        };
        match self.times().key_type() {
            KeyType::Number => (AttributeValue::N(from), AttributeValue::N(to)),
            KeyType::Text => (AttributeValue::S(from), AttributeValue::S(to)),
        }
    }

    /// Says what to change where the index has keys of other types than a query for them: DynamoDB does not say which.
    fn with_hint(&self, error: StoreError) -> StoreError {
        match error {
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
    fn take(&self, page: &mut Page, row: &Row, parsed: Parsed, range: TimeRange) {
        if !range.contains(parsed.item.at) {
            return;
        }
        for fault in &parsed.faults {
            page.values_newly_skipped += u64::from(self.note_value_fault(row, fault));
        }
        page.items.push(parsed.item);
    }

    /// Key and time of a row, as far as they can be read.
    fn name_of(&self, row: &Row) -> (String, String) {
        let part = |name: &AttributeName| match row.get(name.as_str()) {
            Some(AttributeValue::S(text) | AttributeValue::N(text)) => text.chars().take(200).collect(),
            _ => String::new(),
        };
        (part(&self.data.key_attribute), part(&self.data.time_attribute))
    }

    /// Notes the fault of a row, and says whether it was not met before.
    fn note_fault(&self, row: &Row, error: &RowError) -> bool {
        let (item_id, timestamp) = self.name_of(row);
        let fault = self.faults.lock().unwrap_or_else(PoisonError::into_inner).note((&item_id, &timestamp));
        if fault == Fault::New {
            tracing::warn!(target: MEASURED, message = logs::ROW_SKIPPED, item_id, timestamp, %error);
        }
        fault != Fault::Known
    }

    /// Notes what was left out of a row, and says whether it was not met before.
    fn note_value_fault(&self, row: &Row, error: &RowError) -> bool {
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
    use super::*;

    #[test]
    fn bounds_take_in_the_start_of_the_page() {
        let time = AttributeName::new("at").unwrap();
        let range = TimeRange {
            after: Timestamp::parse("2025-12-02T10:29:59.999Z").unwrap(),
            until: Timestamp::parse("2025-12-02T11:00:00.500Z").unwrap(),
        };
        let check = |start: Option<&str>, from: &str, to: &str| {
            let key =
                |at: &str| [("at".into(), KeyValue::Text(at.into())), ("id".into(), KeyValue::Text("zzz".into()))];
            let start = start.map(|at| PageStart(key(at).into()));
            let request = PageRequest { label: 0, range, start };
            assert_eq!(
                text_bounds(TimeForms::unknown(Times::TEXTS), &request, &time),
                (from.to_owned(), to.to_owned())
            );
        };
        let (from, to) = ("2025-12-02T10:30:00", "2025-12-02T11:00:01");
        check(None, from, to);
        check(Some("2025-12-02T10:45:00Z"), from, to);
        check(Some("2025-12-02 10:45:00Z"), "2025-12-02 10:45:00Z", to);
        check(Some("2025-12-02t10:45:00Z"), from, "2025-12-02t10:45:00Z");
    }

    #[test]
    fn a_pages_end_is_the_next_ones_start_whatever_the_order_of_its_parts() {
        let key = |texts: [(&str, AttributeValue); 3]| Row::from(texts.map(|(name, value)| (name.to_owned(), value)));
        let at = AttributeValue::S("2026-02-28T23:59:59Z".into());
        let label = AttributeValue::S("late & lost".into());
        for id in [AttributeValue::N("-7.5".into()), AttributeValue::B(Blob::new([0, 255, 7]))] {
            let first = key([("order", id.clone()), ("at", at.clone()), ("status", label.clone())]);
            let start = start_of(first.clone()).unwrap().unwrap();
            assert_eq!(key_of(&start), first);
            let again = start_of(key([("status", label.clone()), ("order", id), ("at", at.clone())])).unwrap().unwrap();
            assert_eq!(again, start);
        }
        assert_eq!(start_of(Row::new()).unwrap(), None);
        assert!(start_of(Row::from([("order".into(), AttributeValue::Bool(true))])).is_err());
    }
}
