//! What the window counts: the numbers of `metrics`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use contract::Tag;

use crate::timestamp::Timestamp;

const HOUR: Duration = Duration::from_secs(3600);

/// The numbers of `metrics`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Rows in the window.
    pub total: u32,
    /// Rows by label, in the labels' order.
    pub by_label: Vec<u32>,
    /// Rows by tag, of the most frequent ones; a row with two tags counts for both.
    pub by_tag: BTreeMap<Arc<Tag>, u32>,
    /// How many tags there are beside those.
    pub tags_left_out: u32,
    /// Rows of the last hour.
    pub last_hour: u32,
}

impl Numbers {
    /// Rows up to here are not of the last hour.
    pub(crate) const fn hour_after(now: Timestamp) -> Timestamp {
        now.minus(HOUR)
    }
}
