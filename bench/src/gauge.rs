//! What a piece of code costs: wall and processor time, allocations, memory. It must not know what it measures.

use std::alloc::System;
use std::ops::{Add, AddAssign};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What something cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// Wall time, microseconds.
    pub(crate) wall_us: f64,
    /// Processor time of the process, microseconds.
    pub(crate) cpu_us: f64,
    /// Allocations, those included that made one larger or smaller.
    pub(crate) allocations: u64,
    /// Bytes allocated, whether they were freed again or not.
    pub(crate) bytes: u64,
}

impl Add for Cost {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            wall_us: self.wall_us + other.wall_us,
            cpu_us: self.cpu_us + other.cpu_us,
            allocations: self.allocations + other.allocations,
            bytes: self.bytes + other.bytes,
        }
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Cost {
    /// Median of each figure by itself.
    pub(crate) fn median(mut costs: Vec<Self>) -> Self {
        let middle = costs.len() / 2;
        let mut by = |figure: fn(&Self) -> f64| {
            costs.sort_by(|a, b| figure(a).total_cmp(&figure(b)));
            costs[middle]
        };
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        Self {
            wall_us: by(|cost| cost.wall_us).wall_us,
            cpu_us: by(|cost| cost.cpu_us).cpu_us,
            allocations: by(|cost| cost.allocations as f64).allocations,
            bytes: by(|cost| cost.bytes as f64).bytes,
        }
    }

    /// The same for each of so many.
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    pub(crate) fn each_of(self, many: u64) -> Self {
        Self {
            wall_us: self.wall_us / many as f64,
            cpu_us: self.cpu_us / many as f64,
            allocations: self.allocations / many,
            bytes: self.bytes / many,
        }
    }
}

/// Runs something and says what it cost.
pub(crate) fn measured<T>(run: impl FnOnce() -> T) -> (T, Cost) {
    let before = ALLOCATOR.stats();
    let (wall, cpu) = (now(), cpu_time());
    let result = run();
    let (cpu, wall) = (cpu_time().saturating_sub(cpu), now().duration_since(wall));
    let after = ALLOCATOR.stats();
    let allocations = (after.allocations - before.allocations) + (after.reallocations - before.reallocations);
    let cost = Cost {
        wall_us: wall.as_secs_f64() * 1e6,
        cpu_us: cpu.as_secs_f64() * 1e6,
        allocations: allocations as u64,
        bytes: (after.bytes_allocated - before.bytes_allocated) as u64,
    };
    (result, cost)
}

/// Bytes that are allocated now.
pub(crate) fn live_bytes() -> u64 {
    let stats = ALLOCATOR.stats();
    (stats.bytes_allocated - stats.bytes_deallocated) as u64
}

/// Memory that the process has, and the most that it had, bytes; `None` where `/proc` does not say.
pub(crate) fn resident_bytes() -> Option<(u64, u64)> {
    #[expect(clippy::disallowed_methods, reason = "what the kernel says of this process")]
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().find_map(|word| word.parse::<u64>().ok())
    };
    Some((kilobytes("VmRSS:")? * 1024, kilobytes("VmHWM:")? * 1024))
}

/// The clock that never steps.
pub(crate) fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
    Instant::now()
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).expect("below a billion"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allocations_are_counted_and_so_is_what_stays() {
        // So much that what other tests give back meanwhile does not matter.
        const BYTES: usize = 64 * 1024 * 1024;
        let before = live_bytes();
        let (kept, cost) = measured(|| std::hint::black_box(vec![1_u8; BYTES]));
        assert!(cost.allocations >= 1 && cost.bytes >= BYTES as u64);
        assert!(live_bytes() + BYTES as u64 / 2 >= before + BYTES as u64);
        drop(kept);
    }

    #[test]
    fn the_median_is_taken_of_each_figure() {
        let cost = |wall_us: f64, allocations| Cost { wall_us, allocations, ..Cost::default() };
        let median = Cost::median(vec![cost(1.0, 9), cost(3.0, 2), cost(2.0, 7)]);
        assert_eq!((median.wall_us, median.allocations), (2.0, 7));
    }
}
