//! A process whose clock can be stepped while it runs: libfaketime answers when it asks for the time of day.

use std::io::Write;

use tempfile::NamedTempFile;

use super::external::tool;

/// The clock of one process.
pub(crate) struct FakeClock {
    /// Seconds that are added, as text; libfaketime reads it whenever the program asks for the time.
    offset: NamedTempFile,
}

impl FakeClock {
    /// A clock that is right.
    pub(crate) fn right() -> Self {
        let clock = Self { offset: NamedTempFile::new().expect("a file for the offset") };
        clock.set(0);
        clock
    }

    /// Steps the clock to so many seconds ahead of the right time, or behind it.
    pub(crate) fn set(&self, seconds: i64) {
        // Replaced as a whole: the program may read it at any moment.
        let folder = self.offset.path().parent().expect("a file lies in a folder");
        let mut next = NamedTempFile::new_in(folder).expect("a file for the offset");
        write!(next, "{seconds:+}").expect("it can be written");
        next.persist(self.offset.path()).expect("a file can be replaced");
    }

    /// Variables of a process with this clock. Durations stay right: only the time of day is stepped.
    pub(crate) fn env(&self) -> Vec<(String, String)> {
        let library = tool("TOOLS_FAKETIME", "/usr/lib/faketime/libfaketimeMT.so.1");
        [
            ("LD_PRELOAD", library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.offset.path().display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}
