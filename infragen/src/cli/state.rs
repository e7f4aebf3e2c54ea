//! Where a root keeps its state: in a file beside it until there is a bucket, and in the bucket from then on.

use std::path::PathBuf;

use infragen::load::Loaded;

use super::Outcome;
use super::terraform::Root;

/// The state, where it is in no bucket.
const HERE: &str = "terraform.tfstate";
/// What it is called on its way to the bucket: Terraform asks a person what to do with one that is here, and nobody is asked in a pipeline.
const MOVING: &str = "terraform.tfstate.moving";
/// What it is called once it is in the bucket.
const MOVED: &str = "terraform.tfstate.moved";
/// Keeps the state here as long as the bucket is still to be made; a file of this name takes the place of what is rendered.
const OVERRIDE: &str = "zz_infragen_override.tf";
const LOCAL_BACKEND: &str = "# The bucket of the state is being made; `infragen bootstrap` removes this file.\n\
                             terraform {\n  backend \"local\" {}\n}\n";
/// What Terraform says of a bucket that is not there.
const NO_BUCKET: [&str; 2] = ["does not exist", "NoSuchBucket"];

/// Where a manifest says that the state of a root is.
#[derive(Clone, Debug)]
pub(super) struct StatePlace {
    /// The bucket; none where it is a file.
    pub(super) bucket: Option<String>,
    /// Whether this root makes the bucket.
    pub(super) makes_bucket: bool,
}

impl StatePlace {
    /// That of a root of an environment; `is_first` is the root that is applied before the other.
    pub(super) fn of(loaded: &Loaded, is_first: bool) -> Self {
        let bucket = loaded.manifest.terraform.backend.bucket.as_ref();
        Self {
            bucket: bucket.map(|bucket| bucket.as_str().to_owned()),
            makes_bucket: is_first && loaded.shared.state_home.is_none(),
        }
    }
}

impl Root<'_> {
    /// Fetches what it is made of, where it is not there yet, and moves a state that is here into its bucket.
    pub(super) fn init(&self) -> Result<(), Outcome> {
        self.refuse_state_elsewhere()?;
        let Some(bucket) = &self.place().bucket else {
            return self.capture(&["init", "-input=false", "-no-color"], "init", &[0]).map(drop);
        };
        self.remove(OVERRIDE);
        if self.path(HERE).metadata().is_ok_and(|about| about.len() > 0) {
            self.rename(HERE, MOVING)?;
        }
        let ended = self.init_in(bucket);
        // It is here as before, unless it went on.
        if self.path(MOVING).exists() {
            self.rename(MOVING, HERE)?;
        }
        ended
    }

    /// Initialises the root for its bucket, or as long as that is still to be made, without.
    fn init_in(&self, bucket: &str) -> Result<(), Outcome> {
        let arguments = ["init", "-input=false", "-no-color", "-reconfigure"];
        let output = self.output(&arguments)?;
        if output.status.success() && !self.stop().is_set() {
            return self.move_state(bucket);
        }
        let said = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned()).concat();
        let is_absent = said.contains(bucket) && NO_BUCKET.iter().any(|sign| said.contains(sign));
        if !is_absent || self.stop().is_set() {
            self.shell().complain(&said);
            return Err(self.failed("init"));
        }
        if !self.place().makes_bucket {
            let message =
                format!("the bucket `{bucket}`, which is to have the state of `{}`, is not there", self.name());
            self.shell().error(&message, Some("`infragen bootstrap` makes it"));
            return Err(Outcome::NeedsPerson);
        }
        self.shell()
            .say(&format!("      the bucket `{bucket}` is not there yet: the state stays here until it is made"));
        self.write(OVERRIDE, LOCAL_BACKEND)?;
        if self.path(MOVING).exists() {
            self.rename(MOVING, HERE)?;
        }
        self.capture(&arguments, "init", &[0]).map(drop)
    }

    /// Moves the state into a bucket that was not there when the root was initialised, and now is.
    pub(super) fn settle(&self) -> Result<(), Outcome> {
        if self.path(OVERRIDE).exists() { self.init() } else { Ok(()) }
    }

    /// Puts a state that is here into the bucket. Terraform refuses where what is there is another one, or newer.
    fn move_state(&self, bucket: &str) -> Result<(), Outcome> {
        if !self.path(MOVING).exists() {
            return Ok(());
        }
        self.capture(&["state", "push", "-no-color", MOVING], "state push", &[0]).inspect_err(|_| {
            let hint = format!("if the state in `{bucket}` is the right one, rename `{}/{HERE}`", self.name());
            self.shell().error("the state that is here was not moved", Some(&hint));
        })?;
        let moved = self.free_name();
        self.rename(MOVING, &moved)?;
        let name = self.name();
        self.shell()
            .say(&format!("      the state of `{name}` is in `{bucket}` now; `{name}/{moved}` is what was here"));
        Ok(())
    }

    /// A name that no state has which was moved before.
    fn free_name(&self) -> String {
        let names = (2_u32..).map(|n| format!("{MOVED}.{n}"));
        let mut names = std::iter::once(MOVED.to_owned()).chain(names);
        names.find(|name| !self.path(name).exists()).unwrap_or_else(|| MOVED.to_owned())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    #[expect(clippy::disallowed_methods, reason = "a file of this command's own, and no output of a rendering")]
    fn write(&self, name: &str, text: &str) -> Result<(), Outcome> {
        std::fs::write(self.path(name), text).map_err(|error| self.shell().fail(&error, None))
    }

    #[expect(clippy::disallowed_methods, reason = "a file of Terraform's, and no output of a rendering")]
    fn rename(&self, from: &str, to: &str) -> Result<(), Outcome> {
        std::fs::rename(self.path(from), self.path(to)).map_err(|error| self.shell().fail(&error, None))
    }

    #[expect(clippy::disallowed_methods, reason = "a file of this command's own, and no output of a rendering")]
    fn remove(&self, name: &str) {
        // It is seldom there.
        let _gone = std::fs::remove_file(self.path(name));
    }
}

impl Drop for Root<'_> {
    /// What keeps a state here is of one run.
    fn drop(&mut self) {
        if self.place().makes_bucket {
            self.remove(OVERRIDE);
        }
    }
}
