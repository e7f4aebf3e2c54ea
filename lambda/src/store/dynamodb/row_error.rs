//! What can be wrong with a row.

use contract::NameError;
use stream_core::timestamp::TimestampError;

/// What is wrong with a row, or with one of its attributes.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// A key attribute or the label is not there.
    #[error("`{0}` is missing")]
    Missing(String),
    /// An attribute is of another type than the second part says.
    #[error("`{0}` is not {1}")]
    WrongType(String, &'static str),
    /// The second part is no time.
    #[error("`{0}` is `{1}`, which {2}")]
    Time(String, String, TimestampError),
    /// The label is none of the table's.
    #[error("`{0}` is `{1}`, which is no label of this table")]
    Label(String, String),
    /// A text is no number.
    #[error("`{0}` is `{1}`, which is not a number")]
    NotANumber(String, String),
    /// A number is out of the range that begins with the third part and ends at 1.
    #[error("`{0}` is {1}; it must be from {2} to 1")]
    Range(String, String, i8),
    /// A text has more bytes than the second part says.
    #[error("`{0}` is longer than {1} bytes")]
    TooLong(String, usize),
    /// A ticker is none.
    #[error("`{0}`: {1}")]
    Tag(String, NameError),
    /// A link is none.
    #[error("`{0}`: {1}")]
    Link(String, NameError),
    /// A number has a form that JSON does not know.
    #[error("`{0}` is `{1}`, which is no number as JSON writes them")]
    Decimal(String, String),
    /// A member of the tickers has a type that no ticker has.
    #[error("`{0}` has a member that is {1}; a ticker is a string or a number")]
    Member(String, &'static str),
    /// A ticker is a list or a map that was written as a text.
    #[error("`{0}`: `{1}` is a list or a map that was written as a text; a text is one ticker")]
    ListText(String, String),
    /// There are more tickers than the second part says.
    #[error("`{0}` has more than {1} entries")]
    TooMany(String, usize),
}

impl RowError {
    /// The attribute that it is about.
    #[must_use]
    pub fn attribute(&self) -> &str {
        match self {
            Self::Missing(name)
            | Self::WrongType(name, _)
            | Self::Time(name, ..)
            | Self::Label(name, _)
            | Self::NotANumber(name, _)
            | Self::Range(name, ..)
            | Self::TooLong(name, _)
            | Self::Tag(name, _)
            | Self::Link(name, _)
            | Self::Decimal(name, _)
            | Self::Member(name, _)
            | Self::ListText(name, _)
            | Self::TooMany(name, _) => name,
        }
    }
}

/// The value, or its fault for the list and nothing in its place.
pub(super) fn or_fault<T>(value: Result<Option<T>, RowError>, faults: &mut Vec<RowError>) -> Option<T> {
    value.unwrap_or_else(|fault| {
        faults.push(fault);
        None
    })
}
