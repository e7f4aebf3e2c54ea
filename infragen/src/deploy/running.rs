//! What runs: versions, numbers of the last hour, alarms, and where to look.

use serde_json::Value;

use super::account::Metric;
use super::{Deployed, versions};
use crate::diagnostic::Colour;
use crate::doctor::Ran;
use crate::manifest::Names;

/// What was found of one function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its role.
    pub role: &'static str,
    /// Its name in AWS.
    pub name: String,
    /// Its log group.
    pub log_group: String,
    /// What runs behind the alias, where it is there.
    pub live: Option<Live>,
    /// Why nothing is known of it, where nothing is.
    pub unknown: Option<String>,
    /// Its URL, or that of the REST API before it.
    pub url: Option<String>,
    /// Numbers, as far as there are any.
    pub numbers: Vec<(Metric, u64)>,
}

/// What runs behind the alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// The version.
    pub version: String,
    /// A second one that gets a share of the invocations, and that share in percent.
    pub canary: Option<(String, u64)>,
    /// When it was published, as AWS writes it.
    pub since: String,
    /// `Active`, or what it is instead.
    pub state: String,
    /// Packaging, processor and memory.
    pub shape: String,
}

/// Reads the answers about one function.
#[must_use]
pub fn function(deployed: &Deployed, alias: &Ran, configuration: &Ran, url: &Ran) -> Function {
    let answer = |ran: &Ran| match ran {
        Ran::Done(text) => serde_json::from_str::<Value>(text).ok(),
        _ => None,
    };
    let (alias_said, configuration) = (answer(alias), answer(configuration).unwrap_or_default());
    let text = |key: &str| configuration.get(key).and_then(Value::as_str).unwrap_or("unknown").to_owned();
    let live = alias_said.and_then(|said| {
        let version = said.get("FunctionVersion")?.as_str()?.to_owned();
        let canary = versions::share(&said).map(|(version, weight)| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a weight is from 0 to 1")]
            let percent = (weight.clamp(0.0, 1.0) * 100.0).round() as u64;
            (version.to_owned(), percent)
        });
        let architecture = configuration.pointer("/Architectures/0").and_then(Value::as_str).unwrap_or("unknown");
        let memory = configuration.get("MemorySize").map_or_else(|| "unknown".to_owned(), ToString::to_string);
        let shape = format!("{}, {architecture}, {memory} MiB", text("PackageType").to_lowercase());
        Some(Live { version, canary, since: text("LastModified"), state: text("State"), shape })
    });
    let unknown = match (&live, alias) {
        (Some(_), _) => None,
        (None, ran) if ran.failed_with("ResourceNotFoundException") => Some("not deployed".to_owned()),
        (None, ran) => Some(ran.silence("aws").unwrap_or_else(|| "`aws lambda get-alias` told no version".to_owned())),
    };
    let url = answer(url).and_then(|said| Some(said.get("FunctionUrl")?.as_str()?.trim_end_matches('/').to_owned()));
    let Deployed { role, name, log_group, .. } = deployed.clone();
    Function { role, name, log_group, live, unknown, url, numbers: Vec::new() }
}

/// Reads the id of the REST API with this name; `None` where it is not known, or several have it.
#[must_use]
pub fn api_id(name: &str, ran: &Ran) -> Option<String> {
    let Ran::Done(text) = ran else { return None };
    let answer: Value = serde_json::from_str(text).ok()?;
    let mut named =
        answer.get("items")?.as_array()?.iter().filter(|api| api.get("name").is_some_and(|said| said == name));
    let id = named.next()?.get("id")?.as_str()?.to_owned();
    named.next().is_none().then_some(id)
}

/// Reads the address of the distribution with this comment; `None` where it is not known, or several have it.
#[must_use]
pub fn site(comment: &str, ran: &Ran) -> Option<String> {
    let Ran::Done(text) = ran else { return None };
    let answer: Value = serde_json::from_str(text).ok()?;
    let all = answer.pointer("/DistributionList/Items")?.as_array()?;
    let mut ours = all.iter().filter(|one| one.get("Comment").is_some_and(|said| said == comment));
    let domain = ours.next()?.get("DomainName")?.as_str()?;
    ours.next().is_none().then(|| format!("https://{domain}"))
}

/// Reads a number; no point in time is zero.
#[must_use]
pub fn number(metric: Metric, ran: &Ran) -> Option<u64> {
    let Ran::Done(text) = ran else { return None };
    let answer: Value = serde_json::from_str(text).ok()?;
    let points = answer.get("Datapoints")?.as_array()?.iter();
    let values = points.filter_map(|point| point.get(metric.statistic())?.as_f64());
    let value = if metric.statistic() == "Maximum" { values.fold(0.0, f64::max) } else { values.sum() };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of an hour")]
    Some(value.round() as u64)
}

/// What alarms of a function, and of the deployment, are called after their function's or the deployment's name.
const ALARMS: [&str; 8] = [
    "concurrency",
    "duration",
    "errors",
    "items-throttles",
    "skipped-rows",
    "throttles",
    "users-throttles",
    "zombie-seconds",
];

/// Whether an alarm is this deployment's, and not of one whose name begins as this one's does.
fn is_alarm_of(names: &Names, alarm: &str) -> bool {
    let ends = |base: &str| alarm.strip_prefix(base).and_then(|rest| rest.strip_prefix('-'));
    [&names.stream, &names.dashboard, &names.base]
        .into_iter()
        .filter_map(|base| ends(base))
        .any(|rest| ALARMS.contains(&rest))
}

/// Reads the names of alarms of a deployment that are going off; `None` where that is not known.
#[must_use]
pub fn alarms(names: &Names, ran: &Ran) -> Option<Vec<String>> {
    let Ran::Done(text) = ran else { return None };
    let answer: Value = serde_json::from_str(text).ok()?;
    let alarms = answer.get("MetricAlarms")?.as_array()?.iter();
    let text = |alarm: &Value, key: &str| alarm.get(key).and_then(Value::as_str).map(str::to_owned);
    let is_loud = |alarm: &&Value| text(alarm, "StateValue").as_deref() == Some("ALARM");
    let loud = alarms.filter(is_loud).filter_map(|alarm| text(alarm, "AlarmName"));
    Some(loud.filter(|alarm| is_alarm_of(names, alarm)).collect())
}

/// A deployment as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// The functions.
    pub functions: Vec<Function>,
    /// Alarms that are going off, where that is known.
    pub alarms: Option<Vec<String>>,
}

impl Running {
    /// Whether both functions are there and active, and no alarm is going off.
    #[must_use]
    pub fn is_well(&self) -> bool {
        let is_active = |function: &Function| function.live.as_ref().is_some_and(|live| live.state == "Active");
        self.functions.iter().all(is_active) && self.alarms.as_ref().is_none_or(Vec::is_empty)
    }

    /// Writes it for people.
    #[must_use]
    pub fn human(&self, colour: Colour) -> String {
        let mut out = String::new();
        let mut line = |head: &str, text: &str| out.push_str(&format!("{head:<11}{text}\n"));
        for function in &self.functions {
            let Some(live) = &function.live else {
                let why = function.unknown.as_deref().unwrap_or("unknown");
                line(function.role, &colour.paint("1;31", why));
                continue;
            };
            let good = if live.state == "Active" { "1;32" } else { "1;31" };
            let canary = live
                .canary
                .as_ref()
                .map_or_else(String::new, |(version, percent)| format!(", and {percent} % of it version {version}"));
            let state = colour.paint(good, &live.state.to_lowercase());
            line(function.role, &format!("{state}, version {}{canary}, since {}", live.version, live.since));
            line("", &live.shape);
            line("", &numbers(function));
            if let Some(url) = &function.url {
                line("", url);
            }
            line("", &format!("log {}", function.log_group));
        }
        let alarms = match &self.alarms {
            None => "unknown".to_owned(),
            Some(names) if names.is_empty() => "none is going off".to_owned(),
            Some(names) => colour.paint("1;31", &names.join(", ")),
        };
        line("alarms", &alarms);
        out
    }

    /// Writes it for programs.
    #[must_use]
    pub fn json(&self) -> String {
        let function = |function: &Function| {
            let number =
                |wanted: Metric| function.numbers.iter().find(|(metric, _)| *metric == wanted).map(|(_, n)| *n);
            let live = function.live.as_ref();
            serde_json::json!({
                "role": function.role, "name": function.name, "version": live.map(|live| &live.version),
                "canary": live.and_then(|live| live.canary.as_ref()).map(|(version, percent)| {
                    serde_json::json!({"version": version, "percent": percent})
                }),
                "since": live.map(|live| &live.since), "state": live.map(|live| &live.state), "url": function.url,
                "log": function.log_group, "unknown": function.unknown,
                "last_hour": {
                    "invocations": number(Metric::Invocations), "errors": number(Metric::Errors),
                    "throttles": number(Metric::Throttles),
                },
                "concurrency": number(Metric::Concurrency),
            })
        };
        let functions: Vec<Value> = self.functions.iter().map(function).collect();
        let value = serde_json::json!({"well": self.is_well(), "functions": functions, "alarms": self.alarms});
        format!("{value:#}\n")
    }
}

fn numbers(function: &Function) -> String {
    let number = |wanted: Metric| {
        let found = function.numbers.iter().find(|(metric, _)| *metric == wanted);
        found.map_or_else(|| "unknown".to_owned(), |(_, number)| number.to_string())
    };
    let what = if function.role == "stream" { "streams open" } else { "instances" };
    format!(
        "last hour: {} invocations, {} errors, {} throttled; at most {} {what} in the last five minutes",
        number(Metric::Invocations),
        number(Metric::Errors),
        number(Metric::Throttles),
        number(Metric::Concurrency),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(value: &Value) -> Ran {
        Ran::Done(value.to_string())
    }

    fn stream() -> Deployed {
        Deployed { role: "stream", name: "s".into(), log_group: "/aws/lambda/s".into(), shares_log: false }
    }

    #[test]
    fn what_runs_is_read_from_the_answers() {
        let alias = done(&serde_json::json!({"FunctionVersion": "3",
            "RoutingConfig": {"AdditionalVersionWeights": {"4": 0.1}}}));
        let configuration =
            done(&serde_json::json!({"LastModified": "2026-11-28T10:00:00.000+0000", "State": "Active",
            "PackageType": "Zip", "Architectures": ["arm64"], "MemorySize": 128}));
        let url = done(&serde_json::json!({"FunctionUrl": "https://x.example/"}));
        let mut stream = function(&stream(), &alias, &configuration, &url);
        stream.numbers = vec![(Metric::Errors, 0)];
        let running = Running { functions: vec![stream.clone()], alarms: Some(Vec::new()) };
        assert!(running.is_well());
        assert_eq!(
            running.human(Colour(false)),
            "stream     active, version 3, and 10 % of it version 4, since 2026-11-28T10:00:00.000+0000\n           \
             zip, arm64, 128 MiB\n           last hour: unknown invocations, 0 errors, unknown throttled; at most unknown \
             streams open in the last five minutes\n           https://x.example\n           log /aws/lambda/s\n\
             alarms     none is going off\n"
        );
        let json: Value = serde_json::from_str(&running.json()).unwrap();
        assert_eq!((&json["well"], &json["functions"][0]["canary"]["percent"]), (&true.into(), &10.into()));
        let loud = Running { alarms: Some(vec!["a".into()]), ..running.clone() };
        assert!(!loud.is_well());
    }

    #[test]
    fn an_api_is_known_by_its_name_where_one_alone_has_it() {
        let api = |name: &str, id: &str| serde_json::json!({"name": name, "id": id});
        let some = done(&serde_json::json!({"items": [api("live-dev-front", "a1"), api("other", "b2")]}));
        assert_eq!(api_id("live-dev-front", &some).as_deref(), Some("a1"));
        assert_eq!(api_id("live-dev", &some), None);
        let twice = done(&serde_json::json!({"items": [api("x", "a1"), api("x", "b2")]}));
        assert_eq!(
            (api_id("x", &twice), api_id("x", &Ran::Absent), api_id("x", &done(&Value::Null))),
            (None, None, None)
        );
    }

    #[test]
    fn a_distribution_is_known_by_its_comment_where_one_alone_has_it() {
        let one = |comment: &str, domain: &str| serde_json::json!({"Comment": comment, "DomainName": domain});
        let all = |items: &[Value]| done(&serde_json::json!({"DistributionList": {"Items": items}}));
        let some = all(&[one("live-dev: page", "d1.cloudfront.net"), one("other", "d2.cloudfront.net")]);
        assert_eq!(site("live-dev: page", &some).as_deref(), Some("https://d1.cloudfront.net"));
        let twice = all(&[one("x", "d1"), one("x", "d2")]);
        assert_eq!((site("live-dev", &some), site("x", &twice), site("x", &Ran::Absent)), (None, None, None));
    }

    #[test]
    fn what_is_not_there_or_not_known_is_no_good_news() {
        let gone = Ran::Failed("An error occurred (ResourceNotFoundException) when calling …".into());
        let found = function(&stream(), &gone, &gone, &gone);
        assert_eq!(found.unknown.as_deref(), Some("not deployed"));
        let absent = function(&stream(), &Ran::Absent, &Ran::Absent, &Ran::Absent);
        assert_eq!(absent.unknown.as_deref(), Some("there is no `aws` on PATH"));
        assert!(!Running { functions: vec![absent], alarms: None }.is_well());
        let points = |key: &str| done(&serde_json::json!({"Datapoints": [{key: 2.0}, {key: 5.0}]}));
        assert_eq!(number(Metric::Errors, &points("Sum")), Some(7));
        assert_eq!(number(Metric::Concurrency, &points("Maximum")), Some(5));
        assert_eq!(number(Metric::Errors, &done(&serde_json::json!({"Datapoints": []}))), Some(0));
        assert_eq!((number(Metric::Errors, &Ran::Absent), alarms(&names(), &Ran::Absent)), (None, None));
        let alarm = |name: &str, state: &str| serde_json::json!({"AlarmName": name, "StateValue": state});
        let ours = |name: &str| format!("{}-{name}", names().base);
        let quiet = alarm(&ours("skipped-rows"), "OK");
        // One of an environment whose name begins as this one's does, and one that somebody else has made.
        let others =
            ["eu-stream-errors", "eu-zombie-seconds", "stream-latency"].map(|name| alarm(&ours(name), "ALARM"));
        let loud = ["stream-errors", "zombie-seconds"].map(&ours);
        let all: Vec<Value> =
            others.into_iter().chain(loud.iter().map(|name| alarm(name, "ALARM"))).chain([quiet]).collect();
        assert_eq!(alarms(&names(), &done(&serde_json::json!({"MetricAlarms": all}))), Some(loud.to_vec()));
    }

    fn names() -> Names {
        let source = crate::diagnostic::Source { name: "deploy.toml".into(), text: String::new() };
        Names::derive(&crate::load::load(&crate::diagnostic::Input::new(source), None).unwrap().manifest)
    }

    #[test]
    fn alarms_are_known_as_the_template_calls_them() {
        let template = include_str!("../../../templates/terraform/alarms.tf");
        let names = template.lines().filter_map(|line| line.trim().strip_prefix("alarm_name = \""));
        let ends: Vec<&str> = names.map(|name| name.rsplit_once("}}-").unwrap().1.trim_end_matches('"')).collect();
        let known = |end: &&str| ALARMS.contains(end);
        assert!(ends.len() == ALARMS.len() && ends.iter().all(known), "{ends:?}");
    }
}
