//! A small event-stream server that keeps every rule, or breaks exactly one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, interval, sleep};

/// Streams at once.
pub(crate) const LIMIT: usize = 8;
/// Length of a stream.
pub(crate) const SESSION: Duration = Duration::from_millis(1000);
/// Time between updates.
const EVERY: Duration = Duration::from_millis(20);
/// Data of an update where much must flow.
const BULK_BYTES: usize = 64 * 1024;

/// What the server does wrong. Those of the first group only in the first stream, which is what is listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    Status,
    WrongType,
    WrongCharset,
    NoCacheControl,
    Length,
    HeaderTwice,
    HopByHop,
    BrokenChunk,
    LateFirstByte,
    InvalidUtf8,
    ByteOrderMark,
    LoneCr,
    UnknownField,
    BadRetry,
    NoRetry,
    NoIds,
    NulInId,
    WideId,
    IdWithoutData,
    CommentHeartbeat,
    Compressed,
    BodyToHead,
    OptionsFails,
    OptionsHangs,
    NoAllow,
    BodyReadAsRequest,
    SecondRequestLost,
    ChunksForOld,
    NoAbsoluteForm,
    ChunkedFails,
    OneRead,
    OddIdRefused,
    LongIdRefused,
    UnknownIdSilent,
    UnknownIdIgnored,
    ResumeLoses,
    ResumeRepeats,
    ResumeSwaps,
    RefusedWithStatus,
    RefusedWithoutRetry,
    RefusedWithClose,
    SlotsStay,
    OneStallsAll,
    DropsWhenFull,
    ClosesSome,
    EndsCut,
    EndsUnfinished,
    EndsWithoutRetry,
    StopsCut,
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) stop: Arc<watch::Sender<bool>>,
}

struct Shared {
    fault: Fault,
    updates: watch::Receiver<usize>,
    stopped: watch::Receiver<bool>,
    streams: AtomicUsize,
    open: AtomicUsize,
    requests: AtomicUsize,
    one_writer: Mutex<()>,
}

struct Request {
    method: String,
    target: String,
    version: String,
    headers: Vec<(String, Vec<u8>)>,
}

impl Request {
    fn get(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_slice())
    }
}

impl Server {
    pub(crate) async fn start(fault: Fault) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        // A stalled reader is to be felt soon.
        socket.set_send_buffer_size(32 * 1024).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(128).unwrap();
        let address = listener.local_addr().unwrap();
        let (count, updates) = watch::channel(0);
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(async move {
            let mut ticks = interval(EVERY);
            loop {
                ticks.tick().await;
                count.send_modify(|count| *count += 1);
            }
        });
        let (streams, open, requests) = Default::default();
        let shared =
            Arc::new(Shared { fault, updates, stopped, streams, open, requests, one_writer: Mutex::default() });
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                socket.set_nodelay(true).unwrap();
                let shared = Arc::clone(&shared);
                // A client that goes away is no failure here.
                tokio::spawn(async move { serve(socket, &shared).await.ok() });
            }
        });
        Self { address, stop: Arc::new(stop) }
    }
}

async fn serve(mut socket: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            if shared.fault == Fault::OneRead && !buffer.is_empty() {
                return socket.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
            }
            buffer.reserve(64 * 1024);
            if socket.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let head: Vec<u8> = buffer.drain(..end + 4).collect();
        let Some(request) = parse(&head) else {
            return socket.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
        };
        skip_body(&mut socket, &mut buffer, &request, shared.fault).await?;
        if shared.fault == Fault::SecondRequestLost {
            buffer.clear();
        }
        if !answer(&mut socket, &request, shared).await? {
            return Ok(());
        }
    }
}

fn parse(head: &[u8]) -> Option<Request> {
    let mut lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let start = String::from_utf8(lines.next()?.to_vec()).ok()?;
    let mut words = start.split(' ').map(str::to_owned);
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let mut headers = Vec::new();
    for line in lines.filter(|line| !line.is_empty()) {
        let colon = line.iter().position(|byte| *byte == b':')?;
        headers.push((String::from_utf8_lossy(&line[..colon]).to_lowercase(), line[colon + 1..].trim_ascii().to_vec()));
    }
    Some(Request { method, target, version, headers })
}

async fn skip_body(
    socket: &mut TcpStream,
    buffer: &mut Vec<u8>,
    request: &Request,
    fault: Fault,
) -> std::io::Result<()> {
    if fault == Fault::BodyReadAsRequest {
        return Ok(());
    }
    if request.get("transfer-encoding").is_some() {
        while !buffer.ends_with(b"\r\n\r\n") {
            read_more(socket, buffer).await?;
        }
        buffer.clear();
    }
    let length =
        request.get("content-length").and_then(|text| std::str::from_utf8(text).ok()?.parse().ok()).unwrap_or(0);
    while buffer.len() < length {
        read_more(socket, buffer).await?;
    }
    buffer.drain(..length);
    Ok(())
}

/// Reads some of a body; one that breaks off is an error, not a loop.
async fn read_more(socket: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<()> {
    match socket.read_buf(buffer).await? {
        0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

/// Says whether the connection serves another request.
async fn answer(socket: &mut TcpStream, request: &Request, shared: &Shared) -> std::io::Result<bool> {
    let fault = shared.fault;
    let path = request.target.split_once("127.0.0.1").filter(|_| fault != Fault::NoAbsoluteForm);
    let path = path.map_or(&*request.target, |(_, rest)| &rest[rest.find('/').unwrap_or(0)..]);
    let chunked = request.get("transfer-encoding").is_some();
    let text = match request.method.as_str() {
        _ if path != "/events" => "404 Not Found\r\n",
        "GET" if chunked && fault == Fault::ChunkedFails => "500 Internal Server Error\r\n",
        "GET" => return stream(socket, request, shared).await,
        "HEAD" => {
            let body = if fault == Fault::BodyToHead { "data: x\n\n" } else { "" };
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
            socket.write_all(format!("{head}{body}").as_bytes()).await?;
            return Ok(true);
        }
        "OPTIONS" if fault == Fault::OptionsHangs => {
            sleep(Duration::from_secs(60)).await;
            return Ok(false);
        }
        "OPTIONS" if fault == Fault::OptionsFails => "500 Internal Server Error\r\n",
        _ if fault == Fault::NoAllow => "405 Method Not Allowed\r\n",
        _ => "405 Method Not Allowed\r\nAllow: GET, HEAD\r\n",
    };
    socket.write_all(format!("HTTP/1.1 {text}Content-Length: 0\r\n\r\n").as_bytes()).await?;
    Ok(true)
}

/// Counts a stream while it is open.
struct Slot<'a>(&'a Shared);

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        if self.0.fault != Fault::SlotsStay {
            self.0.open.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

async fn stream(socket: &mut TcpStream, request: &Request, shared: &Shared) -> std::io::Result<bool> {
    let fault = shared.fault;
    if fault == Fault::ClosesSome && shared.requests.fetch_add(1, Ordering::SeqCst) % 10 == 9 {
        return Ok(false);
    }
    if shared.open.fetch_add(1, Ordering::SeqCst) >= LIMIT {
        shared.open.fetch_sub(1, Ordering::SeqCst);
        return refuse(socket, fault).await;
    }
    let slot = Slot(shared);
    let id = request.get("last-event-id").unwrap_or_default();
    let odd = std::str::from_utf8(id).is_err() && fault == Fault::OddIdRefused;
    if odd || (id.len() > 4096 && fault == Fault::LongIdRefused) || id.contains(&0) {
        socket.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await?;
        return Ok(true);
    }
    let first = shared.streams.fetch_add(1, Ordering::SeqCst) == 0;
    let chunked = request.version == "HTTP/1.1" || fault == Fault::ChunksForOld;
    let zips = fault == Fault::Compressed && request.get("accept-encoding").is_some();
    let head = head(fault, first, chunked, zips);
    socket.write_all(head.as_bytes()).await?;
    let chunked = head.contains("chunked");
    let mut out = Out { socket, chunked, shared };
    let ended = tell(&mut out, id, first, shared).await?;
    if ended && chunked {
        out.socket.write_all(b"0\r\n\r\n").await?;
    }
    drop(slot);
    Ok(ended && chunked)
}

fn head(fault: Fault, first: bool, chunked: bool, zips: bool) -> String {
    let is = |wanted| first && fault == wanted;
    let mut head = format!("HTTP/1.1 {}\r\n", if is(Fault::Status) { "503 Service Unavailable" } else { "200 OK" });
    let kind = match fault {
        Fault::WrongType if first => "text/plain",
        Fault::WrongCharset if first => "text/event-stream; charset=latin1",
        _ => "text/event-stream",
    };
    head.push_str(&format!("Content-Type: {kind}\r\n"));
    let lines = [
        (!is(Fault::NoCacheControl), "Cache-Control: no-store"),
        (is(Fault::HeaderTwice), "X-A: 1\r\nx-a: 2"),
        (is(Fault::HopByHop), "Connection: keep-alive"),
        (is(Fault::Length), "Content-Length: 1000000"),
        (chunked && !is(Fault::Length), "Transfer-Encoding: chunked"),
        (zips, "Content-Encoding: gzip"),
    ];
    for (_, line) in lines.iter().filter(|(wanted, _)| *wanted) {
        head.push_str(line);
        head.push_str("\r\n");
    }
    head + "\r\n"
}

async fn refuse(socket: &mut TcpStream, fault: Fault) -> std::io::Result<bool> {
    let retry = if fault == Fault::RefusedWithoutRetry { "" } else { "retry: 7000\n" };
    match fault {
        Fault::RefusedWithClose => return Ok(false),
        Fault::RefusedWithStatus => socket.write_all(b"HTTP/1.1 503 Full\r\nContent-Length: 0\r\n\r\n").await?,
        _ => {
            let body = format!("{retry}event: full\ndata: x\n\n");
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
            let text = format!("{head}{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
            socket.write_all(text.as_bytes()).await?;
        }
    }
    Ok(true)
}

struct Out<'a> {
    socket: &'a mut TcpStream,
    chunked: bool,
    shared: &'a Shared,
}

impl Out<'_> {
    async fn send(&mut self, text: &[u8]) -> std::io::Result<()> {
        let size = format!("{:x}\r\n", text.len()).into_bytes();
        let bytes = if self.chunked { [&size, text, b"\r\n"].concat() } else { text.to_vec() };
        match self.shared.fault {
            Fault::OneStallsAll => {
                let _only = self.shared.one_writer.lock().await;
                self.socket.write_all(&bytes).await
            }
            Fault::DropsWhenFull => self.socket.try_write(&bytes).map(drop).or(Ok(())),
            _ => self.socket.write_all(&bytes).await,
        }
    }
}

/// One stream from its first to its last event; says whether it ends as planned.
async fn tell(out: &mut Out<'_>, id: &[u8], first: bool, shared: &Shared) -> std::io::Result<bool> {
    let (fault, mut updates, mut stopped) = (shared.fault, shared.updates.clone(), shared.stopped.clone());
    let is = |wanted| first && fault == wanted;
    let now = *updates.borrow_and_update();
    let known: Option<usize> = std::str::from_utf8(id).ok().and_then(|text| text.parse().ok()).filter(|n| *n <= now);
    if is(Fault::LateFirstByte) {
        sleep(Duration::from_millis(700)).await;
    }
    if fault == Fault::UnknownIdSilent && known.is_none() && !id.is_empty() {
        sleep(Duration::from_secs(60)).await;
    }
    let mut at = known.unwrap_or(now);
    let mark = if is(Fault::ByteOrderMark) { "\u{feff}" } else { "" };
    let retry = match fault {
        Fault::NoRetry if first => "",
        Fault::BadRetry if first => "retry: 3s\n",
        _ => "retry: 3000\n",
    };
    out.send(format!("{mark}{retry}{}", heartbeat(at, is(Fault::NoIds))).as_bytes()).await?;
    if known.is_none() && !id.is_empty() && fault != Fault::UnknownIdIgnored {
        out.send(format!("id: {at}\nevent: reset\ndata: {{}}\n\n").as_bytes()).await?;
    }
    if known.is_some() && at < now {
        match fault {
            Fault::ResumeLoses => at += 1,
            Fault::ResumeRepeats => at = at.saturating_sub(1),
            _ => {}
        }
    }
    if known.is_some() && fault == Fault::ResumeSwaps {
        while *updates.borrow() < at + 2 {
            updates.changed().await.ok();
        }
        out.send(&[update(at + 2, fault, false), update(at + 1, fault, false)].concat()).await?;
        at += 2;
    }
    let ends = Instant::now() + SESSION;
    let mut beats = interval(Duration::from_millis(100));
    beats.tick().await;
    let mut scratch = [0; 64];
    loop {
        let now = *updates.borrow_and_update();
        while at < now {
            at += 1;
            if is(Fault::BrokenChunk) {
                out.socket.write_all(b"no size\r\n").await?;
            }
            out.send(&update(at, fault, first)).await?;
        }
        tokio::select! {
            _ = updates.changed() => {}
            _ = beats.tick() => {
                let comment = is(Fault::CommentHeartbeat);
                let text = if comment { ": still here\n\n".to_owned() } else { heartbeat(at, is(Fault::NoIds)) };
                out.send(text.as_bytes()).await?;
            }
            () = tokio::time::sleep_until(ends) => return farewell(out, fault).await,
            () = async { drop(stopped.wait_for(|stop| *stop).await) } => {
                return if fault == Fault::StopsCut { Ok(false) } else { farewell(out, Fault::None).await };
            }
            read = out.socket.read(&mut scratch) => if read? == 0 { return Ok(false) },
        }
    }
}

fn heartbeat(at: usize, bare: bool) -> String {
    let id = if bare { String::new() } else { format!("id: {at}\n") };
    format!("{id}event: heartbeat\ndata: {{}}\n\n")
}

fn update(n: usize, fault: Fault, first: bool) -> Vec<u8> {
    let bulk = if [Fault::OneStallsAll, Fault::DropsWhenFull].contains(&fault) {
        "x".repeat(BULK_BYTES)
    } else {
        String::new()
    };
    let ordinary = format!("id: {n}\nevent: update\ndata: {{\"n\":{n}}}\ndata: {bulk}\n\n");
    let ordinary =
        if bulk.is_empty() { ordinary.replace("\ndata: \n", "\n") } else { ordinary.replace("\ndata: x", "\n: x") };
    let wrong = match fault {
        Fault::InvalidUtf8 => {
            return if first { b"id: 1\nevent: other\ndata: \xff\n\n".to_vec() } else { ordinary.into() };
        }
        Fault::LoneCr => "id: 1\nevent: other\ndata: a\rdata: b\n\n",
        Fault::UnknownField => "id: 1\nevent: other\ndat: a\ndata: b\n\n",
        Fault::NoIds => "event: update\ndata: {}\n\n",
        Fault::NulInId => "id: a\0b\nevent: other\ndata: {}\n\n",
        Fault::WideId => "id: ü\nevent: other\ndata: {}\n\n",
        Fault::IdWithoutData => "id: 1\n\n",
        _ => return ordinary.into(),
    };
    if first { wrong.into() } else { ordinary.into() }
}

async fn farewell(out: &mut Out<'_>, fault: Fault) -> std::io::Result<bool> {
    let retry = if fault == Fault::EndsWithoutRetry { "" } else { "retry: 900\n" };
    let blank = if fault == Fault::EndsUnfinished { "" } else { "\n" };
    out.send(format!("{retry}event: deadline\ndata: {{}}\n{blank}").as_bytes()).await?;
    Ok(fault != Fault::EndsCut)
}
