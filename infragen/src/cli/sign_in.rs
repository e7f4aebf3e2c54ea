//! Who the AWS command line acts as: the manifest's role where it names one, and never somebody of an account that it does not name.

use std::time::Duration;

use infragen::doctor::{Ran, Status, aws};
use infragen::manifest::Manifest;

use super::Outcome;
use super::deploy::ANSWER_MAX;
use super::run::{act_as, run};
use super::shell::Shell;

/// Takes on the manifest's role for every later call of the AWS command line, and asks who that is. A role that cannot be taken on
/// is the answer.
pub(super) fn identity(manifest: &Manifest, limit: Duration) -> Ran {
    // The role of another environment may take on this one's or not: whoever has the credentials asks for each.
    act_as(None);
    if let Some(command) = aws::assume_command(manifest) {
        let ran = run(&command, limit);
        match aws::session(&ran) {
            Some(session) => act_as(Some(session)),
            None if matches!(ran, Ran::Done(_)) => {
                return Ran::Failed("`aws sts assume-role` told no session".to_owned());
            }
            None => return ran,
        }
    }
    run(&aws::identity_command(manifest), limit)
}

impl Shell<'_> {
    /// Signs in where the manifest says as whom, or where to, and refuses any other account.
    pub(super) fn signed_in(&self, manifest: &Manifest) -> Result<(), Outcome> {
        let aws = &manifest.aws;
        act_as(None);
        if aws.account_ids.as_slice().is_empty() && aws.assume_role.role_arn.is_none() {
            return Ok(());
        }
        let check = aws::identity(manifest, &identity(manifest, ANSWER_MAX));
        if check.status == Status::Ok {
            return Ok(());
        }
        self.error(&check.found, check.next.as_deref());
        Err(Outcome::NeedsPerson)
    }
}
