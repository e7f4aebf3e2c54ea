//! What is wrong with a manifest and where: collected, never thrown. Knows how it reads, not where it is printed.

mod human;
mod json;
mod lines;

use std::ops::Range;

use crate::logo::Logos;

pub use human::human;
pub use json::json;
pub use lines::Lines;

/// A text with the name it is shown under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Path as the caller gave it.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// Everything that a person typed: the manifest, and what the command line lays over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The manifest.
    pub manifest: Source,
    /// One source for each `--set`, in the order in which they apply.
    pub overrides: Vec<Source>,
    /// The pictures that the manifest names, as they lie beside it.
    pub logos: Logos,
}

impl Input {
    /// Makes an input of a manifest alone.
    #[must_use]
    pub fn new(manifest: Source) -> Self {
        Self { manifest, overrides: Vec::new(), logos: Logos::default() }
    }

    /// Returns the text that a layer was typed in.
    #[must_use]
    pub fn source(&self, layer: Layer) -> &Source {
        match layer {
            Layer::Base | Layer::Environment => &self.manifest,
            Layer::Set(index) => self.overrides.get(index).unwrap_or(&self.manifest),
        }
    }
}

/// Which layer of the merged manifest a value was typed in; later ones win.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// The manifest, outside of `[env]`.
    #[default]
    Base,
    /// `[env.NAME]` of the manifest, for the environment in question.
    Environment,
    /// The command line's `--set` with this index.
    Set(usize),
}

/// Bytes of one of the texts that a manifest is merged from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Which text.
    pub layer: Layer,
    /// Which bytes of it.
    pub range: Range<usize>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Nothing is done before it is mended.
    Error,
    /// It is valid, and probably not meant.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of mistake it is: stable, for programs and for looking it up.
    pub code: &'static str,
    /// The key it is about, dotted; empty where the text is no TOML.
    pub key: String,
    /// Thing, value found and rule, in one sentence.
    pub message: String,
    /// The next action, where there is one that the message does not already say.
    pub hint: Option<String>,
    /// What it is about; none where the key is absent and its default is at fault.
    pub span: Option<Span>,
    /// Where the thing was first, where it is there twice.
    pub first: Option<Span>,
    /// The environment whose values are at fault; none for the base.
    pub environment: Option<String>,
}

impl Diagnostic {
    /// Makes a diagnostic without hint and place.
    #[must_use]
    pub fn new(code: &'static str, key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, key: key.into(), message: message.into(), hint: None, span: None, first: None, environment: None }
    }

    /// Adds the next action.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Adds the place.
    #[must_use]
    pub fn at(self, span: Span) -> Self {
        Self { span: Some(span), ..self }
    }

    fn sentence(&self) -> String {
        match &self.environment {
            Some(name) => format!("{} (in environment `{name}`)", self.message),
            None => self.message.clone(),
        }
    }

    /// What diagnostics are sorted by: the manifest's before the command line's, then by place.
    #[must_use]
    pub fn place(&self) -> (usize, usize, &str, &str) {
        let (layer, start) = match &self.span {
            Some(Span { layer: Layer::Base | Layer::Environment, range }) => (0, range.start),
            Some(Span { layer: Layer::Set(index), range }) => (index + 1, range.start),
            None => (0, usize::MAX),
        };
        (layer, start, &self.key, &self.message)
    }
}

/// Whether to use terminal colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub bool);

impl Colour {
    /// Returns `text` in this style, or as it is where colours are off.
    #[must_use]
    pub fn paint(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
