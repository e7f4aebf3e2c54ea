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
        server.process.is_up(up).await;
        server
    }

    /// Waits until it says that it may be asked.
    pub(crate) async fn ready(self) -> Self {
        let ready = async {
            while self.ask("/readyz").await.status() != 200 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        self.process.is_up(ready).await;
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
