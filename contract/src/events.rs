//! Names of the server-sent events. The update event's name is a setting ([`crate::DataSettings::update_event`]).

/// Content type of a stream (HTML standard, "Server-sent events").
pub const CONTENT_TYPE: &str = "text/event-stream";
/// First event of a stream, then repeated: the stream is alive.
pub const HEARTBEAT: &str = "heartbeat";
/// Totals of the window, sent when a number changes.
pub const METRICS: &str = "metrics";
/// Default name of the event that carries one newly analysed item.
pub const SENTIMENT_UPDATE: &str = "sentiment_update";
/// The presented cursor cannot be honoured: what follows is the current state.
pub const RESET: &str = "reset";
/// Last event before a planned end.
pub const DEADLINE: &str = "deadline";
/// Only event of a refused EventSource.
pub const OVERLOADED: &str = "overloaded";
/// Only event of an EventSource that cannot be decided about now: a table, an issuer or a key service does not answer.
pub const UNAVAILABLE: &str = "unavailable";

/// Event names an update event may not take, because they mean something else.
pub const RESERVED: [&str; 9] =
    [HEARTBEAT, METRICS, RESET, DEADLINE, OVERLOADED, UNAVAILABLE, "open", "error", "message"];

/// Fields of an update and of an item, which no attribute that is shown beside them may take.
pub const UPDATE_KEYS: [&str; 10] =
    ["item_id", "ticker", "tickers", "score", "label", "confidence", "source", "timestamp", "title", "url"];

/// Keys of the `metrics` data that a label may not take.
pub const METRICS_KEYS: [&str; 6] =
    ["total", "by_tag", "rate_last_hour", "rate_last_24h", "timestamp", "tags_left_out"];
/// Further keys that `GET /api/v2/metrics` adds, reserved for the same reason.
pub const METRICS_REST_KEYS: [&str; 1] = ["recent_items"];
