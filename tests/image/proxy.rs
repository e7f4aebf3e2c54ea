//! A way to a registry on which things go wrong as a test says, and which remembers what passed.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::registry::{PASSWORD, USER};
use crate::support::process::lock;

/// The token that is given to whoever has the password.
const TOKEN: &str = "a-token";

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The registry never hears of it, and the client gets this status, with `Retry-After` where it says so.
    Status(u16, Option<u32>),
    /// So many bytes of the body arrive at the registry, then the connection ends.
    CutAfter(usize),
    /// Everything arrives, and the connection ends without an answer.
    CutAnswer,
    /// One bit of the body is another one.
    Flip,
    /// The body is read slowly, until the client goes.
    Stall,
}

/// Requests that fail: method, part of the path, and the faults, one a request.
type Plan = Vec<(&'static str, &'static str, Vec<Fault>)>;

/// One request that passed, or did not.
#[derive(Clone, Debug)]
pub(super) struct Passed {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) body_bytes: usize,
    pub(super) headers: HashMap<String, String>,
}

#[derive(Default)]
struct State {
    plan: Mutex<Plan>,
    passed: Mutex<Vec<Passed>>,
    /// Where each upload really is, as the registry said last; ours forgets an upload that it is asked about by an older address,
    /// and the specification wants more of it than that.
    uploads: Mutex<HashMap<String, String>>,
    wants_token: bool,
    is_forgetful: bool,
}

/// A running proxy.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    state: Arc<State>,
}

/// What kind of registry it makes of the one behind it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kind {
    /// Whether the registry wants tokens of somebody else.
    pub(super) wants_token: bool,
    /// Whether it forgets uploads that broke.
    pub(super) is_forgetful: bool,
}

impl Proxy {
    pub(super) fn start(upstream: SocketAddr, kind: Kind, plan: Plan) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let Kind { wants_token, is_forgetful } = kind;
        let state = State { plan: Mutex::new(plan), wants_token, is_forgetful, ..State::default() };
        let state = Arc::new(state);
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&shared);
                // One that breaks is the client's business.
                std::thread::spawn(move || shared.serve(&client, upstream, address));
            }
        });
        Self { address, state }
    }

    pub(super) fn repository(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    pub(super) fn passed(&self) -> Vec<Passed> {
        lock(&self.state.passed).clone()
    }

    /// How many requests had this method and this in their path.
    pub(super) fn count(&self, method: &str, part: &str) -> usize {
        self.passed().iter().filter(|one| one.method == method && one.path.contains(part)).count()
    }

    /// Forgets what passed.
    pub(super) fn forget(&self) {
        lock(&self.state.passed).clear();
    }

    /// Faults that have not come to pass.
    pub(super) fn left(&self) -> usize {
        lock(&self.state.plan).iter().map(|(_, _, faults)| faults.len()).sum()
    }
}

impl State {
    /// Serves one connection, request by request.
    fn serve(&self, client: &TcpStream, upstream: SocketAddr, own: SocketAddr) -> io::Result<()> {
        let mut reader = BufReader::new(client.try_clone()?);
        loop {
            let Some((start, headers)) = head(&mut reader)? else { return Ok(()) };
            let mut words = start.split(' ');
            let (method, path) = (words.next().unwrap_or("").to_owned(), words.next().unwrap_or("").to_owned());
            let length: usize = headers.get("content-length").map_or(0, |text| text.parse().unwrap());
            let fault = self.fault(&method, &path);
            let note =
                Passed { method: method.clone(), path: path.clone(), body_bytes: length, headers: headers.clone() };
            lock(&self.passed).push(note);
            if fault == Some(Fault::Stall) {
                return stall(&mut reader);
            }
            let taken = match fault {
                Some(Fault::CutAfter(bytes)) => bytes.min(length),
                _ => length,
            };
            let mut body = vec![0; taken];
            reader.read_exact(&mut body)?;
            let mut client = client;
            if let Some(Fault::Status(status, after)) = fault {
                let after = after.map(|secs| format!("Retry-After: {secs}\r\n")).unwrap_or_default();
                client.write_all(format!("HTTP/1.1 {status} Fault\r\n{after}Content-Length: 0\r\n\r\n").as_bytes())?;
                continue;
            }
            if self.wants_token
                && let Some(answer) = judge(&path, &headers, own)
            {
                client.write_all(answer.as_bytes())?;
                continue;
            }
            if fault == Some(Fault::Flip) {
                body[taken / 2] ^= 1;
            }
            let answer = self.forward(upstream, &method, &path, &headers, &body)?;
            if matches!(fault, Some(Fault::CutAfter(_) | Fault::CutAnswer)) {
                return client.shutdown(std::net::Shutdown::Both);
            }
            client.write_all(&answer)?;
        }
    }

    fn fault(&self, method: &str, path: &str) -> Option<Fault> {
        let mut plan = lock(&self.plan);
        let entry =
            plan.iter_mut().find(|(of, part, faults)| *of == method && path.contains(part) && !faults.is_empty());
        entry.map(|(_, _, faults)| faults.remove(0))
    }

    /// Sends a request to the registry, and returns its answer, byte for byte.
    fn forward(
        &self,
        upstream: SocketAddr,
        method: &str,
        path: &str,
        headers: &HashMap<String, String>,
        body: &[u8],
    ) -> io::Result<Vec<u8>> {
        let upload = path.split(['?']).next().unwrap_or("").to_owned();
        let known = lock(&self.uploads).get(&upload).cloned();
        let path = match known {
            Some(newest) if method == "GET" && !self.is_forgetful => newest,
            _ => path.to_owned(),
        };
        let mut registry = TcpStream::connect(upstream)?;
        let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
        let is_ours = |name: &str| ["connection", "content-length", "authorization"].contains(&name);
        for (name, value) in headers.iter().filter(|(name, _)| !is_ours(name)) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let authorization = match headers.get("authorization") {
            _ if self.wants_token => Some(format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")))),
            own => own.cloned(),
        };
        head.push_str(&authorization.map(|value| format!("authorization: {value}\r\n")).unwrap_or_default());
        registry.write_all(format!("{head}\r\n").as_bytes())?;
        registry.write_all(body)?;
        let mut answer = Vec::new();
        registry.read_to_end(&mut answer)?;
        let text = String::from_utf8_lossy(&answer);
        let location =
            text.lines().take_while(|line| !line.is_empty()).find_map(|line| line.strip_prefix("Location: "));
        if let Some(at) = location.and_then(|location| Some((location, location.find("/v2/")?))) {
            let newest = at.0[at.1..].trim().to_owned();
            let name = newest.split('?').next().unwrap_or("").to_owned();
            lock(&self.uploads).insert(name, newest);
        }
        // The client's connection goes on.
        Ok(replace(&answer, b"Connection: close\r\n", b""))
    }
}

/// What a registry says that wants tokens, and whoever gives them; none where the request may pass.
fn judge(path: &str, headers: &HashMap<String, String>, own: SocketAddr) -> Option<String> {
    let authorization = headers.get("authorization").map(String::as_str);
    if path.starts_with("/token?") {
        let is_known = authorization == Some(&format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}"))));
        let wants_push = path.contains("scope=repository%3Alive%3Apull%2Cpush") && path.contains("service=tests");
        let body = serde_json::json!({ "token": TOKEN }).to_string();
        return Some(match is_known && wants_push {
            true => format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()),
            false => "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n".to_owned(),
        });
    }
    if authorization == Some(&format!("Bearer {TOKEN}")) {
        return None;
    }
    let challenge =
        format!("Bearer realm=\"http://{own}/token\",service=\"tests\",scope=\"repository:live:pull,push\"");
    Some(format!("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {challenge}\r\nContent-Length: 0\r\n\r\n"))
}

/// Takes a few bytes a second, until the other side goes.
fn stall(reader: &mut impl Read) -> io::Result<()> {
    let mut few = [0; 16];
    while reader.read(&mut few)? > 0 {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    Ok(())
}

/// A start line and the headers behind it, their names in lower case.
type Head = (String, HashMap<String, String>);

fn head(reader: &mut impl BufRead) -> io::Result<Option<Head>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let headers = lines.iter().skip(1).filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    Ok(lines.first().cloned().map(|start| (start, headers)))
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    match bytes.windows(from.len()).position(|window| window == from) {
        Some(at) => [&bytes[..at], to, &bytes[at + from.len()..]].concat(),
        None => bytes.to_vec(),
    }
}
