//! The list of minutes, by hour: what a poll does not touch is shared, and a snapshot of it is two dozen pointers.

use std::sync::Arc;

use crate::minute::Minute;
use crate::timestamp::Timestamp;

/// Minutes of an hour, oldest first.
type Hour = Arc<Vec<Arc<Minute>>>;

/// The minutes that have rows, oldest first. Cloning shares all of them.
#[derive(Clone, Debug, Default)]
pub struct Minutes {
    /// Only those that have minutes, by number of the hour since 1970.
    hours: Vec<(u64, Hour)>,
}

const fn hour_of(minute: u64) -> u64 {
    minute / 60
}

impl Minutes {
    /// Where an hour stands, or would.
    fn find(&self, hour: u64) -> Result<usize, usize> {
        self.hours.binary_search_by_key(&hour, |(number, _)| *number)
    }

    /// A minute, by number.
    #[must_use]
    pub fn get(&self, number: u64) -> Option<&Arc<Minute>> {
        let (_, hour) = &self.hours[self.find(hour_of(number)).ok()?];
        // Where no minute is without rows, it is as far from the first as it is later.
        let guess = usize::try_from(number.checked_sub(hour.first()?.number())?).ok()?;
        let found = || hour.get(hour.binary_search_by_key(&number, |minute| minute.number()).ok()?);
        hour.get(guess).filter(|minute| minute.number() == number).or_else(found)
    }

    /// Puts a minute in its place, or takes out the one of that number where it has no rows.
    pub(crate) fn put(&mut self, minute: Minute) {
        let number = minute.number();
        let at = self.find(hour_of(number)).unwrap_or_else(|at| {
            self.hours.insert(at, (hour_of(number), Hour::default()));
            at
        });
        let hour = Arc::make_mut(&mut self.hours[at].1);
        match hour.binary_search_by_key(&number, |minute| minute.number()) {
            Ok(index) if minute.is_empty() => drop(hour.remove(index)),
            Ok(index) => hour[index] = Arc::new(minute),
            Err(_) if minute.is_empty() => {}
            Err(index) => hour.insert(index, Arc::new(minute)),
        }
        if hour.is_empty() {
            self.hours.remove(at);
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.hours.iter().map(|(_, hour)| hour.len()).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.hours.is_empty()
    }

    /// The oldest.
    #[must_use]
    pub fn first(&self) -> Option<&Arc<Minute>> {
        self.hours.first()?.1.first()
    }

    /// The newest.
    #[must_use]
    pub fn last(&self) -> Option<&Arc<Minute>> {
        self.hours.last()?.1.last()
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Minute>> {
        self.hours.iter().flat_map(|(_, hour)| hour.iter())
    }

    /// Those that have moments of `(after, until]`, oldest first.
    pub fn between(&self, after: Timestamp, until: Timestamp) -> impl DoubleEndedIterator<Item = &Arc<Minute>> {
        let is_old = move |minute: &Arc<Minute>| minute.end() <= after;
        let is_early = move |minute: &Arc<Minute>| minute.start() <= until;
        let first = self.hours.partition_point(|(_, hour)| hour.last().is_some_and(is_old));
        let last = self.hours.partition_point(|(_, hour)| hour.first().is_some_and(is_early));
        self.hours[first..last.max(first)].iter().flat_map(move |(_, hour)| {
            let (first, last) = (hour.partition_point(is_old), hour.partition_point(is_early));
            hour[first..last.max(first)].iter()
        })
    }

    fn shares(&self, (number, hour): &(u64, Hour)) -> bool {
        self.find(*number).is_ok_and(|at| Arc::ptr_eq(&self.hours[at].1, hour))
    }

    /// Minutes that are not in `other`, and what of `other` is not in these. Whether rows are whole is no difference.
    #[must_use]
    pub fn differences<'a>(&'a self, other: &'a Self) -> (Vec<&'a Minute>, Vec<&'a Minute>) {
        let (mut gone, mut new): (Vec<&Minute>, Vec<&Minute>) = (Vec::new(), Vec::new());
        let of = |list: &'a Self, not_in: &'a Self| {
            list.hours.iter().filter(|hour| !not_in.shares(hour)).flat_map(|(_, hour)| hour.iter())
        };
        let mut others = of(other, self).peekable();
        for old in of(self, other) {
            while let Some(minute) = others.next_if(|minute| minute.number() < old.number()) {
                new.push(minute);
            }
            match others.next_if(|minute| minute.number() == old.number()) {
                Some(minute) if minute.has_rows_of(old) => {}
                Some(minute) => {
                    gone.push(old);
                    new.push(minute);
                }
                None => gone.push(old),
            }
        }
        new.extend(others.map(|minute| &**minute));
        (gone, new)
    }
}
