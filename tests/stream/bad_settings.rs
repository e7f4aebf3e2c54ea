//! A bad variable stops a program at its start, with one line that names the variable, the value and the rule.

use std::collections::BTreeMap;

use super::LIMIT;
use crate::support::bins;
use crate::support::process::Process;

const CASES: [(&str, &str, &[&str]); 14] = [
    ("SSE_POLL_INTERVAL", "soon", &["`soon`", "duration"]),
    ("SSE_POLL_INTERVAL", "10ms", &["`10ms`", "100ms", "5m"]),
    ("SSE_MAX_CONNECTIONS", "0", &["`0`", "1 to 65536"]),
    ("SSE_MAX_SESSION", "1h", &["`1h`", "5s to 890s"]),
    ("SSE_WHEN_FULL", "panic", &["`panic`", "`overloaded`", "`reject`"]),
    ("AUTH_MODE", "guess", &["`guess`", "`trusted-header`"]),
    ("AUTH_ISSUER", "two words", &["`two words`", "1 to 512"]),
    ("AUTH_JWKS_URL", "http://login.example.com", &["`http://login.example.com`", "https://"]),
    ("AUTH_AUDIENCE_CLAIM", "sub", &["`sub`", "`client_id`"]),
    ("AUTH_COOKIE", "a b", &["`a b`", "1 to 64"]),
    ("AUTH_SESSION_KEYS", "a,b,c,d,e", &["5 keys", "1 to 4"]),
    ("AUTH_SESSION_LIFETIME", "0s", &["`0s`", "1s to 8760h"]),
    ("SENTIMENTS_TABLE", "no such/table", &["`no such/table`", "3 to 255"]),
    ("DATA_LABELS", "a,a", &["`a,a`", "different"]),
];

fn base(program: &str) -> BTreeMap<String, String> {
    let mut env = vec![
        ("SENTIMENTS_TABLE", "items"),
        ("USERS_TABLE", "users"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "tests"),
        ("AWS_SECRET_ACCESS_KEY", "tests"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9"),
    ];
    if program == "local" {
        env.extend([("STORE", "memory"), ("STREAM_PORT", "0"), ("DASHBOARD_PORT", "0")]);
    } else if program == "server" {
        env.push(("SERVER_PORT", "0"));
    } else {
        env.extend([
            ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9"),
            ("AWS_LAMBDA_FUNCTION_NAME", "f"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ]);
    }
    env.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

async fn assert_one_line(program: &str, env: BTreeMap<String, String>, words: &[&str]) {
    let process = Process::spawn(&bins::path(program), &[], &env);
    let status = process.exits_within(LIMIT).await;
    let said = process.text();
    assert!(!status.success(), "{program}: {status}\n{said}");
    assert_eq!(process.lines().len(), 1, "{program}: {said}");
    assert!(process.lines()[0].stderr, "{program}: not on stderr: {said}");
    for word in words {
        assert!(said.contains(word), "{program}: no {word} in {said}");
    }
    assert!(!said.contains("panicked") && !said.contains("backtrace"), "{program}: {said}");
}

async fn check(program: &str) {
    // The dashboard reads fewer variables.
    let stream_only = ["SSE_MAX_CONNECTIONS", "SSE_MAX_SESSION", "SSE_WHEN_FULL"];
    for (name, value, words) in CASES {
        if program == "dashboard" && stream_only.contains(&name) {
            continue;
        }
        let mut env = base(program);
        env.insert(name.to_owned(), value.to_owned());
        assert_one_line(program, env, &[&[name], words].concat()).await;
    }
}

#[tokio::test]
async fn the_stream_function_names_the_variable_the_value_and_the_rule() {
    check("stream").await;
    let mut env = base("stream");
    env.remove("USERS_TABLE");
    assert_one_line("stream", env, &["USERS_TABLE", "not set", "3 to 255"]).await;
    // As many as a server may have, and more than Lambda gives a function.
    let mut env = base("stream");
    env.insert("SSE_MAX_CONNECTIONS".into(), "1601".into());
    assert_one_line("stream", env, &["SSE_MAX_CONNECTIONS", "`1601`", "1 to 1600", "AWS Lambda"]).await;
}

#[tokio::test]
async fn the_server_names_the_variable_the_value_and_the_rule() {
    check("server").await;
    for (name, value, rule) in [
        ("SSE_MAX_CONNECTIONS", "65537", "1 to 65536"),
        ("SERVER_ADDRESS", "nowhere", "is not an IP address"),
        ("SERVER_PORT", "x", "0 to 65535"),
        ("SERVER_DRAIN", "11m", "0s to 10m"),
        ("AWS_LAMBDA_HTTP_ENDPOINT", "x", "is not an address and a port"),
    ] {
        let mut env = base("server");
        env.insert(name.into(), value.into());
        assert_one_line("server", env, &[name, value, rule]).await;
    }
}

#[tokio::test]
async fn the_dashboard_function_names_the_variable_the_value_and_the_rule() {
    check("dashboard").await;
}

#[tokio::test]
async fn the_local_server_names_the_variable_the_value_and_the_rule() {
    check("local").await;
    for (name, value) in [("STREAM_PORT", "http"), ("DASHBOARD_PORT", "70000"), ("STORE", "redis")] {
        let mut env = base("local");
        env.insert(name.into(), value.into());
        assert_one_line("local", env, &[name, value]).await;
    }
}

#[tokio::test]
async fn a_mode_names_the_variable_that_it_lacks() {
    for program in ["stream", "dashboard"] {
        let mut env = base(program);
        env.insert("AUTH_MODE".into(), "session".into());
        assert_one_line(program, env.clone(), &["AUTH_SESSION_KEYS", "not set", "`session`"]).await;
        env.extend([("AUTH_MODE", "jwt"), ("AUTH_AUDIENCE", "x")].map(|(name, value)| (name.into(), value.into())));
        assert_one_line(program, env.clone(), &["AUTH_ISSUER", "not set", "`jwt`"]).await;
        env.insert("AUTH_ISSUER".into(), "stytch.com/project-1".into());
        assert_one_line(program, env, &["AUTH_JWKS_URL", "not set", "`stytch.com/project-1`"]).await;
    }
}

#[tokio::test]
async fn each_bad_variable_has_a_line_of_its_own() {
    let mut env = base("stream");
    env.insert("SSE_POLL_INTERVAL".into(), "soon".into());
    env.insert("SSE_WHEN_FULL".into(), "panic".into());
    let process = Process::spawn(&bins::path("stream"), &[], &env);
    assert!(!process.exits_within(LIMIT).await.success());
    let lines = process.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    for name in ["SSE_POLL_INTERVAL", "SSE_WHEN_FULL"] {
        assert_eq!(lines.iter().filter(|line| line.text.contains(name)).count(), 1, "{lines:?}");
    }
}
