//! What the index holds where a read of the whole window found nothing: the reason, for a person.

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use bytes::Bytes;

use super::answer::Answer;
use super::client::DynamoDb;
use super::row::{self, Row, RowError};
use super::send::Failed;
use super::values::{label, label_value, shown, status};
use crate::store::{Silence, StoreError};
use stream_core::moment::TimeRange;

/// Rows that are looked at, at most, in all labels or in each.
const ROWS_MAX: i32 = 100;
/// Kinds of reasons that are told apart, at most.
const KINDS_MAX: usize = 16;

impl DynamoDb {
    /// Looks at some rows of the index, whatever their label and time, and says why none of them counts.
    pub(super) async fn explain(&self, range: TimeRange) -> Result<Silence, StoreError> {
        let mut reasons = Reasons::default();
        match self.some_rows(None).await {
            Ok(answer) => reasons.take(self, &answer, range)?,
            Err(Failed { error: StoreError::Refused(error), .. }) if error.starts_with("AccessDenied") => {
                for label in self.data.labels.as_slice() {
                    let answer = self.some_rows(Some(label.to_string())).await?;
                    reasons.take(self, &answer, range)?;
                }
                reasons.is_blind = true;
            }
            Err(failed) => return Err(failed.into()),
        }
        Ok(Silence { units: reasons.units, found: reasons.sentence(self) })
    }

    /// Rows of one label, from that with the last time; of all labels, any ([`super::scan::AsScan`]).
    async fn some_rows(&self, label: Option<String>) -> Result<Bytes, Failed> {
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
            query = query
                .key_condition_expression("#a0 = :label")
                .expression_attribute_values(":label", label_value(&self.data, &label))
                .scan_index_forward(false);
        }
        self.ask_rows(query).await
    }

    /// Why a row does not count: what one is like that does not for the same reason, and the sentence.
    fn reason(&self, row: &Row<'_>, range: TimeRange) -> (String, String) {
        let data = &self.data;
        if let Ok(Some(label)) = label(data, row)
            && data.labels.index_of(label).is_none()
        {
            let said = RowError::Label(data.label_attribute.to_string(), shown(label)).to_string();
            return (said.clone(), said);
        }
        let of = |kind: &str, said: String| (kind.to_owned(), said);
        match row::parse(data, row) {
            Err(error) => of(error.attribute(), error.to_string()),
            Ok(None) => {
                let name = data.status_attribute.as_ref();
                let status = name.and_then(|name| status(row, name).ok().flatten()).map(shown).unwrap_or_default();
                let name = name.map_or("", |name| name.as_str());
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
    /// Kind, sentence and rows; few, because of kinds and labels there are few.
    kinds: Vec<(String, String, usize)>,
    /// Rows of kinds beyond [`KINDS_MAX`].
    others: usize,
    /// Whether only labels of the manifest could be looked for.
    is_blind: bool,
    units: f64,
}

impl Reasons {
    fn take(&mut self, store: &DynamoDb, answer: &[u8], range: TimeRange) -> Result<(), StoreError> {
        let answer = Answer::read(answer, &mut |row| {
            let (kind, said) = store.reason(&row, range);
            self.rows += 1;
            match self.kinds.iter().position(|known| known.0 == kind) {
                Some(index) => self.kinds[index].2 += 1,
                None if self.kinds.len() < KINDS_MAX => self.kinds.push((kind, said, 1)),
                None => self.others += 1,
            }
        })?;
        self.units += answer.units;
        Ok(())
    }

    fn sentence(mut self, store: &DynamoDb) -> String {
        let data = &store.data;
        let mut said = format!("{} rows", self.rows);
        if self.rows == 0 {
            said = format!(
                "no rows: a row is in the index where it has `{}` and `{}`, both of the index's types",
                data.label_attribute, data.time_attribute
            );
        }
        // The most frequent first.
        while let Some(rows) = self.kinds.iter().map(|kind| kind.2).max() {
            let index = self.kinds.iter().position(|kind| kind.2 == rows).expect("one has the most");
            let (_, reason, rows) = self.kinds.remove(index);
            said.push_str(&format!("; {rows} of them: {reason}"));
        }
        if self.others > 0 {
            said.push_str(&format!("; {} of them: other reasons", self.others));
        }
        if self.is_blind {
            said.push_str(
                "; other labels could not be looked for, because `dynamodb:Scan` of the index is not allowed",
            );
        }
        said
    }
}
