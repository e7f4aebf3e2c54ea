//! A cache before the stream, which stands in for CloudFront where viewers share segments: Varnish.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use sse_check::options::Options;
use tempfile::TempDir;

use crate::process::Process;

/// Its key is that of the rendered cache policy.
const RULES: &str = include_str!("../../../tests/fixtures/cache.vcl");

/// One that runs.
pub(crate) struct Cache {
    _process: Process,
    folder: TempDir,
    segment: Duration,
    /// The program behind it.
    pub(crate) behind: Options,
}

impl Cache {
    /// Starts it at a port before another one of this machine.
    pub(crate) fn start(port: u16, upstream: u16, segment: Duration, behind: Options) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let values =
            [("{HOST}", "127.0.0.1".to_owned()), ("{PORT}", upstream.to_string()), ("{STREAMS}", "true".into())];
        let rules = values.iter().fold(RULES.to_owned(), |text, (name, value)| text.replace(name, value));
        let file = folder.path().join("rules.vcl");
        std::fs::write(&file, rules).map_err(|error| format!("{}: {error}", file.display()))?;
        let mut command = Command::new(program("varnishd"));
        command.args(["-F", "-j", "none", "-s", "malloc,256m", "-a"]).arg(format!("127.0.0.1:{port}"));
        // Each client of a stream has a thread.
        command.args(["-p", "thread_pool_max=20000", "-f"]).arg(file).arg("-n").arg(folder.path().join("run"));
        let process = Process::start(&mut command, false)?;
        Ok(Self { _process: process, folder, segment, behind })
    }

    /// Waits for the next segment where the one of now ends sooner than that; says when it ends.
    pub(crate) fn segment_of(&self, time: Duration) -> Instant {
        let left = left_of(self.segment, SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default());
        if left >= time {
            return Instant::now() + left;
        }
        std::thread::sleep(left);
        Instant::now() + self.segment
    }

    /// Requests for a stream that it sent on.
    pub(crate) fn requests(&self) -> Result<u64, String> {
        let run = self.folder.path().join("run");
        let mut command = Command::new(program("varnishstat"));
        let said = command.args(["-1", "-f", "MAIN.backend_req", "-n"]).arg(run).output();
        let said = said.map_err(|error| format!("varnishstat: {error}"))?;
        let text = String::from_utf8_lossy(&said.stdout);
        let count = text.split_whitespace().nth(1).and_then(|count| count.parse().ok());
        count.ok_or_else(|| format!("varnishstat said no number: {text}{}", String::from_utf8_lossy(&said.stderr)))
    }
}

/// Segments end at whole multiples of their length since 1970.
fn left_of(length: Duration, since_1970: Duration) -> Duration {
    let into = since_1970.as_millis() % length.as_millis().max(1);
    length.saturating_sub(Duration::from_millis(u64::try_from(into).unwrap_or_default()))
}

/// A program of the package: the one that the environment names, and others where a shell finds them.
fn program(name: &str) -> PathBuf {
    let named = std::env::var_os("TOOLS_VARNISH").map(PathBuf::from);
    named.filter(|path| path.ends_with(name)).unwrap_or_else(|| name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_ends_at_a_whole_multiple_of_its_length() {
        let left = |seconds| left_of(Duration::from_secs(60), Duration::from_secs(seconds)).as_secs();
        assert_eq!([left(0), left(1), left(59), left(60), left(1_700_000_000)], [60, 59, 1, 60, 40]);
    }
}
