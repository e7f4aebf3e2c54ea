//! File descriptors: a stream takes one, and a process may open fewer than a server has streams.

use contract::limits;

use crate::fatal::Fatal;

/// Raises the process's limit to what it may be, and returns how many connections fit into it; `None` where the system names no limit.
///
/// # Errors
/// [`Fatal`] when so many streams do not fit.
pub(super) fn raise(streams: u32) -> Result<Option<usize>, Fatal> {
    let Some(limit) = raised() else { return Ok(None) };
    fitting(limit, streams).map(Some).map_err(Fatal::new)
}

/// How many connections fit, with some descriptors left: half of those for what else there is are REST's.
fn fitting(limit: u64, streams: u32) -> Result<usize, String> {
    let needed = u64::from(streams) + limits::DESCRIPTORS_RESERVED;
    if limit < needed {
        return Err(format!(
            "this process may open {limit} files: `SSE_MAX_CONNECTIONS` is `{streams}`, which needs {needed}; raise its hard limit \
             (`ulimit -Hn`, `LimitNOFILE=` of systemd, `ulimits` of Compose), or allow fewer streams"
        ));
    }
    Ok(usize::try_from(limit - limits::DESCRIPTORS_RESERVED / 2).unwrap_or(usize::MAX))
}

/// The limit after it was raised, where there is one.
#[cfg(target_os = "linux")]
fn raised() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let before = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: before.maximum, maximum: before.maximum };
    if before != wanted
        && let Err(error) = setrlimit(Resource::Nofile, wanted)
    {
        tracing::warn!(%error, "the limit of open files cannot be raised");
    }
    getrlimit(Resource::Nofile).current
}

/// Elsewhere a person develops: the system refuses what is too much.
#[cfg(not(target_os = "linux"))]
fn raised() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_streams_fit_as_there_are_descriptors_beside_the_reserved_ones() {
        assert_eq!(fitting(356, 100), Ok(228));
        assert_eq!(fitting(65_536 + 256, 65_536), Ok(65_664));
        let error = fitting(355, 100).unwrap_err();
        assert!(
            error.starts_with("this process may open 355 files: `SSE_MAX_CONNECTIONS` is `100`, which needs 356;"),
            "{error}"
        );
    }
}
