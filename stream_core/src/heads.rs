//! Which row of each hash key stands for its item, where an item is its hash key alone: the newest of the rows that were read.

use hashbrown::HashTable;

use crate::timestamp::Timestamp;

/// A row, by its time and the hash of its key. Rows of one key and one time are one row.
pub(crate) type Spot = (Timestamp, u64);

/// The newest row of each hash key of the window.
#[derive(Debug, Default)]
pub(crate) struct Heads {
    /// Times by hash of the key, which is one already; [`DELETED`] where the newest row was deleted: older ones may be known, and
    /// stay hidden until one of them is made the newest.
    times: HashTable<Spot>,
    /// Rows that were newest until a newer one came, and are still to be hidden.
    surpassed: Vec<Spot>,
    /// Keys of rows that came when there was a newer one, which may have been dropped since.
    behind: Vec<u64>,
}

/// Before any row of a window.
const DELETED: Timestamp = Timestamp::EPOCH;

/// A row that is to be hidden, or shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flip {
    pub(crate) spot: Spot,
    pub(crate) hides: bool,
}

impl Heads {
    /// Time of the newest row of a key.
    pub(crate) fn of(&self, place: u64) -> Option<Timestamp> {
        self.known(place).filter(|at| *at != DELETED)
    }

    fn known(&self, place: u64) -> Option<Timestamp> {
        self.times.find(place, |spot| spot.1 == place).map(|spot| spot.0)
    }

    /// Whether a row is the newest of its key.
    pub(crate) fn has(&self, spot: Spot) -> bool {
        self.of(spot.1) == Some(spot.0)
    }

    fn set(&mut self, spot: Spot) {
        match self.times.find_mut(spot.1, |known| known.1 == spot.1) {
            Some(known) => *known = spot,
            None => drop(self.times.insert_unique(spot.1, spot, |known| known.1)),
        }
    }

    /// Takes a row that came. Returns whether a newer one of its key is there, which hides it.
    pub(crate) fn meet(&mut self, spot: Spot) -> bool {
        if let Some(head) = self.known(spot.1) {
            if head == DELETED || spot.0 < head {
                self.behind.push(spot.1);
                return true;
            }
            if head < spot.0 {
                self.surpassed.push((head, spot.1));
            }
        }
        self.set(spot);
        false
    }

    /// Lets go of a row that left the window.
    pub(crate) fn leave(&mut self, spot: Spot) {
        if let Ok(entry) = self.times.find_entry(spot.1, |known| *known == spot) {
            entry.remove();
        }
    }

    /// Lets go of a row that was deleted.
    pub(crate) fn delete(&mut self, spot: Spot) {
        if let Some(known) = self.times.find_mut(spot.1, |known| *known == spot) {
            known.0 = DELETED;
        }
    }

    /// Says what is to be hidden, now that a read was taken in, and of which keys rows came but none is the newest, sorted.
    pub(crate) fn settle(&mut self) -> (Vec<Flip>, Vec<u64>) {
        let flips = self.surpassed.drain(..).map(|spot| Flip { spot, hides: true }).collect();
        let mut behind = std::mem::take(&mut self.behind);
        behind.retain(|place| self.of(*place).is_none());
        behind.sort_unstable();
        (flips, behind)
    }

    /// Forgets which newest rows were deleted: all rows that are known have been looked at.
    pub(crate) fn forget_deleted(&mut self) {
        self.times.retain(|known| known.0 != DELETED);
    }

    /// Makes a hidden row the newest of its key, where it is.
    pub(crate) fn promote(&mut self, spot: Spot, flips: &mut Vec<Flip>) {
        let head = self.of(spot.1);
        if head.is_some_and(|head| spot.0 <= head) {
            return;
        }
        flips.extend(head.map(|head| Flip { spot: (head, spot.1), hides: true }));
        flips.push(Flip { spot, hides: false });
        self.set(spot);
    }

    /// Bytes that it takes, roughly.
    pub(crate) fn footprint(&self) -> usize {
        self.times.capacity() * (size_of::<Spot>() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(at: u64, place: u64) -> Spot {
        (Timestamp::from_millis(at), place)
    }

    #[test]
    fn the_newest_row_stands_for_its_key_in_whatever_order_rows_come() {
        let mut heads = Heads::default();
        assert!(!heads.meet(spot(20, 1)) && !heads.meet(spot(5, 2)));
        assert!(heads.meet(spot(10, 1)));
        assert_eq!(heads.settle(), (vec![], vec![]));
        assert!(!heads.meet(spot(30, 1)));
        assert_eq!(heads.settle(), (vec![Flip { spot: spot(20, 1), hides: true }], vec![]));
        assert!(heads.has(spot(30, 1)) && !heads.has(spot(20, 1)) && heads.has(spot(5, 2)));
        heads.leave(spot(20, 1));
        assert!(heads.has(spot(30, 1)));
    }

    #[test]
    fn a_row_of_a_key_whose_newest_was_deleted_waits_for_those_that_are_known() {
        let mut heads = Heads::default();
        heads.meet(spot(30, 1));
        assert!(heads.meet(spot(20, 1)));
        heads.delete(spot(20, 1));
        assert!(heads.has(spot(30, 1)), "an older one");
        heads.delete(spot(30, 1));
        assert_eq!(heads.settle(), (vec![], vec![1]));
        assert!(heads.meet(spot(10, 1)));
        assert_eq!(heads.settle(), (vec![], vec![1]));
        let mut flips = Vec::new();
        [spot(10, 1), spot(20, 1)].into_iter().for_each(|spot| heads.promote(spot, &mut flips));
        let shown = |at| Flip { spot: spot(at, 1), hides: false };
        assert_eq!(flips, [shown(10), Flip { spot: spot(10, 1), hides: true }, shown(20)]);
        heads.forget_deleted();
        heads.leave(spot(20, 1));
        assert!(!heads.meet(spot(5, 1)), "the key is forgotten");
    }
}
