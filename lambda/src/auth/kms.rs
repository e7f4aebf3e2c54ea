//! AWS KMS, one operation of it: `GenerateMac`.
//!
//! One request at a cold start is not worth a generated client: it is signed with the SDK's own signer and sent with the
//! SDK's own HTTP client, which are in the program anyway.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contract::{KeyId, Lookup};
use serde::Deserialize;

use super::fetch::{Fetch, FetchError};
use crate::aws_env::{self, SetupError};
use stream_core::timestamp::Timestamp;

/// Why KMS gave no code.
#[derive(Debug, thiserror::Error)]
pub(super) enum KmsError {
    /// It cannot be reached, or not now.
    #[error("KMS does not answer: {0}")]
    Unavailable(String),
    /// The key is gone, switched off or not ours to use.
    #[error("KMS refuses: {0}")]
    Refused(String),
}

impl From<FetchError> for KmsError {
    fn from(error: FetchError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// What KMS says when a key can not be used, now or ever. Missing rights are not among them: they may be on their way.
const KEY_IS_GONE: [&str; 3] = ["NotFoundException", "DisabledException", "KMSInvalidStateException"];

/// KMS of one region.
pub(super) struct Kms {
    fetch: Fetch,
    url: String,
    region: String,
    credentials: Credentials,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Mac")]
    mac: String,
}

#[derive(Deserialize)]
struct Fault {
    #[serde(rename = "__type")]
    kind: String,
}

impl Kms {
    /// Sets the client up from the environment alone, without a request.
    pub(super) fn from_env(lookup: &Lookup<'_>) -> Result<Self, SetupError> {
        let region = aws_env::region(lookup)?;
        let credentials = aws_env::credentials(lookup)?;
        let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let url = aws_env::endpoint(lookup, "KMS")?
            .map_or_else(|| format!("https://kms.{region}.{suffix}/"), |url| format!("{}/", url.trim_end_matches('/')));
        Ok(Self { fetch: Fetch::of_aws(lookup), url, region, credentials })
    }

    /// Returns the HMAC-SHA-256 of a message under a key that never leaves KMS.
    pub(super) async fn generate_mac(&self, key: &KeyId, message: &[u8], now: Timestamp) -> Result<Vec<u8>, KmsError> {
        let input = serde_json::json!({
            "KeyId": key.as_str(), "Message": STANDARD.encode(message), "MacAlgorithm": "HMAC_SHA_256",
        });
        let request = self.request(input.to_string(), now).map_err(|error| KmsError::Unavailable(error.to_string()))?;
        let (status, body) = self.fetch.send(request).await?;
        if status != 200 {
            let kind = serde_json::from_slice::<Fault>(&body).map(|fault| fault.kind).unwrap_or_default();
            let kind = kind.rsplit('#').next().unwrap_or_default();
            let remedy = aws_env::remedy(kind).map(|remedy| format!("; {remedy}")).unwrap_or_default();
            let said = format!("{status} {}{remedy}", kind.escape_debug());
            return Err(if KEY_IS_GONE.contains(&kind) {
                KmsError::Refused(said)
            } else {
                KmsError::Unavailable(said)
            });
        }
        let mac = serde_json::from_slice::<Answer>(&body).ok().and_then(|answer| STANDARD.decode(answer.mac).ok());
        mac.filter(|mac| mac.len() == 32)
            .ok_or_else(|| KmsError::Unavailable("the answer has no code of 32 bytes".into()))
    }

    fn request(
        &self,
        body: String,
        now: Timestamp,
    ) -> Result<http::Request<String>, Box<dyn std::error::Error + Send + Sync>> {
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "TrentService.GenerateMac")];
        let identity = self.credentials.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("kms")
            .time(SystemTime::UNIX_EPOCH + Duration::from_millis(now.millis()))
            .settings(SigningSettings::default())
            .build()?
            .into();
        let mut request = http::Request::post(&self.url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let signable =
            SignableRequest::new("POST", &self.url, headers.into_iter(), SignableBody::Bytes(body.as_bytes()))?;
        let (instructions, _) = sign(signable, &params)?.into_parts();
        let mut request = request.body(body)?;
        instructions.apply_to_request_http1x(&mut request);
        Ok(request)
    }
}
