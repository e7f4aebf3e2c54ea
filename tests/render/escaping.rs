//! Manifest text stays text: whatever it holds, HCL reads back the same literal and evaluates nothing.

use hcl_edit::expr::{Expression, ObjectKey};
use hcl_edit::structure::{Block, Body};
use proptest::prelude::*;

use super::Project;

/// Pieces that end strings, begin templates, comments or heredocs, or are hard to print.
const PIECES: [&str; 26] = [
    "\"", "\\", "${", "%{", "$", "%", "{", "}", "$${", "%%{", "\n", "\r", "\t", "\0", "\u{7f}", "\u{85}", "\u{2028}",
    "\u{202e}", "\u{feff}", "🎉", "é", "e\u{301}", "<<EOT", "# ", "*/", "u0041",
];

fn text(pieces_max: usize) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => prop::sample::select(&PIECES[..]).prop_map(str::to_owned),
        1 => "[a-z ]{1,3}",
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 1..pieces_max).prop_map(|pieces| pieces.concat())
}

fn parse(project: &Project, path: &str) -> Body {
    hcl_edit::parser::parse_body(&project.read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn blocks<'b>(body: &'b Body, name: &'b str) -> &'b Block {
    body.get_blocks(name).next().unwrap_or_else(|| panic!("no block `{name}`"))
}

/// Returns a plain string; a template with anything to evaluate in it is none.
fn literal(expression: &Expression) -> &str {
    expression.as_str().unwrap_or_else(|| panic!("not a literal: {expression:?}"))
}

fn key(key: &ObjectKey) -> &str {
    match key {
        ObjectKey::Ident(name) => name.as_str(),
        ObjectKey::Expression(expression) => literal(expression),
    }
}

fn check(description: &str, tag_key: &str, tag_value: &str) {
    let mut manifest = toml::Table::new();
    let tags = toml::Table::from_iter([(tag_key.to_owned(), toml::Value::from(tag_value))]);
    let project = toml::Table::from_iter([
        ("description".to_owned(), toml::Value::from(description)),
        ("tags".to_owned(), toml::Value::from(tags)),
    ]);
    manifest.insert("project".to_owned(), project.into());
    let project = Project::new(&toml::to_string(&manifest).unwrap());
    project.run(&["render"]).done();

    let stream = parse(&project, "generated/terraform/stream.tf");
    let found = &blocks(&stream, "module").body.get_attribute("description").unwrap().value;
    assert_eq!(literal(found), description);

    let providers = parse(&project, "generated/terraform/providers.tf");
    let tags = &blocks(&blocks(&providers, "provider").body, "default_tags").body.get_attribute("tags").unwrap().value;
    let Expression::Object(tags) = tags else { panic!("tags are an object") };
    let found: Vec<(&str, &str)> = tags.iter().map(|(name, value)| (key(name), literal(value.expr()))).collect();
    assert!(found.contains(&(tag_key, tag_value)), "{found:?} lacks {tag_key:?} = {tag_value:?}");
    assert_eq!(found.len(), 4, "{found:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn text_reads_back_as_the_same_literal(description in text(24), tag_key in text(8), tag_value in text(16)) {
        prop_assume!(!["project", "environment", "managed-by"].contains(&tag_key.as_str()));
        check(&description, &tag_key, &tag_value);
    }
}

#[test]
fn each_dangerous_piece_alone_and_twice_reads_back() {
    for piece in PIECES {
        check(piece, &piece.repeat(2), &format!("{piece}{{{piece}"));
    }
}
