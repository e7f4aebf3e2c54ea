//! Labels: what rows say, and what `metrics` calls it.

use std::fmt;

use crate::names::{NameError, lower_snake};
use crate::values::SettingValue;
use crate::{events, limits};

/// What stands before a key that would begin with a digit.
const DIGIT_PREFIX: &str = "label_";

/// Digits that a number of DynamoDB has, at most.
const NUMBER_DIGITS_MAX: usize = 38;

/// One label of the table, with the name of its number in `metrics`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    text: String,
    key: String,
}

impl Label {
    /// The rule for what rows say, as error messages print it.
    pub const RULE: &'static str = "1 to 64 characters, none of them a control character";
    /// The rule for the key, as error messages print it.
    pub const KEY_RULE: &'static str = "1 to 64 of a-z, 0-9 and _, beginning with a letter, and none of total, by_tag, rate_last_hour, rate_last_24h, timestamp, tags_left_out, recent_items";

    /// The rule for a label that is a number, as error messages print it.
    pub const NUMBER_RULE: &'static str = "a number as DynamoDB gives it back: without a plus sign, without zeros that change nothing, such as 1, -1 and 0.5";

    /// Checks and takes a label; its key follows from it: lower case, `_` for everything else than letters of ASCII and digits.
    ///
    /// # Errors
    /// [`NameError`] where the text breaks [`Label::RULE`], or what follows from it breaks [`Label::KEY_RULE`].
    pub fn new(text: &str) -> Result<Self, NameError> {
        check_text(text)?;
        let key = key_of(text);
        if is_key(&key) {
            return Ok(Self { text: text.to_owned(), key });
        }
        Err(NameError::new(text, "label by itself", "given a key, because the one that follows from it is none"))
    }

    /// Checks and takes a label with its key.
    ///
    /// # Errors
    /// [`NameError`] where one of them breaks its rule.
    pub fn with_key(text: &str, key: &str) -> Result<Self, NameError> {
        check_text(text)?;
        if is_key(key) {
            return Ok(Self { text: text.to_owned(), key: key.to_owned() });
        }
        Err(NameError::new(key, "key of a label", Self::KEY_RULE))
    }

    /// What rows say.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What `metrics` calls the number of its rows.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether rows may say it by a number.
    #[must_use]
    pub fn is_number(&self) -> bool {
        is_number(&self.text)
    }

    /// Whether the key is the one that follows from the text.
    #[must_use]
    pub fn has_own_key(&self) -> bool {
        key_of(&self.text) == self.key
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn check_text(text: &str) -> Result<(), NameError> {
    let length = text.chars().count();
    if (1..=limits::LABEL_CHARS_MAX).contains(&length) && !text.contains(char::is_control) {
        Ok(())
    } else {
        Err(NameError::new(text, "label", Label::RULE))
    }
}

fn is_key(text: &str) -> bool {
    lower_snake(text, limits::LABEL_CHARS_MAX)
        && !events::METRICS_KEYS.contains(&text)
        && !events::METRICS_REST_KEYS.contains(&text)
}

/// `Somewhat-Bullish` becomes `somewhat_bullish`, `5 stars` becomes `label_5_stars`, `-1` becomes `label_minus_1`.
fn key_of(text: &str) -> String {
    // 1 and -1 are opposites, and often both there.
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) if is_number(text) => ("minus_", rest),
        _ => ("", text),
    };
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let key = words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("_");
    if key.starts_with(|c: char| c.is_ascii_digit()) { format!("{DIGIT_PREFIX}{sign}{key}") } else { key }
}

/// Whether it is a number in the form in which DynamoDB gives numbers back, whatever was written: equal numbers are equal texts.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "1"));
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    are_digits(whole)
        && are_digits(decimals)
        && (whole == "0" || !whole.starts_with('0'))
        && !decimals.ends_with('0')
        && text != "-0"
        && digits.len() <= NUMBER_DIGITS_MAX
}

/// The labels of a table, in the order in which the page shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels(Vec<Label>);

impl Labels {
    /// The rule, as error messages print it.
    pub const RULE: &'static str = "1 to 16 labels with different keys";

    /// Takes labels without keys of their own.
    ///
    /// # Errors
    /// [`NameError`] for the first label that breaks a rule of [`Label::new`], or as [`Labels::of`].
    pub fn new<S: AsRef<str>>(texts: &[S]) -> Result<Self, NameError> {
        Self::of(texts.iter().map(|text| Label::new(text.as_ref())).collect::<Result<_, _>>()?)
    }

    /// Takes labels.
    ///
    /// # Errors
    /// [`NameError`] where there are none, too many, or two that are alike or have one key.
    pub fn of(labels: Vec<Label>) -> Result<Self, NameError> {
        let is_new = |(index, label): (usize, &Label)| {
            !labels[..index].iter().any(|other| other.text == label.text || other.key == label.key)
        };
        if (1..=limits::LABELS_MAX).contains(&labels.len()) && labels.iter().enumerate().all(is_new) {
            Ok(Self(labels))
        } else {
            Err(NameError::new(&Self(labels).to_string(), "list of labels", Self::RULE))
        }
    }

    /// The labels.
    #[must_use]
    pub fn as_slice(&self) -> &[Label] {
        &self.0
    }

    /// Position of a label, which is how rows refer to it.
    #[must_use]
    pub fn index_of(&self, text: &str) -> Option<u8> {
        self.0.iter().position(|label| label.as_str() == text).and_then(|index| u8::try_from(index).ok())
    }
}

impl Default for Labels {
    fn default() -> Self {
        let label = |text: &str| Label { text: text.to_owned(), key: text.to_owned() };
        Self(["positive", "neutral", "negative"].map(label).to_vec())
    }
}

/// `positive,Somewhat-Bullish,好=good`: a key stands after `=` where it is not the one that follows, and `\` before a comma,
/// `=` or `\` that belongs to a label.
impl SettingValue for Labels {
    fn read(text: &str) -> Result<Self, String> {
        let labels = unescaped(text).into_iter().map(|(text, key)| match key {
            Some(key) => Label::with_key(&text, &key),
            None => Label::new(&text),
        });
        labels.collect::<Result<_, _>>().and_then(Self::of).map_err(|error| error.to_string())
    }
    fn write(&self) -> String {
        self.to_string()
    }
    fn rule() -> String {
        format!("{}, separated by commas, each with `=` and its key where another one is meant", Self::RULE)
    }
}

/// Splits a text at commas, and each part at its first `=`.
fn unescaped(text: &str) -> Vec<(String, Option<String>)> {
    let (mut all, mut current, mut key): (_, _, Option<String>) = (Vec::new(), String::new(), None);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ',' => all.push((std::mem::take(&mut current), key.take())),
            '=' if key.is_none() => key = Some(String::new()),
            c => {
                let c = if c == '\\' { chars.next().unwrap_or(c) } else { c };
                key.as_mut().unwrap_or(&mut current).push(c);
            }
        }
    }
    all.push((current, key));
    all
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, label) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { "," })?;
            for c in label.text.chars() {
                f.write_str(if matches!(c, ',' | '=' | '\\') { "\\" } else { "" })?;
                write!(f, "{c}")?;
            }
            if !label.has_own_key() {
                write!(f, "={}", label.key)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_follows_from_the_label() {
        for (text, key) in [
            ("positive", "positive"),
            ("POSITIVE", "positive"),
            ("Somewhat-Bullish", "somewhat_bullish"),
            ("in-progress", "in_progress"),
            ("  Won't fix! ", "won_t_fix"),
            ("5 stars", "label_5_stars"),
            ("Größe S", "gr_e_s"),
            ("__init__", "init"),
            ("1", "label_1"),
            ("-1", "label_minus_1"),
            ("-0.5", "label_minus_0_5"),
            ("-done-", "done"),
            ("-1st", "label_1st"),
        ] {
            assert_eq!(Label::new(text).unwrap().key(), key, "{text}");
        }
        let long = "é".repeat(63) + "a";
        assert_eq!(Label::new(&long).unwrap().key(), "a");
        assert!(Label::new(&"a".repeat(65)).is_err() && Label::new("a\nb").is_err() && Label::new("").is_err());
    }

    #[test]
    fn a_label_without_a_key_of_its_own_needs_one() {
        for text in ["好", "👍", "-", "total", "By Tag", "TIMESTAMP"] {
            let error = Label::new(text).unwrap_err().to_string();
            assert!(error.contains("given a key"), "{error}");
            assert_eq!(Label::with_key(text, "good").unwrap().key(), "good");
        }
        for key in ["", "Good", "total", "9", "a-b"] {
            assert!(Label::with_key("好", key).is_err(), "{key}");
        }
    }

    #[test]
    fn labels_differ_in_text_and_key() {
        assert!(Labels::new(&["open", "closed"]).is_ok());
        assert!(Labels::new::<&str>(&[]).is_err());
        for twice in [["a", "a"], ["a", "A"], ["in-progress", "in progress"]] {
            assert!(Labels::new(&twice).is_err(), "{twice:?}");
        }
        let (one, other) = (Label::new("A").unwrap(), Label::with_key("a", "small").unwrap());
        assert!(Labels::of(vec![one.clone(), other]).is_ok());
        assert!(Labels::of(vec![one, Label::with_key("A", "small").unwrap()]).is_err());
        let seventeen: Vec<String> = (0..17).map(|n| format!("l{n}")).collect();
        assert!(Labels::new(&seventeen).is_err());
        assert!(Labels::new(&seventeen[..16]).is_ok());
    }

    #[test]
    fn a_number_is_what_dynamodb_gives_back() {
        for good in ["0", "1", "-1", "10", "0.5", "-0.25", "12.05"] {
            assert!(is_number(good), "{good}");
        }
        for bad in ["", "-", "+1", "01", "1.0", "1.", ".5", "-0", "1e3", "0x1", " 1", "1,5", "--1", "\u{661}"] {
            assert!(!is_number(bad), "{bad}");
        }
        assert!(is_number(&"9".repeat(38)) && !is_number(&"9".repeat(39)));
    }

    #[test]
    fn what_is_written_reads_back() {
        let label = |text: &str| Label::new(text).unwrap();
        let labels = Labels::of(vec![
            label("POSITIVE"),
            label(r"a,b=c\d"),
            Label::with_key("好", "good").unwrap(),
            Label::with_key("late", "delayed").unwrap(),
            label("plain"),
        ])
        .unwrap();
        assert_eq!(labels.write(), r"POSITIVE,a\,b\=c\\d,好=good,late=delayed,plain");
        assert_eq!(Labels::read(&labels.write()), Ok(labels));
        assert_eq!(Labels::default().write(), "positive,neutral,negative");
        assert!(Labels::read("a,,b").is_err() && Labels::read("a=").is_err() && Labels::read("a=b=c").is_err());
        assert!(Labels::read(r"a\").unwrap().as_slice()[0].as_str() == r"a\");
    }
}
