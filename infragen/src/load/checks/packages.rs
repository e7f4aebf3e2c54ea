//! Rules of what the functions run: each is given its code once, and for the processor and region that it runs in.

use super::Checks;
use crate::manifest::archive::ArchiveSection;
use crate::manifest::sections::ImageSection;
use crate::manifest::types::Packaging;

impl Checks<'_> {
    pub(super) fn packages(&self) {
        let (stream, dashboard) = (&self.manifest.stream, &self.manifest.dashboard);
        self.image("stream", &stream.image, stream.package);
        self.image("dashboard", &dashboard.image, dashboard.package);
        self.archive("stream", &stream.archive, stream.package);
        self.archive("dashboard", &dashboard.archive, dashboard.package);
    }

    fn image(&self, role: &str, image: &ImageSection, package: Packaging) {
        let (uri_key, package_key) = (format!("{role}.image.uri"), format!("{role}.package"));
        let architecture_key = format!("{role}.image.architecture");
        if let Some(uri) = &image.uri {
            if package == Packaging::Zip {
                self.fail(
                    "image-of-zip",
                    &[&uri_key, &package_key],
                    format!("`{uri_key}` is set: `{package_key}` is `zip`, which runs no image"),
                    &format!("remove it, or write `package = \"image\"` under `[{role}]`"),
                );
            }
            let region = self.manifest.project.region.as_str();
            if uri.region() != region {
                self.fail("image-of-another-region", 
                    &[&uri_key, "project.region"],
                    format!(
                        "`{uri_key}` is in `{}`: Lambda takes images of its own region only, `project.region`, `{region}`",
                        uri.region()
                    ),
                    "copy the image to a repository of that region",
                );
            }
        }
        let wanted = self.manifest.package.architecture;
        if let Some(architecture) = image.architecture.filter(|found| *found != wanted) {
            self.fail(
                "image-of-another-processor",
                &[&architecture_key, "package.architecture"],
                format!(
                    "`{architecture_key}` is `{}`: the function runs on `package.architecture`, `{}`, and Lambda \
                     compares the two only when the first invocation fails",
                    architecture.as_str(),
                    wanted.as_str()
                ),
                "build the image for that processor, or change `package.architecture`",
            );
        }
    }

    /// An object of S3: with everything that tells one from another, and where an archive is run.
    fn archive(&self, role: &str, archive: &ArchiveSection, package: Packaging) {
        let all = [
            ("bucket", archive.bucket.is_some()),
            ("key", archive.key.is_some()),
            ("sha256", archive.sha256.is_some()),
        ];
        let set = all.iter().filter(|(_, is_set)| *is_set).map(|(name, _)| *name);
        let set = set.chain(archive.object_version.as_ref().map(|_| "object_version"));
        let Some(first) = set.map(|name| format!("{role}.archive.{name}")).next() else { return };
        let package_key = format!("{role}.package");
        if package == Packaging::Image {
            self.fail(
                "archive-of-image",
                &[&first, &package_key],
                format!("`{first}` is set: `{package_key}` is `image`, which runs no archive"),
                &format!("remove it, or write `package = \"zip\"` under `[{role}]`"),
            );
        }
        let missing: Vec<String> =
            all.iter().filter(|(_, is_set)| !is_set).map(|(name, _)| format!("{role}.archive.{name}")).collect();
        let involved: Vec<&str> = std::iter::once(&first).chain(&missing).map(String::as_str).collect();
        if !missing.is_empty() {
            self.fail(
                "archive-incomplete",
                &involved,
                format!(
                    "`{first}` is set: an archive in S3 needs `bucket`, `key` and `sha256`, and there is no `{}`",
                    missing.join("` and no `")
                ),
                "set them, or remove the table; `openssl dgst -sha256 -binary FILE | base64` prints the hash",
            );
        }
    }
}
