//! What the index holds where a read of the whole window found nothing: the reason, for a person.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};

use super::client::DynamoDb;
use super::row::{self, Row, RowError};
use super::send::{Failed, send};
use crate::store::{Silence, StoreError};
use stream_core::moment::TimeRange;

/// Rows that are looked at, at most, in all labels or in each.
const ROWS_MAX: i32 = 100;
/// Reasons that are named, at most.
const REASONS_MAX: usize = 8;

impl DynamoDb {
    /// Looks at some rows of the index, whatever their label and time, and says why none of them counts.
    pub(super) async fn explain(&self, range: TimeRange) -> Result<Silence, StoreError> {
        let mut reasons = Reasons::default();
        match self.some_rows(None).await {
            Ok(answer) => reasons.take(self, answer, range),
            Err(Failed { error: StoreError::Refused(error), .. }) if error.starts_with("AccessDenied") => {
                for label in self.data.labels.as_slice() {
                    reasons.take(self, self.some_rows(Some(label.to_string())).await?, range);
                }
                reasons.is_blind = true;
            }
            Err(failed) => return Err(failed.into()),
        }
        Ok(Silence { units: reasons.units, found: reasons.sentence(self) })
    }

    /// Rows of one label, from that with the last time; of all labels, any.
    async fn some_rows(&self, label: Option<String>) -> Result<QueryOutput, Failed> {
        let mut query = self
            .client
            .query()
            .table_name(self.data.items_table.as_str())
            .index_name(self.data.index.as_str())
            .projection_expression(&self.query.projection)
            .limit(ROWS_MAX)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        for (placeholder, name) in &self.query.names {
            query = query.expression_attribute_names(placeholder, name);
        }
        if let Some(label) = label {
            let query = query.key_condition_expression("#a0 = :label").scan_index_forward(false);
            let query = query.expression_attribute_values(":label", AttributeValue::S(label));
            return send(|| query.clone().send()).await;
        }
        // A scan is asked for and answered in the words of a query. The SDK's own costs tens of kilobytes of program, which
        // every cold start reads.
        let scan = || {
            query.clone().customize().mutate_request(|request| {
                request.headers_mut().insert("x-amz-target", "DynamoDB_20120810.Scan");
            })
        };
        send(|| scan().send()).await
    }

    /// Why a row does not count: what one is like that does not for the same reason, and the sentence.
    fn reason(&self, row: &Row, range: TimeRange) -> (String, String) {
        let data = &self.data;
        if let Some(AttributeValue::S(label)) = row.get(data.label_attribute.as_str())
            && data.labels.index_of(label).is_none()
        {
            let said = RowError::Label(data.label_attribute.to_string(), row::shown(label)).to_string();
            return (said.clone(), said);
        }
        let of = |kind: &str, said: String| (kind.to_owned(), said);
        match row::parse(data, row) {
            Err(error) => of(error.attribute(), error.to_string()),
            Ok(None) => {
                let name = data.status_attribute.as_ref().map_or("", |name| name.as_str());
                let status = match row.get(name) {
                    Some(AttributeValue::S(status)) => row::shown(status),
                    _ => String::new(),
                };
                of(&format!("={status}"), format!("`{name}` is `{status}`, and not `{}`", data.status_ready))
            }
            Ok(Some(parsed)) if parsed.item.at <= range.after => {
                of("<", format!("`{}` is before the window, as {}", data.time_attribute, parsed.item.at))
            }
            Ok(Some(parsed)) if range.until < parsed.item.at => {
                of(">", format!("`{}` is in the future, as {}", data.time_attribute, parsed.item.at))
            }
            Ok(Some(_)) => of("", "they count, and have come since".to_owned()),
        }
    }
}

/// Why rows do not count, and how many.
#[derive(Default)]
struct Reasons {
    rows: usize,
    /// Sentence and rows, by kind.
    of_kind: BTreeMap<String, (String, usize)>,
    /// Whether only labels of the manifest could be looked for.
    is_blind: bool,
    units: f64,
}

impl Reasons {
    fn take(&mut self, store: &DynamoDb, answer: QueryOutput, range: TimeRange) {
        self.units += answer.consumed_capacity.and_then(|capacity| capacity.capacity_units).unwrap_or_default();
        for row in answer.items.unwrap_or_default() {
            let (kind, said) = store.reason(&row, range);
            self.rows += 1;
            self.of_kind.entry(kind).or_insert((said, 0)).1 += 1;
        }
    }

    fn sentence(self, store: &DynamoDb) -> String {
        let data = &store.data;
        let mut said = if self.rows == 0 {
            format!(
                "no rows: a row is in the index where it has `{}` and `{}`, both of the index's types",
                data.label_attribute, data.time_attribute
            )
        } else {
            let mut reasons: Vec<(String, usize)> = self.of_kind.into_values().collect();
            // Equal counts in the order of their kinds.
            reasons.sort_by_key(|reason| std::cmp::Reverse(reason.1));
            let more = reasons.len().saturating_sub(REASONS_MAX);
            let named = reasons.iter().take(REASONS_MAX).map(|(said, rows)| format!("{rows} of them: {said}"));
            let mut parts = vec![format!("{} rows", self.rows)];
            parts.extend(named);
            if more > 0 {
                parts.push(format!("{more} more reasons"));
            }
            parts.join("; ")
        };
        if self.is_blind {
            said.push_str(
                "; other labels could not be looked for, because `dynamodb:Scan` of the index is not allowed",
            );
        }
        said
    }
}
