//! A registry that speaks TLS, by a name that is not this machine's: a proxy on loopback leads there, as a company's does.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::registry::{PASSWORD, Registry, USER};
use super::{Folder, tool};

const HOST: &str = "registry.example";

/// An authority that nobody knows, and what it says of the registry.
struct Authority(TempDir);

impl Authority {
    /// `name` is what the certificate is of.
    fn of(name: &str) -> Self {
        let authority = Self(tempfile::tempdir().unwrap());
        let openssl = |arguments: &[&str]| {
            tool(Command::new("openssl").args(arguments).current_dir(authority.0.path()));
        };
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
        let ca = [
            "-subj",
            "/CN=Tests",
            "-keyout",
            "ca.key",
            "-out",
            "ca.pem",
            "-addext",
            "basicConstraints=critical,CA:TRUE",
        ];
        openssl(&[&["req", "-x509"], &key[..], &ca].concat());
        let san = format!("subjectAltName=DNS:{name}");
        let own = ["-subj", "/CN=Registry", "-keyout", "own.key", "-out", "own.pem", "-addext", &san];
        let signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "basicConstraints=critical,CA:FALSE"];
        openssl(&[&["req", "-x509"], &key[..], &own, &signed].concat());
        authority
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    fn registry(&self) -> Registry {
        Registry::start_tls(&self.path("own.pem"), &self.path("own.key"))
    }
}

/// Starts a proxy that leads every `CONNECT` to one address, whatever host it names.
fn proxy(to: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            // A connection that breaks is the client's business.
            std::thread::spawn(move || lead(client, to));
        }
    });
    address
}

fn lead(mut client: TcpStream, to: SocketAddr) -> io::Result<()> {
    let mut head = BufReader::new(client.try_clone()?);
    let mut line = String::new();
    while head.read_line(&mut line)? > 2 {
        assert!(!line.contains("Authorization"), "the registry's credentials are not the proxy's");
        line.clear();
    }
    let mut registry = TcpStream::connect(to)?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let (mut from, mut back) = (registry.try_clone()?, client.try_clone()?);
    std::thread::spawn(move || {
        io::copy(&mut from, &mut back).ok();
        back.shutdown(Shutdown::Both).ok();
    });
    // What the client has said already is in the reader.
    io::copy(&mut head, &mut registry)?;
    registry.shutdown(Shutdown::Both)
}

/// Somebody who is logged in to the registry, behind the proxy, and trusts who is in the file.
fn folder(registry: &Registry, trusted: Option<&Path>) -> Folder {
    let folder = Folder::built("arm64", 100_000).login(HOST, USER, PASSWORD);
    let folder = folder.env("HTTPS_PROXY", &format!("http://{}", proxy(registry.address)));
    match trusted {
        Some(file) => folder.env("SSL_CERT_FILE", &file.display().to_string()),
        None => folder,
    }
}

#[test]
fn a_registry_whose_certificate_nobody_knows_is_refused_and_one_of_a_known_authority_is_pushed_to() {
    let authority = Authority::of(HOST);
    let registry = authority.registry();
    let stranger = folder(&registry, None);
    let run = stranger.push(&format!("{HOST}/live"));
    run.says("`registry.example` cannot be trusted: invalid peer certificate: UnknownIssuer");
    assert!(run.stderr.contains("hint: if its certificate is of an authority of your own"), "{run:?}");
    assert_eq!((stranger.told(), stranger.halves()), (Value::Null, Vec::new()));

    let known = folder(&registry, Some(&authority.path("ca.pem")));
    known.push(&format!("{HOST}/live")).done();
    let pin = format!("{HOST}/live@{}", known.image("stream").0);
    assert_eq!(known.told()["stream_image"], pin.as_str());
    // The registry has it: its own files say so.
    let manifests = "store/docker/registry/v2/repositories/live/_manifests/revisions/sha256";
    assert!(registry.folder.path().join(manifests).join(&known.image("stream").0[7..]).is_dir());
}

#[test]
fn a_certificate_of_another_name_is_refused() {
    let authority = Authority::of("another.example");
    let registry = authority.registry();
    let run = folder(&registry, Some(&authority.path("ca.pem"))).push(&format!("{HOST}/live"));
    run.says("`registry.example` cannot be trusted: invalid peer certificate: certificate not valid for name");
}
