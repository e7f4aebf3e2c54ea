//! Programs that are started on the table, and end with whoever started them.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::table::data;

/// Processes that end with it.
#[derive(Default)]
pub(crate) struct Running(Vec<Child>);

impl Running {
    /// This one.
    pub(crate) fn of(child: Child) -> Self {
        Self(vec![child])
    }

    /// Starts another one, of which nobody hears.
    pub(crate) fn spawn(&mut self, command: &mut Command) -> Result<(), String> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
        self.0.push(child);
        Ok(())
    }

    /// Their numbers.
    pub(crate) fn ids(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().map(Child::id)
    }

    /// Gives the first one back, which ends with nobody then.
    pub(crate) fn take(&mut self) -> Child {
        self.0.remove(0)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for child in &mut self.0 {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// A program that knows nothing of this process's environment.
pub(crate) fn alone(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    command
}

/// What a program knows of the table.
pub(crate) fn table_env(command: &mut Command, table: SocketAddr) -> &mut Command {
    let data = data();
    command.env("SENTIMENTS_TABLE", data.items_table.as_str()).env("USERS_TABLE", data.users_table.as_str());
    command.env("AWS_ENDPOINT_URL_DYNAMODB", format!("http://{table}")).envs([
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "bench"),
        ("AWS_SECRET_ACCESS_KEY", "bench"),
        ("ENVIRONMENT", "bench"),
    ])
}

/// A port that is free now.
pub(crate) fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    listener.map(|address| address.port()).map_err(|error| error.to_string())
}
