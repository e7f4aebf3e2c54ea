//! Features of a deployment: each is one value that says which files and rights it brings, what it is billed for and what it is.
//!
//! What a feature needs to know is in the plan, or in its own value. A new one is a file here, a template and a section of the
//! manifest; [`crate::render`], [`crate::ci`], the estimate of costs and docs/features.md find it in [`constructs`].

mod access_log;
mod arns;
mod construct;
mod firewall;
mod front;
mod functions;
mod gateway;
mod history;
mod images;
mod instances;
mod keys;
mod network;
mod records;
mod roles;
mod session_keys;
mod state;
mod statement;
mod tables;
mod watching;

pub use arns::Arns;
pub use construct::{Construct, File, Root};
pub use statement::StatementPlan;

use crate::cost::{Charge, Prices};
use crate::plan::Plan;

/// Returns everything that a plan consists of, in the order in which a reader wants to see it.
#[must_use]
pub fn constructs(plan: &Plan) -> Vec<Box<dyn Construct + '_>> {
    let all: [Option<Box<dyn Construct + '_>>; 15] = [
        Some(Box::new(state::State::of(plan))),
        Some(Box::new(functions::Functions::of(plan))),
        Some(Box::new(tables::Tables::of(plan))),
        boxed(history::History::of(plan)),
        boxed(session_keys::SessionKeys::of(plan)),
        boxed(keys::Keys::of(plan)),
        Some(Box::new(watching::Watching::of(plan))),
        Some(Box::new(images::Images::of(plan))),
        boxed(network::Network::of(plan)),
        boxed(instances::Instances::of(plan)),
        boxed(front::Front::of(plan)),
        boxed(gateway::Gateway::of(plan)),
        boxed(records::Records::of(plan)),
        boxed(firewall::Firewall::of(plan)),
        boxed(access_log::AccessLog::of(plan)),
    ];
    all.into_iter().flatten().collect()
}

/// What everything that a plan consists of is billed for.
#[must_use]
pub fn charges(plan: &Plan, prices: &Prices) -> Vec<Charge> {
    constructs(plan).iter().flat_map(|construct| construct.charges(prices)).collect()
}

fn boxed<'p>(construct: Option<impl Construct + 'p>) -> Option<Box<dyn Construct + 'p>> {
    construct.map(|construct| Box::new(construct) as Box<dyn Construct + 'p>)
}
