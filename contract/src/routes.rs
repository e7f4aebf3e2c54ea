//! Routes of both functions, in the syntax of axum's router.

/// Global stream.
pub const STREAM: &str = "/api/v2/stream";
/// Stream of one saved configuration of the caller.
pub const CONFIGURATION_STREAM: &str = "/api/v2/configurations/{config_id}/stream";
/// Connection counts of this instance.
pub const STREAM_STATUS: &str = "/api/v2/stream/status";
/// Liveness of either function.
pub const HEALTH: &str = "/health";
/// Totals of the window as JSON, with the newest items.
pub const METRICS: &str = "/api/v2/metrics";

/// Request header in which EventSource sends its resume position.
pub const LAST_EVENT_ID_HEADER: &str = "last-event-id";
/// Query parameter with the resume position, for clients that cannot set headers.
pub const LAST_EVENT_ID_QUERY: &str = "last_event_id";
/// Query parameter that narrows a stream.
pub const TICKERS_QUERY: &str = "tickers";
/// Header that carries the user in authentication mode `trusted-header`.
pub const USER_HEADER: &str = "x-user-id";
