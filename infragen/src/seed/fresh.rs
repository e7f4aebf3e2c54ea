//! Rows of an example, which were written at some time, as if they had come until now.

use std::time::Duration;

use stream_core::timestamp::Timestamp;

use super::{Given, Shape};

impl Shape<'_> {
    /// Moves the times of all rows by the same, so that the newest is `now`. A time that is none stays, to be refused with its line;
    /// a row without one has none afterwards.
    pub fn refresh(&self, rows: &mut [Given], now: Timestamp) {
        let names = [self.manifest.data.attributes.time.as_str(), "timestamp"];
        let time = |row: &Given| {
            let name = names.into_iter().find(|name| row.fields.contains_key(*name))?;
            Some((name, self.moment(&row.fields[name]).ok()?))
        };
        let Some(newest) = rows.iter().filter_map(time).map(|(_, at)| at).max() else { return };
        for row in rows {
            if let Some((name, at)) = time(row) {
                let age = Duration::from_millis(newest.millis() - at.millis());
                row.fields.insert(name.to_owned(), now.minus(age).to_string().into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::diagnostic::{Input, Source};
    use crate::load::load;
    use crate::seed::json_lines;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    /// Times of the rows afterwards, as the table has them.
    fn check(format: &str, rows: &str, expected: &[Value]) {
        let text = format!("[data]\ntime_format = \"{format}\"\n");
        let loaded = load(&Input::new(Source { name: "deploy.toml".into(), text }), None).unwrap();
        let kind = if format == "rfc3339" { "S" } else { "N" };
        let definition = |name: &str, kind: &str| json!({ "AttributeName": name, "AttributeType": kind });
        let created = json!({ "AttributeDefinitions": [definition("source_id", "S"), definition("timestamp", kind), definition("sentiment", "S")] });
        let shape = Shape::of(&loaded.manifest, &created.to_string()).unwrap();
        let mut rows = json_lines(rows).unwrap();
        shape.refresh(&mut rows, NOW);
        let items = shape.items(&rows, NOW).unwrap();
        assert_eq!(items.iter().map(|item| item["timestamp"].clone()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_newest_row_is_of_now_and_the_others_are_as_much_older_as_they_were() {
        let text = |at: Timestamp| json!({ "S": at.to_string() });
        let ago = |secs| NOW.minus(Duration::from_secs(secs));
        check(
            "rfc3339",
            "{\"item_id\": \"a\", \"label\": \"neutral\", \"timestamp\": \"2026-01-01T00:00:00Z\"}\n\
             {\"item_id\": \"b\", \"label\": \"neutral\", \"timestamp\": \"2026-01-01T02:01:00+01:00\"}\n\
             {\"item_id\": \"c\", \"label\": \"neutral\"}\n",
            &[text(ago(3660)), text(NOW), text(NOW)],
        );
        check(
            "epoch-seconds",
            "{\"item_id\": \"a\", \"label\": \"neutral\", \"timestamp\": 1767225590}\n\
             {\"item_id\": \"b\", \"label\": \"neutral\", \"timestamp\": \"2026-01-01T00:00:00Z\"}\n",
            &[json!({ "N": "1799999990" }), json!({ "N": "1800000000" })],
        );
    }
}
