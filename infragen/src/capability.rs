//! Which provider version can do what. HCL has no conditional schema, so differences are settled at render time.

use crate::manifest::version::Version;

/// Something that only newer providers can express.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Argument `invoked_via_function_url` of `aws_lambda_permission`.
    InvokedViaFunctionUrl,
    /// Blocks `key_schema` of a global secondary index, which take the place of `hash_key` and `range_key`.
    IndexKeySchema,
    /// Argument `response_transfer_mode` of `aws_api_gateway_integration`.
    StreamingIntegration,
    /// Resource `aws_lambda_capacity_provider`.
    ManagedInstances,
}

impl Feature {
    /// Returns the lowest provider version that has it.
    #[must_use]
    pub const fn since(self) -> Version {
        match self {
            Self::InvokedViaFunctionUrl => Version(6, 28, 0),
            // There since 6.29.0, but until 6.32.1 an index with a range key never came to rest, and until 6.37.0 taking
            // one index away took all. The older arguments work until then, with a warning at most.
            Self::IndexKeySchema => Version(6, 37, 0),
            Self::StreamingIntegration => Version(6, 25, 0),
            Self::ManagedInstances => Version(6, 24, 0),
        }
    }

    /// Returns whether every provider that a floor allows has it.
    #[must_use]
    pub fn is_in(self, floor: Version) -> bool {
        floor >= self.since()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_is_used_from_its_first_version_on() {
        assert!(!Feature::InvokedViaFunctionUrl.is_in(Version(6, 27, 9)));
        assert!(Feature::InvokedViaFunctionUrl.is_in(Version(6, 28, 0)));
    }
}
