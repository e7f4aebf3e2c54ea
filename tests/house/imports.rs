//! Which file of a crate uses which other one, read from the sources.
//!
//! A file uses another one where it names something that is defined there: in a `use`, or by a path in its code or in a macro.
//! Two things are no use: `mod x;`, because it only says that a file is there, and `pub use x::Y;`, because it only says where
//! else `Y` is found. What names `Y` there uses the file that defines it, not the one that passes it on. So a `mod.rs` that only
//! declares and passes on uses nothing; one that has items of its own, which its files use, must not use these files. Tests are
//! left out: they may look at what they test from anywhere. Modules are files here: `mod x { … }` belongs to its file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Path of a module from the crate's root; empty for the root.
type Module = Vec<String>;

/// One file, as far as it matters here.
#[derive(Debug, Default)]
struct File {
    /// Where it is, from the crate's `src`.
    name: String,
    /// Modules that it declares in files of their own.
    children: BTreeSet<String>,
    /// Names that it takes from elsewhere, by the path that they have there.
    uses: BTreeMap<String, Vec<String>>,
    /// Names that it passes on, likewise.
    passes_on: BTreeMap<String, Vec<String>>,
    /// Modules whose names it passes on altogether.
    passes_all_on: Vec<Vec<String>>,
    /// Every path that it names, as it is written.
    paths: BTreeSet<Vec<String>>,
}

/// Names in a row that stand for each other: `use crate::a; use a::b; use b::c;` are three.
const ALIASES_MAX: usize = 8;

/// Files of a crate by their modules.
#[derive(Debug, Default)]
pub(super) struct Crate(BTreeMap<Module, File>);

/// What uses what, by the names of the files.
pub(super) type Uses = BTreeMap<String, BTreeSet<String>>;

impl Crate {
    /// Reads what `lib.rs` in this folder declares, and so on.
    pub(super) fn read(src: &Path) -> Self {
        Self::of(|name| std::fs::read_to_string(src.join(name)).ok())
    }

    /// The same of any source of files.
    pub(super) fn of(text: impl Fn(&str) -> Option<String>) -> Self {
        let mut files = BTreeMap::new();
        let mut open = vec![Module::new()];
        while let Some(module) = open.pop() {
            let found = file_names(&module).into_iter().find_map(|name| Some((text(&name)?, name)));
            let (source, name) =
                found.unwrap_or_else(|| panic!("there is no file of the module `{}`", module.join("::")));
            let tokens = source.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
            let mut file = File { name, ..File::default() };
            file.read(tokens);
            open.extend(file.children.iter().map(|child| [&module[..], std::slice::from_ref(child)].concat()));
            files.insert(module, file);
        }
        Self(files)
    }

    /// Which file uses which.
    pub(super) fn uses(&self) -> Uses {
        let mut all = Uses::new();
        for (module, file) in &self.0 {
            let found: BTreeSet<String> = file
                .paths
                .iter()
                .filter_map(|path| self.file_of(module, path))
                .filter(|name| *name != file.name)
                .collect();
            all.insert(file.name.clone(), found);
        }
        all
    }

    /// The file that defines what a path in `module` names; none where it is another crate's.
    fn file_of(&self, module: &Module, path: &[String]) -> Option<String> {
        let absolute = self.absolute(module, path, 0)?;
        self.definition(&absolute, &mut BTreeSet::new())
    }

    /// A path from the crate's root; `aliases` is how many names taken from elsewhere were gone through to come here.
    fn absolute(&self, module: &Module, path: &[String], aliases: usize) -> Option<Vec<String>> {
        let file = self.0.get(module).filter(|_| aliases < ALIASES_MAX)?;
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([module, rest].concat()),
            "super" => {
                let above = module.split_last()?.1.to_vec();
                match rest.first().map(String::as_str) {
                    Some("super") => self.absolute(&above, rest, aliases),
                    _ => Some([&above, rest].concat()),
                }
            }
            child if file.children.contains(child) => Some([module, path].concat()),
            name => match file.uses.get(name) {
                Some(from) => Some([self.absolute(module, from, aliases + 1)?, rest.to_vec()].concat()),
                None => None,
            },
        }
    }

    fn definition(&self, absolute: &[String], seen: &mut BTreeSet<Vec<String>>) -> Option<String> {
        if !seen.insert(absolute.to_vec()) {
            return None;
        }
        let depth = (0..=absolute.len()).rev().find(|depth| self.0.contains_key(&absolute[..*depth]))?;
        let (module, rest) = (absolute[..depth].to_vec(), &absolute[depth..]);
        let file = &self.0[&module];
        let Some((name, below)) = rest.split_first() else { return Some(file.name.clone()) };
        // What a parent has taken for itself is there for its children too.
        let from = file.passes_on.get(name).or_else(|| file.uses.get(name));
        if let Some(from) = from.and_then(|from| self.absolute(&module, from, 0)) {
            return self.definition(&[from, below.to_vec()].concat(), seen);
        }
        // Whatever is in a module that is passed on altogether is taken to come from there, unless it is here.
        let elsewhere = file.passes_all_on.iter().find_map(|from| {
            let path = [self.absolute(&module, from, 0)?, rest.to_vec()].concat();
            self.definition(&path, seen)
        });
        elsewhere.or_else(|| Some(file.name.clone()))
    }
}

fn file_names(module: &Module) -> Vec<String> {
    let path: PathBuf = module.iter().collect();
    let path = path.to_str().expect("modules are words").to_owned();
    if module.is_empty() { vec!["lib.rs".into()] } else { vec![format!("{path}.rs"), format!("{path}/mod.rs")] }
}

/// Attributes and words before an item.
#[derive(Debug, Default)]
struct Ahead {
    is_test: bool,
    is_public: bool,
}

impl File {
    fn read(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut ahead = Ahead::default();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                TokenTree::Punct(mark) if mark.as_char() == '#' => {
                    let attribute = tokens.get(at).map(ToString::to_string).unwrap_or_default();
                    ahead.is_test |= is_for_tests(&attribute);
                    at += 1;
                }
                TokenTree::Ident(word) if word == "pub" => ahead.is_public = true,
                TokenTree::Group(group) if ahead.is_public && group.delimiter() == Delimiter::Parenthesis => {}
                TokenTree::Ident(word) if word == "mod" && is_declaration(&tokens, at) => {
                    if !ahead.is_test {
                        self.children.insert(tokens[at].to_string());
                    }
                    (at, ahead) = (at + 2, Ahead::default());
                }
                TokenTree::Ident(word) if word == "use" => {
                    let end = item_end(&tokens, at);
                    if !ahead.is_test {
                        self.read_use(&tokens[at..end], ahead.is_public);
                    }
                    (at, ahead) = (end + 1, Ahead::default());
                }
                _ if ahead.is_test => (at, ahead) = (item_end(&tokens, at - 1) + 1, Ahead::default()),
                TokenTree::Group(group) => {
                    ahead = Ahead::default();
                    self.read(group.stream());
                }
                TokenTree::Ident(_) => {
                    ahead.is_public = false;
                    let (path, next) = path_at(&tokens, at - 1);
                    if path.len() > 1 {
                        self.paths.insert(path);
                    }
                    at = next;
                }
                _ => ahead = Ahead::default(),
            }
        }
    }

    fn read_use(&mut self, tokens: &[TokenTree], is_public: bool) {
        let mut found = Vec::new();
        use_tree(tokens, &[], &mut found);
        for (name, path) in found {
            match (is_public, name.as_str()) {
                (true, "*") => self.passes_all_on.push(path),
                (true, _) => drop(self.passes_on.insert(name, path)),
                (false, _) => {
                    self.paths.insert(path.clone());
                    self.uses.insert(name, path);
                }
            }
        }
    }
}

/// Whether an attribute is `[cfg(test)]`, or more than that.
fn is_for_tests(attribute: &str) -> bool {
    let words: Vec<&str> =
        attribute.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()).collect();
    words.first() == Some(&"cfg") && words.contains(&"test") && !words.contains(&"not")
}

/// Whether `mod NAME;` is here, behind `mod`.
fn is_declaration(tokens: &[TokenTree], at: usize) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Ident(_))) && is_mark(tokens.get(at + 1), ';')
}

fn is_mark(token: Option<&TokenTree>, mark: char) -> bool {
    matches!(token, Some(TokenTree::Punct(found)) if found.as_char() == mark)
}

/// Where an item ends: at its `;`, or with its braces.
fn item_end(tokens: &[TokenTree], from: usize) -> usize {
    let is_end = |token: &TokenTree| match token {
        TokenTree::Punct(mark) => mark.as_char() == ';',
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        _ => false,
    };
    let is_use = matches!(from.checked_sub(1).and_then(|before| tokens.get(before)), Some(TokenTree::Ident(word)) if word == "use");
    let ends = |at: &usize| if is_use { is_mark(tokens.get(*at), ';') } else { is_end(&tokens[*at]) };
    (from..tokens.len()).find(ends).unwrap_or(tokens.len())
}

/// The path that begins here, without `$` before `crate`, and where it ends.
fn path_at(tokens: &[TokenTree], from: usize) -> (Vec<String>, usize) {
    let mut path = vec![tokens[from].to_string()];
    let mut at = from + 1;
    while is_mark(tokens.get(at), ':') && is_mark(tokens.get(at + 1), ':') {
        let Some(TokenTree::Ident(word)) = tokens.get(at + 2) else { break };
        path.push(word.to_string());
        at += 3;
    }
    (path, at)
}

/// Every name that a `use` brings, with its path.
fn use_tree(tokens: &[TokenTree], before: &[String], found: &mut Vec<(String, Vec<String>)>) {
    let is_comma = |token: &TokenTree| is_mark(Some(token), ',');
    for branch in tokens.split(is_comma).filter(|branch| !branch.is_empty()) {
        let mut path = before.to_vec();
        let mut name = None;
        let mut words = branch.iter();
        while let Some(token) = words.next() {
            match token {
                TokenTree::Ident(word) if word == "as" => name = words.next().map(ToString::to_string),
                TokenTree::Ident(word) => path.push(word.to_string()),
                TokenTree::Punct(mark) if mark.as_char() == '*' => name = Some("*".to_owned()),
                TokenTree::Group(group) => {
                    use_tree(&group.stream().into_iter().collect::<Vec<_>>(), &path, found);
                    path.clear();
                }
                _ => {}
            }
        }
        // `use a::{self}` is `use a`.
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        if let Some(last) = path.last().cloned() {
            found.push((name.unwrap_or(last), path));
        }
    }
}
