//! What a key, a table or an output is about, in words: the text of `infragen explain` and of docs/manifest.md.

use crate::listing::{Entry, literal};
use crate::manifest::reader::{KeyDoc, SectionDoc, suggest};
use crate::manifest::{Manifest, Section as _};
use crate::provenance::{Behind, Hit, Place, Reach, commands_only};
use crate::schema::capitalised;

/// Examples of each key in the reference.
const EXAMPLES_MAX: usize = 3;
/// Places in one block that are listed; more are one line, because a key that makes a block reaches all of it.
const PLACES_OF_BLOCK_MAX: usize = 2;

/// What somebody asked about.
#[derive(Clone, Debug)]
pub enum Subject {
    /// One key.
    Key(KeyDoc),
    /// A table with its keys and the tables in it.
    Section(SectionDoc, Vec<KeyDoc>, Vec<SectionDoc>),
}

/// Finds a key or a table by its dotted path.
///
/// # Errors
/// The next action, where there is none: "did you mean".
pub fn find(path: &str) -> Result<Subject, String> {
    let (docs, sections) = (Manifest::docs(""), Manifest::sections(""));
    if let Some(doc) = docs.iter().find(|doc| doc.path == path) {
        return Ok(Subject::Key(doc.clone()));
    }
    if let Some(section) = sections.iter().find(|section| section.path == path) {
        let is_in = |inner: &str| inner.rsplit_once('.').is_some_and(|(above, _)| above == path);
        let keys = docs.iter().filter(|doc| is_in(&doc.path)).cloned().collect();
        let below = sections.iter().filter(|section| is_in(&section.path)).cloned().collect();
        return Ok(Subject::Section(section.clone(), keys, below));
    }
    let paths = docs.iter().map(|doc| doc.path.as_str()).chain(sections.iter().map(|section| section.path.as_str()));
    // Whoever leaves the table out means the key of that name.
    let same_end: Vec<&str> = paths.clone().filter(|known| known.rsplit('.').next() == Some(path)).collect();
    if !same_end.is_empty() {
        return Err(format!("did you mean {}", or(&same_end)));
    }
    let near = suggest(path, &paths.collect::<Vec<_>>());
    Err(if near.starts_with("did you mean") { near } else { "`infragen show` lists every key".to_owned() })
}

fn or(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or ")
}

/// Explains a key: meaning, rule, default, present value, outputs.
#[must_use]
pub fn key(doc: &KeyDoc, present: &[&Entry], origin: impl Fn(&Entry) -> String, reach: &Reach) -> String {
    let mut out = format!("{}\n  {}\n\n", doc.path, doc.doc);
    out.push_str(&format!("  rule      {}\n", doc.rule));
    let default = doc.default.as_ref().map_or("none: it may be left out".to_owned(), literal);
    out.push_str(&format!("  default   {default}\n"));
    let examples: Vec<String> = doc.examples.iter().take(EXAMPLES_MAX).map(literal).collect();
    out.push_str(&format!("  examples  {}\n", examples.join(", ")));
    match present {
        [] => out.push_str("  now       not set\n"),
        [one] if one.path() == doc.path => {
            out.push_str(&format!("  now       {} ({})\n", one.literal(), origin(one)));
        }
        entries => {
            for (index, entry) in entries.iter().enumerate() {
                let label = if index == 0 { "now" } else { "" };
                out.push_str(&format!("  {label:<9} {} = {} ({})\n", entry.key, entry.literal(), origin(entry)));
            }
        }
    }
    out.push('\n');
    out.push_str(&reaches(doc, reach));
    out
}

fn reaches(doc: &KeyDoc, reach: &Reach) -> String {
    if let Some(purpose) = commands_only(&doc.path) {
        return format!("  reaches no output: it {purpose}\n");
    }
    if reach.places.is_empty() {
        return "  reaches no output of this environment\n".to_owned();
    }
    let mut out = String::new();
    if reach.when.is_empty() {
        out.push_str("  reaches\n");
    } else {
        let when: Vec<String> = reach.when.iter().map(|(key, value)| format!("`{key} = {value}`")).collect();
        out.push_str(&format!("  reaches nothing now; with {} it reaches\n", when.join(", ")));
    }
    // With other keys the lines are not those of the files that are there.
    let place =
        |place: &Place| if reach.when.is_empty() { place.clone() } else { Place { line: None, ..place.clone() } };
    let mut places: Vec<Place> = reach.places.iter().map(place).collect();
    // Those of one block stand together, first what is there now.
    places.sort_by(|a, b| (&a.path, &a.address, &a.with, a.line).cmp(&(&b.path, &b.address, &b.with, b.line)));
    for block in places.chunk_by(|a, b| a.path == b.path && a.address == b.address && a.with == b.with) {
        let mut lines: Vec<String> = block.iter().map(|one| format!("    {one}\n")).collect();
        lines.dedup();
        if lines.len() > PLACES_OF_BLOCK_MAX {
            lines = vec![summary(block)];
        }
        out.push_str(&lines.concat());
    }
    out
}

/// Says in one line which part of a block a key reaches.
fn summary(block: &[Place]) -> String {
    let lines = || block.iter().filter_map(|place| place.line);
    let range = match (lines().min(), lines().max()) {
        (Some(first), Some(last)) if first < last => format!(":{first}-{last}"),
        (Some(line), _) => format!(":{line}"),
        _ => String::new(),
    };
    let Some(Place { path, address, with, .. }) = block.first() else { return String::new() };
    let address = address.as_ref().map(|address| format!(" `{address}`,")).unwrap_or_default();
    let with = with.as_ref().map(|value| format!(", if it is `{value}`")).unwrap_or_default();
    format!("    {path}{range}{address} {} places{with}\n", block.len())
}

/// Explains a table: its keys with their present values, and the tables in it.
#[must_use]
pub fn section(doc: &SectionDoc, keys: &[KeyDoc], below: &[SectionDoc], entries: &[Entry]) -> String {
    let mut out = format!("[{}]\n  {}\n", doc.path, doc.doc);
    let value = |key: &KeyDoc| {
        let entry = entries.iter().find(|entry| entry.path() == key.path);
        let is_table = entries.iter().any(|entry| entry.section == key.path);
        let value = entry.and_then(|entry| entry.value.as_ref());
        value.map_or(if is_table { "{ … }".to_owned() } else { "not set".to_owned() }, literal)
    };
    for key in keys {
        let name = key.path.rsplit('.').next().unwrap_or_default();
        out.push_str(&format!("\n  {name} = {}\n    {}\n", value(key), key.doc));
    }
    for section in below {
        out.push_str(&format!("\n  [{}]\n    {}\n", section.path, section.doc));
    }
    out
}

/// Explains an output: the keys behind it.
#[must_use]
pub fn behind(found: &Behind) -> String {
    let is_file = found.name == found.place;
    let mut out = if is_file { format!("{}\n", found.name) } else { format!("{} ({})\n", found.name, found.place) };
    list(&mut out, "", &found.direct);
    for (variable, hits) in &found.through {
        list(&mut out, &format!("  through `{variable}`\n"), hits);
    }
    if found.direct.is_empty() && found.through.is_empty() {
        out.push_str("  no key reaches it: it is the same for every manifest\n");
    }
    if !found.refers.is_empty() {
        let names: Vec<String> = found.refers.iter().map(|name| format!("`{name}`")).collect();
        out.push_str(&format!("  refers to {}\n", names.join(", ")));
    }
    out
}

fn list(out: &mut String, head: &str, hits: &[Hit]) {
    out.push_str(head);
    let indent = if head.is_empty() { "  " } else { "    " };
    let mut keys: Vec<(&str, Vec<&str>)> = Vec::new();
    for hit in hits {
        match keys.last_mut().filter(|(key, _)| *key == hit.key) {
            Some((_, insides)) => insides.push(&hit.inside),
            None => keys.push((&hit.key, vec![&hit.inside])),
        }
    }
    let width = keys.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
    for (key, mut insides) in keys {
        insides.retain(|inside| !inside.is_empty());
        out.push_str(format!("{indent}{key:<width$}  {}", insides.join("; ")).trim_end());
        out.push('\n');
    }
}

/// Writes the reference of every key, in Markdown.
#[must_use]
pub fn reference() -> String {
    let mut out = String::from(
        "<!-- Made by `infragen explain --all`: do not edit. -->\n\n\
         # deploy.toml\n\n\
         Every table and key, its rule, its default. Durations are a whole number and a unit (`500ms`, `5s`, `2m`, `1h`), sizes are\n\
         in MiB or GiB. `[env.NAME.TABLE]` changes keys for one environment, `--set KEY=VALUE` for one run; later ones win. `false` takes a\n\
         value away that may be left out.\n\
         `infragen explain KEY` says the same of one key, with its present value and the outputs it reaches.\n",
    );
    let docs = Manifest::docs("");
    for section in Manifest::sections("") {
        out.push_str(&format!("\n## `[{}]`\n\n{}\n", section.path, section.doc));
        let is_in = |doc: &&KeyDoc| doc.path.rsplit_once('.').is_some_and(|(above, _)| above == section.path);
        let keys: Vec<&KeyDoc> = docs.iter().filter(is_in).collect();
        if keys.is_empty() {
            continue;
        }
        out.push_str("\n| key | meaning | rule | default |\n|---|---|---|---|\n");
        for doc in keys {
            let name = doc.path.rsplit('.').next().unwrap_or_default();
            let default = doc.default.as_ref().map_or("—".to_owned(), |value| format!("`{}`", literal(value)));
            let cells = [format!("`{name}`"), doc.doc.to_owned(), capitalised(&doc.rule), default];
            out.push_str(&format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | ")));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_answered_with_what_is_near() {
        let hint = |path: &str| find(path).unwrap_err();
        assert_eq!(hint("stream.pol_interval"), "did you mean `stream.poll_interval`");
        assert_eq!(hint("poll_interval"), "did you mean `stream.poll_interval`");
        assert_eq!(hint("memory"), "did you mean `stream.memory` or `dashboard.memory`");
        assert_eq!(hint("?"), "`infragen show` lists every key");
    }

    #[test]
    fn a_table_lists_its_own_keys_and_the_tables_in_it() {
        let Ok(Subject::Section(doc, keys, below)) = find("stream") else { panic!("it is a table") };
        assert!(keys.iter().any(|key| key.path == "stream.memory"));
        assert!(!keys.iter().any(|key| key.path.starts_with("stream.replay")));
        assert!(below.iter().any(|section| section.path == "stream.replay"));
        let text = section(&doc, &keys, &below, &[]);
        assert!(text.starts_with("[stream]\n  The function behind EventSource.\n"), "{text}");
        assert!(text.contains("\n  [stream.replay]\n"), "{text}");
    }

    #[test]
    fn the_reference_has_every_key_in_a_row_of_its_own() {
        let text = reference();
        assert_eq!(text.lines().filter(|line| line.starts_with("| `")).count(), Manifest::docs("").len());
    }
}
