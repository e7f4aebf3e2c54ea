//! How the functions' logs are written: as text, or as JSON with levels.

use super::reader::{ManifestValue, Problem, section};
use super::tree::Node;
use super::types::{texts, words};
use super::values::text;

words!(
    /// The form of lines that Lambda itself writes; the programs' own are JSON in either.
    LogFormat {
        /// Lambda's lines as text.
        Text = "text",
        /// Lambda's lines as JSON, and levels for both.
        Json = "json",
    }
);
words!(
    /// The lowest level of the programs' lines. There is none above INFO: the lines that metrics and alarms are made of are
    /// written at it.
    ProgramLevel {
        /// Everything.
        Trace = "TRACE",
        /// What helps to find a mistake.
        Debug = "DEBUG",
        /// What happens.
        Info = "INFO",
    }
);
words!(
    /// The lowest level of Lambda's own lines.
    SystemLevel {
        /// Everything.
        Debug = "DEBUG",
        /// What happens, the report of each invocation included.
        Info = "INFO",
        /// What goes wrong.
        Warn = "WARN",
    }
);

texts!(
    /// Name of a log group of CloudWatch.
    LogGroupName, "the name of a log group", "1 to 512 of a-z, A-Z, 0-9, _, -, /, . and #",
    "^[A-Za-z0-9_/.#-]{1,512}$",
    ["/company/live", "central"],
    |text| (1..=512).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-/.#".contains(&byte));
);

section! {
    /// `[operations.logs]`: how the functions' logs are written.
    pub struct LogsSection {
        /// What Lambda's own lines are: text, or JSON as the programs' lines are, and as it is on managed instances in any case.
        "format" => format: LogFormat = LogFormat::Text;
        /// Lowest level of the programs' lines; needs `json`. Those that metrics are made of have INFO.
        "level" => level: Option<ProgramLevel> = None;
        /// Lowest level of Lambda's own lines; needs `json`.
        "system_level" => system_level: Option<SystemLevel> = None;
    }
}
