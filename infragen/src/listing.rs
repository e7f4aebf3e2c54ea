//! The merged manifest value by value, each with where it comes from: what `show` prints and `explain` looks up.

use crate::diagnostic::{Input, Layer, Lines};
use crate::load::{Loaded, Target};
use crate::manifest::reader::join;
use crate::manifest::tree::{Node, Raw, Table};
use crate::manifest::{Manifest, Section as _};

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The manifest, outside of `[env]`: the line.
    Base(usize),
    /// The manifest's `[env.NAME]`: the line.
    Environment(usize),
    /// The command line's `--set`.
    Set,
    /// The command line's `--env`.
    Flag,
}

impl Origin {
    /// The name of the kind, for programs.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Base(_) => "base",
            Self::Environment(_) => "environment",
            Self::Set => "set",
            Self::Flag => "flag",
        }
    }

    /// The line of the manifest, where it is there.
    #[must_use]
    pub const fn line(&self) -> Option<usize> {
        match self {
            Self::Base(line) | Self::Environment(line) => Some(*line),
            Self::Default | Self::Set | Self::Flag => None,
        }
    }

    /// Says it in a few words: "`[env.prod]` deploy.toml:80".
    #[must_use]
    pub fn describe(&self, file: &str, environment: &str) -> String {
        match self {
            Self::Default => "default".to_owned(),
            Self::Base(line) => format!("{file}:{line}"),
            Self::Environment(line) => format!("[env.{environment}] {file}:{line}"),
            Self::Set => "--set".to_owned(),
            Self::Flag => format!("--env {environment}"),
        }
    }
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The table it is in, dotted.
    pub section: String,
    /// Its key, quoted where TOML wants it.
    pub key: String,
    /// The value; none where an optional key is not set.
    pub value: Option<toml::Value>,
    /// Where it comes from.
    pub origin: Origin,
}

impl Entry {
    /// The dotted path.
    #[must_use]
    pub fn path(&self) -> String {
        join(&self.section, &self.key)
    }

    /// Its value as TOML; `false` is how an optional key says that it has none.
    #[must_use]
    pub fn literal(&self) -> String {
        self.value.as_ref().map_or("false".to_owned(), literal)
    }
}

/// Lists every key with its value, in the order of definition. The values of a table that is itself a value stand below it.
#[must_use]
pub fn list(loaded: &Loaded, input: &Input) -> Vec<Entry> {
    let lines = Lines::new(&input.manifest.text);
    let shown = loaded.manifest.show();
    let mut entries = Vec::new();
    let mut tables = Vec::new();
    let mut last_section = String::new();
    for doc in Manifest::docs("") {
        let parts: Vec<&str> = doc.path.split('.').collect();
        let Some((key, section)) = parts.split_last() else { continue };
        if section.join(".") != last_section {
            entries.append(&mut tables);
            last_section = section.join(".");
        }
        match find_value(&shown, &parts) {
            Some(toml::Value::Table(inner)) if !inner.is_empty() => {
                tables.extend(inner.iter().map(|(name, value)| Entry {
                    section: doc.path.clone(),
                    key: bare_or_quoted(name),
                    value: Some(value.clone()),
                    origin: origin(loaded, &lines, &[&parts[..], &[name.as_str()]].concat()),
                }));
            }
            value => entries.push(Entry {
                section: section.join("."),
                key: (*key).to_owned(),
                value: value.cloned(),
                origin: origin(loaded, &lines, &parts),
            }),
        }
    }
    entries.append(&mut tables);
    entries
}

fn find_value<'v>(table: &'v toml::Table, parts: &[&str]) -> Option<&'v toml::Value> {
    let (head, rest) = parts.split_first()?;
    match (table.get(*head)?, rest) {
        (value, []) => Some(value),
        (toml::Value::Table(inner), rest) => find_value(inner, rest),
        _ => None,
    }
}

fn find_node<'t>(table: &'t Table, parts: &[&str]) -> Option<&'t Node> {
    let (head, rest) = parts.split_first()?;
    match (table.get(*head)?, rest) {
        (node, []) => Some(node),
        (Node { value: Raw::Table(inner), .. }, rest) => find_node(inner, rest),
        _ => None,
    }
}

fn origin(loaded: &Loaded, lines: &Lines<'_>, parts: &[&str]) -> Origin {
    let Some(node) = find_node(&loaded.tree, parts) else {
        let is_name = parts == ["project", "environment"] && loaded.target == Target::Local;
        return if is_name { Origin::Flag } else { Origin::Default };
    };
    let line = || lines.position(node.key_span.range.start).0;
    match node.span.layer {
        Layer::Base => Origin::Base(line()),
        Layer::Environment => Origin::Environment(line()),
        Layer::Set(_) => Origin::Set,
    }
}

/// Writes a key as TOML.
fn bare_or_quoted(key: &str) -> String {
    let is_bare = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if is_bare { key.to_owned() } else { quoted(key) }
}

/// Writes a value as TOML, on one line, with nothing in it that steers a terminal.
#[must_use]
pub fn literal(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => quoted(text),
        toml::Value::Array(items) => format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        toml::Value::Table(table) if table.is_empty() => "{}".to_owned(),
        toml::Value::Table(table) => {
            let entry = |(key, value): (&String, &toml::Value)| format!("{} = {}", bare_or_quoted(key), literal(value));
            format!("{{ {} }}", table.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            // What the standard library finds unprintable: controls, and marks that change the direction of text.
            c if c.escape_debug().count() > 1 && c != '\'' => out.push_str(&format!("\\U{:08X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Widest line after which origins still stand in one column.
const ALIGNED_CHARACTERS_MAX: usize = 60;

/// Writes the list as TOML that reads back, each value with its origin in a comment; what is not set is a comment itself.
#[must_use]
pub fn toml(entries: &[Entry], file: &str, environment: &str) -> String {
    let file: String = file.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect();
    let mut out = String::new();
    for section in entries.chunk_by(|a, b| a.section == b.section) {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&format!("[{}]\n", section[0].section));
        let is_absent = |entry: &Entry| entry.value.is_none() && entry.origin == Origin::Default;
        let line = |entry: &Entry| {
            let sign = if is_absent(entry) { "# " } else { "" };
            format!("{sign}{} = {}", entry.key, entry.literal())
        };
        let lines: Vec<String> = section.iter().map(line).collect();
        let width = |line: &String| line.chars().count();
        let widest = lines.iter().map(width).filter(|width| *width <= ALIGNED_CHARACTERS_MAX).max().unwrap_or(0);
        for (line, entry) in lines.iter().zip(section) {
            let gap = " ".repeat(widest.saturating_sub(width(line)));
            let origin =
                if is_absent(entry) { "not set".to_owned() } else { entry.origin.describe(&file, environment) };
            out.push_str(&format!("{line}{gap} # {origin}\n"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;
    use crate::load::load;
    use crate::manifest::parse_override;

    fn listed(text: &str, environment: Option<&str>, overrides: &[&str]) -> (Loaded, Vec<Entry>) {
        let mut input = Input::new(Source { name: "m.toml".into(), text: text.into() });
        input.overrides = overrides.iter().map(|text| parse_override(text).unwrap()).collect();
        let environment = environment.map(|name| contract::Environment::new(name).unwrap());
        let loaded = load(&input, environment.as_ref()).unwrap();
        let entries = list(&loaded, &input);
        (loaded, entries)
    }

    const TEXT: &str = "[project.tags]\nteam = \"a\"\n\"odd key\" = \"\\u001b\\u202e\\\"'\\n\"\n[stream]\nmemory = \"256 MiB\"\n\
                        retry = \"2s\"\n[env.prod.stream]\nmemory = \"512 MiB\"\n[env.prod.project.tags]\nteam = \"b\"\n";

    #[test]
    fn every_value_knows_where_it_comes_from() {
        let (_, entries) = listed(TEXT, Some("prod"), &["stream.retry=1s", "dashboard.memory=1 GiB"]);
        let origin = |path: &str| entries.iter().find(|entry| entry.path() == path).unwrap().origin.clone();
        assert_eq!(origin("stream.memory"), Origin::Environment(8));
        assert_eq!(origin("stream.retry"), Origin::Set);
        assert_eq!(origin("dashboard.memory"), Origin::Set);
        assert_eq!(origin("stream.timeout"), Origin::Default);
        assert_eq!(origin("project.tags.team"), Origin::Environment(10));
        assert_eq!(origin("project.tags.\"odd key\""), Origin::Base(3));
        assert_eq!(origin("project.environment"), Origin::Environment(7));
        let (_, local) = listed(TEXT, Some("local"), &[]);
        assert_eq!(local.iter().find(|entry| entry.key == "environment").unwrap().origin, Origin::Flag);
    }

    #[test]
    fn what_is_not_set_is_a_comment_unless_that_was_typed() {
        let (_, entries) = listed("[terraform.backend]\nbucket = false\n", None, &[]);
        let text = toml(&entries, "m.toml", "dev");
        assert!(text.contains("\nbucket = false # m.toml:2\n"), "{text}");
        assert!(text.contains("\n[stream.image]\n# uri = false          # not set\n"), "{text}");
    }

    #[test]
    fn what_is_listed_reads_back() {
        for (environment, overrides) in [(None, &[][..]), (Some("prod"), &["page.api_base_url=https://a.example"])] {
            let (loaded, entries) = listed(TEXT, environment, overrides);
            let text = toml(&entries, "m\n.toml", environment.unwrap_or("dev"));
            assert!(text.chars().all(|c| c == '\n' || !c.is_control()) && !text.contains('\u{202e}'), "{text}");
            let (again, _) = listed(&text, None, &[]);
            assert_eq!(again.manifest, loaded.manifest, "{text}");
        }
    }
}
