//! Archives in S3 that the manifest names: whether they are there, and in the region in which Lambda takes them.

use serde_json::Value;

use super::aws::{command, silent};
use super::{Check, Ran};
use crate::manifest::Manifest;
use crate::manifest::archive::ObjectVersion;
use crate::manifest::types::Packaging;

/// Regions that S3 calls otherwise in its answers.
const OLD_NAMES: [(&str, &str); 2] = [("", "us-east-1"), ("EU", "eu-west-1")];

/// An archive that a function runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Archive<'m> {
    /// What the check of it is called.
    name: &'static str,
    bucket: &'m str,
    key: &'m str,
    version: Option<&'m str>,
}

/// Finds the archives that the functions run.
#[must_use]
pub fn of(manifest: &Manifest) -> Vec<Archive<'_>> {
    let (stream, dashboard) = (&manifest.stream, &manifest.dashboard);
    let sections = [
        ("archive-stream", stream.package, &stream.archive),
        ("archive-dashboard", dashboard.package, &dashboard.archive),
    ];
    let zips = sections.into_iter().filter(|(_, package, _)| *package == Packaging::Zip);
    zips.filter_map(|(name, _, section)| {
        let (bucket, key) = section.place()?;
        Some(Archive { name, bucket, key, version: section.object_version.as_ref().map(ObjectVersion::as_str) })
    })
    .collect()
}

impl Archive<'_> {
    /// What asks whether the object is there.
    #[must_use]
    pub fn object_command(&self, manifest: &Manifest) -> Vec<String> {
        let mut arguments = vec!["s3api", "head-object", "--bucket", self.bucket, "--key", self.key];
        arguments.extend(self.version.into_iter().flat_map(|version| ["--version-id", version]));
        command(manifest, &arguments)
    }

    /// What asks where the bucket is.
    #[must_use]
    pub fn place_command(&self, manifest: &Manifest) -> Vec<String> {
        command(manifest, &["s3api", "get-bucket-location", "--bucket", self.bucket])
    }

    /// Judges both answers.
    #[must_use]
    pub fn judge(&self, manifest: &Manifest, object: &Ran, place: &Ran) -> Check {
        let Self { name, bucket, key, .. } = *self;
        let address = format!("s3://{bucket}/{key}");
        if object.failed_with("(404)") || object.failed_with("Not Found") {
            let version = self.version.map(|version| format!(" in the version `{version}`")).unwrap_or_default();
            return Check::missing(
                name,
                format!("`{address}` is not there{version}"),
                "upload it, or name another one",
            );
        }
        let Ran::Done(_) = object else {
            return silent(name, object, "allow `s3:GetObject` on it, as a deployment needs it");
        };
        let Ran::Done(answer) = place else { return silent(name, place, "allow `s3:GetBucketLocation` on its bucket") };
        let answer: Value = serde_json::from_str(answer).unwrap_or_default();
        let found = answer.get("LocationConstraint").and_then(Value::as_str).unwrap_or_default();
        let found = OLD_NAMES.iter().find(|(old, _)| *old == found).map_or(found, |(_, region)| region);
        let wanted = manifest.project.region.as_str();
        if found != wanted {
            let found = crate::manifest::tree::shorten(found);
            let text = format!("`{address}` is in {found}: Lambda takes archives of its own region only, {wanted}");
            return Check::missing(name, text, "copy it to a bucket of that region");
        }
        Check::ok(name, format!("`{address}`, in {wanted}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::super::aws::tests::loaded;
    use super::*;

    const OBJECT: &str = "[stream.archive]\nbucket = \"artifacts\"\nkey = \"a/stream.zip\"\nobject_version = \"v1\"\n\
                          sha256 = \"LI1CBoY11NBpRmfyMROQtzqbidohM6Zpa5WZrhEsYfE=\"\n";

    fn done(text: &str) -> Ran {
        Ran::Done(text.to_owned())
    }

    #[test]
    fn only_archives_of_the_manifest_are_asked_about() {
        assert_eq!(of(&loaded("").manifest), []);
        let loaded = loaded(OBJECT);
        let found = of(&loaded.manifest);
        let [archive] = found[..] else { panic!("{found:?}") };
        let asked = archive.object_command(&loaded.manifest).join(" ");
        let expected = "aws s3api head-object --bucket artifacts --key a/stream.zip --version-id v1 --region us-east-1 --output json";
        assert_eq!(asked, expected);
    }

    #[test]
    fn an_archive_is_there_and_in_the_region_of_the_function() {
        let loaded = loaded(OBJECT);
        let manifest = &loaded.manifest;
        let judge = |object: &Ran, place: &Ran| {
            let check = of(manifest)[0].judge(manifest, object, place);
            (check.status, check.found)
        };
        let here = done("{\"LocationConstraint\": null}");
        assert_eq!(judge(&done("{}"), &here), (Status::Ok, "`s3://artifacts/a/stream.zip`, in us-east-1".to_owned()));
        let (status, found) = judge(&done("{}"), &done("{\"LocationConstraint\": \"EU\"}"));
        assert_eq!(status, Status::Missing);
        assert!(found.contains("is in eu-west-1: Lambda takes archives of its own region only, us-east-1"), "{found}");
        let absent = Ran::Failed("An error occurred (404) when calling the HeadObject operation: Not Found".to_owned());
        let (status, found) = judge(&absent, &here);
        assert_eq!(status, Status::Missing);
        assert!(found.ends_with("is not there in the version `v1`"), "{found}");
        assert_eq!(judge(&Ran::Failed("(403) Forbidden".to_owned()), &here).0, Status::Unknown);
        assert_eq!(judge(&done("{}"), &Ran::Failed("(403) Forbidden".to_owned())).0, Status::Unknown);
    }
}
