//! Why a process does not start: one clear line per fault.

use std::fmt::Display;
use std::process::ExitCode;

use contract::SettingError;

/// Why a process does not start, one line a fault.
#[derive(Debug)]
pub struct Fatal(Vec<String>);

impl Fatal {
    /// Takes one fault.
    pub fn new(fault: impl Display) -> Self {
        Self(vec![fault.to_string()])
    }

    /// Prints the faults and returns the exit code.
    #[expect(clippy::print_stderr, reason = "the log may not be running yet, and a person reads this")]
    pub fn report(&self) -> ExitCode {
        for fault in &self.0 {
            eprintln!("error: {fault}");
        }
        ExitCode::FAILURE
    }
}

impl From<Vec<SettingError>> for Fatal {
    fn from(errors: Vec<SettingError>) -> Self {
        Self(errors.iter().map(ToString::to_string).collect())
    }
}
