//! Sockets that never wait: with a source address of each client's own where the server is on this machine, with TLS where the URL says so.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream as Blocking, ToSocketAddrs};
use std::sync::Arc;

use mio::net::TcpStream;
use rustix::io::{Errno, ioctl_fionbio};
use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::target::Target;
use crate::wire;

/// The first source address of clients on this machine; the others follow it. Linux has all of 127.0.0.0/8.
const FIRST_SOURCE: u32 = u32::from_be_bytes([127, 1, 0, 1]);
/// The last one that may be: the one behind it is the network's.
const LAST_SOURCE: u32 = u32::from_be_bytes([127, 255, 255, 254]);

/// Where a URL leads, resolved once for all clients.
pub(super) struct Door {
    address: SocketAddr,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

impl Door {
    /// Looks the host up, once.
    ///
    /// # Errors
    /// A sentence: which URL, and what the system says.
    pub(super) fn of(target: &Target) -> Result<Self, String> {
        let bad = |why: String| format!("{} cannot be asked: {why}", target.url());
        let mut found =
            (target.host.as_str(), target.port).to_socket_addrs().map_err(|error| bad(error.to_string()))?;
        let address = found.next().ok_or_else(|| bad("its host has no address".into()))?;
        let tls = if target.tls {
            let config = wire::tls().map_err(|error| bad(error.to_string()))?;
            Some((config, ServerName::try_from(target.host.clone()).map_err(|error| bad(error.to_string()))?))
        } else {
            None
        };
        Ok(Self { address, tls })
    }

    /// Begins to connect as the client of this number.
    pub(super) fn open(&self, client: usize) -> io::Result<Socket> {
        let stream = TcpStream::from_std(self.begin(client)?);
        let Some((config, name)) = &self.tls else { return Ok(Socket::Plain(stream)) };
        let connection = ClientConnection::new(Arc::clone(config), name.clone()).map_err(io::Error::other)?;
        Ok(Socket::Tls(Box::new(StreamOwned::new(connection, stream))))
    }

    fn begin(&self, client: usize) -> io::Result<Blocking> {
        let family = if self.address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let socket = socket(family, SocketType::STREAM, None)?;
        ioctl_fionbio(&socket, true)?;
        if let Some(source) = self.source(client) {
            // Where the system has only 127.0.0.1 all come from there.
            match bind(&socket, &SocketAddr::from((source, 0))) {
                Ok(()) | Err(Errno::ADDRNOTAVAIL) => {}
                Err(error) => return Err(error.into()),
            }
        }
        match connect(&socket, &self.address) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(error) => return Err(error.into()),
        }
        let stream = Blocking::from(socket);
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// A source address of its own for each client, because servers limit connections of one.
    fn source(&self, client: usize) -> Option<Ipv4Addr> {
        let IpAddr::V4(address) = self.address.ip() else { return None };
        let places = LAST_SOURCE - FIRST_SOURCE + 1;
        let place = u32::try_from(client % places as usize).ok()?;
        address.is_loopback().then(|| Ipv4Addr::from(FIRST_SOURCE + place))
    }
}

/// One connection.
pub(super) enum Socket {
    /// As it is.
    Plain(TcpStream),
    /// Under TLS.
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Socket {
    /// The connection itself, to be watched.
    pub(super) fn stream(&mut self) -> &mut TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => &mut stream.sock,
        }
    }

    /// Whether it is connected; `false` while it is on the way.
    pub(super) fn is_connected(&mut self) -> io::Result<bool> {
        let stream = self.stream();
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
        match stream.peer_addr() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reads what is there; whether there may be more at once is the second value.
    pub(super) fn read(&mut self, room: &mut [u8]) -> io::Result<(usize, bool)> {
        match self {
            // What does not fill the room was all: another read would only hear that.
            Self::Plain(stream) => stream.read(room).map(|read| (read, read == room.len())),
            Self::Tls(stream) => stream.read(room).map(|read| (read, true)),
        }
    }

    /// Writes what fits.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => {
                let written = stream.write(bytes)?;
                match stream.flush() {
                    Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
                    _ => Ok(written),
                }
            }
        }
    }
}
