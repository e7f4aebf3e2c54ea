//! Names of streams: 128 bits that nobody can guess, because who knows one may end its stream.

use std::fmt;

/// Name of one stream, as `heartbeat` and the log show it: 32 of `0-9` and `a-f`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(u128);

impl StreamId {
    /// What the text of an id is, as error messages print it.
    pub const RULE: &'static str = "32 of 0-9 and a-f, as the event `heartbeat` carries it";

    /// Makes the name of random bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }

    /// Reads a name that a client sent.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // One form only, so that one stream has one key: no sign, no upper case, no missing zeros.
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 32 || !text.bytes().all(hex) {
            return None;
        }
        u128::from_str_radix(text, 16).ok().map(Self)
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_text() {
        let id = StreamId::from_bytes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
        assert_eq!(id.to_string(), "000102030405060708090a0b0c0d0eff");
        assert_eq!(StreamId::parse(&id.to_string()), Some(id));
        for bad in [
            "",
            "0102030405060708090a0b0c0d0eff",
            "000102030405060708090A0B0C0D0EFF",
            "+00102030405060708090a0b0c0d0eff",
            "000102030405060708090a0b0c0d0eff0",
            "000102030405060708090a0b0c0d0e\u{e9}",
            "../0102030405060708090a0b0c0d0ef",
        ] {
            assert_eq!(StreamId::parse(bad), None, "{bad}");
        }
    }
}
