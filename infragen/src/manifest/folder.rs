//! Where outputs go: folders below the manifest's.

use super::reader::{ManifestValue, Problem};
use super::tree::Node;
use super::types::texts;
use super::values::text;

/// Where everything is rendered, unless the manifest says otherwise.
pub const FOLDER: &str = "generated";
/// Where the page lies, unless the manifest says otherwise.
pub const PAGE_FOLDER: &str = "frontend";
/// Longest path of a folder.
const FOLDER_BYTES_MAX: usize = 100;

texts!(
    /// Path of a folder, from the manifest's own.
    FolderPath, "the path of a folder",
    "the path of a folder below the manifest's, 1 to 100 characters: names of a-z, A-Z, 0-9, _, - and . with / between, none of which begins with .",
    r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$",
    ["infrastructure/live", "site"],
    |text| {
        let name = |name: &str| {
            !name.is_empty()
                && !name.starts_with('.')
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
        };
        text.len() <= FOLDER_BYTES_MAX && text.split('/').all(name)
    };
);

impl FolderPath {
    /// Whether one of the two is the other, or lies in it.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        let is_in = |inner: &str, outer: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        is_in(&self.0, &other.0) || is_in(&other.0, &self.0)
    }

    /// Returns the way to another folder from `below`, a folder in this one that is named by its path.
    #[must_use]
    pub fn way_to(&self, other: &Self, below: &str) -> String {
        let names = self.0.split('/').count() + below.split('/').count();
        "../".repeat(names) + &other.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> FolderPath {
        FolderPath::new(text).unwrap()
    }

    #[test]
    fn a_path_stays_below_the_manifest() {
        let longest = "a".repeat(FOLDER_BYTES_MAX);
        for good in ["generated", "infra/live", "a.b", "-", &longest] {
            assert!(FolderPath::new(good).is_some(), "{good}");
        }
        let too_long = format!("{longest}a");
        for bad in ["", ".", "..", "a/../b", "/a", "a/", "a//b", ".git", "a/.b", "a b", "\u{e4}", "a\\b", &too_long] {
            assert!(FolderPath::new(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn folders_meet_where_one_lies_in_the_other() {
        assert!(path("a").meets(&path("a")) && path("a").meets(&path("a/b")) && path("a/b/c").meets(&path("a/b")));
        assert!(!path("a").meets(&path("ab")) && !path("a/b").meets(&path("a/c")));
    }

    #[test]
    fn a_root_finds_the_page_however_deep_it_lies() {
        assert_eq!(path("generated").way_to(&path("frontend"), "terraform"), "../../frontend");
        assert_eq!(path("infra/live").way_to(&path("web/site"), "prod/terraform"), "../../../../web/site");
    }
}
