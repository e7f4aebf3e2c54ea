//! Every string of a manifest, one after the other, replaced with text that would do harm if it were printed as it is:
//! either the manifest is refused, or the same text comes out as a literal and everything else stays as it was.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use contract::page::escape_json_for_script;
use hcl_edit::expr::{Expression, Object, ObjectKey};
use hcl_edit::structure::Body;
use hcl_edit::visit_mut::{VisitMut, visit_expr_mut};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;

use super::{Project, fixture_names};

/// What ends strings, starts templates, comments, heredocs or scripts, or hides from a reader.
const TEXTS: [&str; 12] = [
    "a\"b",
    "a\\",
    "${path.module}",
    "%{ if true }x%{ endif }",
    "$${a}%%{b}",
    "a\nb = \"c\"",
    "*/ resource \"x\" \"y\" {}",
    "<<EOF\nx\nEOF\n",
    "</script><script>alert(1)</script>",
    "\u{2028}\u{2029}\u{85}",
    "👩‍👩‍👧 \u{202e}ö",
    "{{ region }}{% raw %}",
];
/// Keys whose text is anybody's own: all of these must be taken as they are, but for control characters.
const FREE: [&str; 5] =
    ["dashboard.environment.*", "data.status_ready", "project.description", "project.tags.*", "stream.environment.*"];

/// One string of a manifest: the way to it, and whether it is the name of the last step or its value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    path: Vec<String>,
    is_name: bool,
}

impl Place {
    /// Its key; a name that the manifest's author chose is `*`.
    fn key(&self) -> String {
        let mut path = self.path.clone();
        if path.len() == 3 && ["tags", "environment"].contains(&path[1].as_str()) {
            path[2] = "*".to_owned();
        }
        path.join(".")
    }
}

fn places(value: &toml::Value, path: &mut Vec<String>, found: &mut Vec<Place>) {
    match value {
        toml::Value::Table(table) => {
            for (name, value) in table {
                path.push(name.clone());
                if ["project.tags.", "stream.environment.", "dashboard.environment."]
                    .iter()
                    .any(|own| path.join(".").starts_with(own))
                {
                    found.push(Place { path: path.clone(), is_name: true });
                }
                places(value, path, found);
                path.pop();
            }
        }
        toml::Value::Array(items) if items.iter().any(toml::Value::is_str) => {
            found.push(Place { path: path.clone(), is_name: false });
        }
        toml::Value::String(_) => found.push(Place { path: path.clone(), is_name: false }),
        _ => {}
    }
}

/// Puts the text in its place: as the value, as the first of a list, or as the name of a value that stays.
fn put(manifest: &mut toml::Table, place: &Place, text: &str) {
    let (last, way) = place.path.split_last().expect("a place is somewhere");
    let mut table = manifest;
    for step in way {
        table = table.get_mut(step).and_then(toml::Value::as_table_mut).expect("the way was walked before");
    }
    let value = table.get_mut(last).expect("it was seen there");
    if place.is_name {
        let value = value.clone();
        table.remove(last);
        table.insert(text.to_owned(), value);
    } else if let toml::Value::Array(items) = value {
        items[0] = text.into();
    } else {
        *value = text.into();
    }
}

/// Blanks all literals and keys, and collects them: what is left is what Terraform would evaluate.
#[derive(Default)]
struct Literals(BTreeSet<String>);

impl VisitMut for Literals {
    fn visit_expr_mut(&mut self, expression: &mut Expression) {
        if let Some(text) = expression.as_str() {
            self.0.insert(text.to_owned());
            *expression = Expression::from("");
        } else {
            visit_expr_mut(self, expression);
        }
    }

    fn visit_object_mut(&mut self, object: &mut Object) {
        for (index, (key, mut value)) in std::mem::take(object).into_iter().enumerate() {
            if let ObjectKey::Expression(expression) = &key
                && let Some(text) = expression.as_str()
            {
                self.0.insert(text.to_owned());
            }
            self.visit_object_value_mut(&mut value);
            object.insert(ObjectKey::from(hcl_edit::Ident::new(format!("key{index}"))), value);
        }
    }
}

/// Everything Terraform would evaluate in a project's rendering, file by file, and all of its literals.
fn evaluated(project: &Project) -> (Vec<(String, String)>, BTreeSet<String>) {
    let mut literals = Literals::default();
    let mut rest = Vec::new();
    for (path, bytes) in project.files() {
        if Path::new(&path).extension().is_some_and(|extension| extension == "tf" || extension == "hcl") {
            let mut body: Body =
                String::from_utf8(bytes).unwrap().parse().unwrap_or_else(|error| panic!("{path}: {error}"));
            literals.visit_body_mut(&mut body);
            let text =
                body.to_string().lines().map(str::trim).filter(|line| !line.starts_with('#')).collect::<String>();
            rest.push((path, text.split_whitespace().collect::<String>().replace(",]", "]")));
        }
    }
    (rest, literals.0)
}

/// Manifests that together have every string there can be.
fn bases() -> Vec<(String, toml::Table)> {
    let own = "[project.tags]\nowner = \"somebody\"\n[stream.environment]\nEXTRA = \"value\"\n[dashboard.environment]\nEXTRA = \"value\"\n";
    let mut bases = vec![("own".to_owned(), own.to_owned())];
    for name in ["default"].into_iter().map(str::to_owned).chain(fixture_names("valid")) {
        if name != "hostile" {
            bases.push((name.clone(), Project::fixture(&name).run(&["show"]).done().stdout));
        }
    }
    bases.into_iter().map(|(name, text)| (name, toml::from_str(&text).unwrap())).collect()
}

#[test]
fn every_string_is_refused_or_comes_out_as_the_same_literal() {
    let (mut seen, mut taken) = (BTreeSet::new(), BTreeSet::new());
    let mut scripts = Vec::new();
    for (name, manifest) in bases() {
        let mut all = Vec::new();
        places(&toml::Value::from(manifest.clone()), &mut Vec::new(), &mut all);
        all.retain(|place| place.path[0] != "env" && seen.insert((place.key(), place.is_name)));
        if all.is_empty() {
            continue;
        }
        let base = Project::new(&toml::to_string(&manifest).unwrap());
        base.run(&["render"]).done();
        let (expected, _) = evaluated(&base);
        for place in all {
            let is_free = FREE.contains(&place.key().as_str());
            // Others have an alphabet of their own: four texts are enough to see that it is asked for.
            for text in TEXTS.iter().step_by(if is_free { 1 } else { 3 }) {
                let mut changed = manifest.clone();
                put(&mut changed, &place, text);
                let project = Project::new(&toml::to_string(&changed).unwrap());
                let run = project.run(&["render"]);
                if run.code == 1 {
                    let is_expected = !is_free || place.is_name || text.contains(char::is_control);
                    assert!(is_expected, "{name} {place:?} {text:?}: {run:?}");
                    assert_eq!(project.names(), ["deploy.toml"], "{name} {place:?} {text:?}");
                    continue;
                }
                run.done();
                let (found, literals) = evaluated(&project);
                assert_eq!(found, expected, "{name} {place:?} {text:?}");
                assert!(literals.iter().any(|literal| literal.contains(text)), "{name} {place:?} {text:?} is nowhere");
                taken.insert(place.key());
                scripts.push(project.read("frontend/config.js"));
            }
        }
    }
    assert!(seen.len() > 50, "{seen:?}");
    for key in FREE {
        assert!(taken.contains(key), "{key} in {taken:?}");
    }
    let configs = run_scripts(&scripts);
    for (script, config) in scripts.iter().zip(&configs) {
        let start = script.find("Object.freeze(").unwrap() + "Object.freeze(".len();
        let expected: Value = serde_json::from_str(script[start..].trim_end().strip_suffix(");").unwrap()).unwrap();
        assert_eq!(*config, expected);
    }
}

/// Runs each script in a browser's stead and returns what it left in `window.CONFIG`; one process for all.
fn run_scripts(scripts: &[String]) -> Vec<Value> {
    const PROGRAM: &str = "const vm = require('node:vm'), fs = require('node:fs');\
        const configs = JSON.parse(fs.readFileSync(0, 'utf8')).map((script) => {\
          const context = { window: {} }; vm.runInNewContext(script, context);\
          if (!Object.isFrozen(context.window.CONFIG)) throw new Error('not frozen: ' + script);\
          if (Object.keys(context).length !== 1) throw new Error('something else was set: ' + script);\
          return context.window.CONFIG; });\
        process.stdout.write(JSON.stringify(configs));";
    let mut node = Command::new("node");
    let mut node = node.args(["-e", PROGRAM]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let input = serde_json::to_vec(scripts).unwrap();
    node.stdin.take().unwrap().write_all(&input).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn any_value_survives_the_way_through_a_script() {
    // The same at every run: a failure can be looked at again.
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let piece = prop_oneof![
        prop::sample::select(&TEXTS[..]).prop_map(str::to_owned),
        ".{0,8}",
        any::<char>().prop_map(String::from)
    ];
    let strategy = prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat());
    let values: Vec<Value> = (0..400).map(|_| Value::from(strategy.new_tree(&mut runner).unwrap().current())).collect();
    let script = |value: &Value| {
        let json = escape_json_for_script(&serde_json::to_string(value).unwrap());
        assert!(!json.contains(['<', '\u{2028}', '\u{2029}']), "{json}");
        format!("window.CONFIG = Object.freeze({{value: {json}}});")
    };
    let scripts: Vec<String> = values.iter().map(script).collect();
    for (found, value) in run_scripts(&scripts).iter().zip(&values) {
        assert_eq!(&found["value"], value);
    }
}
