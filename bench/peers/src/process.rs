//! A server that is measured from outside: started, watched in /proc, ended with its owner.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Ticks of processor time in a second: what Linux says to programs, whatever it counts itself.
const TICKS_PER_SECOND: u64 = 100;

/// A running server.
pub(crate) struct Process(Child);

/// What the kernel says of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// Processor time so far, user and system.
    pub(crate) processor: Duration,
    /// Resident memory, bytes.
    pub(crate) resident: u64,
}

impl Process {
    /// Starts it; what it says goes to standard error where `is_heard`.
    pub(crate) fn start(command: &mut Command, is_heard: bool) -> Result<Self, String> {
        let said = || if is_heard { Stdio::inherit() } else { Stdio::null() };
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said());
        command.spawn().map(Self).map_err(|error| format!("{}: {error}", command.get_program().display()))
    }

    /// What it has used, as long as it runs.
    pub(crate) fn usage(&self) -> Result<Usage, String> {
        let gone = |error: std::io::Error| format!("process {}: {error}", self.0.id());
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{}/{name}", self.0.id())).map_err(gone);
        let (stat, status) = (read("stat")?, read("status")?);
        usage(&stat, &status).ok_or_else(|| format!("process {} has ended", self.0.id()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn usage(stat: &str, status: &str) -> Option<Usage> {
    // The name of the program, in brackets, may hold spaces.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = resident.split_whitespace().next()?.parse().ok()?;
    Some(Usage { processor: Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND), resident: kilobytes * 1024 })
}

/// A port that is free now.
pub(crate) fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything_and_a_process_that_ended_has_no_memory() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194304 1 0 0 0 150 50 0 0 20 0 1 0 9 9 9";
        let found = usage(stat, "Name:\ta\nVmRSS:\t    2048 kB\n").unwrap();
        assert_eq!((found.processor, found.resident), (Duration::from_secs(2), 2 << 20));
        assert!(usage(stat, "Name:\ta\nState:\tZ (zombie)\n").is_none());
    }
}
