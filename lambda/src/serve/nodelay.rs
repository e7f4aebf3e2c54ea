//! Takes Nagle's algorithm off the connection to the Lambda Runtime API.
//!
//! `lambda_runtime` (1.5) neither sets `TCP_NODELAY` nor lets a program do so, and it writes the prelude of a streamed answer and
//! the first event one after the other: the event then waits for the other side's delayed acknowledgement, 40 ms on Linux.
//! The connection is found among the process's own descriptors and reached through a duplicate, which shares its options. Where
//! that is not possible nothing is lost but those 40 ms.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Shortest time between two looks at all descriptors; in between, only at those that are new.
const FULL_LOOK_EVERY: Duration = Duration::from_secs(1);
/// Numbers without a descriptor after which there are taken to be no further ones.
const GAP_MAX: i32 = 64;

/// The Runtime API's connections of this process.
#[derive(Clone, Debug)]
pub struct RuntimeApi {
    address: Option<SocketAddr>,
    looked: Arc<Mutex<Looked>>,
}

/// How far the descriptors are known.
#[derive(Debug, Default)]
struct Looked {
    /// When all were looked at.
    at_all: Option<Instant>,
    /// The highest number that was looked at.
    highest: i32,
}

impl RuntimeApi {
    /// Takes the value of `AWS_LAMBDA_RUNTIME_API`; without an address and port there is nothing to find.
    #[must_use]
    pub fn new(address: Option<&str>) -> Self {
        Self { address: address.and_then(|text| text.parse().ok()), looked: Arc::default() }
    }

    /// Switches Nagle's algorithm off on the open connections to it; never fails. A number that was freed and taken again
    /// within a second is found at the next look at all: a herd of streams must not look at every descriptor for each.
    pub fn send_at_once(&self) {
        if let Some(address) = self.address
            && let Err(error) = self.look(address)
        {
            tracing::debug!(%error, "TCP_NODELAY cannot be set");
        }
    }

    /// Returns at how many numbers it looked.
    #[cfg(target_os = "linux")]
    fn look(&self, address: SocketAddr) -> std::io::Result<i32> {
        use rustix::process::{PidfdFlags, getpid, pidfd_open};

        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let this = pidfd_open(getpid(), PidfdFlags::empty())?;
        let mut looks = 0;
        let mut look = |number| {
            looks += 1;
            set_nodelay(&this, number, address)
        };
        if looked.at_all.is_none_or(|at| at.elapsed() >= FULL_LOOK_EVERY) {
            looked.at_all = Some(Instant::now());
            for entry in std::fs::read_dir("/proc/self/fd")? {
                let Some(number) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
                look(number)?;
                looked.highest = looked.highest.max(number);
            }
        } else {
            // New descriptors take the lowest number that is free, so that there are no wide gaps above those before.
            let (mut number, mut gap) = (looked.highest, 0);
            while gap < GAP_MAX {
                number += 1;
                gap += 1;
                if look(number)? {
                    (looked.highest, gap) = (number, 0);
                }
            }
        }
        Ok(looks)
    }

    /// Lambda is Linux; elsewhere this only has to compile.
    #[cfg(not(target_os = "linux"))]
    fn look(&self, _: SocketAddr) -> std::io::Result<i32> {
        Ok(0)
    }
}

/// Says whether there is a descriptor of this number, and switches Nagle's algorithm off if it is a connection to `address`.
#[cfg(target_os = "linux")]
fn set_nodelay(this: &rustix::fd::OwnedFd, number: i32, address: SocketAddr) -> std::io::Result<bool> {
    use rustix::process::{PidfdGetfdFlags, pidfd_getfd};

    let descriptor = match pidfd_getfd(this, number, PidfdGetfdFlags::empty()) {
        Ok(descriptor) => descriptor,
        Err(rustix::io::Errno::BADF) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    // Files and pipes fail here.
    let peer = rustix::net::getpeername(&descriptor).ok().flatten();
    if peer.and_then(|peer| SocketAddr::try_from(peer).ok()) == Some(address) {
        rustix::net::sockopt::set_tcp_nodelay(&descriptor, true)?;
    }
    Ok(true)
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

    #[tokio::test(start_paused = true)]
    async fn a_herd_is_looked_at_once_and_a_number_used_again_is_found_later() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap();
        let api = RuntimeApi::new(None);
        let connect = || TcpStream::connect(address).unwrap();
        api.look(address).unwrap();
        let mut herd = Vec::new();
        let mut looks = 0;
        for _ in 0..100 {
            herd.push(connect());
            looks += api.look(address).unwrap();
        }
        // Other tests open files at the same time: their numbers count too.
        assert!(looks < 100 * (GAP_MAX + 20), "{looks} looks for a hundred connections");
        tokio::time::advance(FULL_LOOK_EVERY).await;
        api.look(address).unwrap();
        assert!(herd.iter().all(|connection| connection.nodelay().unwrap()));
        drop(herd.drain(10..20));
        let again: Vec<TcpStream> = (0..10).map(|_| connect()).collect();
        tokio::time::advance(FULL_LOOK_EVERY).await;
        api.look(address).unwrap();
        assert!(again.iter().all(|connection| connection.nodelay().unwrap()));
    }
}
