//! Every limit with its unit, beside the assertions that tie them to each other and to the platform.

use std::time::Duration;

/// Longest time a Lambda invocation may take, seconds (AWS Lambda quotas, "Function timeout").
pub const FUNCTION_TIMEOUT_MAX: Duration = Duration::from_secs(900);
/// Default timeout of the stream function, seconds.
pub const FUNCTION_TIMEOUT_DEFAULT: Duration = Duration::from_secs(180);
/// Time kept back from the invocation's deadline for the last flush and the closing event.
pub const DRAIN_MARGIN: Duration = Duration::from_secs(10);
/// Shortest and longest session.
pub const SESSION_MIN: Duration = Duration::from_secs(5);
/// Longest session: a Lambda invocation less the drain margin.
pub const SESSION_MAX: Duration = Duration::from_secs(FUNCTION_TIMEOUT_MAX.as_secs() - DRAIN_MARGIN.as_secs());
/// Default session length: what a stream whose viewer left may cost at most.
pub const SESSION_DEFAULT: Duration = Duration::from_secs(120);
/// A session is shortened at random by up to this share, so that clients do not all come back at once.
pub const SESSION_JITTER_PERCENT: u32 = 20;

/// Shortest segment of a stream that many viewers share: each is a request to the function.
pub const SEGMENT_MIN: Duration = Duration::from_secs(10);
/// Longest segment. CloudFront ends an answer for its silence ([`EDGE_READ_TIMEOUT_MAX`]) and not for its length, unless it is told to
/// (`ResponseCompletionTimeout`, Amazon CloudFront API reference). What bounds it: a newcomer gets all of it at once, and what a release
/// changed is seen so much later.
pub const SEGMENT_MAX: Duration = Duration::from_secs(600);
/// Default length of a segment: some 33 requests an hour of each viewer, below what CloudFront waits at most for a word of it.
pub const SEGMENT_DEFAULT: Duration = Duration::from_secs(110);
/// Shortest time that a segment lasts: one that begins later before an end goes on to the next one. A cache counts in seconds, and keeps nothing
/// that lasts for none, so that each newcomer of that moment would have a stream of the function alone.
pub const SEGMENT_LEFT_MIN: Duration = Duration::from_secs(2);
/// Bytes after which a segment ends early: whoever joins late gets all of them at once.
pub const SEGMENT_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Reconnect delay after a segment, lower bound, milliseconds: a whole second later no cache takes it for fresh, since these count in
/// seconds.
pub const SEGMENT_RECONNECT_MIN_MS: u64 = 1000;

/// Shortest interval between two reads of the table.
pub const POLL_INTERVAL_MIN: Duration = Duration::from_millis(100);
/// Longest interval between two reads of the table.
pub const POLL_INTERVAL_MAX: Duration = Duration::from_secs(300);
/// Default interval between two reads of the table.
pub const POLL_INTERVAL_DEFAULT: Duration = Duration::from_secs(5);

/// Shortest time between two requests of a page that polls, however often the table is read.
pub const PAGE_POLL_MIN: Duration = Duration::from_secs(1);

/// Shortest time between heartbeats.
pub const HEARTBEAT_MIN: Duration = Duration::from_millis(500);
/// Longest time between heartbeats.
pub const HEARTBEAT_MAX: Duration = Duration::from_secs(110);
/// Default time between heartbeats.
pub const HEARTBEAT_DEFAULT: Duration = Duration::from_secs(15);
/// CloudFront's default origin read timeout: the longest silence before the edge drops a stream.
pub const EDGE_READ_TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);
/// Longest silence of a stream through a regional or private REST API (API Gateway, "Stream the integration response").
pub const REST_API_SILENCE_MAX: Duration = Duration::from_secs(300);
/// Longest stream through a REST API.
pub const REST_API_STREAM_MAX: Duration = Duration::from_secs(900);
/// Longest wait of a REST API for an answer in one piece, unless its account asked for more.
pub const REST_API_ANSWER_MAX: Duration = Duration::from_secs(29);
/// Highest origin read timeout CloudFront accepts without a quota increase.
pub const EDGE_READ_TIMEOUT_MAX: Duration = Duration::from_secs(120);

/// Shortest reconnect delay a stream may announce.
pub const RETRY_MIN: Duration = Duration::from_millis(500);
/// Longest reconnect delay a stream may announce.
pub const RETRY_MAX: Duration = Duration::from_secs(300);
/// Default reconnect delay; up to half more is added at random.
pub const RETRY_DEFAULT: Duration = Duration::from_secs(3);
/// Reconnect delay announced before a planned end, lower bound, milliseconds.
pub const RECONNECT_MIN_MS: u64 = 500;
/// Reconnect delay announced before a planned end, upper bound, milliseconds.
pub const RECONNECT_MAX_MS: u64 = 1500;
/// `Retry-After` of a refusal, seconds.
pub const RETRY_AFTER_SECS: u64 = 30;

/// Default number of streams one instance serves.
pub const CONNECTIONS_DEFAULT: u32 = 100;
/// Highest number of streams one instance of a function may be told to serve (the concurrency limit of Managed Instances).
pub const FUNCTION_CONNECTIONS_MAX: u32 = 1600;
/// Highest such number where no platform sets one: an ordinary server.
pub const CONNECTIONS_MAX: u32 = 65_536;
/// Default number of streams for one source address and instance.
pub const CONNECTIONS_PER_CLIENT_DEFAULT: u32 = 10;

/// Most characters of the page's title: more do not fit beside the badge.
pub const PAGE_TITLE_CHARS_MAX: usize = 60;
/// Most bytes of the page's logo, which is in config.js and so in the way of the first numbers.
pub const PAGE_LOGO_BYTES_MAX: usize = 16 * 1024;

/// Longest window that `metrics` count.
pub const WINDOW: Duration = Duration::from_secs(24 * 3600);
/// Shortest such window.
pub const WINDOW_MIN: Duration = Duration::from_secs(3600);
/// Default window.
pub const WINDOW_DEFAULT: Duration = WINDOW;
/// Default number of tags that `metrics` hold.
pub const METRICS_TAGS_DEFAULT: u32 = 200;
/// Highest such number.
pub const METRICS_TAGS_MAX: u32 = 10_000;
/// Rows further in the future than this are left for later: one wrong clock must not carry every cursor away.
pub const FUTURE_SKEW: Duration = Duration::from_secs(300);

/// How late after its own timestamp a row may appear and still be delivered: bounds and default.
pub const LATE_WINDOW_MIN: Duration = Duration::from_secs(1);
/// Upper bound of the late window.
pub const LATE_WINDOW_MAX: Duration = Duration::from_secs(3600);
/// Default late window.
pub const LATE_WINDOW_DEFAULT: Duration = Duration::from_secs(600);

/// Shortest time within which each part of the late interval is read again.
pub const LATE_INTERVAL_MIN: Duration = Duration::from_secs(5);
/// Longest such time. A row that appears at the end of the late window is in the interval for [`FUTURE_SKEW`] more; it must
/// be read again before it has left.
pub const LATE_INTERVAL_MAX: Duration = FUTURE_SKEW;
/// Default of it.
pub const LATE_INTERVAL_DEFAULT: Duration = Duration::from_secs(60);
/// Bytes that a query of the late interval may return where it is read whole at each poll: what the two queries of a label
/// cost at least that would leave something out, half a read unit each.
pub const QUIET_QUERY_BYTES: u32 = 8192;
/// How far before the last read a poll of a busy table reads on: clocks of writers differ, and an index lags behind its table.
pub const FRESH_MARGIN: Duration = Duration::from_secs(15);

/// Shortest interval between full re-reads.
pub const RECONCILE_MIN: Duration = Duration::from_secs(10);
/// Longest interval between full re-reads.
pub const RECONCILE_MAX: Duration = Duration::from_secs(24 * 3600);
/// Default interval between full re-reads.
pub const RECONCILE_DEFAULT: Duration = Duration::from_secs(3600);

/// Shortest replay window.
pub const REPLAY_WINDOW_MIN: Duration = Duration::from_secs(10);
/// Longest replay window.
pub const REPLAY_WINDOW_MAX: Duration = Duration::from_secs(12 * 3600);
/// Default replay window: how old a cursor may be and still be resumed.
pub const REPLAY_WINDOW_DEFAULT: Duration = Duration::from_secs(900);
/// Default number of updates that a resume may bring.
pub const REPLAY_EVENTS_DEFAULT: u32 = 500;
/// Highest such number.
pub const REPLAY_EVENTS_MAX: u32 = 10_000;

/// Returns what the window must be longer than: the oldest cursor looks for rows that were late when it was new, and rows
/// may be from the future.
#[must_use]
pub const fn window_needed(late_window: Duration, replay_window: Duration) -> Duration {
    late_window.saturating_add(replay_window).saturating_add(FUTURE_SKEW)
}

/// Longest event id, bytes, `evt_` included.
pub const EVENT_ID_BYTES_MAX: usize = 64;
/// Longest tag (ticker) of a row or a query, bytes.
pub const TAG_BYTES_MAX: usize = 64;
/// Most tags one stream may be narrowed to.
pub const FILTER_TAGS_MAX: usize = 50;
/// Most different tags one row may carry; a row with more does not parse.
pub const ITEM_TAGS_MAX: usize = 100;
/// Longest item id or source of a row, bytes (DynamoDB's own limit for a partition key is 2048).
pub const ITEM_TEXT_BYTES_MAX: usize = 2048;
/// Longest title of an item, characters; a longer one is cut.
pub const TITLE_CHARS_MAX: usize = 300;
/// Longest link of an item, bytes; a longer one leads nowhere and is left out.
pub const URL_BYTES_MAX: usize = 2048;
/// Most attributes that are shown of a row beside what it means.
pub const SHOWN_ATTRIBUTES_MAX: usize = 8;
/// Longest text that is shown of one of them, characters; a longer one is cut.
pub const SHOWN_CHARS_MAX: usize = 200;
/// Longest label, and longest key of one in `metrics`, characters.
pub const LABEL_CHARS_MAX: usize = 64;
/// Most labels a table may have.
pub const LABELS_MAX: usize = 16;
/// Items that `GET /api/v2/metrics` adds as `recent_items`.
pub const RECENT_ITEMS: usize = 20;

/// Items of one page of `GET /api/v2/items`, unless the request says how many.
pub const PAGE_ITEMS_DEFAULT: usize = 20;
/// Most items of one page.
pub const PAGE_ITEMS_MAX: usize = 1000;
/// Bytes after which a page ends before it has as many items as were asked for: an answer of a function is JSON in JSON, where a byte may be two.
pub const PAGE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Steps of `GET /api/v2/history` at most, where the request does not say how long a step is: as many as a chart shows.
pub const HISTORY_STEPS_DEFAULT: u64 = 300;
/// Longest step of a history; every other one divides it.
pub const HISTORY_STEP_MAX: Duration = Duration::from_secs(3600);
/// Tags of which `GET /api/v2/history` says the steps at most, where `by_ticker` asks for them.
pub const HISTORY_TAGS_MAX: usize = 200;
/// Steps of each of those tags at most: a day by the hour, half an hour, or an hour by the minute.
pub const HISTORY_TAG_STEPS_MAX: u64 = 62;

/// Shortest time for which sums of old hours are kept.
pub const HISTORY_KEEP_MIN: Duration = Duration::from_secs(2 * 24 * 3600);
/// Longest such time: ten years.
pub const HISTORY_KEEP_MAX: Duration = Duration::from_secs(3660 * 24 * 3600);
/// Hours of one history that begins before the window, at most: 31 days.
pub const HISTORY_HOURS_MAX: u64 = 31 * 24;
/// Bytes of sums of old hours that one history reads at most; of hours beyond, newest first, nothing is said.
pub const HISTORY_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Hours whose sums an instance writes after one poll at most, so that no poll is held up by them.
pub const ROLLUPS_PER_POLL: usize = 4;

/// Most configurations of one user.
pub const CONFIGURATIONS_MAX: usize = 50;
/// Longest name of a configuration, characters, without the spaces around it.
pub const CONFIGURATION_NAME_CHARS_MAX: usize = 50;
/// Longest name as it is sent, characters, with the spaces around it.
pub const CONFIGURATION_NAME_SENT_CHARS_MAX: usize = 200;
/// Most tickers of a configuration.
pub const CONFIGURATION_TICKERS_MAX: usize = 50;
/// Largest body of a request that saves a configuration, bytes.
pub const CONFIGURATION_BODY_BYTES_MAX: usize = 32 * 1024;

/// Changes of configurations that one user may make at once, and the time after which there is one more. Each instance of
/// the function counts for itself.
pub const USER_WRITES: Rate = Rate { burst: 30, every: Duration::from_secs(2) };
/// The same for all users of one source address: an office of many.
pub const ADDRESS_WRITES: Rate = Rate { burst: 120, every: Duration::from_millis(500) };
/// Fresh users of one source address.
pub const ADDRESS_TOKENS: Rate = Rate { burst: 30, every: Duration::from_secs(2) };
/// Goodbyes of one source address, each of which is a row: an office that goes home says as many.
pub const ADDRESS_GOODBYES: Rate = Rate { burst: 120, every: Duration::from_millis(500) };
/// Users or addresses that an instance counts at once; beyond that it forgets who has used least.
pub const RATE_KEYS_MAX: usize = 10_000;

/// How often something may be done: so many times at once, and once more each time that `every` has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many times at once.
    pub burst: u32,
    /// Time for one more.
    pub every: Duration,
}

/// Longest token that is looked at, bytes: what fits an ordinary header, with room for an issuer's many claims.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// Most tokens that are tried of one source (header, cookie, query) of a request. Cookies of one name come from several paths
/// and domains of a site.
pub const TOKENS_PER_SOURCE_MAX: usize = 8;
/// Longest user id, bytes; it becomes part of a key of the users table, which may have 2048.
pub const USER_ID_BYTES_MAX: usize = 256;
/// Longest URL of an issuer or its keys, bytes.
pub const AUTH_URL_BYTES_MAX: usize = 512;
/// Most audiences that a token may be meant for one of.
pub const AUDIENCES_MAX: usize = 8;
/// Longest audience, bytes.
pub const AUDIENCE_BYTES_MAX: usize = 256;
/// Headers that a Function URL's CORS takes.
pub const CORS_HEADERS_MAX: usize = 100;
/// Longest part between two dots of a host's name, bytes (RFC 1035, section 2.3.4).
pub const HOST_LABEL_BYTES_MAX: usize = 63;
/// Longest name of a host, bytes (RFC 1035, written with dots).
pub const HOST_BYTES_MAX: usize = 253;
/// Origins that a Function URL's CORS takes, and so the program's own.
pub const CORS_ORIGINS_MAX: usize = 100;
/// Origins whose pages may show the page in a frame.
pub const FRAME_ANCESTORS_MAX: usize = 16;
/// Bytes of these origins in the page's policy, with the spaces between them.
pub const FRAME_ANCESTORS_BYTES_MAX: usize = 1024;
/// Bytes of a content security policy that CloudFront adds to answers.
pub const PAGE_POLICY_BYTES_MAX: usize = 1783;
/// Most headers that a manifest adds to those which pages may always send.
pub const MORE_HEADERS_MAX: usize = 50;
/// Longest name of such a header, bytes.
pub const HEADER_NAME_BYTES_MAX: usize = 100;
/// Most keys that session tokens are verified with: one that signs, and those before it.
pub const SESSION_KEYS_MAX: usize = 4;
/// Shortest life of a session token.
pub const SESSION_LIFETIME_MIN: Duration = Duration::from_secs(1);
/// Longest life of a session token: a year.
pub const SESSION_LIFETIME_MAX: Duration = Duration::from_secs(365 * 24 * 3600);
/// Default life of a session token, 30 days: whoever loses it loses the configurations saved under it.
pub const SESSION_LIFETIME_DEFAULT: Duration = Duration::from_secs(30 * 24 * 3600);

/// Time one request for a signing secret or for an issuer's keys may take.
pub const AUTH_FETCH_TIMEOUT: Duration = Duration::from_secs(3);
/// Largest answer of an issuer or of KMS, bytes.
pub const AUTH_ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Most keys of an issuer.
pub const ISSUER_KEYS_MAX: usize = 32;
/// Age at which an issuer's keys are fetched again.
pub const ISSUER_KEYS_FRESH: Duration = Duration::from_secs(600);
/// Age up to which an issuer's keys are used while it cannot be reached.
pub const ISSUER_KEYS_KEPT: Duration = Duration::from_secs(24 * 3600);
/// Shortest time between two fetches of an issuer's keys, however many tokens name keys that nobody knows.
pub const ISSUER_FETCH_PAUSE: Duration = Duration::from_secs(30);
/// Shortest time after a failed fetch, of keys or of a signing secret, before the next one.
pub const AUTH_RETRY_PAUSE: Duration = Duration::from_secs(2);
/// How far an issuer's clock may differ from ours.
pub const ISSUER_CLOCK_SKEW: Duration = Duration::from_secs(30);

/// Time one read of the table may take before it counts as failed.
pub const STORE_TIMEOUT: Duration = Duration::from_secs(10);
/// Room that is made for an answer of the table before it has come: a page has 1 MB of rows at most, which are somewhat more as JSON. A larger
/// one gets more as it comes.
pub const STORE_ANSWER_BYTES_EXPECTED: usize = 2 * 1024 * 1024;
/// How far the system's clock may be from the table's service before the service is believed: far above what clocks on AWS
/// are off, far below the five minutes at which AWS refuses a signature.
pub const CLOCK_ERROR_MAX: Duration = Duration::from_secs(60);
/// Reads at most for one poll, where the clock turns out to have been wrong.
pub const CLOCK_TRIES: u32 = 3;
/// Time a first read at init may take: Lambda gives init ten seconds.
pub const INIT_READ_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest pause between two reads while the table throttles or fails.
pub const BACKOFF_MAX: Duration = Duration::from_secs(30);
/// Bytes of an hour in one item, where instances share hours: DynamoDB takes 400 KB with the key, and gives three of these at once.
pub const HOUR_CHUNK_BYTES_MAX: usize = 340 * 1024;
/// Largest hour that is shared, bytes: some 400,000 rows. A larger one is read from the table by each instance.
pub const HOUR_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes of hours that are read at once, all of them in memory until they are rows; one hour at least.
pub const HOURS_READ_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Time for which an instance claims an hour that it reads again; an eighth of `reconcile_interval` where that is less.
pub const HOUR_CLAIM: Duration = Duration::from_secs(120);
/// Rows of the newest hours from which on instances leave these too: reading fewer takes a function of 128 MB less than a quarter of a second.
pub const YOUNG_ROWS_MIN: usize = 5000;
/// Time between two times at which one instance leaves the newest hours; up to half longer, so that not all begin at once.
pub const YOUNG_EVERY: Duration = Duration::from_secs(300);
/// Age from which on nobody takes what was left of them.
pub const YOUNG_AGE_MAX: Duration = Duration::from_secs(600);
/// Time for which an hour is kept, from its end: as long as the longest window has rows of it, and a little longer.
pub const HOUR_LIFE: Duration = Duration::from_secs(25 * 3600);
/// Largest body of a goodbye, bytes: one field of 32 characters, and room for spaces.
pub const GOODBYE_BODY_BYTES_MAX: usize = 256;
/// Time for which a goodbye is kept: as long as the stream can be open that it is about.
pub const GOODBYE_LIFE: Duration = FUNCTION_TIMEOUT_MAX;
/// Time one look for goodbyes may take; one that is too slow is given up, the next is not far.
pub const GOODBYE_READ_TIMEOUT: Duration = Duration::from_secs(2);
/// Streams that one look asks about at once (`BatchGetItem` takes no more).
pub const GOODBYES_PER_READ: usize = 100;

/// Time for which a reader may leave unread what was written to it, where the functions are an ordinary server: the
/// system's buffers are full by then, and nobody shows an event that is so old. It comes back with its cursor.
pub const WRITE_BEHIND_MAX: Duration = Duration::from_secs(10);
/// Bytes a second that a reader who is behind takes at least, beside that: two megabytes, as much as a page of items has, over a slow
/// line in two minutes.
pub const READ_RATE_MIN: u32 = 16 * 1024;
/// Time that the body of a request to an ordinary server may take: a configuration has some kilobytes.
pub const REQUEST_BODY_TIMEOUT: Duration = Duration::from_secs(20);

/// What an ordinary server keeps for one connection: of an answer that its client does not read, before the stream is asked for no
/// more (one write of a stream fits), and of a request whose head has no end yet, which is refused then (431).
pub const CONNECTION_BUFFER_BYTES_MAX: usize = 32 * 1024;

/// Bytes of log lines that wait for standard output; more are dropped and counted. All streams of a function's process may end at once, and
/// each leaves a line of half a KiB; there is as much room again.
pub const LOG_QUEUE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Connections that the system completes for an ordinary server before it accepts them: a herd that returns together. The system may
/// keep fewer (on Linux `net.core.somaxconn`).
pub const LISTEN_BACKLOG: u32 = 4096;
/// File descriptors of an ordinary server that are for no stream: what it listens with, its connections to the tables, requests of REST.
pub const DESCRIPTORS_RESERVED: u64 = 256;
/// Time that a connection to an ordinary server may be open before anything comes on it. Browsers open some ahead, and open another one
/// where it is closed; who only opens them takes the places of others.
pub const FIRST_BYTE_TIMEOUT: Duration = Duration::from_secs(15);
/// Time that a connection to an ordinary server may go without the whole head of a request, the next one as well: longer than the minute
/// for which load balancers keep theirs open, so that not this end closes one that is about to be used.
pub const REQUEST_HEAD_TIMEOUT: Duration = Duration::from_secs(75);

/// Shortest time that an ordinary server goes on answering once it is told to stop.
pub const DRAIN_MIN: Duration = Duration::ZERO;
/// Longest such time.
pub const DRAIN_MAX: Duration = Duration::from_secs(600);
/// Default of it: what is given ten seconds to stop (Docker, Compose) has stopped by then.
pub const DRAIN_DEFAULT: Duration = Duration::from_secs(8);

/// Connections that the function keeps to the web adapter beside it.
pub const ADAPTER_CONNECTIONS_MAX: usize = 2048;

/// Largest answer of a buffered function, bytes (AWS Lambda quotas, "Invocation payload").
pub const BUFFERED_BYTES_MAX: usize = 6 * 1024 * 1024;

/// Time open streams get to say goodbye when the process is told to stop.
pub const SHUTDOWN_GRACE: Duration = Duration::from_millis(800);

const _: () = {
    assert!(DRAIN_MARGIN.as_secs() < FUNCTION_TIMEOUT_DEFAULT.as_secs());
    assert!(SESSION_DEFAULT.as_secs() + DRAIN_MARGIN.as_secs() < FUNCTION_TIMEOUT_DEFAULT.as_secs());
    assert!(SESSION_MAX.as_secs() + DRAIN_MARGIN.as_secs() <= FUNCTION_TIMEOUT_MAX.as_secs());
    assert!(SESSION_MIN.as_secs() <= SESSION_DEFAULT.as_secs());
    assert!(HEARTBEAT_DEFAULT.as_secs() < EDGE_READ_TIMEOUT_DEFAULT.as_secs());
    assert!(HEARTBEAT_MAX.as_secs() < EDGE_READ_TIMEOUT_MAX.as_secs());
    assert!(HEARTBEAT_MAX.as_secs() < REST_API_SILENCE_MAX.as_secs());
    assert!(FUNCTION_TIMEOUT_MAX.as_secs() <= REST_API_STREAM_MAX.as_secs());
    assert!(LATE_WINDOW_DEFAULT.as_secs() <= REPLAY_WINDOW_DEFAULT.as_secs());
    assert!(WINDOW_MIN.as_secs() <= WINDOW_DEFAULT.as_secs() && WINDOW_DEFAULT.as_secs() <= WINDOW.as_secs());
    // The longest window holds whatever is allowed beside it, and the defaults fit the shortest.
    assert!(window_needed(LATE_WINDOW_MAX, REPLAY_WINDOW_MAX).as_secs() < WINDOW.as_secs());
    assert!(window_needed(LATE_WINDOW_DEFAULT, REPLAY_WINDOW_DEFAULT).as_secs() < WINDOW_MIN.as_secs());
    assert!(LATE_INTERVAL_MIN.as_secs() <= LATE_INTERVAL_DEFAULT.as_secs());
    assert!(LATE_INTERVAL_DEFAULT.as_secs() <= LATE_INTERVAL_MAX.as_secs());
    // Every interval between polls has a late interval that is not shorter.
    assert!(POLL_INTERVAL_DEFAULT.as_secs() <= LATE_INTERVAL_DEFAULT.as_secs());
    assert!(POLL_INTERVAL_MAX.as_secs() <= LATE_INTERVAL_MAX.as_secs());
    assert!(FRESH_MARGIN.as_secs() <= FUTURE_SKEW.as_secs());
    assert!(METRICS_TAGS_DEFAULT <= METRICS_TAGS_MAX);
    // A tag in which every byte is escaped, its number and what stands around them.
    assert!((METRICS_TAGS_MAX as usize) * (2 * TAG_BYTES_MAX + 16) < BUFFERED_BYTES_MAX / 2);
    assert!(CONNECTIONS_PER_CLIENT_DEFAULT <= CONNECTIONS_DEFAULT);
    assert!(CONNECTIONS_DEFAULT <= FUNCTION_CONNECTIONS_MAX && FUNCTION_CONNECTIONS_MAX <= CONNECTIONS_MAX);
    assert!(SESSION_LIFETIME_MIN.as_secs() <= SESSION_LIFETIME_DEFAULT.as_secs());
    assert!(SESSION_LIFETIME_DEFAULT.as_secs() <= SESSION_LIFETIME_MAX.as_secs());
    assert!(ISSUER_FETCH_PAUSE.as_secs() < ISSUER_KEYS_FRESH.as_secs());
    assert!(ISSUER_KEYS_FRESH.as_secs() < ISSUER_KEYS_KEPT.as_secs());
    // Init waits for the first answer, beside the first read of the table.
    assert!(AUTH_FETCH_TIMEOUT.as_secs() <= INIT_READ_TIMEOUT.as_secs());
    assert!(USER_ID_BYTES_MAX + 5 <= 2048);
    assert!((FUNCTION_CONNECTIONS_MAX as usize) < ADAPTER_CONNECTIONS_MAX);
    assert!(FUNCTION_CONNECTIONS_MAX as usize * 2 * 512 < LOG_QUEUE_BYTES_MAX);
    // What hyper takes at least.
    assert!(CONNECTION_BUFFER_BYTES_MAX >= 8192);
    assert!(RECONNECT_MIN_MS < RECONNECT_MAX_MS);
    assert!(SEGMENT_RECONNECT_MIN_MS < RECONNECT_MAX_MS);
    assert!(SEGMENT_LEFT_MIN.as_secs() < SEGMENT_MIN.as_secs());
    assert!(SEGMENT_DEFAULT.as_secs() < EDGE_READ_TIMEOUT_MAX.as_secs());
    assert!(SEGMENT_MAX.as_secs() + SEGMENT_LEFT_MIN.as_secs() <= SESSION_MAX.as_secs());
    assert!(RECENT_ITEMS <= PAGE_ITEMS_MAX && PAGE_ITEMS_DEFAULT <= PAGE_ITEMS_MAX);
    // An item is its id, its source, its tickers and what is shown of it, where JSON may write six bytes for one. Nothing like it is ever met.
    let shown = (TITLE_CHARS_MAX + SHOWN_ATTRIBUTES_MAX * SHOWN_CHARS_MAX) * 4 + URL_BYTES_MAX;
    assert!(2 * (PAGE_BYTES_MAX + 6 * (2 * ITEM_TEXT_BYTES_MAX + shown)) < BUFFERED_BYTES_MAX);
    // A name of the longest that is taken, each character as two escapes, and the tickers, each byte as one.
    let tickers = CONFIGURATION_TICKERS_MAX * (TAG_BYTES_MAX * 6 + 4);
    assert!(CONFIGURATION_NAME_SENT_CHARS_MAX * 12 + tickers + 100 < CONFIGURATION_BODY_BYTES_MAX);
    assert!(CONFIGURATION_TICKERS_MAX <= FILTER_TAGS_MAX);
    // Keys and names of an item's attributes are far below a kilobyte.
    assert!(HOUR_CHUNK_BYTES_MAX + 1024 < 400 * 1000 && 3 * (HOUR_CHUNK_BYTES_MAX + 1024) < 1024 * 1024);
    assert!(WINDOW.as_secs() < HOUR_LIFE.as_secs());
    assert!(WINDOW.as_secs() < HISTORY_KEEP_MIN.as_secs() && HISTORY_KEEP_MIN.as_secs() <= HISTORY_KEEP_MAX.as_secs());
    // A look at the heads of as many hours is one answer of DynamoDB, which has 1 MB.
    assert!(HISTORY_HOURS_MAX * 1000 < 1024 * 1024);
    assert!(SHUTDOWN_GRACE.as_millis() < 1000);
    assert!(DRAIN_DEFAULT.as_secs() + 1 < 10 && DRAIN_DEFAULT.as_secs() <= DRAIN_MAX.as_secs());
};
