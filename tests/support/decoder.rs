//! A decoder of event streams, written from the WHATWG text ("9.2.6 Interpreting an event stream"), not from our encoder.
//!
//! It takes bytes in any pieces and keeps notes of what a browser would silently swallow.

/// One dispatched event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// The type: `message` where none was given.
    pub name: String,
    /// The data, lines joined with LF.
    pub data: String,
    /// What `lastEventId` would be.
    pub id: String,
    /// Whether the event carried an `id` field of its own.
    pub has_id: bool,
}

/// What a stream contains besides events, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// A dispatched event.
    Event(Event),
    /// A valid `retry` field, milliseconds.
    Retry(u64),
    /// A comment.
    Comment(String),
    /// A block, field or value that the rules tell a client to ignore.
    Ignored(String),
}

/// Interprets an event stream.
#[derive(Default)]
pub(crate) struct Decoder {
    line: Vec<u8>,
    begun: bool,
    after_cr: bool,
    name: String,
    data: String,
    has_data: bool,
    has_id: bool,
    last_id: String,
}

impl Decoder {
    /// Takes the next bytes, returns what they complete.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<Item> {
        let mut items = Vec::new();
        for byte in bytes {
            // A line ends with CRLF, LF or CR.
            let after_cr = std::mem::replace(&mut self.after_cr, *byte == b'\r');
            match byte {
                b'\n' if after_cr => {}
                b'\n' | b'\r' => {
                    let line = std::mem::take(&mut self.line);
                    self.end_line(&line, &mut items);
                }
                byte => self.line.push(*byte),
            }
        }
        items
    }

    /// Whether the stream stands between two events: at its end anything else would be lost.
    pub(crate) fn is_between_events(&self) -> bool {
        self.line.is_empty() && self.name.is_empty() && !self.has_data && !self.has_id
    }

    fn end_line(&mut self, line: &[u8], items: &mut Vec<Item>) {
        let text = String::from_utf8_lossy(line);
        // One leading byte order mark is not part of the stream.
        let text = if self.begun { &text } else { text.strip_prefix('\u{feff}').unwrap_or(&text) };
        self.begun = true;
        if text.is_empty() {
            return self.dispatch(items);
        }
        if let Some(comment) = text.strip_prefix(':') {
            return items.push(Item::Comment(comment.to_owned()));
        }
        let (field, value) = text.split_once(':').unwrap_or((text, ""));
        self.field(field, value.strip_prefix(' ').unwrap_or(value), items);
    }

    fn field(&mut self, field: &str, value: &str, items: &mut Vec<Item>) {
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
                self.has_data = true;
            }
            "id" if !value.contains('\0') => {
                value.clone_into(&mut self.last_id);
                self.has_id = true;
            }
            "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                items.push(value.parse().map_or_else(|_| Item::Ignored(format!("retry {value}")), Item::Retry));
            }
            _ => items.push(Item::Ignored(format!("field {field:?} {value:?}"))),
        }
    }

    fn dispatch(&mut self, items: &mut Vec<Item>) {
        let name = std::mem::take(&mut self.name);
        let mut data = std::mem::take(&mut self.data);
        let has_id = std::mem::take(&mut self.has_id);
        if std::mem::take(&mut self.has_data) {
            data.pop();
            let name = if name.is_empty() { "message".to_owned() } else { name };
            items.push(Item::Event(Event { name, data, id: self.last_id.clone(), has_id }));
        } else if !name.is_empty() || has_id {
            items.push(Item::Ignored(format!("block without data: {name:?}")));
        }
    }
}

/// Decodes a whole stream.
pub(crate) fn decode(bytes: &[u8]) -> Vec<Item> {
    Decoder::default().push(bytes)
}

/// The events alone.
pub(crate) fn events(items: &[Item]) -> Vec<Event> {
    let one = |item: &Item| if let Item::Event(event) = item { Some(event.clone()) } else { None };
    items.iter().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, data: &str, id: &str, has_id: bool) -> Item {
        Item::Event(Event { name: name.into(), data: data.into(), id: id.into(), has_id })
    }

    fn check(stream: &str, expected: &[Item]) {
        assert_eq!(decode(stream.as_bytes()), expected, "{stream:?}");
        let mut decoder = Decoder::default();
        let bytewise: Vec<Item> = stream.bytes().flat_map(|byte| decoder.push(&[byte])).collect();
        assert_eq!(bytewise, expected, "{stream:?} byte by byte");
    }

    #[test]
    fn the_examples_of_the_standard() {
        check("data: YHOO\ndata: +2\ndata: 10\n\n", &[event("message", "YHOO\n+2\n10", "", false)]);
        check(
            ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n",
            &[
                Item::Comment(" test stream".into()),
                event("message", "first event", "1", true),
                event("message", "second event", "", true),
            ],
        );
        check("data\n\ndata\ndata\n\ndata:", &[event("message", "", "", false), event("message", "\n", "", false)]);
        check(
            "data:test\n\ndata: test\n\n",
            &[event("message", "test", "", false), event("message", "test", "", false)],
        );
    }

    #[test]
    fn line_ends_marks_and_what_is_ignored() {
        check("\u{feff}event: a\r\ndata: 1\r\rretry: 10\n\n", &[event("a", "1", "", false), Item::Retry(10)]);
        check("retry: 1s\n", &[Item::Ignored("field \"retry\" \"1s\"".into())]);
        check("event: lost\n\n", &[Item::Ignored("block without data: \"lost\"".into())]);
        check(
            "id: a\0b\ndata: x\n\n",
            &[Item::Ignored("field \"id\" \"a\\0b\"".into()), event("message", "x", "", false)],
        );
    }
}
