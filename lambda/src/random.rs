//! Random bytes of the operating system, for what must not be guessed. Jitter comes from `fastrand`, which is not that.

use ring::rand::{SecureRandom as _, SystemRandom};

use crate::ids::ConfigId;
use stream_core::stream_id::StreamId;

/// The operating system gives no randomness.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gives no random bytes")]
pub struct NoRandomness;

/// Draws bytes.
///
/// # Errors
/// [`NoRandomness`], which on Linux can only be before the system has started.
pub fn bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// Names a configuration: another one's id cannot be met by trying, and no two are the same.
///
/// # Errors
/// [`NoRandomness`]
pub fn config_id() -> Result<ConfigId, NoRandomness> {
    bytes().map(ConfigId::from_bytes)
}

/// Names a stream.
///
/// # Errors
/// [`NoRandomness`]
pub fn stream_id() -> Result<StreamId, NoRandomness> {
    bytes().map(StreamId::from_bytes)
}
