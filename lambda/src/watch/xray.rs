//! Streams in X-Ray: a subsegment for each, with annotations that traces can be searched by.
//!
//! One datagram to the daemon that Lambda runs beside the function, when the stream has ended. Nothing waits for it, and nothing
//! is told when it is lost: that is how the daemon's protocol is meant.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;

use contract::Lookup;
use serde_json::{Value, json};

use stream_core::timestamp::Timestamp;

/// Variable in which Lambda says where its daemon listens.
const ADDRESS_VARIABLE: &str = "AWS_XRAY_DAEMON_ADDRESS";
/// What the daemon wants before each document (X-Ray developer guide, "Sending segment documents to the X-Ray daemon").
const HEADER: &str = "{\"format\":\"json\",\"version\":1}\n";
/// Name of the subsegment.
const NAME: &str = "stream";

/// Where traces go, if they go anywhere.
#[derive(Clone, Debug, Default)]
pub struct XRay {
    socket: Option<Arc<UdpSocket>>,
}

/// Which trace a request belongs to; only of requests that are sampled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    id: String,
    parent: String,
}

/// What the trace of a stream says.
#[derive(Clone, Copy, Debug)]
pub struct StreamTrace<'a> {
    /// Name of the stream, as in its heartbeats.
    pub stream_id: &'a str,
    /// Why it ended.
    pub end_reason: &'a str,
    /// Whether it went on where its client had been.
    pub resumed: bool,
    /// Why its client's cursor could not be honoured.
    pub reset: Option<&'a str>,
    /// Events written.
    pub events: u64,
    /// Bytes written.
    pub bytes: u64,
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
}

impl XRay {
    /// Takes the daemon's address from the environment, if streams are to be traced at all.
    #[must_use]
    pub fn new(is_on: bool, lookup: &Lookup<'_>) -> Self {
        let address = lookup(ADDRESS_VARIABLE).filter(|_| is_on);
        let socket = address.as_deref().and_then(daemon_address).map(connect);
        match socket {
            Some(Ok(socket)) => Self { socket: Some(Arc::new(socket)) },
            Some(Err(error)) => {
                tracing::warn!(%error, "no traces: the daemon's address cannot be used");
                Self::default()
            }
            None => Self::default(),
        }
    }

    /// Says which trace a request belongs to, if its end is to be told.
    #[must_use]
    pub fn trace(&self, header: Option<&str>) -> Option<Trace> {
        self.socket.as_ref().and_then(|_| Trace::parse(header?))
    }

    /// Tells of a stream that has ended.
    pub fn send(&self, trace: &Trace, stream: StreamTrace<'_>) {
        if let Some(socket) = &self.socket {
            let id = format!("{:016x}", fastrand::u64(1..));
            let datagram = format!("{HEADER}{}", document(trace, &id, stream));
            // It does not block, and a daemon that is not there changes nothing for the stream.
            let _lost = socket.send(datagram.as_bytes());
        }
    }
}

impl Trace {
    /// Reads a trace header, `Root=1-…;Parent=…;Sampled=1`: other parts may stand in it, in any order. None where the request
    /// is not sampled: its document would not be shown, and billed all the same.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let part = |name: &str| header.split(';').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
        let is_hex = |text: &str, length| text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit());
        let (id, parent) = (part("Root")?, part("Parent")?);
        let mut pieces = id.split('-');
        let is_id = pieces.next() == Some("1")
            && pieces.next().is_some_and(|time| is_hex(time, 8))
            && pieces.next().is_some_and(|rest| is_hex(rest, 24))
            && pieces.next().is_none();
        (part("Sampled") == Some("1") && is_id && is_hex(parent, 16))
            .then(|| Self { id: id.to_owned(), parent: parent.to_owned() })
    }
}

/// `address:port`, or `tcp:address:port udp:address:port` in either order.
fn daemon_address(text: &str) -> Option<SocketAddr> {
    let mut words = text.split_ascii_whitespace();
    let udp = words.clone().find_map(|word| word.strip_prefix("udp:")).or_else(|| words.next())?;
    udp.parse().ok()
}

fn connect(address: SocketAddr) -> std::io::Result<UdpSocket> {
    let from: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(from)?;
    socket.connect(address)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn document(trace: &Trace, id: &str, stream: StreamTrace<'_>) -> Value {
    let secs = |at: Timestamp| std::time::Duration::from_millis(at.millis()).as_secs_f64();
    let mut annotations = json!({
        "stream_id": stream.stream_id,
        "end_reason": stream.end_reason,
        "resumed": stream.resumed,
        "events": stream.events,
        "bytes": stream.bytes,
    });
    if let Some(reason) = stream.reset {
        annotations["reset"] = reason.into();
    }
    json!({
        "name": NAME,
        "id": id,
        "trace_id": trace.id,
        "parent_id": trace.parent,
        "type": "subsegment",
        "start_time": secs(stream.began),
        // A clock that was set back must not make a document that X-Ray refuses.
        "end_time": secs(stream.ended.max(stream.began)),
        "annotations": annotations,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER_TEXT: &str =
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a87bd80c:0";

    #[test]
    fn only_a_sampled_request_has_a_trace() {
        let trace = Trace::parse(HEADER_TEXT).unwrap();
        assert_eq!(
            (trace.id.as_str(), trace.parent.as_str()),
            ("1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8")
        );
        for bad in [
            "",
            &HEADER_TEXT.replace("Sampled=1", "Sampled=0"),
            &HEADER_TEXT.replace("Sampled=1", "Sampled=?"),
            &HEADER_TEXT.replace("Parent=53995c3f42cd8ad8;", ""),
            &HEADER_TEXT.replace("Root=1-", "Root=2-"),
            &HEADER_TEXT.replace("994272793", "99427279\""),
            "Root=1-5759e988-bd862e3fe1be46a994272793-1;Parent=53995c3f42cd8ad8;Sampled=1",
        ] {
            assert_eq!(Trace::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_daemon_is_where_the_environment_says() {
        let at = |text| daemon_address(text).map(|address| address.to_string());
        assert_eq!(at("169.254.79.129:2000").as_deref(), Some("169.254.79.129:2000"));
        assert_eq!(at("tcp:127.0.0.1:2000 udp:127.0.0.2:2001").as_deref(), Some("127.0.0.2:2001"));
        assert_eq!(at("somewhere"), None);
        assert_eq!(at(""), None);
        let lookup = |name: &str| (name == ADDRESS_VARIABLE).then(|| "127.0.0.1:9".to_owned());
        assert!(XRay::new(true, &lookup).trace(Some(HEADER_TEXT)).is_some());
        assert!(XRay::new(false, &lookup).trace(Some(HEADER_TEXT)).is_none());
        assert!(XRay::new(true, &|_| None).trace(Some(HEADER_TEXT)).is_none());
    }
}
