//! `infragen init`: a commented manifest.

use clap::ValueEnum;
use infragen::write;

use super::shell::{MEND_LINK, Shell, dangling};
use super::{Outcome, Stopped};

/// The manifest that `init` writes: the one of this repository.
const DEFAULT_MANIFEST: &str = include_str!("../../../deploy.toml");

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
    pub(super) fn init(&self, provider: Option<Provider>) -> Stopped {
        // Here, whatever is in the folders above.
        let here = std::path::PathBuf::from("deploy.toml");
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
        write::create_new(path, &manifest(provider)).map_err(|error| self.fail(&error, None))?;
        self.say(&format!("wrote `{}`; next: edit it, then `infragen render`", path.display()));
        Ok(Outcome::Done)
    }
}
