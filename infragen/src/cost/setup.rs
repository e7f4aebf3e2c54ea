//! What an estimate is made from: the assumptions, and what of the manifest costs something.

use std::time::Duration;

use contract::MetricsMode;
use contract::limits::{DRAIN_MARGIN, FUTURE_SKEW};

use super::charge::Charge;
use super::prices::Prices;
use super::visit::longest_of;
use crate::manifest::Manifest;
use crate::manifest::aws::{Compute, MemoryPerVcpu};
use crate::manifest::sections::ReservedConcurrency;
use crate::manifest::types::{Architecture, FrontKind};

pub(super) const HOUR_SECS: f64 = 3600.0;
/// Days of a month: a twelfth of a year.
pub const DAYS_PER_MONTH: f64 = 365.0 / 12.0;
/// Instances and environments that Lambda keeps on managed instances, one in each availability zone.
pub const INSTANCES_MIN: f64 = 3.0;
/// Smallest memory of a classic function, GiB.
const CLASSIC_MEMORY_GIB: f64 = 0.125;

/// What the estimate reckons with, beside the manifest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Assumptions {
    /// Viewers at the same time, as long as there are any.
    pub viewers: u32,
    /// Hours of a day for which they watch.
    pub hours_per_day: u32,
    /// Items that land in a day.
    pub items_per_day: u32,
    /// Mean length of a visit.
    pub visit: Duration,
}

impl Assumptions {
    /// Visits where nothing is said of them.
    pub const VISIT_DEFAULT: Duration = Duration::from_secs(600);

    /// What a manifest expects.
    #[must_use]
    pub const fn of(manifest: &Manifest) -> Self {
        Self {
            viewers: manifest.stream.expected_viewers.get(),
            hours_per_day: manifest.cost.hours_per_day.get(),
            items_per_day: manifest.cost.items_per_day.get(),
            visit: Self::VISIT_DEFAULT,
        }
    }

    /// Hours of a month for which they watch.
    #[must_use]
    pub fn hours_per_month(&self) -> f64 {
        f64::from(self.hours_per_day) * DAYS_PER_MONTH
    }
}

/// What of the manifest costs something.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    /// What the stream function runs on.
    pub compute: Compute,
    /// Its processor.
    pub architecture: Architecture,
    /// Memory of an environment, GiB.
    pub memory_gib: f64,
    /// Memory that goes with one processor on managed instances.
    pub memory_per_vcpu: MemoryPerVcpu,
    /// Streams of one environment on managed instances.
    pub concurrency: f64,
    /// Most processors of all managed instances.
    pub max_vcpus: f64,
    /// Longest session of those who have a stream of their own.
    pub max_session: Duration,
    /// Longest invocation.
    pub(super) timeout: Duration,
    /// Length of the segments that viewers share, where they do.
    pub segment: Option<Duration>,
    /// Whether pages say goodbye.
    pub has_goodbyes: bool,
    /// Whether instances share old hours.
    pub shares_hours: bool,
    /// Whether the stream function is stopped: its reserve is 0.
    pub is_stopped: bool,
    /// Most instances of the stream and of the dashboard function, where they have a reserve.
    pub(super) reserves: [Option<u32>; 2],
    pub(super) dashboard_gib: f64,
    pub(super) poll: Duration,
    pub(super) heartbeat: Duration,
    pub(super) late_window: Duration,
    pub(super) late_interval: Duration,
    pub(super) window: Duration,
    pub(super) replay_window: Duration,
    pub(super) reconcile: Duration,
    pub(super) labels: f64,
    pub(super) front: FrontKind,
    /// Whether only a VPC's endpoints reach it.
    pub(super) is_private: bool,
    /// Requests a second that a REST API lets through, where there is one.
    pub(super) throttle: Option<f64>,
    pub(super) metrics: MetricsMode,
    /// What its features are billed for, each of which says so itself.
    pub(super) charges: Vec<Charge>,
}

impl Setup {
    /// Takes what matters out of a manifest, beside what its features say that they are billed for.
    #[must_use]
    pub fn of(manifest: &Manifest, charges: Vec<Charge>) -> Self {
        let (stream, front) = (&manifest.stream, &manifest.front);
        let own = Self {
            compute: stream.compute,
            architecture: manifest.package.architecture,
            memory_gib: f64::from(stream.memory.mebibytes()) / 1024.0,
            memory_per_vcpu: stream.instances.memory_per_vcpu,
            concurrency: f64::from(stream.instances.concurrency.get().min(stream.max_connections.get())),
            max_vcpus: f64::from(stream.instances.max_vcpus.get()),
            max_session: stream.max_session.get(),
            timeout: stream.timeout.get(),
            segment: None,
            has_goodbyes: stream.goodbye,
            shares_hours: stream.share_hours,
            is_stopped: stream.reserved_concurrency.is_some_and(|reserve| reserve.get() == 0),
            reserves: [stream.reserved_concurrency, manifest.dashboard.reserved_concurrency]
                .map(|reserve| reserve.map(ReservedConcurrency::get)),
            dashboard_gib: f64::from(manifest.dashboard.memory.mebibytes()) / 1024.0,
            poll: stream.poll_interval.get(),
            heartbeat: stream.heartbeat_interval.get(),
            late_window: stream.late_window.get(),
            late_interval: stream.late_interval.get(),
            window: manifest.data.window.get(),
            replay_window: stream.replay.window.get(),
            reconcile: stream.reconcile_interval.get(),
            labels: f64::from(u16::try_from(manifest.data.labels.as_slice().len()).unwrap_or(u16::MAX)),
            front: front.kind,
            is_private: front.api.private,
            throttle: (front.kind == FrontKind::ApiGateway).then(|| f64::from(front.api.requests_per_second.get())),
            metrics: manifest.operations.metrics,
            charges,
        };
        if front.shared_segments { own.in_segments(front.segment_length.get()) } else { own }
    }

    /// The same where CloudFront hands segments of this length to all who watch.
    #[must_use]
    pub fn in_segments(self, length: Duration) -> Self {
        Self { front: FrontKind::CloudFront, segment: Some(length), has_goodbyes: false, ..self }
    }

    /// The same where each viewer has a stream.
    #[must_use]
    pub fn alone(&self) -> Self {
        Self { segment: None, ..self.clone() }
    }

    /// Longest session of what is open: of a segment, that of sessions as long as it is.
    #[must_use]
    pub fn longest_session(&self) -> Duration {
        self.segment.map_or(self.max_session, longest_of)
    }

    /// Shortest timeout that leaves room for such a session; none where the present one does.
    pub(super) fn timeout_for(&self, session: Duration) -> Option<Duration> {
        let enough = session + DRAIN_MARGIN + Duration::from_secs(1);
        (self.timeout < enough).then_some(enough)
    }

    /// The same on instances of its own for each stream: those of managed instances have more memory than such a function needs.
    #[must_use]
    pub fn on_classic(&self) -> Self {
        let memory_gib = if self.compute == Compute::Classic { self.memory_gib } else { CLASSIC_MEMORY_GIB };
        Self { compute: Compute::Classic, memory_gib, ..self.clone() }
    }

    /// The same on managed instances, which have 2 GiB of memory at least.
    #[must_use]
    pub fn on_managed_instances(&self) -> Self {
        Self { compute: Compute::ManagedInstances, memory_gib: self.memory_gib.max(2.0), ..self.clone() }
    }

    /// Share of the window that an instance reads by itself where hours are shared: rows that must be whole, to the hour before them.
    #[must_use]
    pub fn newest_share(&self) -> f64 {
        let whole = self.replay_window + (self.late_window + FUTURE_SKEW) * 2;
        ((whole.as_secs_f64() + HOUR_SECS / 2.0) / self.window.as_secs_f64()).min(1.0)
    }

    /// Dollars that whatever stands before the functions takes for one request.
    pub(super) fn front_request(&self, prices: &Prices) -> f64 {
        let million = match self.front {
            FrontKind::FunctionUrl => return 0.0,
            FrontKind::CloudFront => prices.cloudfront.million_requests,
            FrontKind::ApiGateway => prices.rest_api.million_requests,
        };
        million.get() / 1e6
    }

    /// Dollars for one GB to viewers. What goes to a VPC's own endpoint does not leave AWS.
    pub(super) fn gb_out(&self, prices: &Prices) -> f64 {
        match self.front {
            FrontKind::CloudFront => prices.cloudfront.gb_out.get(),
            _ if self.is_private => 0.0,
            _ => prices.transfer.gb_out.get(),
        }
    }

    /// Time between two looks for goodbyes, where there are any.
    #[must_use]
    pub fn looks(&self) -> Option<Duration> {
        self.has_goodbyes.then_some(self.poll)
    }

    fn vcpus_per_environment(&self) -> f64 {
        (self.memory_gib / f64::from(self.memory_per_vcpu.gibibytes())).ceil().max(1.0)
    }

    /// Environments that so many streams need.
    #[must_use]
    pub fn environments(&self, streams: f64) -> f64 {
        (streams / self.concurrency).ceil().max(INSTANCES_MIN)
    }

    /// Instances of the price table that so many environments need.
    #[must_use]
    pub fn instances(&self, environments: f64, prices: &Prices) -> f64 {
        let vcpus = self.vcpus_per_environment();
        let per_instance = prices.managed_instances.instance_vcpus.get();
        // An environment larger than the instance of the table takes as many of it: EC2's prices grow with the size.
        (environments * vcpus / per_instance).ceil().max(INSTANCES_MIN * (vcpus / per_instance).ceil())
    }

    /// Streams that all managed instances can serve.
    #[must_use]
    pub fn streams_max(&self, prices: &Prices) -> f64 {
        let per_instance = prices.managed_instances.instance_vcpus.get();
        let vcpus = (self.max_vcpus / per_instance).floor() * per_instance;
        (vcpus / self.vcpus_per_environment()).floor() * self.concurrency
    }
}
