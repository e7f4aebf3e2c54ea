//! What a manifest costs in a month, offline: prices, model, and the four questions people ask before they deploy.
//!
//! Everything here is arithmetic on the manifest and a few assumptions; the same input gives the same figures.

pub mod attack;
pub mod beside;
pub mod charge;
pub mod load;
pub mod model;
pub mod prices;
pub mod report;
pub mod setup;
pub mod visit;
pub mod ways;

use std::time::Duration;

use contract::limits::{DRAIN_MARGIN, FUNCTION_TIMEOUT_MAX, SESSION_MIN};

pub use attack::Attack;
pub use charge::{Charge, Per};
pub use load::Load;
pub use model::Line;
pub use prices::Prices;
pub use setup::{Assumptions, Setup};

use crate::manifest::Manifest;
use crate::manifest::aws::Compute;
use model::{lines, total};
use visit::Visit;

/// Longest session that a function's timeout leaves room for, seconds.
const SESSION_SECS_MAX: u64 = FUNCTION_TIMEOUT_MAX.as_secs() - DRAIN_MARGIN.as_secs() - 1;
/// The most viewers that a manifest can expect.
const VIEWERS_MAX: f64 = 1e6;

/// A month, and the answers that follow from it. The answers are at list prices, whatever is free; of a function that is stopped
/// they are about the time when it runs again, as the load is.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// What is billed.
    pub lines: Vec<Line>,
    /// Dollars of all lines.
    pub total: f64,
    /// What happens in the month.
    pub load: Load,
    /// What one more viewer costs.
    pub one_more: OneMore,
    /// What shared hours save, or would.
    pub hours: SharedHours,
    /// What is asked of streams that have a viewer each; none where viewers share segments.
    pub own: Option<OwnStreams>,
    /// What an hour of an attack costs; none on managed instances.
    pub attack: Option<Attack>,
    /// Streams that the managed instances of the manifest can serve; none on classic compute.
    pub streams_max: Option<f64>,
}

/// Streams that have a viewer each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OwnStreams {
    /// What a closed tab wastes.
    pub closed_tab: ClosedTab,
    /// What goodbyes of pages save, or would: dollars a month, negative where they cost more.
    pub goodbyes_save: f64,
    /// The session length that costs least.
    pub session: BestSession,
    /// From where on managed instances are cheaper.
    pub instances: BreakEven,
}

/// One more viewer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneMore {
    /// Dollars an hour of watching.
    pub per_hour: f64,
    /// Dollars a month.
    pub per_month: f64,
}

/// One tab that is closed while its session is open.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClosedTab {
    /// Seconds that the session lasts on, on average.
    pub mean_secs: f64,
    /// Dollars of these.
    pub mean_dollars: f64,
    /// Seconds that it lasts on at worst.
    pub worst_secs: f64,
    /// Dollars of these.
    pub worst_dollars: f64,
}

/// Old hours that instances share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SharedHours {
    /// Dollars a month, negative where they cost more.
    pub save: f64,
    /// Items a day from which on they save anything, for these viewers; none where no table is large enough.
    pub pay_from: Option<u32>,
}

/// The session length that costs least.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BestSession {
    /// Length now.
    pub present: Duration,
    /// Length that costs least, in whole seconds.
    pub best: Duration,
    /// Dollars a month that it would save for the same hours of watching.
    pub saving: f64,
    /// The same as a share of what depends on viewers.
    pub saving_share: f64,
}

/// Where classic compute and managed instances cross.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BreakEven {
    /// Managed instances are cheaper from so many viewers on.
    From(u32),
    /// Classic compute is cheaper for as many viewers as `max_vcpus` serves.
    NeverBelow(u32),
}

/// Dollars of a month at list prices as a manifest expects it, in whole cents; `charges` are those of its constructs.
#[must_use]
pub fn monthly_usd(manifest: &Manifest, charges: Vec<Charge>, prices: &Prices) -> f64 {
    let setup = Setup::of(manifest, charges);
    (total(&lines(&setup, prices, &Assumptions::of(manifest), false)) * 100.0).round() / 100.0
}

/// Reckons everything.
#[must_use]
pub fn estimate(setup: &Setup, prices: &Prices, assumptions: &Assumptions, has_free_tier: bool) -> Estimate {
    let lines = lines(setup, prices, assumptions, has_free_tier);
    let setup = &Setup { is_stopped: false, ..setup.clone() };
    Estimate {
        total: total(&lines),
        lines,
        load: Load::of(setup, assumptions),
        one_more: one_more(setup, prices, assumptions),
        hours: shared_hours(setup, prices, assumptions),
        own: setup.segment.is_none().then(|| OwnStreams {
            closed_tab: closed_tab(setup, prices, assumptions),
            goodbyes_save: goodbyes_save(setup, prices, assumptions),
            session: best_session(setup, prices, assumptions),
            instances: break_even(setup, prices, assumptions),
        }),
        attack: attack::attack(setup, prices),
        streams_max: (setup.compute == Compute::ManagedInstances).then(|| setup.streams_max(prices)),
    }
}

/// Dollars a month at list prices.
fn list_price(setup: &Setup, prices: &Prices, assumptions: &Assumptions) -> f64 {
    total(&lines(setup, prices, assumptions, false))
}

fn one_more(setup: &Setup, prices: &Prices, assumptions: &Assumptions) -> OneMore {
    let more = Assumptions { viewers: assumptions.viewers + 1, ..*assumptions };
    let per_month = list_price(setup, prices, &more) - list_price(setup, prices, assumptions);
    OneMore { per_month, per_hour: per_month / assumptions.hours_per_month() }
}

fn goodbyes_save(setup: &Setup, prices: &Prices, assumptions: &Assumptions) -> f64 {
    let cost = |has_goodbyes| list_price(&Setup { has_goodbyes, ..setup.clone() }, prices, assumptions);
    cost(false) - cost(true)
}

/// Below a hundred items a day nobody asks, and above this no function's memory holds a day.
const ITEMS_PER_DAY_MAX: u32 = 50_000_000;

/// What is put on the shelf costs once, what is not read again saves for each instance: either some size pays and all above it,
/// or none does.
fn shared_hours(setup: &Setup, prices: &Prices, assumptions: &Assumptions) -> SharedHours {
    let save = |items_per_day: u32| {
        let assumptions = Assumptions { items_per_day, ..*assumptions };
        let cost = |shares_hours| list_price(&Setup { shares_hours, ..setup.clone() }, prices, &assumptions);
        cost(false) - cost(true)
    };
    let (mut without, mut with) = (0, ITEMS_PER_DAY_MAX);
    let pays = save(with) > 0.0;
    while pays && with - without > (without / 100).max(1) {
        let middle = without + (with - without) / 2;
        if save(middle) > 0.0 { with = middle } else { without = middle }
    }
    SharedHours { save: save(assumptions.items_per_day), pay_from: pays.then_some(with) }
}

/// What is left of a session whose reader is gone goes on computing and polling on an instance of its own. On managed
/// instances it takes a place and nothing else: others keep the poller and the instance busy anyway.
fn closed_tab(setup: &Setup, prices: &Prices, assumptions: &Assumptions) -> ClosedTab {
    let mean_secs = Visit::of(setup.longest_session(), assumptions.visit, setup.looks()).wasted_secs();
    let worst_secs = setup.longest_session().as_secs_f64();
    let per_sec = if setup.compute == Compute::Classic {
        let load = Load::of(setup, assumptions);
        let while_open = ["Lambda compute", "DynamoDB polls", "DynamoDB full re-reads", "DynamoDB looks for goodbyes"];
        let lines = lines(setup, prices, assumptions, false);
        let dollars: f64 = lines.iter().filter(|line| while_open.contains(&line.item)).map(|line| line.dollars).sum();
        dollars / (load.open_hours * 3600.0)
    } else {
        0.0
    };
    ClosedTab { mean_secs, mean_dollars: mean_secs * per_sec, worst_secs, worst_dollars: worst_secs * per_sec }
}

/// Dollars that depend on viewers, for an hour that somebody watches: a shorter session must not look cheap because its
/// viewers are away reconnecting for more of the time.
fn per_watched_hour(setup: &Setup, prices: &Prices, assumptions: &Assumptions) -> f64 {
    let lines = lines(setup, prices, assumptions, false);
    let dollars: f64 = lines.iter().filter(|line| !line.is_fixed).map(|line| line.dollars).sum();
    dollars / Load::of(setup, assumptions).watched_hours
}

/// A short session leaves little behind a closed tab, a long one saves requests, log lines and first reads. The sum has no
/// closed form (reads come in steps, instances too), but only 885 candidates: every whole second is tried.
fn best_session(setup: &Setup, prices: &Prices, assumptions: &Assumptions) -> BestSession {
    let cost = |max_session| per_watched_hour(&Setup { max_session, ..setup.clone() }, prices, assumptions);
    let present = cost(setup.max_session);
    let candidates = (SESSION_MIN.as_secs()..=SESSION_SECS_MAX).map(Duration::from_secs);
    let (best, least) = candidates
        .map(|length| (length, cost(length)))
        .fold((setup.max_session, present), |least, next| if next.1 < least.1 { next } else { least });
    let watched = Load::of(setup, assumptions).watched_hours;
    let saving_share = if present > 0.0 { 1.0 - least / present } else { 0.0 };
    BestSession { present: setup.max_session, best, saving: (present - least) * watched, saving_share }
}

/// Looks for the number of viewers from which on managed instances stay cheaper.
///
/// Classic compute costs the same for each viewer; managed instances cost the same until another environment is needed.
/// Within such a step their lead only grows, so that its first viewer decides whether the whole step is won.
fn break_even(setup: &Setup, prices: &Prices, assumptions: &Assumptions) -> BreakEven {
    let managed = setup.on_managed_instances();
    let classic = setup.on_classic();
    let is_cheaper = |viewers: u32| {
        let assumptions = Assumptions { viewers, ..*assumptions };
        list_price(&managed, prices, &assumptions) < list_price(&classic, prices, &assumptions)
    };
    let one = Assumptions { viewers: 1, ..*assumptions };
    let streams_per_viewer = Load::of(setup, &one).streams;
    let viewers_max = whole((managed.streams_max(prices) / streams_per_viewer).min(VIEWERS_MAX));
    if viewers_max == 0 || !is_cheaper(viewers_max) {
        return BreakEven::NeverBelow(viewers_max);
    }
    // The last step that is not won from its first viewer on holds the answer, or ends right before it.
    let mut lost_from = None;
    let (mut environments, mut first) = (setup::INSTANCES_MIN, 1);
    while first <= viewers_max {
        let last = whole(environments * managed.concurrency / streams_per_viewer).min(viewers_max);
        if first <= last && !is_cheaper(first) {
            lost_from = Some((first, last));
        }
        (environments, first) = (environments + 1.0, last.max(first - 1) + 1);
    }
    let Some((mut lost, last)) = lost_from else { return BreakEven::From(1) };
    let mut won = last + 1;
    while won - lost > 1 {
        let middle = lost + (won - lost) / 2;
        if is_cheaper(middle) { won = middle } else { lost = middle }
    }
    BreakEven::From(won)
}

/// A number of viewers, rounded down.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "callers stay within 0 and a few million")]
fn whole(number: f64) -> u32 {
    number.max(0.0).min(f64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests;
