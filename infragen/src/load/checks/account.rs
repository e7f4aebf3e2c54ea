//! Rules of an account: what is named in it must be of it, and of the region and partition that everything goes to.

use super::Checks;
use crate::manifest::account::{KMS_PARTITIONS, KmsKeyArn};
use crate::manifest::aws::Compute;
use crate::manifest::regions::CLOUDFRONT_REGION;
use crate::manifest::types::{FrontKind, LogRetention};

impl Checks<'_> {
    pub(super) fn account(&self) {
        self.assumed_role();
        self.boundary();
        self.kms_keys();
        self.key_of_access_log();
        self.taken_over();
        self.existing();
    }

    /// What is there already: a name for it, and nothing that only its owner decides.
    fn existing(&self) {
        let manifest = self.manifest;
        let (package, ci) = (&manifest.package, &manifest.ci);
        if !package.create_repository {
            if package.repository.is_none() {
                self.fail(
                    "repository-not-named",
                    &["package.create_repository", "package.repository"],
                    "`package.create_repository` is `false`: a repository that exists needs its name".to_owned(),
                    "set `repository` under `[package]`",
                );
            }
            if let Some(key) = &manifest.aws.kms.repository {
                self.fail(
                    "key-of-existing-repository",
                    &["aws.kms.repository", "package.create_repository"],
                    format!(
                        "`aws.kms.repository` is `{}`: `package.create_repository` is `false`, and a repository that exists has \
                         the key that it was made with",
                        key.as_str()
                    ),
                    "remove one of the two",
                );
            }
        }
        if let Some(provider) = &ci.oidc_provider_arn {
            if let Some(role) = &ci.role_arn {
                self.fail(
                    "provider-unused",
                    &["ci.oidc_provider_arn", "ci.role_arn"],
                    format!("`ci.oidc_provider_arn` is set: `ci.role_arn` is `{}`, and no role is made", role.as_str()),
                    "remove one of the two",
                );
            }
            self.of_account("ci.oidc_provider_arn", provider.as_str(), Some(provider.account()), provider.partition());
        }
        let on_instances = manifest.stream.compute == Compute::ManagedInstances;
        let (stream, dashboard) = (&manifest.stream, &manifest.dashboard);
        for (role, group, retention, instances) in [
            ("stream", &stream.log_group, stream.log_retention, on_instances),
            ("dashboard", &dashboard.log_group, dashboard.log_retention, false),
        ] {
            let key = format!("{role}.log_retention_days");
            // The instances under a function have a log of their own.
            let is_set = retention != LogRetention::DEFAULT && !instances;
            if let Some(group) = group.as_ref().filter(|_| is_set) {
                let named = format!("{role}.log_group");
                self.fail(
                    "retention-of-existing-log-group",
                    &[&key, &named],
                    format!(
                        "`{key}` is set: `{named}` is `{}`, and how long that keeps lines is its owner's business",
                        group.as_str()
                    ),
                    "remove one of the two",
                );
            }
        }
    }

    fn taken_over(&self) {
        let tables = &self.manifest.tables;
        for (role, table) in [("items", &tables.items), ("users", &tables.users)] {
            if table.import && !table.create {
                let keys = ["import", "create"].map(|key| format!("tables.{role}.{key}"));
                self.fail(
                    "import-without-create",
                    &keys.each_ref().map(String::as_str),
                    format!("`{}` is `true`, and `{}` is `false`: what is taken over is Terraform's", keys[0], keys[1]),
                    &format!("remove `{}`, and the table is used as it is, or remove `{}`", keys[0], keys[1]),
                );
            }
        }
    }

    fn assumed_role(&self) {
        let (aws, ci) = (&self.manifest.aws, &self.manifest.ci);
        let Some(role) = &aws.assume_role.role_arn else {
            if aws.assume_role.external_id.is_some() {
                self.fail(
                    "external-id-without-role",
                    &["aws.assume_role.external_id", "aws.assume_role.role_arn"],
                    "`aws.assume_role.external_id` is set: no role is taken on that could ask for it".to_owned(),
                    "set `role_arn` under `[aws.assume_role]`, or remove `external_id`",
                );
            }
            return;
        };
        self.of_account("aws.assume_role.role_arn", role.as_str(), Some(role.account()), role.partition());
        if ci.makes_roles() {
            self.fail(
                "assumed-role-in-workflow",
                &["aws.assume_role.role_arn", "ci.provider"],
                format!(
                    "`aws.assume_role.role_arn` is `{}`: the workflow has roles of its own, and a pull request that could \
                     take on this one could change anything",
                    role.as_str()
                ),
                "remove it and give people the role by their profile, or name a role of your own in `ci.role_arn`",
            );
        }
    }

    fn boundary(&self) {
        let Some(policy) = &self.manifest.aws.permissions_boundary else { return };
        self.of_account("aws.permissions_boundary", policy.as_str(), policy.account(), policy.partition());
    }

    /// Refuses what is in another account than those allowed, or in another partition.
    fn of_account(&self, key: &str, arn: &str, account: Option<&str>, partition: &str) {
        let (accounts, region) = (&self.manifest.aws.account_ids, &self.manifest.project.region);
        if let Some(account) = account.filter(|account| !accounts.allow(account)) {
            self.fail(
                "arn-of-another-account",
                &[key, "aws.account_ids"],
                format!("`{key}` is `{arn}`: `aws.account_ids` does not name its account, `{account}`"),
                "name one of that account, or add the account",
            );
        }
        if partition != region.partition() {
            self.fail(
                "arn-of-another-partition",
                &[key, "project.region"],
                format!(
                    "`{key}` is `{arn}`: `project.region`, `{}`, is in the partition `{}`",
                    region.as_str(),
                    region.partition()
                ),
                "name one of that partition",
            );
        }
    }

    /// A group takes a key of its own region, and CloudFront hands out its lines in one only.
    fn key_of_access_log(&self) {
        let (aws, front) = (&self.manifest.aws, &self.manifest.front);
        let region = self.manifest.project.region.as_str();
        let is_elsewhere = front.kind == FrontKind::CloudFront && front.access_log && region != CLOUDFRONT_REGION;
        if let Some(key) = aws.kms.of(aws.kms.logs.as_ref()).filter(|_| is_elsewhere) {
            let named = if aws.kms.logs.is_some() { "aws.kms.logs" } else { "aws.kms.key_arn" };
            self.fail(
                "key-of-access-log",
                &["front.access_log", named],
                format!(
                    "`front.access_log` is `true`: CloudFront's lines go to a log group in `{CLOUDFRONT_REGION}`, and `{named}` is \
                     `{key}`, of another region"
                ),
                "remove `front.access_log`, or deploy in that region",
            );
        }
    }

    fn kms_keys(&self) {
        let manifest = self.manifest;
        let of_table = |key, arn: &'_ Option<KmsKeyArn>| arn.clone().map(|arn| (key, arn));
        let named = manifest.aws.kms.named().into_iter().map(|(key, arn)| (key, arn.clone()));
        let tables = &manifest.tables;
        let all = named
            .chain(of_table("tables.items.kms_key_arn", &tables.items.kms_key_arn))
            .chain(of_table("tables.users.kms_key_arn", &tables.users.kms_key_arn));
        let region = &manifest.project.region;
        for (key, arn) in all {
            if !KMS_PARTITIONS.contains(&region.partition()) {
                self.fail(
                    "kms-never-tried",
                    &[key, "project.region"],
                    format!(
                        "`{key}` is set: `project.region`, `{}`, is in the partition `{}`, and how services name themselves \
                         to KMS was never tried there",
                        region.as_str(),
                        region.partition()
                    ),
                    "remove it: AWS then encrypts with a key of its own",
                );
            } else if arn.region() != region.as_str() {
                self.fail(
                    "key-of-another-region",
                    &[key, "project.region"],
                    format!(
                        "`{key}` is in `{}`: services take keys of their own region only, `project.region`, `{}`",
                        arn.region(),
                        region.as_str()
                    ),
                    "name a key of that region; one of several regions has an ARN in each",
                );
            }
        }
    }
}
