//! A registry of containers as its makers have it, on loopback, for whoever has the password.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::local::free_port;
use crate::support::reaper;

pub(crate) const USER: &str = "ann";
pub(crate) const PASSWORD: &str = "secret";
/// That user and password, as `htpasswd -B` writes it.
const HTPASSWD: &str = "ann:$2b$05$CyUAN4LaPRx1pkKEc3HO2ubdOUWWmrp1t9344yOiYMiqOWgyvX/42\n";
/// A hang must end at some time.
const START_LIMIT: Duration = Duration::from_secs(120);

/// A running registry.
pub(crate) struct Registry {
    process: Child,
    pub(crate) address: SocketAddr,
    pub(super) folder: TempDir,
}

impl Registry {
    pub(crate) fn start() -> Self {
        Self::serving("")
    }

    /// One that speaks TLS, with this certificate and its key.
    pub(super) fn start_tls(certificate: &Path, key: &Path) -> Self {
        let (certificate, key) = (certificate.display(), key.display());
        Self::serving(&format!("  tls:\n    certificate: {certificate}\n    key: {key}\n"))
    }

    /// `more` is what its configuration has below `http`.
    fn serving(more: &str) -> Self {
        let (folder, address) = (tempfile::tempdir().unwrap(), free_port());
        let at = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(at("htpasswd"), HTPASSWD).unwrap();
        let config = format!(
            "version: 0.1\nlog:\n  accesslog:\n    disabled: true\nstorage:\n  filesystem:\n    rootdirectory: {}\n\
             http:\n  addr: {address}\n{more}auth:\n  htpasswd:\n    realm: tests\n    path: {}\n",
            at("store"),
            at("htpasswd")
        );
        std::fs::write(at("config.yml"), config).unwrap();
        let mut command = Command::new("docker-registry");
        command.args(["serve", &at("config.yml")]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("`./justw test` installs docker-registry");
        reaper::adopt(process.id());
        let registry = Self { process, address, folder };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(began.elapsed() < START_LIMIT, "the registry is not up");
            std::thread::sleep(Duration::from_millis(20));
        }
        registry
    }

    /// What `--repository` takes.
    pub(crate) fn repository(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It may have ended.
        let _killed = self.process.kill();
        let _reaped = self.process.wait();
        reaper::release(self.process.id());
    }
}
