//! Whether a client has an answer already.

use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest as _, Sha256};

/// A weak entity tag: answers with equal tags say the same, and need not be the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ETag(String);

impl ETag {
    /// Makes the tag of what an answer says.
    pub(super) fn of(what: &impl serde::Serialize) -> Self {
        let text = serde_json::to_vec(what).expect("what is answered always serialises");
        Self(format!("\"{}\"", URL_SAFE_NO_PAD.encode(&Sha256::digest(text)[..15])))
    }

    /// Answers with the tag, or, where the client has what it is of, with 304 and nothing.
    pub(super) fn answer(&self, asked: &HeaderMap, whole: impl FnOnce() -> Response) -> Response {
        if self.is_held(asked) { self.not_modified() } else { self.with(whole()) }
    }

    /// Answers that the client has what it is of.
    pub(super) fn not_modified(&self) -> Response {
        self.with(StatusCode::NOT_MODIFIED.into_response())
    }

    fn with(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        headers.insert(header::ETAG, self.header());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    }

    /// The tag as a header.
    fn header(&self) -> HeaderValue {
        HeaderValue::try_from(format!("W/{}", self.0)).expect("Base64 in quotes is visible ASCII")
    }

    /// Whether the client says that it has this one. A header that does not read on says nothing more.
    pub(super) fn is_held(&self, headers: &HeaderMap) -> bool {
        headers.get_all(header::IF_NONE_MATCH).iter().any(|value| {
            let mut rest = value.as_bytes().trim_ascii();
            if rest == b"*" {
                return true;
            }
            while let Some((tag, after)) = first_tag(rest) {
                if tag == self.0.as_bytes() {
                    return true;
                }
                rest = after;
            }
            false
        })
    }
}

/// The first tag of a list, in its quotes and without a `W/`, and what comes after it.
fn first_tag(list: &[u8]) -> Option<(&[u8], &[u8])> {
    let start = list.iter().position(|byte| *byte != b',' && !byte.is_ascii_whitespace())?;
    let list = &list[start..];
    let tag = list.strip_prefix(b"W/").unwrap_or(list);
    let end = tag.strip_prefix(b"\"")?.iter().position(|byte| *byte == b'"')? + 2;
    Some(tag.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_stars_and_strong_tags_are_understood() {
        let tag = ETag("\"abc\"".into());
        assert_eq!(tag.header(), "W/\"abc\"");
        let held = |values: &[&'static str]| {
            let values = values.iter().map(|value| (header::IF_NONE_MATCH, HeaderValue::from_static(value)));
            tag.is_held(&HeaderMap::from_iter(values))
        };
        for good in
            ["*", " * ", "W/\"abc\"", "\"abc\"", "\"x\", W/\"abc\"", "\"a,b\" ,,W/\"y\",\"abc\"", "\"\",\"abc\""]
        {
            assert!(held(&[good]), "{good}");
        }
        assert!(held(&["\"x\"", "\"abc\""]));
        for bad in ["", "abc", "\"abc", "w/\"abc\"", "W/abc", "\"abcd\"", "\"x\", abc", "**", "\"*\"", "\"x\"; \"abc\""]
        {
            assert!(!held(&[bad]), "{bad}");
        }
        assert!(!held(&[]));
    }

    #[test]
    fn equal_answers_have_equal_tags() {
        assert_eq!(ETag::of(&[1, 2]), ETag::of(&[1, 2]));
        assert_ne!(ETag::of(&[1, 2]), ETag::of(&[1, 3]));
    }
}
