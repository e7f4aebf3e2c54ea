//! A decoder of event streams after the HTML standard, section 9.2.6, that reports everything a careful server avoids.
//!
//! It must not repair anything silently: what a browser would drop, it drops too, and says so.

use std::collections::BTreeMap;
use std::time::Duration;

/// Longest line that is kept, bytes; the rest of it is dropped and reported.
const LINE_BYTES_MAX: usize = 16 << 20;
/// Anomalies kept of each kind: the first ones say enough.
const SAMPLES_MAX: usize = 5;

/// An event as a page would see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its type, `message` by default.
    pub name: String,
    /// Its data.
    pub data: String,
    /// Value of the `id` field of its own block, if there was one.
    pub own_id: Option<Vec<u8>>,
    /// What a browser would send as `Last-Event-ID` after it.
    pub last_id: Vec<u8>,
}

/// What the stream carried, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// An event.
    Event(Event),
    /// A comment, which no page sees.
    Comment,
    /// A reconnect delay in milliseconds.
    Retry(u64),
}

/// Something with its time since the request.
#[derive(Clone, Debug)]
pub struct Timed {
    /// When its last byte was there.
    pub at: Duration,
    /// What it is.
    pub item: Item,
}

/// What is wrong or doubtful.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Anomaly {
    /// A byte order mark at the start: allowed, and lost in pages that read the stream themselves.
    ByteOrderMark,
    /// Bytes that are not UTF-8.
    InvalidUtf8,
    /// A carriage return that ends a line in a stream of line feeds, or the reverse.
    MixedLineEnds,
    /// A NUL in an id: the standard ignores such an id.
    NulInId,
    /// An id that cannot come back in a header as it is: control characters or other than ASCII.
    UnsafeId,
    /// A field that the standard does not know.
    UnknownField,
    /// A `retry` that is not digits.
    BadRetry,
    /// A block with an id or a type and without data: it never fires.
    NoData,
    /// A line over the limit of this decoder.
    LongLine,
}

/// The decoder; feed it bytes as they come.
#[derive(Debug, Default)]
pub struct Decoder {
    line: Vec<u8>,
    after_cr: bool,
    started: bool,
    ends: LineEnds,
    block: Block,
    last_id: Vec<u8>,
    /// Everything that came.
    pub items: Vec<Timed>,
    /// Samples of what is wrong.
    pub anomalies: BTreeMap<Anomaly, Vec<String>>,
}

#[derive(Debug, Default)]
struct LineEnds {
    lf: bool,
    cr: bool,
    crlf: bool,
}

#[derive(Debug, Default)]
struct Block {
    name: String,
    data: String,
    has_data: bool,
    id: Option<Vec<u8>>,
    lines: bool,
}

impl Decoder {
    /// Takes bytes that came at this time.
    pub fn feed(&mut self, bytes: &[u8], at: Duration) {
        let mut rest = bytes;
        while let Some((&byte, after)) = rest.split_first() {
            if std::mem::take(&mut self.after_cr) {
                let crlf = byte == b'\n';
                *(if crlf { &mut self.ends.crlf } else { &mut self.ends.cr }) = true;
                self.end_of_line(at);
                if crlf {
                    rest = after;
                    continue;
                }
            }
            let length = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(rest.len());
            let (text, more) = rest.split_at(length);
            let room = LINE_BYTES_MAX.saturating_sub(self.line.len());
            if text.len() > room {
                self.note(Anomaly::LongLine, "a line of more than 16 MiB");
            }
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            match more.split_first() {
                Some((b'\r', _)) => self.after_cr = true,
                Some(_) => {
                    self.ends.lf = true;
                    self.end_of_line(at);
                }
                None => {}
            }
            rest = more.get(1..).unwrap_or_default();
        }
    }

    /// What a browser would send as `Last-Event-ID` now.
    #[must_use]
    pub fn last_id(&self) -> &[u8] {
        &self.last_id
    }

    /// Events so far.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = (Duration, &Event)> {
        self.items.iter().filter_map(|timed| match &timed.item {
            Item::Event(event) => Some((timed.at, event)),
            _ => None,
        })
    }

    /// Says what an end at this point would lose: a block that no blank line has ended.
    #[must_use]
    pub fn unfinished(&self) -> Option<String> {
        // A carriage return at the very end is a line's end that waited for a line feed.
        let blank = self.after_cr && self.line.is_empty();
        if self.block.lines && !blank || !self.line.is_empty() {
            let id = self.block.id.as_ref().map(|id| format!(", id {}", shown(id))).unwrap_or_default();
            return Some(format!("type `{}`{id}, {} bytes of data", self.block.name, self.block.data.len()));
        }
        None
    }

    fn note(&mut self, anomaly: Anomaly, text: impl Into<String>) {
        let samples = self.anomalies.entry(anomaly).or_default();
        if samples.len() < SAMPLES_MAX {
            samples.push(text.into());
        }
    }

    fn end_of_line(&mut self, at: Duration) {
        let mut line = std::mem::take(&mut self.line);
        if [self.ends.lf, self.ends.cr, self.ends.crlf].iter().filter(|kind| **kind).count() > 1 {
            self.note(Anomaly::MixedLineEnds, format!("at {}", shown(&line)));
            // Once: report the first line with another end.
            self.ends = LineEnds::default();
        }
        if !std::mem::replace(&mut self.started, true) && line.starts_with("\u{feff}".as_bytes()) {
            self.note(Anomaly::ByteOrderMark, "U+FEFF before the first field");
            line.drain(..3);
        }
        if line.is_empty() {
            return self.end_of_block(at);
        }
        let text = match std::str::from_utf8(&line) {
            Ok(text) => text.to_owned(),
            Err(_) => {
                self.note(Anomaly::InvalidUtf8, shown(&line));
                String::from_utf8_lossy(&line).into_owned()
            }
        };
        let (name, value) = text.split_once(':').unwrap_or((&text, ""));
        if name.is_empty() {
            self.items.push(Timed { at, item: Item::Comment });
            return;
        }
        self.block.lines = true;
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => value.clone_into(&mut self.block.name),
            "data" => {
                if std::mem::replace(&mut self.block.has_data, true) {
                    self.block.data.push('\n');
                }
                self.block.data.push_str(value);
            }
            "id" => self.id(&line),
            "retry" => match value.parse().ok().filter(|_| value.bytes().all(|byte| byte.is_ascii_digit())) {
                Some(delay) => self.items.push(Timed { at, item: Item::Retry(delay) }),
                None => self.note(Anomaly::BadRetry, format!("`retry: {value}`")),
            },
            _ => self.note(Anomaly::UnknownField, shown(&line)),
        }
    }

    /// By bytes: what the browser sends back is what came, not what it could be read as.
    fn id(&mut self, line: &[u8]) {
        let value = line.splitn(2, |byte| *byte == b':').nth(1).unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value).to_vec();
        if value.contains(&0) {
            self.note(Anomaly::NulInId, shown(&value));
            return;
        }
        if value.iter().any(|byte| !(0x20..0x7f).contains(byte)) {
            self.note(Anomaly::UnsafeId, shown(&value));
        }
        self.block.id = Some(value);
    }

    fn end_of_block(&mut self, at: Duration) {
        let block = std::mem::take(&mut self.block);
        if let Some(id) = &block.id {
            // The standard takes the id of a block that never fires, too.
            self.last_id.clone_from(id);
        }
        if !block.has_data {
            if block.id.is_some() || !block.name.is_empty() {
                let id = block.id.as_deref().map(shown).unwrap_or_default();
                self.note(Anomaly::NoData, format!("a block of type `{}`, id `{id}`", block.name));
            }
            return;
        }
        let name = if block.name.is_empty() { "message".to_owned() } else { block.name };
        let event = Event { name, data: block.data, own_id: block.id, last_id: self.last_id.clone() };
        self.items.push(Timed { at, item: Item::Event(event) });
    }
}

/// Bytes for a message: at most 60 of them, nothing that a terminal would act on.
#[must_use]
pub fn shown(bytes: &[u8]) -> String {
    let more = if bytes.len() > 60 { "…" } else { "" };
    format!("`{}{more}`", bytes[..bytes.len().min(60)].escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &[u8]) -> Decoder {
        let mut whole = Decoder::default();
        whole.feed(text, Duration::ZERO);
        // However it is cut, it must say the same.
        let mut single = Decoder::default();
        for byte in text {
            single.feed(&[*byte], Duration::ZERO);
        }
        let items = |decoder: &Decoder| decoder.items.iter().map(|timed| timed.item.clone()).collect::<Vec<_>>();
        assert_eq!(items(&whole), items(&single));
        assert_eq!(whole.anomalies, single.anomalies);
        whole
    }

    fn check(text: &str, events: &[(&str, &str, &str)]) -> Decoder {
        let decoder = decode(text.as_bytes());
        let found: Vec<_> = decoder.events().map(|(_, event)| event.clone()).collect();
        let found: Vec<_> =
            found.iter().map(|e| (&*e.name, &*e.data, std::str::from_utf8(&e.last_id).unwrap())).collect();
        assert_eq!(found, events, "{text:?}");
        decoder
    }

    fn anomalies(text: &[u8]) -> Vec<Anomaly> {
        decode(text).anomalies.into_keys().collect()
    }

    #[test]
    fn events_are_those_of_the_standard() {
        check("data: a\n\n", &[("message", "a", "")]);
        check("event: x\ndata:a\ndata:  b\nid: 1\n\ndata\n\n", &[("x", "a\n b", "1"), ("message", "", "1")]);
        check("data: a\r\n\r\ndata: b\r\n\r\n", &[("message", "a", ""), ("message", "b", "")]);
        check("data: a\r\rdata: b\r\r:", &[("message", "a", ""), ("message", "b", "")]);
        check(": c\n\nid: 7\n\ndata: x\n\n", &[("message", "x", "7")]);
        check("id: 7\ndata: x\n\nid\ndata: y\n\n", &[("message", "x", "7"), ("message", "y", "")]);
        let last = check("data: a\n\ndata: lost\n", &[("message", "a", "")]);
        assert!(last.unfinished().is_some());
        assert_eq!(check("data: a\n\n", &[("message", "a", "")]).unfinished(), None);
        assert_eq!(decode(b"data: a\r\n\r").unfinished(), None);
    }

    #[test]
    fn each_anomaly_is_named() {
        assert_eq!(anomalies(b"retry: 10\nid: a\nevent: x\ndata: 1\n\n: c\n\n"), []);
        assert_eq!(anomalies(b"data: a\r\n\r\ndata: b\r\n\r\n"), []);
        assert_eq!(anomalies(b"data: a\rid: 9\n\n"), [Anomaly::MixedLineEnds]);
        assert_eq!(anomalies(b"\xef\xbb\xbfdata: a\n\n"), [Anomaly::ByteOrderMark]);
        assert_eq!(anomalies(b"data: \xff\n\n"), [Anomaly::InvalidUtf8]);
        assert_eq!(anomalies(b"id: a\0b\ndata: a\n\n"), [Anomaly::NulInId]);
        assert_eq!(anomalies("id: ü\ndata: a\n\n".as_bytes()), [Anomaly::UnsafeId]);
        assert_eq!(anomalies(b"dat: a\ndata: b\n\n"), [Anomaly::UnknownField]);
        assert_eq!(anomalies(b"retry: 3s\n\n"), [Anomaly::BadRetry]);
        assert_eq!(anomalies(b"id: 4\n\n"), [Anomaly::NoData]);
        assert_eq!(anomalies(b"event: ping\n\n"), [Anomaly::NoData]);
    }
}
