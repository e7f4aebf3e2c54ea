//! Names and references as AWS, GitHub and DNS define them: the manifest's texts whose rules are not ours.

use super::reader::{ManifestValue, Problem};
use super::regions::is_partition;
use super::tree::{Node, Raw};
use super::types::{texts, words};
use super::values::{list, text};
use super::words::quoted;

/// Streams of one filter that CloudFront asks for at most, where it hands one to many: for those who go on and for newcomers, each of its
/// thirteen regional edge caches by itself (AWS, "How CloudFront works with regional edge caches").
pub const SHARED_STREAMS_MAX: u32 = 2 * 13;

words!(
    /// What a function runs on.
    Compute {
        /// One request at a time in each instance: one stream, one instance.
        Classic = "classic",
        /// EC2 instances that Lambda manages: many streams in each.
        ManagedInstances = "managed-instances",
    }
);
words!(
    /// How much memory goes with one processor on managed instances.
    MemoryPerVcpu {
        /// Compute-optimised instances.
        Two = "2 GiB",
        /// General-purpose instances.
        Four = "4 GiB",
        /// Memory-optimised instances.
        Eight = "8 GiB",
    }
);
words!(
    /// The invoke mode of a program that streams.
    StreamingMode {
        /// Bytes as they are written.
        ResponseStream = "RESPONSE_STREAM",
    }
);
words!(
    /// The invoke mode of a program that answers in one piece.
    BufferedMode {
        /// One answer at the end.
        Buffered = "BUFFERED",
    }
);
words!(
    /// Where CloudFront answers from.
    PriceClass {
        /// North America, Europe and Israel.
        Hundred = "PriceClass_100",
        /// The same, Asia, the Middle East and Africa.
        TwoHundred = "PriceClass_200",
        /// Everywhere.
        All = "PriceClass_All",
    }
);
words!(
    /// Who deploys on a push.
    CiProvider {
        /// Nobody: no workflow is rendered.
        None = "none",
        /// GitHub Actions.
        Github = "github",
    }
);

impl MemoryPerVcpu {
    /// The size in GiB.
    #[must_use]
    pub const fn gibibytes(self) -> u32 {
        match self {
            Self::Two => 2,
            Self::Four => 4,
            Self::Eight => 8,
        }
    }
}

/// Splits `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE` where its first parts are well-formed.
pub(super) fn arn(text: &str) -> Option<[&str; 4]> {
    let mut parts = text.splitn(6, ':');
    let (arn, partition) = (parts.next()?, parts.next()?);
    let (service, region, account, resource) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let account_is_good = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let resource_is_good = !resource.is_empty() && resource.bytes().all(|byte| byte.is_ascii_graphic());
    (arn == "arn" && is_partition(partition) && account_is_good && resource_is_good)
        .then_some([service, region, account, resource])
}

/// A part of an ARN, counted from 0: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`.
pub(super) fn part(arn: &str, index: usize) -> &str {
    arn.splitn(6, ':').nth(index).unwrap_or_default()
}

pub(super) fn is_name(text: &str, more: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
}

/// Who signs the tokens of runs on GitHub.
pub const GITHUB_TOKENS: &str = "token.actions.githubusercontent.com";

fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(label)
}

fn is_email(text: &str) -> bool {
    let parts = text.split_once('@');
    text.len() <= 254
        && parts
            .is_some_and(|(user, host)| is_name(user, ".!#$%&'*+/=?^_`{|}~-") && is_domain(&host.to_ascii_lowercase()))
}

texts!(
    /// A domain name.
    DomainName, "a domain name", "a domain name in lower case, such as live.example.com",
    r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", ["live.example.com", "stream.example.org"],
    is_domain;
    /// Identifier of a hosted zone in Route 53.
    HostedZoneId, "a hosted zone's identifier", "the identifier of a hosted zone, such as Z0123456789ABCDEFGHIJ",
    "^Z[A-Z0-9]{1,31}$",
    ["Z0123456789ABCDEFGHIJ", "Z9876543210"],
    |text| text.starts_with('Z') && (2..=32).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    /// ARN of a certificate.
    CertificateArn, "a certificate's ARN",
    "the ARN of a certificate, such as arn:aws:acm:us-east-1:123456789012:certificate/1a2b3c4d",
    "^arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[!-~]+$",
    ["arn:aws:acm:us-east-1:123456789012:certificate/1a2b3c4d-0000-1111-2222-333344445555"],
    |text| arn(text).is_some_and(|[service, region, _, resource]| {
        service == "acm" && !region.is_empty() && resource.starts_with("certificate/")
    });
    /// ARN of a CloudFront function.
    ViewerFunctionArn, "a CloudFront function's ARN",
    "the ARN of a CloudFront function, such as arn:aws:cloudfront::123456789012:function/NAME",
    "^arn:aws[a-z-]*:cloudfront::[0-9]{12}:function/[A-Za-z0-9_-]+$",
    ["arn:aws:cloudfront::123456789012:function/set-user-id"],
    |text| arn(text).is_some_and(|[service, region, _, resource]| {
        service == "cloudfront" && region.is_empty() && resource.strip_prefix("function/").is_some_and(|n| is_name(n, "-_"))
    });
    /// ARN of an SNS topic.
    TopicArn, "a topic's ARN", "the ARN of an SNS topic, such as arn:aws:sns:us-east-1:123456789012:alarms",
    r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+(\.fifo)?$",
    ["arn:aws:sns:us-east-1:123456789012:alarms"],
    |text| arn(text).is_some_and(|[service, region, _, topic]| {
        service == "sns" && !region.is_empty() && is_name(topic.strip_suffix(".fifo").unwrap_or(topic), "-_")
    });
    /// ARN of an IAM role.
    RoleArn, "a role's ARN", "the ARN of an IAM role, such as arn:aws:iam::123456789012:role/deploy",
    "^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9/+=,.@_-]+$",
    ["arn:aws:iam::123456789012:role/deploy"],
    |text| arn(text).is_some_and(|[service, region, _, resource]| {
        service == "iam" && region.is_empty() && resource.strip_prefix("role/").is_some_and(|n| is_name(n, "/+=,.@_-"))
    });
    /// ARN of IAM's provider of GitHub's tokens.
    OidcProviderArn, "a provider's ARN",
    "the ARN of IAM's provider of GitHub's tokens, such as arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com",
    r"^arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/token\.actions\.githubusercontent\.com(/[A-Za-z0-9-]{1,60})?$",
    [
        "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com",
        "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com/example",
    ],
    |text| arn(text).is_some_and(|[service, region, _, resource]| {
        // An enterprise may have its tokens signed under an address of its own below GitHub's.
        let below = resource.strip_prefix("oidc-provider/").and_then(|host| host.strip_prefix(GITHUB_TOKENS));
        let is_enterprise = |rest: &str| rest.strip_prefix('/').is_some_and(|name| name.len() <= 60 && is_name(name, "-"));
        service == "iam" && region.is_empty() && below.is_some_and(|rest| rest.is_empty() || is_enterprise(rest))
    });
    /// An e-mail address.
    Email, "an e-mail address", "an e-mail address",
    r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+$", ["operations@example.com", "alarms@example.org"],
    is_email;
    /// A repository of GitHub.
    GithubRepository, "a repository of GitHub", "OWNER/NAME",
    "^[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100}$",
    ["example/live-dashboard", "team/live"],
    |text| text.split_once('/').is_some_and(|(owner, name)| {
        owner.len() <= 39 && is_name(owner, "-") && name.len() <= 100 && is_name(name, "._-")
    });
    /// A branch of a git repository.
    Branch, "a branch", "1 to 100 of a-z, A-Z, 0-9, /, ., _ and -",
    "^[A-Za-z0-9/._-]{1,100}$",
    ["release", "stable/1"],
    |text| text.len() <= 100 && is_name(text, "/._-");
);

impl OidcProviderArn {
    /// Who signs the tokens, as conditions name it: a host, and what follows it.
    #[must_use]
    pub fn issuer(&self) -> &str {
        part(&self.0, 5).strip_prefix("oidc-provider/").unwrap_or_default()
    }
}

/// Where a thing of IAM is, as its ARN says.
macro_rules! places {
    ($($name:ident)+) => { $(
        impl $name {
            /// The account that it is in.
            #[must_use]
            pub fn account(&self) -> &str {
                part(&self.0, 4)
            }

            /// The partition that it is in.
            #[must_use]
            pub fn partition(&self) -> &str {
                part(&self.0, 1)
            }
        }
    )+ };
}
places!(OidcProviderArn RoleArn);

impl CertificateArn {
    /// The region that the certificate is in.
    #[must_use]
    pub fn region(&self) -> &str {
        part(&self.0, 3)
    }
}

impl TopicArn {
    /// The region that the topic is in.
    #[must_use]
    pub fn region(&self) -> &str {
        part(&self.0, 3)
    }
}

/// Defines a list of identifiers that begin with the same letters.
macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident, $prefix:literal, $max:literal, $rule:literal;)+) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $name(Vec<String>);

        impl $name {
            /// The identifiers, in the order of the manifest.
            #[must_use]
            pub fn as_slice(&self) -> &[String] {
                &self.0
            }
        }

        impl ManifestValue for $name {
            fn read(node: &Node) -> Result<Self, Vec<Problem>> {
                let one = |found: &str| {
                    let hex = |rest: &str| (8..=17).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_hexdigit());
                    if found.strip_prefix($prefix).is_some_and(hex) {
                        return Ok(found.to_owned());
                    }
                    Err(Problem::text(found, concat!("it must be ", $prefix, " and 8 to 17 hexadecimal digits")))
                };
                let found = list(node, &Self::rule(), one)?;
                if found.len() > $max {
                    let says = format!("has {} elements: it must have at most {}", found.len(), $max);
                    return Err(vec![Problem::new("out-of-range", says)]);
                }
                Ok(Self(found))
            }
            fn rule() -> String {
                $rule.to_owned()
            }
            fn write(&self) -> Option<toml::Value> {
                Some(self.0.iter().map(|id| id.clone().into()).collect::<Vec<toml::Value>>().into())
            }
            fn schema() -> serde_json::Value {
                let pattern = concat!("^", $prefix, "[0-9A-Fa-f]{8,17}$");
                let item = serde_json::json!({ "type": "string", "pattern": pattern });
                serde_json::json!({ "type": "array", "items": item, "maxItems": $max })
            }
            fn examples() -> Vec<toml::Value> {
                let id = |digits: &str| toml::Value::from(format!("{}{digits}", $prefix));
                vec![vec![id("0123456789abcdef0")].into(), vec![id("0a1b2c3d"), id("4e5f6a7b")].into()]
            }
        }
    )+ };
}
identifiers!(
    /// Subnets.
    Subnets, "subnet-", 16, "a list of at most 16 subnets, each subnet- and 8 to 17 hexadecimal digits";
    /// Security groups.
    SecurityGroups, "sg-", 5, "a list of at most 5 security groups, each sg- and 8 to 17 hexadecimal digits";
    /// Interface endpoints.
    VpcEndpoints, "vpce-", 16, "a list of at most 16 VPC endpoints, each vpce- and 8 to 17 hexadecimal digits";
);

/// Environment variables beside those that the manifest's own keys become.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtraVariables(std::collections::BTreeMap<String, String>);

/// What Lambda sets itself and refuses from others (AWS Lambda, "Defined runtime environment variables").
const RESERVED_VARIABLES: [&str; 20] = [
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_MAX_CONCURRENCY",
    "AWS_LAMBDA_METADATA_API",
    "AWS_LAMBDA_METADATA_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "_HANDLER",
];

impl ExtraVariables {
    /// The variables, sorted by name.
    #[must_use]
    pub const fn as_map(&self) -> &std::collections::BTreeMap<String, String> {
        &self.0
    }
}

fn variable_problem(name: &str, node: &Node) -> Option<Problem> {
    let of_name = |rule: &str| Problem::map_key(name, node, rule);
    if RESERVED_VARIABLES.contains(&name) {
        return Some(of_name("Lambda sets this variable itself and refuses it from others").code("reserved-variable"));
    }
    if name.len() < 2 || !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !is_name(name, "_") {
        let rule = "a variable's name must be 2 or more of a-z, A-Z, 0-9 and _, beginning with a letter";
        return Some(of_name(rule).code("variable-name"));
    }
    if name.starts_with(contract::web_adapter::VARIABLE_PREFIX) {
        let rule = "`stream.adapter` decides about the web adapter's variables";
        return Some(of_name(rule).code("reserved-variable").hint("remove it"));
    }
    if contract::settings::is_setting(name) {
        let problem = of_name("a key of the manifest becomes this variable").code("reserved-variable");
        return Some(problem.hint("set that key instead"));
    }
    let problem = match &node.value {
        Raw::String(value) if value.contains('\0') => Problem::text(value, "a variable must not have NUL in it"),
        Raw::String(_) => return None,
        _ => quoted(Problem::kind(node, "a string"), node),
    };
    Some(problem.of_map_value(name, node))
}

impl ManifestValue for ExtraVariables {
    fn read(node: &Node) -> Result<Self, Vec<Problem>> {
        let Raw::Table(table) = &node.value else {
            return Err(vec![Problem::kind(node, &Self::rule())]);
        };
        let problems: Vec<Problem> = table.iter().filter_map(|(name, value)| variable_problem(name, value)).collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        let variables = table.iter().map(|(name, node)| Ok((name.clone(), text(node, "a string")?.to_owned())));
        variables.collect::<Result<_, _>>().map(Self)
    }
    fn rule() -> String {
        "a table of strings, none of them a variable of Lambda's or of another key".to_owned()
    }
    fn write(&self) -> Option<toml::Value> {
        let table: toml::Table = self.0.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
        Some(table.into())
    }
    fn schema() -> serde_json::Value {
        serde_json::json!({
            "type": "object",
            "propertyNames": { "pattern": "^[A-Za-z][A-Za-z0-9_]+$", "not": { "anyOf": [
                { "enum": RESERVED_VARIABLES },
                { "pattern": format!("^{}", contract::web_adapter::VARIABLE_PREFIX) },
            ] } },
            "additionalProperties": { "type": "string" },
        })
    }
    fn examples() -> Vec<toml::Value> {
        vec![toml::Value::Table([("RUST_LOG".to_owned(), "debug".into())].into_iter().collect())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_are_of_the_right_service_and_region() {
        assert!(CertificateArn::new("arn:aws:acm:us-east-1:123456789012:certificate/1a-2b").is_some());
        assert!(CertificateArn::new("arn:aws:acm::123456789012:certificate/1a-2b").is_none());
        let elsewhere = CertificateArn::new("arn:aws:acm:eu-west-1:123456789012:certificate/1a-2b");
        assert_eq!(elsewhere.as_ref().map(CertificateArn::region), Some("eu-west-1"));
        assert!(TopicArn::new("arn:aws:sns:us-east-1:123456789012:alarms").is_some());
        assert!(TopicArn::new("arn:aws:sqs:us-east-1:123456789012:alarms").is_none());
        assert!(RoleArn::new("arn:aws:iam::123456789012:role/team/deploy").is_some());
        assert!(RoleArn::new("arn:aws:iam::12345678901:role/deploy").is_none());
        let provider = |rest: &str| OidcProviderArn::new(&format!("arn:aws:iam::123456789012:oidc-provider/{rest}"));
        assert_eq!(provider(GITHUB_TOKENS).as_ref().map(OidcProviderArn::issuer), Some(GITHUB_TOKENS));
        let enterprise = provider("token.actions.githubusercontent.com/team-1").unwrap();
        assert_eq!(enterprise.issuer(), "token.actions.githubusercontent.com/team-1");
        for bad in
            ["gitlab.com", "token.actions.githubusercontent.com/", "token.actions.githubusercontent.com.evil.example"]
        {
            assert!(provider(bad).is_none(), "{bad}");
        }
        assert!(ViewerFunctionArn::new("arn:aws:cloudfront::123456789012:function/user-id").is_some());
    }

    #[test]
    fn addresses_and_domains_are_plain() {
        assert!(Email::new("ops+alarms@example.com").is_some());
        assert!(Email::new("ops").is_none() && Email::new("a b@example.com").is_none());
        assert!(DomainName::new("live.example.com").is_some());
        assert!(DomainName::new("Live.example.com").is_none() && DomainName::new("localhost").is_none());
    }
}
