//! `infragen validate`: everything that is wrong, for people or for programs.

use infragen::diagnostic;
use infragen::load::{self, LoadError};

use super::shell::Shell;
use super::{Format, Outcome, Stopped};

impl Shell<'_> {
    pub(super) fn validate(&self, format: Format) -> Stopped {
        let input = self.input()?;
        let result = match &self.global.env {
            Some(_) => load::load(&input, self.global.env.as_ref()).map(|_| Vec::new()),
            None => load::load_all(&input).map(|environments| environments.warnings),
        };
        if format == Format::Json {
            let (errors, warnings) = match &result {
                Err(LoadError::Invalid(errors)) => (&errors[..], &[][..]),
                Ok(warnings) => (&[][..], &warnings[..]),
                Err(LoadError::UnknownEnvironment { .. }) => (&[][..], &[][..]),
            };
            if !matches!(result, Err(LoadError::UnknownEnvironment { .. })) {
                self.print(&diagnostic::json(&input, errors, warnings))?;
                return Ok(if errors.is_empty() { Outcome::Done } else { Outcome::NeedsPerson });
            }
        }
        let warnings = result.map_err(|error| self.load_error(&input, &error))?;
        self.warn(&input, &warnings);
        self.say(&format!("`{}` is valid", input.manifest.name));
        Ok(Outcome::Done)
    }
}
