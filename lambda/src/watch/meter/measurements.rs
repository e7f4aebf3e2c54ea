//! A number for each metric: what is added up in one place and written down in another.

use contract::metrics::{Kind, Metric};

use super::distribution::Distribution;

/// A number for each metric and value of its dimension.
#[derive(Clone, Debug)]
pub(super) struct Measurements {
    pub(super) counters: Vec<Vec<f64>>,
    pub(super) distributions: Vec<Option<Distribution>>,
    /// Most streams open at once, if that was ever said.
    pub(super) peak: Option<u32>,
}

impl Measurements {
    pub(super) fn new() -> Self {
        let all = Metric::ALL.iter();
        let distribution = |metric: &Metric| (metric.kind() == Kind::Distribution).then(Distribution::default);
        Self {
            counters: all.clone().map(|metric| vec![0.0; metric.parts()]).collect(),
            distributions: all.map(distribution).collect(),
            peak: None,
        }
    }

    pub(super) fn add(&mut self, metric: Metric, index: usize, value: f64) {
        self.counters[metric as usize][index] += value;
    }

    /// As many measurements as `count` says, all the same.
    pub(super) fn observe(&mut self, metric: Metric, millis: f64, count: u32) {
        if let Some(distribution) = &mut self.distributions[metric as usize] {
            distribution.observe(millis, count);
        }
    }

    /// All values of a metric together.
    pub(super) fn sum(&self, metric: Metric) -> f64 {
        self.counters[metric as usize].iter().sum()
    }
}
