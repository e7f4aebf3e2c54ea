//! How the attributes that are shown stand in the manifest.

use contract::limits::SHOWN_ATTRIBUTES_MAX;
use contract::{AttributePath, ShownAttributes, ShownError, events};

use super::reader::{ManifestValue, Problem};
use super::tree::Node;
use super::values::{list, strings};

impl ManifestValue for ShownAttributes {
    fn read(node: &Node) -> Result<Self, Vec<Problem>> {
        let one = |found: &str| {
            let path = AttributePath::new(found)
                .map_err(|error| Problem::text(found, &format!("it must be {}", error.rule)))?;
            if events::UPDATE_KEYS.contains(&found) {
                let says = "an update calls something else so already";
                let hint =
                    "leave it out: updates say what the table means by itself; or give the attribute another name";
                return Err(Problem::text(found, says).code("shown-name-taken").hint(hint));
            }
            Ok(path)
        };
        let paths = list(node, &<Self as ManifestValue>::rule(), one)?;
        Self::new(paths).map_err(|error| {
            vec![match error {
                ShownError::TooMany(count) => Problem::new(
                    "out-of-range",
                    format!("has {count} attributes: it must have {SHOWN_ATTRIBUTES_MAX} at most"),
                ),
                ShownError::Taken(path) => {
                    Problem::new("shown-name-taken", format!("names `{path}`, which an update has"))
                }
                ShownError::Alike(one, other) => Problem::new(
                    "repeated-attribute",
                    format!("names `{one}` and `{other}`, whose values are both called `{}`", one.plain()),
                ),
                ShownError::Twice(path) => Problem::new("repeated-attribute", format!("names `{path}` twice")),
            }]
        })
    }
    fn rule() -> String {
        let fields = events::UPDATE_KEYS.join(", ");
        format!(
            "a list of at most {SHOWN_ATTRIBUTES_MAX} different attributes, none of them called {fields}, each {}",
            AttributePath::RULE
        )
    }
    fn write(&self) -> Option<toml::Value> {
        Some(self.as_slice().iter().map(|path| path.to_string().into()).collect::<Vec<toml::Value>>().into())
    }
    fn schema() -> serde_json::Value {
        let name =
            serde_json::json!({ "allOf": [AttributePath::schema(), { "not": { "enum": events::UPDATE_KEYS } }] });
        serde_json::json!({ "type": "array", "items": name, "maxItems": SHOWN_ATTRIBUTES_MAX, "uniqueItems": true })
    }
    fn examples() -> Vec<toml::Value> {
        vec![strings(&["author", "price"]).into(), strings(&["result.by"]).into()]
    }
}
