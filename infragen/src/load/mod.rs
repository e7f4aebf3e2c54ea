//! Text → one validated [`Manifest`]: environments laid over the base, rules between keys, names that two would make. Everything
//! that is wrong is reported at once.

mod archives;
mod checks;
mod collisions;
mod environments;
mod misplaced;

use std::cell::RefCell;

use contract::Environment;

use crate::diagnostic::{Diagnostic, Input, Layer, Span};
use crate::logo::Logos;
use crate::manifest::reader::Reader;
use crate::manifest::regions::Region;
use crate::manifest::syntax;
use crate::manifest::tree::{self, Node, Raw, Table};
use crate::manifest::{LOCAL, Manifest, Names, Section as _, overrides};
use environments::Overlay;

/// Which part of the manifest to render.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The base, into `terraform` of `output.folder` and its neighbours.
    Base,
    /// An environment laid over the base, into `NAME` of it.
    Overlay,
    /// What runs on this machine, into `local` of it.
    Local,
}

/// A manifest with one environment chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The validated values.
    pub manifest: Manifest,
    /// Where they go.
    pub target: Target,
    /// What was typed, merged: which values are no defaults, and where they stand.
    pub tree: Table,
    /// What the environments before this one make for it, too.
    pub shared: Shared,
    /// For the base, the other environments in the order of the text: one workflow deploys all of them.
    pub others: Vec<Manifest>,
    /// The pictures that the manifest names.
    pub logos: Logos,
}

/// Where a bucket of states is: with the environment that makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateHome {
    /// Its region.
    pub region: Region,
    /// The KMS key that it is encrypted with, where there is one.
    pub key: Option<String>,
}

impl StateHome {
    /// Where the bucket is that an environment makes.
    fn of(manifest: &Manifest) -> Self {
        let kms = &manifest.aws.kms;
        Self { region: manifest.project.region, key: kms.of(kms.buckets.as_ref()) }
    }
}

/// What several environments of one manifest use, and the first of them makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// Where the bucket of the state is, if an environment before this one keeps its own in the same one, and so makes it.
    pub state_home: Option<StateHome>,
    /// Name of the ECR repository of the functions' images. Images are built once, so all environments of a region of an account run
    /// them from the base's, unless `package.repository` names another one below `[env.NAME]`.
    pub repository: String,
    /// The environment that makes that repository: the first one of its region and account that runs images from it. None where
    /// nothing runs them, or where it is there already.
    pub repository_maker: Option<Environment>,
    /// Whether an environment before this one tells AWS of GitHub's tokens. An account is told once, and another partition is another
    /// account.
    pub knows_github: bool,
}

/// Every environment of a manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Environments {
    /// The base first, then `[env.NAME]` in the order of the text, but for the one that is this machine.
    pub all: Vec<Loaded>,
    /// What is valid, and probably not meant.
    pub warnings: Vec<Diagnostic>,
}

impl Loaded {
    /// Where the bucket of its state is.
    #[must_use]
    pub fn state_home(&self) -> StateHome {
        self.shared.state_home.clone().unwrap_or_else(|| StateHome::of(&self.manifest))
    }

    /// Whether its bootstrap root makes the repository of images.
    #[must_use]
    pub fn makes_repository(&self) -> bool {
        self.shared.repository_maker.as_ref() == Some(&self.manifest.project.environment)
    }

    /// The environment that makes the repository which this one's images are in; none where the manifest makes none.
    #[must_use]
    pub fn maker<'a>(&self, all: &'a [Self]) -> Option<&'a Self> {
        let maker = self.shared.repository_maker.as_ref()?;
        all.iter().find(|other| other.manifest.project.environment == *maker)
    }

    /// Folder of this target's outputs, from the manifest's own.
    #[must_use]
    pub fn folder(&self) -> String {
        self.below(self.manifest.output.folder.as_str())
    }

    /// Folder in which an apply leaves the page with its live URLs.
    #[must_use]
    pub fn page_folder(&self) -> String {
        self.below("dist") + "/page"
    }

    /// A folder of the base, or what this target has in it.
    fn below(&self, folder: &str) -> String {
        match self.target {
            Target::Base => folder.to_owned(),
            Target::Overlay | Target::Local => format!("{folder}/{}", self.manifest.project.environment),
        }
    }
}

/// Why a manifest cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// The text is wrong.
    Invalid(Vec<Diagnostic>),
    /// The environment asked for is not there.
    UnknownEnvironment {
        /// The name asked for.
        name: String,
        /// The names that are there.
        known: Vec<String>,
    },
}

/// Reads and validates a manifest, the base and every environment of it, and returns the one asked for.
///
/// The command line's overrides are laid over the one asked for; the others are validated as they stand in the file.
///
/// # Errors
/// [`LoadError`] with everything that is wrong, sorted by place.
pub fn load(input: &Input, environment: Option<&Environment>) -> Result<Loaded, LoadError> {
    let read = read(input, environment.map_or(Over::Base, Over::One)).map_err(LoadError::Invalid)?;
    choose(read, environment)
}

/// Reads and validates a manifest, and returns the base and every environment of it. The command line's overrides are laid over
/// each.
///
/// # Errors
/// [`LoadError::Invalid`] with everything that is wrong, sorted by place.
pub fn load_all(input: &Input) -> Result<Environments, LoadError> {
    let read = read(input, Over::Every).map_err(LoadError::Invalid)?;
    let is_elsewhere = |loaded: &Loaded| loaded.target != Target::Local;
    Ok(Environments { all: read.all.into_iter().filter(is_elsewhere).collect(), warnings: read.warnings })
}

/// What the command line's overrides are laid over.
#[derive(Clone, Copy)]
enum Over<'a> {
    Base,
    One(&'a Environment),
    Every,
}

impl Over<'_> {
    fn reaches(self, overlay: Option<&Environment>) -> bool {
        match self {
            Self::Every => true,
            Self::Base => overlay.is_none(),
            Self::One(name) => overlay == Some(name),
        }
    }
}

/// A whole manifest that is valid: the base first.
struct ReadManifest {
    all: Vec<Loaded>,
    warnings: Vec<Diagnostic>,
}

fn read(input: &Input, over: Over<'_>) -> Result<ReadManifest, Vec<Diagnostic>> {
    let mut root = syntax::parse(&input.manifest)?;
    let log = RefCell::new(Vec::new());
    let overlays = environments::take(&mut root, &log);
    let named = overlays.iter().find(|overlay| matches!(over, Over::One(name) if *name == overlay.name));
    let overrides = read_overrides(input, named, &log);
    let over_base = match over {
        // The base's own name, or `local`, which the base is then read as.
        Over::One(_) => named.is_none(),
        over => over.reaches(None),
    };
    let mut base_tree = root.clone();
    if over_base {
        base_tree = tree::merge(base_tree, &overrides);
    }
    let base = Manifest::read(&Reader::new(&base_tree, &log));
    misplaced::advise(&mut log.borrow_mut(), &base_tree, None);
    checks::check(&base, &base_tree, &input.logos, &log);
    environments::check_names(&base, &overlays, &base_tree, &log);
    let mut diagnostics = log.into_inner();
    let mut others = Vec::new();
    for overlay in &overlays {
        let mut merged = tree::merge(root.clone(), &overlay.table);
        if over.reaches(Some(&overlay.name)) {
            merged = tree::merge(merged, &overrides);
        }
        name_environment(&mut merged, overlay);
        let (manifest, found) = read_overlay(&merged, overlay, &input.logos);
        let fresh = found.into_iter().filter(|new| !diagnostics.contains(new)).collect::<Vec<_>>();
        let name = Some(overlay.name.to_string());
        diagnostics.extend(fresh.into_iter().map(|new| Diagnostic { environment: name.clone(), ..new }));
        others.push((overlay, manifest, merged));
    }
    // The name of a wrong value's default would be blamed for it.
    if diagnostics.is_empty() {
        diagnostics = collisions::find((&base, &base_tree), &others);
        diagnostics.extend(archives::find((&base, &base_tree), &others));
    }
    if !diagnostics.is_empty() {
        diagnostics.sort_by(|a, b| a.place().cmp(&b.place()));
        return Err(diagnostics);
    }
    let warnings = environments::warnings(&overlays, &input.manifest.text);
    let mut all: Vec<Loaded> = Vec::new();
    let base = (Target::Base, base, base_tree);
    let others =
        others.into_iter().map(|(_, manifest, tree)| (target_of(&manifest.project.environment), manifest, tree));
    for (target, manifest, tree) in std::iter::once(base).chain(others) {
        let shared = Shared::of(&manifest, target, &all);
        all.push(Loaded { manifest, target, tree, shared, others: Vec::new(), logos: input.logos.clone() });
    }
    let others = all.iter().skip(1).filter(|loaded| loaded.target != Target::Local);
    all[0].others = others.map(|loaded| loaded.manifest.clone()).collect();
    Ok(ReadManifest { all, warnings })
}

fn target_of(overlay: &Environment) -> Target {
    if overlay.as_str() == LOCAL { Target::Local } else { Target::Overlay }
}

impl Shared {
    /// Finds out what the environments before this one make.
    fn of(manifest: &Manifest, target: Target, before: &[Loaded]) -> Self {
        // What runs on this machine makes nothing, and nobody uses it.
        let before: Vec<&Loaded> = before.iter().filter(|other| other.target != Target::Local).collect();
        let bucket = &manifest.terraform.backend.bucket;
        let first = before.first().map_or(manifest, |base| &base.manifest);
        let repository = match &manifest.package.repository {
            Some(name) => name.as_str().to_owned(),
            None => Names::derive(first).repository,
        };
        let is_made = manifest.package.create_repository;
        let runs_images = is_made && target != Target::Local && !manifest.built_images().is_empty();
        let maker = before
            .iter()
            .find(|other| {
                is_made
                    && other.makes_repository()
                    && other.shared.repository == repository
                    && other.manifest.project.region == manifest.project.region
                    && other.manifest.aws.may_share_account(&manifest.aws)
            })
            .map(|other| &other.manifest.project.environment)
            .or_else(|| runs_images.then_some(&manifest.project.environment));
        let knows_github = |other: &&Loaded| {
            other.manifest.ci.makes_roles()
                && other.manifest.project.region.partition() == manifest.project.region.partition()
                && other.manifest.aws.may_share_account(&manifest.aws)
        };
        Self {
            state_home: before
                .iter()
                .find(|other| bucket.is_some() && other.manifest.terraform.backend.bucket == *bucket)
                .map(|other| StateHome::of(&other.manifest)),
            repository_maker: maker.cloned(),
            knows_github: before.iter().any(knows_github),
            repository,
        }
    }
}

/// Returns the manifest with some keys changed, as if that had been typed; none where it would be invalid.
#[must_use]
pub fn vary(loaded: &Loaded, changes: &[(&str, toml::Value)]) -> Option<Loaded> {
    let mut tree = loaded.tree.clone();
    for (path, value) in changes {
        let parts: Vec<&str> = path.split('.').collect();
        tree::insert(&mut tree, &parts, tree::node(value))?;
    }
    let log = RefCell::new(Vec::new());
    let mut manifest = Manifest::read(&Reader::new(&tree, &log));
    if loaded.target == Target::Local {
        manifest.project.environment = loaded.manifest.project.environment.clone();
    }
    let logos = loaded.logos.clone().sampled();
    checks::check(&manifest, &tree, &logos, &log);
    environments::check_names(&manifest, &[], &tree, &log);
    let is_valid = log.into_inner().is_empty();
    let shared = match loaded.target {
        Target::Base => Shared::of(&manifest, loaded.target, &[]),
        Target::Overlay | Target::Local => loaded.shared.clone(),
    };
    is_valid.then_some(Loaded { manifest, target: loaded.target, tree, shared, others: loaded.others.clone(), logos })
}

fn choose(read: ReadManifest, environment: Option<&Environment>) -> Result<Loaded, LoadError> {
    let mut all = read.all;
    let is_asked_for = |loaded: &Loaded| environment.is_none_or(|name| loaded.manifest.project.environment == *name);
    if let Some(at) = all.iter().position(is_asked_for) {
        return Ok(all.swap_remove(at));
    }
    let name = environment.map(Environment::to_string).unwrap_or_default();
    if name != LOCAL {
        let names = all.iter().map(|loaded| loaded.manifest.project.environment.to_string());
        let mut known: Vec<String> = names.chain([LOCAL.to_owned()]).collect();
        known.sort();
        known.dedup();
        return Err(LoadError::UnknownEnvironment { name, known });
    }
    let mut local = all.swap_remove(0);
    if let Some(name) = environment {
        local.manifest.project.environment = name.clone();
    }
    // The name comes from the command line: it was typed nowhere.
    if let Some(Node { value: Raw::Table(project), .. }) = local.tree.get_mut("project") {
        project.remove("environment");
    }
    Ok(Loaded { target: Target::Local, ..local })
}

/// Reads the overrides into one table, later ones over earlier ones.
fn read_overrides(input: &Input, overlay: Option<&Overlay>, log: &RefCell<Vec<Diagnostic>>) -> Table {
    let mut merged = Table::new();
    let fail = |code, key: &str, message: String, hint: &str, span| {
        log.borrow_mut().push(Diagnostic::new(code, key, message).hint(hint).at(span));
    };
    for (index, source) in input.overrides.iter().enumerate() {
        let layer = Layer::Set(index);
        match overrides::table(source, layer) {
            Ok(table) => merged = tree::merge(merged, &table),
            Err(error) => {
                let span = Span { layer, range: 0..source.text.len() };
                fail("malformed", "", error.to_string(), "write it as KEY=VALUE", span);
            }
        }
    }
    if let Some(node) = merged.remove("env") {
        let hint = "choose the environment with `--env` and name its keys as in the base";
        fail("unknown-key", "env", "`env` cannot be set from the command line".to_owned(), hint, node.key_span);
    }
    if let (Some(overlay), Some(node)) = (overlay, tree::find(&merged, "project.environment")) {
        let message = format!("`project.environment`: the name of this environment is `{}` already", overlay.name);
        fail("environment-renamed", "project.environment", message, "leave it out", node.key_span.clone());
    }
    merged
}

/// The names of everything follow from the environment's name, and so do the rules on them.
fn name_environment(merged: &mut Table, overlay: &Overlay) {
    let span = &overlay.key_span;
    let project = merged.entry("project".to_owned()).or_insert_with(|| Node {
        value: Raw::Table(Table::new()),
        span: span.clone(),
        key_span: span.clone(),
    });
    if let Raw::Table(project) = &mut project.value {
        let value = Raw::String(overlay.name.to_string());
        project.insert("environment".to_owned(), Node { value, span: span.clone(), key_span: span.clone() });
    }
}

/// Reads the base with one environment laid over it.
fn read_overlay(merged: &Table, overlay: &Overlay, logos: &Logos) -> (Manifest, Vec<Diagnostic>) {
    let log = RefCell::new(Vec::new());
    let mut manifest = Manifest::read(&Reader::new(merged, &log));
    misplaced::advise(&mut log.borrow_mut(), merged, Some(overlay.name.as_str()));
    manifest.project.environment = overlay.name.clone();
    checks::check(&manifest, merged, logos, &log);
    (manifest, log.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;

    fn load_text(text: &str, environment: Option<&str>) -> Result<Loaded, LoadError> {
        let environment = environment.map(|name| Environment::new(name).unwrap());
        let source = Source { name: "deploy.toml".into(), text: text.into() };
        load(&Input::new(source), environment.as_ref())
    }

    fn messages(text: &str) -> Vec<String> {
        match load_text(text, None) {
            Err(LoadError::Invalid(diagnostics)) => diagnostics.into_iter().map(|d| d.message).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn defaults_are_valid() {
        let loaded = load_text("", None).unwrap();
        assert_eq!(loaded.target, Target::Base);
        assert_eq!(loaded.manifest.stream.timeout.to_string(), "3m");
        let shown = toml::to_string(&loaded.manifest.show()).unwrap();
        assert_eq!(load_text(&shown, None).unwrap().manifest, loaded.manifest, "what `show` writes reads back");
    }

    #[test]
    fn every_key_is_in_the_default_manifest_with_a_comment_and_documented_in_one_sentence() {
        let text = include_str!("../../../deploy.toml");
        for doc in Manifest::docs("") {
            let (section, key) = doc.path.rsplit_once('.').unwrap();
            let (_, body) = text.split_once(&format!("\n[{section}]\n")).unwrap_or_else(|| panic!("no `[{section}]`"));
            let body = body.split("\n[").next().unwrap();
            let sign = if doc.default.is_none() { "# " } else { "" };
            assert!(body.contains(&format!("\n{sign}{key} = ")), "`{}` is not in its section", doc.path);
            assert!(doc.doc.ends_with('.') && !doc.rule.is_empty(), "{doc:?}");
        }
    }

    #[test]
    fn every_error_is_reported_and_defaults_are_not_blamed_for_them() {
        let text = "[stream]\ntimeout = \"1s\"\nmax_session = 5\nheartbeat_intervall = \"1s\"\n[front]\nkind = 7\n";
        assert_eq!(
            messages(text),
            [
                "`stream.max_session` is `5`: it has no unit",
                "`stream.heartbeat_intervall` is not a key of `[stream]`",
                "`front.kind` is the number `7`: it must be one of `function-url`, `cloudfront`, `api-gateway`",
            ]
        );
    }

    #[test]
    fn an_environment_is_laid_over_the_base_and_named_by_its_table() {
        let text = "[stream]\nmemory = \"256 MiB\"\n[env.prod.stream]\nmax_connections = 70\n";
        let prod = load_text(text, Some("prod")).unwrap();
        assert_eq!(prod.target, Target::Overlay);
        assert_eq!(prod.manifest.project.environment.as_str(), "prod");
        assert_eq!(prod.manifest.stream.memory.mebibytes(), 256);
        assert_eq!(prod.manifest.stream.max_connections.get(), 70);
        assert_eq!(load_text(text, None).unwrap().manifest.stream.max_connections.get(), 100);
        assert_eq!(load_text(text, Some("local")).unwrap().target, Target::Local);
        assert_eq!(load_text(text, Some("dev")).unwrap().target, Target::Base);
        let unknown = LoadError::UnknownEnvironment {
            name: "test".into(),
            known: vec!["dev".into(), "local".into(), "prod".into()],
        };
        assert_eq!(load_text(text, Some("test")), Err(unknown));
    }

    #[test]
    fn a_mistake_of_the_base_is_reported_once_and_one_of_an_environment_names_it() {
        let text = "[stream]\nmemory = \"1 MiB\"\n[env.a]\n[env.b.stream]\nretry = \"1\"\n";
        let Err(LoadError::Invalid(diagnostics)) = load_text(text, None) else { panic!("it is invalid") };
        assert_eq!(diagnostics.len(), 2, "{diagnostics:?}");
        assert_eq!(diagnostics[1].environment.as_deref(), Some("b"));
    }
}
