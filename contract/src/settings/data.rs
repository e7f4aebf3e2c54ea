//! What the table means.

use super::setting::{SettingError, known, settings};
use crate::keep::HistoryKeep;
use crate::labels::Labels;
use crate::limits;
use crate::names::{AttributeName, AttributePath, EventName, IndexName, StatusValue, TableName};
use crate::shown::ShownAttributes;
use crate::times::TimeZone;
use crate::units::DataWindow;
use crate::values::TagsMax;
use crate::words::{Identity, LabelType, TimeFormat};

settings! {
    /// Which table, index, attributes and labels there are. Both functions read them.
    pub struct DataSettings {
        /// Table of items.
        "SENTIMENTS_TABLE" => items_table: TableName;
        /// Table of users and their configurations.
        "USERS_TABLE" => users_table: TableName;
        /// Table of hours that instances share; without it each reads the whole window.
        "HOURS_TABLE" => hours_table: Option<TableName> = None;
        /// Table of the sums of old hours, which histories reach back to; without it they have the window alone. Needs `HISTORY_KEEP`.
        "HISTORY_TABLE" => history_table: Option<TableName> = None;
        /// For how long sums of an hour are kept. Needs `HISTORY_TABLE`.
        "HISTORY_KEEP" => history_keep: Option<HistoryKeep> = None;
        /// Index whose hash key is the label and whose range key is the time.
        "DATA_INDEX" => index: IndexName = known!(IndexName, "by_sentiment");
        /// Hash key of the items table: a string or a number.
        "DATA_KEY_ATTRIBUTE" => key_attribute: AttributeName = known!(AttributeName, "source_id");
        /// Range key of the items table and of the index.
        "DATA_TIME_ATTRIBUTE" => time_attribute: AttributeName = known!(AttributeName, "timestamp");
        /// How it is written: as RFC 3339, or as seconds or milliseconds since 1970, in a number or a text.
        "DATA_TIME_FORMAT" => time_format: TimeFormat = TimeFormat::Rfc3339;
        /// Zone of times that name none.
        "DATA_TIME_ZONE" => time_zone: Option<TimeZone> = None;
        /// Attribute with the label.
        "DATA_LABEL_ATTRIBUTE" => label_attribute: AttributeName = known!(AttributeName, "sentiment");
        /// Whether it is a text or a number.
        "DATA_LABEL_TYPE" => label_type: LabelType = LabelType::Text;
        /// Attribute with the tags: a list or set of strings or numbers, or one of either.
        "DATA_TAGS_ATTRIBUTE" => tags_attribute: Option<AttributePath> = Some(known!(AttributePath, "matched_tickers"));
        /// Attribute with the score, a number from -1 to 1, or the text of one.
        "DATA_SCORE_ATTRIBUTE" => score_attribute: Option<AttributePath> = Some(known!(AttributePath, "score"));
        /// Attribute with the confidence, a number from 0 to 1, or the text of one.
        "DATA_CONFIDENCE_ATTRIBUTE" => confidence_attribute: Option<AttributePath> = Some(known!(AttributePath, "confidence"));
        /// Attribute with the source's name.
        "DATA_SOURCE_ATTRIBUTE" => source_attribute: Option<AttributePath> = Some(known!(AttributePath, "source"));
        /// Attribute with the title, a text or a number.
        "DATA_TITLE_ATTRIBUTE" => title_attribute: Option<AttributePath> = None;
        /// Attribute with the link to what the row is about, an address that begins with `https://`.
        "DATA_URL_ATTRIBUTE" => url_attribute: Option<AttributePath> = None;
        /// Attributes that updates carry as they are, beside what they mean.
        "DATA_SHOW" => show: ShownAttributes = ShownAttributes::default();
        /// Attribute that says whether a row is ready.
        "DATA_STATUS_ATTRIBUTE" => status_attribute: Option<AttributePath> = Some(known!(AttributePath, "status"));
        /// Value of the status attribute of a row that is ready.
        "DATA_STATUS_READY" => status_ready: StatusValue = known!(StatusValue, "analyzed");
        /// Labels, in the order in which the page shows them.
        "DATA_LABELS" => labels: Labels = Labels::default();
        /// What makes rows one item: hash key and time, or the hash key alone, whose newest row then counts.
        "DATA_IDENTITY" => identity: Identity = Identity::KeyAndTime;
        /// Name of the update event.
        "DATA_UPDATE_EVENT" => update_event: EventName = known!(EventName, "sentiment_update");
        /// How far back the numbers count, 1h to 24h. A shorter window is for tables that hold more rows than a function's memory can.
        "DATA_WINDOW" => window: DataWindow = DataWindow::DEFAULT;
        /// Most frequent tags that the numbers name.
        "DATA_TAGS_MAX" => tags_max: TagsMax = known!(TagsMax, limits::METRICS_TAGS_DEFAULT);
        check Self::check_history;
    }
}

impl DataSettings {
    fn check_history(&self) -> Result<(), Vec<SettingError>> {
        let error =
            |name, value: Option<String>, reason: &str| Err(vec![SettingError { name, value, reason: reason.into() }]);
        match (&self.history_table, self.history_keep) {
            (Some(_), None) => error("HISTORY_KEEP", None, "HISTORY_TABLE needs it: whole days, such as `400d`"),
            (None, Some(_)) => error("HISTORY_TABLE", None, "HISTORY_KEEP needs it: the table that sums are kept in"),
            (Some(_), Some(_)) | (None, None) => Ok(()),
        }
    }

    /// Where a row has what is not part of a key.
    pub fn paths(&self) -> impl Iterator<Item = &AttributePath> {
        let numbers = [&self.score_attribute, &self.confidence_attribute];
        let texts = [&self.source_attribute, &self.title_attribute, &self.url_attribute];
        let all = [&self.tags_attribute].into_iter().chain(numbers).chain(texts).chain([&self.status_attribute]);
        all.flatten().chain(self.show.as_slice())
    }

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
