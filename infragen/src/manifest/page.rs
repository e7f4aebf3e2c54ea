//! `[page]`: what the page has of its owner.

use contract::PageLanguage;
use contract::limits::PAGE_TITLE_CHARS_MAX;

use super::reader::{ManifestValue, Problem, section};
use super::tree::Node;
use super::types::{BaseUrl, texts};
use super::values::{strings, text};
use crate::colour::Colour;

/// Longest part of a zone's name: the longest that there is has 14.
const ZONE_PART_BYTES_MAX: usize = 32;
/// Longest name of tags: the head of a narrow column.
const PAGE_NOUN_CHARS_MAX: usize = 30;
/// Longest path of a logo.
const LOGO_PATH_BYTES_MAX: usize = 200;

/// Whether it is one line of at most so many characters, which begins and ends with something to see.
fn is_line(text: &str, chars_max: usize) -> bool {
    (1..=chars_max).contains(&text.chars().count()) && text.trim() == text && !text.chars().any(char::is_control)
}

texts!(
    /// Zone of the page's times: a name of the IANA's database, which every browser has, or the browser's own.
    PageZone, "the name of a time zone",
    "`browser`, `UTC`, or the name of a time zone such as Europe/Berlin",
    r"^(browser|UTC|[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z][A-Za-z0-9_+-]*){1,2})$",
    ["Europe/Berlin", "UTC", "browser"],
    |text| {
        let part = |part: &str| {
            part.len() <= ZONE_PART_BYTES_MAX
                && part.starts_with(|c: char| c.is_ascii_alphabetic())
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte))
        };
        ["browser", "UTC"].contains(&text) || ((2..=3).contains(&text.split('/').count()) && text.split('/').all(part))
    };
    /// Title of the page.
    PageTitle, "the title of a page",
    "1 to 60 characters without control characters, not beginning or ending with a space",
    r"^[^\s](.{0,58}[^\s])?$",
    ["Orders today", "Builds"],
    |text| is_line(text, PAGE_TITLE_CHARS_MAX);
    /// What people call one tag, or several.
    PageNoun, "what tags are called",
    "1 to 30 characters without control characters, not beginning or ending with a space",
    r"^[^\s](.{0,28}[^\s])?$",
    ["Region", "Städte"],
    |text| is_line(text, PAGE_NOUN_CHARS_MAX);
    /// Path of a picture, from the manifest's folder.
    LogoPath, "the path of a picture",
    "the path of an .svg or .png file below the manifest's folder, with / between names of a-z, A-Z, 0-9, _, - and .",
    r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*\.(svg|png)$",
    ["logo.svg", "brand/logo.png"],
    |text| {
        let name = |name: &str| {
            !name.is_empty()
                && !name.starts_with('.')
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
        };
        text.len() <= LOGO_PATH_BYTES_MAX && (text.ends_with(".svg") || text.ends_with(".png")) && text.split('/').all(name)
    };
);

impl PageZone {
    /// The zone; none where it is the browser's.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        Some(self.as_str()).filter(|name| *name != "browser")
    }
}

impl ManifestValue for Colour {
    fn read(node: &Node) -> Result<Self, Vec<Problem>> {
        let found = text(node, "a colour")?;
        Self::read(found).ok_or_else(|| {
            let problem = Problem::text(found, &format!("it must be {}", <Self as ManifestValue>::rule()));
            vec![match meant(found) {
                Some(meant) => problem.hint(format!("write `\"{meant}\"`")),
                None => problem,
            }]
        })
    }
    fn rule() -> String {
        "a colour, # and six hexadecimal digits".to_owned()
    }
    fn write(&self) -> Option<toml::Value> {
        Some(self.to_string().into())
    }
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "string", "pattern": "^#[0-9A-Fa-f]{6}$" })
    }
    fn examples() -> Vec<toml::Value> {
        strings(&["#0a6b5e", "#b3261e", "#7fd8c8"])
    }
}

/// Returns the colour that was meant by three digits, or by six without `#`.
fn meant(found: &str) -> Option<Colour> {
    let digits = found.trim().trim_start_matches('#');
    if digits.len() == 3 && digits.is_ascii() {
        return Colour::read(&format!("#{}", digits.chars().flat_map(|digit| [digit, digit]).collect::<String>()));
    }
    Colour::read(&format!("#{digits}"))
}

section! {
    /// `[page]`: what frontend/config.js says.
    pub struct PageSection {
        /// Language of the page's words, numbers and times.
        "language" => language: PageLanguage = PageLanguage::English;
        /// Zone of the page's times; `browser` is that of whoever looks at it.
        "time_zone" => time_zone: PageZone = PageZone::new("browser").expect("a literal that the test `defaults_are_valid` makes");
        /// Title of the page, in place of its own.
        "title" => title: Option<PageTitle> = None;
        /// What one tag is called on the page, in place of `Ticker`; left out, as `tags` says.
        "tag" => tag: Option<PageNoun> = None;
        /// What several are called, in place of `Tickers`; left out, as `tag` says.
        "tags" => tags: Option<PageNoun> = None;
        /// Picture beside the title, in place of the page's own: at most 16 KiB, with nothing in it that runs or comes from elsewhere.
        "logo" => logo: Option<LogoPath> = None;
        /// Colour of links, marks and buttons, in place of the page's own; at least 3:1 with the light theme's grounds. Text has the nearest shade with 4.5:1.
        "accent" => accent: Option<Colour> = None;
        /// The same in the dark theme, with its grounds; left out, the nearest shade of `accent` that can be seen there.
        "accent_dark" => accent_dark: Option<Colour> = None;
        /// Base URL of the dashboard function; empty means same origin.
        "api_base_url" => api_base_url: BaseUrl = BaseUrl::new("").expect("a literal that the test `defaults_are_valid` makes");
        /// Base URL of the stream function; empty means same origin.
        "sse_base_url" => sse_base_url: BaseUrl = BaseUrl::new("").expect("a literal that the test `defaults_are_valid` makes");
    }
}

impl PageSection {
    /// What one tag is called, and what several are; none where the page says it.
    #[must_use]
    pub fn tags(&self) -> Option<[String; 2]> {
        let (one, many) = (self.tag.as_ref().or(self.tags.as_ref())?, self.tags.as_ref().or(self.tag.as_ref())?);
        Some([one, many].map(|noun| noun.as_str().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_have_the_form_of_names_of_the_database() {
        for good in
            ["browser", "UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "America/Port-au-Prince"]
        {
            assert!(PageZone::new(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "Berlin",
            "utc",
            "+02:00",
            "Europe/",
            "/Berlin",
            "Europe/Ber lin",
            "a/b/c/d",
            "Europe/Zürich",
            "Europe//Berlin",
        ] {
            assert!(PageZone::new(bad).is_none(), "{bad}");
        }
        assert_eq!(PageZone::new("browser").unwrap().name(), None);
        assert_eq!(PageZone::new("UTC").unwrap().name(), Some("UTC"));
    }

    #[test]
    fn a_title_is_one_line_of_sixty_characters() {
        assert!(PageTitle::new(&"ä".repeat(PAGE_TITLE_CHARS_MAX)).is_some());
        assert!(PageTitle::new(&"ä".repeat(PAGE_TITLE_CHARS_MAX + 1)).is_none());
        for bad in ["", " a", "a ", "a\nb", "\u{7}"] {
            assert!(PageTitle::new(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn a_logo_lies_below_the_manifest() {
        for good in ["logo.svg", "img/Logo-2.png", "a.b.svg"] {
            assert!(LogoPath::new(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "logo.gif",
            "/etc/logo.svg",
            "../logo.svg",
            "a/../b.svg",
            ".svg",
            "a//b.svg",
            "a\\b.svg",
            "https://a/b.svg",
        ] {
            assert!(LogoPath::new(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_colour_that_was_nearly_written_is_named() {
        assert_eq!(meant("#fa0").unwrap().to_string(), "#ffaa00");
        assert_eq!(meant("0A6B5E").unwrap().to_string(), "#0a6b5e");
        assert_eq!(meant("red"), None);
        assert_eq!(meant("ää"), None);
    }
}
