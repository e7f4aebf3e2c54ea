//! How far an upload is: what a registry says of it, and how the rest is named.

/// Bytes of the upload that the registry has, from its header `Range`, `0-LAST`; none where it says something else.
///
/// `0-0` is one byte by the letter, and what registries say of nothing at all. Nothing is taken: at worst that byte is sent
/// again, and the registry refuses the digest, which begins anew.
#[must_use]
pub fn received(range: &str) -> Option<usize> {
    let plain = range.trim().trim_start_matches("bytes=");
    let last: usize = plain.strip_prefix("0-")?.parse().ok()?;
    Some(if last == 0 { 0 } else { last.checked_add(1)? })
}

/// Names the bytes from `from` on, of so many: the header `Content-Range` of registries, which has no unit.
#[must_use]
pub fn rest(from: usize, total: usize) -> String {
    format!("{from}-{}", total.saturating_sub(1))
}

/// The first message that a registry gives in the body of an error, in one line.
#[must_use]
pub fn said(body: &[u8]) -> Option<String> {
    const CHARACTERS_MAX: usize = 300;
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let error = &body["errors"][0];
    let text = [error["code"].as_str(), error["message"].as_str()].into_iter().flatten().collect::<Vec<_>>().join(": ");
    let line = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(CHARACTERS_MAX).collect::<String>();
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_says_how_much_is_there() {
        for (text, bytes) in [
            ("0-0", Some(0)),
            ("0-9", Some(10)),
            ("bytes=0-9", Some(10)),
            ("1-9", None),
            ("0-", None),
            ("", None),
            ("0-18446744073709551615", None),
        ] {
            assert_eq!(received(text), bytes, "{text}");
        }
        assert_eq!(rest(10, 30), "10-29");
    }

    #[test]
    fn a_registrys_reason_is_one_line() {
        let body = br#"{"errors":[{"code":"DENIED","message":"no\nrights","detail":null},{"code":"OTHER"}]}"#;
        assert_eq!(said(body).as_deref(), Some("DENIED: no rights"));
        assert_eq!(said(br#"{"errors":[{"code":"DENIED"}]}"#).as_deref(), Some("DENIED"));
        for body in [&b"<html>"[..], b"{}", br#"{"errors":[]}"#, br#"{"errors":[{"message":""}]}"#] {
            assert_eq!(said(body), None);
        }
    }
}
