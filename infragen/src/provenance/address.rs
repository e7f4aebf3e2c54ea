//! Lines of rendered HCL → addresses as Terraform names them, and what a block refers to.

use std::collections::BTreeSet;
use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::structure::{Body, Structure};

use crate::diagnostic::Lines;

/// A block of the top level, or one attribute of a `locals` block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Its address inside its module: `aws_lambda_function.this`, `module.stream`, `output.stream_url`, `local.name`.
    pub(super) address: String,
    /// Its lines, from 1, the end exclusive.
    pub(super) lines: Range<usize>,
    /// Its own arguments and blocks, each with its lines.
    pub(super) arguments: Vec<(String, Range<usize>)>,
}

impl Block {
    /// Returns the argument that a line is in.
    #[must_use]
    pub(super) fn argument_at(&self, line: usize) -> Option<&str> {
        self.arguments.iter().find(|(_, lines)| lines.contains(&line)).map(|(name, _)| name.as_str())
    }
}

/// The blocks of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Blocks(Vec<Block>);

impl Blocks {
    /// Finds the blocks; none where the text is no HCL.
    #[must_use]
    pub(super) fn new(text: &str) -> Self {
        let Ok(body) = hcl_edit::parser::parse_body(text) else {
            return Self::default();
        };
        let lines = Lines::new(text);
        let mut blocks = Vec::new();
        collect(&body, &lines, &mut blocks);
        Self(blocks)
    }

    /// The blocks, in the order of the file.
    #[must_use]
    pub(super) fn as_slice(&self) -> &[Block] {
        &self.0
    }

    /// Returns the block that a line is in.
    #[must_use]
    pub(super) fn at(&self, line: usize) -> Option<&Block> {
        self.0.iter().find(|block| block.lines.contains(&line))
    }
}

fn collect(body: &Body, lines: &Lines<'_>, blocks: &mut Vec<Block>) {
    for structure in body.iter() {
        let Structure::Block(block) = structure else { continue };
        let labels: Vec<&str> = block.labels.iter().map(hcl_edit::structure::BlockLabel::as_str).collect();
        let address = match (block.ident.as_str(), labels.as_slice()) {
            ("resource", [kind, name]) => format!("{kind}.{name}"),
            ("variable", [name]) => format!("var.{name}"),
            ("locals", []) => {
                for attribute in block.body.attributes() {
                    let address = format!("local.{}", attribute.key.as_str());
                    let found = range(attribute.span(), lines);
                    blocks.extend(found.map(|lines| Block { address, lines, arguments: Vec::new() }));
                }
                continue;
            }
            (word, labels) => [&[word], labels].concat().join("."),
        };
        let argument = |structure: &Structure| {
            let (name, span) = match structure {
                Structure::Attribute(attribute) => (attribute.key.as_str(), attribute.span()),
                Structure::Block(block) => (block.ident.as_str(), block.span()),
            };
            Some((name.to_owned(), range(span, lines)?))
        };
        let arguments = block.body.iter().filter_map(argument).collect();
        blocks.extend(range(block.span(), lines).map(|lines| Block { address, lines, arguments }));
    }
}

fn range(span: Option<Range<usize>>, lines: &Lines<'_>) -> Option<Range<usize>> {
    let span = span?;
    Some(lines.position(span.start).0..lines.position(span.end.saturating_sub(1)).0 + 1)
}

/// Returns which of `addresses` a piece of HCL refers to.
#[must_use]
pub(super) fn references<'a>(text: &str, addresses: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let refers = |address: &&str| {
        text.match_indices(*address).any(|(at, _)| {
            let (before, after) = (&text[..at], &text[at + address.len()..]);
            !before.ends_with(|c| is_part(c) || c == '.') && !after.starts_with(is_part)
        })
    };
    addresses.filter(refers).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "terraform {\n}\n\nresource \"a_b\" \"this\" {\n  x = var.y\n}\n\nlocals {\n  one = 1\n  two = [\n    2,\n  ]\n}\n\
                        data \"a_b\" \"c\" {\n}\nmodule \"m\" {\n}\nvariable \"v\" {\n}\noutput \"o\" {\n}\n";

    #[test]
    fn blocks_have_the_addresses_that_terraform_gives_them() {
        let found: Vec<(String, Range<usize>)> =
            Blocks::new(TEXT).0.into_iter().map(|block| (block.address, block.lines)).collect();
        let expected = [
            ("terraform", 1..3),
            ("a_b.this", 4..7),
            ("local.one", 9..10),
            ("local.two", 10..13),
            ("data.a_b.c", 14..16),
            ("module.m", 16..18),
            ("var.v", 18..20),
            ("output.o", 20..22),
        ];
        assert_eq!(found, expected.map(|(address, lines)| (address.to_owned(), lines)));
        assert_eq!(Blocks::new(TEXT).at(5).unwrap().address, "a_b.this");
        assert_eq!(Blocks::new(TEXT).at(8), None);
    }

    #[test]
    fn a_line_belongs_to_an_argument_of_its_block() {
        let blocks = Blocks::new("module \"m\" {\n  a = 1\n  b = {\n    X = 2\n  }\n  c {\n    d = 3\n  }\n}\n");
        let argument = |line| blocks.at(line).and_then(|block| block.argument_at(line));
        assert_eq!([1, 2, 4, 5, 7, 9].map(argument), [None, Some("a"), Some("b"), Some("b"), Some("c"), None]);
    }

    #[test]
    fn references_are_whole_words() {
        let text = "a = var.x_1 + local.y-z\nb = \"${var.x_1}\" # module.var.n myvar.q var.long_name";
        let addresses = ["var.x_1", "var.x", "local.y-z", "local.y", "var.n", "var.q", "var.long"];
        let found: Vec<String> = references(text, addresses.into_iter()).into_iter().collect();
        assert_eq!(found, ["local.y-z", "var.x_1"]);
    }
}
