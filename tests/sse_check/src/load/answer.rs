//! An answer of HTTP/1.1 that comes in pieces of any size: head, then the bytes of the body without their framing.

use memchr::memchr;
use memchr::memmem;

use crate::wire::{Body, ChunkState, Head};

/// Longest head of an answer, bytes.
const HEAD_BYTES_MAX: usize = 128 * 1024;
/// Longest line between chunks, bytes.
const LINE_BYTES_MAX: usize = 1024;
/// What ends a head.
const HEAD_END: &[u8] = b"\r\n\r\n";

/// How far an answer is.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// `None` until the head is whole.
    body: Option<Body>,
    /// The part of a head or of a line between chunks that came so far; empty while data comes.
    begun: Vec<u8>,
    has_ended: bool,
}

impl Answer {
    /// Takes bytes of the connection, adds those of the body to `out`, and returns the head where it became whole with them. Heads of
    /// interim answers are passed over.
    ///
    /// # Errors
    /// What is no HTTP, in words.
    pub(super) fn feed(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) -> Result<Option<Head>, String> {
        let mut head = None;
        while self.body.is_none() {
            let before = self.begun.len();
            // What ends the head is looked for over the seam of two pieces, and not again before that.
            let seam: Vec<u8> = [&self.begun[before.saturating_sub(3)..], &bytes[..bytes.len().min(3)]].concat();
            let in_seam = memmem::find(&seam, HEAD_END).map(|at| at + HEAD_END.len() - before.min(3));
            let Some(end) = in_seam.or_else(|| memmem::find(bytes, HEAD_END).map(|at| at + HEAD_END.len())) else {
                self.begun.extend_from_slice(bytes);
                let is_too_long = self.begun.len() > HEAD_BYTES_MAX;
                return if is_too_long { Err("a head of more than 128 KiB".into()) } else { Ok(None) };
            };
            self.begun.extend_from_slice(&bytes[..end]);
            bytes = &bytes[end..];
            let begun = std::mem::take(&mut self.begun);
            let parsed = Head::parse(&begun[..begun.len() - HEAD_END.len()]).map_err(|error| error.to_string())?;
            if !parsed.is_interim() {
                self.body = Some(parsed.body("GET").map_err(|error| error.to_string())?);
                head = Some(parsed);
            }
        }
        self.body(bytes, out)?;
        Ok(head)
    }

    /// Whether the body has come to its end as its framing says.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended || matches!(self.body, Some(Body::Length(0)))
    }

    /// Whether the end of the connection is a clean end of the body.
    pub(super) fn may_end(&self) -> bool {
        self.has_ended() || matches!(self.body, Some(Body::UntilClose))
    }

    fn body(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        while !bytes.is_empty() && !self.has_ended() {
            match self.body.as_mut().expect("the head is whole") {
                Body::UntilClose => {
                    out.extend_from_slice(bytes);
                    return Ok(());
                }
                Body::Length(left) | Body::Chunked { left, state: ChunkState::Data } if *left > 0 => {
                    let count = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    out.extend_from_slice(&bytes[..count]);
                    *left -= count as u64;
                    bytes = &bytes[count..];
                }
                Body::Length(_) => return Ok(()),
                Body::Chunked { .. } => bytes = self.line(bytes)?,
            }
        }
        Ok(())
    }

    /// Takes a line between chunks, or the part of it that is there, and returns the rest.
    fn line<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], String> {
        let Some(end) = memchr(b'\n', bytes) else {
            self.begun.extend_from_slice(bytes);
            let is_too_long = self.begun.len() > LINE_BYTES_MAX;
            return if is_too_long { Err("no chunk size where one must stand".into()) } else { Ok(&[]) };
        };
        let (line, rest) = (&bytes[..end], &bytes[end + 1..]);
        let whole = if self.begun.is_empty() {
            line
        } else {
            self.begun.extend_from_slice(line);
            &self.begun
        };
        let text = whole.strip_suffix(b"\r").ok_or("a line between chunks ends without CR")?;
        let Some(Body::Chunked { left, state }) = &mut self.body else { return Ok(rest) };
        match state {
            ChunkState::Data if text.is_empty() => *state = ChunkState::Size,
            ChunkState::Data => return Err("a chunk is longer than its size says".into()),
            ChunkState::Size => {
                *left = size(text)?;
                *state = if *left == 0 { ChunkState::Trailers } else { ChunkState::Data };
            }
            ChunkState::Trailers => self.has_ended = text.is_empty(),
        }
        self.begun.clear();
        Ok(rest)
    }
}

fn size(line: &[u8]) -> Result<u64, String> {
    let text = String::from_utf8_lossy(line);
    let size = text.split(';').next().unwrap_or_default().trim();
    u64::from_str_radix(size, 16).map_err(|_| format!("`{}` is no chunk size", size.escape_debug()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds an answer whole, and then in pieces of every size: body and end must be the same.
    fn check(text: &str, body: &str, ends: bool) {
        for size in 1..=text.len() {
            let (mut answer, mut out, mut heads) = (Answer::default(), Vec::new(), 0);
            for piece in text.as_bytes().chunks(size) {
                heads += usize::from(answer.feed(piece, &mut out).unwrap().is_some());
            }
            assert_eq!((heads, std::str::from_utf8(&out).unwrap(), answer.has_ended()), (1, body, ends), "{size}");
        }
    }

    #[test]
    fn a_body_is_the_same_however_it_is_cut() {
        check("HTTP/1.1 200 OK\r\n\r\ndata: a\n\n", "data: a\n\n", false);
        check("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef", "abc", true);
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        check(&format!("{chunked}3\r\nabc\r\n1;x=y\r\nd\r\n"), "abcd", false);
        check(&format!("{chunked}A\r\n0123456789\r\n0\r\n\r\n"), "0123456789", true);
        check(&format!("{chunked}1\r\na\r\n0\r\nX: y\r\n\r\n"), "a", true);
    }

    #[test]
    fn interim_answers_are_passed_over_and_101_is_final() {
        let stream = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
        check(&format!("HTTP/1.1 100 Continue\r\n\r\n{stream}"), "abc", true);
        let hints = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n";
        check(&format!("{hints}HTTP/1.1 102 Processing\r\n\r\n{hints}{stream}"), "abc", true);
        let mut answer = Answer::default();
        let switched = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
        let head = answer.feed(switched.as_bytes(), &mut Vec::new()).unwrap();
        assert_eq!(head.map(|head| head.status), Some(101));
    }

    #[test]
    fn what_is_no_framing_is_said() {
        let check = |text: &str, said: &str| {
            let found = Answer::default().feed(text.as_bytes(), &mut Vec::new()).map(|_| ());
            assert_eq!(found, Err(said.to_owned()), "{text}");
        };
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        check(&format!("{chunked}1\r\nabc\r\n"), "a chunk is longer than its size says");
        check(&format!("{chunked}xyz\r\n"), "`xyz` is no chunk size");
        check(&format!("{chunked}1\na\n"), "a line between chunks ends without CR");
        check(&format!("{chunked}{}", "1".repeat(2000)), "no chunk size where one must stand");
        check("SSH-2.0-x\r\n\r\n", "`SSH-2.0-x` is no status line of HTTP/1.1");
    }
}
