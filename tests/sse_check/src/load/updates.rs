//! The updates that any client has had: what each of them must have.

use std::collections::HashMap;
use std::time::Duration;

use foldhash::fast::FixedState;
use serde_json::Value;
use std::hash::BuildHasher;

use super::blocks::Block;
use super::moment;
use crate::decode::shown;
use crate::options::updates_in_words;

/// What tells updates apart, and their time.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    /// Type of the updates; all events with an id where there is none.
    pub(super) event: Option<String>,
    /// JSON pointers into the data that make an identity; otherwise the id does, and without one the data.
    pub(super) id_fields: Vec<String>,
    /// JSON pointer to the time in the data.
    pub(super) time_field: String,
}

/// One update.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// What it says of its own time, microseconds since 1970.
    pub(super) said: Option<u64>,
    /// When a client had it first, since the run began.
    pub(super) seen: Duration,
    /// Hash of type and data, where the id alone is what tells it from others.
    content: u64,
}

/// An event that is an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arrival {
    /// Which update.
    pub(super) index: u32,
    /// Whether no client had it before.
    pub(super) is_first: bool,
}

/// All of them, in the order in which they were first seen.
#[derive(Debug, Default)]
pub(super) struct Updates {
    rules: Rules,
    /// By what is the same for all clients, so that each is parsed once and not once a client.
    by_bytes: HashMap<u64, Option<u32>, Same>,
    by_identity: HashMap<String, u32>,
    known: Vec<Known>,
    /// Events of the type that is named whose data lacks a field that tells them apart, all clients together, and the data of one.
    nameless: u64,
    nameless_first: Option<String>,
    /// The first id that events of different content had, and the type of the second of them.
    shared_id: Option<(u32, String)>,
}

/// The key is a hash already.
#[derive(Clone, Debug, Default)]
struct Same;

#[derive(Default)]
struct SameHasher(u64);

impl std::hash::Hasher for SameHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = FixedState::default().hash_one(bytes);
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

impl BuildHasher for Same {
    type Hasher = SameHasher;
    fn build_hasher(&self) -> SameHasher {
        SameHasher::default()
    }
}

impl Updates {
    pub(super) fn new(rules: Rules) -> Self {
        Self { rules, ..Self::default() }
    }

    /// All so far.
    pub(super) fn known(&self) -> &[Known] {
        &self.known
    }

    /// How many were first seen by then.
    pub(super) fn seen_by(&self, time: Duration) -> usize {
        self.known.partition_point(|known| known.seen <= time)
    }

    /// What is looked for, for messages.
    pub(super) fn wanted(&self) -> String {
        updates_in_words(self.rules.event.as_deref(), &self.rules.id_fields)
    }

    /// Events that are of the type of updates and cannot be told apart: how many, and the data of one.
    pub(super) fn nameless(&self) -> Option<(u64, &str)> {
        self.nameless_first.as_deref().map(|data| (self.nameless, data))
    }

    /// An id that events of different content have, and the type of one of them: then ids do not tell updates apart.
    pub(super) fn shared_id(&self) -> Option<(&str, &str)> {
        self.shared_id.as_ref().map(|(index, name)| (self.identity(*index as usize), name.as_str()))
    }

    /// What names an update, for messages.
    pub(super) fn identity(&self, index: usize) -> &str {
        let found = self.by_identity.iter().find(|(_, known)| **known as usize == index);
        found.map_or("?", |(identity, _)| identity)
    }

    /// The update that a block is; `None` for a block that is none.
    pub(super) fn arrival(&mut self, block: &Block<'_>, now: Duration) -> Option<Arrival> {
        let data = block.data?;
        match &self.rules.event {
            Some(name) if name.as_bytes() != block.name => return None,
            None if block.id.is_none() => return None,
            _ => {}
        }
        let own_id = block.id.filter(|_| self.rules.id_fields.is_empty());
        // A type that is named holds nothing but updates: what comes with an id that was there is sent again, in whatever words.
        let content = own_id.filter(|_| self.rules.event.is_none());
        let content = content.map_or(0, |_| FixedState::default().hash_one((block.name, data)));
        let hash = FixedState::default().hash_one(own_id.unwrap_or(data));
        let arrival = match self.by_bytes.get(&hash) {
            Some(index) => index.map(|index| Arrival { index, is_first: false }),
            None => {
                let arrival = self.by_content(own_id, data, Known { said: None, seen: now, content });
                self.by_bytes.insert(hash, arrival.map(|arrival| arrival.index));
                arrival
            }
        };
        if let Some(Arrival { index, .. }) = arrival
            && self.shared_id.is_none()
            && self.known[index as usize].content != content
        {
            self.shared_id = Some((index, String::from_utf8_lossy(block.name).into_owned()));
        }
        if arrival.is_none() && self.rules.event.is_some() {
            self.nameless += 1;
            self.nameless_first.get_or_insert_with(|| shown(data));
        }
        arrival
    }

    fn by_content(&mut self, own_id: Option<&[u8]>, data: &[u8], new: Known) -> Option<Arrival> {
        let parsed: Option<Value> = serde_json::from_slice(data).ok();
        let identity = match (own_id, self.rules.id_fields.as_slice()) {
            (Some(id), _) => id.escape_ascii().to_string(),
            (None, []) => data.escape_ascii().to_string(),
            (None, fields) => {
                let parsed = parsed.as_ref()?;
                let parts: Option<Vec<String>> =
                    fields.iter().map(|field| parsed.pointer(field).map(ToString::to_string)).collect();
                parts?.join(" ")
            }
        };
        if let Some(index) = self.by_identity.get(&identity) {
            return Some(Arrival { index: *index, is_first: false });
        }
        let index = u32::try_from(self.known.len()).ok()?;
        let said = parsed.as_ref().and_then(|data| data.pointer(&self.rules.time_field)).and_then(moment::micros);
        self.by_identity.insert(identity, index);
        self.known.push(Known { said, ..new });
        Some(Arrival { index, is_first: true })
    }
}

/// Which updates a client has had.
#[derive(Debug, Default)]
pub(super) struct Had {
    words: Vec<u64>,
    /// The first of them by its index.
    pub(super) first: Option<u32>,
}

impl Had {
    /// Notes an update; `false` where it was had before.
    pub(super) fn add(&mut self, index: u32) -> bool {
        let (word, bit) = ((index / 64) as usize, 1 << (index % 64));
        if self.words.len() <= word {
            // Not twice what is there: there are as many of these as clients.
            self.words.reserve_exact(word + 1 - self.words.len() + 64);
            self.words.resize(word + 1, 0);
        }
        let is_new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        self.first = Some(self.first.map_or(index, |first| first.min(index)));
        is_new
    }

    /// The last of them by its index.
    pub(super) fn last(&self) -> Option<u32> {
        let word = self.words.iter().rposition(|bits| *bits != 0)?;
        u32::try_from(word * 64).ok().map(|begins| begins + self.words[word].ilog2())
    }

    /// How many of those from one index to before another were had.
    pub(super) fn count(&self, from: usize, to: usize) -> usize {
        let mask = |below: usize| if below >= 64 { u64::MAX } else { (1 << below) - 1 };
        let mut count = 0;
        for (word, bits) in self.words.iter().enumerate().skip(from / 64) {
            let begins = word * 64;
            if begins >= to {
                break;
            }
            count += (bits & mask(to - begins) & !mask(from.saturating_sub(begins))).count_ones() as usize;
        }
        count
    }

    /// The first that was not had between two indexes.
    pub(super) fn first_missing(&self, from: usize, to: usize) -> Option<usize> {
        (from..to).find(|index| self.words.get(index / 64).is_none_or(|word| word & (1 << (index % 64)) == 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block<'b>(name: &'b str, id: Option<&'b str>, data: &'b str) -> Block<'b> {
        Block { name: name.as_bytes(), id: id.map(str::as_bytes), data: Some(data.as_bytes()), retry: None }
    }

    #[test]
    fn an_update_is_known_by_fields_else_by_id_else_by_data() {
        let mut by_field =
            Updates::new(Rules { event: Some("u".into()), id_fields: vec!["/n".into()], time_field: "/t".into() });
        let index = |updates: &mut Updates, block: Block<'_>| {
            let known = updates.known().len();
            let arrival = updates.arrival(&block, Duration::ZERO)?;
            assert_eq!(arrival.is_first, updates.known().len() > known);
            Some(arrival.index)
        };
        assert_eq!(index(&mut by_field, block("u", Some("1"), r#"{"n":1,"t":1764671400}"#)), Some(0));
        assert_eq!(index(&mut by_field, block("u", Some("2"), r#"{"n":1,"x":0}"#)), Some(0));
        assert_eq!(index(&mut by_field, block("u", Some("2"), r#"{"n":2}"#)), Some(1));
        assert_eq!(index(&mut by_field, block("u", None, "no JSON")), None);
        assert_eq!(index(&mut by_field, block("other", None, r#"{"n":3}"#)), None);
        assert_eq!(by_field.known()[0].said, Some(1_764_671_400_000_000));
        assert_eq!((by_field.known()[1].said, by_field.identity(1)), (None, "2"));
        let mut by_id = Updates::new(Rules::default());
        assert_eq!(index(&mut by_id, block("u", Some("1"), "a")), Some(0));
        assert_eq!(index(&mut by_id, block("u", Some("1"), "b")), Some(0));
        assert_eq!(index(&mut by_id, block("u", None, "b")), None);
        let mut by_data = Updates::new(Rules { event: Some("u".into()), ..Rules::default() });
        assert_eq!(index(&mut by_data, block("u", None, "a")), Some(0));
        assert_eq!(index(&mut by_data, block("u", None, "b")), Some(1));
    }

    #[test]
    fn ids_that_different_events_have_tell_nothing_apart() {
        let shared = |event: Option<&str>, blocks: &[(&str, &str)]| {
            let mut updates = Updates::new(Rules { event: event.map(str::to_owned), ..Rules::default() });
            for (name, data) in blocks {
                updates.arrival(&block(name, Some("9"), data), Duration::ZERO);
            }
            updates.shared_id().map(|(id, name)| format!("{id} {name}"))
        };
        let said = |text: &str| Some(text.to_owned());
        assert_eq!(shared(None, &[("price", "1"), ("price", "1"), ("price", "1")]), None);
        assert_eq!(shared(None, &[("price", "1"), ("ping", "1")]), said("9 ping"));
        assert_eq!(shared(None, &[("ping", "at 1"), ("ping", "at 2"), ("price", "3")]), said("9 ping"));
        assert_eq!(shared(Some("price"), &[("price", "1"), ("ping", "1"), ("price", "1, again")]), None);
    }

    #[test]
    fn what_was_had_is_counted_between_any_two() {
        let mut had = Had::default();
        assert_eq!(had.last(), None);
        let indexes = [3, 63, 64, 65, 127, 128, 300];
        indexes.iter().for_each(|index| assert!(had.add(*index) && had.last() == Some(*index)));
        assert!(!had.add(64));
        assert_eq!(had.first, Some(3));
        for from in 0..310 {
            for to in from..310 {
                let expected = indexes.iter().filter(|index| (from..to).contains(&(**index as usize))).count();
                assert_eq!(had.count(from, to), expected, "{from} {to}");
            }
        }
        assert_eq!(had.first_missing(63, 310), Some(66));
        assert_eq!(had.first_missing(63, 66), None);
    }
}
