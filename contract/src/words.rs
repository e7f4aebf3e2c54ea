//! Settings that are one of a closed set of words.

use serde::{Deserialize, Serialize};

use crate::values::SettingValue;

/// Defines a closed set of words.
macro_rules! word_setting {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// All words, in order.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl SettingValue for $name {
            fn read(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(format!("`{}` is not one of {}", text.escape_debug(), Self::rule())),
                }
            }
            fn write(&self) -> String {
                self.as_str().to_owned()
            }
            fn rule() -> String {
                Self::WORDS.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                Self::read(&text)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.write()
            }
        }
    };
}

word_setting!(
    /// The language of the page.
    PageLanguage {
        /// English.
        English = "en",
        /// German.
        German = "de",
    }
);

#[expect(clippy::derivable_impls, reason = "the macro makes the enum, of one without a default too")]
impl Default for PageLanguage {
    fn default() -> Self {
        Self::English
    }
}

impl PageLanguage {
    /// Whether it is the one that the page has when nothing is said.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

word_setting!(
    /// What a client hears that finds the instance full.
    WhenFull {
        /// EventSource gets 200 and `overloaded`, so that it comes back; everybody else 503.
        Overloaded = "overloaded",
        /// Everybody gets 503, which is final for a browser's EventSource.
        Reject = "reject",
    }
);
word_setting!(
    /// Where a viewer's address is read, which the limit for one address counts by.
    ClientAddress {
        /// Whoever connected, as the platform says.
        Connection = "connection",
        /// What CloudFront says; only where nobody can reach the function past it.
        CloudFront = "cloudfront",
    }
);
word_setting!(
    /// How a caller of a configuration stream proves who they are.
    AuthMode {
        /// Nobody can: configuration streams answer 401.
        Off = "off",
        /// A header that only a trusted proxy can set.
        TrustedHeader = "trusted-header",
        /// A signed token that the dashboard function gives to anybody who asks, for a user id of its own.
        Session = "session",
        /// A token of an OpenID Connect issuer.
        Jwt = "jwt",
    }
);
word_setting!(
    /// Which claim of a token says what it is meant for.
    AudienceClaim {
        /// `aud`: one audience, or a list of them.
        Aud = "aud",
        /// `client_id`, as in access tokens of Amazon Cognito, which have no `aud`.
        ClientId = "client_id",
        /// `azp`: the client that asked for the token.
        Azp = "azp",
    }
);
word_setting!(
    /// What makes rows of the items table one item.
    Identity {
        /// Hash key and time: each row is an item.
        KeyAndTime = "key-and-time",
        /// The hash key alone: its newest row is the item, and takes the place of the older ones.
        Key = "key",
    }
);
word_setting!(
    /// Which metrics the functions write for CloudWatch, which bills each of them.
    MetricsMode {
        /// None.
        Off = "off",
        /// One number for each thing measured.
        Totals = "totals",
        /// The same, and again by reason and by event.
        Detailed = "detailed",
    }
);
word_setting!(
    /// How the stream function gets its invocations.
    Adapter {
        /// By itself, from Lambda's Runtime API.
        Native = "native",
        /// As HTTP requests from the AWS Lambda Web Adapter, an extension beside it.
        WebAdapter = "web-adapter",
    }
);

word_setting!(
    /// How the range key of the items is written.
    TimeFormat {
        /// A string: RFC 3339, and what programs make of it.
        Rfc3339 = "rfc3339",
        /// A number: seconds since 1970, with decimals or without.
        EpochSeconds = "epoch-seconds",
        /// A number: milliseconds since 1970.
        EpochMillis = "epoch-millis",
        /// A string of ten digits: seconds since 1970, with decimals or without.
        EpochSecondsText = "epoch-seconds-text",
        /// A string of thirteen digits: milliseconds since 1970.
        EpochMillisText = "epoch-millis-text",
    }
);

impl TimeFormat {
    /// Whether times are counted from 1970, which is the same moment in every zone.
    #[must_use]
    pub const fn is_epoch(self) -> bool {
        !matches!(self, Self::Rfc3339)
    }

    /// Whether they are counted in seconds.
    #[must_use]
    pub const fn is_seconds(self) -> bool {
        matches!(self, Self::EpochSeconds | Self::EpochSecondsText)
    }

    /// Type that the attribute has, and so the range key.
    #[must_use]
    pub const fn key_type(self) -> KeyType {
        match self {
            Self::EpochSeconds | Self::EpochMillis => KeyType::Number,
            Self::Rfc3339 | Self::EpochSecondsText | Self::EpochMillisText => KeyType::Text,
        }
    }
}

/// Type of an attribute that is a key, of a table or of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// A string.
    Text,
    /// A number.
    Number,
}

impl KeyType {
    /// What DynamoDB calls it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "S",
            Self::Number => "N",
        }
    }
}

word_setting!(
    /// What the attribute with the label is.
    LabelType {
        /// A string.
        Text = "text",
        /// A number, such as 1, 0 and -1.
        Number = "number",
    }
);

impl LabelType {
    /// Type that the attribute has, and so the hash key of the index.
    #[must_use]
    pub const fn key_type(self) -> KeyType {
        match self {
            Self::Text => KeyType::Text,
            Self::Number => KeyType::Number,
        }
    }
}
