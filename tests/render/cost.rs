//! `infragen cost` from the outside: exact transcripts, the table of prices, and the page of the documentation.

use serde_json::Value;

use super::{Project, Run, fixtures, is_updating, workspace};

/// Provider, network and memory that managed instances need.
const MANAGED: &str = "[terraform]\naws_provider = \">= 6.28.0, < 7.0.0\"\n[stream]\ncompute = \"managed-instances\"\n\
                       memory = \"2 GiB\"\n[stream.vpc]\nsubnets = [\"subnet-0123456789abcdef0\"]\n\
                       security_groups = [\"sg-0123456789abcdef0\"]\n";

/// Compares with a file of `tests/fixtures/cost`; `UPDATE=1` writes it instead.
fn transcript(name: &str, found: &str) {
    let path = workspace().join("tests/fixtures/cost").join(name);
    if is_updating() {
        std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "{name} is stale: run the test with UPDATE=1 and read the difference");
}

fn cost(project: &Project, more: &[&str]) -> String {
    let run = project.run(&[&["cost"], more].concat()).done();
    assert_eq!(run.stderr, "");
    run.stdout
}

fn json(project: &Project, more: &[&str]) -> Value {
    serde_json::from_str(&cost(project, &[more, &["--format", "json"]].concat())).unwrap()
}

#[test]
fn the_default_manifest_and_its_variants_read_as_recorded() {
    let default = Project::fixture("default");
    transcript("default.txt", &cost(&default, &[]));
    transcript("default.json", &cost(&default, &["--format", "json"]));
    transcript("free_tier.txt", &cost(&default, &["--free-tier"]));
    let busy = ["--viewers", "2000", "--hours-per-day", "24", "--items-per-day", "200000", "--visit", "45s"];
    transcript("busy.txt", &cost(&default, &busy));
    let edge = "[project]\nregion = \"eu-central-1\"\n[package]\narchitecture = \"x86_64\"\n[front]\nkind = \"cloudfront\"\n\
                rate_limit = 2000\n[operations]\ntracing = true\nalarms = false\n";
    transcript("edge.txt", &cost(&Project::new(edge), &[]));
    transcript("managed.txt", &cost(&Project::new(MANAGED), &["--viewers", "1500"]));
    let none = Project::new("[stream.instances]\nconcurrency = 5\n[stream]\nmax_session = \"30s\"\n");
    transcript("never.txt", &cost(&none, &[]));
    let stopped = json(&Project::new("[stream]\nreserved_concurrency = 0\n"), &[]);
    assert_eq!((&stopped["stopped"], &json(&default, &[])["stopped"]), (&Value::Bool(true), &Value::Bool(false)));
}

#[test]
fn the_same_manifest_costs_the_same_at_every_run_whatever_the_format() {
    let project = Project::fixture("default");
    assert_eq!(cost(&project, &[]), cost(&project, &[]));
    let value = json(&project, &[]);
    let dollars = |line: &Value| line["month_usd"].as_f64().unwrap();
    let sum: f64 = value["lines"].as_array().unwrap().iter().map(dollars).sum();
    assert!((sum - dollars(&value)).abs() < 1e-9);
    assert!(cost(&project, &[]).contains(&format!("{:.2}\n", dollars(&value))));
}

#[test]
fn assumptions_come_from_the_manifest_unless_given() {
    let text = "[stream]\nexpected_viewers = 7\n[cost]\nhours_per_day = 3\nitems_per_day = 0\n[env.prod.stream]\nexpected_viewers = 9\n";
    let project = Project::new(text);
    let assumed = |more: &[&str]| json(&project, more)["assumptions"].clone();
    let expected = serde_json::json!({"viewers": 7, "hours_per_day": 3, "items_per_day": 0, "visit_seconds": 600.0});
    assert_eq!(assumed(&[]), expected);
    assert_eq!(assumed(&["--env", "prod"])["viewers"], 9);
    let given = ["--viewers", "1", "--hours-per-day", "24", "--items-per-day", "5", "--visit", "1h"];
    let expected = serde_json::json!({"viewers": 1, "hours_per_day": 24, "items_per_day": 5, "visit_seconds": 3600.0});
    assert_eq!(assumed(&given), expected);
}

#[test]
fn assumptions_out_of_range_are_refused() {
    let project = Project::new("");
    for bad in [
        ["--viewers", "0"],
        ["--viewers", "1000001"],
        ["--hours-per-day", "25"],
        ["--hours-per-day", "0"],
        ["--items-per-day", "1000000001"],
        ["--visit", "0s"],
        ["--visit", "25h"],
        ["--visit", "10"],
    ] {
        let Run { code, stdout, stderr } = project.run(&[&["cost"][..], &bad].concat());
        assert_eq!((code, stdout.as_str()), (2, ""), "{bad:?}");
        assert!(stderr.contains(bad[0]), "{stderr}");
    }
}

#[test]
fn prices_are_printed_and_can_be_replaced_one_by_one() {
    let project = Project::fixture("default");
    let printed = project.run(&["cost", "--print-prices"]).done().stdout;
    assert_eq!(printed, std::fs::read_to_string(workspace().join("infragen/src/cost/prices.toml")).unwrap());
    let total = |more: &[&str]| json(&project, more)["month_usd"].as_f64().unwrap();
    project.write("same.toml", &printed);
    assert!((total(&["--prices", "same.toml"]) - total(&[])).abs() < f64::EPSILON);
    project.write("mine.toml", "date = \"2030-01-01\"\n[cloudwatch]\ndashboard = 5\n");
    assert!((total(&["--prices", "mine.toml"]) - total(&[]) - 2.0).abs() < 1e-9);
    assert!(cost(&project, &["--prices", "mine.toml"]).contains("Prices of us-east-1, 2030-01-01;"));
}

#[test]
fn everything_wrong_with_a_table_of_prices_is_said_at_once() {
    let project = Project::fixture("default");
    project.write("mine.toml", "[lambda]\ngb_second_arm = 1\nmillion_requests = \"0.2\"\n[waf]\nacl = -5\n");
    let run = project.run(&["cost", "--prices", "mine.toml"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    transcript("bad_prices.txt", &run.stderr);
    let run = project.run(&["cost", "--prices", "absent.toml"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    let expected = "error: `absent.toml` cannot be read: No such file or directory (os error 2)\n \
                    hint: print the built-in table with `infragen cost --print-prices`\n";
    assert_eq!(run.stderr, expected);
}

#[test]
fn alarms_and_custom_metrics_are_those_that_are_rendered() {
    for name in ["default", "operations", "unwatched", "managed_instances"] {
        let project = Project::rendered(name);
        let read = |file: &str| {
            let path = project.path().join("generated/terraform").join(file);
            std::fs::read_to_string(path).unwrap_or_default()
        };
        // An alarm is billed for each metric that it looks at.
        let alarms = read("alarms.tf").lines().filter(|line| line.trim().starts_with("metric_name ")).count();
        let is_off = std::fs::read_to_string(fixtures("valid").join(format!("{name}.toml")))
            .is_ok_and(|text| text.contains("metrics = \"off\""));
        let metrics = if is_off { 0 } else { contract::metrics::Metric::ALL.len() };
        let value = json(&project, &[]);
        let lines = value["lines"].as_array().unwrap();
        let quantity = |item: &str| {
            let found = lines.iter().find(|line| line["item"] == item);
            found.map_or_else(|| "0.0".to_owned(), |line| line["quantity"].to_string())
        };
        assert_eq!(quantity("CloudWatch alarms"), format!("{alarms}.0"), "{name}");
        assert_eq!(quantity("CloudWatch custom metrics"), format!("{metrics}.0"), "{name}");
    }
}

#[test]
fn the_pages_of_the_documentation_show_what_is_printed() {
    for (page, typed, arguments) in
        [("docs/cost.md", "infragen cost", &[] as &[&str]), ("docs/scale.md", "infragen cost --ways", &["--ways"])]
    {
        let path = workspace().join(page);
        let text = std::fs::read_to_string(&path).unwrap();
        let start = format!("```text\n$ {typed}\n");
        let (before, rest) = text.split_once(&start).expect("the page has a transcript");
        let (shown, after) = rest.split_once("```").unwrap();
        let found = cost(&Project::fixture("default"), arguments);
        if is_updating() {
            std::fs::write(&path, format!("{before}{start}{found}```{after}")).unwrap();
        } else {
            assert_eq!(shown, found, "{page} is stale: run the test with UPDATE=1 and read the difference");
        }
    }
}

#[test]
fn the_page_on_fronts_says_what_longer_segments_cost() {
    let text = std::fs::read_to_string(workspace().join("docs/fronts.md")).unwrap();
    let rows = text.lines().filter_map(|line| line.trim_start().strip_prefix("| `\"")?.split_once("\"`"));
    let rows: Vec<_> = rows.collect();
    assert_eq!(rows.len(), 4);
    for (length, rest) in rows {
        let cells: Vec<f64> = rest.split('|').filter_map(|cell| cell.trim().parse().ok()).collect();
        let (number, unit) = length.split_at(length.len() - 1);
        let secs = number.parse::<f64>().unwrap() * if unit == "m" { 60.0 } else { 1.0 };
        assert_eq!(cells[..2], [(3600.0 / secs).round(), (3600.0 / secs).round() * 2.0], "{length}");
        let set = format!("front.segment_length={length}");
        let shared = "front.shared_segments=true";
        let project = Project::new("front.kind = \"cloudfront\"");
        let found = json(&project, &["--ways", "--set", shared, "--set", &set, "--set", "stream.timeout=15m"]);
        let is = |cell: &&Value| {
            cell["way"] == "shared segments" && cell["viewers"] == 10_000 && cell["updates_per_hour"] == 60
        };
        let dollars = found["ways"].as_array().unwrap().iter().find(is).unwrap()["viewer_hour_usd"].as_f64().unwrap();
        assert!((cells[2] - dollars).abs() <= 0.5e-6, "{length}: {cells:?} {dollars}");
    }
}

#[test]
fn ways_are_reckoned_from_the_manifest_and_the_prices() {
    let project = Project::new("");
    let found = json(&project, &["--ways"]);
    let cells = found["ways"].as_array().unwrap();
    assert_eq!(cells.len(), 8 * 4 * 3);
    let of = |found: &Value, way: &str| {
        let is = |cell: &&Value| cell["way"] == way && cell["viewers"] == 100 && cell["updates_per_hour"] == 60;
        found["ways"].as_array().unwrap().iter().find(is).unwrap()["viewer_hour_usd"].as_f64().unwrap()
    };
    // Twice the memory, twice the stream function; nobody else.
    let twice = json(&project, &["--ways", "--set", "stream.memory=256 MiB"]);
    let ratio = of(&twice, "stream function") / of(&found, "stream function");
    assert!((1.85..2.0).contains(&ratio), "{ratio}");
    for other in ["server in containers", "polling the REST API", "AppSync Events"] {
        assert_eq!(of(&twice, other), of(&found, other), "{other}");
    }
    project.write("mine.toml", "[push]\nappsync_million_messages = 2\n");
    let dearer = json(&project, &["--ways", "--prices", "mine.toml"]);
    assert!((of(&dearer, "AppSync Events") - of(&found, "AppSync Events") - 60.6e-6).abs() < 1e-9);
    // A stopped function is reckoned as it runs.
    let stopped = json(&project, &["--ways", "--set", "stream.reserved_concurrency=0"]);
    assert_eq!(stopped["ways"], found["ways"]);
    let run = project.run(&["cost", "--ways", "--viewers", "5"]);
    assert!(run.code == 2 && run.stderr.contains("cannot be used with"), "{run:?}");
}
