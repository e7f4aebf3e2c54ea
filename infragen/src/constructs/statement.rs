//! What whoever deploys must be allowed to do.

use serde::Serialize;

/// What it takes to make log groups, to change and to delete them; with a key of one's own, too.
pub(super) fn making_log_groups(has_key: bool) -> Vec<&'static str> {
    let mut actions = vec![
        "logs:CreateLogGroup",
        "logs:DeleteLogGroup",
        "logs:DeleteRetentionPolicy",
        "logs:PutRetentionPolicy",
        "logs:TagResource",
        "logs:UntagResource",
    ];
    if has_key {
        actions.extend(["logs:AssociateKmsKey", "logs:DisassociateKmsKey"]);
    }
    actions
}

/// One statement of both roles' policies.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StatementPlan {
    /// Its name.
    pub sid: &'static str,
    /// Why it is needed, for a reader.
    pub comment: &'static str,
    /// Actions that only read: those of pull requests.
    pub read: Vec<&'static str>,
    /// All actions, sorted: those of a deployment.
    pub all: Vec<&'static str>,
    /// What they may be done to.
    pub resources: Vec<String>,
    /// What else must be so: a key of IAM, and what it must equal, one of these.
    pub conditions: Vec<(&'static str, Vec<String>)>,
    /// A key of IAM that must be true.
    pub is_true: Option<&'static str>,
}

impl StatementPlan {
    /// Makes a statement of actions that read, and of others that a deployment needs besides.
    #[must_use]
    pub fn new(sid: &'static str, comment: &'static str, read: &[&'static str], write: &[&'static str]) -> Self {
        let mut all = [read, write].concat();
        all.sort_unstable();
        Self { sid, comment, read: read.to_vec(), all, resources: Vec::new(), conditions: Vec::new(), is_true: None }
    }

    /// Says what they may be done to.
    #[must_use]
    pub fn on<T: Into<String>>(mut self, resources: impl IntoIterator<Item = T>) -> Self {
        self.resources = resources.into_iter().map(Into::into).collect();
        self
    }

    /// Says that a key of IAM must be true.
    #[must_use]
    pub const fn when_true(mut self, key: &'static str) -> Self {
        self.is_true = Some(key);
        self
    }

    /// Says what else must be so: the key must equal one of these.
    #[must_use]
    pub fn when<T: Into<String>>(mut self, key: &'static str, values: impl IntoIterator<Item = T>) -> Self {
        self.conditions.push((key, values.into_iter().map(Into::into).collect()));
        self
    }
}
