//! What one setting is, and the macro that defines a struct of them.

use std::fmt;

use crate::values::SettingValue;

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

/// Both of two groups of settings, or everything that is wrong with either.
///
/// # Errors
/// Those of the one and then those of the other, a variable that both of them read once.
pub fn both<A, B>(
    one: Result<A, Vec<SettingError>>,
    other: Result<B, Vec<SettingError>>,
) -> Result<(A, B), Vec<SettingError>> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(errors), Ok(_)) | (Ok(_), Err(errors)) => Err(errors),
        (Err(mut errors), Err(others)) => {
            let news: Vec<SettingError> = others.into_iter().filter(|other| !errors.contains(other)).collect();
            errors.extend(news);
            Err(errors)
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

/// Defines a settings struct with its variables: `to_env`, `from_env` and `docs` come from the same lines. `check` is what
/// `from_env` asks about values that are good each by itself.
macro_rules! settings {
    (
        $(#[$doc:meta])*
        pub struct $name:ident {
            $( #[doc = $fdoc:literal] $var:literal => $field:ident : $ty:ty $(= $default:expr)?; )*
            $( ..#[doc = $ndoc:literal] $nested:ident : $nty:ty; )*
            $( check $check:expr; )?
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
            pub fn to_env(&self) -> std::collections::BTreeMap<&'static str, String> {
                let mut env = std::collections::BTreeMap::new();
                $( env.insert($var, $crate::values::SettingValue::write(&self.$field)); )*
                $( env.extend(self.$nested.to_env()); )*
                env
            }

            /// Reads the variables.
            ///
            /// # Errors
            /// Every variable that is missing or bad; where all are good, those that do not fit together.
            pub fn from_env(lookup: &$crate::settings::Lookup<'_>) -> Result<Self, Vec<$crate::settings::SettingError>> {
                let mut errors = Vec::new();
                $(
                    let default: Option<$ty> = $crate::settings::setting::default!($($default)?);
                    let $field = $crate::settings::setting::read(lookup, $var, default, &mut errors);
                )*
                $( let $nested = <$nty>::from_env(lookup).map_err(|more| errors.extend(more)).ok(); )*
                match ($($field,)* $($nested,)*) {
                    ($(Some($field),)* $(Some($nested),)*) if errors.is_empty() => {
                        let settings = Self { $($field,)* $($nested,)* };
                        $(
                            let check: fn(&Self) -> Result<(), Vec<$crate::settings::SettingError>> = $check;
                            check(&settings)?;
                        )?
                        Ok(settings)
                    }
                    _ => Err(errors),
                }
            }

            /// Describes the variables, in the order of definition.
            #[must_use]
            pub fn docs() -> Vec<$crate::settings::SettingDoc> {
                let own = vec![ $( $crate::settings::SettingDoc {
                    name: $var,
                    doc: $fdoc.trim_ascii(),
                    rule: <$ty as $crate::values::SettingValue>::rule(),
                    default: {
                        let value: Option<$ty> = $crate::settings::setting::default!($($default)?);
                        value.map(|value| $crate::values::SettingValue::write(&value))
                    },
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

pub(super) fn read<T: SettingValue>(
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

pub(super) use {default, known, settings};
