//! Ids of users and of what they save: text that was checked once, at the edge, and can become part of a table's key.

use std::fmt;

use contract::limits;

/// Longest id of a configuration, bytes.
const CONFIG_ID_BYTES_MAX: usize = 64;

/// Id of a user: the same for the same person, and part of the key of what they own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct UserId(Box<str>);

impl UserId {
    /// Takes 1 to [`limits::USER_ID_BYTES_MAX`] bytes without control characters.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let is_id = (1..=limits::USER_ID_BYTES_MAX).contains(&text.len()) && !text.contains(char::is_control);
        is_id.then(|| Self(text.into()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Id of a configuration, unique among those of its user.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct ConfigId(Box<str>);

impl ConfigId {
    /// What an id must be, for messages.
    pub const RULE: &str = "1 to 64 of a-z, A-Z, 0-9, - and _";

    /// Takes what [`Self::RULE`] says.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let is_id = (1..=CONFIG_ID_BYTES_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        is_id.then(|| Self(text.into()))
    }

    /// Makes an id of random bytes, as hexadecimal digits.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConfigId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configurations_id_cannot_leave_its_key() {
        for good in ["a", "A-1_b", &"x".repeat(64)] {
            assert_eq!(ConfigId::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "a/b", "..", "a b", "é", "a#b", &"x".repeat(65)] {
            assert_eq!(ConfigId::new(bad), None, "{bad}");
        }
        let made = ConfigId::from_bytes([0xa5; 16]);
        assert_eq!(ConfigId::new(made.as_str()), Some(made));
    }

    #[test]
    fn a_users_id_is_short_text() {
        for good in ["u", "auth0|5f7c8ec7c33c6c004bbafe82", "名", &"x".repeat(limits::USER_ID_BYTES_MAX)] {
            assert_eq!(UserId::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "a\nb", "\u{7f}", &"x".repeat(limits::USER_ID_BYTES_MAX + 1)] {
            assert_eq!(UserId::new(bad), None, "{bad:?}");
        }
    }
}
