//! Routes of both functions, in the syntax of axum's router.

/// Beginning of every route but [`HEALTH`].
pub const API: &str = "/api/v2/";
/// Global stream.
pub const STREAM: &str = "/api/v2/stream";
/// Stream of one saved configuration of the caller.
pub const CONFIGURATION_STREAM: &str = "/api/v2/configurations/{config_id}/stream";
/// Connection counts of this instance.
pub const STREAM_STATUS: &str = "/api/v2/stream/status";
/// Where a page says that it leaves. About a stream, but the dashboard function's: it answers in one piece.
pub const STREAM_GOODBYE: &str = "/api/v2/stream/goodbye";
/// Where a page gets a token for a fresh user.
pub const AUTH_ANONYMOUS: &str = "/api/v2/auth/anonymous";
/// Liveness of either function.
pub const HEALTH: &str = "/health";
/// Totals of the window as JSON, with the newest items.
pub const METRICS: &str = "/api/v2/metrics";
/// Items of the window, page by page.
pub const ITEMS: &str = "/api/v2/items";
/// What the window counts, step by step.
pub const HISTORY: &str = "/api/v2/history";
/// What a page must know of where it is.
pub const RUNTIME: &str = "/api/v2/runtime";
/// The caller's configurations.
pub const CONFIGURATIONS: &str = "/api/v2/configurations";
/// One of them.
pub const CONFIGURATION: &str = "/api/v2/configurations/{config_id}";
/// Description of the dashboard function's routes, for programs.
pub const OPENAPI: &str = "/api/v2/openapi.json";

/// Request header in which EventSource sends its resume position.
pub const LAST_EVENT_ID_HEADER: &str = "last-event-id";
/// Query parameters with the resume position, for clients that cannot set headers: ours, and the one of EventSource polyfills.
pub const LAST_EVENT_ID_QUERIES: [&str; 2] = ["last_event_id", "lastEventId"];
/// Query parameter that narrows a stream, numbers or items.
pub const TICKERS_QUERY: &str = "tickers";
/// Query parameter with the number of items of a page.
pub const LIMIT_QUERY: &str = "limit";
/// Query parameter with the cursor of the page before.
pub const AFTER_QUERY: &str = "after";
/// Query parameter with the first moment of a history.
pub const FROM_QUERY: &str = "from";
/// Query parameter with the first moment after a history.
pub const TO_QUERY: &str = "to";
/// Query parameter with the length of a step of a history.
pub const STEP_QUERY: &str = "step";
/// Length of the steps by ticker.
pub const BY_TICKER_QUERY: &str = "by_ticker";
/// Query parameter with the form of an answer: `json` or `csv`.
pub const FORMAT_QUERY: &str = "format";
/// Header in which CloudFront says who the viewer is: `ADDRESS:PORT`.
pub const VIEWER_ADDRESS_HEADER: &str = "cloudfront-viewer-address";
/// Header that carries the user in authentication mode `trusted-header`.
pub const USER_HEADER: &str = "x-user-id";
/// Cookie with a token, unless the manifest names another one.
pub const SESSION_COOKIE: &str = "session";
/// Path of the API, for a cookie that goes nowhere else.
pub const API_COOKIE_PATH: &str = "/api/";
/// Query parameter with a token, for EventSource, which can set no header.
pub const TOKEN_QUERY: &str = "token";
