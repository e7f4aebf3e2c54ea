//! How the origins whose pages may show the page stand in the manifest.

use contract::FrameAncestors;
use contract::limits::{FRAME_ANCESTORS_BYTES_MAX, FRAME_ANCESTORS_MAX};
use contract::origins;

use super::reader::{ManifestValue, Problem};
use super::tree::Node;
use super::values::{list, strings};

impl ManifestValue for FrameAncestors {
    fn read(node: &Node) -> Result<Self, Vec<Problem>> {
        let one = |found: &str| {
            if origins::host(found).is_some() {
                return Ok(found.to_owned());
            }
            // A pattern or a star would let in whoever can have a name under it.
            Err(Problem::text(found, "it must be scheme://host[:port] in lower case, without a path or a `*`")
                .hint("write it as the page's address begins in a browser, such as `https://intranet.example.com`"))
        };
        let origins = list(node, &<Self as ManifestValue>::rule(), one)?;
        let (count, bytes) = (origins.len(), origins.join(" ").len());
        Self::new(origins).map_err(|_| {
            let says = format!(
                "has {count} origins of {bytes} bytes: it must have {FRAME_ANCESTORS_MAX} of {FRAME_ANCESTORS_BYTES_MAX} at most"
            );
            vec![Problem::new("out-of-range", says)]
        })
    }
    fn rule() -> String {
        format!("a list of at most {FRAME_ANCESTORS_MAX} origins, each scheme://host[:port]")
    }
    fn write(&self) -> Option<toml::Value> {
        Some(self.as_slice().iter().map(|origin| origin.clone().into()).collect::<Vec<toml::Value>>().into())
    }
    fn schema() -> serde_json::Value {
        let origin = serde_json::json!({ "type": "string", "pattern": "^https?://[a-z0-9.:\\[\\]-]+$" });
        serde_json::json!({ "type": "array", "items": origin, "maxItems": FRAME_ANCESTORS_MAX })
    }
    fn examples() -> Vec<toml::Value> {
        vec![
            strings(&["https://intranet.example.com"]).into(),
            strings(&["https://a.example.com", "http://localhost:8080"]).into(),
        ]
    }
}
