//! `infragen completions`: made of the definitions of the command line, with the keys and the environments there are.

use clap::builder::PossibleValuesParser;
use clap::{Command, CommandFactory as _};
use infragen::manifest::{Manifest, Section as _};

use super::shell::Shell;
use super::{Arguments, Outcome, Shells, Stopped};

impl Shell<'_> {
    pub(super) fn completions(&self, shell: Shells) -> Stopped {
        let keys = Manifest::docs("").into_iter().map(|doc| doc.path);
        let keys: Vec<String> = keys.chain(Manifest::sections("").into_iter().map(|section| section.path)).collect();
        let one_of = |command: Command, argument: &str, words: Vec<String>| {
            // A word of the command line lives as long as the program.
            let words = words.into_iter().map(|word| &*word.leak());
            command.mut_arg(argument, |argument| argument.value_parser(PossibleValuesParser::new(words)))
        };
        let command = one_of(Arguments::command(), "env", self.environments());
        let command = command.mut_subcommand("query", |query| one_of(query, "key", keys.clone()));
        let mut command = command.mut_subcommand("explain", |explain| one_of(explain, "key", keys));
        let mut bytes = Vec::new();
        clap_complete::generate(shell, &mut command, "infragen", &mut bytes);
        self.print(&String::from_utf8_lossy(&bytes))?;
        Ok(Outcome::Done)
    }
}
