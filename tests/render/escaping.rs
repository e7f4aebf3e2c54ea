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

/// Every text in maps and in what functions make of them.
fn texts(expression: &Expression) -> Vec<&str> {
    match expression {
        Expression::Object(object) => object.iter().flat_map(|(_, value)| texts(value.expr())).collect(),
        Expression::FuncCall(call) => call.args.iter().flat_map(texts).collect(),
        other => other.as_str().into_iter().collect(),
    }
}

/// Names of attributes are text as well, and may be whatever DynamoDB takes.
#[test]
fn what_attributes_are_called_reads_back_too() {
    let (key, time, label) = ("${file(\"/etc/hostname\")}", "a \"b\" \\ %{ if true }", "${\u{202e}} # \u{2028}");
    for create in ["", "[tables.items]\nname = \"there\"\ncreate = false\n"] {
        let quoted = |text: &str| toml::Value::from(text).to_string();
        let project = Project::new(&format!(
            "{create}[data.attributes]\nkey = {}\ntime = {}\nlabel = {}\nscore = \"Margin (%{{x}})\"\n",
            quoted(key),
            quoted(time),
            quoted(label)
        ));
        project.run(&["render"]).done();
        let text = project.read("generated/terraform/tables.tf");
        let tables = parse(&project, "generated/terraform/tables.tf");
        if create.is_empty() {
            let table = tables.get_blocks("resource").next().unwrap();
            let of = |body: &Body, name: &str| literal(&body.get_attribute(name).unwrap().value).to_owned();
            assert_eq!(
                (of(&table.body, "hash_key"), of(&table.body, "range_key")),
                (key.into(), time.into()),
                "{text}"
            );
            let index = blocks(&table.body, "global_secondary_index");
            assert_eq!(
                (of(&index.body, "hash_key"), of(&index.body, "range_key")),
                (label.into(), time.into()),
                "{text}"
            );
        } else {
            let table = tables.get_blocks("data").next().unwrap();
            let lifecycle = blocks(&table.body, "lifecycle");
            let messages: Vec<&str> = lifecycle
                .body
                .get_blocks("postcondition")
                .map(|block| literal(&block.body.get_attribute("error_message").unwrap().value))
                .collect();
            assert!(messages[0].contains(&format!("the hash key `{key}` and the range key `{time}`")), "{messages:?}");
            assert!(
                messages[1].contains(&format!("the hash key `{label}` and the range key `{time}`")),
                "{messages:?}"
            );
        }
        for path in ["stream", "dashboard"] {
            let function = parse(&project, &format!("generated/terraform/{path}.tf"));
            let environment = &blocks(&function, "module").body.get_attribute("environment").unwrap().value;
            let found = texts(environment);
            for name in [key, time, label] {
                assert!(found.contains(&name), "{path}: {found:?}");
            }
        }
    }
}
