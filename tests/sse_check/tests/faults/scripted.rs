//! A server that is one function: it has the head of each request and a connection to answer on.

use std::net::SocketAddr;

use sse_check::target::Target;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The head of a stream that ends where its connection does.
pub(crate) const STREAM: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n\r\n";

/// A request, and the connection that it came on.
pub(crate) struct Asked {
    /// Its head as it came.
    pub(crate) head: String,
    socket: TcpStream,
}

impl Asked {
    /// The path that is asked for.
    pub(crate) fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// The value of a header, where there is one.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Writes; a client that went away is no failure here.
    pub(crate) async fn say(&mut self, text: &str) {
        self.socket.write_all(text.as_bytes()).await.ok();
    }

    /// Waits until the client goes away.
    pub(crate) async fn stay(&mut self) {
        let mut scratch = [0; 64];
        while self.socket.read(&mut scratch).await.is_ok_and(|read| read > 0) {}
    }
}

/// Listens, and answers every request as `answer` does, one a connection.
pub(crate) async fn serve<F, A>(answer: F) -> SocketAddr
where
    F: Fn(Asked) -> A + Send + Sync + 'static,
    A: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            socket.set_nodelay(true).unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") && socket.read_buf(&mut head).await.is_ok_and(|read| read > 0) {}
            tokio::spawn(answer(Asked { head: String::from_utf8_lossy(&head).into_owned(), socket }));
        }
    });
    address
}

/// The URL of a path there.
pub(crate) fn at(address: SocketAddr, path: &str) -> Target {
    Target::parse(&format!("http://{address}{path}")).unwrap()
}
