//! What the server may hold: streams by its own limit, descriptors by the system's.

use std::time::Duration;

use contract::limits::FIRST_BYTE_TIMEOUT;
use tokio::io::AsyncReadExt as _;

use super::{LIMIT, STREAM};
use crate::support::client::Request;
use crate::support::clock::until;
use crate::support::local::{Local, free_port};
use crate::support::process::Process;
use crate::support::server::{self, Server};
use crate::support::sse::SseClient;
use crate::support::table::{SENTIMENTS, Table};
use crate::support::{bins, dynamodb};

/// The server under limits of open files: soft and hard.
async fn limited(table: &Table, files: (u32, u32), more: &[(&str, &str)]) -> (Process, std::net::SocketAddr) {
    let address = free_port();
    let mut env = server::env(table, dynamodb::address(), address);
    env.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let script = format!("ulimit -Sn {} && ulimit -Hn {} && exec \"$0\"", files.0, files.1);
    let arguments = ["-c".to_owned(), script, bins::path("server").display().to_string()];
    (Process::spawn("/bin/sh".as_ref(), &arguments, &env), address)
}

#[tokio::test]
async fn the_limit_of_open_files_is_raised_to_what_it_may_be() {
    let table = Table::create(SENTIMENTS).await;
    let (process, address) = limited(&table, (64, 356), &[("SSE_MAX_CONNECTIONS", "100")]).await;
    let server = Server::of(process, address).await.ready().await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.process.pid())).unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert_eq!(files.split_whitespace().collect::<Vec<_>>()[3..5], ["356", "356"], "{files}");
}

#[tokio::test]
async fn a_server_that_cannot_open_as_many_files_as_streams_says_so_and_ends() {
    let table = Table::create(SENTIMENTS).await;
    let (process, _) = limited(&table, (64, 355), &[("SSE_MAX_CONNECTIONS", "100")]).await;
    let status = process.exits_within(LIMIT).await;
    let errors: Vec<String> = process.lines().into_iter().filter(|line| line.stderr).map(|line| line.text).collect();
    assert!(!status.success());
    assert_eq!(
        errors,
        [
            "error: this process may open 355 files: `SSE_MAX_CONNECTIONS` is `100`, which needs 356; raise its hard limit \
          (`ulimit -Hn`, `LimitNOFILE=` of systemd, `ulimits` of Compose), or allow fewer streams"
        ]
    );
}

#[tokio::test]
async fn connections_beyond_the_descriptors_wait_and_those_that_are_there_go_on() {
    let table = Table::create(SENTIMENTS).await;
    let more = [("SSE_MAX_CONNECTIONS", "4"), ("SSE_CONNECTIONS_PER_CLIENT", "4")];
    let (process, address) = limited(&table, (260, 260), &more).await;
    let server = Server::of(process, address).await.ready().await;
    let mut client = SseClient::connect(server.get(STREAM)).await;
    let mut idle = Vec::new();
    for _ in 0..300 {
        idle.push(tokio::net::TcpStream::connect(address).await.unwrap());
    }
    client.event("metrics", LIMIT).await;
    assert!(!server.process.text().contains("was not accepted"), "{}", server.process.text());
    let said = || server.process.text().matches(contract::logs::NO_PLACE).count();
    until("a line that says that all places are taken", LIMIT, || (said() > 0).then_some(())).await;
    drop(idle);
    assert_eq!(server.ask("/livez").await.status(), 200);
    // Once, however many waited.
    assert_eq!(said(), 1, "{}", server.process.text());
}

#[tokio::test]
async fn two_doors_share_what_there_is_and_one_of_them_may_have_all_of_it() {
    // Room for 278 connections, which was 139 at each door.
    let more = [("SSE_MAX_CONNECTIONS", "150"), ("SSE_CONNECTIONS_PER_CLIENT", "150")];
    let local = Local::start_by("ulimit -n 406 && exec \"$0\"", &more).await;
    let mut clients = Vec::new();
    for _ in 0..150 {
        clients.push(SseClient::connect(local.get(STREAM)).await);
    }
    for client in &mut clients {
        client.event("heartbeat", LIMIT).await;
    }
    assert_eq!(Request::get(local.dashboard, "/livez").send().await.status(), 200);
}

#[tokio::test]
async fn more_streams_than_a_function_may_have_are_a_servers() {
    let table = Table::create(SENTIMENTS).await;
    let more = [("SSE_MAX_CONNECTIONS", "1601"), ("SSE_CONNECTIONS_PER_CLIENT", "65536")];
    let server = Server::start(&table, &more).await.ready().await;
    let status = server.ask(contract::routes::STREAM_STATUS).await.into_json().await;
    assert_eq!(status["max_connections"], 1601);
}

#[tokio::test]
async fn an_address_that_is_not_this_machines_is_said_with_what_to_set() {
    let table = Table::create(SENTIMENTS).await;
    let address = free_port();
    let mut env = server::env(&table, dynamodb::address(), address);
    env.insert("SERVER_ADDRESS".to_owned(), "192.0.2.1".to_owned());
    let process = Process::spawn(&bins::path("server"), &[], &env);
    assert!(!process.exits_within(LIMIT).await.success());
    let expected = format!("error: cannot listen on 192.0.2.1:{}: ", address.port());
    assert!(process.text().contains(&expected), "{}", process.text());
    assert!(process.text().contains("; set SERVER_ADDRESS to an address of this machine"), "{}", process.text());
}

#[tokio::test]
async fn it_listens_where_lambda_says() {
    let table = Table::create(SENTIMENTS).await;
    let address = free_port();
    let mut env = server::env(&table, dynamodb::address(), free_port());
    env.insert("AWS_LAMBDA_HTTP_ENDPOINT".to_owned(), format!("http://{address}"));
    let server = Server::of(Process::spawn(&bins::path("server"), &[], &env), address).await;
    assert!(tokio::time::timeout(Duration::from_secs(60), server.ready()).await.is_ok());
}

#[tokio::test]
async fn a_free_port_that_it_took_is_said() {
    let table = Table::create(SENTIMENTS).await;
    let env = server::env(&table, dynamodb::address(), std::net::SocketAddr::from(([127, 0, 0, 1], 0)));
    let process = Process::spawn(&bins::path("server"), &[], &env);
    let said = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        (line["message"] == "listening").then(|| line["address"].as_str().unwrap().parse().unwrap())
    };
    let mut address = None;
    let up = async {
        while address.is_none() {
            address = process.lines().iter().find_map(|line| said(&line.text));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    process.is_up(up).await;
    Server::of(process, address.unwrap()).await;
}

#[tokio::test]
async fn a_connection_on_which_nothing_comes_gives_its_place_back() {
    let local = Local::start(&[]).await;
    let mut silent = tokio::net::TcpStream::connect(local.stream).await.unwrap();
    let opened = std::time::Instant::now();
    let end = tokio::time::timeout(FIRST_BYTE_TIMEOUT + LIMIT, silent.read(&mut [0; 16])).await.expect("it ends");
    assert!(matches!(end, Ok(0)), "{end:?}");
    assert!(opened.elapsed() + Duration::from_secs(1) > FIRST_BYTE_TIMEOUT, "{:?}", opened.elapsed());
}

#[tokio::test]
async fn what_is_wrong_with_its_settings_is_said_at_once_and_so_is_what_it_is() {
    let table = Table::create(SENTIMENTS).await;
    let run = async |arguments: &[&str], more: &[(&str, &str)]| {
        let mut env = server::env(&table, dynamodb::address(), free_port());
        env.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let process = Process::spawn(&bins::path("server"), &arguments, &env);
        let status = process.exits_within(LIMIT).await;
        (status.code(), process.text())
    };
    let (code, said) = run(&[], &[("SERVER_PORT", "x"), ("SSE_RETRY", "y"), ("SSE_POLL_INTERVAL", "z")]).await;
    // The interval is both functions' and said once.
    assert!(code == Some(1) && said.matches("error: ").count() == 3, "{said}");
    for name in ["SERVER_PORT: `x`", "SSE_RETRY: `y`", "SSE_POLL_INTERVAL: `z`"] {
        assert_eq!(said.matches(&format!("error: {name}")).count(), 1, "{said}");
    }
    let (code, said) = run(&["--help"], &[]).await;
    assert!(code == Some(0) && said.contains("SERVER_PORT") && !said.contains("error"), "{said}");
    let (code, said) = run(&["--port=80"], &[]).await;
    assert!(code == Some(2) && said.contains("`--port=80`"), "{said}");
}
