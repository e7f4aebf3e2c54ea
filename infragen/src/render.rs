//! Plan + templates → artifacts: exact bytes, each parsed again before anybody writes one. No disk, no clock.

mod files;
mod module;
mod workflow;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use tera::Tera;

use crate::ci::{RolesPlan, roles};
use crate::constructs::{Construct, File, Root, constructs};
use crate::cost::{Prices, monthly_usd};
use crate::load::{Loaded, Target};
use crate::manifest::types::Packaging;
use crate::plan::{FunctionPlan, Plan, TablePlan, plan};
use crate::signature::SIGNATURE;
use crate::{align, hcl, schema};

pub use crate::artifact::{Artifact, RenderError, Rendering};
pub use files::RUST_VERSION;
pub(crate) use files::parse_config_js;

/// The templates of Terraform's files: a name with the suffix `.tf` or `.hcl`, and the text.
#[derive(Clone, Debug)]
pub struct Templates(BTreeMap<&'static str, String>);

macro_rules! embedded {
    ($($name:literal),+ $(,)?) => {
        BTreeMap::from([ $( ($name, include_str!(concat!("../../templates/", $name)).to_owned()) ),+ ])
    };
}

impl Templates {
    /// The templates that the program was built with.
    #[must_use]
    pub fn embedded() -> Self {
        Self(embedded!(
            "bootstrap/ci.tf",
            "bootstrap/ecr.tf",
            "bootstrap/outputs.tf",
            "bootstrap/state.tf",
            "terraform/access_log.tf",
            "terraform/alarms.tf",
            "terraform/budget.tf",
            "terraform/certificate.tf",
            "terraform/firewall.tf",
            "terraform/front.tf",
            "terraform/function.tf",
            "terraform/gateway.tf",
            "terraform/gateway_domain.tf",
            "terraform/instances.tf",
            "terraform/monitoring.tf",
            "terraform/outputs.tf",
            "terraform/page.tf",
            "terraform/providers.tf",
            "terraform/records.tf",
            "terraform/session.tf",
            "terraform/tables.tf",
            "terraform/tests/lambda.tftest.hcl",
            "terraform/tests/root.tftest.hcl",
            "terraform/us_east_1.tf",
            "terraform/variables.tf",
            "terraform/versions.tf",
        ))
    }

    /// Names of the templates, from the folder `templates`.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }

    /// Names of those that are not as the program was built with them.
    #[must_use]
    pub fn own(&self) -> Vec<&'static str> {
        let built_in = Self::embedded();
        self.0.iter().filter(|(name, text)| built_in.0.get(*name) != Some(text)).map(|(name, _)| *name).collect()
    }

    /// Adds a template, of a construct of somebody's own or in the place of the built-in one of that name.
    pub fn add(&mut self, name: &'static str, text: String) {
        self.0.insert(name, text);
    }

    /// Compiles them with the escaper and the filter in place.
    ///
    /// # Errors
    /// A template that does not parse.
    pub fn engine(&self) -> Result<Engine, RenderError> {
        let mut engine = Tera::default();
        // Bound to the suffix: a template cannot forget to escape, only say `safe`, which a reviewer sees.
        engine.set_escape_fn(hcl::write_escaped);
        engine.autoescape_on([".tf", ".hcl"]);
        engine.register_filter("hcl", hcl::filter);
        let templates = self.0.iter().map(|(name, text)| (*name, text.as_str()));
        engine.add_raw_templates(templates).map_err(|error| RenderError::Unread { source: error.into() })?;
        Ok(Engine { templates: engine, finished: Mutex::default() })
    }
}

/// Templates that are compiled, and what has been made of their output so far: of a manifest with another value most files are the ones
/// that they were, and aligning and parsing one takes longer than the template.
#[derive(Debug)]
pub struct Engine {
    templates: Tera,
    /// Texts by the bodies that they were made of.
    finished: Mutex<HashMap<String, String>>,
}

impl Engine {
    /// Makes an artifact of a body: signature, alignment, and the proof that it is HCL.
    fn signed(&self, path: String, body: &str) -> Result<Artifact, RenderError> {
        let finished = || self.finished.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = finished().get(body).cloned() {
            return Ok(Artifact { path, text });
        }
        let text = align::align(&format!("# {SIGNATURE}\n\n{}\n", body.trim()));
        match hcl_edit::parser::parse_body(&text) {
            Ok(_) => finished().insert(body.to_owned(), text.clone()),
            Err(source) => return Err(RenderError::BrokenHcl { path, source: source.into() }),
        };
        Ok(Artifact { path, text })
    }
}

/// What a template of one root may use beside the plan.
#[derive(Clone, Debug, Default, Serialize)]
struct Extra<'a> {
    signature: &'a str,
    ci: Option<&'a RolesPlan>,
    state_bucket: Option<&'a str>,
    state_key: &'a str,
    function: Option<&'a FunctionPlan>,
    functions: Vec<&'a FunctionPlan>,
    tables: Vec<Labelled<'a>>,
    references: Vec<Reference>,
    all_present: String,
    page_literals: Vec<(String, serde_json::Value)>,
    page_urls: Vec<(&'a str, &'a str)>,
    estimated_monthly_usd: f64,
}

#[derive(Clone, Debug, Serialize)]
struct Labelled<'a> {
    label: &'a str,
    #[serde(flatten)]
    table: &'a TablePlan,
}

/// A variable through which an artifact's reference comes in.
#[derive(Clone, Debug, Serialize)]
struct Reference {
    name: String,
    role: &'static str,
    package: Packaging,
    is_used: bool,
    is_first_used: bool,
    image_uri: Option<String>,
}

fn references(functions: &[&FunctionPlan]) -> Vec<Reference> {
    let mut references: Vec<Reference> = Vec::new();
    for package in [Packaging::Zip, Packaging::Image] {
        for function in functions {
            let is_used = function.package == package && function.archive.is_none();
            references.push(Reference {
                name: format!("{}_{}", function.role, package.as_str()),
                role: function.role,
                package,
                is_used,
                is_first_used: is_used && !references.iter().any(|earlier| earlier.is_used),
                image_uri: function.image_uri.clone().filter(|_| package == Packaging::Image),
            });
        }
    }
    references
}

/// What everything is rendered from.
struct Parts<'a> {
    plan: &'a Plan,
    constructs: &'a [&'a dyn Construct],
    ci: Option<&'a RolesPlan>,
    engine: &'a Engine,
    /// The plan, as templates see it.
    context: tera::Context,
}

/// Renders everything that a manifest asks for.
///
/// # Errors
/// [`RenderError`]
pub fn render(loaded: &Loaded, templates: &Templates) -> Result<Rendering, RenderError> {
    render_with(loaded, &templates.engine()?)
}

/// Renders with templates that are compiled already, for those who render many times.
///
/// # Errors
/// [`RenderError`]
pub fn render_with(loaded: &Loaded, engine: &Engine) -> Result<Rendering, RenderError> {
    render_more(loaded, engine, &[])
}

/// Renders with constructs of somebody's own beside those that the manifest asks for. Their templates must be in the engine.
///
/// # Errors
/// [`RenderError`]
pub fn render_more(loaded: &Loaded, engine: &Engine, more: &[&dyn Construct]) -> Result<Rendering, RenderError> {
    let plan = plan(loaded);
    let own = constructs(&plan);
    let all: Vec<&dyn Construct> = own.iter().map(|construct| &**construct).chain(more.iter().copied()).collect();
    let ci = roles(loaded, &plan, &all);
    let context = planned(&plan, &all)?;
    let parts = Parts { plan: &plan, constructs: &all, ci: ci.as_ref(), engine, context };
    let folder = loaded.folder();
    let mut rendering = match loaded.target {
        Target::Local => {
            Rendering { artifacts: vec![files::functions_env(&plan)?], folders: vec![folder], files: Vec::new() }
        }
        Target::Base => {
            let mut rendering = roots(loaded, &parts, &format!("{}/config.js", plan.page_folder))?;
            if plan.has_sources {
                rendering.artifacts.extend(files::dockerfile(&plan)?);
            }
            let path = format!("{folder}/deploy.schema.json");
            rendering.artifacts.push(Artifact { path, text: schema::text(plan.has_sources).to_owned() });
            if let Some(plan) = crate::ci::workflow(loaded) {
                rendering.artifacts.push(workflow::workflow(&plan)?);
            }
            rendering.files = [&[workflow::PATH.to_owned()][..], &files::dockerfiles(&folder)].concat();
            rendering.folders = vec![format!("{folder}/bootstrap"), format!("{folder}/terraform")];
            rendering
        }
        Target::Overlay => {
            let mut rendering = roots(loaded, &parts, &format!("{folder}/config.js"))?;
            rendering.folders = vec![folder];
            rendering
        }
    };
    rendering.artifacts.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(rendering)
}

/// Renders both Terraform roots and the page's configuration.
fn roots(loaded: &Loaded, parts: &Parts<'_>, config_js_path: &str) -> Result<Rendering, RenderError> {
    let Parts { plan, ci, constructs, .. } = *parts;
    let folder = loaded.folder();
    let (root, bootstrap) = (format!("{folder}/terraform"), format!("{folder}/bootstrap"));
    let functions = vec![&plan.stream, &plan.dashboard];
    let references = references(&functions);
    let (page_literals, page_urls) = page_values(plan);
    let used = references.iter().filter(|reference| reference.is_used);
    let prices = Prices::embedded();
    let charges = constructs.iter().flat_map(|construct| construct.charges(prices)).collect();
    let extra = Extra {
        signature: SIGNATURE,
        tables: [
            ("items", Some(&plan.items)),
            ("users", Some(&plan.users)),
            ("hours", plan.hours.as_ref()),
            ("history", plan.history.as_ref()),
        ]
        .into_iter()
        .filter_map(|(label, table)| Some(Labelled { label, table: table? }))
        .collect(),
        all_present: used.map(|used| format!("var.{} != null", used.name)).collect::<Vec<_>>().join(" && "),
        ci,
        functions,
        references,
        page_literals,
        page_urls,
        estimated_monthly_usd: monthly_usd(&loaded.manifest, charges, prices),
        ..Extra::default()
    };
    let mut files: Vec<File> = ["outputs", "providers", "variables", "versions"].map(File::main).into();
    files.extend(constructs.iter().flat_map(|construct| construct.files()));
    files.extend(ci.map(|_| File::bootstrap("ci")));
    // A root only where there is something in it.
    if files.iter().any(|file| file.root == Root::Bootstrap) {
        files.push(File::bootstrap("outputs"));
        files.extend(["providers", "versions"].map(|name| File { root: Root::Bootstrap, ..File::main(name) }));
    }
    let mut artifacts = Vec::new();
    for File { root: in_root, template, name, function } in files {
        let state_key = match in_root {
            Root::Bootstrap => &plan.names.bootstrap_state_key,
            Root::Main => &plan.names.state_key,
        };
        let extra = Extra {
            state_bucket: plan.terraform.state_bucket.as_deref(),
            state_key,
            function: extra.functions.iter().copied().find(|one| Some(one.role) == function),
            ..extra.clone()
        };
        let place = if in_root == Root::Main { &root } else { &bootstrap };
        artifacts.push(terraform_file(parts, &extra, &template, format!("{place}/{name}"))?);
    }
    for (name, text) in module::files(plan) {
        artifacts.push(parts.engine.signed(format!("{root}/modules/lambda/{name}"), text)?);
    }
    for name in ["tests/lambda.tftest.hcl", "tests/root.tftest.hcl"] {
        artifacts.push(terraform_file(parts, &extra, &format!("terraform/{name}"), format!("{root}/{name}"))?);
    }
    artifacts.push(files::config_js(plan, &root, &loaded.page_folder(), config_js_path)?);
    Ok(Rendering { artifacts, folders: Vec::new(), files: Vec::new() })
}

/// Renders one Terraform file from its template.
fn terraform_file(parts: &Parts<'_>, extra: &Extra<'_>, template: &str, path: String) -> Result<Artifact, RenderError> {
    let mut context = parts.context.clone();
    context.extend(tera::Context::from_serialize(extra).map_err(|source| template_error(&path, source))?);
    let body = parts.engine.templates.render(template, &context).map_err(|source| template_error(&path, source))?;
    parts.engine.signed(path, &body)
}

/// What every template of a plan may use.
fn planned(plan: &Plan, constructs: &[&dyn Construct]) -> Result<tera::Context, RenderError> {
    let mut context = tera::Context::from_serialize(plan).map_err(|source| template_error("the plan", source))?;
    for (name, value) in constructs.iter().flat_map(|construct| construct.values()) {
        context.insert(name, &value);
    }
    Ok(context)
}

fn template_error(path: &str, source: tera::Error) -> RenderError {
    RenderError::Template { path: path.to_owned(), source: source.into() }
}

/// What the page knows now, sorted by key, and the URLs that are known after apply: key and function.
type PageValues = (Vec<(String, serde_json::Value)>, Vec<(&'static str, &'static str)>);

/// Keys of the page's configuration that a function's URL fills, and the function.
const LIVE_URLS: [(&str, &str); 2] = [("API_BASE_URL", "dashboard"), ("SSE_BASE_URL", "stream")];

fn page_values(plan: &Plan) -> PageValues {
    let mut literals = match serde_json::to_value(&plan.page) {
        Ok(serde_json::Value::Object(map)) => map,
        other => unreachable!("PageConfig is a struct of strings, numbers and lists: {other:?}"),
    };
    let mut urls = Vec::new();
    // Behind a distribution empty is what is meant: same origin.
    let live = if plan.distribution.is_some() { &[][..] } else { &LIVE_URLS };
    for &(key, role) in live {
        // A URL in the manifest wins: it is the address that somebody put before the function.
        if literals.get(key).is_some_and(|url| url == "") {
            literals.remove(key);
            urls.push((key, role));
        }
    }
    // A list, because the template engine walks maps in an order of its own.
    let mut literals: Vec<(String, serde_json::Value)> = literals.into_iter().collect();
    literals.sort_by(|a, b| a.0.cmp(&b.0));
    (literals, urls)
}
