//! `[front.api]`: the REST API before both functions.

use contract::values::Count;

use super::aws::VpcEndpoints;
use super::reader::section;

/// Requests a second that an API lets through.
pub type RequestRate = Count<1, 10_000>;
/// Requests that it lets through at once, above that rate (API Gateway quotas: 5,000 an account and region).
pub type RequestBurst = Count<1, 5_000>;

section! {
    /// `[front.api]`: the REST API before both functions, where `front.kind` is `api-gateway`.
    pub struct RestApiSection {
        /// Requests a second that it lets through, of all clients together; the others get 429.
        "requests_per_second" => requests_per_second: RequestRate = RequestRate::new(100).expect("100 is from 1 to 10,000");
        /// Requests that it lets through at once above that rate; a new version of a page brings all its viewers back within seconds.
        "burst" => burst: RequestBurst = RequestBurst::new(200).expect("200 is from 1 to 5,000");
        /// Whether only `vpc_endpoints` reach it: from the internet it has no address then.
        "private" => private: bool = false;
        /// Interface endpoints for `execute-api` that reach a private API.
        "vpc_endpoints" => vpc_endpoints: VpcEndpoints = VpcEndpoints::default();
    }
}
