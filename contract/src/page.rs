//! What the page reads from `config.js`, and the escaping that makes any JSON safe in a script.

use serde::{Deserialize, Serialize};

use crate::frames::FrameAncestors;
use crate::keep::HistoryKeep;
use crate::labels::Labels;
use crate::limits;
use crate::settings::SegmentSettings;
use crate::shown::ShownAttributes;
use crate::units::{DataWindow, PollInterval};
use crate::words::{AuthMode, PageLanguage};

/// Everything the page knows when it starts; written as `window.CONFIG = Object.freeze({…});`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct PageConfig {
    /// Base URL of the dashboard function; empty means same origin.
    pub api_base_url: String,
    /// Base URL of the stream function; empty means same origin.
    pub sse_base_url: String,
    /// Name of the environment, for the page's corner.
    pub environment: String,
    /// Labels of the table, in the order in which to show them.
    pub labels: Vec<String>,
    /// What `metrics` calls the number of each label, in the same order.
    pub label_keys: Vec<String>,
    /// Name of the update event.
    pub update_event: String,
    /// Announced time between heartbeats, milliseconds: the page's watchdog counts in it.
    pub heartbeat_interval_ms: u64,
    /// How often the page asks the dashboard function while the stream is not to be had, milliseconds.
    pub poll_interval_ms: u64,
    /// How far back the numbers count, milliseconds: the page offers no longer range.
    pub window_ms: u64,
    /// For how long the sums of hours are kept, milliseconds: the page offers ranges beyond the window. Left out where they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history_ms: Option<u64>,
    /// Length of the segments that viewers share, milliseconds: what comes may be so old then. Left out where each has a stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segment_ms: Option<u64>,
    /// How callers prove who they are: without it the page offers no configurations.
    pub auth_mode: AuthMode,
    /// Whether stream and numbers ask for a user too: the page gets itself one first, where it can. Left out where they do not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub auth_private: bool,
    /// Whether rows have tags: without them the page has no place for them. Left out where they have.
    #[serde(skip_serializing_if = "Clone::clone")]
    pub has_tags: bool,
    /// Attributes that updates carry as they are, in the order in which to show them. Left out where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub show: Vec<String>,
    /// Whether a request with a body must carry the hash of it, and `Authorization` never arrives: CloudFront signs what it
    /// sends to the functions in that very header.
    pub signed_requests: bool,
    /// How the page says goodbye; left out where it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goodbye: Option<Goodbye>,
    /// What the page has of its owner.
    #[serde(flatten)]
    pub looks: PageLooks,
}

/// Variable of local mode that holds the [`PageLooks`] as JSON; no function has it.
pub const LOOKS_VARIABLE: &str = "PAGE_LOOKS";

/// What the page has of its owner: the keys of `config.js` that change how it looks and how it speaks. What is left out is the
/// page's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE", default, deny_unknown_fields)]
pub struct PageLooks {
    /// Language of its words, numbers and times. Left out where it is English.
    #[serde(skip_serializing_if = "PageLanguage::is_default")]
    pub language: PageLanguage,
    /// Zone of its times, a name of the IANA. Left out where they are those of the browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its logo, as a `data:` URL: the page's policy lets nothing else in, and there is no further file to bring anywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
    /// Its accent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accent: Option<PageAccent>,
    /// What one tag is called, and what several are. Left out where they are tickers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<[String; 2]>,
}

/// A colour in the light theme and in the dark one, each `#` and six hexadecimal digits in lower case.
pub type ThemeColours = [String; 2];

/// The colours that follow from an accent, by what frontend/css/app.css calls them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PageAccent {
    /// Marks, lines and outlines.
    pub accent: ThemeColours,
    /// Text.
    pub accent_text: ThemeColours,
    /// Ground of white text.
    pub primary: ThemeColours,
    /// Ground of what is chosen or new.
    pub flash: ThemeColours,
}

/// Returns how far back the numbers count, as [`PageConfig`] has it.
#[must_use]
pub fn page_window_ms(window: DataWindow) -> u64 {
    u64::try_from(window.get().as_millis()).unwrap_or(u64::MAX)
}

/// Returns for how long sums of hours are kept, as [`PageConfig`] has it.
#[must_use]
pub fn page_history_ms(keep: Option<HistoryKeep>) -> Option<u64> {
    keep.map(|keep| u64::try_from(keep.get().as_millis()).unwrap_or(u64::MAX))
}

/// Returns the length of shared segments, as [`PageConfig`] has it.
#[must_use]
pub fn page_segment_ms(segments: &SegmentSettings) -> Option<u64> {
    segments.shared.then(|| u64::try_from(segments.length.get().as_millis()).unwrap_or(u64::MAX))
}

/// Returns how often a page polls: as often as the table is read, because in between nothing is new.
#[must_use]
pub fn page_poll_ms(poll_interval: PollInterval) -> u64 {
    let millis = poll_interval.get().max(limits::PAGE_POLL_MIN).as_millis();
    u64::try_from(millis).unwrap_or(u64::MAX)
}

/// Returns the content security policy of the page, as a header: narrower than what stands in frontend/index.html, which
/// cannot know the origins that it connects to, and cannot say who may frame it. At most [`limits::PAGE_POLICY_BYTES_MAX`] bytes
/// where it connects to its own origin only.
#[must_use]
pub fn policy(connects_to: &[&str], frames: &FrameAncestors) -> String {
    let connect = ["connect-src 'self'"].iter().chain(connects_to).copied().collect::<Vec<_>>().join(" ");
    let frames = frames.directive();
    let rules = [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "manifest-src 'self'",
        &connect,
        "base-uri 'none'",
        "form-action 'none'",
        &frames,
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ];
    rules.join("; ")
}

/// Returns the labels as [`PageConfig`] has them, and their keys.
#[must_use]
pub fn page_labels(labels: &Labels) -> (Vec<String>, Vec<String>) {
    let labels = labels.as_slice().iter();
    (labels.clone().map(ToString::to_string).collect(), labels.map(|label| label.key().to_owned()).collect())
}

/// Returns the attributes that are shown as [`PageConfig`] has them.
#[must_use]
pub fn page_shown(show: &ShownAttributes) -> Vec<String> {
    show.names().to_vec()
}

/// How a page says goodbye.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Goodbye {
    /// By `sendBeacon`, which is made for it.
    Beacon,
    /// By a request that carries the hash of its body, which a beacon cannot: CloudFront signs it for the function's URL.
    Signed,
}

/// Returns `json` with the characters escaped that would end a `<script>` element or a line of JavaScript.
///
/// JSON allows `<`, U+2028 and U+2029 inside strings, and only there, so the escapes keep its meaning.
#[must_use]
pub fn escape_json_for_script(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_upper_case_and_dangerous_characters_are_escaped() {
        let config = PageConfig {
            api_base_url: String::new(),
            sse_base_url: "</script>\u{2028}".into(),
            environment: "dev".into(),
            labels: vec!["positive".into()],
            label_keys: vec!["positive".into()],
            update_event: "sentiment_update".into(),
            heartbeat_interval_ms: 15_000,
            poll_interval_ms: 5000,
            window_ms: page_window_ms(DataWindow::DEFAULT),
            history_ms: None,
            segment_ms: None,
            auth_mode: AuthMode::TrustedHeader,
            auth_private: true,
            has_tags: false,
            show: Vec::new(),
            signed_requests: false,
            goodbye: Some(Goodbye::Beacon),
            looks: PageLooks { title: Some("<Orders>".into()), ..PageLooks::default() },
        };
        let json = serde_json::to_string(&config).unwrap();
        let escaped = escape_json_for_script(&json);
        assert!(escaped.contains(r#""GOODBYE":"beacon""#), "{escaped}");
        assert!(escaped.contains(r#""AUTH_MODE":"trusted-header","AUTH_PRIVATE":true,"HAS_TAGS":false"#), "{escaped}");
        assert!(escaped.contains(r#""SSE_BASE_URL":"\u003c/script\u003e\u2028""#), "{escaped}");
        assert!(escaped.contains(r#""TITLE":"\u003cOrders\u003e""#) && !escaped.contains("LANGUAGE"), "{escaped}");
        assert!(escaped.contains(r#""WINDOW_MS":86400000"#), "{escaped}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&escaped).unwrap(),
            serde_json::from_str::<serde_json::Value>(&json).unwrap()
        );
    }

    #[test]
    fn the_longest_list_of_frames_fits_into_the_header_that_cloudfront_adds() {
        let count = limits::FRAME_ANCESTORS_MAX;
        let each = (limits::FRAME_ANCESTORS_BYTES_MAX + 1) / count - 1;
        let longest = FrameAncestors::new(vec![format!("https://{}", "a".repeat(each - 8)); count]).unwrap();
        let found = policy(&[], &longest);
        assert!(
            found.len() > limits::FRAME_ANCESTORS_BYTES_MAX && found.len() <= limits::PAGE_POLICY_BYTES_MAX,
            "{found}"
        );
        assert!(policy(&[], &FrameAncestors::default()).contains("; frame-ancestors 'none'; "));
    }

    #[test]
    fn what_the_page_has_of_its_owner_is_written_and_read_alike() {
        let pair = |light: &str, dark: &str| [light.to_owned(), dark.to_owned()];
        let looks = PageLooks {
            language: PageLanguage::German,
            time_zone: Some("Europe/Berlin".into()),
            tags: Some(pair("Stadt", "Städte")),
            accent: Some(PageAccent {
                accent: pair("#0a6b5e", "#35c3cf"),
                accent_text: pair("#0a6b5e", "#35c3cf"),
                primary: pair("#0a6b5e", "#0a6b5e"),
                flash: pair("#e1edec", "#132c2e"),
            }),
            ..PageLooks::default()
        };
        let json = serde_json::to_string(&looks).unwrap();
        assert!(json.contains(r#""LANGUAGE":"de""#) && json.contains(r#""accent-text":["#), "{json}");
        assert_eq!(serde_json::from_str::<PageLooks>(&json).unwrap(), looks);
        assert_eq!(serde_json::to_string(&PageLooks::default()).unwrap(), "{}");
        for wrong in [r#"{"LANGUAGE":"fr"}"#, r#"{"COLOUR":"red"}"#, "3"] {
            assert!(serde_json::from_str::<PageLooks>(wrong).is_err(), "{wrong}");
        }
    }
}
