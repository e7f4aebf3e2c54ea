//! How a deployment is watched, as Terraform plans it: every alarm's metric and threshold, who hears of it, the dashboard.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Project;
use super::plans::{artifacts, images, resources};
use super::terraform::Root;
use super::terraform_tests::PAGE;

const FIVE_MINUTES: u32 = 300;

fn plan(fixture: &str) -> Value {
    let project = Project::rendered(fixture);
    Root::new(&project, "generated/terraform").with_artifacts(&artifacts()).planned(&[])
}

/// The planned resources of a type by name.
fn of_type(plan: &Value, kind: &str) -> BTreeMap<String, Value> {
    let prefix = format!("{kind}.");
    let all = resources(plan, "").into_iter();
    all.filter_map(|(name, values)| Some((name.strip_prefix(&prefix)?.to_owned(), values))).collect()
}

fn alarms(plan: &Value) -> BTreeMap<String, Value> {
    of_type(plan, "aws_cloudwatch_metric_alarm")
}

/// Metric, dimensions, statistic and threshold of an alarm on one metric.
fn check(alarms: &BTreeMap<String, Value>, name: &str, metric: [&str; 2], dimensions: &Value, rule: (&str, u64)) {
    let alarm = alarms.get(name).unwrap_or_else(|| panic!("no alarm `{name}` in {:?}", alarms.keys()));
    let (statistic, threshold) = rule;
    assert_eq!((&alarm["namespace"], &alarm["metric_name"]), (&json!(metric[0]), &json!(metric[1])), "{name}");
    assert_eq!(&alarm["dimensions"], dimensions, "{name}");
    assert_eq!((&alarm["statistic"], &alarm["threshold"]), (&json!(statistic), &json!(threshold)), "{name}");
    assert_eq!((&alarm["period"], &alarm["evaluation_periods"]), (&json!(FIVE_MINUTES), &json!(1)), "{name}");
    assert_eq!(alarm["comparison_operator"], "GreaterThanOrEqualToThreshold", "{name}");
    assert_eq!(alarm["treat_missing_data"], "notBreaching", "{name}");
}

fn check_zombies(alarms: &BTreeMap<String, Value>, session_secs: u64, threshold: u64) {
    let alarm = &alarms["zombie_seconds"];
    assert_eq!((&alarm["threshold"], &alarm["evaluation_periods"]), (&json!(threshold), &json!(1)));
    let queries = alarm["metric_query"].as_array().unwrap();
    let query = |id: &str| queries.iter().find(|query| query["id"] == id).unwrap_or_else(|| panic!("no `{id}`"));
    let expression = format!("IF(ended > returned, (ended - returned) * {session_secs}, 0)");
    assert_eq!(query("zombie_seconds")["expression"], expression.as_str());
    assert_eq!(queries.iter().filter(|query| query["return_data"] == true).count(), 1);
    for (id, metric) in [("ended", "StreamsEnded"), ("returned", "StreamsReturned")] {
        let source = &query(id)["metric"][0];
        assert_eq!((&source["metric_name"], &source["stat"]), (&json!(metric), &json!("Sum")));
        assert_eq!(source["period"], 3600, "seconds of an hour");
    }
}

#[test]
fn the_default_manifest_watches_everything_and_tells_nobody() {
    let plan = plan("default");
    let alarms = alarms(&plan);
    let names: Vec<&str> = alarms.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "dashboard_duration",
            "dashboard_errors",
            "dashboard_throttles",
            "items_throttles",
            "skipped_rows",
            "stream_duration",
            "stream_errors",
            "stream_throttles",
            "users_throttles",
            "zombie_seconds",
        ],
        "no reserve, no alarm about it"
    );
    for (role, millis) in [("stream", 162_000), ("dashboard", 27_000)] {
        let function = json!({ "FunctionName": format!("sse-streaming-dev-{role}") });
        check(&alarms, &format!("{role}_errors"), ["AWS/Lambda", "Errors"], &function, ("Sum", 1));
        check(&alarms, &format!("{role}_throttles"), ["AWS/Lambda", "Throttles"], &function, ("Sum", 1));
        check(&alarms, &format!("{role}_duration"), ["AWS/Lambda", "Duration"], &function, ("Maximum", millis));
    }
    let index = json!({ "TableName": "sse-streaming-dev-items", "GlobalSecondaryIndexName": "by_sentiment" });
    check(&alarms, "items_throttles", ["AWS/DynamoDB", "ReadThrottleEvents"], &index, ("Sum", 1));
    let users = json!({ "TableName": "sse-streaming-dev-users" });
    check(&alarms, "users_throttles", ["AWS/DynamoDB", "ReadThrottleEvents"], &users, ("Sum", 1));
    check(&alarms, "skipped_rows", ["sse-streaming-dev", "RowsSkipped"], &Value::Null, ("Sum", 1));
    check_zombies(&alarms, 120, 3600);
    for (name, alarm) in &alarms {
        assert_eq!(alarm["alarm_actions"], Value::Null, "{name}");
        assert!(alarm["alarm_name"].as_str().unwrap().starts_with("sse-streaming-dev-"), "{name}");
        assert!(alarm["alarm_description"].as_str().is_some_and(|text| text.len() > 40), "{name}");
    }
    assert!(of_type(&plan, "aws_sns_topic").is_empty() && of_type(&plan, "aws_budgets_budget").is_empty());
    let text = Project::rendered("default").read("generated/terraform/alarms.tf");
    assert!(
        text.contains("\n# Nobody is told: neither `operations.email` nor `operations.topic_arn` is set"),
        "{text}"
    );
}

#[test]
fn thresholds_address_and_budget_are_the_manifests() {
    let plan = plan("operations");
    let alarms = alarms(&plan);
    assert_eq!(alarms.len(), 12);
    // Half of 900 s would be an alarm at every session of 14 minutes: those and the margin for closing are allowed.
    for (role, millis, instances) in [("stream", 850_000, 38), ("dashboard", 15_000, 3)] {
        let function = json!({ "FunctionName": format!("sse-streaming-dev-{role}") });
        check(&alarms, &format!("{role}_errors"), ["AWS/Lambda", "Errors"], &function, ("Sum", 5));
        check(&alarms, &format!("{role}_throttles"), ["AWS/Lambda", "Throttles"], &function, ("Sum", 6));
        check(&alarms, &format!("{role}_duration"), ["AWS/Lambda", "Duration"], &function, ("Maximum", millis));
        let rule = ("Maximum", instances);
        check(&alarms, &format!("{role}_concurrency"), ["AWS/Lambda", "ConcurrentExecutions"], &function, rule);
    }
    for (name, threshold) in [("items_throttles", 7), ("users_throttles", 7), ("skipped_rows", 8)] {
        assert_eq!(alarms[name]["threshold"], threshold, "{name}");
    }
    check_zombies(&alarms, 840, 9000);
    let subscription = &of_type(&plan, "aws_sns_topic_subscription")["email"];
    assert_eq!(
        (&subscription["protocol"], &subscription["endpoint"]),
        (&json!("email"), &json!("ops+alarms@example.com"))
    );
    let changes = plan["resource_changes"].as_array().unwrap().iter();
    let told = changes.filter(|change| change["type"] == "aws_cloudwatch_metric_alarm").inspect(|change| {
        for key in ["alarm_actions", "ok_actions"] {
            assert_eq!(change["change"]["after_unknown"][key], json!(true), "the topic's ARN is known after apply");
        }
    });
    assert_eq!(told.count(), 12);

    let budget = &of_type(&plan, "aws_budgets_budget")["monthly"];
    assert_eq!((&budget["limit_amount"], &budget["limit_unit"]), (&json!("20"), &json!("USD")));
    assert_eq!(budget["time_unit"], "MONTHLY");
    assert_eq!(budget["cost_filter"], json!([{ "name": "TagKeyValue", "values": ["user:project$sse-streaming"] }]));
    let notifications = budget["notification"].as_array().unwrap();
    assert_eq!(notifications.len(), 2);
    for notification in notifications {
        assert_eq!(notification["subscriber_email_addresses"], json!(["ops+alarms@example.com"]));
        assert_eq!((&notification["threshold"], &notification["threshold_type"]), (&json!(100), &json!("PERCENTAGE")));
    }
}

#[test]
fn a_function_that_is_stopped_has_a_reserve_of_nothing_and_no_alarm_about_it() {
    let project = Project::rendered("stopped");
    project.write(PAGE, "<!doctype html>\n");
    let reserves = |root: &str| {
        let plan = Root::new(&project, root).with_artifacts(&images()).planned(&[]);
        let of = |role| resources(&plan, role)["aws_lambda_function.this"]["reserved_concurrent_executions"].clone();
        let reserves = (of("stream"), of("dashboard"));
        (plan, reserves)
    };
    let (plan, stopped) = reserves("generated/terraform");
    assert_eq!(stopped, (json!(0), json!(0)));
    let alarms = alarms(&plan);
    let names: Vec<&String> = alarms.keys().filter(|name| name.ends_with("_concurrency")).collect();
    assert!(names.is_empty() && alarms.len() == 10, "{:?}", alarms.keys());
    for role in ["stream", "dashboard"] {
        let alarm = &alarms[&format!("{role}_throttles")];
        let told = format!("as it was told to: it is stopped by `{role}.reserved_concurrency = 0` in deploy.toml.");
        assert!(alarm["alarm_description"].as_str().unwrap().ends_with(&told), "{alarm}");
    }
    // No reserve is -1 to the provider.
    assert_eq!(reserves("generated/prod/terraform").1, (json!(-1), json!(10)));
}

#[test]
fn a_topic_that_is_there_already_is_used_and_none_is_made() {
    let plan = plan("topic");
    let alarms = alarms(&plan);
    assert_eq!(alarms.len(), 10);
    for (name, alarm) in &alarms {
        let topic = json!(["arn:aws:sns:us-east-1:123456789012:alarms"]);
        assert_eq!((&alarm["alarm_actions"], &alarm["ok_actions"]), (&topic, &topic), "{name}");
    }
    assert!(of_type(&plan, "aws_sns_topic").is_empty());
    assert!(of_type(&plan, "aws_cloudwatch_dashboard").is_empty());
}

#[test]
fn what_nobody_looks_at_is_not_there() {
    let names = Project::rendered("unwatched").names();
    for name in ["alarms", "budget", "monitoring"] {
        assert!(!names.contains(&format!("generated/terraform/{name}.tf")), "{names:?}");
    }
    let names = Project::rendered("operations").names();
    for name in ["alarms", "budget", "monitoring"] {
        assert!(names.contains(&format!("generated/terraform/{name}.tf")), "{names:?}");
    }
}

/// Namespace and name of every metric that an alarm or a widget looks at, where it is none of AWS' own.
fn own_metrics(plan: &Value) -> BTreeSet<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut own = BTreeSet::new();
    for alarm in alarms(plan).values() {
        let queries = alarm["metric_query"].as_array().unwrap().iter().map(|query| &query["metric"][0]);
        for metric in queries.chain([alarm]).filter(|metric| metric["metric_name"].is_string()) {
            assert!(metric["namespace"] != "sse-streaming-dev" || metric["dimensions"].is_null(), "{metric}");
            own.insert((text(&metric["namespace"]), text(&metric["metric_name"])));
        }
    }
    for widget in
        of_type(plan, "aws_cloudwatch_dashboard").contains_key("this").then(|| widgets(plan)).into_iter().flatten()
    {
        for metric in widget["properties"]["metrics"].as_array().unwrap().iter().filter(|metric| metric[0].is_string())
        {
            // Totals have no dimensions: what follows the name is how it is shown.
            assert!(metric[0].as_str().unwrap().starts_with("AWS/") || !metric[2].is_string(), "{metric}");
            own.insert((text(&metric[0]), text(&metric[1])));
        }
    }
    own.retain(|(namespace, _)| !namespace.starts_with("AWS/"));
    own
}

#[test]
fn every_own_metric_that_somebody_looks_at_is_one_that_the_functions_write_and_has_one_source() {
    let plan = plan("default");
    let dashboard = Project::rendered("default").read("generated/terraform/dashboard.tf");
    let own = own_metrics(&plan);
    assert!(own.len() > 8, "{own:?}");
    for (namespace, name) in &own {
        assert!(contract::metrics::Metric::ALL.iter().any(|metric| metric.name() == name), "nobody writes `{name}`");
        let variables = &resources(&plan, "stream")["aws_lambda_function.this"]["environment"][0]["variables"];
        assert_eq!((&variables["METRICS"], &variables["METRICS_NAMESPACE"]), (&json!("totals"), &json!(namespace)));
        // The plan cannot tell the other one's: a URL among them is known only after apply.
        for (variable, value) in [("METRICS", "totals"), ("METRICS_NAMESPACE", namespace)] {
            let mut lines = dashboard.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
            assert!(lines.any(|line| line == format!("{variable} = \"{value}\"")), "{dashboard}");
        }
    }
    assert!(of_type(&plan, "aws_cloudwatch_log_metric_filter").is_empty(), "a second source of the same numbers");
}

#[test]
fn without_metrics_nothing_looks_at_them_and_everything_else_stays() {
    let project = Project::new("[operations]\nmetrics = \"off\"\n");
    assert_eq!(project.run(&["render"]).code, 0);
    let plan = Root::new(&project, "generated/terraform").with_artifacts(&artifacts()).planned(&[]);
    assert_eq!(own_metrics(&plan), BTreeSet::new());
    let names: Vec<String> = alarms(&plan).into_keys().collect();
    assert_eq!(names.len(), 8, "{names:?}");
    assert!(!names.iter().any(|name| name == "skipped_rows" || name == "zombie_seconds"), "{names:?}");
    assert_eq!(widgets(&plan).len(), 8);
    let variables = &resources(&plan, "stream")["aws_lambda_function.this"]["environment"][0]["variables"];
    assert_eq!(variables["METRICS"], "off");
}

fn widgets(plan: &Value) -> Vec<Value> {
    let body = of_type(plan, "aws_cloudwatch_dashboard")["this"]["dashboard_body"].as_str().unwrap().to_owned();
    serde_json::from_str::<Value>(&body).unwrap()["widgets"].as_array().unwrap().clone()
}

#[test]
fn the_dashboard_is_a_grid_of_this_regions_metrics() {
    let plan = plan("operations");
    let widgets = widgets(&plan);
    assert_eq!(widgets.len(), 12);
    let mut taken = BTreeSet::new();
    for widget in &widgets {
        let at = |key: &str| widget[key].as_u64().unwrap();
        assert!(at("x") + at("width") <= 24, "{widget}");
        for x in at("x")..at("x") + at("width") {
            for y in at("y")..at("y") + at("height") {
                assert!(taken.insert((x, y)), "two widgets in one place: {widget}");
            }
        }
        let properties = &widget["properties"];
        assert_eq!(properties["region"], "eu-west-1");
        assert!(properties["title"].as_str().is_some_and(|title| !title.is_empty()));
        for metric in properties["metrics"].as_array().unwrap() {
            let parts = metric.as_array().unwrap();
            let texts = parts.iter().take_while(|part| part.is_string()).count();
            // Namespace, name, and pairs of dimension and value; or an expression alone.
            assert!(texts >= 2 && texts % 2 == 0 || parts[0]["expression"].is_string(), "{metric}");
        }
    }
    let text = json!(widgets).to_string();
    for metric in [
        "ConcurrentExecutions",
        "StreamsOpened",
        "StreamsEnded",
        "Duration",
        "Errors",
        "Throttles",
        "ConsumedReadCapacityUnits",
        "RowsSkipped",
        "Lag",
        "* 840, 0)",
    ] {
        assert!(text.contains(metric), "`{metric}` is on no widget");
    }
}

#[test]
fn traces_and_networks_come_with_the_permissions_they_need_and_not_otherwise() {
    let plan = plan("operations");
    for role in ["stream", "dashboard"] {
        let resources = resources(&plan, role);
        assert_eq!(resources["aws_lambda_function.this"]["tracing_config"], json!([{ "mode": "Active" }]), "{role}");
        let policy: Value =
            serde_json::from_str(resources["aws_iam_role_policy.traces"]["policy"].as_str().unwrap()).unwrap();
        assert_eq!(policy["Statement"][0]["Action"], json!(["xray:PutTelemetryRecords", "xray:PutTraceSegments"]));
    }
    let network = &resources(&plan, "dashboard")["aws_lambda_function.this"]["vpc_config"][0];
    assert_eq!(network["subnet_ids"].as_array().unwrap().len(), 2);
    assert_eq!(network["security_group_ids"], json!(["sg-0123456789abcdef0"]));
    let stream = resources(&plan, "stream");
    assert_eq!(stream["aws_lambda_function.this"]["vpc_config"], json!([]), "a stream could not leave a VPC");

    for role in ["stream", "dashboard"] {
        let resources = self::resources(&self::plan("default"), role);
        let function = &resources["aws_lambda_function.this"];
        // Said in full, or tracing that was on would stay on.
        let off = json!([{ "mode": "PassThrough" }]);
        assert_eq!((&function["tracing_config"], &function["vpc_config"]), (&off, &json!([])), "{role}");
        assert!(!resources.contains_key("aws_iam_role_policy.traces"), "{role}");
    }
}
