//! How the headers that pages may send stand in the manifest.

use contract::limits::MORE_HEADERS_MAX;
use contract::{HeaderName, MoreHeaders};

use super::reader::{ManifestValue, Problem};
use super::tree::Node;
use super::values::{list, strings};

impl ManifestValue for MoreHeaders {
    fn read(node: &Node) -> Result<Self, Vec<Problem>> {
        let one = |found: &str| {
            HeaderName::new(found).map_err(|error| {
                let problem = Problem::text(found, &format!("it must be {}", error.rule));
                if found == "*" { problem.hint("name each header, such as `x-api-key`") } else { problem }
            })
        };
        let names = list(node, &<Self as ManifestValue>::rule(), one)?;
        let count = names.len();
        Self::new(names).map_err(|_| {
            let says = format!("has {count} headers: it must have {MORE_HEADERS_MAX} at most");
            vec![Problem::new("out-of-range", says)]
        })
    }
    fn rule() -> String {
        format!("a list of at most {MORE_HEADERS_MAX} names of headers, each {}", HeaderName::RULE)
    }
    fn write(&self) -> Option<toml::Value> {
        Some(self.as_slice().iter().map(|name| name.to_string().into()).collect::<Vec<toml::Value>>().into())
    }
    fn schema() -> serde_json::Value {
        let name = serde_json::json!({ "type": "string", "pattern": "^[a-zA-Z0-9!#$%&'+.^_`|~-]{1,100}$" });
        serde_json::json!({ "type": "array", "items": name, "maxItems": MORE_HEADERS_MAX })
    }
    fn examples() -> Vec<toml::Value> {
        vec![strings(&["x-api-key"]).into(), strings(&["x-api-key", "x-tenant"]).into()]
    }
}
