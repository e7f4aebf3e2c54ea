//! Archives of environments in different regions: a bucket is in one of them, and Lambda takes archives of its own region only.

use super::environments::Overlay;
use crate::diagnostic::Diagnostic;
use crate::manifest::tree::{self, Table};
use crate::manifest::{LOCAL, Manifest};

/// Bucket of each function's archive, with the key that names it.
fn buckets(manifest: &Manifest) -> impl Iterator<Item = (&'static str, &str)> {
    let all = [
        ("stream.archive.bucket", &manifest.stream.archive),
        ("dashboard.archive.bucket", &manifest.dashboard.archive),
    ];
    all.into_iter().filter_map(|(key, archive)| Some((key, archive.place()?.0)))
}

/// Reports every bucket of an environment that one before it has in another region.
pub(super) fn find(base: (&Manifest, &Table), others: &[(&Overlay, Manifest, Table)]) -> Vec<Diagnostic> {
    let mut earlier: Vec<(&str, &Manifest)> = buckets(base.0).map(|(_, bucket)| (bucket, base.0)).collect();
    let mut diagnostics = Vec::new();
    for (overlay, manifest, _) in others.iter().filter(|(overlay, ..)| overlay.name.as_str() != LOCAL) {
        let region = &manifest.project.region;
        for (key, bucket) in buckets(manifest) {
            let is_elsewhere =
                |(other, first): &&(&str, &Manifest)| *other == bucket && first.project.region != *region;
            let Some((_, first)) = earlier.iter().find(is_elsewhere) else { continue };
            let name = &overlay.name;
            let message = format!(
                "`{key}` is `{bucket}` in the environments `{}` in {} and `{name}` in {}: a bucket is in one region, and Lambda takes \
                 archives of its own only",
                first.project.environment,
                first.project.region.as_str(),
                region.as_str()
            );
            let hint =
                format!("copy the archives to a bucket of {}, and name it below `[env.{name}]`", region.as_str());
            let span = tree::find(&overlay.table, key)
                .or_else(|| tree::find(base.1, key))
                .map_or_else(|| overlay.key_span.clone(), |node| node.span.clone());
            let key = format!("env.{name}.{key}");
            diagnostics.push(Diagnostic::new("archive-of-another-region", key, message).hint(hint).at(span));
        }
        earlier.extend(buckets(manifest).map(|(_, bucket)| (bucket, manifest)));
    }
    diagnostics
}
