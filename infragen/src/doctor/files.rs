//! What is on the disk: rendered files, artifacts, state, the page's configuration.

use serde_json::Value;

use super::{Check, Places};
use crate::commands::Commands;
use crate::load::Loaded;
use crate::manifest::archive::ArchiveSection;
use crate::manifest::image::is_digest;
use crate::manifest::sections::ImageSection;
use crate::manifest::types::{BackendKind, FrontKind, Packaging};
use crate::manifest::{Manifest, Names};
use crate::render::parse_config_js;
use crate::write::{Report, WriteError};

/// Judges the comparison of the rendered files with the disk.
#[must_use]
pub fn rendered(places: &Places, compared: &Result<Report, WriteError>) -> Check {
    const NAME: &str = "rendered";
    let next = format!("run `{}`", places.render);
    match compared {
        Ok(report) if report.changes.is_empty() => Check::ok(NAME, "every file is what the manifest says"),
        Ok(report) => {
            let first = &report.changes[0].0;
            let count = report.changes.len();
            let others = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
            Check::missing(NAME, format!("`{first}`{others} is not what the manifest says"), next)
        }
        Err(error) => {
            let next = error.hint().map_or(next, str::to_owned);
            Check::missing(NAME, crate::manifest::tree::shorten(&error.to_string()), next)
        }
    }
}

/// Judges where Terraform keeps its state.
#[must_use]
pub fn state(loaded: &Loaded) -> Check {
    const NAME: &str = "state";
    let backend = &loaded.manifest.terraform.backend;
    match (backend.kind, &backend.bucket) {
        (BackendKind::S3, Some(bucket)) => {
            let key = Names::derive(&loaded.manifest).state_key;
            Check::ok(NAME, format!("s3://{}/{key}", bucket.as_str()))
        }
        // The manifest is refused without a bucket; with a local backend the file is enough for one person.
        _ => Check::ok(NAME, "a file beside the configuration, on this machine alone; `kind = \"s3\"` shares it"),
    }
}

/// Judges the references of the functions' artifacts; `digest` is the base64 SHA-256 of a file, named from the manifest's
/// folder, where it can be read.
#[must_use]
pub fn artifacts(
    manifest: &Manifest,
    places: &Places,
    text: Option<&str>,
    digest: &dyn Fn(&str) -> Option<String>,
) -> Vec<Check> {
    let file = &places.artifacts;
    let references: Option<Value> = text.and_then(|text| serde_json::from_str(text).ok());
    let (stream, dashboard) = (&manifest.stream, &manifest.dashboard);
    let functions = [
        ("artifact-stream", "stream", stream.package, existing(stream.package, &stream.image, &stream.archive)),
        (
            "artifact-dashboard",
            "dashboard",
            dashboard.package,
            existing(dashboard.package, &dashboard.image, &dashboard.archive),
        ),
    ];
    let judge = |(name, role, package, existing): (&'static str, &str, Packaging, Option<String>)| {
        if let Some(existing) = existing {
            return Check::ok(name, format!("`{existing}`, from the manifest"));
        }
        let next = match package {
            Packaging::Zip => format!("run `{}`", places.package),
            Packaging::Image => format!("run `{}`, or set `package = \"zip\"` under `[{role}]`", places.image),
        };
        let next = next.as_str();
        let Some(references) = &references else {
            let why = if text.is_some() { "is no JSON" } else { "is not there" };
            return Check::missing(name, format!("`{file}` {why}"), next);
        };
        let variable = format!("{role}_{}", package.as_str());
        match (package, references.get(&variable)) {
            (_, None | Some(Value::Null)) => Check::missing(name, format!("`{file}` has no `{variable}`"), next),
            (Packaging::Image, Some(value)) => image(name, value, next),
            (Packaging::Zip, Some(value)) => {
                zip(name, value, manifest.package.architecture.as_str(), places, digest, next)
            }
        }
    };
    functions.map(judge).into()
}

/// What is there already, where the manifest names it.
fn existing(package: Packaging, image: &ImageSection, archive: &ArchiveSection) -> Option<String> {
    match package {
        Packaging::Image => image.uri.as_ref().map(|uri| uri.as_str().to_owned()),
        Packaging::Zip => archive.place().map(|(bucket, key)| format!("s3://{bucket}/{key}")),
    }
}

fn image(name: &'static str, value: &Value, next: &str) -> Check {
    let text = value.as_str().unwrap_or_default();
    let digest = text.rsplit_once("@sha256:").map(|(_, digest)| digest);
    if digest.is_some_and(is_digest) {
        return Check::ok(name, format!("`{text}`"));
    }
    Check::missing(name, format!("`{}` is not pinned by digest", crate::manifest::tree::shorten(text)), next)
}

fn zip(
    name: &'static str,
    value: &Value,
    architecture: &str,
    places: &Places,
    digest: &dyn Fn(&str) -> Option<String>,
    next: &str,
) -> Check {
    let part = |key: &str| value.get(key).and_then(Value::as_str);
    let (Some(path), Some(sha256)) = (part("path"), part("sha256")) else {
        return Check::missing(name, "its reference has no `path` and `sha256`", next);
    };
    if let Some(built) = part("architecture").filter(|built| *built != architecture) {
        return Check::missing(name, format!("`{path}` was built for {built}, the manifest says {architecture}"), next);
    }
    // Terraform takes the path from the folder of its root.
    let resolved = format!("{}/{path}", places.root);
    match digest(if path.starts_with('/') { path } else { &resolved }) {
        None => Check::missing(name, format!("`{path}` cannot be read"), next),
        Some(found) if found == sha256 => Check::ok(name, format!("`{path}`, and its hash is right")),
        Some(_) => Check::missing(name, format!("`{path}` has another hash than `{}` says", places.artifacts), next),
    }
}

/// Judges the page's configuration: whether it knows its functions.
#[must_use]
pub fn page(loaded: &Loaded, places: &Places, config_js: Option<&str>) -> Check {
    const NAME: &str = "page";
    let (manifest, path) = (&loaded.manifest, &places.page);
    if manifest.front.kind == FrontKind::CloudFront {
        return Check::ok(NAME, "same origin as the functions, and uploaded by Terraform");
    }
    if ![&manifest.page.api_base_url, &manifest.page.sse_base_url].iter().any(|url| url.as_str().is_empty()) {
        return Check::ok(NAME, "both addresses are in the manifest");
    }
    // The recipe of a runner does both.
    let then = match manifest.output.runner.as_str() {
        Some(_) => String::new(),
        None => format!("`, then `{}", Commands::of(loaded).infragen("page")),
    };
    let folder = loaded.page_folder();
    let apply = format!("run `{}{then}`: it leaves the page with its addresses in `{folder}`", places.apply);
    let Some(text) = config_js else {
        return Check::missing(NAME, format!("`{path}` is not there: the page does not know its functions yet"), apply);
    };
    let config = parse_config_js(text).unwrap_or_default();
    let is_live = |key: &str| config.get(key).and_then(Value::as_str).is_some_and(|url| url.starts_with("http"));
    let empty: Vec<&str> = ["API_BASE_URL", "SSE_BASE_URL"].into_iter().filter(|key| !is_live(key)).collect();
    if empty.is_empty() {
        return Check::ok(NAME, format!("`{path}` has the live addresses"));
    }
    Check::missing(NAME, format!("`{path}` has no address in {}", empty.join(" and ")), apply)
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::super::aws::tests::loaded;
    use super::*;

    fn statuses(manifest: &str, text: Option<&str>) -> Vec<Status> {
        let digest = |path: &str| (path == "generated/terraform/../../dist/a.zip").then(|| "hash".to_owned());
        artifacts(&loaded(manifest).manifest, &Places::of(&loaded(manifest)), text, &digest)
            .into_iter()
            .map(|check| check.status)
            .collect()
    }

    #[test]
    fn artifacts_are_there_pinned_and_unchanged() {
        use Status::{Missing, Ok};
        let digest = "0".repeat(64);
        let zip = r#"{"path": "../../dist/a.zip", "sha256": "hash", "architecture": "arm64"}"#;
        let text = |image: &str, zip: &str| format!("{{\"stream_image\": \"{image}\", \"dashboard_zip\": {zip}}}");
        let check = |text: &str, expected: [Status; 2]| {
            assert_eq!(statuses("[stream]\npackage = \"image\"\n", Some(text)), expected, "{text}");
        };
        check(&text(&format!("r@sha256:{digest}"), zip), [Ok, Ok]);
        check(&text("r:latest", &zip.replace("hash", "other")), [Missing, Missing]);
        check(&text("r@sha256:00", &zip.replace("a.zip", "b.zip")), [Missing, Missing]);
        check(&text("", &zip.replace("arm64", "x86_64")), [Missing, Missing]);
        check("{\"stream_image\": null, \"dashboard_zip\": 3}", [Missing, Missing]);
        check("not json", [Missing, Missing]);
        assert_eq!(statuses("", None), [Missing, Missing]);
        let uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sse";
        let given = format!("[stream]\npackage = \"image\"\n[stream.image]\nuri = \"{uri}@sha256:{digest}\"\n");
        assert_eq!(statuses(&given, None), [Ok, Missing]);
    }

    #[test]
    fn the_page_knows_its_functions() {
        let judge = |manifest: &str, text: Option<&str>| {
            let loaded = loaded(manifest);
            page(&loaded, &Places::of(&loaded), text).status
        };
        let config = |api: &str, sse: &str| {
            format!("// x\nwindow.CONFIG = Object.freeze({{\"API_BASE_URL\":\"{api}\",\"SSE_BASE_URL\":\"{sse}\"}});\n")
        };
        assert_eq!(judge("", Some(&config("https://a", "https://b"))), Status::Ok);
        assert_eq!(judge("", Some(&config("https://a", ""))), Status::Missing);
        assert_eq!(judge("", Some("window")), Status::Missing);
        assert_eq!(judge("", None), Status::Missing);
        assert_eq!(judge("[front]\nkind = \"cloudfront\"\n", None), Status::Ok);
        let given = "[page]\napi_base_url = \"https://a.example\"\nsse_base_url = \"https://b.example\"\n";
        assert_eq!(judge(given, None), Status::Ok);
    }
}
