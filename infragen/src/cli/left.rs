//! What was rendered before `output.folder` was another one: said by `render`, and refused where Terraform would make everything a
//! second time because its state is still there.

use infragen::left::{self, Left, Search};

use super::Outcome;
use super::shell::Shell;
use super::terraform::Root;

impl Shell<'_> {
    fn left(&self, folder: &str) -> Result<Vec<Left>, Outcome> {
        let environments = self.environments();
        let manifest = self.manifest.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let search = Search { root: self.root(), manifest, folder, environments: &environments };
        search.run().map_err(|error| self.fail(&error, None))
    }

    /// Says which folders were rendered into before, and are not the manifest's any more.
    pub(super) fn report_left(&self, folder: &str) -> Result<(), Outcome> {
        for Left { folder: old, states } in self.left(folder)? {
            let message = format!("`{old}` was rendered, and `output.folder` is `{folder}` now");
            let moves: Vec<String> =
                states.iter().map(|root| self.way(&format!("{old}/{root}"), &format!("{folder}/{root}"))).collect();
            let rest = removal(&old, folder);
            let hint = match (&moves[..], self.whole(&old, folder)) {
                ([], _) => format!("nothing reads it any more: move what is yours in it, then remove {rest}"),
                (_, Some(whole)) => {
                    format!("a state of Terraform is in it, without which everything is made a second time: {whole}")
                }
                (moves, None) => format!(
                    "a state of Terraform is in it, without which everything is made a second time: {}; move what else is \
                     yours, then remove {rest}",
                    moves.join(", and ")
                ),
            };
            self.warning(&message, &hint);
        }
        Ok(())
    }

    /// How all of the old folder gets to where the new one is to be, as long as there is none.
    fn whole(&self, old: &str, folder: &str) -> Option<String> {
        let is_free = !self.root().join(folder).exists() && !is_in(folder, old);
        let above = folder.rsplit_once('/').map(|(above, _)| format!("mkdir -p {above} && ")).unwrap_or_default();
        is_free.then(|| format!("move it with `{above}mv {old} {folder}`, then run `infragen render`"))
    }

    /// How the state of one root gets into another one.
    fn way(&self, old: &str, new: &str) -> String {
        if left::has_state(self.root(), new) {
            return format!(
                "`{new}` has one, too: keep the one of what is deployed, as `terraform -chdir={old} state list` and the \
                 same of `{new}` say"
            );
        }
        let first = if self.root().join(new).is_dir() { "" } else { "run `infragen render`, then " };
        format!("{first}move it with `mv {old}/terraform.tfstate* {new}/`")
    }
}

fn is_in(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
}

/// What of the old folder goes: not the new one, where that is in it.
fn removal(old: &str, folder: &str) -> String {
    if is_in(folder, old) { format!("what else was rendered into `{old}`") } else { format!("`{old}`") }
}

impl Root<'_> {
    /// Refuses to go on where the state of this root is in a folder that was the manifest's before, and there is none here.
    pub(super) fn refuse_state_elsewhere(&self) -> Result<(), Outcome> {
        let (shell, name, folder) = (self.shell(), self.name(), self.outputs_folder());
        if left::has_state(shell.root(), name) {
            return Ok(());
        }
        let root = name.strip_prefix(folder).unwrap_or(name).trim_start_matches('/');
        let found = shell.left(folder)?;
        let Some(left) = found.iter().find(|left| left.states.iter().any(|state| state == root)) else { return Ok(()) };
        let old = format!("{}/{root}", left.folder);
        let message = format!(
            "the state of `{name}` is in `{old}`, where `output.folder` was before: everything would be made a second time"
        );
        let way = shell.whole(&left.folder, folder).unwrap_or_else(|| shell.way(&old, name));
        shell.error(&message, Some(&way));
        Err(Outcome::NeedsPerson)
    }
}
