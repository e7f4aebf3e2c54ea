//! What somebody who means harm can make a deployment cost: every instance that Lambda starts for it, busy all the time.

use super::prices::Prices;
use super::setup::{HOUR_SECS, Setup};
use crate::manifest::aws::Compute;

/// Instances that an account has in a region unless it asked for more (AWS Lambda quotas, "Concurrent executions").
const ACCOUNT_INSTANCES: f64 = 1000.0;
/// Requests that Lambda takes through a URL, for each instance that there may be (AWS Lambda quotas, "Function URLs").
const REQUESTS_PER_SECOND: f64 = 10.0;

/// An hour of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attack {
    /// Instances that are busy.
    pub instances: f64,
    /// Dollars an hour, reads of the table and traffic not counted.
    pub per_hour: f64,
    /// Whether the stream and the dashboard function take from the account's share, so that only its limit bounds them.
    pub unbounded: [bool; 2],
}

impl Attack {
    /// The keys that bound each of the functions.
    const RESERVES: [&str; 2] = ["`stream.reserved_concurrency`", "`dashboard.reserved_concurrency`"];

    /// Whether only the account's limit bounds it.
    #[must_use]
    pub fn is_unbounded(&self) -> bool {
        self.unbounded.contains(&true)
    }

    /// The keys that would bound it, or where all of them do, those that do.
    #[must_use]
    pub fn reserves(&self) -> String {
        let is_meant = |index: &usize| self.unbounded[*index] || !self.is_unbounded();
        [0, 1].into_iter().filter(is_meant).map(|index| Self::RESERVES[index]).collect::<Vec<_>>().join(" and ")
    }
}

/// Reckons an hour of it; none on managed instances, whose price is that of all of them whoever comes, and where only a VPC's
/// endpoints lead to the functions.
#[must_use]
pub fn attack(setup: &Setup, prices: &Prices) -> Option<Attack> {
    if setup.compute == Compute::ManagedInstances || setup.is_private {
        return None;
    }
    let functions = [(setup.reserves[0], setup.memory_gib), (setup.reserves[1], setup.dashboard_gib)];
    let reserved = functions.iter().filter_map(|(reserve, gib)| Some((f64::from((*reserve)?), *gib)));
    // What the account has left goes to whichever costs more.
    let open = functions.iter().filter(|(reserve, _)| reserve.is_none()).map(|(_, gib)| *gib).reduce(f64::max);
    let taken: f64 = reserved.clone().map(|(instances, _)| instances).sum();
    let busy: Vec<(f64, f64)> = reserved.chain(open.map(|gib| ((ACCOUNT_INSTANCES - taken).max(0.0), gib))).collect();
    let second = prices.lambda.gb_second(setup.architecture);
    let request = prices.lambda.million_requests.get() / 1e6 + setup.front_request(prices);
    let instances: f64 = busy.iter().map(|(instances, _)| instances).sum();
    // A REST API lets no more of them through.
    let requests = (instances * REQUESTS_PER_SECOND).min(setup.throttle.unwrap_or(f64::INFINITY));
    let compute: f64 = busy.iter().map(|(instances, gib)| instances * gib * second).sum();
    Some(Attack {
        instances,
        per_hour: HOUR_SECS * (compute + requests * request),
        unbounded: setup.reserves.map(|reserve| reserve.is_none()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Input, Source};
    use crate::load::load;

    fn hour(text: &str) -> Option<Attack> {
        let source = Source { name: "deploy.toml".into(), text: text.into() };
        let manifest = load(&Input::new(source), None).unwrap().manifest;
        attack(&Setup::of(&manifest, Vec::new()), Prices::embedded())
    }

    #[test]
    fn an_account_is_bounded_by_its_limit_and_a_reserve_by_itself() {
        // 1,000 instances of the larger function, 256 MiB: 12 $ of compute and 7.2 $ of requests.
        let open = hour("").unwrap();
        assert!(open.is_unbounded() && (open.instances - 1000.0).abs() < 0.5, "{open:?}");
        assert!((open.per_hour - (1000.0 * 3600.0 * 0.25 * 0.000_013_333_4 + 7.2)).abs() < 0.01, "{open:?}");

        let text = "[stream]\nreserved_concurrency = 50\n[dashboard]\nreserved_concurrency = 10\n";
        assert_eq!(open.reserves(), "`stream.reserved_concurrency` and `dashboard.reserved_concurrency`");
        let half = hour("[stream]\nreserved_concurrency = 40\n").unwrap();
        assert_eq!((half.is_unbounded(), half.reserves().as_str()), (true, "`dashboard.reserved_concurrency`"));
        let reserved = hour(text).unwrap();
        assert!(!reserved.is_unbounded() && (reserved.instances - 60.0).abs() < 0.5, "{reserved:?}");
        let compute = 3600.0 * 0.000_013_333_4 * (50.0 * 0.125 + 10.0 * 0.25);
        assert!((reserved.per_hour - (compute + 60.0 * 0.0072)).abs() < 0.001, "{reserved:?}");

        let edge = hour(&format!("{text}[front]\nkind = \"cloudfront\"\n")).unwrap();
        assert!((edge.per_hour - reserved.per_hour - 60.0 * 0.036).abs() < 0.001, "{edge:?}");
    }

    #[test]
    fn a_rest_api_lets_no_more_through_than_its_throttle() {
        let api = |rest: &str| {
            hour(&format!(
                "[terraform]\naws_provider = \">= 6.28.0, < 7.0.0\"\n[front]\nkind = \"api-gateway\"\n[front.api]\n{rest}"
            ))
        };
        let compute = 1000.0 * 3600.0 * 0.25 * 0.000_013_333_4;
        let (few, many) = (api("requests_per_second = 2\nburst = 2\n").unwrap(), api("").unwrap());
        assert!((few.per_hour - compute - 2.0 * 3600.0 * 3.7e-6).abs() < 1e-6, "{few:?}");
        assert!((many.per_hour - compute - 100.0 * 3600.0 * 3.7e-6).abs() < 1e-6, "{many:?}");
    }

    #[test]
    fn what_is_stopped_costs_nothing() {
        let stopped = hour("[stream]\nreserved_concurrency = 0\n[dashboard]\nreserved_concurrency = 0\n").unwrap();
        assert!(!stopped.is_unbounded() && stopped.per_hour == 0.0, "{stopped:?}");
    }
}
