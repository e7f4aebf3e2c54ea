//! Just enough HTTP/1.1 over a socket, on both sides, to see every piece when it arrives.
//!
//! It must not repair anything: a malformed message is an error, never something sensible.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// Longest head that is read, bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Bytes asked for at once.
const READ_BYTES: usize = 64 * 1024;

/// Start line and headers of a request or a response, as they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    /// `GET /path HTTP/1.1` or `HTTP/1.1 200 OK`.
    pub start: String,
    /// Names as written and values as bytes, in order.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Head {
    /// The `n`th word of the start line.
    pub(crate) fn word(&self, n: usize) -> &str {
        self.start.split(' ').nth(n).unwrap_or_default()
    }

    /// Every value of a header, in order.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        let same = self.headers.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name));
        same.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
    }

    /// The first value of a header.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.all(name).into_iter().next()
    }

    /// How the body that follows is framed, unless this is the response to a `HEAD` request.
    pub(crate) fn body(&self) -> io::Result<Body> {
        if self.get("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
            return Ok(Body::Chunked { left: 0, first: true });
        }
        match self.get("content-length") {
            Some(text) => text.trim().parse().map(Body::Length).map_err(|_| bad("content-length")),
            None if !self.start.starts_with("HTTP/") => Ok(Body::Length(0)),
            None if ["204", "304"].contains(&self.word(1)) => Ok(Body::Length(0)),
            None => Ok(Body::UntilClose),
        }
    }
}

/// What is left of a body.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Body {
    /// So many bytes.
    Length(u64),
    /// So many bytes of the current chunk, and whether it is the first one.
    Chunked { left: u64, first: bool },
    /// Until the other side closes.
    UntilClose,
}

/// One step of a body.
#[derive(Debug, PartialEq)]
pub(crate) enum Piece {
    /// Bytes, as soon as they were there.
    Data(Vec<u8>),
    /// The end, with the trailers.
    End(Vec<(String, String)>),
}

/// One connection with what was read ahead on it.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Takes over an accepted socket.
    pub(crate) fn new(stream: TcpStream) -> Self {
        // The platform's own proxies answer without Nagle's delay; ours must not hide the one of the program.
        stream.set_nodelay(true).expect("a connected socket takes TCP_NODELAY");
        Self { stream, buffer: Vec::new() }
    }

    /// Connects, from a chosen source address if given.
    pub(crate) async fn open(to: SocketAddr, from: Option<IpAddr>) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        if let Some(address) = from {
            socket.bind(SocketAddr::new(address, 0))?;
        }
        socket.connect(to).await.map(Self::new)
    }

    /// Writes and flushes.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// Ends the connection with a reset, as a platform does that gives up.
    pub(crate) fn abort(self) {
        // No linger: closing sends RST, so that the other side cannot take it for a clean end.
        drop(self.stream.set_zero_linger());
    }

    /// Reads once; `false` at the end of the stream. May be cancelled without loss.
    async fn fill(&mut self) -> io::Result<bool> {
        // Enough to take one write of the other side in one read: pieces keep their meaning.
        self.buffer.reserve(READ_BYTES);
        Ok(self.stream.read_buf(&mut self.buffer).await? > 0)
    }

    /// Returns when the other side has closed or reset; keeps what it sends meanwhile.
    pub(crate) async fn closed(&mut self) {
        while self.fill().await.unwrap_or(false) {}
    }

    /// Reads a head; `None` where the other side closed instead of beginning one. May be cancelled without loss.
    pub(crate) async fn head(&mut self) -> io::Result<Option<Head>> {
        loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                let bytes: Vec<u8> = self.buffer.drain(..end + 4).collect();
                return parse_head(&bytes[..end]).map(Some);
            }
            if self.buffer.len() > HEAD_BYTES_MAX {
                return Err(bad("head without an end"));
            }
            if !self.fill().await? {
                return if self.buffer.is_empty() { Ok(None) } else { Err(ErrorKind::UnexpectedEof.into()) };
            }
        }
    }

    /// Reads the next piece of a body. May be cancelled without loss.
    pub(crate) async fn piece(&mut self, body: &mut Body) -> io::Result<Piece> {
        loop {
            let ready = match body {
                Body::Length(0) => Some(Piece::End(Vec::new())),
                Body::Length(left) => self.take(left),
                Body::UntilClose => self.take(&mut { u64::MAX }),
                Body::Chunked { left, first } if *left == 0 => self.chunk_size(left, first)?,
                Body::Chunked { left, .. } => self.take(left),
            };
            match ready {
                Some(piece) => return Ok(piece),
                None if !self.buffer.is_empty() && matches!(body, Body::Chunked { left: 1.., .. }) => {}
                None => {
                    if !self.fill().await? {
                        return match body {
                            Body::UntilClose => Ok(Piece::End(Vec::new())),
                            _ => Err(ErrorKind::UnexpectedEof.into()),
                        };
                    }
                }
            }
        }
    }

    /// Reads a body to its end, with its trailers.
    pub(crate) async fn body(&mut self, mut body: Body) -> io::Result<(Vec<u8>, Vec<(String, String)>)> {
        let mut all = Vec::new();
        loop {
            match self.piece(&mut body).await? {
                Piece::Data(data) => all.extend_from_slice(&data),
                Piece::End(trailers) => return Ok((all, trailers)),
            }
        }
    }

    fn take(&mut self, left: &mut u64) -> Option<Piece> {
        let count = self.buffer.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
        if count == 0 {
            return None;
        }
        *left -= count as u64;
        Some(Piece::Data(self.buffer.drain(..count).collect()))
    }

    /// Reads the line between two chunks, and the trailers after the last one.
    fn chunk_size(&mut self, left: &mut u64, first: &mut bool) -> io::Result<Option<Piece>> {
        let skip = if *first { 0 } else { 2 };
        if self.buffer.len() < skip {
            return Ok(None);
        }
        if self.buffer[..skip] != b"\r\n"[..skip] {
            return Err(bad("chunk without its line end"));
        }
        let Some(end) = find(&self.buffer[skip..], b"\r\n").map(|end| end + skip) else { return Ok(None) };
        let line = std::str::from_utf8(&self.buffer[skip..end]).map_err(|_| bad("chunk size"))?;
        let size = u64::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16);
        let size = size.map_err(|_| bad("chunk size"))?;
        if size > 0 {
            self.buffer.drain(..end + 2);
            (*left, *first) = (size, false);
            return Ok(None);
        }
        // The last chunk: its trailers end with an empty line, which may follow at once.
        let rest = &self.buffer[end..];
        let Some(stop) = find(rest, b"\r\n\r\n") else { return Ok(None) };
        let lines = if stop == 0 { &[][..] } else { &rest[2..stop] };
        let trailers = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(parse_header);
        let trailers: io::Result<Vec<_>> = trailers.collect();
        self.buffer.drain(..end + stop + 4);
        Ok(Some(Piece::End(
            trailers?.into_iter().map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned())).collect(),
        )))
    }
}

/// Writes one chunk of a chunked body.
pub(crate) fn chunk(data: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat()
}

fn parse_head(bytes: &[u8]) -> io::Result<Head> {
    let mut lines = bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let start = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let headers = lines.map(parse_header).collect::<io::Result<_>>()?;
    Ok(Head { start, headers })
}

fn parse_header(line: &[u8]) -> io::Result<(String, Vec<u8>)> {
    let colon = line.iter().position(|byte| *byte == b':').ok_or_else(|| bad("header without a colon"))?;
    let name = std::str::from_utf8(&line[..colon]).map_err(|_| bad("header name"))?;
    Ok((name.to_owned(), line[colon + 1..].trim_ascii().to_vec()))
}

/// First position of `needle`.
pub(crate) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn bad(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("malformed HTTP: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends `bytes` one at a time and reads a head with its body.
    async fn read(bytes: &'static [u8]) -> io::Result<(Head, Vec<u8>, Vec<(String, String)>)> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let mut client = TcpStream::connect(listener.local_addr()?).await?;
        let mut connection = Connection::new(listener.accept().await?.0);
        tokio::spawn(async move {
            client.set_nodelay(true).unwrap();
            for byte in bytes {
                client.write_all(&[*byte]).await.unwrap();
                tokio::task::yield_now().await;
            }
        });
        let head = connection.head().await?.unwrap();
        let (body, trailers) = connection.body(head.body()?).await?;
        Ok((head, body, trailers))
    }

    #[tokio::test]
    async fn chunks_and_trailers_are_read_byte_by_byte() {
        let (head, body, trailers) =
            read(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=1\r\n0123456789\r\n0\r\nX-A: b\r\nX-C:d\r\n\r\n")
                .await
                .unwrap();
        assert_eq!(head.word(0), "POST");
        assert_eq!(body, b"abc0123456789");
        assert_eq!(trailers, [("X-A".into(), "b".into()), ("X-C".into(), "d".into())]);
    }

    #[tokio::test]
    async fn a_body_may_have_a_length_or_no_trailers_or_no_end() {
        let (_, body, _) = read(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
        assert_eq!(body, b"ok");
        let (_, body, trailers) =
            read(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n").await.unwrap();
        assert_eq!((body.as_slice(), trailers.len()), (&b"x"[..], 0));
        let (_, body, _) = read(b"HTTP/1.1 200 OK\r\n\r\nuntil close").await.unwrap();
        assert_eq!(body, b"until close");
        let cut = read(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nx").await.unwrap_err();
        assert_eq!(cut.kind(), ErrorKind::UnexpectedEof);
    }
}
