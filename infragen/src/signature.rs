//! What a rendered file says of itself: that infragen wrote it, as which file, and with which text. A copy, or a file that was
//! edited since, is somebody's own: it is never written over or removed without being asked for.

use sha2::{Digest as _, Sha256};

/// First line of every rendered file, after the comment sign, before it is stamped.
pub const SIGNATURE: &str =
    "Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `infragen render`.";

/// The part of the signature that later versions keep, so that they still know the files of this one.
const HEAD: &str = "Rendered by infragen";
const _: () = assert!(SIGNATURE.len() > HEAD.len());

/// Hexadecimal digits of the hash: enough against edits, which mean no harm.
const HASH_DIGITS: usize = 16;
/// Lines in which the signature may stand: the first, in JSON the second, and some more where a merge put both sides.
const LINES_MAX: usize = 8;
/// What git writes before the lines of one side.
const CONFLICT: &str = "<<<<<<< ";

/// Who wrote a file, as far as its text can say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Author {
    /// Somebody else.
    Stranger,
    /// infragen, as this file and with this text.
    Infragen,
    /// infragen, before signatures named their file, or with the marks of a merge in it, which nobody means to keep.
    Unclear,
    /// infragen, and then somebody else.
    Edited,
    /// infragen, as another file.
    CopyOf(String),
}

/// Puts the file's own path and a hash of its text into the signature.
///
/// # Panics
/// Where the text is not signed: a mistake in a template.
#[must_use]
pub fn stamp(path: &str, text: &str) -> String {
    assert!(text.contains(SIGNATURE), "`{path}` is rendered without its signature");
    text.replacen(SIGNATURE, &format!("{SIGNATURE} [{path} {}]", hash(text)), 1)
}

/// Returns who wrote the file at this path.
#[must_use]
pub fn author(path: &str, text: &str) -> Author {
    // A checkout may have its own line ends.
    let text = text.replace("\r\n", "\n");
    let is_json = text.starts_with("{\n");
    let is_merging = text.starts_with(CONFLICT);
    let lines = if is_merging { LINES_MAX } else { 1 + usize::from(is_json) };
    let Some(line) = text.lines().take(lines).find(|line| line.contains(HEAD)) else { return Author::Stranger };
    let stamp = line.split_once(" [").and_then(|(_, rest)| rest.split_once(']')?.0.rsplit_once(' '));
    match stamp {
        Some((own, _)) if own != path => Author::CopyOf(own.to_owned()),
        None => Author::Unclear,
        Some(_) if is_merging => Author::Unclear,
        Some((own, found)) if hash(&text.replacen(&format!(" [{own} {found}]"), "", 1)) == found => Author::Infragen,
        Some(_) => Author::Edited,
    }
}

/// Hash of a text without its stamp.
fn hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(HASH_DIGITS / 2).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(sign: &str) -> String {
        format!("{sign}{SIGNATURE}\n\nx = [1]\n")
    }

    #[test]
    fn a_file_is_known_by_its_place_and_its_text() {
        let json = format!("{{\n  \"$comment\": \"{SIGNATURE}\",\n  \"a\": 1\n}}\n");
        for (path, text) in [("generated/a.tf", body("# ")), ("frontend/config.js", body("// ")), ("g/s.json", json)] {
            let stamped = stamp(path, &text);
            assert_eq!(author(path, &stamped), Author::Infragen, "{stamped}");
            assert_eq!(author(path, &stamped.replace('\n', "\r\n")), Author::Infragen);
            assert_eq!(author("generated/b.tf", &stamped), Author::CopyOf(path.into()));
            for edit in [format!("{stamped}# mine\n"), stamped.replace('1', "2"), stamped.replace(".\n", ".\n ")] {
                assert!(edit == stamped || author(path, &edit) == Author::Edited, "{edit}");
            }
            assert_eq!(author(path, &text), Author::Unclear);
        }
    }

    #[test]
    fn what_a_merge_left_is_nobodys_and_what_has_no_signature_is_a_strangers() {
        let path = "generated/a.tf";
        let [one, other] = ["x = [1]", "x = [2]"].map(|line| stamp(path, &format!("# {SIGNATURE}\n{line}\n")));
        let merged = format!("<<<<<<< HEAD\n{one}=======\n{other}>>>>>>> topic\n");
        assert_eq!(author(path, &merged), Author::Unclear);
        for stranger in ["", "# mine\n", "{\n", "# mine\n# Rendered by infragen\n", "<<<<<<< HEAD\nmine\n"] {
            assert_eq!(author(path, stranger), Author::Stranger, "{stranger:?}");
        }
    }
}
