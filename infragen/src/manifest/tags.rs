//! Tags: what AWS allows in them, and which ones are the generator's own.

use std::collections::BTreeMap;

use super::reader::{ManifestValue, Problem};
use super::tree::{Node, Raw};
use super::words::quoted;

/// Tags of every resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(BTreeMap<String, String>);

/// Tags that the generator adds itself.
pub const OWN_TAGS: [&str; 3] = ["environment", "managed-by", "project"];
/// AWS allows 50 tags on a resource.
const TAGS_MAX: usize = 50 - OWN_TAGS.len();
const TAG_KEY_CHARACTERS_MAX: usize = 128;
const TAG_VALUE_CHARACTERS_MAX: usize = 256;

impl Tags {
    /// The tags, sorted by key.
    #[must_use]
    pub const fn as_map(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

fn tag_problem(key: &str, node: &Node) -> Option<Problem> {
    let of_key = |rule: &str| Problem::map_key(key, node, rule);
    let characters = key.chars().count();
    if characters == 0 || characters > TAG_KEY_CHARACTERS_MAX {
        let rule = format!("a tag's key must have 1 to {TAG_KEY_CHARACTERS_MAX} characters");
        return Some(of_key(&rule).code("out-of-range"));
    }
    if key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
        let rule = "a tag's key must not begin with `aws:`, which AWS keeps for itself";
        return Some(of_key(rule).code("reserved-tag"));
    }
    if OWN_TAGS.contains(&key) {
        return Some(of_key("infragen sets this tag itself").code("reserved-tag").hint("remove it"));
    }
    let problem = match &node.value {
        Raw::String(value) if value.chars().count() > TAG_VALUE_CHARACTERS_MAX => {
            let rule = format!("a tag's value must have at most {TAG_VALUE_CHARACTERS_MAX} characters");
            Problem::text(value, &rule).code("out-of-range")
        }
        Raw::String(_) => return None,
        _ => quoted(Problem::kind(node, "a string"), node),
    };
    Some(problem.of_map_value(key, node))
}

impl ManifestValue for Tags {
    fn read(node: &Node) -> Result<Self, Vec<Problem>> {
        let Raw::Table(table) = &node.value else {
            return Err(vec![Problem::kind(node, &Self::rule())]);
        };
        let problems: Vec<Problem> = table.iter().filter_map(|(key, value)| tag_problem(key, value)).collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        if table.len() > TAGS_MAX {
            let says = format!("has {} tags: it must have at most {TAGS_MAX}", table.len());
            return Err(vec![Problem::new("out-of-range", says)]);
        }
        let texts = table.iter().filter_map(|(key, node)| match &node.value {
            Raw::String(value) => Some((key.clone(), value.clone())),
            _ => None,
        });
        Ok(Self(texts.collect()))
    }
    fn rule() -> String {
        format!("a table of at most {TAGS_MAX} strings")
    }
    fn write(&self) -> Option<toml::Value> {
        let table: toml::Table = self.0.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect();
        Some(table.into())
    }
    fn schema() -> serde_json::Value {
        serde_json::json!({
            "type": "object",
            "propertyNames": { "minLength": 1, "maxLength": TAG_KEY_CHARACTERS_MAX, "not": { "enum": OWN_TAGS } },
            "additionalProperties": { "type": "string", "maxLength": TAG_VALUE_CHARACTERS_MAX },
            "maxProperties": TAGS_MAX,
        })
    }
    fn examples() -> Vec<toml::Value> {
        let table = |key: &str, value: &str| toml::Value::Table([(key.to_owned(), value.into())].into_iter().collect());
        vec![table("team", "data"), table("cost-centre", "4711")]
    }
}
