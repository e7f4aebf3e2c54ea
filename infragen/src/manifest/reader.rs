//! Reading a table strictly: every key has a type, a rule and a default; whatever is wrong is collected.
//!
//! [`section!`](crate::manifest::reader::section) defines a table once and derives its reader, its documentation and its
//! text form from the same lines. Knows no key by name.

use std::cell::RefCell;

use super::tree::{Node, Raw, Table, shorten};
use crate::diagnostic::{Diagnostic, Span};

/// Why a value is not what its key needs. The reader adds the key and the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind of mistake it is: see [`Diagnostic::code`].
    pub code: &'static str,
    /// Which part of the value, for instance `[1]`; empty for the whole.
    pub part: String,
    /// The value found and the rule it breaks: "is `5`: it has no unit".
    pub says: String,
    /// The next action.
    pub hint: Option<String>,
    /// Where that part is, where it is not the whole value.
    pub span: Option<Span>,
}

impl Problem {
    /// Makes a problem of the whole value: what is wrong with it, after its key.
    #[must_use]
    pub fn new(code: &'static str, says: impl Into<String>) -> Self {
        Self { code, part: String::new(), says: says.into(), hint: None, span: None }
    }

    /// Makes a problem of a text that breaks a rule; `malformed` unless [`Problem::code`] says otherwise.
    #[must_use]
    pub fn text(found: &str, rule: &str) -> Self {
        Self::new("malformed", format!("is `{}`: {rule}", shorten(found)))
    }

    /// Makes a problem of a key that its author chose: one of a table whose keys are free.
    #[must_use]
    pub fn map_key(key: &str, node: &Node, rule: &str) -> Self {
        let problem = Self::new("malformed", format!("has the key `{}`: {rule}", shorten(key)));
        problem.at(String::new(), node.key_span.clone())
    }

    /// Says that it is about the value of such a key.
    #[must_use]
    pub fn of_map_value(self, key: &str, node: &Node) -> Self {
        self.at(format!(".{}", shorten(key)), node.span.clone())
    }

    /// Makes a problem of a value of the wrong type.
    #[must_use]
    pub fn kind(node: &Node, wanted: &str) -> Self {
        Self::new("wrong-type", format!("is {}: it must be {wanted}", node.value.describe()))
    }

    /// Says what kind of mistake it is.
    #[must_use]
    pub fn code(self, code: &'static str) -> Self {
        Self { code, ..self }
    }

    /// Adds the next action.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says that it is about one part of the value.
    #[must_use]
    pub fn at(mut self, part: String, span: Span) -> Self {
        self.part = part;
        self.span = Some(span);
        self
    }

    /// Says that it is about the whole of a node.
    #[must_use]
    pub fn here(self, node: &Node) -> Self {
        self.at(String::new(), node.span.clone())
    }

    /// Says that it is in a part of the value.
    #[must_use]
    pub fn within(mut self, part: &str) -> Self {
        self.part.insert_str(0, part);
        self
    }
}

/// A type that can be the value of a key.
pub trait ManifestValue: Sized {
    /// Reads the value.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    fn read(node: &Node) -> Result<Self, Vec<Problem>>;
    /// Returns the rule: type, unit and range.
    fn rule() -> String;
    /// Writes the value so that [`ManifestValue::read`] gives it back; none where the key would be left out.
    fn write(&self) -> Option<toml::Value>;
    /// Returns what a JSON Schema (draft-07) says of the value.
    fn schema() -> serde_json::Value;
    /// Returns valid values that differ, the likeliest first: for readers, and to find out what a key reaches.
    fn examples() -> Vec<toml::Value>;
}

/// What the documentation says of one key.
#[derive(Clone, Debug)]
pub struct KeyDoc {
    /// Dotted path.
    pub path: String,
    /// What it means.
    pub doc: &'static str,
    /// Type, unit and range.
    pub rule: String,
    /// Value where nothing is set; none where the key may be left out.
    pub default: Option<toml::Value>,
    /// What a JSON Schema says of the value, without description and default.
    pub schema: serde_json::Value,
    /// Valid values.
    pub examples: Vec<toml::Value>,
    /// Returns what is wrong with a value.
    pub check: fn(&Node) -> Vec<Problem>,
}

/// What the documentation says of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionDoc {
    /// Dotted path; empty for the manifest.
    pub path: String,
    /// What it is about.
    pub doc: &'static str,
}

/// A table of the manifest, defined by [`section!`](crate::manifest::reader::section).
pub trait Section: Sized {
    /// Reads the table; whatever is wrong goes to the reader's log, and its default is taken so that reading goes on.
    fn read(reader: &Reader<'_>) -> Self;
    /// Describes its keys, in the order of definition.
    fn docs(path: &str) -> Vec<KeyDoc>;
    /// Describes the tables below it, in the order of definition.
    fn sections(path: &str) -> Vec<SectionDoc>;
    /// Writes the table with every default filled in.
    fn show(&self) -> toml::Table;
}

/// One table being read.
#[derive(Debug)]
pub struct Reader<'a> {
    path: String,
    table: Option<&'a Table>,
    log: &'a RefCell<Vec<Diagnostic>>,
}

/// Unknown keys that are collected: whoever feeds something else than a manifest need not wait for all of them.
const LOGGED_MAX: usize = 1000;

/// Joins a path and a key.
#[must_use]
pub fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

impl<'a> Reader<'a> {
    /// Starts at the root.
    #[must_use]
    pub fn new(table: &'a Table, log: &'a RefCell<Vec<Diagnostic>>) -> Self {
        Self { path: String::new(), table: Some(table), log }
    }

    /// Reads one key; absent or wrong, it is the default.
    pub fn value<T: ManifestValue>(&self, key: &str, default: impl FnOnce() -> T) -> T {
        let Some(node) = self.table.and_then(|table| table.get(key)) else {
            return default();
        };
        match T::read(node) {
            Ok(value) => value,
            Err(problems) => {
                let path = join(&self.path, key);
                for problem in problems {
                    let message = format!("`{path}{}` {}", problem.part, problem.says);
                    let span = problem.span.unwrap_or_else(|| node.span.clone());
                    let diagnostic = Diagnostic::new(problem.code, path.clone(), message).at(span);
                    self.log.borrow_mut().push(Diagnostic { hint: problem.hint, ..diagnostic });
                }
                default()
            }
        }
    }

    /// Enters a table inside this one; absent, it is empty.
    #[must_use]
    pub fn section(&self, key: &str) -> Self {
        let path = join(&self.path, key);
        let table = match self.table.and_then(|table| table.get(key)) {
            None => None,
            Some(Node { value: Raw::Table(inner), .. }) => Some(inner),
            Some(node) => {
                let message = format!("`{path}` is {}: it must be a table", node.value.describe());
                let hint = format!("write its keys below a line `[{path}]`");
                let diagnostic = Diagnostic::new("wrong-type", path.clone(), message);
                self.log.borrow_mut().push(diagnostic.hint(hint).at(node.span.clone()));
                None
            }
        };
        Self { path, table, log: self.log }
    }

    /// Reports every key that is none of `known`.
    pub fn refuse_unknown(&self, known: &[&str]) {
        for (key, node) in self.table.into_iter().flatten() {
            if known.contains(&key.as_str()) {
                continue;
            }
            let place = if self.path.is_empty() { "the manifest".to_owned() } else { format!("`[{}]`", self.path) };
            if self.log.borrow().len() >= LOGGED_MAX {
                return;
            }
            let message = format!("`{}` is not a key of {place}", shorten(&join(&self.path, key)));
            let diagnostic = Diagnostic::new("unknown-key", join(&self.path, key), message);
            self.log.borrow_mut().push(diagnostic.hint(suggest(key, known)).at(node.key_span.clone()));
        }
    }
}

/// Returns "did you mean" for the nearest known word, or all known words where none is near.
#[must_use]
pub fn suggest(word: &str, known: &[&str]) -> String {
    match near(word, known) {
        Some(nearest) => format!("did you mean `{nearest}`"),
        None => format!("use one of {}", known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")),
    }
}

/// Returns the known word that is written most like `word`, where one is near.
#[must_use]
pub fn near<'w>(word: &str, known: &[&'w str]) -> Option<&'w str> {
    const NEAR: f64 = 0.75;
    alike(word, known, NEAR)
}

/// Returns the known word that is written most like `word`, where it is alike enough: 1 is the same.
#[must_use]
pub fn alike<'w>(word: &str, known: &[&'w str], enough: f64) -> Option<&'w str> {
    /// No known word is half as long; comparing takes time by length.
    const COMPARED_BYTES_MAX: usize = 64;
    if word.len() > COMPARED_BYTES_MAX {
        return None;
    }
    let scored = known.iter().map(|candidate| (*candidate, strsim::jaro_winkler(word, candidate)));
    let (nearest, score) = scored.max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    (score >= enough).then_some(nearest)
}

/// Defines a table: struct, strict reader, documentation and text form come from the same lines.
macro_rules! section {
    (
        $(#[$doc:meta])*
        pub struct $name:ident {
            $( #[doc = $fdoc:literal] $key:literal => $field:ident : $ty:ty = $default:expr; )*
            $( ..#[doc = $ndoc:literal] $nkey:literal => $nested:ident : $nty:ty; )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $( #[doc = $fdoc] pub $field: $ty, )*
            $( #[doc = $ndoc] pub $nested: $nty, )*
        }

        impl $crate::manifest::reader::Section for $name {
            fn read(reader: &$crate::manifest::reader::Reader<'_>) -> Self {
                let section = Self {
                    $( $field: reader.value::<$ty>($key, || $default), )*
                    $( $nested: <$nty as $crate::manifest::reader::Section>::read(&reader.section($nkey)), )*
                };
                reader.refuse_unknown(&[$($key,)* $($nkey,)*]);
                section
            }

            fn docs(path: &str) -> Vec<$crate::manifest::reader::KeyDoc> {
                use $crate::manifest::reader as r;
                let own: Vec<r::KeyDoc> = vec![ $( r::KeyDoc {
                    path: r::join(path, $key),
                    doc: $fdoc.trim_ascii(),
                    rule: <$ty as r::ManifestValue>::rule(),
                    default: { let default: $ty = $default; r::ManifestValue::write(&default) },
                    schema: <$ty as r::ManifestValue>::schema(),
                    examples: <$ty as r::ManifestValue>::examples(),
                    check: |node| <$ty as r::ManifestValue>::read(node).err().unwrap_or_default(),
                }, )* ];
                let nested: Vec<Vec<r::KeyDoc>> = vec![ $( <$nty as r::Section>::docs(&r::join(path, $nkey)), )* ];
                own.into_iter().chain(nested.into_iter().flatten()).collect()
            }

            fn sections(path: &str) -> Vec<$crate::manifest::reader::SectionDoc> {
                use $crate::manifest::reader as r;
                let _leaf = path;
                let nested: Vec<Vec<r::SectionDoc>> = vec![ $( {
                    let path = r::join(path, $nkey);
                    let below = <$nty as r::Section>::sections(&path);
                    std::iter::once(r::SectionDoc { path, doc: $ndoc.trim_ascii() }).chain(below).collect()
                }, )* ];
                nested.into_iter().flatten().collect()
            }

            fn show(&self) -> toml::Table {
                let mut table = toml::Table::new();
                $( if let Some(value) = $crate::manifest::reader::ManifestValue::write(&self.$field) {
                    table.insert($key.to_owned(), value);
                } )*
                $( table.insert(
                    $nkey.to_owned(),
                    toml::Value::Table($crate::manifest::reader::Section::show(&self.$nested)),
                ); )*
                table
            }
        }
    };
}
pub(crate) use section;
