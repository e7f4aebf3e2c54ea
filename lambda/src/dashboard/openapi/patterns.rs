//! What names and tickers may be, as patterns for programs.

use contract::limits;

/// Characters that Rust takes for space and not for control, as a class of a pattern.
const SPACES: &str = r" \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000";
/// Control characters.
const CONTROLS: &str = r"\u0000-\u001f\u007f-\u009f";

/// The name of a configuration.
pub(super) fn name() -> String {
    let inner = limits::CONFIGURATION_NAME_CHARS_MAX - 2;
    let edge = format!("[^{CONTROLS}{SPACES}]");
    format!("^[{SPACES}]*{edge}([^{CONTROLS}]{{0,{inner}}}{edge})?[{SPACES}]*$")
}

/// Tickers with commas between them, each with white space around it or left out.
pub(super) fn tickers() -> String {
    let ticker = format!("{}({})?{}", around(), ticker(), around());
    format!("^{ticker}(,{ticker})*$")
}

/// White space around a ticker.
fn around() -> String {
    format!("[\\u0009-\\u000d\\u0085{SPACES}]*")
}

/// A ticker has 64 bytes at most: visible ASCII, or so few characters that none of them can be too long.
fn ticker() -> String {
    let few = limits::TAG_BYTES_MAX / 4;
    let (end, inner) = (format!("[^{CONTROLS}{SPACES},\\ufffd]"), format!("[^{CONTROLS},\\ufffd]"));
    let ascii_end = "[!-+\\--~]";
    let ascii_inner = "[ -+\\--~]";
    let of = |end: &str, inner: &str, max: usize| format!("{end}({inner}{{0,{}}}{end})?", max - 2);
    format!("{}|{}", of(ascii_end, ascii_inner, limits::TAG_BYTES_MAX), of(&end, &inner, few))
}

/// One ticker with white space around it.
pub(super) fn one_ticker() -> String {
    format!("^{}({}){}$", around(), ticker(), around())
}
