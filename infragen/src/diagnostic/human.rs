//! Diagnostics for people: code, sentence, place, the line with a caret below what is wrong, hint.

use std::collections::BTreeMap;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Colour, Diagnostic, Input, Layer, Lines, Severity, Source, Span};

/// Diagnostics shown to people; whoever made more mistakes mends these first.
const SHOWN_MAX: usize = 100;

/// Writes diagnostics for people.
///
/// Text from the manifest never reaches the terminal raw: messages are escaped where they are made, and the renderer
/// replaces control characters and bidirectional marks in source lines. Long lines are cut around the caret.
#[must_use]
pub fn human(input: &Input, diagnostics: &[Diagnostic], severity: Severity, colour: Colour) -> String {
    let renderer = if colour.0 { Renderer::styled() } else { Renderer::plain() };
    let mut lines: BTreeMap<Layer, Lines<'_>> = BTreeMap::new();
    let mut shown: Vec<String> = Vec::new();
    for diagnostic in diagnostics.iter().take(SHOWN_MAX) {
        // Only where there is a place to show: finding the lines walks the whole text.
        let lines = diagnostic.span.as_ref().map(|span| {
            let layer = span.layer;
            (span, &*lines.entry(layer).or_insert_with(|| Lines::new(&input.source(layer).text)))
        });
        shown.push(renderer.render(&[group(input, diagnostic, severity, lines)]));
    }
    if diagnostics.len() > SHOWN_MAX {
        let message = format!("{} more mistakes are not shown", diagnostics.len() - SHOWN_MAX);
        shown.push(renderer.render(&[Group::with_title(Level::ERROR.primary_title(message))]));
    }
    shown.iter().map(|text| format!("{}\n", text.trim_end())).collect::<Vec<_>>().join("\n")
}

fn group<'a>(
    input: &'a Input,
    diagnostic: &'a Diagnostic,
    severity: Severity,
    place: Option<(&Span, &Lines<'_>)>,
) -> Group<'a> {
    let level = match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(printable(&diagnostic.sentence())).id(diagnostic.code);
    let group = match place {
        Some((span, lines)) => {
            let source = input.source(span.layer);
            let group = title.element(snippet(source, lines, span, AnnotationKind::Primary, None));
            match &diagnostic.first {
                Some(first) => {
                    group.element(snippet(source, lines, first, AnnotationKind::Context, Some("first here")))
                }
                None => group,
            }
        }
        None => title.element(Origin::path(printable(&input.manifest.name))),
    };
    match &diagnostic.hint {
        Some(hint) => group.element(Level::HELP.with_name("hint").message(printable(hint))),
        None => group,
    }
}

/// Shows the lines in question only: the renderer walks all that it is given.
fn snippet<'a>(
    source: &Source,
    lines: &Lines<'_>,
    span: &Span,
    kind: AnnotationKind,
    label: Option<&'a str>,
) -> Snippet<'a, Annotation<'a>> {
    let range = lines.snap(&span.range);
    let (window, first) = lines.around(&range);
    let (before, after) = (window.start..range.start, range.end..window.end);
    let [before, marked, after] = [before, range, after].map(|range| printable(&source.text[range]));
    let within = before.len()..before.len() + marked.len();
    Snippet::source(format!("{before}{marked}{after}"))
        .line_start(first)
        .path(printable(&source.name))
        .annotation(kind.span(within).label(label))
}

/// Replaces the control characters that the renderer lets through: those above ASCII.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && !c.is_ascii() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(text: &str) -> Input {
        Input::new(Source { name: "m.toml".into(), text: text.into() })
    }

    fn shown(text: &str, range: std::ops::Range<usize>) -> String {
        let diagnostic = Diagnostic::new("wrong", "k", "it is wrong").at(Span { layer: Layer::Base, range });
        human(&input(text), &[diagnostic], Severity::Error, Colour(false))
    }

    #[test]
    fn the_caret_stands_below_the_value_after_tabs_and_wide_characters_too() {
        let expected = "error[wrong]: it is wrong\n --> m.toml:2:6\n  |\n2 |     k = \"日本\", 5\n  |         ^^^^^^\n";
        assert_eq!(shown("[a]\n\tk = \"日本\", 5\n", 9..17), expected);
    }

    #[test]
    fn nothing_that_steers_a_terminal_gets_through() {
        let text = "k = \"\u{1b}[31m\u{202e}\u{7}\u{9b}\u{2066}\"\n";
        for range in [4..5, 4..text.len() - 1, 6..7, text.len()..text.len()] {
            let shown = shown(text, range);
            let steers = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
            assert!(!shown.contains(steers) && !shown.contains('\u{2066}'), "{shown:?}");
        }
    }

    #[test]
    fn long_lines_are_cut_around_the_caret() {
        let text = format!("k = \"{}\" # {}\n", "x".repeat(5000), "é".repeat(5000));
        for range in [4..5006, 5010..5013, 5011..5011] {
            let shown = shown(&text, range);
            assert!(shown.lines().all(|line| line.chars().count() <= 160) && shown.contains('^'), "{shown}");
        }
    }

    #[test]
    fn every_range_is_shown_without_a_panic() {
        let text = "é\r\n\n[ß]\n\u{0}k = '''\n\n\u{200b}\u{1f469}\u{200d}\u{1f467}''' \r\n\n";
        for start in 0..text.len() + 3 {
            for end in start..text.len() + 3 {
                assert!(shown(text, start..end).starts_with("error[wrong]: it is wrong\n --> m.toml:"));
            }
        }
    }

    #[test]
    fn whoever_made_very_many_mistakes_sees_the_first() {
        let many = vec![Diagnostic::new("wrong", "k", "it is wrong").hint("mend it"); 102];
        let shown = human(&input(""), &many, Severity::Error, Colour(false));
        assert!(shown.ends_with("\n\nerror: 2 more mistakes are not shown\n"), "{shown}");
        assert!(shown.starts_with("error[wrong]: it is wrong\n--> m.toml\n = hint: mend it\n"), "{shown}");
    }
}
