//! The manifest's own types of `[auth]`.

use contract::{Audience, Audiences, limits};

use super::reader::{ManifestValue, Problem};
use super::tree::{Node, Raw};
use super::values::{list, strings};

/// Names of the keys that session tokens are signed with: the first signs, all verify. Each is a key in KMS of its own, so
/// that changing the list is how keys are rotated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionKeyNames(Vec<String>);

impl SessionKeyNames {
    /// One key.
    #[must_use]
    pub fn one() -> Self {
        Self(vec!["1".to_owned()])
    }

    /// The names, the one that signs first.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

/// What one name may be; part of an alias in KMS.
const NAME_RULE: &str = "1 to 16 of a-z, 0-9 and -, beginning and ending with a letter or digit";

fn is_name(text: &str) -> bool {
    let ends = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (1..=16).contains(&text.len())
        && text.starts_with(ends)
        && text.ends_with(ends)
        && text.chars().all(|c| ends(c) || c == '-')
}

impl ManifestValue for SessionKeyNames {
    fn read(node: &Node) -> Result<Self, Vec<Problem>> {
        let one = |found: &str| {
            let problem = || Problem::text(found, &format!("it must be {NAME_RULE}"));
            is_name(found).then(|| found.to_owned()).ok_or_else(problem)
        };
        let names = list(node, &Self::rule(), one)?;
        if names.is_empty() || names.len() > limits::SESSION_KEYS_MAX {
            let says = format!("has {} keys: it must have 1 to {}", names.len(), limits::SESSION_KEYS_MAX);
            return Err(vec![Problem::new("out-of-range", says)]);
        }
        if let Some(name) =
            names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)).map(|(_, name)| name)
        {
            let says = format!("has `{name}` twice: each name is a key of its own");
            return Err(vec![Problem::new("repeated-session-key", says)]);
        }
        Ok(Self(names))
    }
    fn rule() -> String {
        format!("a list of 1 to {} different names, each {NAME_RULE}", limits::SESSION_KEYS_MAX)
    }
    fn write(&self) -> Option<toml::Value> {
        Some(self.0.iter().map(|name| name.clone().into()).collect::<Vec<toml::Value>>().into())
    }
    fn schema() -> serde_json::Value {
        let name = serde_json::json!({ "type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,14}[a-z0-9])?$" });
        let max = limits::SESSION_KEYS_MAX;
        serde_json::json!({ "type": "array", "items": name, "minItems": 1, "maxItems": max, "uniqueItems": true })
    }
    fn examples() -> Vec<toml::Value> {
        vec![strings(&["2026-11", "1"]).into(), strings(&["2"]).into()]
    }
}

fn audience(found: &str) -> Result<Audience, Problem> {
    Audience::new(found).map_err(|error| Problem::text(found, &format!("it must be {}", error.rule)))
}

impl ManifestValue for Audiences {
    fn read(node: &Node) -> Result<Self, Vec<Problem>> {
        let audiences = match &node.value {
            Raw::String(text) => vec![audience(text).map_err(|problem| vec![problem])?],
            _ => list(node, &Self::rule(), audience)?,
        };
        let count = audiences.len();
        Self::new(audiences).map_err(|_| {
            let says = format!("has {count} audiences: it must have 1 to {}", limits::AUDIENCES_MAX);
            vec![Problem::new("out-of-range", says)]
        })
    }
    fn rule() -> String {
        format!("{}, or a list of 1 to {} such", Audience::RULE, limits::AUDIENCES_MAX)
    }
    fn write(&self) -> Option<toml::Value> {
        match self.as_slice() {
            [one] => Some(one.to_string().into()),
            several => Some(several.iter().map(|one| one.to_string().into()).collect::<Vec<toml::Value>>().into()),
        }
    }
    fn schema() -> serde_json::Value {
        let one = serde_json::json!({ "type": "string", "pattern": "^[!-~]{1,256}$" });
        let several =
            serde_json::json!({ "type": "array", "items": one, "minItems": 1, "maxItems": limits::AUDIENCES_MAX });
        serde_json::json!({ "anyOf": [one, several] })
    }
    fn examples() -> Vec<toml::Value> {
        vec!["live-dashboard".into(), strings(&["live-dashboard", "https://live.example.com"]).into()]
    }
}
