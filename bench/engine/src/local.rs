//! DynamoDB Local for one run: started with nothing in it, ended with the run.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Tries to reach it, a quarter of a second apart.
const TRIES_MAX: u32 = 480;

/// The server. Dropping it ends it.
pub(crate) struct Local {
    pub(crate) address: SocketAddr,
    java: Child,
}

impl Local {
    /// Starts it from the folder that holds `DynamoDBLocal.jar`.
    pub(crate) fn start(folder: &Path) -> Result<Self, String> {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.map_err(|error| error.to_string())?;
        let mut java = Command::new("java");
        java.args(["-Xmx2g", "-Djava.library.path=DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar", "-inMemory"]);
        java.args(["-sharedDb", "-port", &address.port().to_string()]).current_dir(folder);
        java.env("DDB_LOCAL_TELEMETRY", "0").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let java = java.spawn().map_err(|error| format!("DynamoDB Local needs Java 17 as `java` on PATH: {error}"))?;
        let mut local = Self { address, java };
        for _ in 0..TRIES_MAX {
            if let Ok(Some(status)) = local.java.try_wait() {
                return Err(format!("DynamoDB Local ended at once: {status}"));
            }
            if answers(address) {
                return Ok(local);
            }
            std::thread::sleep(Duration::from_millis(250));
        }
        Err("DynamoDB Local does not answer".into())
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.java.kill().ok();
        self.java.wait().ok();
    }
}

fn answers(address: SocketAddr) -> bool {
    let limit = Duration::from_secs(20);
    let ask = || {
        let mut stream = TcpStream::connect_timeout(&address, limit)?;
        stream.set_read_timeout(Some(limit))?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.take(4096).read_to_end(&mut answer)?;
        Ok::<_, std::io::Error>(answer)
    };
    ask().is_ok_and(|answer| String::from_utf8_lossy(&answer).to_lowercase().contains("x-amzn-requestid"))
}
