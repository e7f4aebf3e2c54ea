//! Whose pages may show the page in a frame.

use crate::limits;
use crate::origins;
use crate::values::{ABSENT, SettingValue};

/// Variable of local mode that holds the [`FrameAncestors`]; no function has it.
pub const FRAMES_VARIABLE: &str = "PAGE_FRAME_ANCESTORS";

/// Origins whose pages may show the page in a frame; without any nobody's may, not even its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrameAncestors(Vec<String>);

impl FrameAncestors {
    /// Takes origins as a browser writes them, `http://` or `https://` and a host in lower case with or without a port: at most
    /// [`limits::FRAME_ANCESTORS_MAX`], and [`limits::FRAME_ANCESTORS_BYTES_MAX`] bytes with a space between each two.
    ///
    /// # Errors
    /// A sentence with what is wrong and the rule.
    pub fn new(origins: Vec<String>) -> Result<Self, String> {
        if let Some(bad) = origins.iter().find(|origin| origins::host(origin).is_none()) {
            return Err(format!("`{}` is no origin; it must be {}", bad.escape_debug(), Self::rule()));
        }
        if origins.len() > limits::FRAME_ANCESTORS_MAX {
            return Err(format!("{} origins are too many; it must be {}", origins.len(), Self::rule()));
        }
        let bytes = origins.join(" ").len();
        if bytes > limits::FRAME_ANCESTORS_BYTES_MAX {
            return Err(format!("{bytes} bytes of origins are too many; it must be {}", Self::rule()));
        }
        Ok(Self(origins))
    }

    /// The origins, in their order.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }

    /// Returns the rule as a content security policy has it.
    #[must_use]
    pub fn directive(&self) -> String {
        format!("frame-ancestors {}", if self.0.is_empty() { "'none'".to_owned() } else { self.0.join(" ") })
    }
}

impl SettingValue for FrameAncestors {
    fn read(text: &str) -> Result<Self, String> {
        if text == ABSENT {
            return Ok(Self::default());
        }
        Self::new(text.split(',').map(str::to_owned).collect())
    }
    fn write(&self) -> String {
        if self.0.is_empty() { ABSENT.to_owned() } else { self.0.join(",") }
    }
    fn rule() -> String {
        let (count, bytes) = (limits::FRAME_ANCESTORS_MAX, limits::FRAME_ANCESTORS_BYTES_MAX);
        format!(
            "1 to {count} origins as scheme://host[:port] in lower case, of {bytes} bytes together, separated by commas; or `-` \
             where there are none"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_a_list_of_hosts_and_read_back() {
        for good in ["-", "https://a.example", "https://a.example,http://localhost:8080,https://[::1]:8443"] {
            assert_eq!(FrameAncestors::read(good).unwrap().write(), good);
        }
        for bad in [
            "",
            "*",
            "https://",
            "https://*.example",
            "https://a.example/",
            "https://a.example; script-src *",
            "https://a.example,",
            "'self'",
            "ftp://a.example",
            "https://A.example",
            "https://a..example",
            "https://[1",
            "https://a.example\r\nX: y",
        ] {
            assert!(FrameAncestors::read(bad).unwrap_err().contains("is no origin; it must be 1 to 16"), "{bad}");
        }
    }

    #[test]
    fn there_are_as_many_as_a_header_takes() {
        let many = |count: usize, bytes: usize| {
            let host: String = (9..bytes).map(|at| if at % 2 == 0 { '.' } else { 'a' }).collect();
            vec![format!("https://{host}a"); count]
        };
        assert!(FrameAncestors::new(many(limits::FRAME_ANCESTORS_MAX, 20)).is_ok());
        let error = FrameAncestors::new(many(limits::FRAME_ANCESTORS_MAX + 1, 20)).unwrap_err();
        assert!(error.starts_with("17 origins are too many"), "{error}");
        // With a space between each two.
        assert_eq!(3 * 255 + 256 + 3, limits::FRAME_ANCESTORS_BYTES_MAX);
        assert!(FrameAncestors::new([many(3, 255), many(1, 256)].concat()).is_ok());
        let error = FrameAncestors::new([many(3, 255), many(1, 257)].concat()).unwrap_err();
        assert!(error.starts_with("1025 bytes of origins are too many"), "{error}");
    }

    #[test]
    fn a_policy_says_so_or_that_nobody_may() {
        assert_eq!(FrameAncestors::default().directive(), "frame-ancestors 'none'");
        let two = FrameAncestors::read("https://a.example,http://b.example:81").unwrap();
        assert_eq!(two.directive(), "frame-ancestors https://a.example http://b.example:81");
    }
}
