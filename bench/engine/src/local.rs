//! DynamoDB Local for one run: started with nothing in it, ended with the run.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Child;
use std::time::Duration;

use dynamodb_local::{Purpose, Settings};

/// A hang must end at some time; a machine that is only slow takes less.
const START_LIMIT: Duration = Duration::from_secs(120);

/// The server. Dropping it ends it.
pub(crate) struct Local {
    pub(crate) address: SocketAddr,
    java: Child,
}

impl Local {
    /// Starts it from the folder that holds `DynamoDBLocal.jar`.
    pub(crate) fn start(program: &Path) -> Result<Self, String> {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.map_err(|error| error.to_string())?;
        let settings = Settings { program, address, tables: None, purpose: Purpose::Measurement };
        let java = settings.start()?.answers_within(START_LIMIT)?;
        Ok(Self { address, java })
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.java.kill().ok();
        self.java.wait().ok();
    }
}
