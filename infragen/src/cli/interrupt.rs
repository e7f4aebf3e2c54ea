//! Ctrl-C: ends the program between two writes and never in one, and says what that means.

use std::io::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Exit code of a program that a person has interrupted, by the convention of shells: 128 and SIGINT.
const INTERRUPTED: i32 = 130;

/// Held while a file appears.
static WRITING: Mutex<()> = Mutex::new(());

/// What is written while this is held is written whole.
pub(super) fn writing() -> MutexGuard<'static, ()> {
    WRITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Listens for Ctrl-C, and for being asked to end; `hint` is what to do then.
pub(super) fn watch(hint: &'static str) -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(move || {
        let _written = writing();
        // The line of a progress bar may be open. Where stderr is closed, the exit code still tells.
        let message = format!("\nerror: interrupted before the end: nothing is left half-written\n hint: {hint}\n");
        let _said = std::io::stderr().write_all(message.as_bytes());
        std::process::exit(INTERRUPTED);
    })
}
