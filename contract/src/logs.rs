//! Log lines that metrics are made of: what the functions write, and what the filters in CloudWatch look for.

/// Message of the line that begins a stream.
pub const STREAM_OPENED: &str = "stream opened";
/// Its field, true or false: whether the client presented a cursor, which is to say that it came back.
pub const RETURNED: &str = "returned";

/// Message of the line that ends a stream.
pub const STREAM_CLOSED: &str = "stream closed";
/// Its field: why the stream ended.
pub const REASON: &str = "reason";
/// Value of [`REASON`] where the transport gave the stream up; every other reason is the function's own.
pub const CLIENT_LEFT: &str = "client_left";

/// Message of the line about a row that does not parse: one for each row and instance.
pub const ROW_SKIPPED: &str = "row skipped";
