//! The program `server`, both functions at one address, on a table of DynamoDB Local.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use rustix::process::Signal;

use super::client::{Request, Response};
use super::local::free_port;
use super::process::Process;
use super::table::Table;
use super::{bins, dynamodb};

/// A hang must end at some time; a machine that is only slow takes less.
const START_LIMIT: Duration = Duration::from_secs(300);

/// A running server.
pub(crate) struct Server {
    /// Its process.
    pub process: Process,
    /// Where it listens.
    pub address: SocketAddr,
}

/// Variables of a server on this table, read through `endpoint`, at this address.
pub(crate) fn env(table: &Table, endpoint: SocketAddr, address: SocketAddr) -> BTreeMap<String, String> {
    let own = [("SERVER_PORT", address.port().to_string()), ("SSE_POLL_INTERVAL", "500ms".to_owned())];
    let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
    table.env().into_iter().chain(dynamodb::env(endpoint)).chain(own).collect()
}

impl Server {
    /// Starts the server with more variables and waits until it lives.
    pub(crate) async fn start(table: &Table, more: &[(&str, &str)]) -> Self {
        Self::start_at(table, dynamodb::address(), more).await
    }

    /// The same with a table that is read through this address.
    pub(crate) async fn start_at(table: &Table, endpoint: SocketAddr, more: &[(&str, &str)]) -> Self {
        let address = free_port();
        let mut env = env(table, endpoint, address);
        env.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Self::of(Process::spawn(&bins::path("server"), &[], &env), address).await
    }

    /// Waits until a process lives that serves at this address.
    pub(crate) async fn of(process: Process, address: SocketAddr) -> Self {
        let server = Self { process, address };
        let up = async {
            while !server.get("/livez").try_send().await.is_ok_and(|answer| answer.status() == 200) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            () = up => {}
            status = server.process.exited() => panic!("`server` ended with {status}:\n{}", server.process.text()),
            () = tokio::time::sleep(START_LIMIT) => panic!("`server` is not up:\n{}", server.process.text()),
        }
        server
    }

    /// Waits until it says that it may be asked.
    pub(crate) async fn ready(self) -> Self {
        let ready = async {
            while self.ask("/readyz").await.status() != 200 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let in_time = tokio::time::timeout(START_LIMIT, ready).await;
        assert!(in_time.is_ok(), "`server` is not ready:\n{}", self.process.text());
        self
    }

    /// A request to it.
    pub(crate) fn get(&self, target: &str) -> Request {
        Request::get(self.address, target)
    }

    /// Its answer to a request.
    pub(crate) async fn ask(&self, target: &str) -> Response {
        self.get(target).send().await
    }

    /// What a supervisor does.
    pub(crate) fn terminate(&self) {
        self.process.signal(Signal::TERM);
    }
}
