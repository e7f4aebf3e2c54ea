//! The artifacts whose templates are checked by the compiler: config.js, Dockerfile, and the local environment.

use std::collections::BTreeMap;

use askama::Template;
use contract::frames::FRAMES_VARIABLE;
use contract::page::{LOOKS_VARIABLE, PageLooks, escape_json_for_script};
use contract::values::SettingValue;

use crate::artifact::{Artifact, RenderError};
use crate::plan::Plan;
use crate::signature::SIGNATURE;

/// The compiler that the Dockerfile builds with: the channel of rust-toolchain.toml.
pub const RUST_VERSION: &str = "1.95.0";

/// Folders with the members of the workspace: cargo wants all of them, whichever it builds.
const MEMBERS: [&str; 7] = ["bench", "contract", "fuzz", "infragen", "lambda", "stream_core", "tests"];

#[derive(Template)]
#[template(path = "config.js")]
struct ConfigJs<'a> {
    signature: &'a str,
    is_same_origin: bool,
    root: &'a str,
    page: &'a str,
    json: &'a str,
}

#[derive(Template)]
#[template(path = "functions.env")]
struct FunctionsEnv<'a> {
    signature: &'a str,
    variables: &'a BTreeMap<String, String>,
}

#[derive(Template)]
#[template(path = "Dockerfile", ext = "Dockerfile", escape = "none")]
struct Dockerfile<'a> {
    signature: &'a str,
    platform: &'a str,
    path: &'a str,
    rust_version: &'a str,
    adapter: Option<&'a str>,
    members: &'a [&'a str],
}

#[derive(Template)]
#[template(path = "dockerignore", ext = "Dockerfile", escape = "none")]
struct Dockerignore<'a> {
    signature: &'a str,
    sources: &'a [&'a str],
}

fn finish(path: &str, template: &impl Template) -> Result<Artifact, RenderError> {
    let text = template.render().map_err(|source| RenderError::Compiled { path: path.to_owned(), source })?;
    // The engine drops a template's last newline.
    Ok(Artifact { path: path.to_owned(), text: format!("{}\n", text.trim_end()) })
}

/// Renders the page's configuration; `page` is where tools/apply.sh puts the one with live URLs.
pub(super) fn config_js(plan: &Plan, root: &str, page: &str, path: &str) -> Result<Artifact, RenderError> {
    let broken = |source| RenderError::BrokenJson { path: path.to_owned(), source };
    let json = escape_json_for_script(&serde_json::to_string_pretty(&plan.page).map_err(broken)?);
    let is_same_origin = plan.distribution.is_some();
    let artifact = finish(path, &ConfigJs { signature: SIGNATURE, is_same_origin, root, page, json: &json })?;
    parse_config_js(&artifact.text).map_err(broken)?;
    Ok(artifact)
}

/// Reads the one JSON value of a config.js.
pub(crate) fn parse_config_js(text: &str) -> Result<serde_json::Value, serde_json::Error> {
    let start = text.find("Object.freeze(").map_or(0, |at| at + "Object.freeze(".len());
    let end = text.rfind(");").unwrap_or(text.len());
    serde_json::from_str(text.get(start..end).unwrap_or_default())
}

/// Renders what both functions read on this machine.
pub(super) fn functions_env(plan: &Plan) -> Result<Artifact, RenderError> {
    let mut variables = plan.dashboard.environment.clone();
    variables.extend(plan.stream.environment.clone());
    if plan.page.looks != PageLooks::default() {
        let looks = serde_json::to_string(&plan.page.looks).expect("a struct of texts");
        variables.insert(LOOKS_VARIABLE.to_owned(), looks);
    }
    if !plan.frames.as_slice().is_empty() {
        variables.insert(FRAMES_VARIABLE.to_owned(), plan.frames.write());
    }
    finish(&format!("{}/functions.env", plan.folder), &FunctionsEnv { signature: SIGNATURE, variables: &variables })
}

/// Where the recipe of the images is, and what says what it may see.
pub(super) fn dockerfiles(folder: &str) -> [String; 2] {
    ["Dockerfile", "Dockerfile.dockerignore"].map(|name| format!("{folder}/{name}"))
}

/// Renders the recipe of the images, and what it may see.
pub(super) fn dockerfile(plan: &Plan) -> Result<[Artifact; 2], RenderError> {
    let [path, ignored] = &dockerfiles(&plan.folder);
    let recipe = Dockerfile {
        signature: SIGNATURE,
        platform: plan.platform,
        path,
        rust_version: RUST_VERSION,
        adapter: plan.adapter_image.as_deref(),
        members: &MEMBERS,
    };
    let sources = [&["Cargo.lock", "Cargo.toml"][..], &MEMBERS].concat();
    let ignore = Dockerignore { signature: SIGNATURE, sources: &sources };
    Ok([finish(path, &recipe)?, finish(ignored, &ignore)?])
}
