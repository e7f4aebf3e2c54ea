//! One request to a registry and its answer, over HTTP/1.1 and TLS.
//!
//! Not `oci-client`: it cannot go on with an upload that broke, does not wait as `Retry-After` asks, and brings another
//! HTTP stack with it. The five requests that a push needs are quickly written over `ureq`, which is synchronous.

use std::io::{self, Read};
use std::time::Duration;

use infragen::image::retry;
use ureq::http::{Method, Request, Response, Uri};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body, SendBody};

/// Time to find a host and to connect.
const CONNECT_LIMIT: Duration = Duration::from_secs(15);
/// Longest silence while something is sent or received. The whole may take as long as the line needs.
const SILENCE_LIMIT: Duration = Duration::from_secs(60);
/// Most of an answer's body: registries take manifests up to 4 MiB.
const ANSWER_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Bytes that are handed to the line at once, and so how finely progress is known.
const PIECE_BYTES: usize = 32 * 1024;

/// What to ask.
pub(super) struct Asked<'a> {
    pub(super) method: Method,
    pub(super) url: &'a str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<&'a [u8]>,
    /// Told how many bytes of the body have been handed to the line.
    pub(super) progress: Option<&'a dyn Fn(usize)>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(method: Method, url: &'a str) -> Self {
        Self { method, url, headers: Vec::new(), body: None, progress: None }
    }
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    response: Response<()>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// All values of a header.
    pub(super) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.response.headers().get_all(name).iter().filter_map(|value| value.to_str().ok())
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        retry::retry_after(self.header("retry-after")?)
    }
}

/// Why nothing came back.
pub(super) enum Silence {
    /// Another try may help.
    Passing(String),
    /// None will: the other side's certificate is not good.
    Untrusted(String),
    /// None will.
    Final(String),
}

/// Something that sends requests.
pub(super) struct Wire(Agent);

impl Wire {
    /// `is_direct` leaves proxies of the environment aside.
    pub(super) fn new(is_direct: bool) -> Self {
        // The machine's own certificates first, because a company may have its own; Mozilla's where the machine has none.
        let own: Vec<Certificate<'static>> = rustls_native_certs::load_native_certs()
            .certs
            .iter()
            .map(|certificate| Certificate::from_der(certificate.as_ref()).to_owned())
            .collect();
        let roots = if own.is_empty() { RootCerts::WebPki } else { RootCerts::new_with_certs(&own) };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // A registry that sends somewhere else would get the credentials carried along.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("infragen/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .timeout_resolve(Some(CONNECT_LIMIT))
            .timeout_connect(Some(CONNECT_LIMIT))
            .timeout_per_read(Some(SILENCE_LIMIT))
            .timeout_per_write(Some(SILENCE_LIMIT))
            .timeout_recv_response(Some(SILENCE_LIMIT));
        let config = if is_direct { config.proxy(None) } else { config };
        Self(config.build().new_agent())
    }

    /// Sends one request, once.
    pub(super) fn ask(&self, asked: &Asked<'_>) -> Result<Answer, Silence> {
        let uri: Uri = asked.url.parse().map_err(|_| Silence::Final(format!("`{}` is no address", asked.url)))?;
        let mut request = Request::builder().method(asked.method.clone()).uri(uri);
        for (name, value) in &asked.headers {
            request = request.header(*name, value);
        }
        let sent = match asked.body {
            None => self.0.run(request.body(()).map_err(malformed)?),
            Some(bytes) => {
                let mut body = Counted { rest: bytes, sent: 0, progress: asked.progress };
                let request = request.header("content-length", bytes.len());
                self.0.run(request.body(SendBody::from_reader(&mut body)).map_err(malformed)?)
            }
        };
        let (head, mut body) = sent.map_err(|error| silence(&error))?.into_parts();
        let body = read(&mut body).map_err(|error| silence(&error))?;
        Ok(Answer { status: head.status.as_u16(), response: Response::from_parts(head, ()), body })
    }
}

fn read(body: &mut Body) -> Result<Vec<u8>, ureq::Error> {
    body.with_config().limit(ANSWER_BYTES_MAX).read_to_vec()
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of `map_err`")]
fn malformed(error: ureq::http::Error) -> Silence {
    Silence::Final(error.to_string())
}

fn silence(error: &ureq::Error) -> Silence {
    match error {
        ureq::Error::Io(error) => match error.kind() {
            // What rustls finds wrong with a certificate comes as such an error.
            io::ErrorKind::InvalidData if error.to_string().contains("certificate") => {
                Silence::Untrusted(error.to_string())
            }
            io::ErrorKind::InvalidData => Silence::Final(error.to_string()),
            // The system's words for a name that there is not; that nobody could be asked is another text, and passes.
            _ if is_unknown_name(&error.to_string()) => Silence::Final(error.to_string()),
            _ => Silence::Passing(error.to_string()),
        },
        ureq::Error::Timeout(_) | ureq::Error::ConnectionFailed | ureq::Error::BodyStalled => {
            Silence::Passing(error.to_string())
        }
        // An answer that is cut in the middle of its head is bad HTTP.
        ureq::Error::Protocol(_) => Silence::Passing(error.to_string()),
        ureq::Error::HostNotFound => Silence::Final("there is no such host".to_owned()),
        other => Silence::Final(other.to_string()),
    }
}

fn is_unknown_name(text: &str) -> bool {
    text.starts_with("failed to lookup address information") && !text.contains("Temporary")
}

/// A body that says how far it is.
struct Counted<'a> {
    rest: &'a [u8],
    sent: usize,
    progress: Option<&'a dyn Fn(usize)>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(PIECE_BYTES);
        let count = self.rest.read(&mut buffer[..length])?;
        self.sent += count;
        if let Some(progress) = self.progress {
            progress(self.sent);
        }
        Ok(count)
    }
}
