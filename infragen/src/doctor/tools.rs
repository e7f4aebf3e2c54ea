//! Terraform, or OpenTofu where that is there instead, and the provider that the last `init` chose.

use super::{Check, Places, Ran};
use crate::manifest::Manifest;
use crate::manifest::version::{Version, VersionConstraint};

/// The programs that apply what is rendered; the first one that is there is taken.
pub const PROGRAMS: [&str; 2] = ["terraform", "tofu"];
const INSTALL: &str = "install Terraform: https://developer.hashicorp.com/terraform/install";
/// The provider as lock files name it, of either program.
const PROVIDERS: [&str; 2] = ["registry.terraform.io/hashicorp/aws", "registry.opentofu.org/hashicorp/aws"];

/// What asks one of the programs for its version.
#[must_use]
pub fn version_command(program: &str) -> [&str; 3] {
    [program, "version", "-json"]
}

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

/// Judges what [`version_command`] said.
#[must_use]
pub fn terraform(manifest: &Manifest, program: &str, ran: &Ran) -> Check {
    const NAME: &str = "terraform";
    let Ran::Done(stdout) = ran else {
        return Check::unknown(NAME, ran.silence(program).unwrap_or_default(), INSTALL);
    };
    let constraint = manifest.terraform.required_version.get();
    let answer: serde_json::Value = serde_json::from_str(stdout).unwrap_or_default();
    let Some(version) = answer.get("terraform_version").and_then(serde_json::Value::as_str) else {
        return Check::unknown(NAME, format!("`{program} version -json` told no version"), INSTALL);
    };
    let check = against(NAME, version, constraint, &format!("install a Terraform that is `{}`", constraint.as_str()));
    // What is rendered was tried with Terraform alone.
    let found = if program == NAME { check.found } else { format!("{program} {}", check.found) };
    Check { found, ..check }
}

/// Judges the lock file that `terraform init` leaves.
#[must_use]
pub fn provider(manifest: &Manifest, program: &str, places: &Places, lock: Option<&str>) -> Check {
    const NAME: &str = "provider";
    let init = format!("run `{program} -chdir={} init`", places.root);
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
        block.ident.as_str() == "provider" && block.labels.iter().any(|label| PROVIDERS.contains(&label.as_str()))
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
            for program in PROGRAMS {
                assert_eq!(terraform(&manifest, program, &ran).status, status, "{program} {ran:?}");
            }
        }
        let tofu = terraform(&manifest, "tofu", &told("1.11.4"));
        assert!(tofu.found.starts_with("tofu 1.11.4, as "), "{tofu:?}");
        assert_eq!(terraform(&manifest, "tofu", &Ran::Failed("no".into())).found, "`tofu` failed: no");
    }

    #[test]
    fn the_locked_provider_is_held_against_the_constraint() {
        let loaded = loaded("");
        let places = Places::of(&loaded);
        let judge = |lock: Option<&str>| provider(&loaded.manifest, "terraform", &places, lock).status;
        for name in PROVIDERS {
            let lock = |version: &str| {
                format!("# by init\nprovider \"{name}\" {{\n  version = \"{version}\"\n  hashes = [\"h1:x\"]\n}}\n")
            };
            assert_eq!(judge(Some(&lock("5.100.0"))), Status::Ok);
            assert_eq!(judge(Some(&lock("6.66.0"))), Status::Ok);
            assert_eq!(judge(Some(&lock("7.0.0"))), Status::Missing);
        }
        assert_eq!(judge(Some("provider \"registry.terraform.io/hashicorp/random\" {}\n")), Status::Missing);
        assert_eq!(judge(Some("{{{")), Status::Missing);
        assert_eq!(judge(None), Status::Missing);
    }
}
