//! `infragen validate`: everything that is wrong, for people or for programs.

use infragen::diagnostic::{self, Diagnostic, Input, Source};
use infragen::load::{self, LoadError};

use super::shell::{Shell, Unreadable, unknown_environment};
use super::{Format, Outcome, Stopped};

impl Shell<'_> {
    pub(super) fn validate(&self, format: Format) -> Stopped {
        if format == Format::Json {
            return self.validate_for_programs();
        }
        let input = self.input()?;
        let warnings = self.warnings(&input).map_err(|error| self.load_error(&input, &error))?;
        self.warn(&input, &warnings);
        self.say(&format!("`{}` is valid", input.manifest.name));
        Ok(Outcome::Done)
    }

    fn warnings(&self, input: &Input) -> Result<Vec<Diagnostic>, LoadError> {
        match &self.global.env {
            Some(_) => load::load(input, self.global.env.as_ref()).map(|_| Vec::new()),
            None => load::load_all(input).map(|environments| environments.warnings),
        }
    }

    /// One object on stdout, whatever is wrong: also where there is no text to point at.
    fn validate_for_programs(&self) -> Stopped {
        let (input, result) = match self.input_or_why() {
            Ok(input) => {
                let result = self.warnings(&input);
                (input, result)
            }
            Err(Unreadable { message, hint }) => {
                let input = Input::new(Source { name: self.manifest_name(), text: String::new() });
                let error = Diagnostic { hint: hint.map(str::to_owned), ..Diagnostic::new("unreadable", "", message) };
                (input, Err(LoadError::Invalid(vec![error])))
            }
        };
        let (errors, warnings) = match result {
            Ok(warnings) => (Vec::new(), warnings),
            Err(LoadError::Invalid(errors)) => (errors, Vec::new()),
            Err(LoadError::UnknownEnvironment { name, known }) => {
                let (message, hint) = unknown_environment(&input.manifest.name, &name, &known);
                (vec![Diagnostic::new("unknown-environment", "", message).hint(hint)], Vec::new())
            }
        };
        self.print(&diagnostic::json(&input, &errors, &warnings))?;
        Ok(if errors.is_empty() { Outcome::Done } else { Outcome::NeedsPerson })
    }
}
