//! The settings of the two functions, each with what it shares with the other one.

use super::auth::AuthSettings;
use super::data::DataSettings;
use super::poll::PollSettings;
use super::server::ServerSettings;
use super::setting::{SettingError, known, settings};
use crate::cors::{CorsOrigins, MoreHeaders};
use crate::limits;
use crate::names::{Environment, MetricsNamespace, PublicUrl};
use crate::units::{HeartbeatInterval, MaxSession, Retry, SegmentLength};
use crate::values::{FunctionConnections, MaxConnections};
use crate::words::{Adapter, ClientAddress, MetricsMode, WhenFull};

settings! {
    /// Whether pages say goodbye. Both functions read it: one takes the goodbyes, the other one heeds them.
    pub struct GoodbyeSettings {
        /// Whether a page may say that it leaves, so that its stream ends within one poll interval.
        "SSE_GOODBYE" => enabled: bool = false;
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
    /// Whether a cache stands before the function that hands one answer to many viewers.
    pub struct SegmentSettings {
        /// Whether the stream for everybody comes in segments that a cache may keep until they end, and no viewer has one of their own.
        "SSE_SHARED_SEGMENTS" => shared: bool = false;
        /// Length of such a segment: all of them end at whole multiples of it since 1970, so that those who wait are asked for at once.
        "SSE_SEGMENT_LENGTH" => length: SegmentLength = SegmentLength::DEFAULT;
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
        "SSE_CONNECTIONS_PER_CLIENT" => connections_per_client: MaxConnections =
            known!(MaxConnections, limits::CONNECTIONS_PER_CLIENT_DEFAULT);
        /// Where a viewer's address is read.
        "SSE_CLIENT_ADDRESS" => client_address: ClientAddress = ClientAddress::Connection;
        /// What a client hears that finds the instance full.
        "SSE_WHEN_FULL" => when_full: WhenFull = WhenFull::Overloaded;
        /// Longest session before it ends by itself.
        "SSE_MAX_SESSION" => max_session: MaxSession = MaxSession::DEFAULT;
        /// Reconnect delay that a stream announces.
        "SSE_RETRY" => retry: Retry = Retry::DEFAULT;
        ..#[doc = "Whether viewers share streams."] segments: SegmentSettings;
        ..#[doc = "Whether pages say goodbye."] goodbye: GoodbyeSettings;
        ..#[doc = "Who callers are."] auth: AuthSettings;
        ..#[doc = "How an instance says how it is doing."] watch: WatchSettings;
        ..#[doc = "How the hub reads the table."] poll: PollSettings;
        ..#[doc = "Which table, index, attributes and labels there are."] data: DataSettings;
        check StreamSettings::check;
    }
}

impl StreamSettings {
    fn check(&self) -> Result<(), Vec<SettingError>> {
        self.poll.check_window(self.data.window)?;
        let reason = if !self.segments.shared {
            return Ok(());
        } else if self.auth.private {
            "AUTH_PRIVATE is `true`, and what one viewer may see is in no shared cache"
        } else if self.goodbye.enabled {
            "SSE_GOODBYE is `true`, and one viewer's goodbye would end what others watch"
        } else {
            return Ok(());
        };
        let reason = format!("`true` does not go with it: {reason}");
        Err(vec![SettingError { name: "SSE_SHARED_SEGMENTS", value: Some("true".to_owned()), reason }])
    }

    /// Says whether AWS Lambda gives an instance as many streams as it may serve.
    ///
    /// # Errors
    /// The variable that asks for more.
    pub fn check_function(&self) -> Result<(), Vec<SettingError>> {
        let most = limits::FUNCTION_CONNECTIONS_MAX;
        let wanted = self.max_connections.get();
        FunctionConnections::new(wanted).map(drop).map_err(|_| {
            let reason = format!(
                "`{wanted}` is out of range; it must be from 1 to {most}, the most that AWS Lambda gives an instance"
            );
            vec![SettingError { name: "SSE_MAX_CONNECTIONS", value: Some(wanted.to_string()), reason }]
        })
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
        check |settings| settings.poll.check_window(settings.data.window);
    }
}

settings! {
    /// What pages of other origins may do, where the program answers them and not a Function URL: on a server, and behind a REST API.
    pub struct CorsSettings {
        /// Origins whose pages may read the answers. Where there are none a function is silent, and a server answers those of every origin.
        "CORS_ALLOW_ORIGINS" => allow_origins: CorsOrigins = CorsOrigins::default();
        /// Whether such a page may send cookies along; the origins must then be named.
        "CORS_ALLOW_CREDENTIALS" => allow_credentials: bool = false;
        /// Headers that pages may send beside those that they always may.
        "CORS_ALLOW_HEADERS" => allow_headers: MoreHeaders = MoreHeaders::default();
    }
}

/// Returns whether a function reads this variable as one of its settings, or the servers on this machine do.
#[must_use]
pub fn is_setting(name: &str) -> bool {
    let docs = [StreamSettings::docs(), DashboardSettings::docs(), CorsSettings::docs(), ServerSettings::docs()];
    docs.iter().flatten().any(|doc| doc.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Audience, Audiences, IssuerName, SessionKeys};
    use crate::labels::Labels;
    use crate::values::SettingValue;
    use crate::words::AuthMode;

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
        settings.auth.issuer = IssuerName::new("https://login.example.com").ok();
        settings.auth.audience = Audiences::new(vec![Audience::new("live").unwrap()]).ok();
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
                "SSE_MAX_CONNECTIONS: `+5` is not a whole number from 1 to 65536",
                "SSE_WHEN_FULL: `panic` is not one of `overloaded`, `reject`",
                "SSE_MAX_SESSION: `1h` is out of range; it must be from 5s to 890s",
                "SSE_POLL_INTERVAL: `soon` is not a duration; write a whole number and a unit, such as `500ms`, `5s`, `2m` or `1h`",
                "USERS_TABLE is not set; it must be 3 to 255 of a-z, A-Z, 0-9, _, . and -",
                "DATA_LABELS: `` is not a valid label; it must be 1 to 64 characters, none of them a control character",
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
    fn what_viewers_share_is_nobodys_own() {
        let read = |more: &'static [(&'static str, &'static str)]| {
            let env = move |name: &str| {
                let found = more.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
                found.or_else(|| lookup(TABLES)(name))
            };
            StreamSettings::from_env(&env).map(drop).map_err(|errors| errors[0].to_string())
        };
        assert_eq!(read(&[("SSE_SHARED_SEGMENTS", "true"), ("SSE_SEGMENT_LENGTH", "10s")]), Ok(()));
        assert_eq!(read(&[("SSE_GOODBYE", "true"), ("AUTH_MODE", "trusted-header"), ("AUTH_PRIVATE", "true")]), Ok(()));
        for (more, words) in [
            (&[("SSE_SHARED_SEGMENTS", "true"), ("SSE_GOODBYE", "true")][..], "goodbye would end what others watch"),
            (
                &[("SSE_SHARED_SEGMENTS", "true"), ("AUTH_MODE", "trusted-header"), ("AUTH_PRIVATE", "true")],
                "may see is in no shared cache",
            ),
            (&[("SSE_SEGMENT_LENGTH", "601s")], "it must be from 10s to 10m"),
        ] {
            let error = read(more).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn a_bare_number_is_seconds() {
        let env = lookup(&[("SENTIMENTS_TABLE", "items"), ("USERS_TABLE", "users"), ("SSE_POLL_INTERVAL", "7")]);
        assert_eq!(StreamSettings::from_env(&env).unwrap().poll.poll_interval.to_string(), "7s");
    }
}
