//! Files that were written in another format.

use super::lines::{here, is_header};
use crate::diagnostic::Diagnostic;

/// Says which other format a text that is not TOML is in, where its beginning tells.
pub(super) fn format(text: &str) -> Option<Diagnostic> {
    let mut offset = 0;
    let mut lines = text.split_inclusive('\n').map(|line| {
        offset += line.len();
        (offset - line.len(), line)
    });
    let (start, first) = lines.find(|(_, line)| {
        let line = line.trim_start_matches('\u{feff}').trim();
        !line.is_empty() && !line.starts_with('#')
    })?;
    let begins = first.len() - first.trim_start_matches('\u{feff}').trim_start().len();
    let line = first[begins..].trim_end();
    let name = if line.starts_with('{') {
        "JSON"
    } else if (line == "---" || key_and_colon(line).is_some()) && !text.lines().any(is_header) {
        "YAML"
    } else if line.ends_with('{') && !line.contains('=') {
        "HCL"
    } else {
        return None;
    };
    let range = start + begins..start + begins + line.len();
    let hint = "a table is a line such as `[stream]`, and below it stand its keys, such as `memory = \"256 MiB\"`";
    Some(Diagnostic::new("not-toml", "", format!("the file is {name}: a manifest is TOML")).hint(hint).at(here(range)))
}

/// Splits `key: value` as YAML and JSON write it.
pub(super) fn key_and_colon(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.trim().split_once(':')?;
    let bare = key.trim().trim_matches(['"', '\'']);
    let is_key = !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    (is_key && (value.is_empty() || value.starts_with([' ', '\t']))).then_some((bare, value.trim()))
}
