//! Takes Nagle's algorithm off the connection to the Lambda Runtime API.
//!
//! `lambda_runtime` (1.5) neither sets `TCP_NODELAY` nor lets its caller do so, and it writes the prelude of a streamed answer and
//! the first event one after the other: the event then waits for the other side's delayed acknowledgement, 40 ms on Linux.
//! The connection is found among the process's own descriptors and reached through a duplicate, which shares its options. Where
//! that is not possible nothing is lost but those 40 ms.

use std::net::SocketAddr;

/// The Runtime API's connections of this process.
#[derive(Clone, Copy, Debug)]
pub struct RuntimeApi {
    address: Option<SocketAddr>,
}

impl RuntimeApi {
    /// Takes the value of `AWS_LAMBDA_RUNTIME_API`; without an address and port there is nothing to find.
    #[must_use]
    pub fn new(address: Option<&str>) -> Self {
        Self { address: address.and_then(|text| text.parse().ok()) }
    }

    /// Switches Nagle's algorithm off on every open connection to it. Some twenty system calls; never fails.
    pub fn send_at_once(self) {
        if let Some(address) = self.address
            && let Err(error) = each_connection_to(address)
        {
            tracing::debug!(%error, "TCP_NODELAY cannot be set");
        }
    }
}

#[cfg(target_os = "linux")]
fn each_connection_to(address: SocketAddr) -> std::io::Result<()> {
    use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

    let this = pidfd_open(getpid(), PidfdFlags::empty())?;
    for entry in std::fs::read_dir("/proc/self/fd")? {
        let Some(number) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // Descriptors that were closed meanwhile fail here, files and pipes at the next line.
        let Ok(descriptor) = pidfd_getfd(&this, number, PidfdGetfdFlags::empty()) else { continue };
        let peer = rustix::net::getpeername(&descriptor).ok().flatten();
        if peer.and_then(|peer| SocketAddr::try_from(peer).ok()) == Some(address) {
            rustix::net::sockopt::set_tcp_nodelay(&descriptor, true)?;
        }
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn each_connection_to(_: SocketAddr) -> std::io::Result<()> {
    Ok(()) // Lambda is Linux; elsewhere this only has to compile
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn only_connections_to_the_address_are_changed() {
        let (ours, other) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
        let wanted = TcpStream::connect(ours.local_addr().unwrap()).unwrap();
        let unrelated = TcpStream::connect(other.local_addr().unwrap()).unwrap();
        assert!(!wanted.nodelay().unwrap());
        RuntimeApi::new(Some(&ours.local_addr().unwrap().to_string())).send_at_once();
        assert!(wanted.nodelay().unwrap());
        assert!(!unrelated.nodelay().unwrap());
        RuntimeApi::new(None).send_at_once();
        RuntimeApi::new(Some("no address")).send_at_once();
    }
}
