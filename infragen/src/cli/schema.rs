//! `infragen schema`: what editors check a manifest with.

use infragen::schema;

use super::shell::Shell;
use super::{Outcome, Stopped};

impl Shell<'_> {
    pub(super) fn schema(&self) -> Stopped {
        self.print(schema::text(true))?;
        Ok(Outcome::Done)
    }
}
