//! `infragen init`: a commented manifest.

use infragen::write;

use super::shell::{MEND_LINK, Shell, dangling};
use super::{Outcome, Stopped};

/// The manifest that `init` writes: the one of this repository.
const DEFAULT_MANIFEST: &str = include_str!("../../../deploy.toml");

impl Shell<'_> {
    pub(super) fn init(&self) -> Stopped {
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
        write::create_new(path, DEFAULT_MANIFEST).map_err(|error| self.fail(&error, None))?;
        self.say(&format!("wrote `{}`; next: edit it, then `infragen render`", path.display()));
        Ok(Outcome::Done)
    }
}
