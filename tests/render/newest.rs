//! Everything that is rendered, held against the newest provider: which arguments and blocks a resource has there, which of them
//! it must be given. That provider cannot be run here, but an npm package carries its schema as types; see
//! `setup_provider_types` in tools/setup.sh.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use hcl_edit::structure::{Block, Body, Structure};

use super::{Project, fixture_names, workspace};
use crate::support::external::tool;

/// What Terraform itself adds to every resource.
const META: [&str; 6] = ["count", "depends_on", "for_each", "lifecycle", "provider", "provisioner"];

/// One argument or block of a resource, or of a block in it.
#[derive(Debug, PartialEq, Eq)]
struct Member {
    is_block: bool,
    is_required: bool,
    /// The interface that says what is in the block.
    inside: String,
}

/// Members of each interface of one resource.
#[derive(Debug)]
struct Types {
    root: String,
    interfaces: BTreeMap<String, BTreeMap<String, Member>>,
}

impl Types {
    /// Reads what the generator of such packages writes: an interface for each block, above each of its properties a comment
    /// that links to the provider's name of it, `#name`, and in whose first line a block is called one.
    fn parse(text: &str) -> Self {
        let (mut root, mut interfaces) = (String::new(), BTreeMap::new());
        let mut current: Option<(String, BTreeMap<String, Member>)> = None;
        let (mut name, mut is_block) = (String::new(), false);
        for line in text.lines() {
            let trimmed = line.trim();
            if let Some(rest) = line.strip_prefix("export interface ") {
                let interface = rest.split([' ', '{']).next().unwrap().to_owned();
                if rest.contains("extends cdktn.TerraformMetaArguments") {
                    root.clone_from(&interface);
                }
                current = Some((interface, BTreeMap::new()));
            } else if line == "}" {
                interfaces.extend(current.take());
            } else if trimmed == "/**" {
                (name, is_block) = (String::new(), false);
            } else if let Some(comment) = trimmed.strip_prefix("* ") {
                is_block |= comment.split_once(" block").is_some_and(|(head, tail)| tail.is_empty() && is_name(head));
                if let Some((_, rest)) = comment.split_once("Docs at Terraform Registry: {@link ")
                    && let Some((_, rest)) = rest.split_once('#')
                {
                    rest.split([' ', '}']).next().unwrap().clone_into(&mut name);
                }
            } else if let (Some(rest), Some((_, members))) = (trimmed.strip_prefix("readonly "), &mut current)
                && let Some((property, kind)) = rest.trim_end_matches(';').split_once(": ")
            {
                let inside = kind.split(['[', ' ']).next().unwrap().to_owned();
                let member = Member { is_block, is_required: !property.ends_with('?'), inside };
                assert!(!name.is_empty(), "no link above {line}");
                members.insert(std::mem::take(&mut name), member);
            }
        }
        assert!(!root.is_empty(), "no interface of a whole resource");
        Self { root, interfaces }
    }

    /// What a body has and must not, and has not and must.
    fn check(&self, interface: &str, body: &Body, is_whole: bool, place: &str, wrong: &mut BTreeSet<String>) -> Found {
        let (mut given, mut found) = (BTreeSet::new(), Found::default());
        // What nests without an end has no interface: the statement of a firewall's rule.
        if interface == "any" {
            return found;
        }
        let members = &self.interfaces[interface];
        for structure in body {
            let (name, content) = match structure {
                Structure::Attribute(attribute) => (attribute.key.as_str(), None),
                Structure::Block(block) => named(block),
            };
            if META.contains(&name) {
                continue;
            }
            given.insert(name);
            let here = format!("{place}.{name}");
            match (members.get(name), content) {
                (None, _) => {
                    wrong.insert(format!("{here} is unknown"));
                }
                (Some(member), None) if member.is_block => {
                    wrong.insert(format!("{here} is a block"));
                }
                // Terraform takes blocks for an argument that is a list of objects.
                (Some(member), Some(_)) if !member.is_block && !self.interfaces.contains_key(&member.inside) => {
                    wrong.insert(format!("{here} is an argument"));
                }
                (Some(_), None) => found.arguments += 1,
                (Some(member), Some(content)) => {
                    let inside = self.check(&member.inside, content, true, &here, wrong);
                    found.arguments += inside.arguments;
                    found.blocks += inside.blocks + 1;
                }
            }
        }
        // Of what Terraform merges into another file, the rest stands there.
        let missing = members.iter().filter(|(name, member)| member.is_required && !given.contains(name.as_str()));
        wrong.extend(missing.filter(|_| is_whole).map(|(name, _)| format!("{place}.{name} is missing")));
        found
    }
}

/// How much of a resource was looked at.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    arguments: usize,
    blocks: usize,
}

fn is_name(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// A block's name and content; of a dynamic one, those of the blocks that it makes.
fn named(block: &Block) -> (&str, Option<&Body>) {
    if block.ident.as_str() == "dynamic" {
        let content = block.body.get_blocks("content").next().expect("a dynamic block has a content");
        (block.labels[0].as_str(), Some(&content.body))
    } else {
        (block.ident.as_str(), Some(&block.body))
    }
}

/// Reads types once for each kind of resource or data source.
#[derive(Default)]
pub(super) struct Schema(BTreeMap<String, Types>);

impl Schema {
    fn of(&mut self, keyword: &str, kind: &str) -> &Types {
        let short = kind.trim_start_matches("aws_").replace('_', "-");
        let folder = if keyword == "data" { format!("data-aws-{short}") } else { short };
        self.0.entry(folder.clone()).or_insert_with(|| {
            let types = tool("TOOLS_PROVIDER_TYPES", ".tools/provider-types");
            let path = types.join(&folder).join("index.d.ts");
            let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            Types::parse(&text)
        })
    }

    /// Checks one file; returns how many resources and data sources it has, and adds what is wrong with them.
    pub(super) fn look_up(&mut self, path: &str, text: &str, wrong: &mut BTreeSet<String>) -> usize {
        let mut table = Table::new();
        self.check(path, text, &mut table, wrong);
        table.values().map(|(seen, _)| seen).sum()
    }

    /// Checks one file; notes for each kind how much of it was looked at.
    fn check(&mut self, path: &str, text: &str, table: &mut Table, wrong: &mut BTreeSet<String>) {
        let body = hcl_edit::parser::parse_body(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let is_whole = !path.ends_with("_override.tf");
        for block in body.blocks().filter(|block| ["data", "resource"].contains(&block.ident.as_str())) {
            let kind = block.labels[0].as_str();
            if !kind.starts_with("aws_") {
                continue;
            }
            let keyword = block.ident.as_str().to_owned();
            let place = format!("{path}: {kind}.{}", block.labels[1].as_str());
            let types = self.of(&keyword, kind);
            let found = types.check(&types.root, &block.body, is_whole, &place, wrong);
            let entry = table.entry((keyword, kind.to_owned())).or_default();
            *entry = (entry.0 + 1, entry.1.max(found));
        }
    }
}

/// By keyword and kind: how many there are, and how much the largest of them gives.
type Table = BTreeMap<(String, String), (usize, Found)>;

/// Terraform files of the module that lie in the repository, examples and files for newer providers included.
fn module_files() -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![workspace().join("templates/terraform/modules")]);
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "tf") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

#[test]
fn the_newest_provider_knows_everything_that_is_rendered() {
    let (mut schema, mut table, mut wrong) = (Schema::default(), Table::new(), BTreeSet::new());
    for name in fixture_names("valid").iter().map(String::as_str).chain(["default"]) {
        for (path, bytes) in Project::rendered(name).files() {
            if Path::new(&path).extension().is_some_and(|extension| extension == "tf") {
                schema.check(&path, std::str::from_utf8(&bytes).unwrap(), &mut table, &mut wrong);
            }
        }
    }
    for path in module_files() {
        let name = path.strip_prefix(workspace()).unwrap().to_str().unwrap().to_owned();
        schema.check(&name, &std::fs::read_to_string(&path).unwrap(), &mut table, &mut wrong);
    }
    let mut text = "| | | seen | arguments | blocks |\n|---|---|---|---|---|\n".to_owned();
    for ((keyword, kind), (seen, most)) in &table {
        writeln!(text, "| {keyword} | {kind} | {seen} | {} | {} |", most.arguments, most.blocks).unwrap();
    }
    println!("{text}");
    assert!(table.len() > 30, "{text}");
    assert!(wrong.is_empty(), "{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn what_the_newest_provider_does_not_know_is_found() {
    let mut schema = Schema::default();
    let mut check = |path: &str, text: &str| {
        let (mut table, mut wrong) = (Table::new(), BTreeSet::new());
        schema.check(path, text, &mut table, &mut wrong);
        wrong.into_iter().collect::<Vec<_>>()
    };
    let permission = "action = \"a\"\nfunction_name = \"f\"\nprincipal = \"*\"\n";
    let resource = |body: &str| format!("resource \"aws_lambda_permission\" \"x\" {{\n{body}}}\n");
    assert_eq!(check("a.tf", &resource(&format!("count = 1\n{permission}"))), [""; 0]);
    assert_eq!(
        check("a.tf", &resource(&format!("{permission}color = 1\n"))),
        ["a.tf: aws_lambda_permission.x.color is unknown"]
    );
    let missing = ["function_name", "principal"].map(|name| format!("a.tf: aws_lambda_permission.x.{name} is missing"));
    assert_eq!(check("a.tf", &resource("action = \"a\"\n")), missing);
    assert_eq!(check("a_override.tf", &resource("action = \"a\"\n")), [""; 0]);
    let function = |body: &str| {
        format!("resource \"aws_lambda_function\" \"x\" {{\nfunction_name = \"f\"\nrole = \"r\"\n{body}}}\n")
    };
    let vpc = "dynamic \"vpc_config\" {\nfor_each = []\ncontent {\nsubnet_ids = []\n}\n}\n";
    for (body, expected) in [
        ("environment = {}\n", "environment is a block"),
        ("runtime {\n}\n", "runtime is an argument"),
        (vpc, "vpc_config.security_group_ids is missing"),
        ("environment {\nvalues = {}\n}\n", "environment.values is unknown"),
    ] {
        assert_eq!(check("a.tf", &function(body)), [format!("a.tf: aws_lambda_function.x.{expected}")]);
    }
}
