//! What the generator, the functions and the page agree on: settings, units, routes, event names and limits.
//!
//! The generator writes environment variables from the same definitions that the functions read them with, so a variable
//! that one side renames does not compile. This crate does no I/O and depends on serde and thiserror only.

pub mod auth;
pub mod cors;
pub mod events;
pub mod frames;
pub mod keep;
pub mod labels;
pub mod limits;
pub mod logs;
pub mod metrics;
pub mod names;
pub mod origins;
pub mod page;
pub mod routes;
pub mod settings;
pub mod shown;
pub mod tables;
pub mod times;
pub mod units;
pub mod values;
pub mod web_adapter;
pub mod words;

pub use auth::{Audience, Audiences, AuthUrl, CookieName, IssuerName, KeyId, SessionKeys};
pub use cors::{CorsOrigins, HeaderName, MoreHeaders};
pub use frames::FrameAncestors;
pub use keep::HistoryKeep;
pub use labels::{Label, Labels};
pub use names::{
    AttributeName, AttributePath, Environment, EventName, IndexName, LinkUrl, MetricsNamespace, NameError, PublicUrl,
    StatusValue, TableName, Tag,
};
pub use settings::{
    AuthSettings, CorsSettings, DashboardSettings, DataSettings, GoodbyeSettings, Lookup, PollSettings,
    SegmentSettings, ServerSettings, SettingDoc, SettingError, StreamSettings, WatchSettings,
};
pub use shown::{ShownAttributes, ShownError};
pub use times::TimeZone;
pub use units::{ByteSize, UnitError};
pub use words::{
    Adapter, AudienceClaim, AuthMode, ClientAddress, Identity, KeyType, LabelType, MetricsMode, PageLanguage,
    TimeFormat, WhenFull,
};
