//! Words that are none of those that a key takes: what was meant.

use super::reader::Problem;
use super::tree::{Node, Raw, shorten};

/// A word that is less alike is another one: `gitlab` is not `github`.
const NEAR: f64 = 0.88;

/// What others call what the manifest has a word for.
const OTHERS: [(&str, &str); 25] = [
    ("amd64", "x86_64"),
    ("x64", "x86_64"),
    ("intel", "x86_64"),
    ("aarch64", "arm64"),
    ("arm", "arm64"),
    ("graviton", "arm64"),
    ("container", "image"),
    ("docker", "image"),
    ("ecr", "image"),
    ("archive", "zip"),
    ("url", "function-url"),
    ("lambda-url", "function-url"),
    ("cdn", "cloudfront"),
    ("apigateway", "api-gateway"),
    ("rest-api", "api-gateway"),
    ("apigw", "api-gateway"),
    ("file", "local"),
    ("bucket", "s3"),
    ("oidc", "jwt"),
    ("cognito", "jwt"),
    ("token", "jwt"),
    ("disabled", "off"),
    ("none", "off"),
    ("string", "text"),
    ("int", "number"),
];

/// Returns the text of a node that is to be one of `known`.
///
/// # Errors
/// The node is no string.
pub(super) fn word<'n>(node: &'n Node, known: &[&str]) -> Result<&'n str, Vec<Problem>> {
    match &node.value {
        Raw::String(text) => Ok(text),
        other => {
            let problem = Problem::kind(node, &rule(known));
            let off = known.iter().find(|word| ["off", "none"].contains(word));
            Err(vec![match off {
                Some(off) if *other == Raw::Boolean(false) => problem.hint(format!("write `\"{off}\"`")),
                _ => problem,
            }])
        }
    }
}

/// Returns the problem of a text that is none of `known`.
pub(super) fn unknown(found: &str, known: &[&str]) -> Problem {
    let problem = Problem::text(found, &format!("it must be {}", rule(known))).code("unknown-word");
    match meant(found, known) {
        Some(word) => problem.hint(format!("did you mean `{word}`")),
        None => problem,
    }
}

/// Returns the problem of what is to be a number; of one that only stands in quotes and `fits`, what is left without them.
pub(super) fn no_number(node: &Node, wanted: &str, fits: impl Fn(&str) -> bool) -> Problem {
    let problem = Problem::kind(node, wanted);
    match &node.value {
        Raw::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) && fits(text) => {
            problem.hint(format!("write `{text}` without quotes"))
        }
        _ => problem,
    }
}

/// Returns the problem of what is to be `true` or `false`, with the one that was meant.
pub(super) fn no_boolean(node: &Node, wanted: &str) -> Problem {
    let problem = Problem::kind(node, wanted);
    let (found, is_quoted) = match &node.value {
        Raw::String(text) => (text.trim().to_ascii_lowercase(), true),
        Raw::Integer(number) => (number.to_string(), false),
        _ => return problem,
    };
    match found.as_str() {
        "true" | "false" if is_quoted => problem.hint(format!("write `{found}` without quotes")),
        "1" | "yes" | "on" => problem.hint("write `true`"),
        "0" | "no" | "off" => problem.hint("write `false`"),
        _ => problem,
    }
}

/// Adds what a number or `true` is as a text.
pub(super) fn quoted(problem: Problem, node: &Node) -> Problem {
    match &node.value {
        Raw::Integer(number) => problem.hint(format!("write `\"{number}\"`")),
        Raw::Number(text) | Raw::Datetime(text) => problem.hint(format!("write `\"{text}\"`")),
        Raw::Boolean(value) => problem.hint(format!("write `\"{value}\"`")),
        _ => problem,
    }
}

/// Adds the list that a text without brackets was meant to be.
pub(super) fn in_brackets(problem: Problem, node: &Node) -> Problem {
    match &node.value {
        Raw::String(text) if !text.trim().is_empty() && text.len() <= COPIED_BYTES_MAX => {
            // A shell takes the quotes away: `["a","b"]` came as `[a,b]`.
            let bare = text.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
            let items: Vec<String> =
                bare.split(',').map(|item| format!("\"{}\"", shorten(item.trim().trim_matches(QUOTES)))).collect();
            problem.hint(format!("write `[{}]`", items.join(", ")))
        }
        _ => problem,
    }
}

/// What strings stand in.
const QUOTES: [char; 2] = ['"', '\''];
/// Longest text that is repeated in a hint.
const COPIED_BYTES_MAX: usize = 100;
/// What people copy along with a name.
const AROUND: [&str; 5] = ["https://github.com/", "git@github.com:", "https://", "http://", "/hostedzone/"];

/// Returns what adds the text that was meant, where it is right without spaces around it, in lower case, with `-` between words,
/// or without what it was copied with.
pub(super) fn mended(found: &str, is_right: impl Fn(&str) -> bool) -> impl Fn(Problem) -> Problem {
    let meant = || {
        let bare = found.trim();
        let inner = AROUND.iter().find_map(|start| bare.strip_prefix(start)).unwrap_or(bare);
        let inner = inner.trim_end_matches('/').trim_end_matches(".git");
        let lower = inner.to_ascii_lowercase();
        let joined = lower.replace([' ', '_'], "-");
        let underscored = lower.replace([' ', '-'], "_");
        let candidates = [bare, inner, &lower, &joined, &underscored];
        candidates.into_iter().find(|text| !text.is_empty() && *text != found && is_right(text)).map(str::to_owned)
    };
    let meant = if found.len() <= COPIED_BYTES_MAX && !is_right(found) { meant() } else { None };
    move |problem| match &meant {
        Some(meant) => problem.hint(format!("write `\"{}\"`", shorten(meant))),
        None => problem,
    }
}

fn rule(known: &[&str]) -> String {
    format!("one of {}", known.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "))
}

/// Returns the word that was meant: the same but for case and separators, what others call it, or the nearest.
fn meant<'w>(found: &str, known: &[&'w str]) -> Option<&'w str> {
    let plain = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    if found.len() > 64 {
        return None;
    }
    let same = known.iter().find(|word| plain(word) == plain(found));
    let other = || {
        let (_, ours) = OTHERS.iter().find(|(theirs, ours)| plain(theirs) == plain(found) && known.contains(ours))?;
        known.iter().find(|word| *word == ours)
    };
    let near = || {
        let scored = known.iter().map(|word| (word, strsim::jaro_winkler(&plain(found), &plain(word))));
        scored.max_by(|(_, a), (_, b)| a.total_cmp(b)).filter(|(_, score)| *score >= NEAR).map(|(word, _)| word)
    };
    same.or_else(other).or_else(near).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_by_its_case_its_separators_its_other_name_or_its_letters() {
        let package = &["image", "zip"];
        for (found, known, expected) in [
            ("Zip", &package[..], Some("zip")),
            ("docker", package, Some("image")),
            ("cloud-front", &["function-url", "cloudfront"], Some("cloudfront")),
            ("function_url", &["function-url", "cloudfront"], Some("function-url")),
            ("amd64", &["arm64", "x86_64"], Some("x86_64")),
            ("X86-64", &["arm64", "x86_64"], Some("x86_64")),
            ("AArch64", &["arm64", "x86_64"], Some("arm64")),
            ("JWT", &["off", "jwt"], Some("jwt")),
            ("clasic", &["classic", "managed-instances"], Some("classic")),
            ("gitlab", &["none", "github"], None),
            ("???", package, None),
        ] {
            assert_eq!(meant(found, known), expected, "{found}");
        }
    }
}
