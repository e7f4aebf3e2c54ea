//! Who a request is from, once that is proven.

use crate::ids::UserId;
use stream_core::timestamp::Timestamp;

/// A caller who has proven who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Their id: the same for the same person, and part of the key of what they own.
    pub id: UserId,
    /// When the proof ends.
    pub expires: Option<Timestamp>,
}

/// Why a caller has no user id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Nothing was presented, or what was presented is no proof.
    #[error("the caller is not identified")]
    Unidentified,
    /// Nobody can tell now: the keys cannot be reached.
    #[error("callers cannot be identified now")]
    Unavailable,
}
