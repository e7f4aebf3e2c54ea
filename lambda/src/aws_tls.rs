//! The way to AWS: TLS that trusts Amazon's own roots, and those of the system where these do not do.
//!
//! Reading the system's, some hundred and forty, is three quarters of what a start computes before it reads the table. The endpoints of
//! DynamoDB and KMS have certificates of Amazon Trust Services, which asks for all five of these roots in a list of one's own
//! (<https://www.amazontrust.com/repository/>). Where a certificate is of another (a different partition, a proxy of one's own, a
//! root to come), its handshake fails before anything was sent: the request is then sent with the system's roots, and so is
//! every other one from then on. A plain endpoint needs none.

use std::error::Error;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use contract::Lookup;
use rustls::CertificateError::UnknownIssuer;

/// Time one connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Amazon Root CA 1 to 4, and Starfield Services Root CA G2. None ends before 2037.
const AMAZON_ROOTS: &str = include_str!("amazon_roots.pem");
/// Variables by which people say whom to trust; who does is taken at their word.
const TRUST_VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Returns connections to AWS that are kept, for one client of them.
pub(crate) fn connector(lookup: &Lookup<'_>) -> SharedHttpConnector {
    if TRUST_VARIABLES.iter().any(|name| lookup(name).is_some()) {
        return with_roots(TrustStore::default());
    }
    let amazon = with_roots(TrustStore::empty().with_pem_certificate(AMAZON_ROOTS));
    SharedHttpConnector::new(Either { amazon, system: Arc::default(), make: || with_roots(TrustStore::default()) })
}

fn with_roots(roots: TrustStore) -> SharedHttpConnector {
    let context = TlsContext::builder().with_trust_store(roots).build().expect("a trust store is all that it needs");
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build();
    let builder = Connector::builder().connector_settings(settings);
    SharedHttpConnector::new(builder.tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(context).build())
}

/// Amazon's roots, and once they did not do, the system's.
#[derive(Debug)]
struct Either {
    amazon: SharedHttpConnector,
    system: Arc<OnceLock<SharedHttpConnector>>,
    make: fn() -> SharedHttpConnector,
}

impl HttpConnector for Either {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if let Some(system) = self.system.get() {
            return system.call(request);
        }
        // Only a body that comes while it is sent cannot be sent twice, and ours are whole.
        let again = request.try_clone();
        let (answer, system, make) = (self.amazon.call(request), Arc::clone(&self.system), self.make);
        HttpConnectorFuture::new(async move {
            match (answer.await, again) {
                (Err(error), Some(again)) if is_of_others(&error) => system.get_or_init(make).call(again).await,
                (answer, _) => answer,
            }
        })
    }
}

/// Whether a certificate was refused because none of the roots vouches for it.
fn is_of_others(error: &(dyn Error + 'static)) -> bool {
    // The source of an error of the system is not what it carries, but the source of that.
    let causes = std::iter::successors(Some(error), |&error| match error.downcast_ref::<io::Error>() {
        Some(system) => system.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    });
    causes
        .filter_map(|error| error.downcast_ref::<rustls::Error>())
        .any(|error| *error == rustls::Error::InvalidCertificate(UnknownIssuer))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::path::Path;
    use std::process::{Child, Command, Stdio};
    use std::sync::atomic::{AtomicUsize, Ordering};

    use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use rustls::CertificateError;

    use super::*;

    /// Fails with that error, or answers with 200.
    #[derive(Debug)]
    struct Fake(Option<CertificateError>, Arc<AtomicUsize>);

    impl HttpConnector for Fake {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            self.1.fetch_add(1, Ordering::Relaxed);
            HttpConnectorFuture::ready(match &self.0 {
                Some(error) => {
                    // As hyper-rustls and tokio-rustls nest it.
                    let error = io::Error::other(io::Error::new(
                        io::ErrorKind::InvalidData,
                        rustls::Error::InvalidCertificate(error.clone()),
                    ));
                    Err(ConnectorError::io(error.into()))
                }
                None => Ok(HttpResponse::new(StatusCode::try_from(200).unwrap(), SdkBody::empty())),
            })
        }
    }

    async fn check(error: Option<CertificateError>, answers: bool, asked_for_two: usize) {
        let asked = Arc::<AtomicUsize>::default();
        let amazon = SharedHttpConnector::new(Fake(error, Arc::clone(&asked)));
        let make = || SharedHttpConnector::new(Fake(None, Arc::default()));
        let either = Either { amazon, system: Arc::default(), make };
        for _ in 0..2 {
            assert_eq!(either.call(HttpRequest::new(SdkBody::from("{}"))).await.is_ok(), answers);
        }
        assert_eq!(asked.load(Ordering::Relaxed), asked_for_two);
    }

    #[tokio::test]
    async fn the_systems_roots_are_asked_where_amazons_do_not_know_an_issuer_and_only_then() {
        check(None, true, 2).await;
        check(Some(UnknownIssuer), true, 1).await;
        check(Some(CertificateError::Expired), false, 2).await;
        check(Some(CertificateError::NotValidForName), false, 2).await;
    }

    /// A server whose certificate nobody vouches for, and its port.
    fn stranger(folder: &Path) -> (Child, String) {
        let openssl = |arguments: &[&str]| {
            let mut command = Command::new("openssl");
            command.args(arguments).current_dir(folder).stdin(Stdio::null()).stderr(Stdio::null());
            command
        };
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key.pem"];
        let named = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
        let made = ["req", "-x509", "-days", "2", "-addext", "basicConstraints=critical,CA:FALSE", "-out", "own.pem"];
        let made = openssl(&[&made[..], &key, &named].concat()).status().unwrap();
        assert!(made.success());
        let serve = ["s_server", "-accept", "127.0.0.1:0", "-www", "-cert", "own.pem", "-key", "key.pem"];
        let mut server = openssl(&serve).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(server.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.filter_map(|line| line.strip_prefix("ACCEPT 127.0.0.1:").map(str::to_owned)).next();
        (server, port.expect("it says where it listens"))
    }

    #[tokio::test]
    async fn a_certificate_of_strangers_is_known_by_its_error() {
        let folder = std::env::temp_dir().join(format!("strangers-{:016x}", fastrand::u64(..)));
        std::fs::create_dir(&folder).unwrap();
        let (mut server, port) = stranger(&folder);
        let mut request = HttpRequest::new(SdkBody::empty());
        request.set_uri(format!("https://localhost:{port}/")).unwrap();
        let amazon = with_roots(TrustStore::empty().with_pem_certificate(AMAZON_ROOTS));
        let answer = amazon.call(request).await;
        server.kill().unwrap();
        server.wait().unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        let error = answer.unwrap_err();
        assert!(is_of_others(&error), "{error:?}");
    }

    #[test]
    fn amazons_roots_are_read_and_who_names_others_has_them() {
        assert_eq!(AMAZON_ROOTS.matches("BEGIN CERTIFICATE").count(), 5);
        let is_either = |lookup: &Lookup<'_>| format!("{:?}", connector(lookup)).contains("Either");
        assert!(is_either(&|_| None));
        assert!(!is_either(&|name| (name == "SSL_CERT_DIR").then(|| "/nowhere".into())));
    }
}
