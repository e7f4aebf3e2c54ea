//! Sockets, and HTTP/1.1 as bytes: what was asked and what came, with nothing added and nothing repaired.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use crate::target::Target;

/// Longest head of an answer, bytes.
const HEAD_BYTES_MAX: usize = 128 * 1024;
/// Longest line between chunks, bytes.
const CHUNK_LINE_BYTES_MAX: usize = 1024;

enum Socket {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection with what was read ahead on it.
pub struct Connection {
    socket: Socket,
    buffer: Vec<u8>,
    /// Bytes asked for at once.
    read_bytes: usize,
}

/// How a connection is to be opened.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Size of the receive buffer, where it is to be small.
    pub receive_buffer: Option<u32>,
    /// Bytes asked for at once.
    pub read_bytes: usize,
    /// Longest time for the connection and the TLS handshake.
    pub limit: Duration,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// What the system says, with the address.
    pub async fn open(target: &Target, shape: Shape) -> io::Result<Self> {
        let socket = tokio::time::timeout(shape.limit, connect(target, shape))
            .await
            .unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "no connection in time")))?;
        Ok(Self { socket, buffer: Vec::new(), read_bytes: shape.read_bytes })
    }

    /// Writes and flushes.
    ///
    /// # Errors
    /// What the system says.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.socket {
            Socket::Plain(stream) => stream.write_all(bytes).await,
            Socket::Tls(stream) => {
                stream.write_all(bytes).await?;
                stream.flush().await
            }
        }
    }

    /// Ends the connection with a reset: a viewer whose network went away.
    pub fn abort(self) {
        let stream = match &self.socket {
            Socket::Plain(stream) => stream,
            Socket::Tls(stream) => stream.get_ref().0,
        };
        drop(stream.set_zero_linger());
    }

    /// Reads once; `false` at the end of the stream. May be cancelled without loss.
    async fn fill(&mut self) -> io::Result<bool> {
        // Into a piece of its own: a cancelled read leaves the buffer as it was.
        let mut piece = vec![0; self.read_bytes];
        let read = match &mut self.socket {
            Socket::Plain(stream) => stream.read(&mut piece).await,
            Socket::Tls(stream) => stream.read(&mut piece).await,
        }?;
        self.buffer.extend_from_slice(&piece[..read]);
        Ok(read > 0)
    }

    /// Whether the other side has closed or reset, seen within this time; what it sends meanwhile is kept.
    pub async fn closes_within(&mut self, limit: Duration) -> bool {
        let closed = async { while self.fill().await.unwrap_or(false) {} };
        tokio::time::timeout(limit, closed).await.is_ok()
    }

    /// Bytes that came and that nobody has asked for.
    #[must_use]
    pub fn unread(&self) -> &[u8] {
        &self.buffer
    }

    /// Reads the head of the final answer, past interim ones; `None` where the other side closed instead of beginning one.
    ///
    /// # Errors
    /// What the system says, or what is no head.
    pub async fn head(&mut self) -> io::Result<Option<Head>> {
        loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                let rest = self.buffer.split_off(end + 4);
                let head = std::mem::replace(&mut self.buffer, rest);
                let head = Head::parse(&head[..end])?;
                if head.is_interim() {
                    continue;
                }
                return Ok(Some(head));
            }
            if self.buffer.len() > HEAD_BYTES_MAX {
                return Err(bad("a head of more than 128 KiB"));
            }
            match self.fill().await {
                Ok(true) => {}
                Ok(false) if self.buffer.is_empty() => return Ok(None),
                Ok(false) => return Err(bad("the connection ended within the head")),
                Err(error) if self.buffer.is_empty() && error.kind() == io::ErrorKind::ConnectionReset => {
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads a line between chunks, without its end.
    async fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = find(&self.buffer, b"\n") {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                let line = line.strip_suffix(b"\r\n").ok_or_else(|| bad("a line between chunks ends without CR"))?;
                return Ok(String::from_utf8_lossy(line).into_owned());
            }
            if self.buffer.len() > CHUNK_LINE_BYTES_MAX {
                return Err(bad("no chunk size where one must stand"));
            }
            if !self.fill().await? {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "no last chunk: the connection just ended"));
            }
        }
    }

    /// The next bytes of a body; `None` at its clean end. May be cancelled without loss.
    ///
    /// # Errors
    /// A body that does not end as its framing says, or what the system says.
    pub async fn piece(&mut self, body: &mut Body) -> io::Result<Option<Vec<u8>>> {
        if let Body::Chunked { left, state } = body
            && *left == 0
        {
            if *state == ChunkState::Data {
                let end = self.peek(2).await?;
                if end != b"\r\n" {
                    return Err(bad("a chunk is longer than its size says"));
                }
                self.buffer.drain(..2);
                *state = ChunkState::Size;
            }
            if *state == ChunkState::Size {
                let line = self.line().await?;
                let size = line.split(';').next().unwrap_or_default().trim();
                *left = u64::from_str_radix(size, 16).map_err(|_| bad(&format!("`{size}` is no chunk size")))?;
                *state = if *left == 0 { ChunkState::Trailers } else { ChunkState::Data };
            }
            if *state == ChunkState::Trailers {
                while !self.line().await?.is_empty() {}
                *body = Body::Length(0);
            }
        }
        let most = match body {
            Body::Length(0) => return Ok(None),
            Body::Length(left) | Body::Chunked { left, .. } => usize::try_from(*left).unwrap_or(usize::MAX),
            Body::UntilClose => usize::MAX,
        };
        if self.buffer.is_empty() && !self.fill().await? {
            if matches!(body, Body::UntilClose) {
                *body = Body::Length(0);
                return Ok(None);
            }
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection ended within the body"));
        }
        let count = most.min(self.buffer.len());
        if let Body::Length(left) | Body::Chunked { left, .. } = body {
            *left -= count as u64;
        }
        Ok(Some(self.buffer.drain(..count).collect()))
    }

    async fn peek(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() < count {
            if !self.fill().await? {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection ended within a chunk"));
            }
        }
        Ok(self.buffer[..count].to_vec())
    }
}

async fn connect(target: &Target, shape: Shape) -> io::Result<Socket> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, format!("`{}` has no address", target.host));
    for address in lookup_host((target.host.as_str(), target.port)).await? {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        if let Some(size) = shape.receive_buffer {
            socket.set_recv_buffer_size(size)?;
        }
        match socket.connect(address).await {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                if !target.tls {
                    return Ok(Socket::Plain(stream));
                }
                let name = ServerName::try_from(target.host.clone()).map_err(io::Error::other)?;
                let connector = tokio_rustls::TlsConnector::from(tls()?);
                return Ok(Socket::Tls(Box::new(connector.connect(name, stream).await?)));
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// TLS with the certificates of this machine, or of `SSL_CERT_FILE`; made once.
pub(crate) fn tls() -> io::Result<Arc<ClientConfig>> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(Arc::clone(config));
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = versions.map_err(io::Error::other)?.with_root_certificates(roots).with_no_client_auth();
    Ok(Arc::clone(CONFIG.get_or_init(|| Arc::new(config))))
}

/// Status line and headers as they came.
#[derive(Clone, Debug, Default)]
pub struct Head {
    /// `HTTP/1.1` or `HTTP/1.0`.
    pub version: String,
    /// The status.
    pub status: u16,
    /// Names as written and values as bytes, in order.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Head {
    /// Parses a head without the blank line that ends it.
    ///
    /// # Errors
    /// What is no head, in words.
    pub(crate) fn parse(bytes: &[u8]) -> io::Result<Self> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut lines = bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let start = text(lines.next().unwrap_or_default());
        let (version, rest) = start.split_once(' ').unwrap_or_default();
        let status = rest.get(..3).and_then(|digits| digits.parse().ok());
        let Some(status) = status.filter(|_| version.starts_with("HTTP/1.")) else {
            return Err(bad(&format!("`{}` is no status line of HTTP/1.1", start.escape_debug())));
        };
        let mut headers = Vec::new();
        for line in lines {
            let Some(colon) = find(line, b":").filter(|colon| *colon > 0 && !line[..*colon].contains(&b' ')) else {
                return Err(bad(&format!("{} is no header", crate::decode::shown(line))));
            };
            headers.push((text(&line[..colon]), line[colon + 1..].trim_ascii().to_vec()));
        }
        Ok(Self { version: version.to_owned(), status, headers })
    }

    /// Every value of a header, in order.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<String> {
        let same = self.headers.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name));
        same.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
    }

    /// The first value of a header.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        self.all(name).into_iter().next()
    }

    /// Whether another head follows, that of the final answer (RFC 9110 15.2). 101 is final: what follows it is no HTTP.
    #[must_use]
    pub fn is_interim(&self) -> bool {
        (100..200).contains(&self.status) && self.status != 101
    }

    /// Where the answer leads, where it is a redirect that a browser follows.
    #[must_use]
    pub fn redirect(&self) -> Option<String> {
        self.get("location").filter(|_| [301, 302, 303, 307, 308].contains(&self.status))
    }

    /// Whether the answer is an event stream by status and type.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        let kind = self.get("content-type").unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        self.status == 200 && essence.eq_ignore_ascii_case("text/event-stream")
    }

    /// How the body that follows is framed.
    ///
    /// # Errors
    /// A head that does not say so in one way.
    pub fn body(&self, method: &str) -> io::Result<Body> {
        let (lengths, codings) = (self.all("content-length"), self.all("transfer-encoding"));
        if method == "HEAD" || (100..200).contains(&self.status) || [204, 304].contains(&self.status) {
            return Ok(Body::Length(0));
        }
        match (&lengths[..], &codings[..]) {
            ([], []) => Ok(Body::UntilClose),
            ([length], []) => length.parse().map(Body::Length).map_err(|_| bad("a Content-Length that is no number")),
            ([], [coding]) if coding.eq_ignore_ascii_case("chunked") => {
                Ok(Body::Chunked { left: 0, state: ChunkState::Size })
            }
            ([_, ..], [_, ..]) => Err(bad("Content-Length and Transfer-Encoding in one answer")),
            _ => Err(bad("a body framed in more than one way, or in an unknown one")),
        }
    }
}

/// What is left of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// So many bytes.
    Length(u64),
    /// So many bytes of the current chunk.
    Chunked {
        /// Bytes left of it.
        left: u64,
        /// What must come next.
        state: ChunkState,
    },
    /// Until the other side closes.
    UntilClose,
}

/// What must come next in a chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkState {
    /// A size.
    Size,
    /// Data, then its end.
    Data,
    /// Trailers, then the end.
    Trailers,
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn bad(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text.to_owned())
}
