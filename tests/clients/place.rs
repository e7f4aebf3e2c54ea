//! Where in a response a byte stands: within the headers, within an event, or between two events.

use crate::support::decoder::Decoder;
use crate::support::http1::find;

/// Where a response is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// Before the end of the headers, or before the first byte.
    Headers,
    /// Within the lines of an event.
    Within,
    /// Where the client has every event that was begun.
    Between,
}

/// Follows a response byte by byte, as it goes over the wire.
#[derive(Default)]
pub(super) struct Reader {
    count: usize,
    head: Vec<u8>,
    chunked: bool,
    /// Size line of the chunk to come.
    line: Vec<u8>,
    /// Bytes left of the chunk, its closing CRLF included.
    left: usize,
    /// Whether that is the chunk that ends the body.
    last: bool,
    events: Decoder,
    in_body: bool,
}

impl Reader {
    /// Takes the next byte.
    pub(super) fn push(&mut self, byte: u8) {
        self.count += 1;
        if !self.in_body {
            self.head.push(byte);
            self.in_body = self.head.ends_with(b"\r\n\r\n");
            self.chunked =
                self.in_body && find(&self.head.to_ascii_lowercase(), b"transfer-encoding: chunked").is_some();
        } else if !self.chunked {
            self.events.push(&[byte]);
        } else if self.left == 0 {
            self.size(byte);
        } else {
            self.left -= 1;
            if self.left >= 2 {
                self.events.push(&[byte]);
            } else if self.left == 0 && self.last {
                // The connection lives on for another response.
                *self = Self { count: self.count, ..Self::default() };
            }
        }
    }

    fn size(&mut self, byte: u8) {
        self.line.push(byte);
        if let Some(line) = self.line.strip_suffix(b"\r\n") {
            let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
            let size = std::str::from_utf8(digits).ok().and_then(|text| usize::from_str_radix(text, 16).ok());
            let size = size.expect("our server writes chunks as the standard says");
            self.left = size + 2;
            self.last = size == 0;
            self.line.clear();
        }
    }

    /// Bytes so far.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Where the next byte would stand.
    pub(super) fn place(&self) -> Place {
        match (self.in_body, self.events.is_between_events()) {
            (false, _) => Place::Headers,
            (true, true) => Place::Between,
            (true, false) => Place::Within,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_no_part_of_events() {
        let response =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nid: 1\r\n9\r\n\ndata: x\n\r\n1\r\n\n\r\n";
        let mut reader = Reader::default();
        let mut places = Vec::new();
        for byte in response.bytes() {
            reader.push(byte);
            places.push(reader.place());
        }
        let at = |text: &str| places[response.find(text).unwrap()];
        assert_eq!(at("200"), Place::Headers);
        assert_eq!(at("5\r\n"), Place::Between);
        assert_eq!(at("d: 1"), Place::Within);
        assert_eq!(at("\r\n9"), Place::Within);
        assert_eq!(at("x\n"), Place::Within);
        assert_eq!(reader.place(), Place::Between);
        assert_eq!(reader.count(), response.len());
        for byte in "0\r\n\r\nHTTP/1.1 ".bytes() {
            reader.push(byte);
        }
        assert_eq!(reader.place(), Place::Headers);
    }
}
