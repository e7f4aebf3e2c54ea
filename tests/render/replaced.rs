//! What `infragen render --diff` says would be replaced, held against what Terraform plans in an account in memory.

use super::account::Account;

const DEPLOY: [&str; 3] = ["deploy", "--yes", "--no-smoke"];

/// Warnings of a command about what is replaced or removed, without the reasons and remedies.
fn said(account: &Account, arguments: &[&str]) -> Vec<String> {
    let run = account.project.run(arguments).done();
    let warnings = run.stderr.lines().filter_map(|line| line.strip_prefix("warning: `generated/terraform` "));
    warnings.map(|line| line.split_once(':').expect("it says what is lost").0.to_owned()).collect()
}

#[test]
fn a_rename_is_said_before_terraform_is_asked_and_nothing_is_said_of_what_stays() {
    let text = "[tables.items]\nname = \"news\"\n[operations]\nemail = \"a@example.com\"\n";
    let account = Account::new(text);
    account.run(&DEPLOY).done();

    let harmless = format!(
        "{text}[stream]\nmemory = \"256 MiB\"\nlog_retention_days = 30\n[project]\ntags = {{ team = \"a\" }}\n"
    );
    account.project.write("deploy.toml", &harmless);
    assert_eq!(said(&account, &["render", "--diff"]), [] as [&str; 0]);

    account.project.write("deploy.toml", &format!("{text}[project]\nname = \"other\"\n"));
    let expected = [
        "replaces function `sse-streaming-dev-dashboard`",
        "replaces function `sse-streaming-dev-stream`",
        "replaces log `/aws/lambda/sse-streaming-dev-dashboard`",
        "replaces log `/aws/lambda/sse-streaming-dev-stream`",
        "replaces table `sse-streaming-dev-users`",
        "replaces topic `sse-streaming-dev-alarms`",
    ];
    assert_eq!(said(&account, &["render", "--diff"]), expected);
    // And once more by whoever writes it.
    assert_eq!(said(&account, &["render"]), expected);
    let planned = account.run(&["deploy", "--plan"]).done();
    for line in expected {
        let what = line.strip_prefix("replaces ").unwrap().replace('`', "").replace("sse-streaming", "other");
        assert!(planned.stdout.contains(&what), "{what}: {planned:?}");
    }
    // The table with a name of its own stays.
    assert!(planned.stdout.contains("| changed | `table news"), "{planned:?}");

    account.project.write("deploy.toml", &text.replace("news", "others"));
    account.project.run(&["render"]).done();
    account.project.write("deploy.toml", text);
    let back = account.project.run(&["render", "--diff"]).done();
    assert!(
        back.stderr.contains("replaces table `others`: its rows are lost, unless `tables.items.name` is \"others\"\n"),
        "{back:?}"
    );
}
