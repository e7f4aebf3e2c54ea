//! Many times in little memory: a histogram whose steps are a thousandth of the value.

use std::time::Duration;

use serde::Serialize;

/// Steps between a power of two and the next.
const STEPS: u64 = 1024;
/// Bits of the steps.
const STEP_BITS: u32 = STEPS.ilog2();

/// Times that were measured, each known to a thousandth.
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    counts: Vec<u64>,
    count: u64,
    max: u64,
}

/// What a histogram says, in microseconds. All zero where nothing was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Percentiles {
    /// How many times were measured.
    pub count: u64,
    /// Half of them are at most so long.
    pub p50_us: u64,
    /// Nine of ten.
    pub p90_us: u64,
    /// 99 of 100.
    pub p99_us: u64,
    /// 999 of 1000.
    pub p999_us: u64,
    /// The longest one, exactly.
    pub max_us: u64,
}

impl Histogram {
    /// Adds a time.
    pub fn add(&mut self, time: Duration) {
        self.add_us(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// Adds a time in microseconds.
    pub fn add_us(&mut self, us: u64) {
        let place = place(us);
        if self.counts.len() <= place {
            self.counts.resize(place + 1, 0);
        }
        self.counts[place] += 1;
        self.count += 1;
        self.max = self.max.max(us);
    }

    /// How many times were added.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The time that `per_mille` of 1000 do not exceed, microseconds; the longest of its step.
    #[must_use]
    pub fn at(&self, per_mille: u64) -> u64 {
        let rank = (self.count * per_mille).div_ceil(1000).max(1);
        let mut seen = 0;
        for (place, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return longest(place).min(self.max);
            }
        }
        self.max
    }

    /// The usual figures.
    #[must_use]
    pub fn percentiles(&self) -> Percentiles {
        let [p50_us, p90_us, p99_us, p999_us] = [500, 900, 990, 999].map(|per_mille| self.at(per_mille));
        Percentiles { count: self.count, p50_us, p90_us, p99_us, p999_us, max_us: self.max }
    }
}

/// Index of the step that a value is in.
fn place(us: u64) -> usize {
    let power = us.checked_ilog2().unwrap_or(0).saturating_sub(STEP_BITS);
    let place = u64::from(power) * STEPS + (us >> power);
    usize::try_from(place).expect("54 powers of 1024 steps")
}

/// The largest value of a step.
fn longest(place: usize) -> u64 {
    let place = place as u64;
    let power = (place / STEPS).saturating_sub(1);
    let first = place - power * STEPS;
    ((first + 1) << power).wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_ends_where_the_next_begins_and_is_a_thousandth() {
        for us in (0..9000).chain((1..50).flat_map(|power| [(1 << power) - 1, 1 << power, (1 << power) + 1])) {
            let longest = longest(place(us));
            assert!(us <= longest && longest <= us + us / STEPS, "{us}: {longest}");
            assert_eq!(place(longest), place(us), "{us}");
            assert_eq!(place(longest + 1), place(us) + 1, "{us}");
        }
        assert_eq!(longest(place(u64::MAX)), u64::MAX);
    }

    #[test]
    fn percentiles_are_those_of_a_sorted_list() {
        let mut times = Histogram::default();
        assert_eq!(times.percentiles(), Percentiles::default());
        (1..=1000).rev().for_each(|us| times.add_us(us));
        let found = times.percentiles();
        let near = |found: u64, exact: u64| exact <= found && found <= exact + exact / STEPS;
        assert!(near(found.p50_us, 500) && near(found.p90_us, 900) && near(found.p99_us, 990), "{found:?}");
        assert_eq!((found.count, found.max_us), (1000, 1000));
    }
}
