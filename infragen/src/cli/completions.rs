//! `infragen completions`: made of the definitions of the command line.

use clap::CommandFactory as _;

use super::shell::Shell;
use super::{Arguments, Outcome, Shells, Stopped};

impl Shell<'_> {
    pub(super) fn completions(&self, shell: Shells) -> Stopped {
        let mut bytes = Vec::new();
        clap_complete::generate(shell, &mut Arguments::command(), "infragen", &mut bytes);
        self.print(&String::from_utf8_lossy(&bytes))?;
        Ok(Outcome::Done)
    }
}
