//! Event ids: positions as text that EventSource hands back.
//!
//! Layout, 45 bytes in URL-safe Base64 without padding: version and flags 1, epoch 2, watermark 6, metrics fingerprint 3, count 1,
//! sketch 32. Everything is read defensively: an id comes back from anybody.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::{AttributePath, DataSettings, Identity, LabelType, TimeFormat, limits};
use sha2::{Digest, Sha256};

use crate::position::{Position, Tail};
use crate::sketch::{SKETCH_BYTES, Sketch};
use crate::timestamp::Timestamp;

const PREFIX: &str = "evt_";
/// Version 1 sketched updates instead of rows.
const VERSION: u8 = 2;
const VERSION_BITS: u8 = 3;
/// The level of the position's tail stands above the version.
const TAIL_SHIFT: u8 = 2;
const _: () = assert!(VERSION <= VERSION_BITS && Tail::LEVEL_MAX << TAIL_SHIFT < REPEATS);
/// Added to the version: the client is being repeated what it may have had.
const REPEATS: u8 = 0x80;
const BYTES: usize = 1 + 2 + 6 + 3 + 1 + SKETCH_BYTES;
const _: () = assert!(PREFIX.len() + (BYTES * 4).div_ceil(3) <= limits::EVENT_ID_BYTES_MAX);

/// Which table, with which keys and labels, an id speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch([u8; 2]);

impl Epoch {
    /// Derives the epoch: another table, index, label set or late window gives another one (but for one chance in 65,536), and
    /// so does whatever makes other rows or other versions of them out of the same table.
    #[must_use]
    pub fn of(data: &DataSettings, late_window: Duration) -> Self {
        let [first, second, ..] = Self::digest(data, Some(late_window));
        Self([first, second])
    }

    /// Of all that makes other rows, and of the late window where it matters.
    pub(crate) fn digest(data: &DataSettings, late_window: Option<Duration>) -> [u8; 32] {
        let mut hasher = Sha256::new();
        let optional = |name: &Option<AttributePath>| name.as_ref().map_or("", AttributePath::as_str).to_owned();
        // Said only where it differs from what there was before there was a choice: an id lives through an upgrade.
        let format = Some(data.time_format).filter(|format| *format != TimeFormat::Rfc3339);
        let ways = format.map(|format| format.as_str().to_owned()).into_iter();
        let ways = ways.chain(data.time_zone.map(|zone| zone.to_string()));
        let identity = Some(data.identity).filter(|identity| *identity != Identity::KeyAndTime);
        let ways = ways.chain(identity.map(|identity| identity.as_str().to_owned()));
        let label_type = Some(data.label_type).filter(|label_type| *label_type != LabelType::Text);
        let ways = ways.chain(label_type.map(|label_type| label_type.as_str().to_owned()));
        let parts = [
            data.items_table.as_str(),
            data.index.as_str(),
            data.key_attribute.as_str(),
            data.time_attribute.as_str(),
            data.label_attribute.as_str(),
            &optional(&data.tags_attribute),
            &optional(&data.score_attribute),
            &optional(&data.status_attribute),
            data.status_ready.as_str(),
            &data.labels.to_string(),
            &late_window.map_or_else(String::new, |window| window.as_millis().to_string()),
        ];
        for part in parts.into_iter().map(str::to_owned).chain(ways) {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.finalize().into()
    }

    #[cfg(test)]
    pub(crate) const fn for_tests(n: u8) -> Self {
        Self([0, n])
    }
}

/// First three bytes of the metrics' hash: enough to see on resuming whether the client has them already.
pub type MetricsMark = [u8; 3];

/// What an event id says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Where the client is in the data.
    pub position: Position,
    /// The metrics last sent to it; zeros when none were.
    pub metrics: MetricsMark,
}

/// Why an id cannot be honoured. The words are those of the `reset` event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetReason {
    /// Not an id of ours, or of a time that has not come yet.
    Unknown,
    /// An id of another table or key scheme.
    Foreign,
    /// What lies after it is no longer kept.
    Expired,
    /// More lies after it than is replayed.
    Overflow,
}

impl ResetReason {
    /// The word for the `reset` event.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Foreign => "foreign",
            Self::Expired => "expired",
            Self::Overflow => "overflow",
        }
    }
}

impl Cursor {
    /// Before anything: what a heartbeat carries while the table has not been read.
    pub const ORIGIN: Self = Self { position: Position::ORIGIN, metrics: [0; 3] };

    /// Writes the id.
    #[must_use]
    pub fn to_id(&self, epoch: Epoch) -> String {
        let mut bytes = [0; BYTES];
        let position = self.position.told();
        bytes[0] = VERSION | position.tail.level << TAIL_SHIFT | if position.repeats { REPEATS } else { 0 };
        bytes[1..3].copy_from_slice(&epoch.0);
        // Six bytes of milliseconds reach the year 10889; `Timestamp` ends at 9999.
        bytes[3..9].copy_from_slice(&position.watermark.millis().to_be_bytes()[2..]);
        bytes[9..12].copy_from_slice(&self.metrics);
        bytes[12] = position.count;
        bytes[13..].copy_from_slice(&position.sketch.to_bytes());
        let mut id = String::with_capacity(limits::EVENT_ID_BYTES_MAX);
        id.push_str(PREFIX);
        URL_SAFE_NO_PAD.encode_string(bytes, &mut id);
        id
    }

    /// Reads an id from raw bytes: header values need not be UTF-8.
    ///
    /// # Errors
    /// [`ResetReason::Unknown`] for what is no id of ours, [`ResetReason::Foreign`] for one of another epoch.
    pub fn from_id(id: &[u8], epoch: Epoch) -> Result<Self, ResetReason> {
        let text = id.strip_prefix(PREFIX.as_bytes()).ok_or(ResetReason::Unknown)?;
        if id.len() > limits::EVENT_ID_BYTES_MAX {
            return Err(ResetReason::Unknown);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| ResetReason::Unknown)?;
        let bytes: [u8; BYTES] = bytes.try_into().map_err(|_| ResetReason::Unknown)?;
        let tail = (bytes[0] & !REPEATS) >> TAIL_SHIFT;
        if bytes[0] & VERSION_BITS != VERSION || tail > Tail::LEVEL_MAX {
            return Err(ResetReason::Unknown);
        }
        if bytes[1..3] != epoch.0 {
            return Err(ResetReason::Foreign);
        }
        let millis = bytes[3..9].iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
        if millis > Timestamp::MAX.millis() {
            return Err(ResetReason::Unknown);
        }
        let mut sketch = [0; SKETCH_BYTES];
        sketch.copy_from_slice(&bytes[13..]);
        Ok(Self {
            position: Position {
                watermark: Timestamp::from_millis(millis),
                count: bytes[12],
                sketch: Sketch::from_bytes(&sketch),
                repeats: bytes[0] & REPEATS != 0,
                tail: Tail::told(tail),
            },
            metrics: [bytes[9], bytes[10], bytes[11]],
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EPOCH: Epoch = Epoch::for_tests(1);

    proptest! {
        #[test]
        fn ids_keep_the_alphabet_and_length_and_come_back(
            millis in 0..=Timestamp::MAX.millis(),
            count: u8,
            metrics: [u8; 3],
            repeats: bool,
            tail in 0..=Tail::LEVEL_MAX,
            elements in prop::collection::vec(1_u32.., 0..20),
        ) {
            let watermark = Timestamp::from_millis(millis);
            let mut position = Position { watermark, count, repeats, tail: Tail::told(tail), ..Position::ORIGIN };
            for element in elements {
                position.sketch.toggle(element);
            }
            let cursor = Cursor { position, metrics };
            let id = cursor.to_id(EPOCH);
            prop_assert!(id.len() <= 64 && id.starts_with("evt_"));
            prop_assert!(id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'));
            prop_assert_eq!(Cursor::from_id(id.as_bytes(), EPOCH), Ok(cursor));
            prop_assert_eq!(Cursor::from_id(id.as_bytes(), Epoch::for_tests(2)), Err(ResetReason::Foreign));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(Cursor::from_id(&bytes, EPOCH), Err(ResetReason::Unknown));
        }
    }

    #[test]
    fn what_makes_other_rows_makes_another_epoch_and_what_shows_them_otherwise_does_not() {
        let late_window = std::time::Duration::from_secs(600);
        let with = |name: &str, value: &str| {
            let tables = [("SENTIMENTS_TABLE", "items"), ("USERS_TABLE", "users")];
            let given = [(name, value)].into_iter().chain(tables);
            let vars: std::collections::BTreeMap<&str, &str> = given.rev().collect();
            let data = DataSettings::from_env(&|name| vars.get(name).map(|value| (*value).to_owned())).unwrap();
            Epoch::of(&data, late_window)
        };
        let base = with("DATA_INDEX", "by_sentiment");
        for (name, value) in [
            ("SENTIMENTS_TABLE", "others"),
            ("DATA_INDEX", "other"),
            ("DATA_KEY_ATTRIBUTE", "other"),
            ("DATA_TIME_ATTRIBUTE", "other"),
            ("DATA_LABEL_ATTRIBUTE", "other"),
            ("DATA_TAGS_ATTRIBUTE", "other"),
            ("DATA_SCORE_ATTRIBUTE", "other"),
            ("DATA_SCORE_ATTRIBUTE", "-"),
            ("DATA_STATUS_ATTRIBUTE", "other"),
            ("DATA_STATUS_READY", "done"),
            ("DATA_LABELS", "open,shipped"),
            ("DATA_IDENTITY", "key"),
        ] {
            assert_ne!(with(name, value), base, "{name}={value}");
        }
        for (name, value) in [
            ("USERS_TABLE", "others"),
            ("DATA_CONFIDENCE_ATTRIBUTE", "other"),
            ("DATA_SOURCE_ATTRIBUTE", "other"),
            ("DATA_TITLE_ATTRIBUTE", "headline"),
            ("DATA_URL_ATTRIBUTE", "link"),
            ("DATA_SHOW", "author,price"),
            ("DATA_UPDATE_EVENT", "order_update"),
            ("DATA_WINDOW", "6h"),
            ("DATA_TAGS_MAX", "50"),
        ] {
            assert_eq!(with(name, value), base, "{name}={value}");
        }
    }

    #[test]
    fn near_misses_are_unknown() {
        let id = Cursor::ORIGIN.to_id(EPOCH);
        for bad in ["", "evt_", "evt_abc123", &id[1..], &id[..63], &format!("{id}A"), &id.replace("evt_", "EVT_")] {
            assert_eq!(Cursor::from_id(bad.as_bytes(), EPOCH), Err(ResetReason::Unknown), "{bad}");
        }
        // Other versions, and a tail that is longer than any.
        for first in ["AQ", "AA", "Aw", "Sg"] {
            let other = id.replacen("evt_Ag", &format!("evt_{first}"), 1);
            assert!(other != id && Cursor::from_id(other.as_bytes(), EPOCH) == Err(ResetReason::Unknown), "{other}");
        }
    }
}
