//! What a process has used, as the kernel says.

use std::iter::Sum;
use std::time::Duration;

/// Processor time of the threads that live, and resident memory.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usage {
    pub(super) processor: Duration,
    /// Bytes.
    pub(super) resident: u64,
}

impl Sum for Usage {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            processor: sum.processor + one.processor,
            resident: sum.resident + one.resident,
        })
    }
}

/// Of that process, to the nanosecond: `stat` counts in hundredths of a second, of which a start has a few.
#[expect(clippy::disallowed_methods, reason = "the kernel tells by files")]
pub(super) fn of(process: u32) -> Result<Usage, String> {
    let folder = format!("/proc/{process}");
    let gone = |error: std::io::Error| format!("process {process}: {error}");
    let mut processor = Duration::ZERO;
    for task in std::fs::read_dir(format!("{folder}/task")).map_err(gone)? {
        let said = std::fs::read_to_string(task.map_err(gone)?.path().join("schedstat")).map_err(gone)?;
        let nanos = said.split_whitespace().next().and_then(|nanos| nanos.parse().ok());
        processor += Duration::from_nanos(nanos.unwrap_or_default());
    }
    let status = std::fs::read_to_string(format!("{folder}/status")).map_err(gone)?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = resident.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
    let kilobytes = kilobytes.ok_or_else(|| format!("process {process} has ended"))?;
    Ok(Usage { processor, resident: kilobytes * 1024 })
}
