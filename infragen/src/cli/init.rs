//! `infragen init`: a commented manifest, or a small one, for a table of its own or for one that exists.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum, ValueHint};
use infragen::manifest::types::Runner;
use infragen::mapping::{self, Mapping, MappingError, Setting};
use infragen::write;

use super::shell::{MEND_LINK, Shell, dangling};
use super::{Outcome, Stopped};

/// The manifest that `init` writes: the one of this repository.
const DEFAULT_MANIFEST: &str = include_str!("../../../deploy.toml");

/// Largest description of a table, or rows: 500 may have 400 KB each.
const FILE_BYTES_MAX: u64 = 256 << 20;

#[derive(Args, Debug)]
pub(super) struct InitArguments {
    /// Major version of the AWS provider that alone is allowed: `6` (from 6.28.0 on, with which the second permission of a
    /// Function URL needs no CloudFormation stack) or `5`; else both.
    #[arg(long, value_enum, value_name = "MAJOR")]
    provider: Option<Provider>,
    /// Write a few keys without comments: whatever is not there has its default.
    #[arg(long)]
    minimal: bool,
    /// For a table that exists: what `aws dynamodb describe-table` printed, or `-` for standard input. Keys, index and types follow from it.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    table: Option<PathBuf>,
    /// Some rows of it: what `aws dynamodb scan --max-items 500` printed. Labels, the form of times, tags, score and the rest follow from them.
    #[arg(long, value_name = "FILE", requires = "table", value_hint = ValueHint::FilePath)]
    rows: Option<PathBuf>,
}

/// The one major version of the AWS provider that a manifest may allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Provider {
    #[value(name = "5")]
    Five,
    #[value(name = "6")]
    Six,
}

impl Provider {
    /// What `terraform.aws_provider` says then.
    const fn constraint(self) -> &'static str {
        match self {
            Self::Five => ">= 5.100.0, < 6.0.0",
            Self::Six => ">= 6.28.0, < 7.0.0",
        }
    }
}

/// The manifest to begin with, for every provider or for one major version.
fn manifest(provider: Option<Provider>) -> String {
    let mut text = String::with_capacity(DEFAULT_MANIFEST.len());
    for line in DEFAULT_MANIFEST.split_inclusive('\n') {
        match provider {
            Some(provider) if line.starts_with("aws_provider = ") => {
                text.push_str(&format!("aws_provider = \"{}\"\n", provider.constraint()));
            }
            _ => text.push_str(line),
        }
    }
    text
}

impl Shell<'_> {
    pub(super) fn init(&self, arguments: &InitArguments) -> Stopped {
        // Nothing of a manifest that is not there can be changed or chosen.
        let global = self.global;
        for (flag, is_given) in [("--set", !global.overrides.is_empty()), ("--env", global.env.is_some())] {
            if is_given {
                self.error(&format!("`{flag}` means nothing to `init`"), Some("edit the manifest that it writes"));
                return Ok(Outcome::Usage);
            }
        }
        // Here, whatever is in the folders above.
        let here = PathBuf::from("deploy.toml");
        let path = self.global.manifest.as_ref().unwrap_or(&here);
        if let Some(message) = dangling(path) {
            self.error(&message, Some(MEND_LINK));
            return Ok(Outcome::NeedsPerson);
        }
        if path.exists() {
            let message = format!("`{}` exists already", path.display());
            self.error(&message, Some("name another file with `--manifest`"));
            return Ok(Outcome::NeedsPerson);
        }
        let mapping = self.mapping(arguments)?;
        let default = manifest(arguments.provider);
        let mut settings = mapping.as_ref().map_or_else(Vec::new, |mapping| mapping.settings.clone());
        if !path.with_file_name(Runner::OWN).is_file() {
            // In somebody else's repository, where commands are those of the generator and of Terraform.
            settings.push(Setting { section: "output", key: "runner", value: false.into() });
        }
        let text = if arguments.minimal {
            let constraint =
                |provider: Provider| format!("\n[terraform]\naws_provider = \"{}\"\n", provider.constraint());
            mapping::minimal(&default, &settings) + &arguments.provider.map(constraint).unwrap_or_default()
        } else {
            mapping::filled(&default, &settings)
        };
        write::create_new(path, &text).map_err(|error| self.fail(&error, None))?;
        self.say(&format!("wrote `{}`; next: edit it, then `infragen render`", path.display()));
        if let Some(Mapping { found, notes, .. }) = mapping {
            found.iter().for_each(|line| self.say(&format!("  found    {line}")));
            notes.iter().for_each(|line| self.say(&format!("  look at  {line}")));
        }
        Ok(Outcome::Done)
    }

    /// What is known of a table that exists.
    fn mapping(&self, arguments: &InitArguments) -> Result<Option<Mapping>, Outcome> {
        let Some(table) = &arguments.table else { return Ok(None) };
        let refused = |path: &Path, error: MappingError, hint: &str| {
            self.error(&format!("`{}`: {error}", path.display()), Some(hint));
            Outcome::NeedsPerson
        };
        let read = |path: &Path, hint| self.read(path, FILE_BYTES_MAX, Some(hint));
        let rows = match &arguments.rows {
            None => Vec::new(),
            Some(path) => {
                let hint = "make it with `aws dynamodb scan --table-name NAME --max-items 500`";
                mapping::rows(&read(path, hint)?).map_err(|error| refused(path, error, hint))?
            }
        };
        let hint = "make it with `aws dynamodb describe-table --table-name NAME`";
        let description = read(table, hint)?;
        mapping::of(&description, &rows).map(Some).map_err(|error| refused(table, error, hint))
    }
}
