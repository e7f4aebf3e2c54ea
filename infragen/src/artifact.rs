//! What a rendering is: files with their exact bytes, and why there may be none.

use std::fmt;

/// One output file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Path from the manifest's folder, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// Everything that one run writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendering {
    /// The files, sorted by path.
    pub artifacts: Vec<Artifact>,
    /// Folders whose signed files all come from this run: others in them are superfluous.
    pub folders: Vec<String>,
    /// Files outside them that this run decides on: superfluous where it does not render them.
    pub files: Vec<String>,
}

impl Rendering {
    /// Adds what another run writes.
    pub fn extend(&mut self, other: Self) {
        self.artifacts.extend(other.artifacts);
        self.artifacts.sort_by(|a, b| a.path.cmp(&b.path));
        self.folders.extend(other.folders);
        self.files.extend(other.files);
    }
}

/// What the template engine says, with the path of the file that a person edits.
#[derive(Debug)]
pub struct TemplateError(Box<tera::Error>);

impl From<tera::Error> for TemplateError {
    fn from(error: tera::Error) -> Self {
        Self(Box::new(error))
    }
}

impl std::error::Error for TemplateError {}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = self.0.to_string();
        // It begins with a word of its own for an error, and knows names of templates and no folders.
        for (at, line) in said.strip_prefix("error: ").unwrap_or(&said).lines().enumerate() {
            let end = if at == 0 { "" } else { "\n" };
            match line.split_once("--> ") {
                Some((indent, place)) if indent.trim().is_empty() => write!(f, "{end}{indent}--> templates/{place}")?,
                _ => write!(f, "{end}{line}")?,
            }
        }
        Ok(())
    }
}

/// Why an artifact cannot be rendered: always a mistake in a template, never in the manifest.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A template does not parse.
    #[error("a template cannot be read")]
    Unread {
        /// What the template engine says.
        source: TemplateError,
    },
    /// A template asks for what is not there.
    #[error("template for `{path}` cannot be rendered")]
    Template {
        /// The artifact.
        path: String,
        /// What the template engine says.
        source: TemplateError,
    },
    /// A compiled template failed.
    #[error("template for `{path}` cannot be rendered")]
    Compiled {
        /// The artifact.
        path: String,
        /// What the template engine says.
        source: askama::Error,
    },
    /// A value cannot be printed as YAML.
    #[error("`{path}` cannot be printed as YAML")]
    Yaml {
        /// The artifact.
        path: String,
        /// What the printer says.
        source: Box<serde_saphyr::ser::Error>,
    },
    /// The result is not HCL.
    #[error("rendered `{path}` is not HCL")]
    BrokenHcl {
        /// The artifact.
        path: String,
        /// What the parser says.
        source: Box<hcl_edit::parser::Error>,
    },
    /// The result is not JSON where it must be.
    #[error("rendered `{path}` does not hold JSON")]
    BrokenJson {
        /// The artifact.
        path: String,
        /// What the parser says.
        source: serde_json::Error,
    },
}
