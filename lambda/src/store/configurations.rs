//! What users save: which tickers they want to see, under a name of theirs.

use contract::{Tag, limits};

use crate::ids::ConfigId;

/// Configurations that one read brings at most: one more than there may be, so that too many show.
pub const READ_MAX: usize = limits::CONFIGURATIONS_MAX + 1;

/// A saved configuration of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// Its id, unique among the user's.
    pub config_id: ConfigId,
    /// What the user calls it.
    pub name: String,
    /// Tickers that the user wants, in the user's order.
    pub tickers: Vec<Tag>,
}

/// What is to become of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Create(Configuration),
    /// It says something else from now on.
    Replace(Configuration),
    /// The one with this id goes.
    Delete(ConfigId),
}
