//! Log lines that others may rely on, with their fields.

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
/// Value of [`REASON`] where the page said goodbye.
pub const GOODBYE: &str = "goodbye";
/// Value of [`REASON`] where the program failed: a line before it says how.
pub const PANIC: &str = "panic";
/// Its field: how long the stream was open, seconds.
pub const SECONDS: &str = "seconds";
/// Its field: events written, updates included.
pub const EVENTS: &str = "events";
/// Its field: updates written.
pub const UPDATES: &str = "updates";
/// Its field: bytes handed to the transport, whether anybody read them or not.
pub const BYTES: &str = "bytes";
/// Its field: reads of the table that began while the stream was open. On classic Lambda they are its own.
pub const POLLS: &str = "polls";

/// Message of the line that says what was looked for, and what is there instead, where a read of the whole window found
/// nothing. One for each instance, and again after an hour, two, four and so on, until there is a row.
pub const NOTHING_FOUND: &str = "nothing found";

/// Message of the line that says that hours which instances share cannot be had: they are read from the table.
pub const HOURS_FAIL: &str = "shared hours cannot be had; the table is read";
/// Message of the line about a shared hour that is not what was written: it is read from the table, and written again.
pub const HOUR_REFUSED: &str = "shared hour refused";
/// Message of the line that says that sums of old hours cannot be written or read: what is not written now is written later.
pub const ROLLUPS_FAIL: &str = "sums of old hours cannot be had";
/// Message of the line about sums of an old hour that are not what was written: a history has a gap there.
pub const ROLLUP_REFUSED: &str = "sums of an old hour refused";

/// Message of the line that says that the sums of an hour are too large to be kept, with their bytes and how many there may be: a history has a
/// gap there once the window has left it. One for each such hour and instance.
pub const ROLLUP_TOO_LARGE: &str = "sums of an hour are too large to be kept";

/// Every place for a connection is taken: whoever comes waits for one.
pub const NO_PLACE: &str = "all places for connections are taken; others wait";
/// Message of the line about a row that does not parse: one for each row and instance.
pub const ROW_SKIPPED: &str = "row skipped";
/// Message of the line about an attribute that was left out of a row, or a part of it: one for each attribute, kind of fault and
/// instance. It names the first row that has the fault.
pub const VALUE_SKIPPED: &str = "value skipped";
