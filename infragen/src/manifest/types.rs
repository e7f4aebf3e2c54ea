//! The manifest's own types: what AWS and Terraform allow, checked once, here.

use std::time::Duration;

use contract::origins::{self, is_authority};
use contract::units::{Bare, duration_text, parse_duration};
use contract::{AttributePath, ByteSize, limits};

pub use super::tags::{OWN_TAGS, Tags};

use super::reader::{ManifestValue, Problem};
use super::tree::{Node, Raw};
use super::values::{duration_examples, duration_schema, list, strings, text, unit_problem};

/// Defines a closed set of words.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// The word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl ManifestValue for $name {
            fn read(node: &Node) -> Result<Self, Vec<Problem>> {
                match $crate::manifest::words::word(node, &[$($word),+])? {
                    $($word => Ok(Self::$variant),)+
                    found => Err(vec![$crate::manifest::words::unknown(found, &[$($word),+])]),
                }
            }
            fn rule() -> String {
                format!("one of {}", [$(concat!("`", $word, "`")),+].join(", "))
            }
            fn write(&self) -> Option<toml::Value> {
                Some(self.as_str().into())
            }
            fn schema() -> serde_json::Value {
                serde_json::json!({ "enum": [$($word),+] })
            }
            fn examples() -> Vec<toml::Value> {
                vec![$($word.into()),+]
            }
        }
    };
}

words!(
    /// How a function's code reaches Lambda.
    Packaging {
        /// A container image in ECR, pinned by digest.
        Image = "image",
        /// A zip archive, pinned by hash.
        Zip = "zip",
    }
);
words!(
    /// The processor that both functions are built for.
    Architecture {
        /// Graviton: a fifth cheaper.
        Arm64 = "arm64",
        /// Intel and AMD.
        X86 = "x86_64",
    }
);
words!(
    /// The way in.
    FrontKind {
        /// The functions' own public URLs.
        FunctionUrl = "function-url",
        /// One CloudFront distribution before both.
        CloudFront = "cloudfront",
        /// A REST API of API Gateway before both.
        ApiGateway = "api-gateway",
    }
);
words!(
    /// Where Terraform keeps its state.
    BackendKind {
        /// In a file beside the configuration.
        Local = "local",
        /// In the bucket that the bootstrap root makes.
        S3 = "s3",
    }
);

pub(super) use words;

/// Defines a checked text with a pattern for editors and examples; a code after `=>` where its mistakes are not just `malformed`.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $pattern:literal, $(=> $code:literal,)? $(hints $hint:expr,)?
        [$($example:expr),+ $(,)?], $check:expr;)+) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// Checks and takes the text.
            #[must_use]
            pub fn new(text: &str) -> Option<Self> {
                let check: fn(&str) -> bool = $check;
                check(text).then(|| Self(text.to_owned()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl ManifestValue for $name {
            fn read(node: &Node) -> Result<Self, Vec<Problem>> {
                let found = text(node, $what)?;
                let mended = $crate::manifest::words::mended(found, |text| Self::new(text).is_some());
                Self::new(found).ok_or_else(|| {
                    let problem = mended(Problem::text(found, concat!("it must be ", $rule))$(.code($code))?);
                    $(
                        let which: Option<String> = $hint(found);
                        let problem = if let Some(hint) = which { problem.hint(hint) } else { problem };
                    )?
                    vec![problem]
                })
            }
            fn rule() -> String {
                $rule.to_owned()
            }
            fn write(&self) -> Option<toml::Value> {
                Some(self.0.clone().into())
            }
            fn schema() -> serde_json::Value {
                serde_json::json!({ "type": "string", "pattern": $pattern })
            }
            fn examples() -> Vec<toml::Value> {
                vec![$($example.into()),+]
            }
        }
    )+ };
}

pub(super) use texts;

fn words_of_lower_case(text: &str) -> bool {
    text.split('-')
        .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
}

texts!(
    /// Name of the project: the beginning of every resource's name.
    ProjectName, "a project name",
    "1 to 40 of a-z, 0-9 and single -, beginning with a letter and not ending with -",
    "^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
    ["orders-live", "status-board"],
    |text| text.len() <= 40 && text.starts_with(|c: char| c.is_ascii_lowercase()) && words_of_lower_case(text);
    /// Description of the functions, for people who read the console.
    Description, "a description", "at most 256 characters",
    r"^[\s\S]{0,256}$",
    ["Orders as they come in", "Builds"],
    |text| text.chars().count() <= 256;
    /// Name of an S3 bucket.
    BucketName, "a bucket name", "3 to 63 of a-z, 0-9, - and ., beginning and ending with a letter or digit",
    "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
    ["sse-streaming-dev-state-0123456789", "team-state"],
    |text| {
        let ends = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        (3..=63).contains(&text.len())
            && text.starts_with(ends)
            && text.ends_with(ends)
            && !text.contains("..")
            && text.chars().all(|c| ends(c) || c == '-' || c == '.')
    };
    /// Base URL that the page puts before a route.
    BaseUrl, "a URL", "empty, or http:// or https:// and a host, without / at the end",
    r"^(https?://[a-z0-9.:\[\]-]+(/[A-Za-z0-9._~/%-]*[A-Za-z0-9._~%-])?)?$",
    ["https://live.example.com", "https://api.example.com/v1"],
    |text| text.is_empty() || is_base_url(text);
);

fn is_base_url(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return false;
    };
    let (authority, path) = rest.split_once('/').map_or((rest, None), |(authority, path)| (authority, Some(path)));
    let path_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte);
    is_authority(authority)
        && path.is_none_or(|path| !path.is_empty() && !path.ends_with('/') && path.bytes().all(path_byte))
}

/// The origins that may read the functions' answers in a browser; `*` is every origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origins(Vec<String>);

impl Origins {
    /// Every origin.
    #[must_use]
    pub fn any() -> Self {
        Self(vec!["*".to_owned()])
    }

    /// The origins, in the order of the manifest.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

impl ManifestValue for Origins {
    fn read(node: &Node) -> Result<Self, Vec<Problem>> {
        let one = |found: &str| {
            if found == "*" || origins::is_origin(found) {
                return Ok(found.to_owned());
            }
            // Of previews: each has a host of its own, which nobody knows beforehand.
            let hint = if found.contains('*') {
                "Function URLs know no patterns: list each origin, give previews one domain, write `[\"*\"]` where no \
                 cookies are needed, or put page and functions on one origin with `front.kind = \"cloudfront\"`"
            } else {
                "write it as a browser sends it in `Origin`, such as `https://dashboard.example.com`"
            };
            Err(Problem::text(found, "it must be `*`, or scheme://host[:port] in lower case, without a path")
                .hint(hint))
        };
        let origins = list(node, &Self::rule(), one)?;
        if origins.is_empty() || origins.len() > limits::CORS_ORIGINS_MAX {
            let says = format!("has {} origins: it must have 1 to {}", origins.len(), limits::CORS_ORIGINS_MAX);
            return Err(vec![Problem::new("out-of-range", says)]);
        }
        if origins.len() > 1 && origins.iter().any(|origin| origin == "*") {
            return Err(vec![Problem::new(
                "star-beside-origins",
                "has `*` beside other origins: `*` must stand alone",
            )]);
        }
        Ok(Self(origins))
    }
    fn rule() -> String {
        "a list of origins, each scheme://host[:port], or of `*` alone".to_owned()
    }
    fn write(&self) -> Option<toml::Value> {
        Some(self.0.iter().map(|origin| origin.clone().into()).collect::<Vec<toml::Value>>().into())
    }
    fn schema() -> serde_json::Value {
        let origin =
            serde_json::json!({ "type": "string", "pattern": "^(\\*|[a-z][a-z0-9+.-]*://[a-z0-9.:\\[\\]-]+)$" });
        serde_json::json!({ "type": "array", "items": origin, "minItems": 1, "maxItems": limits::CORS_ORIGINS_MAX })
    }
    fn examples() -> Vec<toml::Value> {
        vec![
            strings(&["https://dashboard.example.com"]).into(),
            strings(&["https://a.example.com", "http://localhost:8080"]).into(),
        ]
    }
}

/// Memory of a function: 128 MiB to 10 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory(ByteSize);

/// Bounds of a function's memory, MiB (AWS Lambda quotas).
const MEMORY_MEBIBYTES: std::ops::RangeInclusive<u32> = 128..=10_240;

impl Memory {
    /// Makes a size that is known to be in range.
    #[must_use]
    pub const fn known<const MEBIBYTES: u32>() -> Self {
        const { assert!(MEBIBYTES >= 128 && MEBIBYTES <= 10_240) };
        Self(ByteSize::from_mebibytes(MEBIBYTES))
    }

    /// The size in MiB.
    #[must_use]
    pub const fn mebibytes(self) -> u32 {
        self.0.mebibytes()
    }
}

impl ManifestValue for Memory {
    fn read(node: &Node) -> Result<Self, Vec<Problem>> {
        let typed = match &node.value {
            Raw::Integer(number) => number.to_string(),
            _ => text(node, "a size such as `\"256 MiB\"`")?.to_owned(),
        };
        let is_allowed = |size: &ByteSize| MEMORY_MEBIBYTES.contains(&size.mebibytes());
        let fits = |text: &str| ByteSize::parse(text).is_ok_and(|size| is_allowed(&size));
        let size = ByteSize::parse(&typed).map_err(|error| vec![unit_problem::<Self>(&typed, error, fits)])?;
        if is_allowed(&size) {
            return Ok(Self(size));
        }
        Err(vec![Problem::text(&typed, "it must be from 128 MiB to 10 GiB (10240 MiB)").code("out-of-range")])
    }
    fn rule() -> String {
        "a size from 128 MiB to 10 GiB".to_owned()
    }
    fn write(&self) -> Option<toml::Value> {
        Some(self.0.to_string().into())
    }
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "string", "pattern": "^[0-9]+ ?(MiB|GiB)$" })
    }
    fn examples() -> Vec<toml::Value> {
        strings(&["256 MiB", "1 GiB", "8 GiB"])
    }
}

/// The longest silence that the way in tolerates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadTimeout(Duration);

impl ReadTimeout {
    /// CloudFront's default.
    pub const DEFAULT: Self = Self(limits::EDGE_READ_TIMEOUT_DEFAULT);
    const MIN: Duration = Duration::from_secs(1);

    /// The duration.
    #[must_use]
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl ManifestValue for ReadTimeout {
    fn read(node: &Node) -> Result<Self, Vec<Problem>> {
        let typed = match &node.value {
            Raw::Integer(number) => number.to_string(),
            _ => text(node, "a duration such as `\"30s\"`")?.to_owned(),
        };
        let parse = |text: &str| parse_duration(text, Bare::Refused);
        let is_allowed = |value: &Duration| {
            (Self::MIN..=limits::EDGE_READ_TIMEOUT_MAX).contains(value) && value.subsec_millis() == 0
        };
        let fits = |text: &str| parse(text).is_ok_and(|value| is_allowed(&value));
        let value = parse(&typed).map_err(|error| vec![unit_problem::<Self>(&typed, error, fits)])?;
        if is_allowed(&value) {
            return Ok(Self(value));
        }
        Err(vec![Problem::text(&typed, &format!("it must be {}", Self::rule())).code("out-of-range")])
    }
    fn rule() -> String {
        let max = duration_text(limits::EDGE_READ_TIMEOUT_MAX);
        format!("a duration in whole seconds from {} to {max}", duration_text(Self::MIN))
    }
    fn write(&self) -> Option<toml::Value> {
        Some(duration_text(self.0).into())
    }
    fn schema() -> serde_json::Value {
        duration_schema()
    }
    fn examples() -> Vec<toml::Value> {
        duration_examples(Self::MIN, limits::EDGE_READ_TIMEOUT_MAX)
    }
}

/// Days for which CloudWatch keeps a function's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogRetention(i64);

/// What CloudWatch accepts (`PutRetentionPolicy`).
const LOG_RETENTION_DAYS: [i64; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

impl LogRetention {
    /// Two weeks.
    pub const DEFAULT: Self = Self(14);

    /// The days.
    #[must_use]
    pub const fn days(self) -> i64 {
        self.0
    }
}

impl ManifestValue for LogRetention {
    fn read(node: &Node) -> Result<Self, Vec<Problem>> {
        match node.value {
            Raw::Integer(days) if LOG_RETENTION_DAYS.contains(&days) => Ok(Self(days)),
            Raw::Integer(days) => {
                let rule = format!("it must be {}", Self::rule());
                Err(vec![Problem::text(&days.to_string(), &rule).code("out-of-range")])
            }
            _ => Err(vec![Problem::kind(node, &Self::rule())]),
        }
    }
    fn rule() -> String {
        format!("a number of days out of {}", LOG_RETENTION_DAYS.map(|days| days.to_string()).join(", "))
    }
    fn write(&self) -> Option<toml::Value> {
        Some(self.0.into())
    }
    fn schema() -> serde_json::Value {
        serde_json::json!({ "enum": LOG_RETENTION_DAYS })
    }
    fn examples() -> Vec<toml::Value> {
        [30, 90, 365].map(toml::Value::from).to_vec()
    }
}

/// An attribute that a table need not have: where it is, or `false`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionalAttribute(pub Option<AttributePath>);

impl OptionalAttribute {
    /// Its name, where the table has it.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_ref().map(AttributePath::as_str)
    }
}

impl ManifestValue for OptionalAttribute {
    fn read(node: &Node) -> Result<Self, Vec<Problem>> {
        match node.value {
            Raw::Boolean(false) => Ok(Self(None)),
            Raw::String(_) => AttributePath::read(node).map(Some).map(Self),
            _ => Err(vec![Problem::kind(node, "an attribute name, or `false` where the table has none")]),
        }
    }
    fn rule() -> String {
        format!("{}; or `false` where the table has none", AttributePath::RULE)
    }
    fn write(&self) -> Option<toml::Value> {
        Some(self.0.as_ref().map_or(toml::Value::Boolean(false), |name| name.to_string().into()))
    }
    fn schema() -> serde_json::Value {
        serde_json::json!({ "anyOf": [AttributePath::schema(), { "const": false }] })
    }
    fn examples() -> Vec<toml::Value> {
        vec!["column-3".into(), "result.score".into(), false.into()]
    }
}

/// What runs this project's recipes, `./justw` or whatever a repository has in its place; none where there is nothing but this generator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runner(Option<String>);

impl Runner {
    /// That of this project's own repository, beside its manifest.
    pub const OWN: &'static str = "./justw";
    /// The rule, as error messages print it.
    pub const RULE: &'static str = "1 to 64 visible characters of ASCII and single spaces between them, none of them a quote, a backquote, \\, $ or %";

    /// Checks and takes a name.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let is_word =
            |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_graphic() && !b"\"'`\\$%".contains(&b));
        (text.len() <= 64 && text.split(' ').all(is_word)).then(|| Self(Some(text.to_owned())))
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl ManifestValue for Runner {
    fn read(node: &Node) -> Result<Self, Vec<Problem>> {
        match &node.value {
            Raw::Boolean(false) => Ok(Self(None)),
            Raw::String(text) => Self::new(text).ok_or_else(|| vec![Problem::text(text, Self::RULE)]),
            _ => Err(vec![Problem::kind(node, "the name of a program, or `false` where there is none")]),
        }
    }
    fn rule() -> String {
        format!("{}; or `false` where there is none", Self::RULE)
    }
    fn write(&self) -> Option<toml::Value> {
        Some(self.0.as_ref().map_or(toml::Value::Boolean(false), |name| name.clone().into()))
    }
    fn schema() -> serde_json::Value {
        serde_json::json!({ "anyOf": [{ "type": "string", "pattern": "^[!#&(-\\[\\]-_a-~]+( [!#&(-\\[\\]-_a-~]+)*$", "maxLength": 64 }, { "const": false }] })
    }
    fn examples() -> Vec<toml::Value> {
        vec!["just".into(), "make".into(), "npm run".into(), false.into()]
    }
}
