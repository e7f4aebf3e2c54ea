//! A proxy between a function and DynamoDB Local that can be told to hang, fail, throttle or refuse, and that remembers.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::clock::until;
use super::dynamodb;
use super::http1::{Connection, Head};
use super::process::lock;

/// What the proxy does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Passes it on.
    Pass,
    /// Passes it on 200 ms later.
    Slow,
    /// Takes it and never answers.
    Hang,
    /// 500 `InternalServerError`, as DynamoDB words it.
    Fail,
    /// 400 `ProvisionedThroughputExceededException`.
    Throttle,
    /// 400 `ThrottlingException`.
    ThrottleAccount,
    /// Passes everything on but a `Scan`, which the role may not.
    DenyScan,
    /// 400 `ExpiredTokenException`: the credentials were good for a while.
    Expire,
    /// Nobody listens on the port.
    Refuse,
}

/// How much later a slow answer comes.
const SLOW: Duration = Duration::from_millis(200);

/// One request and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    /// When it arrived.
    pub at: Instant,
    /// `Query`, `Scan`, …
    pub operation: String,
    /// Name of the key that it is signed with.
    pub key: String,
    /// What the program sent.
    pub request: Value,
    /// What it got; `Null` where it got nothing.
    pub response: Value,
    /// Status it got; 0 where it got none.
    pub status: u16,
    /// What the proxy did with it.
    mode: Mode,
}

impl Exchange {
    /// Read units that DynamoDB counted.
    pub(crate) fn units(&self) -> f64 {
        let consumed = &self.response["ConsumedCapacity"];
        // Of a batch there is one for each table.
        let all = consumed.as_array().map_or(std::slice::from_ref(consumed), Vec::as_slice);
        all.iter().filter_map(|one| one["CapacityUnits"].as_f64()).sum()
    }

    /// Whether it queried this index.
    pub(crate) fn is_query_of(&self, index: &str) -> bool {
        self.operation == "Query" && self.request["IndexName"] == index
    }

    /// The values of the key condition, as one text.
    pub(crate) fn values(&self) -> Vec<String> {
        let values = self.request["ExpressionAttributeValues"].as_object();
        values.into_iter().flatten().filter_map(|(_, value)| value["S"].as_str().map(str::to_owned)).collect()
    }
}

/// A proxy on a port of its own.
pub(crate) struct Proxy {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    exchanges: Arc<Mutex<Vec<Exchange>>>,
    losses: Arc<Mutex<Vec<&'static str>>>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Starts in front of the shared DynamoDB Local, passing everything.
    pub(crate) async fn start() -> Self {
        Self::start_before(dynamodb::address()).await
    }

    /// Starts in front of the DynamoDB Local at this address.
    pub(crate) async fn start_before(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (mode, changes) = watch::channel(Mode::Pass);
        let (exchanges, losses) = (Arc::default(), Arc::default());
        let seen = Seen { exchanges: Arc::clone(&exchanges), losses: Arc::clone(&losses) };
        let task = tokio::spawn(serve(listener, upstream, changes, seen));
        Self { address, mode, exchanges, losses, task }
    }

    /// Where the program is to connect.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what happens from the next request on.
    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// Passes the next request of this operation on, and breaks the connection in place of the answer.
    pub(crate) fn lose(&self, operation: &'static str) {
        lock(&self.losses).push(operation);
    }

    /// Waits until everything that came before the last change has its answer, and is not under way any more.
    pub(crate) async fn settled(&self, limit: Duration) {
        let count = lock(&self.exchanges).len();
        let is_refused = *self.mode.borrow() == Mode::Refuse;
        let answered = || lock(&self.exchanges)[..count].iter().all(|one| one.status != 0 || one.mode != Mode::Pass);
        until("answers to what is under way", limit, || (is_refused || answered()).then_some(())).await;
    }

    /// Everything so far.
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        lock(&self.exchanges).clone()
    }

    /// How many requests of this operation there were.
    pub(crate) fn count(&self, operation: &str) -> usize {
        lock(&self.exchanges).iter().filter(|one| one.operation == operation).count()
    }

    /// Waits for so many more answered requests than there are now, and returns them.
    pub(crate) async fn more(&self, count: usize, limit: Duration) -> Vec<Exchange> {
        let from = lock(&self.exchanges).len();
        let answered = || {
            let all = lock(&self.exchanges);
            all.get(from..from + count).filter(|new| new.iter().all(|one| one.status != 0)).map(<[Exchange]>::to_vec)
        };
        until(&format!("{count} more requests to the table"), limit, answered).await
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What the connections share.
#[derive(Clone)]
struct Seen {
    exchanges: Arc<Mutex<Vec<Exchange>>>,
    /// Operations whose next answer is lost.
    losses: Arc<Mutex<Vec<&'static str>>>,
}

impl Seen {
    fn is_lost(&self, operation: &str) -> bool {
        let mut losses = lock(&self.losses);
        losses.iter().position(|lost| *lost == operation).map(|index| losses.remove(index)).is_some()
    }
}

async fn serve(listener: TcpListener, upstream: SocketAddr, mut mode: watch::Receiver<Mode>, seen: Seen) {
    let address = listener.local_addr().expect("a bound socket has an address");
    let mut listener = Some(listener);
    let mut connections = tokio::task::JoinSet::new();
    loop {
        if *mode.borrow_and_update() == Mode::Refuse {
            listener = None;
            connections.abort_all();
            if mode.wait_for(|mode| *mode != Mode::Refuse).await.is_err() {
                return;
            }
        }
        let bound = match listener.take() {
            Some(bound) => bound,
            None => TcpListener::bind(address).await.expect("nobody else takes the port meanwhile"),
        };
        let bound = listener.insert(bound);
        tokio::select! {
            accepted = bound.accept() => {
                let Ok((stream, _)) = accepted else { return };
                let (mode, seen) = (mode.clone(), seen.clone());
                connections.spawn(async move { drop(client(Connection::new(stream), upstream, mode, &seen).await) });
            }
            changed = mode.changed() => if changed.is_err() { return },
        }
    }
}

async fn client(
    mut client: Connection,
    upstream: SocketAddr,
    mode: watch::Receiver<Mode>,
    seen: &Seen,
) -> io::Result<()> {
    let mut server = None;
    while let Some(head) = client.head().await? {
        let (body, _) = client.body(head.body()?).await?;
        let operation = head.get("x-amz-target").unwrap_or_default();
        let operation = operation.rsplit('.').next().unwrap_or_default().to_owned();
        let request: Value = serde_json::from_slice(&body).unwrap_or_default();
        let key = signing_key(&head);
        let (index, now) = {
            let mut all = lock(&seen.exchanges);
            let (at, response, now) = (Instant::now(), Value::Null, *mode.borrow());
            let operation = operation.clone();
            all.push(Exchange { at, operation, key, request: request.clone(), response, status: 0, mode: now });
            (all.len() - 1, now)
        };
        let (status, response) = match (now, refusal(now, &operation)) {
            (_, Some(refusal)) => refusal,
            (Mode::Hang, _) => {
                client.closed().await;
                return Ok(());
            }
            (Mode::Refuse, _) => return Ok(()),
            _ => {
                if now == Mode::Slow {
                    tokio::time::sleep(SLOW).await;
                }
                if server.is_none() {
                    server = Some(Connection::open(upstream, None).await?);
                }
                let answer = pass(server.as_mut().expect("just opened"), &head, request).await?;
                if seen.is_lost(&operation) {
                    return Ok(());
                }
                answer
            }
        };
        {
            let mut all = lock(&seen.exchanges);
            all[index].status = status;
            all[index].response = serde_json::from_slice(&response).unwrap_or_default();
        }
        let head = format!(
            "HTTP/1.1 {status} Proxied\r\nContent-Type: application/x-amz-json-1.0\r\nx-amzn-RequestId: PROXY\r\nContent-Length: {}\r\n\r\n",
            response.len()
        );
        client.write(&[head.as_bytes(), &response].concat()).await?;
    }
    Ok(())
}

/// What DynamoDB says in its place, in that mode; nothing where it is asked, or says nothing.
fn refusal(mode: Mode, operation: &str) -> Option<(u16, Vec<u8>)> {
    Some(match mode {
        Mode::Fail => {
            (500, error("com.amazonaws.dynamodb.v20120810#InternalServerError", "The request processing has failed."))
        }
        Mode::Throttle => (
            400,
            error(
                "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
                "The level of configured provisioned throughput for the table was exceeded.",
            ),
        ),
        Mode::ThrottleAccount => (400, error("com.amazon.coral.availability#ThrottlingException", "Rate exceeded")),
        Mode::Expire => (
            400,
            error(
                "com.amazon.coral.service#ExpiredTokenException",
                "The security token included in the request is expired",
            ),
        ),
        Mode::DenyScan if operation == "Scan" => (
            400,
            error(
                "com.amazon.coral.service#AccessDeniedException",
                "User: arn:aws:sts::123456789012:assumed-role/stream/stream is not authorized to perform: dynamodb:Scan",
            ),
        ),
        _ => return None,
    })
}

/// Name of the key in the signature, `AWS4-HMAC-SHA256 Credential=KEY/DATE/…`.
fn signing_key(head: &Head) -> String {
    let signature = head.get("authorization").unwrap_or_default();
    let key = signature.split_once("Credential=").and_then(|(_, rest)| rest.split_once('/'));
    key.map_or_else(String::new, |(key, _)| key.to_owned())
}

/// Sends the request on, asking for the consumed units whether or not the program did.
async fn pass(server: &mut Connection, head: &Head, mut request: Value) -> io::Result<(u16, Vec<u8>)> {
    request["ReturnConsumedCapacity"] = json!("TOTAL");
    let body = request.to_string().into_bytes();
    let mut bytes = format!("{}\r\n", head.start).into_bytes();
    for (name, value) in &head.headers {
        if !["content-length", "accept-encoding", "transfer-encoding"].contains(&name.to_ascii_lowercase().as_str()) {
            bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
    }
    bytes.extend(format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes());
    bytes.extend(body);
    server.write(&bytes).await?;
    let head = server.head().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
    let (body, _) = server.body(head.body()?).await?;
    Ok((head.word(1).parse().unwrap_or(502), body))
}

fn error(kind: &str, message: &str) -> Vec<u8> {
    json!({ "__type": kind, "message": message }).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::super::client::Request;
    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    fn list(proxy: &Proxy) -> Request {
        Request::new(proxy.address(), "POST", "/")
            .header("X-Amz-Target", "DynamoDB_20120810.ListTables")
            .header("Authorization", "AWS4-HMAC-SHA256 Credential=tests/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
            .json(&json!({ "Limit": 1 }))
    }

    #[tokio::test]
    async fn every_mode_can_be_switched_on_and_off_again() {
        let proxy = Proxy::start().await;
        assert_eq!(list(&proxy).send().await.status(), 200);
        proxy.set(Mode::Fail);
        assert_eq!(list(&proxy).send().await.status(), 500);
        proxy.set(Mode::Throttle);
        let throttled = list(&proxy).send().await;
        assert_eq!(throttled.status(), 400);
        let kind = throttled.into_json().await["__type"].as_str().unwrap().to_owned();
        assert!(kind.ends_with("#ProvisionedThroughputExceededException"), "{kind}");
        proxy.set(Mode::Hang);
        let hung = tokio::time::timeout(Duration::from_millis(100), list(&proxy).try_send()).await;
        assert!(hung.is_err(), "it answered");
        proxy.set(Mode::Refuse);
        let refused = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
        while !list(&proxy).try_send().await.is_err_and(|error| refused(&error)) {}
        proxy.set(Mode::Pass);
        let wait = async { while list(&proxy).try_send().await.is_err() {} };
        tokio::time::timeout(LIMIT, wait).await.unwrap();
        proxy.lose("ListTables");
        assert!(list(&proxy).try_send().await.is_err(), "its answer came");
        assert_eq!(list(&proxy).send().await.status(), 200);
        assert!(proxy.count("ListTables") >= 7);
        assert_eq!(proxy.exchanges()[0].request, json!({ "Limit": 1 }));
    }
}
