//! Programs of others, run with a limit on time and on what they may say; never through a shell.

use std::io::{self, Read, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use infragen::doctor::{Ran, aws};

/// What is kept of a program's output, each of stdout and stderr.
const OUTPUT_BYTES_MAX: u64 = 1024 * 1024;
/// Time between two looks at whether a program has ended.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Quiet programs: Terraform asks its maker for news, the AWS command line opens a pager and tries again for minutes.
const QUIET: [(&str, &str); 4] =
    [("CHECKPOINT_DISABLE", "1"), ("TF_IN_AUTOMATION", "1"), ("AWS_PAGER", ""), ("AWS_MAX_ATTEMPTS", "1")];

/// The AWS command line; it alone gets the credentials of a role.
const AWS: &str = "aws";

/// Credentials of the role that was taken on: variables of the AWS command line. In a file or an argument others could read them.
static SESSION: Mutex<Option<aws::Session>> = Mutex::new(None);

/// Has every later call of the AWS command line act as a role, or as whoever has the credentials.
pub(super) fn act_as(session: Option<aws::Session>) {
    *SESSION.lock().unwrap_or_else(PoisonError::into_inner) = session;
}

/// Runs a program, the first of `command`, to its end or to the limit.
pub(super) fn run<S: AsRef<std::ffi::OsStr>>(command: &[S], limit: Duration) -> Ran {
    run_with(command, "", limit)
}

/// Likewise a program that reads a line or two.
pub(super) fn run_with<S: AsRef<std::ffi::OsStr>>(command: &[S], input: &str, limit: Duration) -> Ran {
    let Some((program, arguments)) = command.split_first() else { return Ran::Absent };
    let session = SESSION.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let session = session.filter(|_| program.as_ref() == AWS);
    let spawned = Command::new(program)
        .envs(session.into_iter().flatten())
        .args(arguments)
        .envs(QUIET)
        .stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    match spawned {
        Ok(mut child) => {
            if let Some(mut stdin) = child.stdin.take() {
                // So little fits into the pipe; a program that does not read it says itself what it wants.
                let _written = stdin.write_all(input.as_bytes());
            }
            finish(child, limit)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ran::Absent,
        Err(error) => Ran::Failed(error.to_string()),
    }
}

fn finish(mut child: Child, limit: Duration) -> Ran {
    #[expect(clippy::disallowed_methods, reason = "a limit on time needs the time")]
    let now = Instant::now;
    let deadline = now() + limit;
    let (stdout, stderr) = (collect(child.stdout.take()), collect(child.stderr.take()));
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if now() < deadline => thread::sleep(LOOK_EVERY),
            Ok(None) => {
                // It may have ended just now; either way it is reaped.
                let _ended = child.kill();
                let _reaped = child.wait();
                return Ran::TooSlow(limit);
            }
            Err(error) => return Ran::Failed(error.to_string()),
        }
    };
    // A child of the program may hold the pipe open after its end: what it has not said by the deadline is not waited for.
    let rest = |output: &mpsc::Receiver<Vec<u8>>| output.recv_timeout(deadline.saturating_duration_since(now()));
    match (rest(&stdout), rest(&stderr)) {
        (Ok(stdout), Ok(_)) if status.success() => Ran::Done(String::from_utf8_lossy(&stdout).into_owned()),
        (Ok(_), Ok(stderr)) => Ran::Failed(String::from_utf8_lossy(&stderr).into_owned()),
        _ => Ran::TooSlow(limit),
    }
}

/// Reads a pipe to its end, on a thread, so that a program which fills it is not held up.
fn collect(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut kept = Vec::new();
        if let Some(mut pipe) = pipe {
            // A broken pipe ends the output; what came before is what there is.
            let _read = pipe.by_ref().take(OUTPUT_BYTES_MAX).read_to_end(&mut kept);
            let _rest = io::copy(&mut pipe, &mut io::sink());
        }
        // Nobody listens any more where the program was too slow.
        let _sent = sender.send(kept);
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    #[test]
    fn programs_end_are_missing_or_are_stopped() {
        assert_eq!(run(&["printf", "%s", "$HOME *"], LIMIT), Ran::Done("$HOME *".into()));
        assert_eq!(run(&["sh", "-c", "echo out; echo why >&2; exit 3"], LIMIT), Ran::Failed("why\n".into()));
        assert_eq!(run(&["no-such-program-at-all"], LIMIT), Ran::Absent);
        assert_eq!(run(&["cat"], LIMIT), Ran::Done(String::new()));
        assert_eq!(run_with(&["cat"], "a line", LIMIT), Ran::Done("a line".into()));
        assert_eq!(run_with(&["true"], "a line", LIMIT), Ran::Done(String::new()));
        let short = Duration::from_millis(200);
        assert_eq!(run(&["sleep", "60"], short), Ran::TooSlow(short));
        // Its child keeps the pipe open.
        assert_eq!(run(&["sh", "-c", "sleep 2 & exit 0"], short), Ran::TooSlow(short));
        assert_eq!(run::<&str>(&[], LIMIT), Ran::Absent);
    }

    #[test]
    fn a_program_that_says_too_much_is_cut_and_not_held_up() {
        let Ran::Done(text) = run(&["head", "-c", "3000000", "/dev/zero"], LIMIT) else { panic!("it ends") };
        assert_eq!(text.len(), 1024 * 1024);
    }
}
