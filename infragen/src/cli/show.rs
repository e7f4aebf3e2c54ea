//! `infragen show`: the merged manifest.

use infragen::manifest::Section as _;

use super::shell::Shell;
use super::{Outcome, Stopped};

impl Shell<'_> {
    pub(super) fn show(&self) -> Stopped {
        let shown = self.shown()?;
        let text = toml::to_string(&shown).map_err(|error| self.fail(&error, None))?;
        self.print(&text)?;
        Ok(Outcome::Done)
    }

    pub(super) fn shown(&self) -> Result<toml::Table, Outcome> {
        Ok(self.load()?.manifest.show())
    }
}
