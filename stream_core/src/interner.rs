//! Values that many rows share, each kept once under a small number as long as a row uses it.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use contract::Tag;
use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// Values of one chunk: what is copied when a value is added while a snapshot looks on.
const CHUNK: usize = 256;

/// The values by number, as they were when they were asked for. Cloning shares all of them.
#[derive(Debug)]
struct Names<T: ?Sized> {
    chunks: Vec<Arc<Vec<Arc<T>>>>,
}

impl<T: ?Sized> Clone for Names<T> {
    fn clone(&self) -> Self {
        Self { chunks: self.chunks.clone() }
    }
}

impl<T: ?Sized> Names<T> {
    fn get(&self, number: u32) -> Option<&Arc<T>> {
        let index = number as usize;
        self.chunks.get(index / CHUNK)?.get(index % CHUNK)
    }

    fn set(&mut self, number: u32, value: Arc<T>) {
        let index = number as usize;
        if index / CHUNK == self.chunks.len() {
            self.chunks.push(Arc::new(Vec::with_capacity(CHUNK)));
        }
        let chunk = Arc::make_mut(&mut self.chunks[index / CHUNK]);
        if chunk.len() == index % CHUNK {
            chunk.push(value);
        } else {
            chunk[index % CHUNK] = value;
        }
    }
}

/// Numbers for values, each with the count of its uses; the number of a value that nobody uses any more is given away anew.
#[derive(Debug)]
struct Interner<T: ?Sized> {
    /// Numbers by hash of the value, which stands in `names` alone: there may be as many sets as rows.
    numbers: HashTable<u32>,
    uses: Vec<u32>,
    free: Vec<u32>,
    names: Names<T>,
}

/// With fixed keys, so that the same rows take the same way each time.
fn hash<T: ?Sized + Hash>(value: &T) -> u64 {
    FixedState::default().hash_one(value)
}

impl<T: ?Sized + Eq + Hash> Interner<T> {
    fn new() -> Self {
        Self { numbers: HashTable::new(), uses: Vec::new(), free: Vec::new(), names: Names { chunks: Vec::new() } }
    }

    /// Counts one more use of a value. Returns its number, and whether it is new.
    fn hold(&mut self, value: &T, make: impl FnOnce() -> Arc<T>) -> (u32, bool) {
        let hashed = hash(value);
        let is_it = |number: &u32| self.names.get(*number).is_some_and(|known| **known == *value);
        if let Some(number) = self.numbers.find(hashed, is_it).copied() {
            self.uses[number as usize] += 1;
            return (number, false);
        }
        let number = self.free.pop().unwrap_or_else(|| {
            self.uses.push(0);
            u32::try_from(self.uses.len() - 1).expect("a window holds fewer than 2^32 rows")
        });
        let value = make();
        self.uses[number as usize] = 1;
        self.names.set(number, value);
        let names = &self.names;
        self.numbers.insert_unique(hashed, number, |number| names.get(*number).map_or(0, |known| hash(&**known)));
        (number, true)
    }

    /// Counts one use less. Returns the value if that was the last one.
    fn release(&mut self, number: u32) -> Option<Arc<T>> {
        let uses = &mut self.uses[number as usize];
        *uses -= 1;
        if *uses > 0 {
            return None;
        }
        let value = self.names.get(number).cloned()?;
        if let Ok(entry) = self.numbers.find_entry(hash(&*value), |known| *known == number) {
            entry.remove();
        }
        // Its name stays until another one takes the number: to take it away would copy a chunk that a snapshot looks at.
        self.free.push(number);
        Some(value)
    }
}

/// The sets of tags that rows have, each kept once, and how many rows of the window have each tag.
#[derive(Debug)]
pub(crate) struct TagSets {
    tags: Interner<Tag>,
    sets: Interner<[u32]>,
    /// Rows of the window by number of the tag.
    rows: Vec<u32>,
}

/// The sets of tags as they were at one moment.
#[derive(Clone, Debug)]
pub struct SetNames {
    tags: Names<Tag>,
    sets: Names<[u32]>,
}

impl TagSets {
    pub(crate) fn new() -> Self {
        Self { tags: Interner::new(), sets: Interner::new(), rows: Vec::new() }
    }

    /// Notes one more row that has these tags, and returns the number of the set.
    pub(crate) fn hold(&mut self, tags: &[Tag]) -> u32 {
        let numbers: Vec<u32> = tags.iter().map(|tag| self.tags.hold(tag, || Arc::new(tag.clone())).0).collect();
        let (set, is_new) = self.sets.hold(&numbers, || Arc::from(&*numbers));
        // A set holds its tags once, however many rows have it.
        if !is_new {
            numbers.iter().for_each(|tag| drop(self.tags.release(*tag)));
        }
        self.rows.resize(self.tags.uses.len(), 0);
        set
    }

    /// Notes so many rows more that have these tags, at least one.
    pub(crate) fn hold_for(&mut self, tags: &[Tag], rows: u32) -> u32 {
        let set = self.hold(tags);
        self.sets.uses[set as usize] += rows - 1;
        set
    }

    /// Notes that a row of this set is gone.
    pub(crate) fn release(&mut self, set: u32) {
        if let Some(tags) = self.sets.release(set) {
            tags.iter().for_each(|tag| drop(self.tags.release(*tag)));
        }
    }

    /// Counts a row of this set in the window, or no longer.
    pub(crate) fn count(&mut self, set: u32, is_added: bool) {
        for tag in self.sets.names.get(set).into_iter().flat_map(|tags| tags.iter()) {
            let rows = &mut self.rows[*tag as usize];
            *rows = if is_added { *rows + 1 } else { *rows - 1 };
        }
    }

    /// The `max` tags that most rows of the window have, ties by name, and how many tags there are beside.
    pub(crate) fn most_frequent(&self, max: usize) -> (BTreeMap<Arc<Tag>, u32>, u32) {
        let mut counts: Vec<(u32, u32)> =
            self.rows.iter().zip(0..).filter(|(rows, _)| **rows > 0).map(|(rows, tag)| (*rows, tag)).collect();
        let left_out = counts.len().saturating_sub(max);
        if left_out > 0 {
            let name = |tag: u32| self.tags.names.get(tag);
            counts.select_nth_unstable_by(max, |a, b| b.0.cmp(&a.0).then_with(|| name(a.1).cmp(&name(b.1))));
            counts.truncate(max);
        }
        let named = counts.into_iter().filter_map(|(rows, tag)| Some((Arc::clone(self.tags.names.get(tag)?), rows)));
        (named.collect(), u32::try_from(left_out).unwrap_or(u32::MAX))
    }

    /// The sets as they are now.
    pub(crate) fn names(&self) -> SetNames {
        SetNames { tags: self.tags.names.clone(), sets: self.sets.names.clone() }
    }

    /// Bytes that sets and tags take, roughly.
    pub(crate) fn footprint(&self) -> usize {
        const PER_ENTRY: usize = 72;
        (self.sets.uses.len() + self.tags.uses.len()) * PER_ENTRY
    }
}

impl SetNames {
    /// Tags of a set, in the row's order.
    pub fn tags_of(&self, set: u32) -> impl Iterator<Item = &Tag> {
        let tags = self.sets.get(set).into_iter().flat_map(|tags| tags.iter());
        tags.filter_map(|tag| self.tags.get(*tag).map(|tag| &**tag))
    }

    /// How many tags a set has.
    #[must_use]
    pub fn len_of(&self, set: u32) -> usize {
        self.sets.get(set).map_or(0, |tags| tags.len())
    }

    /// Says of each set which of `wanted` it has, one bit for each. Only what differs from `before` is looked at again.
    pub(crate) fn judge(&self, before: Option<&Self>, judged: &mut Judged, wanted: &[Arc<Tag>]) {
        let bit = |tag: &Arc<Tag>| wanted.iter().position(|wanted| wanted == tag).map_or(0, |bit| 1 << bit);
        let tags_before = before.map(|before| &before.tags);
        judge_chunks(&self.tags, tags_before, &mut judged.tags, bit);
        let of_tags = &judged.tags;
        let sets_before = before.map(|before| &before.sets);
        judge_chunks(&self.sets, sets_before, &mut judged.sets, |set| {
            set.iter().fold(0, |mask, tag| mask | of_tags[*tag as usize])
        });
    }
}

/// Which of some tags each tag and each set is or has: one bit for each.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    tags: Vec<u64>,
    sets: Vec<u64>,
}

impl Judged {
    /// Which of the tags a set has.
    pub(crate) fn of_set(&self, set: u32) -> u64 {
        self.sets[set as usize]
    }
}

/// Judges the values of chunks that are not those of `before`. A set that stays keeps its tags, and they their numbers.
fn judge_chunks<T: ?Sized>(
    names: &Names<T>,
    before: Option<&Names<T>>,
    judged: &mut Vec<u64>,
    judge: impl Fn(&Arc<T>) -> u64,
) {
    judged.resize(names.chunks.iter().map(|chunk| chunk.len()).sum(), 0);
    for (index, chunk) in names.chunks.iter().enumerate() {
        let known = before.and_then(|before| before.chunks.get(index));
        if known.is_some_and(|known| Arc::ptr_eq(known, chunk)) {
            continue;
        }
        for (judged, value) in judged[index * CHUNK..].iter_mut().zip(chunk.iter()) {
            *judged = judge(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(names: &[&str]) -> Vec<Tag> {
        names.iter().map(|name| Tag::new(name).unwrap()).collect()
    }

    fn of(names: &SetNames, set: u32) -> Vec<String> {
        names.tags_of(set).map(ToString::to_string).collect()
    }

    #[test]
    fn equal_sets_share_a_number_until_the_last_row_is_gone() {
        let mut sets = TagSets::new();
        let (a, b, again) = (sets.hold(&tags(&["A", "B"])), sets.hold(&tags(&["B"])), sets.hold(&tags(&["A", "B"])));
        assert!(a == again && a != b);
        let before = sets.names();
        sets.release(a);
        assert_eq!(of(&sets.names(), a), ["A", "B"]);
        sets.release(a);
        let c = sets.hold(&tags(&["C", "B"]));
        assert_eq!(c, a, "the number is free");
        assert_eq!(
            (of(&sets.names(), c), of(&before, a)),
            (vec!["C".to_owned(), "B".to_owned()], vec!["A".into(), "B".into()])
        );
    }

    #[test]
    fn memory_does_not_grow_with_tags_that_have_left() {
        let mut sets = TagSets::new();
        for n in 0..10_000 {
            let set = sets.hold(&tags(&[&format!("T{n}"), "ALL"]));
            sets.release(set);
        }
        assert!(sets.sets.uses.len() <= 2 && sets.tags.uses.len() <= 3);
        assert!(sets.sets.numbers.is_empty() && sets.tags.numbers.is_empty());
    }

    #[test]
    fn the_most_frequent_tags_are_counted_and_the_others_told() {
        let mut sets = TagSets::new();
        for n in 0..700 {
            let names: Vec<String> = (0..5).filter(|tag| n % (tag + 1) == 0).map(|tag| format!("T{tag}")).collect();
            let set = sets.hold(&tags(&names.iter().map(String::as_str).collect::<Vec<_>>()));
            sets.count(set, true);
        }
        let counts = |max| {
            let (counts, left_out) = sets.most_frequent(max);
            (counts.into_iter().map(|(tag, n)| (tag.to_string(), n)).collect::<Vec<_>>(), left_out)
        };
        assert_eq!(counts(2), (vec![("T0".into(), 700), ("T1".into(), 350)], 3));
        assert_eq!(counts(5).1, 0);
        assert_eq!(counts(9).0.len(), 5);
    }
}
