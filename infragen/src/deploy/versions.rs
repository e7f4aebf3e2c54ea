//! Versions of a function: which one runs, and which one to go back to.

use serde_json::Value;

/// A published version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its number.
    pub number: u64,
    /// When it was published, as AWS writes it.
    pub published: String,
    /// Hash of its program.
    pub code: String,
}

/// Reads `list-versions-by-function`, oldest first; what is not published is left out.
#[must_use]
pub fn of(answer: &str) -> Vec<Version> {
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let read = |value: &Value| {
        let number = text(value, "Version").parse().ok()?;
        Some(Version { number, published: text(value, "LastModified"), code: text(value, "CodeSha256") })
    };
    let mut versions: Vec<Version> =
        answer.get("Versions").and_then(Value::as_array).into_iter().flatten().filter_map(read).collect();
    versions.sort_by_key(|version| version.number);
    versions
}

/// Where an alias points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Live {
    /// The version.
    pub version: u64,
    /// Another one that gets a share of its requests.
    pub beside: Option<u64>,
}

/// Reads `get-alias`.
#[must_use]
pub fn live(answer: &str) -> Option<Live> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    let version = answer.get("FunctionVersion")?.as_str()?.parse().ok()?;
    let beside = share(&answer).and_then(|(version, _)| version.parse().ok());
    Some(Live { version, beside })
}

/// The version that gets a share of an alias's requests, and that share, 0 to 1.
pub(super) fn share(alias: &Value) -> Option<(&str, f64)> {
    let weights = alias.pointer("/RoutingConfig/AdditionalVersionWeights")?.as_object()?;
    let (version, weight) = weights.iter().next()?;
    Some((version, weight.as_f64().unwrap_or_default()))
}

/// Where a rollback goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The one before that which runs; where another one gets a share beside it, that which runs.
    Before,
    /// The newest.
    Newest,
    /// This one.
    Number(u64),
}

/// Chooses the version to go to.
///
/// # Errors
/// A sentence that names the function, the version and those that there are.
pub fn choose(function: &str, live: Live, versions: &[Version], wanted: Wanted) -> Result<u64, String> {
    let numbers: Vec<u64> = versions.iter().map(|version| version.number).collect();
    let Live { version: live, beside } = live;
    let there = || numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match wanted {
        Wanted::Before if beside.is_some() => Ok(live),
        Wanted::Before => numbers.iter().copied().rfind(|number| *number < live).ok_or_else(|| {
            format!("`{function}` runs version {live}, and there is none before it: it has {}", there())
        }),
        Wanted::Newest => numbers.last().copied().ok_or_else(|| format!("`{function}` has no version")),
        Wanted::Number(number) if numbers.contains(&number) => Ok(number),
        Wanted::Number(number) => Err(format!("`{function}` has no version {number}: it has {}", there())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_before_the_newest_or_a_named_one_is_chosen() {
        let version = |number: &str| serde_json::json!({"Version": number, "LastModified": "t", "CodeSha256": "c"});
        let answer = serde_json::json!({"Versions": [version("$LATEST"), version("10"), version("2"), version("7")]});
        let versions = of(&answer.to_string());
        let at = |version| Live { version, beside: None };
        assert_eq!(versions.iter().map(|version| version.number).collect::<Vec<_>>(), [2, 7, 10]);
        assert_eq!(choose("f", at(10), &versions, Wanted::Before), Ok(7));
        assert_eq!(choose("f", at(7), &versions, Wanted::Newest), Ok(10));
        assert_eq!(choose("f", at(7), &versions, Wanted::Number(2)), Ok(2));
        assert_eq!(
            choose("f", at(2), &versions, Wanted::Before).unwrap_err(),
            "`f` runs version 2, and there is none before it: it has 2, 7, 10"
        );
        assert_eq!(
            choose("f", at(2), &versions, Wanted::Number(3)).unwrap_err(),
            "`f` has no version 3: it has 2, 7, 10"
        );
        assert_eq!(live("{\"FunctionVersion\": \"7\"}"), Some(at(7)));
        let shared =
            live("{\"FunctionVersion\": \"7\", \"RoutingConfig\": {\"AdditionalVersionWeights\": {\"10\": 0.1}}}");
        assert_eq!(shared, Some(Live { version: 7, beside: Some(10) }));
        assert_eq!(choose("f", shared.unwrap(), &versions, Wanted::Before), Ok(7), "back is without the share");
        assert_eq!((live("{\"FunctionVersion\": \"$LATEST\"}"), live("")), (None, None));
        assert!(of("nonsense").is_empty());
    }
}
