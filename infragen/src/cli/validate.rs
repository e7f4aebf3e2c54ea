//! `infragen validate`: everything that is wrong, for people or for programs.

use infragen::diagnostic;
use infragen::load::{self, LoadError};

use super::shell::Shell;
use super::{Format, Outcome, Stopped};

impl Shell<'_> {
    pub(super) fn validate(&self, format: Format) -> Stopped {
        let input = self.input()?;
        let result = load::load(&input, self.global.env.as_ref());
        if format == Format::Json {
            let diagnostics = match &result {
                Err(LoadError::Invalid(diagnostics)) => diagnostics.as_slice(),
                _ => &[],
            };
            if !matches!(result, Err(LoadError::UnknownEnvironment { .. })) {
                self.print(&diagnostic::json(&input, diagnostics))?;
                return Ok(if diagnostics.is_empty() { Outcome::Done } else { Outcome::NeedsPerson });
            }
        }
        result.map_err(|error| self.load_error(&input, &error))?;
        self.say(&format!("`{}` is valid", input.manifest.name));
        Ok(Outcome::Done)
    }
}
