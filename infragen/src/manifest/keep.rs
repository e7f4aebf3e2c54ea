//! How a manifest says for how long sums of old hours are kept.

use contract::HistoryKeep;

use super::reader::{ManifestValue, Problem};
use super::tree::Node;
use super::values::{strings, text};

impl ManifestValue for HistoryKeep {
    fn read(node: &Node) -> Result<Self, Vec<Problem>> {
        let found = text(node, "days such as `\"400d\"`")?;
        Self::parse(found)
            .map_err(|_| vec![Problem::text(found, &format!("it must be {}", Self::RULE)).code("out-of-range")])
    }
    fn rule() -> String {
        Self::RULE.to_owned()
    }
    fn write(&self) -> Option<toml::Value> {
        Some(self.to_string().into())
    }
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "string", "pattern": "^[0-9]+d$" })
    }
    fn examples() -> Vec<toml::Value> {
        strings(&["400d", "90d", "30d", "2d", "3660d"])
    }
}
