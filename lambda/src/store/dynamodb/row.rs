//! A DynamoDB row as an item: the one place that knows what a valid row is.

use contract::DataSettings;

use stream_core::item::{Item, ItemKey};
use stream_core::times::Written;

use super::about::about;
use super::row_error::or_fault;
use super::values::{key, label, missing, number, shown, status, tags, text_or_number, time};

pub use super::row_error::RowError;
pub use super::value::{Row, Value};

/// What became of a row.
#[derive(Debug)]
pub struct Parsed {
    /// The item.
    pub item: Item,
    /// Its time with the form of the text, where it is one.
    pub written: Option<Written>,
    /// What was left out of it: an attribute without which it is an item too, or a ticker. One at most for each attribute.
    pub faults: Vec<RowError>,
}

/// Parses a row; `None` for one that is not ready yet.
///
/// # Errors
/// What is wrong with the row, with the attribute's name. A fault of what a row need not have is none.
pub fn parse(data: &DataSettings, row: &Row<'_>) -> Result<Option<Parsed>, RowError> {
    let mut faults = Vec::new();
    if !is_ready(data, row, &mut faults) {
        return Ok(None);
    }
    let id = key(row, &data.key_attribute)?.ok_or_else(|| missing(&data.key_attribute))?;
    let (time_text, at, written) = time(data, row)?;
    let label_text = label(data, row)?.ok_or_else(|| missing(&data.label_attribute))?;
    let label = data
        .labels
        .index_of(label_text)
        .ok_or_else(|| RowError::Label(data.label_attribute.to_string(), shown(label_text)))?;
    let tags = data.tags_attribute.as_ref().map_or_else(|| Ok(Box::default()), |path| tags(row, path, &mut faults))?;
    let source = data.source_attribute.as_ref().map_or(Ok(None), |path| text_or_number(row, path));
    let item = Item {
        key: ItemKey { id: id.into(), time_text: time_text.into() },
        at,
        label,
        score: or_fault(number(row, data.score_attribute.as_ref(), -1), &mut faults),
        confidence: or_fault(number(row, data.confidence_attribute.as_ref(), 0), &mut faults),
        source: or_fault(source, &mut faults).map(Into::into),
        tags,
        about: about(data, row, &mut faults),
    };
    Ok(Some(Parsed { item, written, faults }))
}

/// A row without the status attribute is ready: not every table has a life before analysis. So is one whose status is of a type
/// that says nothing, which is a fault.
fn is_ready(data: &DataSettings, row: &Row<'_>, faults: &mut Vec<RowError>) -> bool {
    let status = data.status_attribute.as_ref().map_or(Ok(None), |path| status(row, path));
    or_fault(status, faults).is_none_or(|status| status == data.status_ready.as_str())
}

#[cfg(test)]
mod tests {
    use contract::{TableName, Tag};

    use super::*;

    fn data() -> DataSettings {
        DataSettings::with_tables(TableName::new("items").unwrap(), TableName::new("users").unwrap())
    }

    fn s(text: &str) -> Value<'static> {
        Value::S(text.to_owned().into())
    }

    fn n(text: &str) -> Value<'static> {
        Value::N(text.to_owned().into())
    }

    fn row<'a>(change: impl FnOnce(&mut Row<'a>)) -> Row<'a> {
        let mut row: Row<'a> = [
            ("source_id", s("news#1")),
            ("timestamp", s("2025-12-02T10:30:00.123456+00:00")),
            ("sentiment", s("positive")),
            ("score", n("0.85")),
            ("confidence", n("0.9")),
            ("matched_tickers", Value::L(vec![s("MSFT"), s("AAPL"), s("MSFT")])),
            ("source", s("reuters")),
            ("status", s("analyzed")),
            ("headline", s("more attributes are allowed")),
        ]
        .into_iter()
        .collect();
        change(&mut row);
        row
    }

    fn set<'a>(row: &mut Row<'a>, name: &str, value: Value<'a>) {
        row.set(name.to_owned(), value);
    }

    /// The item of the row with this value, and its faults in words.
    fn with(name: &str, value: Value<'_>) -> (Item, Vec<String>) {
        let parsed = parse(&data(), &row(|r| set(r, name, value))).unwrap().unwrap();
        (parsed.item, parsed.faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_whole_row_becomes_an_item() {
        let parsed = parse(&data(), &row(|_| ())).unwrap().unwrap();
        let item = parsed.item;
        assert_eq!(item.at.to_string(), "2025-12-02T10:30:00.123Z");
        assert_eq!(item.tags.iter().map(Tag::as_str).collect::<Vec<_>>(), ["MSFT", "AAPL"]);
        assert_eq!((item.label, item.score, item.confidence), (0, Some(0.85), Some(0.9)));
        assert!(parsed.faults.is_empty());
    }

    #[test]
    fn absent_optional_attributes_are_fine_and_sets_are_sorted() {
        let item = parse(
            &data(),
            &row(|r| {
                for name in ["score", "confidence", "source", "status"] {
                    r.remove(name);
                }
                set(r, "matched_tickers", Value::Ss(vec!["Z".into(), "A".into()]));
            }),
        )
        .unwrap()
        .unwrap()
        .item;
        assert_eq!((item.score, item.confidence, item.source.as_deref()), (None, None, None));
        assert_eq!(item.tags.iter().map(Tag::as_str).collect::<Vec<_>>(), ["A", "Z"]);
    }

    #[test]
    fn a_pending_row_is_not_there_yet_whatever_says_so() {
        let is_ready = |ready: &str, value: Value<'_>| {
            let mut data = data();
            data.status_ready = contract::StatusValue::new(ready).unwrap();
            parse(&data, &row(|r| set(r, "status", value))).unwrap().is_some()
        };
        assert!(
            !is_ready("analyzed", s("pending"))
                && !is_ready("analyzed", s(""))
                && !is_ready("analyzed", s(&"x".repeat(5000)))
        );
        assert!(is_ready("2", n("2")) && is_ready("2", s("2")) && !is_ready("2", n("1")));
        assert!(is_ready("true", Value::Bool(true)) && !is_ready("true", Value::Bool(false)));
        assert!(is_ready("2", Value::Null(true)));
    }

    #[test]
    fn a_time_is_taken_as_programs_write_it_and_stands_in_the_key_as_it_was() {
        let (item, _) = with("timestamp", s("2026-11-27 17:10-0530"));
        assert_eq!(item.at.to_string(), "2026-11-27T22:40:00.000Z");
        assert_eq!(&*item.key.time_text, "2026-11-27 17:10-0530");
    }

    #[test]
    fn a_path_leads_through_maps_and_for_tags_through_lists_of_them() {
        let path = |text: &str| contract::AttributePath::new(text).ok();
        let map = |pairs: &[(&str, Value<'static>)]| {
            Value::M(pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
        };
        let mut data = data();
        (data.score_attribute, data.tags_attribute) = (path("result.scores.Positive"), path("mentions.ticker"));
        (data.source_attribute, data.status_attribute, data.confidence_attribute) =
            (path("by\\.name"), path("x.y"), None);
        let mentions = Value::L(vec![
            map(&[("ticker", s("MSFT"))]),
            map(&[("relevance", n("1"))]),
            s("no map"),
            map(&[("ticker", Value::L(vec![n("600519"), s("MSFT")]))]),
        ]);
        let whole = row(|r| {
            set(r, "result", map(&[("scores", map(&[("Positive", s("0.25"))]))]));
            set(r, "mentions", mentions);
            set(r, "by", s("a text has no parts"));
            set(r, "by.name", s("wire"));
        });
        let parsed = parse(&data, &whole).unwrap().unwrap();
        assert_eq!((parsed.item.score, parsed.item.source.as_deref()), (Some(0.25), Some("wire")));
        assert_eq!(parsed.item.tags.iter().map(Tag::as_str).collect::<Vec<_>>(), ["MSFT", "600519"]);
        assert!(parsed.faults.is_empty());
        // One that can be no tag takes no other one with it, nor the row.
        for (wrong, kind) in [(Value::Bool(true), "a truth value"), (map(&[("a", s("b"))]), "a map")] {
            for members in [vec![wrong.clone()], vec![wrong.clone(), s("A")], vec![s("A"), wrong.clone()]] {
                let (many, tags) = (members.len() > 1, members.iter().map(|one| map(&[("ticker", one.clone())])));
                let mixed = row(|r| set(r, "mentions", Value::L(tags.collect())));
                let parsed = parse(&data, &mixed).unwrap().unwrap();
                let expected: &[&str] = if many { &["A"] } else { &[] };
                assert_eq!(parsed.item.tags.iter().map(Tag::as_str).collect::<Vec<_>>(), expected);
                assert!(parsed.faults[0].to_string().contains(kind), "{:?}", parsed.faults);
            }
        }
        let whole = row(|r| set(r, "mentions", map(&[("ticker", Value::Bool(true))])));
        assert!(parse(&data, &whole).unwrap_err().to_string().contains("`mentions.ticker` is not a list"));
        // What is not there is none; what is there may be wrong.
        let item = parse(&data, &row(|r| set(r, "result", s("0.25")))).unwrap().unwrap().item;
        assert_eq!((item.score, item.tags.len()), (None, 0));
        let wrong = row(|r| set(r, "result", map(&[("scores", map(&[("Positive", s("high"))]))])));
        let faults = parse(&data, &wrong).unwrap().unwrap().faults;
        assert_eq!(faults[0].to_string(), "`result.scores.Positive` is `high`, which is not a number");
        data.tags_attribute = None;
        assert_eq!(parse(&data, &row(|_| ())).unwrap().unwrap().item.tags.len(), 0);
    }

    #[test]
    fn a_time_may_be_a_number_where_the_manifest_says_so() {
        let mut data = data();
        data.time_format = contract::TimeFormat::EpochSeconds;
        let time = |data: &DataSettings, value| parse(data, &row(|r| set(r, "timestamp", value)));
        let item = time(&data, n("1764671400.5")).unwrap().unwrap().item;
        assert_eq!((item.at.to_string().as_str(), &*item.key.time_text), ("2025-12-02T10:30:00.500Z", "1764671400.5"));
        for (value, expected) in [
            (n("1764671400500"), "`timestamp` is `1764671400500`, which is not from the years 1970 to 9999, in UTC"),
            (s("1764671400"), "`timestamp` is not a number"),
            (Value::Null(true), "`timestamp` is missing"),
        ] {
            assert_eq!(time(&data, value).unwrap_err().to_string(), expected);
        }
        data.time_format = contract::TimeFormat::Rfc3339;
        assert_eq!(time(&data, n("1764671400")).unwrap_err().to_string(), "`timestamp` is not a string");
    }

    #[test]
    fn a_label_may_be_a_number_where_the_manifest_says_so() {
        let mut data = data();
        data.label_type = contract::LabelType::Number;
        data.labels = contract::Labels::new(&["1", "0", "-1"]).unwrap();
        let label = |data: &DataSettings, value| parse(data, &row(|r| set(r, "sentiment", value)));
        assert_eq!(label(&data, n("-1")).unwrap().unwrap().item.label, 2);
        for (value, expected) in
            [(n("2"), "`sentiment` is `2`, which is no label of this table"), (s("1"), "`sentiment` is not a number")]
        {
            assert_eq!(label(&data, value).unwrap_err().to_string(), expected);
        }
        data.label_type = contract::LabelType::Text;
        assert_eq!(label(&data, n("1")).unwrap_err().to_string(), "`sentiment` is not a string");
    }

    #[test]
    fn a_hash_key_may_be_a_number_and_so_may_a_source() {
        let (item, faults) = with("source", n("600519"));
        assert_eq!((item.source.as_deref(), faults.len()), (Some("600519"), 0));
        let (item, faults) = with("source_id", n("8817265340021"));
        assert_eq!(&*item.key.id, "8817265340021");
        assert_eq!(faults, [""; 0]);
    }

    #[test]
    fn numbers_may_be_texts_and_rounding_errors_are_put_right() {
        let score = |value| {
            let (item, faults) = with("score", value);
            assert_eq!(faults, [""; 0]);
            item.score
        };
        for (text, expected) in [
            ("0.5", 0.5),
            ("+0.5", 0.5),
            ("-.25", -0.25),
            ("1e-3", 0.001),
            ("2.5E-1", 0.25),
            ("1.0000000002", 1.0),
            ("1.0009", 1.0),
            ("-1.00001", -1.0),
            ("-0", 0.0),
        ] {
            assert_eq!(score(n(text)), Some(expected), "{text}");
            assert_eq!(score(s(text)), Some(expected), "{text}");
            assert_eq!(score(s(&format!(" {text}\t\n"))), Some(expected), "{text}");
        }
        for absent in [s(""), s("  "), Value::Null(true)] {
            assert_eq!(score(absent), None);
        }
        let (item, faults) = with("confidence", s("-0.0000001"));
        assert_eq!((item.confidence, faults.len()), (Some(0.0), 0));
    }

    #[test]
    fn a_fault_of_an_optional_attribute_loses_that_attribute_only() {
        let whole = parse(&data(), &row(|_| ())).unwrap().unwrap().item;
        let list = || Value::L(vec![n("0.5")]);
        for (name, value, expected) in [
            ("score", n("1.01"), "`score` is 1.01; it must be from -1 to 1"),
            ("score", n("-1.0011"), "`score` is -1.0011; it must be from -1 to 1"),
            ("score", s("NaN"), "`score` is NaN; it must be from -1 to 1"),
            ("score", s("-Infinity"), "`score` is -Infinity; it must be from -1 to 1"),
            ("score", s("1e999"), "`score` is 1e999; it must be from -1 to 1"),
            ("score", s("0,5"), "`score` is `0,5`, which is not a number"),
            ("score", s("0.5 %"), "`score` is `0.5 %`, which is not a number"),
            ("score", Value::Bool(true), "`score` is not a number"),
            ("confidence", n("-0.1"), "`confidence` is -0.1; it must be from 0 to 1"),
            ("confidence", s("high\n"), "`confidence` is `high`, which is not a number"),
            ("confidence", list(), "`confidence` is not a number"),
            ("source", Value::Bool(true), "`source` is not a string or a number"),
            ("status", list(), "`status` is not a string, a number or a truth value"),
            ("source", s(&"x".repeat(2049)), "`source` is longer than 2048 bytes"),
        ] {
            let (item, faults) = with(name, value);
            assert_eq!(faults, [expected]);
            let mut without = whole.clone();
            match name {
                "score" => without.score = None,
                "confidence" => without.confidence = None,
                "source" => without.source = None,
                // Not in the item: the row counts as if it had none.
                _ => {}
            }
            assert_eq!(item, without, "{name}");
        }
        let parsed = parse(
            &data(),
            &row(|r| {
                set(r, "score", s("?"));
                set(r, "confidence", s("?"));
                set(r, "matched_tickers", Value::L(vec![list()]));
            }),
        );
        assert_eq!(parsed.unwrap().unwrap().faults.len(), 3);
    }

    #[test]
    fn tickers_are_what_can_be_one_and_the_rest_is_left_out() {
        use Value::{B, Bool, L, M, N, Ns, Null, S, Ss};
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned().into()).collect::<Vec<_>>();
        let check = |value: Value<'_>, expected: &[&str], fault: &[&str]| {
            let (item, faults) = with("matched_tickers", value);
            assert_eq!(item.tags.iter().map(Tag::as_str).collect::<Vec<_>>(), expected);
            assert_eq!(faults, fault);
        };
        check(S("BRK.B".into()), &["BRK.B"], &[]);
        check(S(" VOD.L ".into()), &["VOD.L"], &[]);
        check(S("".into()), &[], &[]);
        check(N("600519".into()), &["600519"], &[]);
        check(Null(true), &[], &[]);
        check(Ss(texts(&["TSLA", " ", "AMD", ""])), &["AMD", "TSLA"], &[]);
        check(Ns(texts(&["700", "600519", "5"])), &["5", "600519", "700"], &[]);
        let mixed = vec![s("0700"), Null(true), n("600519"), s(""), s("600519"), s(" 0700"), s("\t")];
        check(L(mixed), &["0700", "600519"], &[]);
        check(
            L(vec![M([("S", s("IBM"))].into_iter().collect()), s("IBM"), Bool(true)]),
            &["IBM"],
            &["`matched_tickers` has a member that is a map; a ticker is a string or a number"],
        );
        for (value, kind) in [(L(vec![]), "a list"), (Ss(texts(&["X"])), "a set"), (B("WA==".into()), "binary")] {
            let said = format!("`matched_tickers` has a member that is {kind}; a ticker is a string or a number");
            check(L(vec![value, s("IBM")]), &["IBM"], &[&said]);
        }
        for text in ["[\"AAPL\"]", "['AAPL']", "[{\"S\":\"AAPL\"}]", "[\"AAPL\",\"IBM\"]", "[]", "{\"S\":\"AAPL\"}"] {
            let said = format!(
                "`matched_tickers`: `{}` is a list or a map that was written as a text; a text is one ticker",
                text.escape_debug()
            );
            check(S(text.into()), &[], &[&said]);
            check(L(vec![s(text), s("IBM")]), &["IBM"], &[&said]);
        }
        check(Ss(texts(&["[WIP]", "{a}", "["])), &["[", "[WIP]", "{a}"], &[]);
        let rule =
            "is not a valid ticker; it must be 1 to 64 bytes without control characters, commas and spaces at its ends";
        check(S("A,B".into()), &[], &[&format!("`matched_tickers`: `A,B` {rule}")]);
        let long = "L".repeat(65);
        let (item, faults) = with("matched_tickers", L(vec![s(&long), s(&"L".repeat(64)), s("a\u{0}")]));
        assert_eq!((item.tags.len(), faults.len()), (1, 1));
    }

    #[test]
    fn a_hundred_tickers_are_one_rows_most() {
        let numbered = |count: u32| Value::L((0..count).map(|number| n(&number.to_string())).collect());
        let (item, faults) = with("matched_tickers", numbered(100));
        assert_eq!((item.tags.len(), faults.len()), (100, 0));
        let (item, _) = with("matched_tickers", Value::L(vec![s("A"); 101]));
        assert_eq!(item.tags.len(), 1);
        let error = parse(&data(), &row(|r| set(r, "matched_tickers", numbered(101)))).unwrap_err();
        assert_eq!(error.to_string(), "`matched_tickers` has more than 100 entries");
    }

    #[test]
    fn every_broken_row_is_refused_with_its_attribute() {
        let cases: Vec<(&str, Option<Value<'static>>, &str)> = vec![
            ("source_id", None, "`source_id` is missing"),
            ("source_id", Some(Value::Bool(true)), "`source_id` is not a string or a number"),
            ("source_id", Some(s(&"x".repeat(2049))), "`source_id` is longer than 2048 bytes"),
            ("timestamp", Some(n("1764671400")), "`timestamp` is not a string"),
            (
                "timestamp",
                Some(s("yesterday\n")),
                "`timestamp` is `yesterday\\n`, which is no RFC 3339 time, such as `2025-12-02T10:30:00Z`",
            ),
            (
                "timestamp",
                Some(s("2025-12-02 10:30:00")),
                "`timestamp` is `2025-12-02 10:30:00`, which says no zone; `data.time_zone` must name it, where times do not end in one, such as `Z` or `+0000`",
            ),
            ("sentiment", Some(s("joy\n")), "`sentiment` is `joy\\n`, which is no label of this table"),
            ("matched_tickers", Some(Value::Bool(true)), "`matched_tickers` is not a list, set, string or number"),
        ];
        for (name, value, expected) in cases {
            let broken = row(|r| match value {
                Some(value) => set(r, name, value),
                None => {
                    r.remove(name);
                }
            });
            assert_eq!(parse(&data(), &broken).unwrap_err().to_string(), expected);
        }
    }
}
