//! What the account asks of everything that is made in it: who may make it, what bounds its roles, whose keys encrypt it.

use serde::Serialize;

use crate::manifest::Manifest;

/// What stands on the provider and on every role.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AccountPlan {
    /// Accounts that it may go to; every one where none is named.
    pub account_ids: Vec<String>,
    /// The role with which everything is made.
    pub assume_role: Option<AssumeRolePlan>,
    /// ARN of the policy that bounds every role.
    pub permissions_boundary: Option<String>,
    /// Path of every role.
    pub role_path: String,
    /// Keys of one's own, by what they encrypt; those of tables are with the tables.
    pub keys: KeysPlan,
}

/// A role that is taken on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AssumeRolePlan {
    /// Its ARN.
    pub role_arn: String,
    /// What its owner asks for.
    pub external_id: Option<String>,
    /// What the session is called.
    pub session_name: String,
}

/// ARNs of keys of KMS; without one AWS encrypts with a key of its own.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KeysPlan {
    /// Of the functions' logs and environment variables.
    pub logs: Option<String>,
    /// Of the state's bucket and the page's.
    pub buckets: Option<String>,
    /// Of the repository of images.
    pub repository: Option<String>,
    /// Of the topic that alarms go to.
    pub topic: Option<String>,
}

/// Decides what stands on the provider and on every role.
pub(super) fn account(manifest: &Manifest) -> AccountPlan {
    let (aws, kms) = (&manifest.aws, &manifest.aws.kms);
    AccountPlan {
        account_ids: aws.account_ids.as_slice().to_vec(),
        assume_role: aws.assume_role.role_arn.as_ref().map(|role| AssumeRolePlan {
            role_arn: role.as_str().to_owned(),
            external_id: aws.assume_role.external_id.as_ref().map(|id| id.as_str().to_owned()),
            session_name: aws.assume_role.session_name.as_str().to_owned(),
        }),
        permissions_boundary: aws.permissions_boundary.as_ref().map(|policy| policy.as_str().to_owned()),
        role_path: aws.role_path.as_str().to_owned(),
        keys: KeysPlan {
            logs: kms.of(kms.logs.as_ref()),
            buckets: kms.of(kms.buckets.as_ref()),
            repository: kms.of(kms.repository.as_ref()),
            topic: kms.of(kms.topic.as_ref()),
        },
    }
}
