//! Server-sent events as bytes.
//!
//! Written for this project because the common helpers drop empty data, double a CRLF or panic on input. By the WHATWG
//! text, a line ends at CR, LF or CRLF, so data is cut at each of them and the decoder joins with LF: CR and CRLF inside
//! data come back as LF. Our own data is one line of JSON, in which they are escapes, so it comes back to the byte.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

/// Appends a `retry: N` line, which takes effect at its end. An event's block should follow: some clients report a block that
/// holds nothing else as an empty event.
pub fn retry(out: &mut BytesMut, delay: Duration) {
    put(out, format_args!("retry: {}\n", delay.as_millis()));
}

/// Ends a block, where no event follows a `retry` line.
pub fn end_block(out: &mut BytesMut) {
    out.extend_from_slice(b"\n");
}

/// Appends an id line; [`event_body`] must follow, because Firefox ignores ids of blocks without data.
pub fn id(out: &mut BytesMut, id: &str) {
    debug_assert!(id.bytes().all(|b| b.is_ascii_graphic()), "ids come from `Cursor::to_id` only");
    out.extend_from_slice(b"id: ");
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(b"\n");
}

/// Returns the rest of a block: event name, data and the blank line that ends it.
///
/// Empty data gives one empty `data:` line: without any, the event would never fire.
#[must_use]
pub fn event_body(name: &str, data: &str) -> Bytes {
    let mut out = BytesMut::with_capacity(name.len() + data.len() + 24);
    write_event_body(&mut out, name, data);
    out.freeze()
}

/// Appends what [`event_body`] returns.
pub fn write_event_body(out: &mut BytesMut, name: &str, data: &str) {
    put(out, format_args!("event: {name}\n"));
    let mut rest = data;
    loop {
        let end = rest.find(['\r', '\n']).unwrap_or(rest.len());
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(&rest.as_bytes()[..end]);
        out.extend_from_slice(b"\n");
        rest = &rest[end..];
        if rest.is_empty() {
            break;
        }
        rest = rest.strip_prefix("\r\n").unwrap_or_else(|| &rest[1..]);
    }
    out.extend_from_slice(b"\n");
}

fn put(out: &mut BytesMut, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a BytesMut grows as needed");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(data: &str, expected: &str) {
        assert_eq!(event_body("e", data), Bytes::from(format!("event: e\n{expected}\n")), "{data:?}");
    }

    #[test]
    fn data_is_cut_at_every_line_end_and_nothing_is_dropped() {
        check("", "data: \n");
        check("a", "data: a\n");
        check(" a", "data:  a\n");
        check("a\nb", "data: a\ndata: b\n");
        check("a\r\nb", "data: a\ndata: b\n");
        check("a\rb", "data: a\ndata: b\n");
        check("a\n", "data: a\ndata: \n");
        check("\n\n", "data: \ndata: \ndata: \n");
        check("a\r\r\nb", "data: a\ndata: \ndata: b\n");
        check("\0\u{2028}\u{feff}😀", "data: \0\u{2028}\u{feff}😀\n");
    }

    #[test]
    fn retry_is_a_line_of_the_block_that_follows() {
        let mut out = BytesMut::new();
        retry(&mut out, Duration::from_millis(3417));
        id(&mut out, "evt_a");
        out.extend_from_slice(&event_body("heartbeat", "{}"));
        assert_eq!(&out[..], b"retry: 3417\nid: evt_a\nevent: heartbeat\ndata: {}\n\n");
    }
}
