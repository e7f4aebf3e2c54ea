//! What the environment says of AWS, read in one place for every client: region, credentials, endpoints.

use aws_credential_types::Credentials;
use contract::Lookup;

/// What is missing to reach AWS.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// No region.
    #[error("AWS_REGION is not set; it must be the region of the tables, such as `us-east-1`")]
    NoRegion,
    /// No credentials in the environment.
    #[error("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set; they must be the credentials for the tables")]
    NoCredentials,
    /// An address that is none.
    #[error("{name} is `{value}`; it must be an address such as `http://127.0.0.1:8000`")]
    NoAddress {
        /// The variable.
        name: String,
        /// What it says.
        value: String,
    },
}

fn given(lookup: &Lookup<'_>, name: &str) -> Option<String> {
    lookup(name).filter(|text| !text.is_empty())
}

/// Region of the tables and of the key.
///
/// # Errors
/// [`SetupError::NoRegion`]
pub fn region(lookup: &Lookup<'_>) -> Result<String, SetupError> {
    given(lookup, "AWS_REGION").or_else(|| given(lookup, "AWS_DEFAULT_REGION")).ok_or(SetupError::NoRegion)
}

/// Credentials that stand in the environment, as they do on Lambda. They are read once and never renewed.
///
/// Lambda gives a function of ours no others: an address that is asked for credentials again and again
/// (`AWS_CONTAINER_CREDENTIALS_FULL_URI`) is set with SnapStart only, which takes neither the runtimes `provided.*` nor images
/// (<https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html>). Managed Instances put keys into the environment too, as AWS's
/// emulator of them does (`internal/lambda-managed-instances/rapidcore/env` in aws/aws-lambda-runtime-interface-emulator), and
/// every SDK takes those before anything else and keeps them, so that an environment has to end before they expire. A program
/// without such keys (`local`) asks what `aws-config` knows, which renews what it got.
///
/// # Errors
/// [`SetupError::NoCredentials`]
pub fn credentials(lookup: &Lookup<'_>) -> Result<Credentials, SetupError> {
    let (Some(id), Some(secret)) = (given(lookup, "AWS_ACCESS_KEY_ID"), given(lookup, "AWS_SECRET_ACCESS_KEY")) else {
        return Err(SetupError::NoCredentials);
    };
    Ok(Credentials::new(id, secret, given(lookup, "AWS_SESSION_TOKEN"), None, "environment"))
}

/// What to do where a service does not take the credentials, by the code of its refusal; nothing where it is something else.
pub fn remedy(code: &str) -> Option<&'static str> {
    match code {
        "ExpiredTokenException" => Some(
            "the credentials of this process have expired, and those in AWS_ACCESS_KEY_ID are never renewed: start it again with \
             new ones, or without that variable, so that AWS_PROFILE or AWS_CONTAINER_CREDENTIALS_FULL_URI is asked again each time",
        ),
        "UnrecognizedClientException" | "InvalidClientTokenId" => Some(
            "AWS does not know the credentials of this process, or not any more: check AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN, \
             or the profile, and start it again",
        ),
        _ => None,
    }
}

/// Where a service is, if the environment says so: `AWS_ENDPOINT_URL_{service}`, else `AWS_ENDPOINT_URL`.
///
/// # Errors
/// [`SetupError::NoAddress`] for what no client could ask.
pub fn endpoint(lookup: &Lookup<'_>, service: &str) -> Result<Option<String>, SetupError> {
    let names = [format!("AWS_ENDPOINT_URL_{service}"), "AWS_ENDPOINT_URL".to_owned()];
    let found = names.into_iter().find_map(|name| Some((given(lookup, &name)?, name)));
    let Some((value, name)) = found else { return Ok(None) };
    if is_address(&value) { Ok(Some(value)) } else { Err(SetupError::NoAddress { name, value }) }
}

/// Whether a text is a scheme that is asked over HTTP, a host and perhaps a port and a path.
fn is_address(text: &str) -> bool {
    let Ok(uri) = text.parse::<http::Uri>() else { return false };
    let (scheme, authority) = (uri.scheme_str(), uri.authority());
    let is_port = |authority: &http::uri::Authority| {
        let after_host = authority.as_str().rsplit_once('@').map_or(authority.as_str(), |(_, rest)| rest);
        let rest = after_host.strip_prefix(authority.host());
        rest.is_some_and(|rest| rest.is_empty() || rest != ":" && authority.port_u16().is_some())
    };
    matches!(scheme, Some("http" | "https")) && authority.is_some_and(|all| !all.host().is_empty() && is_port(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_address_or_the_variable_is_named() {
        let of = |name: &'static str, value: &'static str| {
            endpoint(&move |asked| (asked == name).then(|| value.to_owned()), "DYNAMODB")
                .map_err(|error| error.to_string())
        };
        for good in [
            "http://127.0.0.1:8000",
            "https://vpce-1.dynamodb.eu-west-1.vpce.amazonaws.com",
            "http://[::1]:8000/",
            "http://db",
        ] {
            assert_eq!(of("AWS_ENDPOINT_URL", good).unwrap().as_deref(), Some(good));
        }
        for bad in [
            "127.0.0.1:8000",
            "http//x",
            "http://",
            "http://127.0.0.1:99999",
            "http://db:",
            "ftp://db",
            "http://a b",
            "/x",
        ] {
            let said = of("AWS_ENDPOINT_URL_DYNAMODB", bad).unwrap_err();
            assert!(
                said.starts_with(&format!("AWS_ENDPOINT_URL_DYNAMODB is `{bad}`; it must be an address")),
                "{said}"
            );
        }
        assert_eq!(of("AWS_ENDPOINT_URL_KMS", "x").unwrap(), None);
        assert_eq!(of("AWS_ENDPOINT_URL", "").unwrap(), None);
    }
}
