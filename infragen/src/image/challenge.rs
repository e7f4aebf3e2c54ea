//! What a registry asks of whom it does not know: the header `WWW-Authenticate` (RFC 9110, and the token flow of registries).

/// How to come again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// With a user's name and password.
    Basic,
    /// With a token of somebody else.
    Bearer {
        /// Where tokens are given.
        realm: String,
        /// What they are for, as the registry calls itself.
        service: Option<String>,
        /// What they must allow.
        scope: Option<String>,
    },
}

/// Reads one header; none where it names no way that is known.
#[must_use]
pub fn parse(header: &str) -> Option<Challenge> {
    let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let parameters = parameters(rest);
    let get = |name: &str| parameters.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone());
    Some(Challenge::Bearer { realm: get("realm")?, service: get("service"), scope: get("scope") })
}

/// `name="value"` and `name=value`, with commas between; a comma in quotes belongs to its value, as in `scope`.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches([' ', ',']).to_ascii_lowercase();
        let (value, more) = match after.strip_prefix('"') {
            Some(quoted) => quoted_value(quoted),
            None => {
                let end = after.find([',', ' ']).unwrap_or(after.len());
                (after[..end].to_owned(), &after[end..])
            }
        };
        found.push((name, value));
        rest = more;
    }
    found
}

/// The text up to the closing quote, and what follows it.
fn quoted_value(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Option<Challenge> {
        let own = |text: Option<&str>| text.map(str::to_owned);
        Some(Challenge::Bearer { realm: realm.to_owned(), service: own(service), scope: own(scope) })
    }

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        assert_eq!(parse("Basic realm=\"Registry Realm\""), Some(Challenge::Basic));
        assert_eq!(parse("basic"), Some(Challenge::Basic));
        assert_eq!(
            parse(r#"Bearer realm="https://a.example/token",service="a.example",scope="repository:x/y:pull,push""#),
            bearer("https://a.example/token", Some("a.example"), Some("repository:x/y:pull,push"))
        );
        assert_eq!(
            parse(r#"BEARER Realm=https://a.example/t , service="a\"b""#),
            bearer("https://a.example/t", Some("a\"b"), None)
        );
    }

    #[test]
    fn what_is_no_challenge_is_none() {
        for text in ["", "Negotiate abc", "Bearer", "Bearer service=\"x\"", "Bearer realm", "Bearer =\"x\""] {
            assert_eq!(parse(text), None, "{text}");
        }
        // Cut in the middle of a value: what is there is taken.
        assert_eq!(parse("Bearer realm=\"https://a"), bearer("https://a", None, None));
    }
}
