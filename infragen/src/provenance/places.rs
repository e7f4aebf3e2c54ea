//! Two renderings → the places where they differ.

use std::collections::BTreeSet;
use std::fmt;

use similar::{DiffOp, TextDiff};

use super::address::Blocks;
use crate::render::Artifact;

/// A line of an artifact that a key reaches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The artifact.
    pub path: String,
    /// The line as rendered now, from 1; none where it is rendered only with another value.
    pub line: Option<usize>,
    /// The block that it is in, where the artifact is HCL.
    pub address: Option<String>,
    /// The argument of that block that it is in.
    pub argument: Option<String>,
    /// The attribute, variable or key that the line sets.
    pub attribute: Option<String>,
    /// The value of the key with which alone the place is there; none where it is there now.
    pub with: Option<String>,
}

impl Place {
    /// Returns whether the line sets a variable of the function's environment.
    #[must_use]
    pub fn is_variable(&self) -> bool {
        let is_upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        self.attribute.as_ref().is_some_and(|name| name.contains(char::is_alphabetic) && name.chars().all(is_upper))
    }

    /// Says where in its block it is: "variable `SSE_RETRY`".
    #[must_use]
    pub fn inside_block(&self) -> String {
        match (&self.argument, &self.attribute) {
            (Some(_), Some(name)) if self.is_variable() => format!("variable `{name}`"),
            (Some(argument), Some(name)) if argument != name => format!("`{argument}`, `{name}`"),
            (argument, name) => name.as_ref().or(argument.as_ref()).map_or(String::new(), |name| format!("`{name}`")),
        }
    }

    /// Says where in its file it is: "`module.stream`, variable `SSE_RETRY`".
    #[must_use]
    pub fn inside(&self) -> String {
        let address = self.address.as_ref().map(|address| format!("`{address}`"));
        let parts = address.into_iter().chain(Some(self.inside_block()).filter(|inside| !inside.is_empty()));
        parts.collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        let inside = self.inside();
        if !inside.is_empty() {
            write!(f, " {inside}")?;
        }
        match &self.with {
            Some(value) => write!(f, ", if it is `{value}`"),
            None => Ok(()),
        }
    }
}

/// Returns every place that differs, seen from `before`; what is only in `after` is there with `value`.
pub(super) fn compare(before: &[Artifact], after: &[Artifact], value: &str) -> BTreeSet<Place> {
    let mut places = BTreeSet::new();
    for old in before {
        match after.iter().find(|new| new.path == old.path) {
            Some(new) if new.text == old.text => {}
            Some(new) => compare_texts(&old.path, &old.text, &new.text, value, &mut places),
            None => {
                places.insert(whole(&old.path, None));
            }
        }
    }
    let added = after.iter().filter(|new| !before.iter().any(|old| old.path == new.path));
    places.extend(added.map(|new| whole(&new.path, Some(value.to_owned()))));
    places
}

fn whole(path: &str, with: Option<String>) -> Place {
    Place { path: path.to_owned(), line: None, address: None, argument: None, attribute: None, with }
}

fn compare_texts(path: &str, before: &str, after: &str, value: &str, places: &mut BTreeSet<Place>) {
    // Alignment moves lines that say the same.
    let squeeze = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let (old, new): (Vec<String>, Vec<String>) =
        (before.lines().map(squeeze).collect(), after.lines().map(squeeze).collect());
    let (old_slices, new_slices): (Vec<&str>, Vec<&str>) =
        (old.iter().map(String::as_str).collect(), new.iter().map(String::as_str).collect());
    let is_hcl = path.ends_with(".tf");
    let blocks = |text: &str| if is_hcl { Blocks::new(text) } else { Blocks::default() };
    let (old_blocks, new_blocks) = (blocks(before), blocks(after));
    let place = |shown: Option<usize>, text: &str, blocks: &Blocks, line: usize| {
        let block = blocks.at(line);
        Place {
            path: path.to_owned(),
            line: shown,
            address: block.map(|block| block.address.clone()),
            argument: block.and_then(|block| block.argument_at(line)).map(str::to_owned),
            attribute: attribute(text),
            with: shown.is_none().then(|| value.to_owned()),
        }
    };
    for op in TextDiff::from_slices(&old_slices, &new_slices).ops() {
        let (old_range, new_range) = (op.old_range(), op.new_range());
        if let DiffOp::Equal { .. } = op {
            continue;
        }
        let says = |text: &str| !text.is_empty() && text != "}" && text != "{";
        for line in old_range.clone().filter(|line| says(&old[*line])) {
            places.insert(place(Some(line + 1), &old[line], &old_blocks, line + 1));
        }
        if old_range.is_empty() {
            for line in new_range.filter(|line| says(&new[*line])) {
                places.insert(place(None, &new[line], &new_blocks, line + 1));
            }
        }
    }
}

/// Returns what a line sets: `key = …`, `"key": …` or `KEY=…`.
pub(super) fn attribute(line: &str) -> Option<String> {
    let end = line.find(['=', ':'])?;
    let name = line[..end].trim().trim_matches('"');
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    is_name.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact(path: &str, text: &str) -> Artifact {
        Artifact { path: path.into(), text: text.into() }
    }

    fn check(path: &str, before: &str, after: &str, expected: &[&str]) {
        let found: Vec<String> =
            compare(&[artifact(path, before)], &[artifact(path, after)], "2").iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_changed_line_is_named_with_its_block_and_attribute() {
        let before = "module \"m\" {\n  a = 1\n  bcd = {\n    SSE_X = \"5\"\n  }\n}\n";
        check("x.tf", before, &before.replace("= 1", "= 2"), &["x.tf:2 `module.m`, `a`"]);
        check("x.tf", before, &before.replace('5', "6"), &["x.tf:4 `module.m`, variable `SSE_X`"]);
        check(
            "x.tf",
            before,
            &before.replace("  a = 1\n", "  a   = 1\n  new = 2\n"),
            &["x.tf `module.m`, `new`, if it is `2`"],
        );
        check("x.js", "a\n  \"k\": 1,\n", "a\n  \"k\": 2,\n", &["x.js:2 `k`"]);
        check("Dockerfile", "FROM a\n", "FROM b\n", &["Dockerfile:1"]);
    }

    #[test]
    fn a_file_that_comes_or_goes_is_one_place() {
        let places = compare(&[artifact("a", "x")], &[artifact("b", "x")], "2");
        assert_eq!(places.iter().map(ToString::to_string).collect::<Vec<_>>(), ["a", "b, if it is `2`"]);
    }
}
