//! The user of a request, once that is proven.

use crate::ids::UserId;
use stream_core::timestamp::Timestamp;

/// A user, as proven by a token or by a trusted proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The id: the same for the same person, and part of the key of what they own.
    pub id: UserId,
    /// When the proof ends.
    pub expires: Option<Timestamp>,
}

/// Why a request has no user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Nothing was presented, or what was presented is no proof.
    #[error("the request is not identified")]
    Unidentified,
    /// It cannot be decided now: the keys cannot be reached.
    #[error("users cannot be identified now")]
    Unavailable,
}
