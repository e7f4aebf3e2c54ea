//! Settings of the functions: one definition writes the environment variables (generator) and reads them (functions).

use std::collections::BTreeMap;
use std::fmt;

use crate::auth::{Audience, AuthUrl, SessionKeys};
use crate::limits;
use crate::names::{
    AttributeName, Environment, EventName, IndexName, Labels, MetricsNamespace, PublicUrl, StatusValue, TableName,
};
use crate::units::{
    DataWindow, HeartbeatInterval, LateInterval, LateWindow, MaxSession, PollInterval, ReconcileInterval, ReplayWindow,
    Retry, SessionLifetime, duration_text,
};
use crate::values::{ConnectionsPerClient, MaxConnections, ReplayEvents, SettingValue, TagsMax};
use crate::words::{Adapter, AuthMode, ClientAddress, MetricsMode, WhenFull};

/// How a function asks for a variable: `|name| std::env::var(name).ok()`, or a map in tests.
pub type Lookup<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// One variable that is missing or bad.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingError {
    /// Name of the variable.
    pub name: &'static str,
    /// Value found, if any.
    pub value: Option<String>,
    /// What is wrong with it and what would be right.
    pub reason: String,
}

impl std::error::Error for SettingError {}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(_) => write!(f, "{}: {}", self.name, self.reason),
            None => write!(f, "{} is not set; {}", self.name, self.reason),
        }
    }
}

/// What the documentation says of one variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingDoc {
    /// Name of the variable.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// Its rule: unit and range.
    pub rule: String,
    /// Value where nothing is set; `None` where it must be set.
    pub default: Option<String>,
}

/// Defines a settings struct with its variables: `to_env`, `from_env` and `docs` come from the same lines.
macro_rules! settings {
    (
        $(#[$doc:meta])*
        pub struct $name:ident {
            $( #[doc = $fdoc:literal] $var:literal => $field:ident : $ty:ty $(= $default:expr)?; )*
            $( ..#[doc = $ndoc:literal] $nested:ident : $nty:ty; )*
            $( check $check:path; )?
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            $( #[doc = $fdoc] pub $field: $ty, )*
            $( #[doc = $ndoc] pub $nested: $nty, )*
        }

        impl $name {
            /// Writes the variables, sorted by name.
            #[must_use]
            pub fn to_env(&self) -> BTreeMap<&'static str, String> {
                let mut env = BTreeMap::new();
                $( env.insert($var, SettingValue::write(&self.$field)); )*
                $( env.extend(self.$nested.to_env()); )*
                env
            }

            /// Reads the variables.
            ///
            /// # Errors
            /// Every variable that is missing or bad; where all are good, those that do not fit together.
            pub fn from_env(lookup: &Lookup<'_>) -> Result<Self, Vec<SettingError>> {
                let mut errors = Vec::new();
                $( let $field: Option<$ty> = read(lookup, $var, default!($($default)?), &mut errors); )*
                $( let $nested = <$nty>::from_env(lookup).map_err(|more| errors.extend(more)).ok(); )*
                match ($($field,)* $($nested,)*) {
                    ($(Some($field),)* $(Some($nested),)*) if errors.is_empty() => {
                        let settings = Self { $($field,)* $($nested,)* };
                        $( $check(&settings)?; )?
                        Ok(settings)
                    }
                    _ => Err(errors),
                }
            }

            /// Describes the variables, in the order of definition.
            #[must_use]
            pub fn docs() -> Vec<SettingDoc> {
                let own = vec![ $( SettingDoc {
                    name: $var,
                    doc: $fdoc.trim_ascii(),
                    rule: <$ty as SettingValue>::rule(),
                    default: { let value: Option<$ty> = default!($($default)?); value.map(|v| SettingValue::write(&v)) },
                }, )* ];
                [own, $( <$nty>::docs(), )*].concat()
            }
        }
    };
}

macro_rules! default {
    () => {
        None
    };
    ($default:expr) => {
        Some($default)
    };
}

fn read<T: SettingValue>(
    lookup: &Lookup<'_>,
    name: &'static str,
    default: Option<T>,
    errors: &mut Vec<SettingError>,
) -> Option<T> {
    match (lookup(name), default) {
        (None, Some(default)) => Some(default),
        (None, None) => {
            errors.push(SettingError { name, value: None, reason: format!("it must be {}", T::rule()) });
            None
        }
        (Some(text), _) => match T::read(&text) {
            Ok(value) => Some(value),
            Err(reason) => {
                errors.push(SettingError { name, value: Some(text), reason });
                None
            }
        },
    }
}

/// A value that is known to be valid because a test reads every default back.
macro_rules! known {
    ($ty:ty, $value:expr) => {
        <$ty>::new($value).expect("a literal that the test `defaults_are_valid` reads back")
    };
}

settings! {
    /// Which table, index, attributes and labels there are. Both functions read them.
    pub struct DataSettings {
        /// Table of items.
        "SENTIMENTS_TABLE" => items_table: TableName;
        /// Table of users and their configurations.
        "USERS_TABLE" => users_table: TableName;
        /// Index whose hash key is the label and whose range key is the time.
        "DATA_INDEX" => index: IndexName = known!(IndexName, "by_sentiment");
        /// Hash key of the items table.
        "DATA_KEY_ATTRIBUTE" => key_attribute: AttributeName = known!(AttributeName, "source_id");
        /// Range key of the items table and of the index: RFC 3339, UTC.
        "DATA_TIME_ATTRIBUTE" => time_attribute: AttributeName = known!(AttributeName, "timestamp");
        /// Attribute with the label.
        "DATA_LABEL_ATTRIBUTE" => label_attribute: AttributeName = known!(AttributeName, "sentiment");
        /// Attribute with the tags: a list or set of strings, or one string.
        "DATA_TAGS_ATTRIBUTE" => tags_attribute: AttributeName = known!(AttributeName, "matched_tickers");
        /// Attribute with the score, a number from -1 to 1.
        "DATA_SCORE_ATTRIBUTE" => score_attribute: Option<AttributeName> = Some(known!(AttributeName, "score"));
        /// Attribute with the confidence, a number from 0 to 1.
        "DATA_CONFIDENCE_ATTRIBUTE" => confidence_attribute: Option<AttributeName> = Some(known!(AttributeName, "confidence"));
        /// Attribute with the source's name.
        "DATA_SOURCE_ATTRIBUTE" => source_attribute: Option<AttributeName> = Some(known!(AttributeName, "source"));
        /// Attribute that says whether a row is ready.
        "DATA_STATUS_ATTRIBUTE" => status_attribute: Option<AttributeName> = Some(known!(AttributeName, "status"));
        /// Value of the status attribute of a row that is ready.
        "DATA_STATUS_READY" => status_ready: StatusValue = known!(StatusValue, "analyzed");
        /// Labels, in the order in which the page shows them.
        "DATA_LABELS" => labels: Labels = Labels::default();
        /// Name of the update event.
        "DATA_UPDATE_EVENT" => update_event: EventName = known!(EventName, "sentiment_update");
        /// How far back the numbers count, 1h to 24h. A shorter window is for tables that hold more rows than a function's memory can.
        "DATA_WINDOW" => window: DataWindow = DataWindow::DEFAULT;
        /// Most frequent tags that the numbers name.
        "DATA_TAGS_MAX" => tags_max: TagsMax = known!(TagsMax, limits::METRICS_TAGS_DEFAULT);
    }
}

settings! {
    /// How the hub reads the table. Both functions read them.
    pub struct PollSettings {
        /// Time between two reads of the table.
        "SSE_POLL_INTERVAL" => poll_interval: PollInterval = PollInterval::DEFAULT;
        /// How late after its own timestamp a row may appear and still be delivered.
        "SSE_LATE_WINDOW" => late_window: LateWindow = LateWindow::DEFAULT;
        /// Time within which each part of the late interval is read again where a table is busy; a quiet one is read whole at each poll.
        "SSE_LATE_INTERVAL" => late_interval: LateInterval = LateInterval::DEFAULT;
        /// Time between two full re-reads of the window.
        "SSE_RECONCILE_INTERVAL" => reconcile_interval: ReconcileInterval = ReconcileInterval::DEFAULT;
        /// Updates a resume may bring, and that a slow reader may fall behind.
        "SSE_REPLAY_EVENTS" => replay_events: ReplayEvents = known!(ReplayEvents, limits::REPLAY_EVENTS_DEFAULT);
        /// Age up to which a cursor can be resumed.
        "SSE_REPLAY_WINDOW" => replay_window: ReplayWindow = ReplayWindow::DEFAULT;
        check late_interval_holds_a_poll;
    }
}

settings! {
    /// Whether pages say goodbye. Both functions read it: one takes the goodbyes, the other one heeds them.
    pub struct GoodbyeSettings {
        /// Whether a page may say that it leaves, so that its stream ends within one poll interval.
        "SSE_GOODBYE" => enabled: bool = false;
    }
}

settings! {
    /// Who callers are. Both functions read them.
    pub struct AuthSettings {
        /// How callers prove who they are.
        "AUTH_MODE" => mode: AuthMode = AuthMode::Off;
        /// KMS keys that session tokens are signed with: the first signs, all verify.
        "AUTH_SESSION_KEYS" => session_keys: SessionKeys = SessionKeys::default();
        /// Life of a session token.
        "AUTH_SESSION_LIFETIME" => session_lifetime: SessionLifetime = SessionLifetime::DEFAULT;
        /// Issuer of tokens, exactly as its tokens name it.
        "AUTH_ISSUER" => issuer: Option<AuthUrl> = None;
        /// What its tokens must be meant for.
        "AUTH_AUDIENCE" => audience: Option<Audience> = None;
        /// Where its keys are; without it, its discovery document says so.
        "AUTH_JWKS_URL" => jwks_url: Option<AuthUrl> = None;
    }
}

settings! {
    /// How an instance says how it is doing. Both functions read them.
    pub struct WatchSettings {
        /// Which metrics are written for CloudWatch.
        "METRICS" => metrics: MetricsMode = MetricsMode::Off;
        /// Namespace that they are written under.
        "METRICS_NAMESPACE" => namespace: MetricsNamespace = known!(MetricsNamespace, "sse-streaming");
        /// Whether streams tell X-Ray of themselves, where the trace of their request is sampled.
        "TRACING" => tracing: bool = false;
    }
}

settings! {
    /// Settings of the stream function.
    pub struct StreamSettings {
        /// Name of the environment.
        "ENVIRONMENT" => environment: Environment = known!(Environment, "dev");
        /// How it gets its invocations.
        "SSE_ADAPTER" => adapter: Adapter = Adapter::Native;
        /// Time between two `heartbeat` events.
        "SSE_HEARTBEAT_INTERVAL" => heartbeat_interval: HeartbeatInterval = HeartbeatInterval::DEFAULT;
        /// Streams one instance serves.
        "SSE_MAX_CONNECTIONS" => max_connections: MaxConnections = known!(MaxConnections, limits::CONNECTIONS_DEFAULT);
        /// Streams one instance serves for one source address.
        "SSE_CONNECTIONS_PER_CLIENT" => connections_per_client: ConnectionsPerClient =
            known!(ConnectionsPerClient, limits::CONNECTIONS_PER_CLIENT_DEFAULT);
        /// Where a viewer's address is read.
        "SSE_CLIENT_ADDRESS" => client_address: ClientAddress = ClientAddress::Connection;
        /// What a client hears that finds the instance full.
        "SSE_WHEN_FULL" => when_full: WhenFull = WhenFull::Overloaded;
        /// Longest session before it ends by itself.
        "SSE_MAX_SESSION" => max_session: MaxSession = MaxSession::DEFAULT;
        /// Reconnect delay that a stream announces.
        "SSE_RETRY" => retry: Retry = Retry::DEFAULT;
        ..#[doc = "Whether pages say goodbye."] goodbye: GoodbyeSettings;
        ..#[doc = "Who callers are."] auth: AuthSettings;
        ..#[doc = "How an instance says how it is doing."] watch: WatchSettings;
        ..#[doc = "How the hub reads the table."] poll: PollSettings;
        ..#[doc = "Which table, index, attributes and labels there are."] data: DataSettings;
        check StreamSettings::check;
    }
}

settings! {
    /// Settings of the dashboard function.
    pub struct DashboardSettings {
        /// Name of the environment.
        "ENVIRONMENT" => environment: Environment = known!(Environment, "dev");
        /// Where pages find the stream function.
        "SSE_URL" => sse_url: Option<PublicUrl> = None;
        /// Where a viewer's address is read.
        "SSE_CLIENT_ADDRESS" => client_address: ClientAddress = ClientAddress::Connection;
        ..#[doc = "Whether pages say goodbye."] goodbye: GoodbyeSettings;
        ..#[doc = "Who callers are."] auth: AuthSettings;
        ..#[doc = "How an instance says how it is doing."] watch: WatchSettings;
        ..#[doc = "How the hub reads the table."] poll: PollSettings;
        ..#[doc = "Which table, index, attributes and labels there are."] data: DataSettings;
        check DashboardSettings::check;
    }
}

/// Returns whether a function reads this variable as one of its settings.
#[must_use]
pub fn is_setting(name: &str) -> bool {
    StreamSettings::docs().iter().chain(&DashboardSettings::docs()).any(|doc| doc.name == name)
}

fn late_interval_holds_a_poll(poll: &PollSettings) -> Result<(), Vec<SettingError>> {
    let (interval, between) = (poll.late_interval, poll.poll_interval);
    if between.get() <= interval.get() {
        return Ok(());
    }
    let reason = format!("`{interval}` is too short; it must be SSE_POLL_INTERVAL, `{between}`, or longer");
    Err(vec![SettingError { name: "SSE_LATE_INTERVAL", value: Some(interval.to_string()), reason }])
}

fn window_holds_late_rows(poll: &PollSettings, data: &DataSettings) -> Result<(), Vec<SettingError>> {
    let (window, late, replay) = (data.window, poll.late_window, poll.replay_window);
    let needed = limits::window_needed(late.get(), replay.get());
    if needed < window.get() {
        return Ok(());
    }
    let skew = duration_text(limits::FUTURE_SKEW);
    let reason = format!(
        "`{window}` is too short; it must be longer than SSE_LATE_WINDOW, `{late}`, SSE_REPLAY_WINDOW, `{replay}`, and \
         {skew} together"
    );
    Err(vec![SettingError { name: "DATA_WINDOW", value: Some(window.to_string()), reason }])
}

impl StreamSettings {
    fn check(&self) -> Result<(), Vec<SettingError>> {
        window_holds_late_rows(&self.poll, &self.data)
    }
}

impl DashboardSettings {
    fn check(&self) -> Result<(), Vec<SettingError>> {
        window_holds_late_rows(&self.poll, &self.data)
    }
}

impl DataSettings {
    /// The defaults, with these two tables.
    #[must_use]
    pub fn with_tables(items_table: TableName, users_table: TableName) -> Self {
        let lookup = move |name: &str| match name {
            "SENTIMENTS_TABLE" => Some(items_table.to_string()),
            "USERS_TABLE" => Some(users_table.to_string()),
            _ => None,
        };
        Self::from_env(&lookup).expect("both tables are given and the test `defaults_are_valid` reads every default")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(pairs: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> {
        move |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    }

    const TABLES: &[(&str, &str)] = &[("SENTIMENTS_TABLE", "items"), ("USERS_TABLE", "users")];

    #[test]
    fn defaults_are_valid() {
        let settings = StreamSettings::from_env(&lookup(TABLES)).unwrap();
        assert_eq!(settings.poll.poll_interval.to_string(), "5s");
        assert_eq!(settings.max_connections.get(), limits::CONNECTIONS_DEFAULT);
        assert_eq!(settings.connections_per_client.get(), limits::CONNECTIONS_PER_CLIENT_DEFAULT);
        assert_eq!(settings.poll.replay_events.get(), limits::REPLAY_EVENTS_DEFAULT);
        assert_eq!(StreamSettings::docs().len(), settings.to_env().len());
    }

    #[test]
    fn what_is_written_reads_back() {
        let mut settings = StreamSettings::from_env(&lookup(TABLES)).unwrap();
        settings.data.score_attribute = None;
        settings.data.labels = Labels::new(&["open", "closed"]).unwrap();
        settings.when_full = WhenFull::Reject;
        settings.client_address = ClientAddress::CloudFront;
        settings.goodbye.enabled = true;
        settings.auth.mode = AuthMode::TrustedHeader;
        settings.auth.session_keys = SessionKeys::read("alias/a,alias/b").unwrap();
        settings.auth.issuer = AuthUrl::new("https://login.example.com").ok();
        settings.auth.audience = Audience::new("live").ok();
        settings.adapter = Adapter::WebAdapter;
        let env = settings.to_env();
        let again = StreamSettings::from_env(&|name| env.get(name).cloned()).unwrap();
        assert_eq!(again, settings);
    }

    #[test]
    fn the_streams_url_may_be_the_pages_own_origin() {
        let read = |url: &'static str| {
            let env = move |name: &str| match name {
                "SSE_URL" => Some(url.to_owned()),
                other => lookup(TABLES)(other),
            };
            DashboardSettings::from_env(&env)
                .map(|settings| settings.sse_url.map(|url| url.to_string()))
                .map_err(|errors| errors[0].to_string())
        };
        assert_eq!(read("-"), Ok(None));
        assert_eq!(read(""), Ok(None));
        assert_eq!(read("https://a.example"), Ok(Some("https://a.example".into())));
        for bad in ["https://a.example/", "https://", "a.example", "https://a.example?x", "https://a b", "javascript:1"]
        {
            let error = read(bad).unwrap_err();
            assert!(
                error.starts_with(&format!("SSE_URL: `{bad}` is not a valid base URL; it must be http://")),
                "{error}"
            );
        }
    }

    #[test]
    fn every_bad_variable_is_named_with_its_value_and_rule() {
        let bad = lookup(&[
            ("SENTIMENTS_TABLE", "items"),
            ("SSE_POLL_INTERVAL", "soon"),
            ("SSE_MAX_CONNECTIONS", "+5"),
            ("SSE_WHEN_FULL", "panic"),
            ("DATA_LABELS", "a,,b"),
            ("SSE_MAX_SESSION", "1h"),
        ]);
        let text: Vec<String> = StreamSettings::from_env(&bad).unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(
            text,
            [
                "SSE_MAX_CONNECTIONS: `+5` is not a whole number from 1 to 1600",
                "SSE_WHEN_FULL: `panic` is not one of `overloaded`, `reject`",
                "SSE_MAX_SESSION: `1h` is out of range; it must be from 5s to 890s",
                "SSE_POLL_INTERVAL: `soon` is not a duration; write a whole number and a unit, such as `500ms`, `5s`, `2m` or `1h`",
                "USERS_TABLE is not set; it must be 3 to 255 of a-z, A-Z, 0-9, _, . and -",
                "DATA_LABELS: `` is not a valid label; it must be 1 to 64 of a-z, 0-9 and _, beginning with a letter, and none of total, by_tag, rate_last_hour, rate_last_24h, timestamp, recent_items",
            ]
        );
    }

    #[test]
    fn the_window_is_longer_than_what_must_be_found_in_it() {
        let read = |window: &'static str, late: &'static str, replay: &'static str| {
            let env = move |name: &str| match name {
                "DATA_WINDOW" => Some(window.to_owned()),
                "SSE_LATE_WINDOW" => Some(late.to_owned()),
                "SSE_REPLAY_WINDOW" => Some(replay.to_owned()),
                other => lookup(TABLES)(other),
            };
            let dashboard = DashboardSettings::from_env(&env).map(|settings| settings.data.window.to_string());
            assert_eq!(StreamSettings::from_env(&env).map(|settings| settings.data.window.to_string()), dashboard);
            dashboard.map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(read("1h", "10m", "15m"), Ok("1h".into()));
        assert_eq!(read("1h", "10m", "2699s"), Ok("1h".into()));
        let error = "DATA_WINDOW: `1h` is too short; it must be longer than SSE_LATE_WINDOW, `10m`, SSE_REPLAY_WINDOW, \
                     `45m`, and 5m together";
        assert_eq!(read("1h", "10m", "45m"), Err(vec![error.into()]));
        assert_eq!(read("24h", "1h", "12h"), Ok("24h".into()));
        assert!(read("59m", "10m", "15m").unwrap_err()[0].ends_with("it must be from 1h to 24h"));
    }

    #[test]
    fn each_part_of_the_late_interval_is_read_again_no_sooner_than_the_next_poll() {
        let read = |poll: &'static str, late: &'static str| {
            let env = move |name: &str| match name {
                "SSE_POLL_INTERVAL" => Some(poll.to_owned()),
                "SSE_LATE_INTERVAL" => Some(late.to_owned()),
                _ => None,
            };
            PollSettings::from_env(&env).map(|poll| poll.late_interval.to_string()).map_err(|e| e[0].to_string())
        };
        assert_eq!(read("5s", "5s"), Ok("5s".into()));
        assert_eq!(read("5m", "5m"), Ok("5m".into()));
        let error = "SSE_LATE_INTERVAL: `1m` is too short; it must be SSE_POLL_INTERVAL, `61s`, or longer";
        assert_eq!(read("61s", "1m"), Err(error.into()));
        assert_eq!(read("1s", "4s"), Err("SSE_LATE_INTERVAL: `4s` is out of range; it must be from 5s to 5m".into()));
    }

    #[test]
    fn a_bare_number_is_seconds() {
        let env = lookup(&[("SENTIMENTS_TABLE", "items"), ("USERS_TABLE", "users"), ("SSE_POLL_INTERVAL", "7")]);
        assert_eq!(StreamSettings::from_env(&env).unwrap().poll.poll_interval.to_string(), "7s");
    }
}
