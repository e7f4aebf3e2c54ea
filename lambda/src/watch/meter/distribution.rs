//! Many measurements in a fixed number of buckets, each with the sum of what fell into it.

use contract::metrics::VALUES_MAX;

/// Upper bounds of the buckets, milliseconds: six a decade, from a millisecond to a quarter of an hour.
pub(super) const BOUNDS: [f64; 36] = [
    1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0, 70.0, 100.0, 150.0, 200.0, 300.0, 500.0, 700.0, 1e3,
    1.5e3, 2e3, 3e3, 5e3, 7e3, 1e4, 1.5e4, 2e4, 3e4, 5e4, 7e4, 1e5, 1.5e5, 2e5, 3e5, 5e5, 9e5,
];
const BUCKETS: usize = BOUNDS.len() + 1;
const _: () = assert!(BUCKETS <= VALUES_MAX);

/// Measurements, the last bucket without an upper bound.
#[derive(Clone, Debug)]
pub(super) struct Distribution {
    buckets: [Bucket; BUCKETS],
}

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    count: u64,
    sum: f64,
}

impl Default for Distribution {
    fn default() -> Self {
        Self { buckets: [Bucket::default(); BUCKETS] }
    }
}

impl Distribution {
    /// As many measurements as `count` says, all the same.
    pub(super) fn observe(&mut self, millis: f64, count: u32) {
        let bucket = &mut self.buckets[BOUNDS.partition_point(|bound| *bound < millis)];
        bucket.count += u64::from(count);
        bucket.sum += millis * f64::from(count);
    }

    /// How many measurements there are.
    pub(super) fn count(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.count).sum()
    }

    /// Their sum, milliseconds.
    pub(super) fn sum(&self) -> f64 {
        self.buckets.iter().map(|bucket| bucket.sum).sum()
    }

    /// Measurements up to each of [`BOUNDS`].
    pub(super) fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        let mut below = 0;
        BOUNDS.iter().zip(&self.buckets).map(move |(bound, bucket)| {
            below += bucket.count;
            (*bound, below)
        })
    }

    /// At most [`VALUES_MAX`] values that stand for all: each bucket's mean, as often as it has measurements. Of more than
    /// that, each bucket keeps its share, and one at least: the rare long ones are what people look for.
    pub(super) fn values(&self) -> Vec<f64> {
        let filled: Vec<&Bucket> = self.buckets.iter().filter(|bucket| bucket.count > 0).collect();
        let count = self.count();
        let room = u64::try_from(VALUES_MAX - filled.len()).unwrap_or(0);
        let times = |bucket: &Bucket| {
            if count <= VALUES_MAX as u64 { bucket.count } else { 1 + (bucket.count - 1) * room / count }
        };
        #[expect(clippy::cast_precision_loss, reason = "counts of measurements stay far below 2^52")]
        let mean = |bucket: &Bucket| (bucket.sum / bucket.count as f64 * 10.0).round() / 10.0;
        let repeated =
            |bucket: &&Bucket| std::iter::repeat_n(mean(bucket), usize::try_from(times(bucket)).unwrap_or(VALUES_MAX));
        filled.iter().flat_map(repeated).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_measurements_are_all_there() {
        let mut distribution = Distribution::default();
        for millis in [0.0, 1.0, 1.1, 4.0, 4.4, 2e6] {
            distribution.observe(millis, 1);
        }
        assert_eq!(distribution.values(), [0.5, 0.5, 1.1, 4.2, 4.2, 2e6]);
        assert_eq!((distribution.count(), distribution.sum()), (6, 2_000_010.5));
        assert!(Distribution::default().values().is_empty());
        let below: Vec<u64> = distribution.cumulative().map(|(_, below)| below).collect();
        assert_eq!((below[0], below[1], below[35]), (2, 3, 5), "the longest is in no bucket with a bound");
    }

    #[test]
    fn many_keep_their_shares_and_the_rare_long_one_stays() {
        let mut distribution = Distribution::default();
        for n in 0..100_000 {
            distribution.observe(f64::from(n % 1000), 1);
        }
        distribution.observe(8e5, 1);
        let values = distribution.values();
        assert!((90..=VALUES_MAX).contains(&values.len()), "{}", values.len());
        assert_eq!(values.last(), Some(&8e5));
        let short = values.iter().filter(|value| **value <= 500.0).count();
        assert!((40..=65).contains(&short), "{short}");
        // One measurement in each bucket and many in one of them.
        for bound in BOUNDS {
            distribution.observe(bound, 1);
        }
        assert!(distribution.values().len() <= VALUES_MAX);
    }
}
