//! The life of an issuer's keys, with the clock turned by hand and a server on loopback.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use contract::{AuthUrl, IssuerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::issuer::{Issuer, KeysSource};
use super::jwk::{Algorithm, Wanted};
use super::user::Denied;

/// A server that answers every request with the same text, which a test may change; nothing is no answer.
struct Server {
    url: String,
    text: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let (text, asked) = (Arc::new(Mutex::new(String::new())), Arc::new(AtomicUsize::new(0)));
        let (answer, count) = (Arc::clone(&text), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let body = answer.lock().unwrap().clone();
                count.fetch_add(1, Ordering::Relaxed);
                if !body.is_empty() {
                    let mut request = [0; 2048];
                    let _read = stream.read(&mut request).await;
                    let head =
                        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                    let _written = stream.write_all((head + &body).as_bytes()).await;
                }
            }
        });
        Self { url, text, asked }
    }

    fn has_keys(&self, kids: &[&str]) {
        let key = |kid: &&str| serde_json::json!({ "kty": "RSA", "kid": kid, "n": "AQAB", "e": "AQAB" });
        let set = serde_json::json!({ "keys": kids.iter().map(key).collect::<Vec<_>>() });
        *self.text.lock().unwrap() = set.to_string();
    }

    fn is_down(&self) {
        self.text.lock().unwrap().clear();
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

/// Turns the clock, and lets time go on by itself again: there is a real connection to wait for.
async fn pass(secs: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(secs)).await;
    tokio::time::resume();
}

async fn knows(issuer: &Arc<Issuer>, kid: &str) -> Result<bool, Denied> {
    let wanted = Wanted { kid: Some(kid), algorithm: Algorithm::Rs256 };
    issuer.keys_with(wanted).await.map(|keys| keys.has(wanted))
}

#[tokio::test]
async fn keys_come_and_go_with_the_issuer_and_outlive_its_absence() {
    let server = Server::start().await;
    let url = AuthUrl::new(&server.url).unwrap();
    let issuer = Arc::new(Issuer::new(IssuerName::new("stytch.com/project-1").unwrap(), KeysSource::At(url)));
    server.has_keys(&["a"]);
    issuer.warm_up().await;
    assert_eq!((knows(&issuer, "a").await, server.asked()), (Ok(true), 1));

    // A new key is fetched when it is used, but not at once again.
    server.has_keys(&["a", "b"]);
    assert_eq!((knows(&issuer, "b").await, server.asked()), (Ok(false), 1));
    pass(31).await;
    let floods = (0..50).map(|n| {
        let issuer = Arc::clone(&issuer);
        tokio::spawn(async move { knows(&issuer, if n == 49 { "b" } else { "x" }).await })
    });
    for (n, flood) in floods.collect::<Vec<_>>().into_iter().enumerate() {
        assert_eq!(flood.await.unwrap(), Ok(n == 49), "{n}");
    }
    assert_eq!(server.asked(), 2, "all who waited share one fetch");

    // A key that the issuer took back is not used for longer than keys are fresh, and no request waits for that.
    server.has_keys(&["b"]);
    pass(601).await;
    assert_eq!(knows(&issuer, "a").await, Ok(true));
    let refreshed = async {
        while knows(&issuer, "a").await != Ok(false) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), refreshed).await.expect("it is fetched in the background");
    assert_eq!(server.asked(), 3);

    // Down: the keys that are known work for a day, and others cannot be decided about.
    server.is_down();
    pass(700).await;
    assert_eq!(knows(&issuer, "b").await, Ok(true));
    assert_eq!(knows(&issuer, "c").await, Err(Denied::Unavailable));
    pass(85_000).await;
    assert_eq!(knows(&issuer, "b").await, Ok(true));
    pass(2_000).await;
    assert_eq!(knows(&issuer, "b").await, Err(Denied::Unavailable));
    server.has_keys(&["b", "c"]);
    pass(3).await;
    assert_eq!(knows(&issuer, "c").await, Ok(true));
}
