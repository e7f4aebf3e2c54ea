//! Where a request comes from, as the server that accepted it says.

use std::convert::Infallible;
use std::sync::Once;

use axum::extract::FromRequestParts;
use contract::{ClientAddress, routes};
use http::HeaderMap;
use http::request::Parts;
use tracing::Span;

use crate::client_key::ClientKey;
use crate::watch::logs::MEASURED;

/// What the platform says of a request; the server that accepted it puts this into the extensions.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// Name of the request in the logs.
    pub request_id: String,
    /// Trace header of X-Ray, where there is one.
    pub trace_id: Option<String>,
    /// Who the other end of the connection counts as, where its address is known.
    pub source: Option<ClientKey>,
    /// When the platform cuts the invocation off, where it does.
    pub deadline: Option<tokio::time::Instant>,
}

impl<S: Sync> FromRequestParts<S> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

impl Origin {
    /// Returns what the client counts as, where its address is known.
    ///
    /// `X-Forwarded-For` is never asked: a client writes what it likes into it, and of what CloudFront appends a Function URL
    /// keeps the first address only. CloudFront sets its own header whatever the client wrote there, and where that is asked
    /// nobody else can reach the function.
    #[must_use]
    pub fn client(&self, read: ClientAddress, headers: &HeaderMap) -> Option<ClientKey> {
        match read {
            ClientAddress::Connection => self.source,
            ClientAddress::CloudFront => {
                let viewer = viewer(headers);
                if viewer.is_none() {
                    UNNAMED.call_once(|| {
                        let header = routes::VIEWER_ADDRESS_HEADER;
                        tracing::warn!(
                            header,
                            "a request names no client, ADDRESS:PORT: it is limited by no address; said once"
                        );
                    });
                }
                viewer
            }
        }
    }
}

/// Said once: whatever stands before may leave it out of every request.
static UNNAMED: Once = Once::new();

fn viewer(headers: &HeaderMap) -> Option<ClientKey> {
    let last = headers.get_all(routes::VIEWER_ADDRESS_HEADER).iter().next_back()?.to_str().ok()?;
    // ADDRESS:PORT, an IPv6 address without brackets too. Without a port it would name no client.
    let (address, _port) = last.rsplit(',').next()?.trim().rsplit_once(':')?;
    ClientKey::parse(address.trim_matches(['[', ']']))
}

/// What every line that is logged while a request is answered says of it.
#[must_use]
pub fn request_span(origin: &Origin) -> Span {
    let (request_id, trace_id) = (&origin.request_id, &origin.trace_id);
    tracing::info_span!(target: MEASURED, "request", %request_id, trace_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clients_address_is_what_the_front_says_and_nothing_else() {
        let key = ClientKey::parse;
        let origin = Origin { source: key("192.0.2.1"), ..Origin::default() };
        let mut headers = HeaderMap::new();
        let forged = http::HeaderValue::from_static("203.0.113.9");
        headers.insert("x-forwarded-for", forged.clone());
        headers.insert("forwarded", forged);
        assert_eq!(origin.client(ClientAddress::CloudFront, &headers), None);
        for (said, expected) in [
            ("198.51.100.10:46532", Some("198.51.100.10")),
            ("2001:db8::1:443", Some("2001:db8::1")),
            ("2001:0DB8:0::1:443", Some("2001:db8::1")),
            ("[2001:db8::1]:443", Some("2001:db8::1")),
            ("203.0.113.9:1, 198.51.100.10:46532", Some("198.51.100.10")),
            ("198.51.100.10", None),
            ("somewhere:1", None),
            ("", None),
        ] {
            headers.insert(routes::VIEWER_ADDRESS_HEADER, http::HeaderValue::from_static(said));
            assert_eq!(origin.client(ClientAddress::CloudFront, &headers), expected.and_then(key), "{said}");
            assert_eq!(origin.client(ClientAddress::Connection, &headers), key("192.0.2.1"), "{said}");
        }
    }
}
