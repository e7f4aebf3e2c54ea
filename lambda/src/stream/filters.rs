//! Numbers of filters, counted once for all streams that have the same one, and only while a stream has it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::writes::Writes;
use stream_core::event::MetricsFrame;
use stream_core::filter::Filter;
use stream_core::filter_numbers::FilterNumbers;
use stream_core::numbers::Numbers;
use stream_core::snapshot::Snapshot;

/// Filters that are not in use any more are looked for when there are more than this many, and then at each doubling.
const SWEPT_FROM: usize = 64;

/// The filters that streams of this instance have.
#[derive(Default)]
pub(super) struct Filters {
    living: Mutex<Registry>,
}

#[derive(Default)]
struct Registry {
    by_filter: BTreeMap<Filter, Weak<Living>>,
    sweep_at: usize,
}

/// The numbers of one filter, as long as somebody holds this.
pub(super) struct Living {
    filter: Filter,
    counted: Mutex<Counted>,
    /// What clients with this filter get.
    pub(super) writes: Writes,
}

struct Counted {
    numbers: FilterNumbers,
    /// The event of the snapshot with that serial number.
    frame: Option<(u64, Arc<MetricsFrame>)>,
}

impl Filters {
    /// The numbers of a filter: those that others use, or new ones.
    pub(super) fn living(&self, filter: &Filter) -> Arc<Living> {
        let mut registry = self.living.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(living) = registry.by_filter.get(filter).and_then(Weak::upgrade) {
            return living;
        }
        if registry.by_filter.len() >= registry.sweep_at.max(SWEPT_FROM) {
            registry.by_filter.retain(|_, living| living.strong_count() > 0);
            registry.sweep_at = registry.by_filter.len() * 2;
        }
        let counted = Mutex::new(Counted { numbers: FilterNumbers::new(filter), frame: None });
        let living = Arc::new(Living { filter: filter.clone(), counted, writes: Writes::default() });
        registry.by_filter.insert(filter.clone(), Arc::downgrade(&living));
        living
    }
}

impl Living {
    /// Whether these are the numbers of that filter.
    pub(super) fn is_of(&self, filter: &Filter) -> bool {
        self.filter == *filter
    }

    /// The numbers of a snapshot.
    pub(super) fn numbers(&self, snapshot: &Snapshot) -> Numbers {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner).numbers.follow(snapshot)
    }

    /// The same as an event, encoded once.
    pub(super) fn metrics(&self, snapshot: &Snapshot) -> Arc<MetricsFrame> {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, frame)) = counted.frame.as_ref().filter(|(serial, _)| *serial == snapshot.serial) {
            return Arc::clone(frame);
        }
        let numbers = counted.numbers.follow(snapshot);
        let frame = Arc::new(MetricsFrame::new(snapshot.data.labels.as_slice(), &numbers, snapshot.read_at));
        counted.frame = Some((snapshot.serial, Arc::clone(&frame)));
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_that_nobody_has_are_forgotten_and_those_in_use_are_shared() {
        let filters = Filters::default();
        let kept = filters.living(&Filter::parse("KEPT").unwrap());
        for n in 0..10_000 {
            drop(filters.living(&Filter::parse(&format!("T{n}")).unwrap()));
        }
        assert!(filters.living.lock().unwrap().by_filter.len() <= SWEPT_FROM + 1);
        assert!(Arc::ptr_eq(&kept, &filters.living(&Filter::parse("KEPT").unwrap())));
    }
}
