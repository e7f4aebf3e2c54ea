//! Terraform and the provider that the last `init` chose.

use super::{Check, Places, Ran};
use crate::manifest::Manifest;
use crate::manifest::version::{Version, VersionConstraint};

/// What asks Terraform for its version.
pub const TERRAFORM_VERSION: [&str; 3] = ["terraform", "version", "-json"];
const INSTALL: &str = "install Terraform: https://developer.hashicorp.com/terraform/install";
/// The provider as lock files name it.
const PROVIDER: &str = "registry.terraform.io/hashicorp/aws";

fn against(name: &'static str, found: &str, constraint: &VersionConstraint, next: &str) -> Check {
    let asked = constraint.as_str();
    match found.parse::<Version>() {
        Ok(version) if constraint.allows(version) => Check::ok(name, format!("{version}, as `{asked}` asks")),
        // A pre-release satisfies nothing but its own name.
        _ => {
            Check::missing(name, format!("{}, but `{asked}` is asked for", crate::manifest::tree::shorten(found)), next)
        }
    }
}

/// Judges what `terraform version -json` said.
#[must_use]
pub fn terraform(manifest: &Manifest, ran: &Ran) -> Check {
    const NAME: &str = "terraform";
    let Ran::Done(stdout) = ran else {
        return Check::unknown(NAME, ran.silence(NAME).unwrap_or_default(), INSTALL);
    };
    let constraint = manifest.terraform.required_version.get();
    let answer: serde_json::Value = serde_json::from_str(stdout).unwrap_or_default();
    let Some(version) = answer.get("terraform_version").and_then(serde_json::Value::as_str) else {
        return Check::unknown(NAME, "`terraform version -json` told no version", INSTALL);
    };
    against(NAME, version, constraint, &format!("install a Terraform that is `{}`", constraint.as_str()))
}

/// Judges the lock file that `terraform init` leaves.
#[must_use]
pub fn provider(manifest: &Manifest, places: &Places, lock: Option<&str>) -> Check {
    const NAME: &str = "provider";
    let init = format!("run `terraform -chdir={} init`", places.root);
    let path = format!("{}/.terraform.lock.hcl", places.root);
    let Some(lock) = lock else {
        return Check::missing(NAME, format!("`{path}` is not there: Terraform is not initialised"), init);
    };
    let Some(version) = locked(lock) else {
        return Check::missing(NAME, format!("`{path}` names no version of hashicorp/aws"), init);
    };
    against(NAME, &version, manifest.terraform.aws_provider.get(), &format!("{init} with `-upgrade`"))
}

/// The version of the AWS provider in a lock file.
fn locked(lock: &str) -> Option<String> {
    let body = hcl_edit::parser::parse_body(lock).ok()?;
    let is_aws = |block: &&hcl_edit::structure::Block| {
        block.ident.as_str() == "provider" && block.labels.iter().any(|label| label.as_str() == PROVIDER)
    };
    let block = body.blocks().find(is_aws)?;
    block.body.get_attribute("version")?.value.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;
    use crate::doctor::aws::tests::loaded;

    #[test]
    fn terraform_is_held_against_the_constraint() {
        let manifest = loaded("").manifest;
        let told = |version: &str| Ran::Done(format!("{{\"terraform_version\": \"{version}\", \"platform\": \"x\"}}"));
        for (ran, status) in [
            (told("1.11.0"), Status::Ok),
            (told("1.10.5"), Status::Missing),
            (told("2.0.0"), Status::Missing),
            (told("1.12.0-beta1"), Status::Missing),
            (Ran::Done("Terraform v1.11.4".into()), Status::Unknown),
            (Ran::Done("[1]".into()), Status::Unknown),
            (Ran::Absent, Status::Unknown),
            (Ran::Failed("no".into()), Status::Unknown),
        ] {
            assert_eq!(terraform(&manifest, &ran).status, status, "{ran:?}");
        }
    }

    #[test]
    fn the_locked_provider_is_held_against_the_constraint() {
        let loaded = loaded("");
        let places = Places::of(&loaded);
        let lock = |version: &str| {
            format!("# by init\nprovider \"{PROVIDER}\" {{\n  version = \"{version}\"\n  hashes = [\"h1:x\"]\n}}\n")
        };
        let judge = |lock: Option<&str>| provider(&loaded.manifest, &places, lock).status;
        assert_eq!(judge(Some(&lock("5.100.0"))), Status::Ok);
        assert_eq!(judge(Some(&lock("6.28.0"))), Status::Missing);
        assert_eq!(judge(Some("provider \"registry.terraform.io/hashicorp/random\" {}\n")), Status::Missing);
        assert_eq!(judge(Some("{{{")), Status::Missing);
        assert_eq!(judge(None), Status::Missing);
    }
}
