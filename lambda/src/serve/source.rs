//! Where local mode takes its rows from, and what it may write.

use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf};

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use contract::{DataSettings, Lookup, routes};
use http::{Method, StatusCode, header};
use serde_json::json;

use crate::clock::Clock;
use crate::fatal::Fatal;
use crate::serve::server;
use crate::store::dynamodb::written;
use crate::store::memory::Memory;
use crate::store::{Items as _, StoreError, Stores};

/// Items a minute that come by themselves unless it is said how many a second: as many as a person can read.
const RATE: u32 = 20;
/// Items a second that come by themselves at most: each poll makes those of its late window anew.
const RATE_MAX: u32 = 10_000;
/// Seed of what comes by itself: the same on every machine.
const SEED: u64 = 1;

/// Where rows come from.
#[derive(Debug, PartialEq, Eq)]
pub enum Source {
    /// Made up news in memory.
    MadeUp,
    /// Rows of a file, again and again, in memory (`SAMPLE_ROWS`).
    File(PathBuf),
    /// Both tables, as the functions have them.
    Tables,
    /// The items table, which is only read; what users save is in memory, and refused.
    Table,
}

impl Source {
    /// Reads `STORE` and `SAMPLE_ROWS`.
    ///
    /// # Errors
    /// [`Fatal`] where they say nothing that there is.
    pub fn from_env(lookup: &Lookup<'_>) -> Result<Self, Fatal> {
        let rows = lookup("SAMPLE_ROWS").filter(|path| !path.is_empty());
        match (lookup("STORE").as_deref(), rows) {
            (None | Some("memory"), None) => Ok(Self::MadeUp),
            (None | Some("memory"), Some(path)) => Ok(Self::File(path.into())),
            (Some("dynamodb"), None) => Ok(Self::Tables),
            (Some("table"), None) => Ok(Self::Table),
            (Some(store @ ("dynamodb" | "table")), Some(path)) => {
                Err(Fatal::new(format!("SAMPLE_ROWS: `{path}` is for STORE=memory, and STORE is `{store}`")))
            }
            (Some(other), _) => {
                Err(Fatal::new(format!("STORE: `{other}` is not one of `memory`, `dynamodb`, `table`")))
            }
        }
    }

    /// What a variable of the functions is where nothing says so: memory needs no table, and made up news have headlines, whatever a
    /// manifest says of its own table.
    #[must_use]
    pub fn default(&self, name: &str) -> Option<&'static str> {
        match (self, name) {
            (Self::MadeUp | Self::File(_), "SENTIMENTS_TABLE") => Some("local"),
            (Self::MadeUp | Self::File(_) | Self::Table, "USERS_TABLE") => Some("local"),
            (Self::MadeUp, "DATA_TITLE_ATTRIBUTE") => Some("title"),
            (Self::MadeUp, "DATA_URL_ATTRIBUTE") => Some("url"),
            (Self::MadeUp, "DATA_SHOW") => Some("author"),
            _ => None,
        }
    }

    /// Sets the stores up; of a table that is only read, nothing but reading its items.
    ///
    /// # Errors
    /// [`Fatal`] where the file has a line that is no row, region or credentials are missing, or a table that is only read does not
    /// answer: whoever looks at it waits for an answer, and not for a table that is made later.
    pub async fn stores(
        &self,
        data: &DataSettings,
        rate: u32,
        clock: &Clock,
        lookup: &Lookup<'_>,
    ) -> Result<Stores, Fatal> {
        match self {
            Self::MadeUp => Ok(Stores::of(Memory::with_feed(clock.clone(), data, SEED, rate))),
            Self::File(path) => {
                let wrong = |error: &dyn Display| Fatal::new(format!("SAMPLE_ROWS: `{}`: {error}", path.display()));
                let text = read(path).map_err(|error| wrong(&error))?;
                let items = written::items(data, &text).map_err(|error| wrong(&error))?;
                Ok(Stores::of(Memory::with_items(clock.clone(), items, SEED, rate)))
            }
            Self::Tables => server::table(data.clone(), clock, lookup).await.map(Stores::of),
            Self::Table => {
                let table = server::table(data.clone(), clock, lookup).await?;
                let region = table.region().to_owned();
                table.warm_up().await.map_err(|error| unreadable(data, &region, &error))?;
                let items = std::sync::Arc::new(table);
                Ok(Stores { items, ..Stores::of(Memory::empty(clock.clone())) })
            }
        }
    }

    /// The routes of REST, of which a table that is only read takes none that changes anything.
    pub fn guarded(&self, dashboard: Router) -> Router {
        match self {
            Self::Table => dashboard.layer(axum::middleware::from_fn(read_only)),
            Self::MadeUp | Self::File(_) | Self::Tables => dashboard,
        }
    }
}

impl Display for Source {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::MadeUp => f.write_str("in memory, with a sample feed"),
            Self::File(path) => write!(f, "in memory, with the rows of {} again and again", path.display()),
            Self::Tables => f.write_str("DynamoDB"),
            Self::Table => f.write_str("DynamoDB, reading only: no table is written to, and no configuration is saved"),
        }
    }
}

/// Items a minute that come by themselves (`SAMPLE_RATE`, items a second).
///
/// # Errors
/// [`Fatal`] where that is no number of items.
pub fn rate(lookup: &Lookup<'_>) -> Result<u32, Fatal> {
    let Some(text) = lookup("SAMPLE_RATE") else { return Ok(RATE) };
    let rate = text.parse().ok().filter(|rate| *rate <= RATE_MAX);
    rate.map(|rate: u32| rate * 60).ok_or_else(|| {
        let rule = format!("is not a number of items a second, a whole number from 0 to {RATE_MAX}");
        Fatal::new(format!("SAMPLE_RATE: `{}` {rule}", text.escape_debug()))
    })
}

#[expect(clippy::disallowed_methods, reason = "rows of a file are in the place of a table here")]
fn read(path: &Path) -> std::io::Result<String> {
    std::fs::read_to_string(path)
}

/// Why a table cannot be shown: one sentence with what to do.
fn unreadable(data: &DataSettings, region: &str, error: &StoreError) -> Fatal {
    let DataSettings { items_table: table, index, .. } = data;
    let said = error.to_string();
    let is = |part: &str| said.contains(part);
    Fatal::new(if is("ResourceNotFoundException") {
        format!("there is no table `{table}` in {region}: check its name, or name another region with `--region`")
    } else if is("specified index") {
        format!(
            "table `{table}` has no index `{index}`: set `index` of [data] to one of its indexes with the label as hash key and the time \
             as range key, or let `infragen init --table` find it"
        )
    } else if is("AccessDenied") {
        format!("these credentials may not `dynamodb:Query` index `{index}` of table `{table}` in {region}: {said}")
    } else if is("credentials") && matches!(error, StoreError::Unavailable(_)) {
        // The SDK lists on many lines where it has looked.
        format!(
            "there are no credentials for table `{table}`: name a profile that has some with `--profile`, or sign in"
        )
    } else {
        format!("table `{table}` in {region} cannot be read: {said}")
    })
}

/// Refuses what would be saved.
async fn read_only(request: Request, next: Next) -> Response {
    let is_change = ![Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    if !(is_change && request.uri().path().starts_with(routes::CONFIGURATIONS)) {
        return next.run(request).await;
    }
    let headers = [(header::CACHE_CONTROL, "no-store")];
    (StatusCode::FORBIDDEN, headers, Json(json!({ "detail": READ_ONLY }))).into_response()
}

/// What whoever would save something is told.
const READ_ONLY: &str = "This server shows a table and only reads: no configuration is saved.";

#[cfg(test)]
mod tests {
    use contract::TableName;

    use super::*;

    #[test]
    fn where_rows_come_from_is_said_by_two_variables() {
        let check = |store: Option<&str>, rows: Option<&str>, expected: Result<Source, &str>| {
            let lookup = |name: &str| if name == "STORE" { store } else { rows }.map(str::to_owned);
            let found = Source::from_env(&lookup).map_err(|fatal| format!("{fatal:?}"));
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
                other => panic!("{store:?} {rows:?}: {other:?}"),
            }
        };
        check(None, None, Ok(Source::MadeUp));
        check(Some("memory"), Some(""), Ok(Source::MadeUp));
        check(None, Some("a.jsonl"), Ok(Source::File("a.jsonl".into())));
        check(Some("dynamodb"), None, Ok(Source::Tables));
        check(Some("table"), None, Ok(Source::Table));
        check(Some("table"), Some("a.jsonl"), Err("SAMPLE_ROWS: `a.jsonl` is for STORE=memory, and STORE is `table`"));
        check(Some("disk"), None, Err("STORE: `disk` is not one of `memory`, `dynamodb`, `table`"));
    }

    #[test]
    fn why_a_table_cannot_be_shown_is_one_sentence() {
        let data = DataSettings::with_tables(TableName::new("orders").unwrap(), TableName::new("users").unwrap());
        let check = |error: StoreError, expected: &str| {
            let said = format!("{:?}", unreadable(&data, "eu-west-1", &error));
            assert!(said.contains(expected), "{said}");
        };
        let refused = |text: &str| StoreError::Refused(text.to_owned());
        check(
            refused("ResourceNotFoundException: Requested resource not found"),
            "there is no table `orders` in eu-west-1: check its name, or name another region with `--region`",
        );
        check(
            refused("ValidationException: The table does not have the specified index: by_sentiment"),
            "table `orders` has no index `by_sentiment`: set `index` of [data]",
        );
        check(refused("AccessDeniedException: no"), "may not `dynamodb:Query` index `by_sentiment` of table `orders`");
        check(StoreError::Unavailable("no credentials".into()), "there are no credentials for table `orders`");
        check(refused("ValidationException: other"), "table `orders` in eu-west-1 cannot be read: ");
    }
}
