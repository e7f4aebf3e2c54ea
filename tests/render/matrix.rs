//! Every way in with every packaging in the first and in another environment: planned by the provider that is here, and looked up in
//! the schema of the newest one. The table of it is in docs/terraform.md; `UPDATE=1` writes it.
//!
//! What Terraform is asked about is mostly what other tests ask too, so that it is asked once.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::newest::Schema;
use super::terraform_tests;
use super::{Project, is_updating, workspace};

/// What is planned of one cell: a fixture, or a manifest that no other test needs.
enum Source {
    Fixture(&'static str),
    Manifest(&'static str),
}

struct Cell {
    front: &'static str,
    package: &'static str,
    environment: &'static str,
    source: Source,
}

const fn cell(front: &'static str, package: &'static str, environment: &'static str, source: Source) -> Cell {
    Cell { front, package, environment, source }
}

const CELLS: [Cell; 9] = [
    cell("function-url", "zip", "dev", Source::Fixture("default")),
    cell("function-url", "zip", "prod", Source::Fixture("environments")),
    cell("function-url", "zip in S3", "dev", Source::Fixture("archives")),
    cell("function-url", "image", "dev", Source::Fixture("images")),
    cell(
        "function-url",
        "image",
        "prod",
        Source::Manifest(
            "[stream]\npackage = \"image\"\n[dashboard]\npackage = \"image\"\n[env.prod.project]\nregion = \"eu-west-1\"\n",
        ),
    ),
    cell("cloudfront", "zip", "dev", Source::Fixture("cloudfront")),
    cell(
        "cloudfront",
        "zip",
        "prod",
        Source::Manifest(
            "[stream]\npackage = \"zip\"\n[front]\nkind = \"cloudfront\"\n[env.prod.stream]\nmemory = \"256 MiB\"\n",
        ),
    ),
    cell("cloudfront", "image", "dev", Source::Fixture("stopped")),
    cell("cloudfront", "image", "prod", Source::Fixture("stopped")),
];

impl Cell {
    fn root(&self) -> String {
        if self.environment == "dev" { "generated".into() } else { format!("generated/{}", self.environment) }
    }

    /// A project that is what the cell says, with everything rendered.
    fn project(&self) -> Project {
        let project = match self.source {
            Source::Fixture(name) => Project::fixture(name),
            Source::Manifest(text) => Project::new(text),
        };
        let is_base = self.environment == "dev";
        let package = self.package.split(' ').next().unwrap_or_default();
        for (key, expected) in [
            ("front.kind", self.front),
            ("stream.package", package),
            ("dashboard.package", package),
            ("project.environment", self.environment),
        ] {
            let environment = if is_base { &[][..] } else { &["--env", self.environment] };
            let found = project.run(&[environment, &["query", key]].concat()).done().stdout;
            assert_eq!(found.trim(), expected, "{key} of {} {} {}", self.front, self.package, self.environment);
        }
        project.run(&["render"]).done();
        project
    }

    /// What the newest provider does not know of the cell's two roots.
    fn unknown(&self, project: &Project, schema: &mut Schema) -> BTreeSet<String> {
        let roots = ["terraform", "bootstrap"].map(|root| format!("{}/{root}/", self.root()));
        let files = project.files().into_iter();
        let is_of_roots = |path: &str| roots.iter().any(|root| path.starts_with(root)) && path.ends_with(".tf");
        let (mut seen, mut wrong) = (0, BTreeSet::new());
        for (path, bytes) in files.filter(|(path, _)| is_of_roots(path)) {
            seen += schema.look_up(&path, std::str::from_utf8(&bytes).unwrap(), &mut wrong);
        }
        assert!(seen > 20, "{seen} resources of {roots:?}");
        wrong
    }
}

/// The forms for which a manifest may ask, by the lowest provider allowed.
const NEWER: [&str; 2] = ["6.28.0", "6.37.0"];

#[test]
fn every_way_in_packaging_and_environment_is_planned_by_5_and_known_to_6() {
    let projects: Vec<Project> = CELLS.iter().map(Cell::project).collect();
    let planned: Vec<(bool, String)> = std::thread::scope(|scope| {
        let run = |(cell, project): (&Cell, &Project)| {
            let root = format!("{}/terraform", cell.root());
            let (is_passed, said) = terraform_tests::run(project, &root);
            (is_passed && !said.contains("Warning") && said.contains(" passed, 0 failed."), said)
        };
        let pairs = CELLS.iter().zip(&projects);
        let threads: Vec<_> = pairs.map(|pair| scope.spawn(move || run(pair))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut schema = Schema::default();
    let mut table = "| way in | packages | environment | planned by 5.100.0 | the same known to 6.66.0 | form for 6.28.0 | form for 6.37.0 |\n\
                     |---|---|---|---|---|---|---|\n"
        .to_owned();
    let mut wrong = Vec::new();
    for ((cell, project), (is_planned, said)) in CELLS.iter().zip(&projects).zip(planned) {
        let mut marks = vec![is_planned];
        wrong.extend((!is_planned).then_some(said));
        let mut note = |unknown: BTreeSet<String>| {
            marks.push(unknown.is_empty());
            wrong.extend(unknown);
        };
        note(cell.unknown(project, &mut schema));
        for floor in NEWER {
            let newer = Project::new(&project.read("deploy.toml"));
            newer.run(&["--set", &format!("terraform.aws_provider='>= {floor}, < 7.0.0'"), "render"]).done();
            note(cell.unknown(&newer, &mut schema));
        }
        let marks: Vec<&str> = marks.into_iter().map(|is_good| if is_good { "yes" } else { "**no**" }).collect();
        let Cell { front, package, environment, .. } = cell;
        writeln!(table, "| `{front}` | {package} | {environment} | {} |", marks.join(" | ")).unwrap();
    }
    println!("{table}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    in_the_page(&table);
}

/// Compares the table with that of the documentation.
fn in_the_page(table: &str) {
    let path = workspace().join("docs/terraform.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let head = table.lines().next().unwrap();
    let start = page.find(head.split(" planned").next().unwrap()).expect("docs/terraform.md has the table");
    let end = page[start..].find("\n\n").map_or(page.len(), |length| start + length + 1);
    if is_updating() {
        std::fs::write(path, format!("{}{table}{}", &page[..start], &page[end..])).unwrap();
    } else {
        assert_eq!(&page[start..end], table, "docs/terraform.md is stale: run the test with UPDATE=1");
    }
}
