//! Blocks of an event stream found in a buffer, without a copy where their data is one line.
//!
//! It must take what [`crate::decode`] takes, and is held against it; what is doubtful in a stream is said there and not here.

use memchr::memchr2;

/// A block of a stream as far as a client acts on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block<'b> {
    /// Its type, `message` where it names none.
    pub(super) name: &'b [u8],
    /// Its id, where it has one.
    pub(super) id: Option<&'b [u8]>,
    /// Its data; `None` for a block that never fires.
    pub(super) data: Option<&'b [u8]>,
    /// The reconnect delay that it announces, milliseconds.
    pub(super) retry: Option<u64>,
}

/// Hands over every block of a buffer that a blank line has ended; returns the number of bytes that they take. The rest comes again in front
/// of what is read next. `lines` is room for data of several lines.
pub(super) fn scan(bytes: &[u8], lines: &mut Vec<u8>, mut found: impl FnMut(Block<'_>)) -> usize {
    let mut taken = 0;
    let (mut at, mut block) = (0, Open::default());
    lines.clear();
    while let Some(end) = memchr2(b'\r', b'\n', &bytes[at..]).map(|end| at + end) {
        let next = match bytes[end..] {
            // A line feed may follow that belongs to it.
            [b'\r'] => break,
            [b'\r', b'\n', ..] => end + 2,
            _ => end + 1,
        };
        let line = &bytes[at..end];
        at = next;
        if !line.is_empty() {
            block.field(line, lines);
            continue;
        }
        taken = at;
        let block = std::mem::take(&mut block);
        if block.has_lines {
            found(block.closed(lines));
        }
        lines.clear();
    }
    taken
}

/// A block that has not ended.
#[derive(Default)]
struct Open<'b> {
    name: Option<&'b [u8]>,
    id: Option<&'b [u8]>,
    data: Option<&'b [u8]>,
    /// Whether the data stands in `lines`, because it has several.
    is_joined: bool,
    retry: Option<u64>,
    has_lines: bool,
}

impl<'b> Open<'b> {
    fn field(&mut self, line: &'b [u8], lines: &mut Vec<u8>) {
        let colon = memchr::memchr(b':', line);
        let (name, value) = colon.map_or((line, &b""[..]), |colon| (&line[..colon], &line[colon + 1..]));
        let value = value.strip_prefix(b" ").unwrap_or(value);
        // The first line of a stream may begin with a byte order mark.
        let name = name.strip_prefix("\u{feff}".as_bytes()).unwrap_or(name);
        self.has_lines |= !name.is_empty();
        match name {
            b"event" => self.name = Some(value),
            b"id" if !value.contains(&0) => self.id = Some(value),
            b"retry" => self.retry = std::str::from_utf8(value).ok().and_then(digits),
            b"data" => match self.data {
                None => self.data = Some(value),
                Some(first) => {
                    if !std::mem::replace(&mut self.is_joined, true) {
                        lines.extend_from_slice(first);
                    }
                    lines.push(b'\n');
                    lines.extend_from_slice(value);
                }
            },
            _ => {}
        }
    }

    fn closed<'c>(self, lines: &'c [u8]) -> Block<'c>
    where
        'b: 'c,
    {
        let name = self.name.filter(|name| !name.is_empty()).unwrap_or(b"message");
        let data = if self.is_joined { Some(lines) } else { self.data };
        Block { name, id: self.id, data, retry: self.retry }
    }
}

fn digits(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::decode::{Decoder, Item};

    /// Name, data and last id of every event, and every delay, as both say.
    fn assert_as_decoded(stream: &[u8], cut: usize) {
        let mut decoder = Decoder::default();
        decoder.feed(stream, Duration::ZERO);
        let expected: Vec<String> = decoder
            .items
            .iter()
            .filter_map(|timed| match &timed.item {
                Item::Event(event) => Some(format!("{} {:?} {:?}", event.name, event.data, event.last_id)),
                Item::Retry(_) | Item::Comment => None,
            })
            .collect();
        let (mut found, mut lines, mut rest, mut last_id) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (first, second) = stream.split_at(cut.min(stream.len()));
        for piece in [first, second] {
            rest.extend_from_slice(piece);
            let taken = scan(&rest, &mut lines, |block| {
                if let Some(id) = block.id {
                    last_id = id.to_vec();
                }
                if let Some(data) = block.data {
                    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
                    found.push(format!("{} {:?} {last_id:?}", text(block.name), text(data)));
                }
            });
            rest.drain(..taken);
        }
        assert_eq!(found, expected, "{:?} cut at {cut}", String::from_utf8_lossy(stream));
    }

    #[test]
    fn blocks_are_what_the_decoder_says_wherever_a_stream_is_cut() {
        for stream in [
            "data: a\n\n",
            "\u{feff}data: a\n\n",
            "event: x\ndata:a\ndata:  b\nid: 1\n\ndata\n\n",
            "data: a\r\n\r\nevent: y\r\ndata: b\r\n\r\n",
            "data: a\r\rdata: b\r\r:c\r",
            ": c\n\nid: 7\n\ndata: x\n\n",
            "id: 7\ndata: x\n\nid\ndata: y\n\n",
            "id: a\0b\ndata: x\n\nevent:\ndata: y\n\n",
            "retry: 10\nevent: z\n\ndata: lost\n",
            "data: 1\ndata: 2\ndata: 3\n\n\n\ndata: 4\n\n",
        ] {
            (0..=stream.len()).for_each(|cut| assert_as_decoded(stream.as_bytes(), cut));
        }
    }

    #[test]
    fn any_bytes_are_what_the_decoder_says() {
        let pieces =
            ["data: a", "data", ":", "event: x", "id: 1", "id", "\n", "\n", "\r\n", "\r", "retry: 5", " ", "ü", "\0"];
        for seed in 0..3000 {
            let mut random = fastrand::Rng::with_seed(seed);
            let stream: String = (0..random.usize(..40)).map(|_| pieces[random.usize(..pieces.len())]).collect();
            // Bytes that are not UTF-8 are the decoder's business.
            assert_as_decoded(stream.as_bytes(), random.usize(..=stream.len()));
        }
    }

    #[test]
    fn a_delay_is_digits() {
        let retry = |text: &str| {
            let mut found = None;
            scan(text.as_bytes(), &mut Vec::new(), |block| found = block.retry);
            found
        };
        assert_eq!(retry("retry: 250\n\n"), Some(250));
        assert_eq!(retry("retry: 3s\n\n"), None);
        assert_eq!(retry("retry: +3\n\n"), None);
    }
}
