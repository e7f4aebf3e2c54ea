//! DynamoDB Local, the real one, once for each test process; spoken to in its JSON protocol without an SDK.
//!
//! The SDK is what the programs under test use; here it would only hide what goes over the wire.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use dynamodb_local::{Purpose, Settings};
use serde_json::{Value, json};

use super::bins::workspace;
use super::client::Request;
use super::local::free_port;
use super::reaper;
use super::shared::Shared;

/// A hang must end at some time; a machine that is only slow takes less.
const START_LIMIT: Duration = Duration::from_secs(300);

static SERVER: Shared<SocketAddr> = Shared::new("DynamoDB Local", start);

/// Address of the shared DynamoDB Local; the first caller starts it.
pub(crate) fn address() -> SocketAddr {
    *SERVER
}

/// Calls an operation and returns its answer; an error fails the test.
pub(crate) async fn call(operation: &str, input: &Value) -> Value {
    call_at(address(), operation, input).await
}

/// Calls an operation of the server at this address; an error fails the test.
pub(crate) async fn call_at(server: SocketAddr, operation: &str, input: &Value) -> Value {
    let (status, output) = try_call_at(server, operation, input).await;
    assert_eq!(status, 200, "{operation} {input}: {output}");
    output
}

async fn try_call_at(server: SocketAddr, operation: &str, input: &Value) -> (u16, Value) {
    // DynamoDB Local reads the key id and the region of a signature and does not verify it.
    let signature =
        "AWS4-HMAC-SHA256 Credential=tests/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0";
    let response = Request::new(server, "POST", "/")
        .header("X-Amz-Target", format!("DynamoDB_20120810.{operation}"))
        .header("Authorization", signature)
        .header("X-Amz-Date", "20260101T000000Z")
        .json(input)
        .send()
        .await;
    (response.status(), response.into_json().await)
}

/// Variables with which a program finds the server at this address.
pub(crate) fn env(endpoint: SocketAddr) -> Vec<(String, String)> {
    [
        ("AWS_ENDPOINT_URL_DYNAMODB", format!("http://{endpoint}").as_str()),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "tests"),
        ("AWS_SECRET_ACCESS_KEY", "tests"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

fn folder() -> PathBuf {
    let variable = std::env::var_os("DYNAMODB_LOCAL_DIR").map(PathBuf::from);
    let folder = variable.unwrap_or_else(|| workspace().join(".tools/dynamodb-local"));
    assert!(folder.join("DynamoDBLocal.jar").exists(), "DynamoDB Local is not installed; `./justw test` does that");
    folder
}

/// Ports to try: one that was free may be taken by a parallel test before Java binds it.
const PORTS_MAX: usize = 5;

fn start() -> SocketAddr {
    let mut said = String::new();
    for _ in 0..PORTS_MAX {
        let address = free_port();
        match start_at(address, None) {
            Ok(_) => return address,
            Err(error) => said = error,
        }
    }
    panic!("not on any of {PORTS_MAX} free ports: {said}");
}

/// A server of a test's own that it may kill; its tables lie in a folder and outlive that.
pub(crate) struct Server {
    pub address: SocketAddr,
    folder: tempfile::TempDir,
    child: Option<Child>,
}

impl Server {
    /// Starts the server with an empty folder.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the tables");
        let mut server = Self { address: free_port(), folder, child: None };
        server.start_again().await;
        server
    }

    /// Starts the server where it was, with the tables that it had.
    pub(crate) async fn start_again(&mut self) {
        let (address, folder) = (self.address, self.folder.path().to_owned());
        let start = move || start_at(address, Some(&folder));
        let started = tokio::task::spawn_blocking(start).await.expect("it says so itself when it fails");
        self.child = Some(started.unwrap_or_else(|error| panic!("{error}")));
    }

    /// Ends the server without a warning.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("a child can be killed");
            child.wait().expect("a killed child ends");
            reaper::release(child.id());
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts the server; what it said when it ended, perhaps because somebody else took the port.
fn start_at(address: SocketAddr, tables: Option<&Path>) -> Result<Child, String> {
    let settings = Settings { program: &folder(), address, tables, purpose: Purpose::Tests };
    let starting = settings.start().unwrap_or_else(|error| panic!("{error}"));
    let id = starting.id();
    reaper::adopt(id);
    starting.answers_within(START_LIMIT).inspect_err(|_| reaper::release(id))
}

/// The `users` table, as the functions expect it.
pub(crate) async fn create_users_table(server: SocketAddr, name: &str) {
    let input = json!({
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            { "AttributeName": "PK", "AttributeType": "S" },
            { "AttributeName": "SK", "AttributeType": "S" },
        ],
        "KeySchema": [{ "AttributeName": "PK", "KeyType": "HASH" }, { "AttributeName": "SK", "KeyType": "RANGE" }],
    });
    call_at(server, "CreateTable", &input).await;
}

/// Saves a configuration of a user.
pub(crate) async fn put_configuration(table: &str, user_id: &str, config_id: &str, tickers: &[&str]) {
    let tickers: Vec<Value> = tickers.iter().map(|ticker| json!({ "S": ticker })).collect();
    let item = json!({
        "PK": { "S": format!("USER#{user_id}") },
        "SK": { "S": format!("CONFIG#{config_id}") },
        "config_id": { "S": config_id },
        "user_id": { "S": user_id },
        "name": { "S": "mine" },
        "tickers": { "L": tickers },
    });
    call("PutItem", &json!({ "TableName": table, "Item": item })).await;
}

/// Deletes a configuration of a user.
pub(crate) async fn delete_configuration(table: &str, user_id: &str, config_id: &str) {
    let key = json!({ "PK": { "S": format!("USER#{user_id}") }, "SK": { "S": format!("CONFIG#{config_id}") } });
    call("DeleteItem", &json!({ "TableName": table, "Key": key })).await;
}
