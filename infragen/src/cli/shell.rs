//! What every command needs: the manifest, the place of outputs, and the way to the terminal. Data goes to stdout,
//! everything else to stderr.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};

use infragen::diagnostic::{self, Colour, Diagnostic, Input, Source};
use infragen::load::{self, Environments, LoadError, Loaded};
use infragen::logo::{self, LogoError, Logos};
use infragen::manifest::{self, page::LogoPath};
use infragen::render::Templates;

use super::{ColorChoice, Global, Outcome, text};

/// Name of the manifest where the command line names none.
const MANIFEST: &str = "deploy.toml";
/// What stands for standard input in the place of a file.
const STDIN: &str = "-";
/// Folder beside the manifest in which templates of one's own lie.
pub(super) const TEMPLATES: &str = "templates";

#[expect(clippy::disallowed_methods, reason = "the manifest's folder is what this program looks at")]
fn read_to_string(path: &Path) -> io::Result<String> {
    std::fs::read_to_string(path)
}

/// One run of a command.
pub(super) struct Shell<'a> {
    pub(super) global: &'a Global,
    /// The manifest: the one that was named, else the nearest in this folder and those above it.
    pub(super) manifest: PathBuf,
}

impl<'a> Shell<'a> {
    /// Starts a run.
    pub(super) fn new(global: &'a Global) -> Self {
        let manifest = global.manifest.clone().or_else(nearest).unwrap_or_else(|| MANIFEST.into());
        Self { global, manifest }
    }

    /// Whether the manifest comes from standard input, and so is in no folder.
    pub(super) fn reads_stdin(&self) -> bool {
        self.manifest == Path::new(STDIN)
    }

    /// Reads and validates what was typed; everything that is wrong is printed.
    pub(super) fn load(&self) -> Result<Loaded, Outcome> {
        self.load_input(&self.input()?)
    }

    /// Validates what was typed; everything that is wrong is printed.
    pub(super) fn load_input(&self, input: &Input) -> Result<Loaded, Outcome> {
        load::load(input, self.global.env.as_ref()).map_err(|error| self.load_error(input, &error))
    }

    /// Reads and validates what was typed, for every environment; everything that is wrong or strange is printed.
    pub(super) fn load_all(&self) -> Result<Environments, Outcome> {
        let input = self.input()?;
        let environments = load::load_all(&input).map_err(|error| self.load_error(&input, &error))?;
        self.warn(&input, &environments.warnings);
        Ok(environments)
    }

    /// Prints what is valid and probably not meant.
    pub(super) fn warn(&self, input: &Input, warnings: &[Diagnostic]) {
        if !warnings.is_empty() && !self.global.quiet {
            let colour = self.colour(io::stderr().is_terminal());
            self.complain(&diagnostic::human(input, warnings, diagnostic::Severity::Warning, colour));
        }
    }

    /// What was typed: the manifest and the overrides. Why the manifest cannot be read is printed.
    pub(super) fn input(&self) -> Result<Input, Outcome> {
        self.input_or_why().map_err(|why| {
            self.error(&why.message, why.hint);
            Outcome::NeedsPerson
        })
    }

    /// The same, where nothing is printed yet.
    pub(super) fn input_or_why(&self) -> Result<Input, Unreadable> {
        let (manifest, overrides) = (self.source()?, self.global.overrides.clone());
        let logos = self.logos(&manifest, &overrides);
        Ok(Input { manifest, overrides, logos })
    }

    /// The pictures that were named, read from beside the manifest. What is wrong with one is for the rules to say.
    pub(super) fn logos(&self, manifest: &Source, overrides: &[Source]) -> Logos {
        let mut logos = Logos::default();
        let mut paths = logo::named(&manifest.text);
        paths.extend(overrides.iter().filter_map(|source| logo::overridden(&source.text)));
        // Whatever else is typed there is refused, and not opened.
        for path in paths.into_iter().filter(|path| LogoPath::new(path).is_some()) {
            let mut bytes = Vec::new();
            let file = std::fs::File::open(self.root().join(&path));
            let found = match file.and_then(|file| file.take(Logos::READ_BYTES_MAX).read_to_end(&mut bytes)) {
                Ok(_) => Ok(bytes),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Err(LogoError::Missing),
                Err(error) => Err(LogoError::Unreadable(error.to_string())),
            };
            logos.insert(path, found);
        }
        logos
    }

    /// The environments that `--env` takes here, as far as the manifest can be read.
    pub(super) fn environments(&self) -> Vec<String> {
        let mut text = String::new();
        let most = manifest::syntax::MANIFEST_BYTES_MAX as u64;
        if !self.reads_stdin()
            && let Ok(file) = std::fs::File::open(&self.manifest)
        {
            // Whatever is wrong with it is for other commands to say.
            let _ignored = file.take(most).read_to_string(&mut text);
        }
        let table: toml::Table = toml::from_str(&text).unwrap_or_default();
        let named = table.get("env").and_then(toml::Value::as_table);
        let base = manifest::value_at(&table, "project.environment").and_then(toml::Value::as_str);
        let own = base.unwrap_or("dev").to_owned();
        [own, manifest::LOCAL.to_owned()]
            .into_iter()
            .chain(named.into_iter().flat_map(|named| named.keys().cloned()))
            .collect()
    }

    pub(super) fn load_error(&self, input: &Input, error: &LoadError) -> Outcome {
        match error {
            LoadError::Invalid(diagnostics) => {
                let colour = self.colour(io::stderr().is_terminal());
                self.complain(&diagnostic::human(input, diagnostics, diagnostic::Severity::Error, colour));
            }
            LoadError::UnknownEnvironment { name, known } => {
                let (message, hint) = unknown_environment(&input.manifest.name, name, known);
                self.error(&message, Some(&hint));
            }
        }
        Outcome::NeedsPerson
    }

    /// What the manifest is called in messages.
    pub(super) fn manifest_name(&self) -> String {
        if self.reads_stdin() { "standard input".to_owned() } else { self.manifest.display().to_string() }
    }

    /// Reads the manifest: here and nowhere else.
    fn source(&self) -> Result<Source, Unreadable> {
        let name = self.manifest_name();
        if self.global.manifest.is_none() && self.manifest.starts_with("..") {
            self.say(&format!("using `{name}`"));
        }
        let mut bytes = Vec::new();
        // One byte more than a manifest may have, so that its length is refused; the rest of an endless file is not read.
        let most = manifest::syntax::MANIFEST_BYTES_MAX as u64 + 1;
        let read = if self.reads_stdin() {
            io::stdin().lock().take(most).read_to_end(&mut bytes)
        } else {
            std::fs::File::open(&self.manifest).and_then(|file| file.take(most).read_to_end(&mut bytes))
        };
        if let Err(error) = read {
            return Err(match dangling(&self.manifest) {
                Some(message) => Unreadable { message, hint: Some(MEND_LINK) },
                None => {
                    let hint = (error.kind() == io::ErrorKind::NotFound).then_some("write one with `infragen init`");
                    Unreadable { message: format!("`{name}` cannot be read: {error}"), hint }
                }
            });
        }
        let is_cut = bytes.len() > manifest::syntax::MANIFEST_BYTES_MAX;
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Source { name, text }),
            // The cut may be in the middle of a character.
            Err(error) if is_cut => Ok(Source { name, text: String::from_utf8_lossy(error.as_bytes()).into_owned() }),
            Err(error) => {
                let message = text::not_utf8(error.as_bytes(), &error.utf8_error());
                Err(Unreadable { message: format!("`{name}` {message}"), hint: Some("save it as UTF-8") })
            }
        }
    }

    /// Reads a file that another program wrote, or standard input where it is `-`.
    pub(super) fn read(&self, path: &Path, bytes_max: u64, hint: Option<&str>) -> Result<String, Outcome> {
        text::read(path, bytes_max).map_err(|error| {
            self.error(&format!("`{}` {error}", path.display()), hint);
            Outcome::NeedsPerson
        })
    }

    /// Folder that outputs go below: the manifest's own.
    pub(super) fn root(&self) -> &Path {
        match self.manifest.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        }
    }

    /// The templates: one that lies beside the manifest, in `templates`, wins over the built-in one of its name.
    pub(super) fn templates(&self) -> Result<Templates, Outcome> {
        let mut templates = Templates::embedded();
        let names: Vec<&'static str> = templates.names().collect();
        for &name in &names {
            let path = self.root().join(TEMPLATES).join(name);
            match read_to_string(&path) {
                Ok(text) => templates.add(name, text),
                Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
                Err(error) => {
                    self.error(&format!("`{}` cannot be read: {error}", path.display()), None);
                    return Err(Outcome::NeedsPerson);
                }
            }
        }
        self.warn_of_unused_templates(&names);
        Ok(templates)
    }

    /// A file that lies where templates do and has the name of none has no effect: whoever wrote it should know.
    fn warn_of_unused_templates(&self, names: &[&str]) {
        for folder in ["bootstrap", "terraform", "terraform/tests"] {
            let entries = std::fs::read_dir(self.root().join(TEMPLATES).join(folder)).into_iter().flatten();
            let found = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
            let is_template = |name: &String| name.ends_with(".tf") || name.ends_with(".hcl");
            let mut unused: Vec<String> = found.filter(is_template).map(|name| format!("{folder}/{name}")).collect();
            unused.retain(|name| !names.contains(&name.as_str()));
            unused.sort();
            for name in unused {
                let message = format!("`{TEMPLATES}/{name}` has the name of no template: it is not used");
                self.warning(
                    &message,
                    "put resources of your own beside the rendered files, such as extra.tf beside stream.tf",
                );
            }
        }
    }

    #[expect(clippy::disallowed_methods, reason = "NO_COLOR is a convention between terminals and programs")]
    pub(super) fn colour(&self, is_terminal: bool) -> Colour {
        Colour(match self.global.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        })
    }

    /// Prints data. A reader that has gone away is no error of ours, but nothing more can be said to it.
    pub(super) fn print(&self, text: &str) -> Result<(), Outcome> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Outcome::Done),
            Err(error) => Err(self.fail(&error, None)),
        }
    }

    pub(super) fn complain(&self, text: &str) {
        // Where stderr is closed, the exit code still tells.
        let _ignored = io::stderr().lock().write_all(text.as_bytes());
    }

    pub(super) fn say(&self, text: &str) {
        if !self.global.quiet {
            self.complain(&format!("{text}\n"));
        }
    }

    /// Says what is no mistake, but needs a person.
    pub(super) fn warning(&self, message: &str, hint: &str) {
        if !self.global.quiet {
            self.remark(("1;33", "warning:"), message, Some(hint));
        }
    }

    /// The same, where the message says what to do.
    pub(super) fn caution(&self, message: &str) {
        if !self.global.quiet {
            self.remark(("1;33", "warning:"), message, None);
        }
    }

    pub(super) fn error(&self, message: &str, hint: Option<&str>) {
        self.remark(("1;31", "error:"), message, hint);
    }

    fn remark(&self, (code, word): (&str, &str), message: &str, hint: Option<&str>) {
        let colour = self.colour(io::stderr().is_terminal());
        self.complain(&format!("{} {message}\n", colour.paint(code, word)));
        if let Some(hint) = hint {
            self.complain(&format!(" {} {hint}\n", colour.paint("1;36", "hint:")));
        }
    }

    /// Prints an error with its causes.
    pub(super) fn fail(&self, error: &dyn std::error::Error, hint: Option<&str>) -> Outcome {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            message.push_str(&format!(": {inner}"));
            cause = inner.source();
        }
        self.error(&message, hint);
        Outcome::NeedsPerson
    }
}

/// Why there is no text of a manifest.
pub(super) struct Unreadable {
    pub(super) message: String,
    pub(super) hint: Option<&'static str>,
}

/// Says that a manifest does not have an environment, and which it has.
pub(super) fn unknown_environment(manifest: &str, name: &str, known: &[String]) -> (String, String) {
    let known = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    (format!("`--env` is `{name}`: `{manifest}` has no `[env.{name}]`"), format!("use one of {known}"))
}

/// What to do about a link that leads nowhere.
pub(super) const MEND_LINK: &str = "mend the link, or remove it";

/// Says of a link that leads nowhere what it names.
pub(super) fn dangling(path: &Path) -> Option<String> {
    let to = std::fs::read_link(path).ok()?;
    (!path.exists()).then(|| format!("`{}` is a link to `{}`, which is not there", path.display(), to.display()))
}

/// Returns the manifest of this folder, else of the nearest one above, as a path from here.
fn nearest() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let mut path = PathBuf::from(MANIFEST);
    for folder in here.ancestors() {
        // A link that leads nowhere is found, and said to be one.
        if folder.join(MANIFEST).symlink_metadata().is_ok() {
            return Some(path);
        }
        path = Path::new("..").join(path);
    }
    None
}
