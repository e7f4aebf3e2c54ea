//! What a rendered file says of itself: that infragen wrote it.

/// First line of every rendered file, after the comment sign. Files without it are never overwritten or removed.
pub const SIGNATURE: &str =
    "Rendered by infragen from deploy.toml. Do not edit: change deploy.toml or templates/ and run `./justw render`.";

/// The part of the signature that later versions keep, so that they still know the files of this one.
const HEAD: &str = "Rendered by infragen";
const _: () = assert!(SIGNATURE.len() > HEAD.len());

/// Returns whether the first line carries the signature; in JSON, which has no comments, the first entry.
#[must_use]
pub fn is_signed(text: &str) -> bool {
    let mut lines = text.lines();
    match lines.next() {
        Some("{") => lines.next().is_some_and(|line| {
            line.trim_start().strip_prefix("\"$comment\": \"").is_some_and(|rest| rest.starts_with(HEAD))
        }),
        Some(line) => line.contains(HEAD),
        None => false,
    }
}
