//! What somebody who means harm can make a deployment cost: every instance that Lambda starts for it, busy all the time.

use super::prices::Prices;
use super::setup::{HOUR_SECS, Setup};
use crate::manifest::aws::Compute;
use crate::manifest::types::{Architecture, FrontKind};

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
    /// Whether a function takes from the account's share, so that only its limit bounds it.
    pub is_unbounded: bool,
}

/// Reckons an hour of it; none on managed instances, whose price is that of all of them whoever comes.
#[must_use]
pub fn attack(setup: &Setup, prices: &Prices) -> Option<Attack> {
    if setup.compute == Compute::ManagedInstances {
        return None;
    }
    let functions = [(setup.reserves[0], setup.memory_gib), (setup.reserves[1], setup.dashboard_gib)];
    let reserved = functions.iter().filter_map(|(reserve, gib)| Some((f64::from((*reserve)?), *gib)));
    // What the account has left goes to whichever costs more.
    let open = functions.iter().filter(|(reserve, _)| reserve.is_none()).map(|(_, gib)| *gib).reduce(f64::max);
    let taken: f64 = reserved.clone().map(|(instances, _)| instances).sum();
    let busy: Vec<(f64, f64)> = reserved.chain(open.map(|gib| ((ACCOUNT_INSTANCES - taken).max(0.0), gib))).collect();
    let second = match setup.architecture {
        Architecture::Arm64 => prices.lambda.gb_second_arm64.get(),
        Architecture::X86 => prices.lambda.gb_second_x86_64.get(),
    };
    let edge = match setup.front {
        FrontKind::FunctionUrl => 0.0,
        FrontKind::CloudFront => prices.cloudfront.million_requests.get(),
        FrontKind::ApiGateway => prices.rest_api.million_requests.get(),
    };
    let request = (prices.lambda.million_requests.get() + edge) / 1e6;
    let hour = |(instances, gib): &(f64, f64)| instances * HOUR_SECS * (gib * second + REQUESTS_PER_SECOND * request);
    Some(Attack {
        instances: busy.iter().map(|(instances, _)| instances).sum(),
        per_hour: busy.iter().map(hour).sum(),
        is_unbounded: open.is_some(),
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
        assert!(open.is_unbounded && (open.instances - 1000.0).abs() < 0.5, "{open:?}");
        assert!((open.per_hour - (1000.0 * 3600.0 * 0.25 * 0.000_013_333_4 + 7.2)).abs() < 0.01, "{open:?}");

        let text = "[stream]\nreserved_concurrency = 50\n[dashboard]\nreserved_concurrency = 10\n";
        let reserved = hour(text).unwrap();
        assert!(!reserved.is_unbounded && (reserved.instances - 60.0).abs() < 0.5, "{reserved:?}");
        let compute = 3600.0 * 0.000_013_333_4 * (50.0 * 0.125 + 10.0 * 0.25);
        assert!((reserved.per_hour - (compute + 60.0 * 0.0072)).abs() < 0.001, "{reserved:?}");

        let edge = hour(&format!("{text}[front]\nkind = \"cloudfront\"\n")).unwrap();
        assert!((edge.per_hour - reserved.per_hour - 60.0 * 0.036).abs() < 0.001, "{edge:?}");
    }

    #[test]
    fn what_is_stopped_costs_nothing() {
        let stopped = hour("[stream]\nreserved_concurrency = 0\n[dashboard]\nreserved_concurrency = 0\n").unwrap();
        assert!(!stopped.is_unbounded && stopped.per_hour == 0.0, "{stopped:?}");
    }
}
