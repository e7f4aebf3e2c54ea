//! Rules of whose repository it is: folders that must not be one another, and what a runner knows.

use super::Checks;
use crate::manifest::folder::{FOLDER, PAGE_FOLDER};
use crate::manifest::types::Runner;

/// Folders beside the manifest that are for something else.
const TAKEN: [(&str, &str); 2] = [("dist", "what is packaged"), ("templates", "templates of your own")];

impl Checks<'_> {
    pub(super) fn output(&self) {
        let output = &self.manifest.output;
        let own = Runner::OWN;
        let (folder, page) = (output.folder.as_str(), output.page.as_str());
        if output.folder.meets(&output.page) {
            self.fail(
                "folders-meet",
                &["output.page", "output.folder"],
                format!("`output.page` is `{page}`: `output.folder` is `{folder}`, and neither may lie in the other"),
                "choose two folders beside each other",
            );
        }
        for (key, found, known) in [("output.folder", folder, FOLDER), ("output.page", page, PAGE_FOLDER)] {
            let first = found.split('/').next().unwrap_or_default();
            if let Some((_, purpose)) = TAKEN.iter().find(|(taken, _)| *taken == first) {
                self.fail(
                    "folder-taken",
                    &[key],
                    format!("`{key}` is `{found}`: `{first}` is for {purpose}"),
                    "choose another folder",
                );
            }
            if found != known && output.runner.as_str() == Some(own) {
                self.fail(
                    "folder-of-runner",
                    &[key, "output.runner"],
                    format!("`{key}` is `{found}`: recipes of `{own}`, `output.runner`, know `{known}` only"),
                    "remove it, or write `runner = false` under `[output]`",
                );
            }
        }
    }
}
