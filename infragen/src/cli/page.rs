//! `infragen page`: leaves the page with its live addresses where any host of static files can take it from.

use std::io;
use std::path::Path;

use infragen::load::{Loaded, Target};
use infragen::write;

use super::shell::Shell;
use super::stop::Stop;
use super::terraform::{Outputs, Root};
use super::{Outcome, Stopped};

impl Shell<'_> {
    pub(super) fn page(&self) -> Stopped {
        let loaded = self.load()?;
        if loaded.target == Target::Local {
            self.error("`local` is this machine: it serves the page itself", None);
            return Ok(Outcome::Usage);
        }
        self.signed_in(&loaded.manifest)?;
        let stop = Stop::listen().map_err(|error| self.fail(&error, None))?;
        let root = Root::main(self, &stop, self.terraform_or_none()?, &loaded);
        if root.is_there() && self.leave_page(&loaded, &root.outputs()?)? {
            return Ok(Outcome::Done);
        }
        let hint = "`infragen deploy` applies it, and leaves the page";
        self.error(&format!("nothing is applied of `{}`: there are no addresses yet", root.name()), Some(hint));
        Err(Outcome::NeedsPerson)
    }

    /// Says where the page is, and puts it there where Terraform has not. Never into its own folder: its config.js is what the manifest
    /// says, and addresses that only one state knows are not for everybody's checkout. False where nothing is applied.
    pub(super) fn leave_page(&self, loaded: &Loaded, outputs: &Outputs) -> Result<bool, Outcome> {
        if let Some(site) = outputs.text("site_url") {
            self.say(&format!("the page is at {site}"));
            return Ok(true);
        }
        let Some(config) = outputs.text("config_js") else { return Ok(false) };
        let (target, source) = (loaded.page_folder(), loaded.manifest.output.page.as_str());
        let files = public_files(&self.root().join(source));
        let files = files.map_err(|error| {
            self.error(&format!("`{source}` cannot be read: {error}"), None);
            Outcome::NeedsPerson
        })?;
        let put = |path: &str, bytes: &[u8]| {
            write::put(self.root(), &format!("{target}/{path}"), bytes).map_err(|error| self.fail(&error, error.hint()))
        };
        for (path, bytes) in &files {
            put(path, bytes)?;
        }
        put("config.js", config.as_bytes())?;
        let said = match files.is_empty() {
            true => format!("`{target}/config.js` has the live addresses, for a page of your own: `{source}` has none"),
            false => format!("the page is in `{target}`: put it on any host of static files"),
        };
        self.say(&said);
        Ok(true)
    }
}

/// What a browser may ask for, by its path: what page.tf uploads where CloudFront stands before it, and files whose type it does not
/// know. None where there is no page.
#[expect(clippy::disallowed_methods, reason = "files of the page, which are no output of a rendering")]
fn public_files(folder: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    if !folder.join("index.html").is_file() {
        return Ok(found);
    }
    let mut folders = vec![String::new()];
    while let Some(below) = folders.pop() {
        for entry in std::fs::read_dir(folder.join(&below))? {
            let entry = entry?;
            let path = entry.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            let (is_top, key) = (below.is_empty(), format!("{below}{name}"));
            match (path.is_dir(), is_private(is_top, name)) {
                (_, true) => {}
                // Who follows links to folders may go round in circles.
                (true, false) if entry.file_type()?.is_dir() => folders.push(format!("{key}/")),
                (true, false) => {}
                (false, false) => found.push((key, std::fs::read(&path)?)),
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a file or folder beside the page is nobody's business: tests, packages, what is hidden, and programs at the top.
fn is_private(is_top: bool, name: &str) -> bool {
    let is_hidden = name.starts_with('.') && !(is_top && name == ".well-known");
    let ends = |end: &str| Path::new(name).extension().is_some_and(|found| found == end);
    let is_beside = name == "test" || ["js", "json", "mjs", "txt", "ts"].into_iter().any(ends) && name != "robots.txt";
    is_hidden || name == "node_modules" || name.ends_with(".d.ts") || is_top && is_beside
}
