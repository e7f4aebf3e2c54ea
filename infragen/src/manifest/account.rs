//! `[aws]`: what a company's account asks of everything that is made in it. Types, and the keys of that table.

use super::aws::{RoleArn, arn, is_name, part};
use super::reader::{ManifestValue, Problem, section};
use super::tree::Node;
use super::types::texts;
use super::values::{list, text};

/// Most accounts that one environment may go to.
const ACCOUNTS_MAX: usize = 10;
/// Whose policies AWS itself keeps, where an ARN has an account's number.
const AWS_ITSELF: &str = "aws";

/// Returns whether a text is the number of an account.
fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// An ARN of a managed policy, of an account or of AWS itself.
fn is_policy(text: &str) -> bool {
    // The rest is the same whoever keeps it.
    let of_somebody = text.replacen(&format!("::{AWS_ITSELF}:"), "::000000000000:", 1);
    arn(&of_somebody).is_some_and(|[service, region, _, resource]| {
        let name = resource.strip_prefix("policy/");
        service == "iam" && region.is_empty() && name.is_some_and(|name| is_name(name, "/+=,.@_-"))
    })
}

/// `/`, or parts between slashes, in 512 characters.
fn is_path(text: &str) -> bool {
    let is_bounded = text.starts_with('/') && text.ends_with('/') && text.len() <= 512;
    let inner = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
    is_bounded && (text == "/" || inner.is_some_and(|inner| inner.split('/').all(|part| is_name(part, "+=,.@_-"))))
}

texts!(
    /// ARN of a managed policy of IAM.
    PolicyArn, "a policy's ARN", "the ARN of a managed policy, such as arn:aws:iam::123456789012:policy/boundary",
    "^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9/+=,.@_-]+$",
    ["arn:aws:iam::123456789012:policy/boundary", "arn:aws:iam::aws:policy/PowerUserAccess"],
    is_policy;
    /// Path of a role: folders of IAM.
    RolePath, "a path", "/, or names between slashes such as /team/live/, of a-z, A-Z, 0-9, +, =, comma, ., @, _ and -, in 512 characters",
    "^/([A-Za-z0-9+=,.@_-]+/)*$",
    ["/team/live/", "/service/"],
    is_path;
    /// ARN of a key of KMS, which is not an alias of one.
    KmsKeyArn, "a key's ARN",
    "the ARN of a KMS key, such as arn:aws:kms:us-east-1:123456789012:key/1a2b3c4d-0000-1111-2222-333344445555, and not of an alias",
    "^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$",
    ["arn:aws:kms:us-east-1:123456789012:key/1a2b3c4d-0000-1111-2222-333344445555", "arn:aws:kms:us-east-1:123456789012:key/mrk-0123456789abcdef0123456789abcdef"],
    |text| arn(text).is_some_and(|[service, region, _, resource]| {
        service == "kms" && !region.is_empty() && resource.strip_prefix("key/").is_some_and(|id| is_name(id, "-"))
    });
    /// What a role's owner has agreed on with whoever takes it on.
    ExternalId, "an external identifier", "2 to 1224 of a-z, A-Z, 0-9, +, =, comma, ., @, :, /, _ and -",
    "^[A-Za-z0-9+=,.@:/_-]{2,1224}$",
    ["live-dashboards", "team/1"],
    |text| (2..=1224).contains(&text.len()) && is_name(text, "+=,.@:/_-");
    /// What a session of a role is called in logs of the account.
    SessionName, "a session's name", "2 to 64 of a-z, A-Z, 0-9, +, =, comma, ., @, _ and -",
    "^[A-Za-z0-9+=,.@_-]{2,64}$",
    ["deployment", "live@pipeline"],
    |text| (2..=64).contains(&text.len()) && is_name(text, "+=,.@_-");
);

impl PolicyArn {
    /// The account that keeps it; none where AWS does.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        Some(part(&self.0, 4)).filter(|account| *account != AWS_ITSELF)
    }

    /// The partition that it is in.
    #[must_use]
    pub fn partition(&self) -> &str {
        part(&self.0, 1)
    }
}

impl KmsKeyArn {
    /// The region that it is in.
    #[must_use]
    pub fn region(&self) -> &str {
        part(&self.0, 3)
    }
}

/// Partitions in which a service names itself to KMS as it does here; others were never tried.
pub const KMS_PARTITIONS: [&str; 2] = ["aws", "aws-us-gov"];

/// Accounts that an environment may go to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountIds(Vec<String>);

impl AccountIds {
    /// Their numbers, in the order of the manifest.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }

    /// Whether it may go to this one; without any, it may go everywhere.
    #[must_use]
    pub fn allow(&self, account: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|allowed| allowed == account)
    }
}

impl ManifestValue for AccountIds {
    fn read(node: &Node) -> Result<Self, Vec<Problem>> {
        let one = |found: &str| match is_account(found) {
            true => Ok(found.to_owned()),
            false => Err(Problem::text(found, "it must be an account's number, 12 digits")),
        };
        let found = list(node, &Self::rule(), one)?;
        if found.len() > ACCOUNTS_MAX {
            let says = format!("has {} elements: it must have at most {ACCOUNTS_MAX}", found.len());
            return Err(vec![Problem::new("out-of-range", says)]);
        }
        Ok(Self(found))
    }
    fn rule() -> String {
        format!("a list of at most {ACCOUNTS_MAX} accounts, each a string of 12 digits")
    }
    fn write(&self) -> Option<toml::Value> {
        Some(self.0.iter().map(|id| id.clone().into()).collect::<Vec<toml::Value>>().into())
    }
    fn schema() -> serde_json::Value {
        let item = serde_json::json!({ "type": "string", "pattern": "^[0-9]{12}$" });
        serde_json::json!({ "type": "array", "items": item, "maxItems": ACCOUNTS_MAX })
    }
    fn examples() -> Vec<toml::Value> {
        let accounts = |ids: &[&str]| ids.iter().map(|id| toml::Value::from(*id)).collect::<Vec<_>>().into();
        vec![accounts(&["123456789012"]), accounts(&["123456789012", "210987654321"])]
    }
}

section! {
    /// `[aws.assume_role]`: the role with which everything is made.
    pub struct AssumeRoleSection {
        /// Role that Terraform and infragen take on first; without it they act as whoever has the credentials.
        "role_arn" => role_arn: Option<RoleArn> = None;
        /// What the role's owner asks for, where the owner is somebody else.
        "external_id" => external_id: Option<ExternalId> = None;
        /// What the session is called in the account's logs.
        "session_name" => session_name: SessionName = SessionName("infragen".to_owned());
    }
}

section! {
    /// `[aws.kms]`: keys of one's own that what is kept is encrypted with. Their policies must let the services use them.
    pub struct KmsSection {
        /// Key of every kind below that names none of its own.
        "key_arn" => key_arn: Option<KmsKeyArn> = None;
        /// Key of the tables that are made here.
        "tables" => tables: Option<KmsKeyArn> = None;
        /// Key of the functions' logs and of their environment variables.
        "logs" => logs: Option<KmsKeyArn> = None;
        /// Key of the buckets: the state's, and behind CloudFront the page's.
        "buckets" => buckets: Option<KmsKeyArn> = None;
        /// Key of the repository of images; another key makes another repository.
        "repository" => repository: Option<KmsKeyArn> = None;
        /// Key of the topic that alarms go to.
        "topic" => topic: Option<KmsKeyArn> = None;
    }
}

section! {
    /// `[aws]`: what a company's account asks of everything that is made in it.
    pub struct AwsSection {
        /// Accounts that it may go to: any other is refused before anything is planned. Empty allows every one.
        "account_ids" => account_ids: AccountIds = AccountIds::default();
        /// Policy that bounds every role, whatever its own policies say.
        "permissions_boundary" => permissions_boundary: Option<PolicyArn> = None;
        /// Path of every role.
        "role_path" => role_path: RolePath = RolePath("/".to_owned());
        ..#[doc = "The role with which everything is made."] "assume_role" => assume_role: AssumeRoleSection;
        ..#[doc = "Keys of one's own that what is kept is encrypted with."] "kms" => kms: KmsSection;
    }
}

impl AwsSection {
    /// The accounts that it can only be in; none where any is possible.
    fn accounts(&self) -> Vec<&str> {
        match (&self.assume_role.role_arn, self.account_ids.as_slice()) {
            // A role acts in its own account, whatever else is allowed.
            (Some(role), _) => vec![role.account()],
            (None, ids) => ids.iter().map(String::as_str).collect(),
        }
    }

    /// Whether two environments may be in one account: what an account has once, the first of them makes for both.
    #[must_use]
    pub fn may_share_account(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.accounts(), other.accounts());
        ours.is_empty() || theirs.is_empty() || ours.iter().any(|account| theirs.contains(account))
    }
}

impl KmsSection {
    /// The key of one kind: its own, else that of all.
    #[must_use]
    pub fn of(&self, own: Option<&KmsKeyArn>) -> Option<String> {
        own.or(self.key_arn.as_ref()).map(|key| key.as_str().to_owned())
    }

    /// Every key that is named, with its own.
    #[must_use]
    pub fn named(&self) -> Vec<(&'static str, &KmsKeyArn)> {
        let all = [
            ("aws.kms.key_arn", &self.key_arn),
            ("aws.kms.tables", &self.tables),
            ("aws.kms.logs", &self.logs),
            ("aws.kms.buckets", &self.buckets),
            ("aws.kms.repository", &self.repository),
            ("aws.kms.topic", &self.topic),
        ];
        all.into_iter().filter_map(|(key, arn)| Some((key, arn.as_ref()?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_is_a_policy_of_the_account_or_of_aws() {
        let policy = |text: &str| PolicyArn::new(text).map(|policy| policy.account().map(str::to_owned));
        assert_eq!(policy("arn:aws:iam::123456789012:policy/team/b"), Some(Some("123456789012".to_owned())));
        assert_eq!(policy("arn:aws:iam::aws:policy/PowerUserAccess"), Some(None));
        assert_eq!(PolicyArn::new("arn:aws-cn:iam::aws:policy/x").unwrap().partition(), "aws-cn");
        for bad in [
            "arn:aws:iam::123456789012:role/b",
            "arn:aws:iam::12345678901:policy/b",
            "arn:aws:iam::aws:policy/",
            "arn:aws:iam:us-east-1:123456789012:policy/b",
            "arn:aws:iam::123456789012:policy/a*",
        ] {
            assert_eq!(policy(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_path_begins_and_ends_with_a_slash() {
        for good in ["/", "/a/", "/team/live_1/"] {
            assert!(is_path(good), "{good}");
        }
        for bad in ["", "a/", "/a", "//", "/a//b/", "/a b/", "/*/"] {
            assert!(!is_path(bad), "{bad}");
        }
        assert!(is_path(&format!("/{}/", "a".repeat(510))) && !is_path(&format!("/{}/", "a".repeat(511))));
    }

    #[test]
    fn a_key_is_no_alias_and_knows_its_region() {
        let key = KmsKeyArn::new("arn:aws:kms:eu-west-1:123456789012:key/1a-2b").unwrap();
        assert_eq!(key.region(), "eu-west-1");
        for bad in ["arn:aws:kms:eu-west-1:123456789012:alias/a", "1a-2b", "arn:aws:kms::123456789012:key/1a"] {
            assert!(KmsKeyArn::new(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn accounts_that_are_not_named_are_refused_where_any_are() {
        let accounts = AccountIds(vec!["123456789012".to_owned()]);
        assert!(accounts.allow("123456789012") && !accounts.allow("210987654321"));
        assert!(AccountIds::default().allow("210987654321"));
    }
}
