//! Ends of a range, as a query says them.

use stream_core::timestamp::{Timestamp, TimestampError};

use crate::error::ApiError;

/// Reads a moment. A time that no row can have is as early, or as late, as there is.
pub(super) fn moment(name: &str, text: &str) -> Result<Timestamp, ApiError> {
    match Timestamp::parse(text) {
        Err(TimestampError::Year) if text < "1971" => Ok(Timestamp::EPOCH),
        Err(TimestampError::Year) => Ok(Timestamp::MAX),
        read => read.map_err(|error| ApiError::BadParameter(format!("`{name}` is `{}`: it {error}", shown(text)))),
    }
}

/// What was sent, fit for a message.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(40).flat_map(char::escape_debug).collect()
}
