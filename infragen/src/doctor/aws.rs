//! The account, as the AWS command line sees it: credentials, region, quotas, and the permissions of the functions' URLs.

use serde_json::Value;

use super::{Check, Places, Ran};
use crate::cost::{Assumptions, Load, Setup};
use crate::load::Loaded;
use crate::manifest::aws::Compute;
use crate::manifest::sections::ReservedConcurrency;
use crate::manifest::types::FrontKind;
use crate::manifest::{Manifest, Names};

/// Lambda keeps so many instances of an account unreserved.
const UNRESERVED_MIN: u32 = 100;
/// The quota "Concurrent executions" in Service Quotas.
const CONCURRENCY_QUOTA: &str = "L-B99A9384";
const INSTALL: &str =
    "install the AWS command line: https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html";
const LOGIN: &str = "run `aws configure sso` or `aws sso login`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";

/// Where the AWS tools would take credentials from on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// Variables and files with credentials or a way to them, in the order in which they win.
    pub sources: Vec<String>,
    /// The region that is set beside them.
    pub region: Option<String>,
}

/// Judges whether there are credentials; nothing is asked of AWS.
#[must_use]
pub fn credentials(found: &Credentials, identity: &Ran) -> Check {
    const NAME: &str = "credentials";
    match found.sources.first() {
        Some(source) => Check::ok(NAME, source.clone()),
        // On a machine of AWS its role is enough.
        None if matches!(identity, Ran::Done(_)) => Check::ok(NAME, "those of this machine's role"),
        None => Check::missing(NAME, "there are none in the environment or in ~/.aws", LOGIN),
    }
}

/// Judges the region of the environment against the manifest's, which is the one that counts.
#[must_use]
pub fn region(manifest: &Manifest, found: &Credentials) -> Check {
    const NAME: &str = "region";
    let wanted = manifest.project.region.as_str();
    match &found.region {
        Some(other) if other != wanted => Check::unknown(
            NAME,
            format!("`project.region` is {wanted}, the environment says {}", crate::manifest::tree::shorten(other)),
            "nothing if that is meant: Terraform goes to `project.region`",
        ),
        _ => Check::ok(NAME, wanted),
    }
}

/// What asks AWS who is calling.
#[must_use]
pub fn identity_command(manifest: &Manifest) -> Vec<String> {
    command(manifest, &["sts", "get-caller-identity"])
}

/// Credentials of a session: variables of the AWS command line, each with its value.
pub type Session = [(&'static str, String); 3];

/// What takes on the manifest's role, where it names one.
#[must_use]
pub fn assume_command(manifest: &Manifest) -> Option<Vec<String>> {
    let section = &manifest.aws.assume_role;
    let role = section.role_arn.as_ref()?.as_str();
    let mut arguments = vec!["sts", "assume-role", "--role-arn", role];
    arguments.extend(["--role-session-name", section.session_name.as_str()]);
    if let Some(id) = &section.external_id {
        arguments.extend(["--external-id", id.as_str()]);
    }
    Some(command(manifest, &arguments))
}

/// Reads the session of a role that was taken on.
#[must_use]
pub fn session(ran: &Ran) -> Option<Session> {
    let Ran::Done(stdout) = ran else { return None };
    let answer: Value = serde_json::from_str(stdout).ok()?;
    let part = |key: &str| Some(answer.pointer(&format!("/Credentials/{key}"))?.as_str()?.to_owned());
    Some([
        ("AWS_ACCESS_KEY_ID", part("AccessKeyId")?),
        ("AWS_SECRET_ACCESS_KEY", part("SecretAccessKey")?),
        ("AWS_SESSION_TOKEN", part("SessionToken")?),
    ])
}

/// A call of the AWS command line for the manifest's region, whose answer is JSON.
pub(crate) fn command(manifest: &Manifest, arguments: &[&str]) -> Vec<String> {
    let always = ["--region", manifest.project.region.as_str(), "--output", "json"];
    std::iter::once(&"aws").chain(arguments).chain(&always).map(ToString::to_string).collect()
}

/// A program without an answer: whatever it would have said is unknown.
pub(super) fn silent(name: &'static str, ran: &Ran, denied: &str) -> Check {
    let next = match ran {
        Ran::Absent => INSTALL.to_owned(),
        Ran::TooSlow(_) => "look whether this machine reaches AWS, or allow more with `--time-limit`".to_owned(),
        _ => denied.to_owned(),
    };
    Check::unknown(name, ran.silence("aws").unwrap_or_default(), next)
}

/// Judges who is calling, and whether the manifest lets that account in.
#[must_use]
pub fn identity(manifest: &Manifest, ran: &Ran) -> Check {
    const NAME: &str = "identity";
    let allowed = &manifest.aws.account_ids;
    if let Some(found) = account(ran).filter(|found| !allowed.allow(found)) {
        let found = crate::manifest::tree::shorten(&found);
        let text = format!(
            "the credentials are of account {found}, and `aws.account_ids` allows {}",
            allowed.as_slice().join(" and ")
        );
        return Check::missing(
            NAME,
            text,
            "sign in to one of these accounts, or choose another environment with `--env`",
        );
    }
    match ran {
        Ran::Done(stdout) => {
            let answer: Value = serde_json::from_str(stdout).unwrap_or_default();
            let part = |key: &str| answer.get(key).and_then(Value::as_str).map(crate::manifest::tree::shorten);
            match (part("Account"), part("Arn")) {
                (Some(account), Some(arn)) => Check::ok(NAME, format!("account {account}, {arn}")),
                _ => Check::unknown(NAME, "`aws sts get-caller-identity` told no account", INSTALL),
            }
        }
        Ran::Failed(_) => Check::missing(NAME, ran.silence("aws").unwrap_or_default(), LOGIN),
        _ => silent(NAME, ran, LOGIN),
    }
}

/// The account of whoever is calling, where that was told.
#[must_use]
pub fn account(identity: &Ran) -> Option<String> {
    let Ran::Done(stdout) = identity else { return None };
    let answer: Value = serde_json::from_str(stdout).ok()?;
    answer.get("Account").and_then(Value::as_str).map(str::to_owned)
}

/// What asks for the account's quotas.
#[must_use]
pub fn account_command(manifest: &Manifest) -> Vec<String> {
    command(manifest, &["lambda", "get-account-settings"])
}

/// Judges the account's concurrency against what the manifest reserves, or expects.
#[must_use]
pub fn concurrency(manifest: &Manifest, ran: &Ran) -> Check {
    const NAME: &str = "concurrency";
    let Ran::Done(stdout) = ran else {
        return silent(NAME, ran, "allow `lambda:GetAccountSettings`");
    };
    let answer: Value = serde_json::from_str(stdout).unwrap_or_default();
    let limit = |key: &str| answer.pointer(&format!("/AccountLimit/{key}")).and_then(Value::as_u64);
    let (Some(all), Some(unreserved)) = (limit("ConcurrentExecutions"), limit("UnreservedConcurrentExecutions")) else {
        return Check::unknown(NAME, "`aws lambda get-account-settings` told no limit", INSTALL);
    };
    let reserves = [manifest.stream.reserved_concurrency, manifest.dashboard.reserved_concurrency];
    let reserved: u64 =
        reserves.iter().flatten().copied().map(|reserve| u64::from(ReservedConcurrency::get(reserve))).sum();
    let is_stopped = manifest.stream.reserved_concurrency.is_some_and(|reserve| reserve.get() == 0);
    let streams = streams(manifest);
    let (needed, free, what) = if reserved > 0 {
        let needed = reserved + u64::from(UNRESERVED_MIN);
        (needed, all, format!("{reserved} reserved, and {UNRESERVED_MIN} that stay unreserved"))
    } else if manifest.stream.compute == Compute::ManagedInstances {
        return Check::ok(NAME, format!("{all}; streams on managed instances do not count"));
    } else if is_stopped {
        return Check::ok(NAME, format!("{all}; the stream function is stopped and takes none"));
    } else {
        (streams, unreserved, format!("{streams} streams of the expected viewers, closed tabs included"))
    };
    if needed <= free {
        return Check::ok(NAME, format!("{free} instances for {what}"));
    }
    let region = manifest.project.region.as_str();
    let request = format!(
        "ask for more: `aws service-quotas request-service-quota-increase --region {region} --service-code lambda \
         --quota-code {CONCURRENCY_QUOTA} --desired-value {}`",
        needed + all.saturating_sub(free)
    );
    Check::missing(NAME, format!("{free} instances for {what}"), request)
}

/// Instances that the expected viewers keep busy.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few million at most, and never negative"
)]
fn streams(manifest: &Manifest) -> u64 {
    let assumptions = Assumptions {
        viewers: manifest.stream.expected_viewers.get(),
        hours_per_day: manifest.cost.hours_per_day.get(),
        items_per_day: manifest.cost.items_per_day.get(),
        visit: Assumptions::VISIT_DEFAULT,
    };
    Load::of(&Setup::of(manifest, Vec::new()), &assumptions).streams.ceil() as u64
}

/// The functions: name of the check, and of the function.
#[must_use]
pub fn functions(manifest: &Manifest) -> [(&'static str, String); 2] {
    let names = Names::derive(manifest);
    [("permissions-stream", names.stream), ("permissions-dashboard", names.dashboard)]
}

/// What asks for the permissions of a function's alias.
#[must_use]
pub fn policy_command(manifest: &Manifest, function: &str) -> Vec<String> {
    command(manifest, &["lambda", "get-policy", "--function-name", function, "--qualifier", "live"])
}

/// Judges the two permissions that a Function URL needs.
#[must_use]
pub fn permissions(loaded: &Loaded, name: &'static str, function: &str, ran: &Ran) -> Check {
    let manifest = &loaded.manifest;
    let apply = &format!("run `{}`", Places::of(loaded).apply);
    let stdout = match ran {
        Ran::Done(stdout) => stdout,
        Ran::Failed(stderr) if stderr.contains("ResourceNotFoundException") => {
            // AWS says it of a function that is not there, and of one that nobody may call.
            return if stderr.contains("not found") {
                Check::unknown(name, format!("`{function}` is not deployed yet"), apply)
            } else {
                Check::missing(name, format!("nobody may call `{function}:live`: both permissions are missing"), apply)
            };
        }
        _ => return silent(name, ran, "allow `lambda:GetPolicy`"),
    };
    let answer: Value = serde_json::from_str(stdout).unwrap_or_default();
    let policy = answer.get("Policy").and_then(Value::as_str).and_then(|text| serde_json::from_str::<Value>(text).ok());
    let Some(Value::Array(statements)) = policy.as_ref().and_then(|policy| policy.get("Statement")) else {
        return Check::unknown(name, "`aws lambda get-policy` told no policy", apply);
    };
    let front = manifest.front.kind;
    if front == FrontKind::ApiGateway {
        let is_given = |one: &Value| allowed(one, "lambda:InvokeFunction") && caller_is_right(one, front);
        return match statements.iter().any(is_given) {
            true => Check::ok(name, "the REST API may call the function"),
            false => Check::missing(name, "`lambda:InvokeFunction` is not allowed to the REST API", apply),
        };
    }
    let allows = |action: &str| statements.iter().find(|one| allowed(one, action) && caller_is_right(one, front));
    let (url, through) = (allows("lambda:InvokeFunctionUrl"), allows("lambda:InvokeFunction"));
    let open =
        front == FrontKind::FunctionUrl && through.is_some_and(|one| !has_condition(one, "InvokedViaFunctionUrl"));
    let who = if front == FrontKind::CloudFront { "the distribution" } else { "everybody" };
    match (url, through) {
        (Some(_), Some(_)) if open => Check::missing(
            name,
            "`lambda:InvokeFunction` lacks the condition `lambda:InvokedViaFunctionUrl`: everybody may call the function directly",
            apply,
        ),
        (Some(_), Some(_)) => Check::ok(name, format!("{who} may call the URL and, through it, the function")),
        (None, Some(_)) => Check::missing(name, format!("`lambda:InvokeFunctionUrl` is not allowed to {who}"), apply),
        (Some(_), None) => Check::missing(
            name,
            format!(
                "`lambda:InvokeFunction` is not allowed to {who}: since November 2026 the URL answers 403 without it"
            ),
            apply,
        ),
        (None, None) => Check::missing(name, format!("{who} may call neither URL nor function"), apply),
    }
}

fn allowed(statement: &Value, action: &str) -> bool {
    let is_action = match statement.get("Action") {
        Some(Value::String(one)) => one == action,
        Some(Value::Array(many)) => many.iter().any(|one| one == action),
        _ => false,
    };
    is_action && statement.get("Effect").is_some_and(|effect| effect == "Allow")
}

/// Whether it is about everybody, or about a distribution, as the front needs it.
fn caller_is_right(statement: &Value, front: FrontKind) -> bool {
    let principal = statement.get("Principal").unwrap_or(&Value::Null);
    let of = |kind: &str, who: &str| principal.get(kind).is_some_and(|one| one == who);
    match front {
        FrontKind::FunctionUrl => principal == "*" || of("AWS", "*"),
        FrontKind::CloudFront => of("Service", "cloudfront.amazonaws.com") && has_condition(statement, "SourceArn"),
        FrontKind::ApiGateway => of("Service", "apigateway.amazonaws.com") && has_condition(statement, "SourceArn"),
    }
}

/// Whether any condition is about this key, whatever prefix and operator it has.
fn has_condition(statement: &Value, key: &str) -> bool {
    let operators = statement.get("Condition").and_then(Value::as_object);
    let is_key = |name: &String| name.rsplit(':').next().is_some_and(|last| last.eq_ignore_ascii_case(key));
    operators.is_some_and(|all| all.values().filter_map(Value::as_object).any(|keys| keys.keys().any(is_key)))
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::super::Status;
    use super::*;
    use crate::diagnostic::{Input, Source};
    use crate::load;

    /// Reads a manifest that is valid.
    pub(in crate::doctor) fn loaded(text: &str) -> Loaded {
        let source = Source { name: "deploy.toml".into(), text: text.into() };
        load::load(&Input::new(source), None).unwrap()
    }

    const EDGE: &str = "[front]\nkind = \"cloudfront\"\n";

    fn policy(statements: &[Value]) -> Ran {
        let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        Ran::Done(json!({"Policy": policy, "RevisionId": "1"}).to_string())
    }

    fn judge(manifest: &str, ran: &Ran) -> Status {
        permissions(&loaded(manifest), "permissions-stream", "f", ran).status
    }

    fn of_everybody() -> [Value; 2] {
        let url = json!({"Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunctionUrl",
            "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}});
        let through = json!({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["lambda:InvokeFunction"],
            "Condition": {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}});
        [url, through]
    }

    #[test]
    fn a_public_url_needs_both_permissions_and_the_condition() {
        let [url, through] = of_everybody();
        assert_eq!(judge("", &policy(&[through.clone(), url.clone()])), Status::Ok);
        assert_eq!(judge("", &policy(std::slice::from_ref(&url))), Status::Missing);
        assert_eq!(judge("", &policy(std::slice::from_ref(&through))), Status::Missing);
        assert_eq!(judge("", &policy(&[])), Status::Missing);
        let mut open = through.clone();
        open["Condition"] = Value::Null;
        assert_eq!(judge("", &policy(&[url.clone(), open])), Status::Missing);
        let mut denied = url.clone();
        denied["Effect"] = "Deny".into();
        assert_eq!(judge("", &policy(&[denied, through.clone()])), Status::Missing);
        assert_eq!(judge(EDGE, &policy(&[url, through])), Status::Missing);
    }

    #[test]
    fn behind_a_rest_api_it_alone_may_call() {
        const API: &str = "[front]\nkind = \"api-gateway\"\n[terraform]\naws_provider = \">= 6.25.0, < 7.0.0\"\n";
        let one = |action: &str, service: &str, condition: Value| json!({"Effect": "Allow", "Principal": {"Service": service}, "Action": action, "Condition": condition});
        let source = || json!({"ArnLike": {"AWS:SourceArn": "arn:aws:execute-api:us-east-1:123456789012:a1/live/*"}});
        let right = one("lambda:InvokeFunction", "apigateway.amazonaws.com", source());
        assert_eq!(judge(API, &policy(&[right])), Status::Ok);
        for wrong in [
            one("lambda:InvokeFunction", "apigateway.amazonaws.com", json!({})),
            one("lambda:InvokeFunction", "cloudfront.amazonaws.com", source()),
            one("lambda:InvokeFunctionUrl", "apigateway.amazonaws.com", source()),
        ] {
            assert_eq!(judge(API, &policy(&[wrong])), Status::Missing);
        }
    }

    #[test]
    fn behind_cloudfront_the_distribution_needs_both() {
        let one = |action: &str| {
            json!({"Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": action,
                "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:cloudfront::123456789012:distribution/E1"}}})
        };
        let both = [one("lambda:InvokeFunctionUrl"), one("lambda:InvokeFunction")];
        assert_eq!(judge(EDGE, &policy(&both)), Status::Ok);
        assert_eq!(judge(EDGE, &policy(&both[..1])), Status::Missing);
        assert_eq!(judge("", &policy(&both)), Status::Missing);
        let mut any = one("lambda:InvokeFunction");
        any["Condition"] = Value::Null;
        assert_eq!(judge(EDGE, &policy(&[one("lambda:InvokeFunctionUrl"), any])), Status::Missing);
    }

    #[test]
    fn what_aws_does_not_say_is_unknown() {
        let not_found =
            "An error occurred (ResourceNotFoundException) when calling the GetPolicy operation: Function not found: x";
        assert_eq!(judge("", &Ran::Failed(not_found.into())), Status::Unknown);
        let no_policy = "An error occurred (ResourceNotFoundException) when calling the GetPolicy operation: \
                         The resource you requested does not exist.";
        assert_eq!(judge("", &Ran::Failed(no_policy.into())), Status::Missing);
        for ran in [
            Ran::Absent,
            Ran::TooSlow(Duration::from_secs(1)),
            Ran::Failed("AccessDeniedException".into()),
            Ran::Done("{}".into()),
            Ran::Done("{\"Policy\": \"[]\"}".into()),
            Ran::Done("nonsense".into()),
        ] {
            assert_eq!(judge("", &ran), Status::Unknown, "{ran:?}");
            let manifest = loaded("").manifest;
            assert_eq!(concurrency(&manifest, &ran).status, Status::Unknown, "{ran:?}");
        }
    }

    #[test]
    fn the_account_must_hold_the_reserves_or_the_viewers() {
        let judge = |manifest: &str, all: u32, unreserved: u32| {
            let limits =
                json!({"AccountLimit": {"ConcurrentExecutions": all, "UnreservedConcurrentExecutions": unreserved}});
            concurrency(&loaded(manifest).manifest, &Ran::Done(limits.to_string()))
        };
        let reserved = "[stream]\nreserved_concurrency = 50\n[dashboard]\nreserved_concurrency = 10\n";
        assert_eq!(judge(reserved, 160, 0).status, Status::Ok);
        let short = judge(reserved, 159, 159);
        assert_eq!(short.status, Status::Missing);
        assert!(short.next.unwrap().ends_with("--desired-value 160`"));
        // Stopped, a function takes nothing, and leaves what others reserve as it is.
        let stopped = "[stream]\nreserved_concurrency = 0\n";
        assert_eq!(
            judge(stopped, 10, 10),
            Check::ok("concurrency", "10; the stream function is stopped and takes none")
        );
        let with_other = format!("{stopped}[dashboard]\nreserved_concurrency = 10\n");
        assert_eq!(judge(&with_other, 110, 0).status, Status::Ok);
        assert_eq!(judge(&with_other, 109, 0).status, Status::Missing);
        // 20 viewers keep 21.7 streams open.
        assert_eq!(judge("", 1000, 22).status, Status::Ok);
        let short = judge("", 1000, 21);
        assert_eq!(short.status, Status::Missing);
        assert!(short.next.unwrap().ends_with("--desired-value 1001`"));
    }

    #[test]
    fn credentials_are_found_or_asked_for() {
        let done = Ran::Done("{\"Account\": \"123456789012\", \"Arn\": \"arn:aws:iam::123456789012:user/u\"}".into());
        let none = Credentials::default();
        assert_eq!(credentials(&none, &Ran::Absent).status, Status::Missing);
        assert_eq!(credentials(&none, &done).status, Status::Ok);
        let some = Credentials { sources: vec!["profile".into()], region: Some("eu-west-1".into()) };
        assert_eq!(credentials(&some, &Ran::Absent).status, Status::Ok);
        assert_eq!(region(&loaded("").manifest, &some).status, Status::Unknown);
        assert_eq!(region(&loaded("").manifest, &none).status, Status::Ok);
        let manifest = &loaded("").manifest;
        assert_eq!(identity(manifest, &done).status, Status::Ok);
        assert_eq!(identity(manifest, &Ran::Failed("ExpiredToken".into())).status, Status::Missing);
        assert_eq!(identity(manifest, &Ran::Absent).status, Status::Unknown);
        assert_eq!(identity(manifest, &Ran::Done("[]".into())).status, Status::Unknown);
        let allowing = |account| loaded(&format!("[aws]\naccount_ids = ['{account}']\n")).manifest;
        assert_eq!(identity(&allowing("123456789012"), &done).status, Status::Ok);
        let refused = identity(&allowing("210987654321"), &done);
        let sentence = "the credentials are of account 123456789012, and `aws.account_ids` allows 210987654321";
        assert_eq!((refused.status, refused.found.as_str()), (Status::Missing, sentence));
        // Nobody's account is not another account.
        assert_eq!(identity(&allowing("210987654321"), &Ran::Absent).status, Status::Unknown);
    }

    #[test]
    fn a_role_is_taken_on_with_what_its_owner_asks_for() {
        assert_eq!(assume_command(&loaded("").manifest), None);
        let role = "arn:aws:iam::123456789012:role/deploy";
        let text = format!("[aws.assume_role]\nrole_arn = '{role}'\nexternal_id = 'live'\n");
        let command = assume_command(&loaded(&text).manifest).unwrap().join(" ");
        let expected = format!("aws sts assume-role --role-arn {role} --role-session-name infragen --external-id live");
        assert!(command.starts_with(&expected), "{command}");
        let answer = r#"{"Credentials": {"AccessKeyId": "a", "SecretAccessKey": "b", "SessionToken": "c"}}"#;
        let values = session(&Ran::Done(answer.into())).map(|session| session.map(|(_, value)| value));
        assert_eq!(values, Some(["a", "b", "c"].map(str::to_owned)));
        assert_eq!(session(&Ran::Done("{}".into())), None);
        assert_eq!(session(&Ran::Absent), None);
    }
}
