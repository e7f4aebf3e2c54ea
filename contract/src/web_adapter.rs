//! What the generator, the stream function and the AWS Lambda Web Adapter must agree on where the latter is used.
//!
//! The adapter is an extension: it takes invocations from Lambda and makes HTTP requests of them, to a port of the same
//! environment. Its own names are fixed by it (`AWS_LWA_...`).

use std::collections::BTreeMap;

use crate::routes;
use crate::settings::{Lookup, SettingError};

/// Version of the adapter: the newest that is not a release candidate.
pub const VERSION: &str = "0.9.1";
/// Beginning of every variable that the adapter reads.
pub const VARIABLE_PREFIX: &str = "AWS_LWA_";
/// Port at which the function listens and the adapter asks.
pub const PORT_VARIABLE: &str = "AWS_LWA_PORT";
/// The adapter's own default.
pub const PORT: u16 = 8080;
/// Header with the context of the invocation, as JSON. The adapter replaces what a client sends under this name.
pub const LAMBDA_CONTEXT_HEADER: &str = "x-amzn-lambda-context";
/// Header with the context of the request, as JSON; likewise.
pub const REQUEST_CONTEXT_HEADER: &str = "x-amzn-request-context";

/// Returns the variables that make the adapter stream, and ask the function at its own health route whether it is ready.
#[must_use]
pub fn variables() -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("AWS_LWA_INVOKE_MODE", "response_stream".to_owned()),
        (PORT_VARIABLE, PORT.to_string()),
        ("AWS_LWA_READINESS_CHECK_PATH", routes::HEALTH.to_owned()),
    ])
}

/// Returns the port to listen at.
///
/// # Errors
/// The variable is no port.
pub fn port(lookup: &Lookup<'_>) -> Result<u16, SettingError> {
    let Some(text) = lookup(PORT_VARIABLE) else { return Ok(PORT) };
    let port = Some(&text).filter(|text| text.bytes().all(|b| b.is_ascii_digit())).and_then(|text| text.parse().ok());
    port.filter(|port| *port > 0).ok_or_else(|| {
        let reason = format!("`{}` is not a port, a whole number from 1 to 65535", text.escape_debug());
        SettingError { name: PORT_VARIABLE, value: Some(text), reason }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_and_nothing_else_is_a_port() {
        let written = variables();
        assert!(written.keys().all(|name| name.starts_with(VARIABLE_PREFIX)));
        assert_eq!(port(&|name| written.get(name).cloned()), Ok(PORT));
        assert_eq!(port(&|_| None), Ok(PORT));
        assert_eq!(port(&|_| Some("65535".into())), Ok(65535));
        for bad in ["0", "65536", "+80", "", "80a"] {
            let error = port(&|_| Some(bad.into())).unwrap_err();
            let expected = format!("AWS_LWA_PORT: `{bad}` is not a port, a whole number from 1 to 65535");
            assert_eq!(error.to_string(), expected);
        }
    }
}
