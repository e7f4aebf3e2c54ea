//! Version constraints as Terraform writes them, and the lowest version they allow.

use std::fmt;

use super::reader::{ManifestValue, Problem};
use super::tree::{Node, shorten};
use super::values::{strings, text};

/// A released version: three numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// A constraint with a lower bound, for instance `>= 5.100.0, < 7.0.0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionConstraint {
    text: String,
    floor: Version,
}

/// Why a text is no such constraint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConstraintError {
    /// A part of it is not an operator and a version.
    #[error("`{part}` is not an operator and a version")]
    Malformed {
        /// The part.
        part: String,
    },
    /// Nothing in it bounds the version from below.
    #[error("it names no lowest version")]
    NoFloor,
    /// Its own upper bound excludes its lower bound.
    #[error("no version can satisfy it")]
    Empty,
}

impl VersionConstraint {
    /// Parses a comma-separated list of `>=`, `>`, `=`, `~>`, `<`, `<=` and `!=`.
    ///
    /// # Errors
    /// [`ConstraintError`]
    pub fn new(text: &str) -> Result<Self, ConstraintError> {
        let (mut floor, mut ceiling): (Option<Version>, Option<Version>) = (None, None);
        for part in text.split(',').map(str::trim) {
            let malformed = || ConstraintError::Malformed { part: shorten(part) };
            let split = part.find(|c: char| c.is_ascii_digit()).ok_or_else(malformed)?;
            let (operator, number) = part.split_at(split);
            let version = parse_version(number).ok_or_else(malformed)?;
            match operator.trim() {
                ">=" | ">" => floor = floor.max(Some(version)),
                "=" | "" => (floor, ceiling) = (floor.max(Some(version)), lower(ceiling, version)),
                "~>" => {
                    let top = pessimistic_ceiling(number, version).ok_or_else(malformed)?;
                    (floor, ceiling) = (floor.max(Some(version)), lower(ceiling, top));
                }
                "<" | "<=" => ceiling = lower(ceiling, version),
                "!=" => {}
                _ => return Err(malformed()),
            }
        }
        let floor = floor.ok_or(ConstraintError::NoFloor)?;
        match ceiling {
            Some(ceiling) if ceiling < floor => Err(ConstraintError::Empty),
            _ => Ok(Self { text: text.to_owned(), floor }),
        }
    }

    /// Returns whether a version satisfies every part.
    #[must_use]
    pub fn allows(&self, version: Version) -> bool {
        self.text.split(',').map(str::trim).all(|part| {
            let (operator, number) = part.split_at(part.find(|c: char| c.is_ascii_digit()).unwrap_or(part.len()));
            let Some(bound) = parse_version(number) else { return false };
            match operator.trim() {
                ">=" => version >= bound,
                ">" => version > bound,
                "=" | "" => version == bound,
                "!=" => version != bound,
                "<" => version < bound,
                "<=" => version <= bound,
                "~>" => version >= bound && pessimistic_ceiling(number, bound).is_some_and(|top| version < top),
                _ => false,
            }
        })
    }

    /// The text, as Terraform reads it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The lowest version that may be installed.
    #[must_use]
    pub const fn floor(&self) -> Version {
        self.floor
    }
}

fn lower(ceiling: Option<Version>, version: Version) -> Option<Version> {
    Some(ceiling.map_or(version, |ceiling| ceiling.min(version)))
}

impl std::str::FromStr for Version {
    type Err = ConstraintError;
    fn from_str(text: &str) -> Result<Self, ConstraintError> {
        parse_version(text).ok_or_else(|| ConstraintError::Malformed { part: text.to_owned() })
    }
}

/// Parses one to three numbers. Pre-releases are refused: Terraform matches them only exactly.
fn parse_version(text: &str) -> Option<Version> {
    let mut numbers = [0; 3];
    for (index, part) in text.split('.').enumerate() {
        if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        *numbers.get_mut(index)? = part.parse().ok()?;
    }
    Some(Version(numbers[0], numbers[1], numbers[2]))
}

/// `~> 5.1` stays below 6, `~> 5.1.0` below 5.2; `~> 5` means nothing useful and Terraform takes it as below 6.
fn pessimistic_ceiling(text: &str, version: Version) -> Option<Version> {
    if text.matches('.').count() == 2 {
        Some(Version(version.0, version.1.checked_add(1)?, 0))
    } else {
        Some(Version(version.0.checked_add(1)?, 0, 0))
    }
}

/// Defines a version constraint with a lowest floor.
macro_rules! constraints {
    ($($(#[$doc:meta])* $name:ident, $floor:expr, $why:literal, $examples:expr;)+) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(VersionConstraint);

        impl $name {
            /// The lowest floor allowed.
            pub const FLOOR_MIN: Version = $floor;

            /// Makes a constraint that is known to be valid.
            ///
            /// # Panics
            /// Where it is not: only for literals that a test reads.
            #[must_use]
            pub fn known(text: &str) -> Self {
                Self(VersionConstraint::new(text).expect("a literal that the test `defaults_are_valid` reads"))
            }

            /// The constraint.
            #[must_use]
            pub const fn get(&self) -> &VersionConstraint {
                &self.0
            }
        }

        impl ManifestValue for $name {
            fn read(node: &Node) -> Result<Self, Vec<Problem>> {
                let found = text(node, "a version constraint")?;
                let constraint = VersionConstraint::new(found).map_err(|error| {
                    vec![Problem::text(found, &error.to_string()).hint(format!("write it such as `{}`", $examples[0]))]
                })?;
                if constraint.floor() < Self::FLOOR_MIN {
                    let rule = format!("its lowest version must be {} or higher: {}", Self::FLOOR_MIN, $why);
                    return Err(vec![Problem::text(found, &rule).code("floor-too-low")]);
                }
                Ok(Self(constraint))
            }
            fn rule() -> String {
                format!("a version constraint whose lowest version is {} or higher", Self::FLOOR_MIN)
            }
            fn write(&self) -> Option<toml::Value> {
                Some(self.0.as_str().into())
            }
            fn schema() -> serde_json::Value {
                serde_json::json!({ "type": "string", "pattern": "^[0-9.,<>=!~ ]+$" })
            }
            fn examples() -> Vec<toml::Value> {
                strings(&$examples)
            }
        }
    )+ };
}
constraints!(
    /// Which Terraform may run.
    TerraformVersion, Version(1, 11, 0), "older ones neither lock state in S3 nor check variables together",
    [">= 1.12.0, < 2.0.0"];
    /// Which AWS provider may run.
    ProviderVersion, Version(5, 100, 0), "older ones were never tested with this configuration",
    [">= 6.28.0, < 7.0.0", ">= 5.100.0, < 6.0.0"];
);

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &Result<Version, ConstraintError>) {
        assert_eq!(&VersionConstraint::new(text).map(|constraint| constraint.floor()), expected, "{text}");
    }

    #[test]
    fn the_floor_is_the_highest_lower_bound() {
        check(">= 5.100.0, < 6.0.0", &Ok(Version(5, 100, 0)));
        check("~> 6.28", &Ok(Version(6, 28, 0)));
        check(">= 6, >= 6.28.1, != 6.29.0", &Ok(Version(6, 28, 1)));
        check("5.100.0", &Ok(Version(5, 100, 0)));
        check("= 6.0.1", &Ok(Version(6, 0, 1)));
    }

    #[test]
    fn versions_are_held_against_every_part() {
        let cases = [
            (">= 1.11.0, < 2.0.0", "1.11.0", true),
            (">= 1.11.0, < 2.0.0", "1.10.9", false),
            (">= 1.11.0, < 2.0.0", "2.0.0", false),
            ("> 1.11.0, <= 1.12.0", "1.11.0", false),
            ("> 1.11.0, <= 1.12.0", "1.12.0", true),
            (">= 6.0.0, != 6.29.0", "6.29.0", false),
            (">= 6.0.0, != 6.29.0", "6.29.1", true),
            ("~> 6.28", "6.99.0", true),
            ("~> 6.28", "7.0.0", false),
            ("~> 6.28.1", "6.29.0", false),
            ("5.100.0", "5.100.0", true),
            ("= 5.100.0", "5.100.1", false),
        ];
        for (constraint, version, expected) in cases {
            let found = VersionConstraint::new(constraint).unwrap().allows(version.parse().unwrap());
            assert_eq!(found, expected, "{constraint} {version}");
        }
        assert!("1.12.0-beta1".parse::<Version>().is_err());
    }

    #[test]
    fn constraints_without_a_floor_or_without_any_version_are_refused() {
        check("< 6.0.0", &Err(ConstraintError::NoFloor));
        check(">= 6.0.0, < 5.0.0", &Err(ConstraintError::Empty));
        check("~> 5.100.0, >= 6.0.0", &Err(ConstraintError::Empty));
        for part in ["latest", ">=", ">= 5.x", ">= 1.2.3.4", "=> 5.0.0", ">= 5.0.0-beta1", ""] {
            check(part, &Err(ConstraintError::Malformed { part: part.into() }));
        }
    }
}
