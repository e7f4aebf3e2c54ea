//! Kills the processes of the tests when the test process ends, however it ends.
//!
//! A shell reads from a pipe which processes live. When the pipe closes, the test process is gone, and the shell kills
//! what is left. `Drop` cannot do that: statics are never dropped, and nothing is dropped after SIGKILL.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Mutex};

/// `+ PID` adds, `- PID` removes; the end of input kills.
const SCRIPT: &str = r#"trap '' INT TERM HUP
pids=
while read -r sign pid; do
  others=
  for other in $pids; do [ "$other" = "$pid" ] || others="$others $other"; done
  pids=$others
  [ "$sign" = - ] || pids="$pids $pid"
done
for pid in $pids; do kill -9 "$pid" 2>/dev/null; done"#;

static REAPER: LazyLock<Mutex<Child>> = LazyLock::new(|| {
    let mut shell = Command::new("sh");
    shell.args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    Mutex::new(shell.spawn().expect("every system these tests run on has `sh`"))
});

/// Has `pid` killed at the end of this process.
pub(crate) fn adopt(pid: u32) {
    tell('+', pid);
}

/// Forgets `pid`, which has ended.
pub(crate) fn release(pid: u32) {
    tell('-', pid);
}

fn tell(sign: char, pid: u32) {
    let mut shell = REAPER.lock().expect("nothing panics while it holds this lock");
    let pipe = shell.stdin.as_mut().expect("stdin was asked for");
    writeln!(pipe, "{sign} {pid}").expect("the shell reads until this process ends");
}
