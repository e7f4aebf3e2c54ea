//! Settings of the functions: one definition writes the environment variables (generator) and reads them (functions).

mod auth;
mod data;
mod functions;
mod poll;
mod server;
mod setting;

pub use auth::AuthSettings;
pub use data::DataSettings;
pub use functions::{
    CorsSettings, DashboardSettings, GoodbyeSettings, SegmentSettings, StreamSettings, WatchSettings, is_setting,
};
pub use poll::PollSettings;
pub use server::ServerSettings;
pub use setting::{Lookup, SettingDoc, SettingError, both};
