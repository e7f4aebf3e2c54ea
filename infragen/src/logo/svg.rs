//! Whether an SVG is a picture and nothing more. Browsers run nothing in an image and let it fetch nothing; this is for whoever opens
//! the file itself, and says so before it is out. Strict: what it does not understand it refuses.

use super::error::LogoError;

/// Elements that run, embed or lead somewhere.
const ACTIVE: [&str; 13] = [
    "script",
    "foreignobject",
    "iframe",
    "object",
    "embed",
    "image",
    "feimage",
    "audio",
    "video",
    "a",
    "handler",
    "listener",
    "set",
];

/// Most characters of a name that a message repeats.
const SHOWN_CHARS_MAX: usize = 40;

/// Most elements within one another: no picture has so many.
const DEPTH_MAX: usize = 64;

/// Checks that a file is one well-formed `svg` element that shows what is in it.
///
/// # Errors
/// [`LogoError`] with the first thing that is wrong.
pub(super) fn check(bytes: &[u8]) -> Result<(), LogoError> {
    let text = std::str::from_utf8(bytes).map_err(|_| not_svg("it is not UTF-8"))?;
    let mut scanner = Scanner { rest: text.trim_start_matches('\u{feff}'), open: Vec::new(), is_done: false };
    while scanner.step()? {}
    match (scanner.open.last(), scanner.is_done) {
        (Some(name), _) => Err(not_svg(&format!("`<{name}>` is not closed"))),
        (None, false) => Err(not_svg("there is no `<svg>` in it")),
        (None, true) => Ok(()),
    }
}

fn not_svg(why: &str) -> LogoError {
    LogoError::NotSvg(why.to_owned())
}

fn active(what: impl Into<String>) -> LogoError {
    LogoError::Active(what.into())
}

struct Scanner<'a> {
    rest: &'a str,
    open: Vec<&'a str>,
    /// The one element is closed.
    is_done: bool,
}

impl<'a> Scanner<'a> {
    /// Takes the next piece; false at the end.
    fn step(&mut self) -> Result<bool, LogoError> {
        let at = self.rest.find('<').unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(at);
        self.text(text)?;
        if rest.is_empty() {
            return Ok(false);
        }
        if let Some(comment) = rest.strip_prefix("<!--") {
            self.rest = after(comment, "-->")?;
        } else if let Some(declaration) = rest.strip_prefix("<?xml ") {
            self.rest = after(declaration, "?>")?;
        } else if rest.starts_with("<?") {
            return Err(active("a processing instruction, such as a style sheet of elsewhere"));
        } else if rest.starts_with("<!") {
            return Err(active("a document type or a section of another kind"));
        } else if let Some(end) = rest.strip_prefix("</") {
            self.close(end)?;
        } else {
            self.element(&rest[1..])?;
        }
        Ok(true)
    }

    /// Text between elements: of a style sheet, or to be shown.
    fn text(&self, text: &str) -> Result<(), LogoError> {
        match self.open.last() {
            None if text.trim().is_empty() => Ok(()),
            None => Err(not_svg("there is text outside of `<svg>`")),
            Some(name) if is_called(name, "style") => style(text),
            Some(_) => Ok(()),
        }
    }

    fn close(&mut self, end: &'a str) -> Result<(), LogoError> {
        let at = end.find('>').ok_or_else(|| not_svg("a tag does not end"))?;
        let name = end[..at].trim_end();
        if self.open.pop() != Some(name) {
            return Err(not_svg(&format!("`</{}>` closes nothing", shown(name))));
        }
        self.is_done = self.open.is_empty();
        self.rest = &end[at + 1..];
        Ok(())
    }

    fn element(&mut self, tag: &'a str) -> Result<(), LogoError> {
        let end = tag
            .find(|c: char| c.is_whitespace() || c == '>' || c == '/')
            .ok_or_else(|| not_svg("a tag does not end"))?;
        let (name, mut rest) = tag.split_at(end);
        if self.is_done || (self.open.is_empty() && !is_called(name, "svg")) {
            return Err(not_svg(&format!("`<{}>` is not in `<svg>`", shown(name))));
        }
        let is_name =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":_-.".contains(&byte));
        if !is_name {
            return Err(not_svg(&format!("`<{}` is no element", shown(name))));
        }
        if ACTIVE.iter().any(|one| is_called(name, one)) {
            return Err(active(format!("an element `<{}>`", shown(name))));
        }
        loop {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix("/>") {
                self.is_done = self.open.is_empty();
                self.rest = after;
                return Ok(());
            }
            if let Some(after) = rest.strip_prefix('>') {
                if self.open.len() == DEPTH_MAX {
                    return Err(not_svg("its elements are too deep in one another"));
                }
                self.open.push(name);
                self.rest = after;
                return Ok(());
            }
            rest = attribute(rest)?;
        }
    }
}

/// Takes one attribute; returns what is behind it.
fn attribute(text: &str) -> Result<&str, LogoError> {
    let broken = || not_svg("an attribute is no name with a value in quotes");
    let (name, rest) = text.split_once('=').ok_or_else(broken)?;
    let name = name.trim_end();
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":_-.".contains(&byte)) {
        return Err(broken());
    }
    let rest = rest.trim_start();
    let quote = rest.chars().next().filter(|c| ['"', '\''].contains(c)).ok_or_else(broken)?;
    let (value, rest) = rest[1..].split_once(quote).ok_or_else(broken)?;
    let local = local(name).to_ascii_lowercase();
    if local.starts_with("on") {
        return Err(active(format!("an attribute `{}`, which runs a script", shown(name))));
    }
    if name == "xmlns" || name.starts_with("xmlns:") {
        return Ok(rest); // a name, which nobody fetches
    }
    if ["href", "src", "base"].contains(&local.as_str()) && !value.starts_with('#') {
        return Err(active(format!("an attribute `{}` that leads out of it", shown(name))));
    }
    style(value)?;
    Ok(rest)
}

/// A style sheet, or any value: it fetches nothing and hides nothing.
fn style(text: &str) -> Result<(), LogoError> {
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
    if plain.contains("@import") || plain.contains("javascript:") || plain.contains("expression(") {
        return Err(active("a style or a value that fetches or runs something"));
    }
    let leads_in = |rest: &str| rest.trim_start_matches(['"', '\'']).starts_with('#');
    if plain.split("url(").skip(1).any(|rest| !leads_in(rest)) {
        return Err(active("a `url()` that leads out of it"));
    }
    if plain.contains("&#") || plain.contains('\\') {
        return Err(active("a character written as a number, which could hide what it is"));
    }
    Ok(())
}

fn after<'a>(text: &'a str, end: &str) -> Result<&'a str, LogoError> {
    text.split_once(end).map(|(_, rest)| rest).ok_or_else(|| not_svg("a comment or declaration does not end"))
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

fn is_called(name: &str, known: &str) -> bool {
    local(name).eq_ignore_ascii_case(known)
}

/// What a message says of a name that a stranger chose.
fn shown(name: &str) -> String {
    name.chars().take(SHOWN_CHARS_MAX).collect::<String>().escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn svg(inner: &str) -> Result<(), LogoError> {
        check(format!("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 8 8\">{inner}</svg>").as_bytes())
    }

    #[test]
    fn pictures_pass() {
        for good in [
            "",
            "<path d='M0 0h8' fill=\"#fff\"/>",
            "<defs><linearGradient id='g'><stop offset='0'/></linearGradient></defs><rect fill='url(#g)' width='8' height='8'/>",
            "<style>.a { fill: url('#g'); }</style><use href='#a' xlink:href=\"#a\"/>",
            "<!-- <script> --><title>On &amp; on</title><text>a &lt; b</text>",
            "<animate attributeName='x' to='4' dur='1s'/>",
        ] {
            assert_eq!(svg(good), Ok(()), "{good}");
        }
        assert_eq!(check("\u{feff}<?xml version='1.0'?>\n<!-- c -->\n<svg/>\n".as_bytes()), Ok(()));
    }

    #[test]
    fn what_runs_or_leads_out_is_refused() {
        for bad in [
            "<script>alert(1)</script>",
            "<SVG:Script href='#a'/>",
            "<foreignObject/>",
            "<image href='#a'/>",
            "<a href='#b'/>",
            "<path onload='alert(1)'/>",
            "<path ONCLICK=\"a\"/>",
            "<use href='https://example.com/a.svg#a'/>",
            "<use xlink:href='data:image/svg+xml,a'/>",
            "<use href=' #a'/>",
            "<use href='&#35;a'/>",
            "<rect fill='url(https://example.com/a)'/>",
            "<rect fill='URL ( \"//example.com/a\")'/>",
            "<rect style='fill:\\75rl(//example.com)'/>",
            "<style>@import 'https://example.com/a.css';</style>",
            "<style>.a { background: url(a.png); }</style>",
            "<set attributeName='href' to='javascript:a'/>",
            "<animate attributeName='href' to='java\nscript:a'/>",
            "<?xml-stylesheet href='a.css'?>",
            "<![CDATA[<script>]]>",
        ] {
            assert!(matches!(svg(bad), Err(LogoError::Active(_))), "{bad}: {:?}", svg(bad));
        }
        assert!(matches!(check(b"<!DOCTYPE svg [<!ENTITY a 'b'>]><svg/>"), Err(LogoError::Active(_))));
    }

    #[test]
    fn what_is_no_svg_is_refused_and_nothing_panics() {
        for bad in [
            "",
            "text",
            "<svg",
            "<svg>",
            "<svg></a>",
            "<svg><g></svg>",
            "<html/>",
            "<svg/><svg/>",
            "<svg a/>",
            "<svg a=b/>",
            "<svg a='/>",
            "<svg =''/>",
            "<svg/>text",
            "<!--",
            "<?xml ",
            "<svg><></svg>",
            "<svg>< g/></svg>",
            "</svg>",
            "<svg ä='1'/>",
            "<",
        ] {
            assert!(matches!(check(bad.as_bytes()), Err(LogoError::NotSvg(_))), "{bad}: {:?}", check(bad.as_bytes()));
        }
        assert!(matches!(check(b"\xff\xfe<svg/>"), Err(LogoError::NotSvg(_))));
        let deep = |depth: usize| format!("{}{}", "<svg>".repeat(depth), "</svg>".repeat(depth));
        assert_eq!(check(deep(DEPTH_MAX).as_bytes()), Ok(()));
        assert!(check(deep(DEPTH_MAX + 1).as_bytes()).is_err());
    }
}
