//! The program `local`, which serves both functions as an ordinary server, on free ports.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use rustix::process::Signal;

use super::bins;
use super::client::Request;
use super::process::Process;

/// A running server.
pub(crate) struct Local {
    /// Its process.
    pub process: Process,
    /// Where the stream function listens.
    pub stream: SocketAddr,
    /// Where page and REST listen.
    pub dashboard: SocketAddr,
}

impl Local {
    /// Starts the server with these variables and waits until both ports answer.
    pub(crate) async fn start(env: &[(&str, &str)]) -> Self {
        Self::start_as(&bins::path("local"), &[], env).await
    }

    /// The same by a command of the shell that ends in `exec "$0"`, such as one that limits the process.
    pub(crate) async fn start_by(command: &str, env: &[(&str, &str)]) -> Self {
        let arguments = ["-c".to_owned(), command.to_owned(), bins::path("local").display().to_string()];
        Self::start_as("/bin/sh".as_ref(), &arguments, env).await
    }

    async fn start_as(program: &Path, arguments: &[String], env: &[(&str, &str)]) -> Self {
        let (stream, dashboard) = (free_port(), free_port());
        let mut all = BTreeMap::from([
            ("STREAM_PORT".to_owned(), stream.port().to_string()),
            ("DASHBOARD_PORT".to_owned(), dashboard.port().to_string()),
            ("STORE".to_owned(), "memory".to_owned()),
            ("FRONTEND_DIR".to_owned(), bins::workspace().join("frontend").display().to_string()),
        ]);
        all.extend(env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let local = Self { process: Process::spawn(program, arguments, &all), stream, dashboard };
        let up = async {
            local.answers(stream).await;
            local.answers(dashboard).await;
        };
        local.process.is_up(up).await;
        local
    }

    async fn answers(&self, address: SocketAddr) {
        while !Request::get(address, "/health").try_send().await.is_ok_and(|answer| answer.status() == 200) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A request to the stream function.
    pub(crate) fn get(&self, target: &str) -> Request {
        Request::get(self.stream, target)
    }

    /// What Ctrl-C does.
    pub(crate) fn interrupt(&self) {
        self.process.signal(Signal::INT);
    }

    /// What a supervisor does.
    pub(crate) fn terminate(&self) {
        self.process.signal(Signal::TERM);
    }
}

/// Ports that the system gives to no connection of its own accord: what it gives out begins at 32768 or higher.
const PORTS: std::ops::Range<u16> = 16_384..32_768;

/// A free port for a server of a test, named once in the life of this process. One that the system would name could be another
/// connection's until the server is up, and there are thousands of those.
pub(crate) fn free_port() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Two test processes at once begin at different places.
    let first = std::process::id().wrapping_mul(997);
    let count = u32::from(PORTS.end - PORTS.start);
    (0..count)
        .map(|_| {
            let step = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
            let offset = u16::try_from(first.wrapping_add(step) % count).expect("less than the number of ports");
            SocketAddr::from(([127, 0, 0, 1], PORTS.start + offset))
        })
        .find(|address| TcpListener::bind(address).is_ok())
        .expect("loopback has a free port")
}
