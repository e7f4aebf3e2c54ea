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

/// Credentials that stand in the environment, as they do on Lambda.
///
/// # Errors
/// [`SetupError::NoCredentials`]
pub fn credentials(lookup: &Lookup<'_>) -> Result<Credentials, SetupError> {
    let (Some(id), Some(secret)) = (given(lookup, "AWS_ACCESS_KEY_ID"), given(lookup, "AWS_SECRET_ACCESS_KEY")) else {
        return Err(SetupError::NoCredentials);
    };
    Ok(Credentials::new(id, secret, given(lookup, "AWS_SESSION_TOKEN"), None, "environment"))
}

/// Where a service is, if the environment says so: `AWS_ENDPOINT_URL_{service}`, else `AWS_ENDPOINT_URL`.
pub fn endpoint(lookup: &Lookup<'_>, service: &str) -> Option<String> {
    given(lookup, &format!("AWS_ENDPOINT_URL_{service}")).or_else(|| given(lookup, "AWS_ENDPOINT_URL"))
}
