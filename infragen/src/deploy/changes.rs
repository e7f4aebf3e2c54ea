//! What a plan of Terraform would do, in people's words.

use std::collections::BTreeMap;

use serde_json::Value;

use super::nouns::{loss_of, noun_of};
use super::place::{self, Place};
use crate::diagnostic::Colour;

/// Differences of one resource that are shown; more are counted.
const DIFFERENCES_MAX: usize = 6;
/// Longest value that is shown.
const VALUE_CHARS_MAX: usize = 60;

/// What happens to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It is made.
    New,
    /// It was there, and Terraform takes it over.
    Imported,
    /// It stays, and something of it changes.
    Changed,
    /// It stays, and Terraform forgets it.
    LetGo,
    /// It is made anew, and what it was is gone.
    Replaced,
    /// It goes.
    Removed,
}

impl Kind {
    const ALL: [Self; 6] = [Self::New, Self::Imported, Self::Changed, Self::LetGo, Self::Replaced, Self::Removed];

    const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Imported => "imported",
            Self::Changed => "changed",
            Self::LetGo => "let go",
            Self::Replaced => "replaced",
            Self::Removed => "removed",
        }
    }

    const fn colour(self) -> &'static str {
        match self {
            Self::New | Self::Imported => "1;32",
            Self::Changed | Self::LetGo => "1;33",
            Self::Replaced | Self::Removed => "1;31",
        }
    }

    fn of(actions: &[&str], is_imported: bool) -> Option<Self> {
        match actions {
            ["no-op" | "update"] if is_imported => Some(Self::Imported),
            ["forget"] => Some(Self::LetGo),
            ["create"] => Some(Self::New),
            ["update"] => Some(Self::Changed),
            ["delete"] => Some(Self::Removed),
            ["delete", "create"] | ["create", "delete"] => Some(Self::Replaced),
            _ => None,
        }
    }
}

/// What happens to one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What happens.
    pub kind: Kind,
    /// Its address in Terraform.
    pub address: String,
    /// Its type in Terraform.
    pub resource: String,
    /// Its name in AWS, where the plan knows it.
    pub name: Option<String>,
    /// What differs, where it stays.
    pub differences: Vec<String>,
    /// Of an alias that goes to another version, the one that it leaves.
    pub leaves: Option<u64>,
}

impl Change {
    /// What it is called.
    #[must_use]
    pub fn noun(&self) -> String {
        noun_of(&self.resource)
    }

    /// What is lost with what it was, where anything is.
    #[must_use]
    pub fn loss(&self) -> Option<&'static str> {
        let goes = matches!(self.kind, Kind::Replaced | Kind::Removed);
        loss_of(&self.resource).filter(|_| goes)
    }

    fn line(&self) -> String {
        let what = self.name.as_deref().map_or_else(|| format!("({})", self.address), str::to_owned);
        let mut text = format!("{} {what}", self.noun());
        if let Some(loss) = self.loss() {
            text.push_str(&format!(": {loss}"));
        } else if !self.differences.is_empty() {
            let shown = self.differences.iter().take(DIFFERENCES_MAX).cloned().collect::<Vec<_>>().join(", ");
            let more = self.differences.len().saturating_sub(DIFFERENCES_MAX);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            text.push_str(&format!(": {shown}{more}"));
        }
        text
    }
}

/// Everything that a plan would do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// What happens to resources.
    pub resources: Vec<Change>,
    /// Whether outputs change, with resources or alone.
    pub has_outputs: bool,
    /// What a month cost by the last apply, US dollars.
    pub monthly_usd_before: Option<f64>,
    /// Where the deployment is, as far as there is one.
    pub place: Option<Place>,
}

impl Changes {
    /// Reads what `terraform show -json` says of a plan.
    ///
    /// # Errors
    /// A sentence where that is no plan.
    pub fn read(plan: &str) -> Result<Self, String> {
        let plan: Value =
            serde_json::from_str(plan).map_err(|error| format!("Terraform's plan is no JSON: {error}"))?;
        let resources = plan.get("resource_changes").and_then(Value::as_array);
        let mut changes: Vec<Change> = resources.into_iter().flatten().filter_map(change).collect();
        changes.sort_by(|a, b| (a.kind, &a.resource, &a.address).cmp(&(b.kind, &b.resource, &b.address)));
        let outputs = plan.get("output_changes").and_then(Value::as_object);
        let is_change =
            |output: &Value| output.get("actions").is_some_and(|actions| *actions != serde_json::json!(["no-op"]));
        Ok(Self {
            resources: changes,
            has_outputs: outputs.is_some_and(|outputs| outputs.values().any(is_change)),
            monthly_usd_before: plan.pointer("/output_changes/estimated_monthly_usd/before").and_then(Value::as_f64),
            place: place::of_plan(&plan),
        })
    }

    /// Whether nothing happens to any resource.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.resources.is_empty()
    }

    /// What is lost or felt elsewhere.
    pub fn losses(&self) -> impl Iterator<Item = &Change> {
        self.resources.iter().filter(|change| change.loss().is_some())
    }

    /// Writes them for people: what is new is counted, everything else named.
    #[must_use]
    pub fn human(&self, colour: Colour) -> String {
        let mut out = String::new();
        for kind in Kind::ALL {
            let of_kind: Vec<&Change> = self.resources.iter().filter(|change| change.kind == kind).collect();
            let word = colour.paint(kind.colour(), &format!("{:<8}", kind.word()));
            if kind == Kind::New && of_kind.len() > DIFFERENCES_MAX {
                out.push_str(&format!("  {word}  {}\n", counted(&of_kind)));
            } else {
                for change in of_kind {
                    out.push_str(&format!("  {word}  {}\n", change.line()));
                }
            }
        }
        out
    }

    /// Writes them as a comment of a pull request: what they are called is code there, whatever stands in it.
    #[must_use]
    pub fn markdown(&self, title: &str) -> String {
        let mut out = format!("### {title}: {}\n", self.summary());
        if !self.resources.is_empty() {
            out.push_str("\n| | |\n|---|---|\n");
        }
        for change in &self.resources {
            let word = if change.loss().is_some() {
                format!("**{}**", change.kind.word())
            } else {
                change.kind.word().to_owned()
            };
            // A bar would end the cell, a backtick the code.
            let text = change.line().replace('|', "¦").replace('`', "'");
            out.push_str(&format!("| {word} | `{text}` |\n"));
        }
        out
    }

    /// Counts them by kind, in one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let count = |kind: Kind| self.resources.iter().filter(|change| change.kind == kind).count();
        let parts = Kind::ALL.map(|kind| (count(kind), kind.word()));
        let said: Vec<String> =
            parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
        if said.is_empty() { "nothing to change".to_owned() } else { said.join(", ") }
    }
}

/// How many there are of each: `2 functions, 1 table`.
fn counted(changes: &[&Change]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for change in changes {
        *counts.entry(change.noun()).or_default() += 1;
    }
    let one = |(noun, count): (String, usize)| {
        let plural = match noun.strip_suffix('y') {
            _ if count == 1 => noun,
            Some(stem) if !noun.ends_with("ey") => format!("{stem}ies"),
            _ if noun.ends_with("alias") => format!("{noun}es"),
            _ if noun.starts_with("file of") || noun.starts_with("name of") => noun.replacen(' ', "s ", 1),
            _ => format!("{noun}s"),
        };
        format!("{count} {plural}")
    };
    counts.into_iter().map(one).collect::<Vec<_>>().join(", ")
}

/// What names a resource in AWS, the best first.
const NAMES: [&str; 7] = ["function_name", "alarm_name", "dashboard_name", "bucket", "name", "key", "role"];

fn change(resource: &Value) -> Option<Change> {
    let text = |key: &str| resource.get(key).and_then(Value::as_str);
    let change = resource.get("change")?;
    let actions: Vec<&str> = change.get("actions")?.as_array()?.iter().filter_map(Value::as_str).collect();
    let kind = Kind::of(&actions, change.get("importing").is_some_and(Value::is_object))?;
    let side = |key: &str| change.get(key).unwrap_or(&Value::Null);
    let (before, after) = (side("before"), side("after"));
    let named = if after.is_null() { before } else { after };
    let name = NAMES.iter().find_map(|key| named.get(key).and_then(Value::as_str)).map(shorten);
    let mut differences = Vec::new();
    if matches!(kind, Kind::Changed | Kind::Imported) {
        let secret = [side("before_sensitive"), side("after_sensitive")];
        differ("", before, after, side("after_unknown"), secret, &mut differences);
    }
    let resource = text("type")?.to_owned();
    let version = |side: &Value| side.get("function_version").and_then(Value::as_str).map(str::to_owned);
    let is_moved = kind == Kind::Changed && resource == "aws_lambda_alias" && version(before) != version(after);
    let leaves = version(before).filter(|_| is_moved).and_then(|version| version.parse().ok());
    Some(Change { kind, address: text("address")?.to_owned(), resource, name, differences, leaves })
}

/// Collects what differs, leaf by leaf; what is only known after the apply is left out.
fn differ(name: &str, before: &Value, after: &Value, unknown: &Value, secret: [&Value; 2], out: &mut Vec<String>) {
    if before == after || *unknown == Value::Bool(true) {
        return;
    }
    if secret.contains(&&Value::Bool(true)) {
        out.push(format!("{name} (secret)"));
        return;
    }
    let part = |value: &'_ Value, key: &str| match value {
        Value::Object(map) => map.get(key).cloned().unwrap_or_default(),
        Value::Array(items) => key.parse::<usize>().ok().and_then(|at| items.get(at)).cloned().unwrap_or_default(),
        _ => Value::Null,
    };
    let keys: Vec<String> = match (before, after) {
        (Value::Object(_), _) | (_, Value::Object(_)) => {
            let keys = [before, after].into_iter().filter_map(Value::as_object).flat_map(|map| map.keys().cloned());
            keys.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
        }
        // Lists of blocks have their parts compared; others are one value.
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() && a.iter().all(Value::is_object) => {
            (0..a.len()).map(|at| at.to_string()).collect()
        }
        _ => {
            out.push(format!("{name} {} → {}", value(before), value(after)));
            return;
        }
    };
    for key in keys {
        let [old, new] = [before, after].map(|value| part(value, &key));
        let unknown = part(unknown, &key);
        let secret = secret.map(|value| part(value, &key));
        // A place in a list says nothing that a person looks for.
        let name = if key.parse::<usize>().is_ok() { name } else { &key };
        differ(name, &old, &new, &unknown, [&secret[0], &secret[1]], out);
    }
}

fn value(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => shorten(text),
        other => shorten(&other.to_string()),
    }
}

fn shorten(text: &str) -> String {
    let flat: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match flat.char_indices().nth(VALUE_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &flat[..at]),
        None => flat,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resource(resource: &str, name: &str, actions: &[&str], more: &Value) -> Value {
        let mut change = json!({"actions": actions, "before": null, "after": {"name": name}});
        for (key, value) in more.as_object().unwrap() {
            change[key] = value.clone();
        }
        json!({"address": format!("{resource}.{name}"), "type": resource, "change": change})
    }

    fn read(resources: &[Value]) -> Changes {
        Changes::read(&json!({ "resource_changes": resources }).to_string()).unwrap()
    }

    #[test]
    fn what_stays_what_changes_and_what_is_lost_is_said() {
        let before = json!({"name": "f", "memory_size": 128, "environment": [{"variables": {"A": "1", "B": "2"}}],
            "version": "3", "token": "x"});
        let after = json!({"name": "f", "memory_size": 256, "environment": [{"variables": {"A": "1", "C": "3"}}], "token": "y"});
        let changed = resource(
            "aws_lambda_function",
            "f",
            &["update"],
            &json!({"before": before, "after": after, "after_unknown": {"version": true}, "after_sensitive": {"token": true}}),
        );
        let table = resource("aws_dynamodb_table", "items", &["delete", "create"], &json!({}));
        let gone = resource("aws_odd_thing", "x", &["delete"], &json!({"before": {}, "after": null}));
        let idle = resource("aws_iam_role", "r", &["no-op"], &json!({}));
        let changes = read(&[gone, table, changed, idle]);
        assert_eq!(changes.summary(), "1 changed, 1 replaced, 1 removed");
        assert_eq!(
            changes.human(Colour(false)),
            "  changed   function f: B 2 → nothing, C nothing → 3, memory_size 128 → 256, token (secret)\n  \
             replaced  table items: its rows are lost\n  removed   odd thing (aws_odd_thing.x)\n"
        );
        assert_eq!(
            changes.losses().map(|change| change.address.as_str()).collect::<Vec<_>>(),
            ["aws_dynamodb_table.items"]
        );
    }

    #[test]
    fn what_is_taken_over_and_what_is_let_go_is_no_change_and_no_loss() {
        let table = |name: &str, actions: &[&str], more: &Value| resource("aws_dynamodb_table", name, actions, more);
        let taken = json!({"importing": {"id": "a"}, "before": {"name": "a", "point": false}, "after": {"name": "a", "point": true}});
        let changes = read(&[
            table("a", &["update"], &taken),
            table("b", &["no-op"], &json!({"importing": {"id": "b"}, "before": {"name": "b"}})),
            table("c", &["forget"], &json!({"before": {"name": "c"}, "after": null})),
        ]);
        assert_eq!(changes.summary(), "2 imported, 1 let go");
        assert_eq!(
            changes.human(Colour(false)),
            "  imported  table a: point false → true\n  imported  table b\n  let go    table c\n"
        );
        assert_eq!(changes.losses().count(), 0);
    }

    #[test]
    fn a_first_apply_is_counted() {
        let kinds = [
            "aws_lambda_alias",
            "aws_lambda_alias",
            "aws_kms_key",
            "aws_iam_role_policy",
            "aws_iam_role_policy",
            "aws_s3_object",
            "aws_s3_object",
            "aws_dynamodb_table",
        ];
        let all: Vec<Value> =
            kinds.iter().enumerate().map(|(n, kind)| resource(kind, &n.to_string(), &["create"], &json!({}))).collect();
        assert_eq!(
            read(&all).human(Colour(false)),
            "  new       2 aliases, 2 files of the page, 1 key, 2 policies, 1 table\n"
        );
        assert_eq!(read(&[]).summary(), "nothing to change");
        assert!(Changes::read("no").is_err());
    }

    #[test]
    fn an_alias_that_goes_to_another_version_says_which_it_leaves() {
        let alias = |label: &str, before: &Value, after: &Value, unknown: &Value| {
            let change = json!({"before": before, "after": after, "after_unknown": unknown});
            resource("aws_lambda_alias", label, &["update"], &change)
        };
        let none = json!({});
        let changes = read(&[
            alias("a", &json!({"function_version": "3"}), &none, &json!({"function_version": true})),
            alias("b", &json!({"function_version": "3"}), &json!({"function_version": "4"}), &none),
            alias("c", &json!({"function_version": "3", "description": "x"}), &json!({"function_version": "3"}), &none),
        ]);
        let leaves: Vec<Option<u64>> = changes.resources.iter().map(|change| change.leaves).collect();
        assert_eq!(leaves, [Some(3), Some(3), None]);
        let first = resource("aws_lambda_alias", "a", &["create"], &json!({"before": null, "after": {}}));
        assert_eq!(read(&[first]).resources[0].leaves, None);
    }

    #[test]
    fn outputs_and_the_cost_before_are_read() {
        let plan = |outputs: Value| Changes::read(&json!({ "output_changes": outputs }).to_string()).unwrap();
        let output = |actions: &[&str], before: Value| json!({"actions": actions, "before": before});
        let changed = plan(json!({"estimated_monthly_usd": output(&["update"], json!(12.5))}));
        assert_eq!((changed.has_outputs, changed.monthly_usd_before), (true, Some(12.5)));
        let same = plan(
            json!({"estimated_monthly_usd": output(&["no-op"], json!(12.5)), "region": output(&["no-op"], json!("x"))}),
        );
        assert_eq!((same.has_outputs, same.monthly_usd_before), (false, Some(12.5)));
        let first = plan(json!({"estimated_monthly_usd": output(&["create"], Value::Null)}));
        assert_eq!((first.has_outputs, first.monthly_usd_before), (true, None));
    }
}
