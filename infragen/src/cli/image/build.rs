//! `infragen image build`: a program of the disk becomes a layout on the disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use contract::Adapter;
use infragen::image::{ImageError, Recipe, SERVER, build, layout};
use infragen::load::Loaded;
use infragen::program::PROGRAM_HINT;
use infragen::write;

use super::super::shell::Shell;
use super::super::{Outcome, Stopped, interrupt};
use super::{Program, layout_folder};

#[derive(Args, Debug)]
pub(super) struct BuildArguments {
    /// Whose image it is: a function's, or the server's.
    #[arg(long, value_enum)]
    function: Program,
    /// The program: static, for the processor that the manifest names.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    program: PathBuf,
    /// The AWS Lambda Web Adapter, which `stream.adapter = "web-adapter"` asks for: static, too.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    adapter: Option<PathBuf>,
    /// Folder that becomes the layout, in the place of dist/images/FUNCTION below the manifest's folder.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    to_layout: Option<PathBuf>,
    /// Commit that the program was built from, for the label `org.opencontainers.image.revision`.
    #[arg(long, value_name = "COMMIT")]
    revision: Option<String>,
    /// Where its sources are, for the label `org.opencontainers.image.source`; else `ci.repository` of the manifest, where that is set.
    #[arg(long, value_name = "URL")]
    source: Option<String>,
}

#[expect(clippy::disallowed_methods, reason = "programs are read from the disk")]
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    std::fs::read(path)
}

#[expect(clippy::disallowed_methods, reason = "the time of making is a convention between tools that build")]
fn source_date_epoch() -> Result<u32, String> {
    match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) if !text.is_empty() => text.parse().map_err(|_| text),
        _ => Ok(0),
    }
}

impl Shell<'_> {
    pub(super) fn image_build(&self, arguments: &BuildArguments) -> Stopped {
        let loaded = self.load()?;
        let function = arguments.function;
        let needs_adapter = function == Program::Stream && loaded.manifest.stream.adapter == Adapter::WebAdapter;
        self.check_adapter(arguments, function, needs_adapter)?;
        let program = self.program(&arguments.program)?;
        let adapter = arguments.adapter.as_deref().map(|path| self.program(path)).transpose()?;
        let created_secs = source_date_epoch().map_err(|text| {
            let message =
                format!("SOURCE_DATE_EPOCH is `{}`: it must be whole seconds since 1970", text.escape_debug());
            self.error(&message, Some("unset it, or take `date +%s`"));
            Outcome::NeedsPerson
        })?;
        let recipe = Recipe {
            architecture: loaded.manifest.package.architecture,
            program: &program,
            adapter: adapter.as_deref(),
            labels: labels(&loaded, arguments),
            created_secs,
            listens: (function == Program::Server).then_some(SERVER),
        };
        let image = build(&recipe).map_err(|error| match &error {
            ImageError::Program(program) => self.fail(program, Some(program.hint())),
            other => self.fail(other, None),
        })?;
        let files = layout::files(&image).map_err(|error| self.fail(&error, None))?;
        let folder = match &arguments.to_layout {
            Some(folder) => folder.clone(),
            None => self.root().join(layout_folder(function.name())),
        };
        self.check_folder(&folder)?;
        let written = {
            let _whole = interrupt::writing();
            write::put_folder(&folder, &files)
        };
        written
            .map_err(|error| self.fail(&error, Some("make room there, or name another folder with `--to-layout`")))?;
        let unpacked = program.len() + adapter.map_or(0, |adapter| adapter.len());
        let (digest, bytes) = (image.digest(), image.size());
        self.print(&format!("{}  {digest}  {bytes} bytes, programs unpacked {unpacked}\n", folder.display()))?;
        Ok(Outcome::Done)
    }

    fn check_adapter(&self, arguments: &BuildArguments, function: Program, needs_adapter: bool) -> Result<(), Outcome> {
        let (message, hint) = match (&arguments.adapter, needs_adapter) {
            (None, true) => (
                "`stream.adapter` is `web-adapter`, and no `--adapter` is given".to_owned(),
                "name its program: `--adapter FILE`",
            ),
            (Some(_), false) => (
                format!("`--adapter` is given, and {} runs without one", function.name()),
                "leave it away, or set `stream.adapter = \"web-adapter\"`",
            ),
            _ => return Ok(()),
        };
        self.error(&message, Some(hint));
        Err(Outcome::NeedsPerson)
    }

    fn program(&self, path: &Path) -> Result<Vec<u8>, Outcome> {
        read(path).map_err(|error| {
            self.error(&format!("`{}` cannot be read: {error}", path.display()), Some(PROGRAM_HINT));
            Outcome::NeedsPerson
        })
    }

    /// Whether what is there may be replaced: nothing, an empty folder, or another layout.
    fn check_folder(&self, folder: &Path) -> Result<(), Outcome> {
        let is_empty = match std::fs::read_dir(folder) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        };
        if is_empty || folder.join(layout::MARKER).is_file() {
            return Ok(());
        }
        let message = format!("`{}` is there, and is no image layout: it is not replaced", folder.display());
        self.error(&message, Some("name another folder with `--to-layout`"));
        Err(Outcome::NeedsPerson)
    }
}

/// What tools show of an image. No time and no machine, so that only other sources make another image.
fn labels(loaded: &Loaded, arguments: &BuildArguments) -> BTreeMap<&'static str, String> {
    let of_ci = || loaded.manifest.ci.repository.as_ref().map(|name| format!("https://github.com/{}", name.as_str()));
    [
        ("org.opencontainers.image.licenses", Some(env!("CARGO_PKG_LICENSE").to_owned())),
        ("org.opencontainers.image.revision", arguments.revision.clone()),
        ("org.opencontainers.image.source", arguments.source.clone().or_else(of_ci)),
        ("org.opencontainers.image.version", Some(env!("CARGO_PKG_VERSION").to_owned())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)))
    .collect()
}
