//! `infragen image`: makes container images and pushes them, without a container engine.

mod build;
mod login;
mod push;
mod registry;
mod wire;

use clap::{Args, Subcommand, ValueEnum};
use infragen::targets::Function as Which;

use super::shell::Shell;
use super::{Stopped, interrupt};

#[derive(Args, Debug)]
pub(super) struct ImageArguments {
    #[command(subcommand)]
    command: ImageCommand,
}

#[derive(Debug, Subcommand)]
enum ImageCommand {
    /// Make an image of a program that is there already, as a folder in OCI's layout.
    ///
    /// The image holds the program and Mozilla's certificates, and for `stream.adapter = "web-adapter"` the adapter. The same
    /// program gives the same digest on any machine; `SOURCE_DATE_EPOCH` changes the time that is written, 1970 without it.
    Build(build::BuildArguments),
    /// Push images by digest, and tell Terraform which.
    ///
    /// What the registry has already is not sent again, and an upload that breaks goes on where the registry says. Credentials
    /// are those of `aws` for Amazon ECR, else those that `docker login` has left.
    Push(push::PushArguments),
}

/// What an image holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Program {
    /// The function behind EventSource.
    Stream,
    /// The function behind the REST API.
    Dashboard,
    /// Both as an ordinary server, for containers: no function runs it.
    Server,
}

impl Program {
    /// The function that runs it, if it is one of Lambda.
    const fn function(self) -> Option<Which> {
        match self {
            Self::Stream => Some(Which::Stream),
            Self::Dashboard => Some(Which::Dashboard),
            Self::Server => None,
        }
    }

    fn name(self) -> &'static str {
        self.function().map_or(SERVER, Which::as_str)
    }
}

/// Name of the program that no function runs.
const SERVER: &str = "server";

/// Folder of a program's image where none is named, from the manifest's.
fn layout_folder(name: &str) -> String {
    format!("dist/images/{name}")
}

/// Bytes, for people.
fn size(bytes: usize) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes.div_ceil(1000)),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

impl Shell<'_> {
    pub(super) fn image(&self, arguments: &ImageArguments) -> Stopped {
        let hint = match &arguments.command {
            ImageCommand::Build(_) => "run the same command again",
            ImageCommand::Push(_) => "run the same command again: what has arrived whole is not sent again",
        };
        interrupt::watch(hint).map_err(|error| self.fail(&error, None))?;
        match &arguments.command {
            ImageCommand::Build(arguments) => self.image_build(arguments),
            ImageCommand::Push(arguments) => self.image_push(arguments),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_rounded_for_people() {
        for (bytes, text) in
            [(0, "0 kB"), (1, "1 kB"), (999_999, "1000 kB"), (1_000_000, "1.0 MB"), (3_487_000, "3.4 MB")]
        {
            assert_eq!(size(bytes), text);
        }
    }
}
