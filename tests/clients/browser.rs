//! Chromium and Firefox without a driver: each is started on a page of ours that opens EventSources and reports.
//!
//! Tests that run at the same time share one process of each; the last one ends it. Nothing outside this machine can be
//! reached from them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::Signal;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::Ear;
use super::control::{self, Control, Origin};
use crate::support::clock::until;
use crate::support::process::{Process, lock};

/// A hang must end at some time; a machine that is only slow takes less.
const START_LIMIT: Duration = Duration::from_secs(300);
/// Starts of a browser before its end is the tests' concern.
const STARTS: u32 = 3;
/// Time to end in an orderly way.
const END_LIMIT: Duration = Duration::from_secs(3);

/// Which browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Chromium,
    Firefox,
}

impl Kind {
    /// All of them.
    pub(super) const ALL: [Self; 2] = [Self::Chromium, Self::Firefox];

    fn program(self) -> PathBuf {
        let (variable, names): (_, &[_]) = match self {
            Self::Chromium => ("CHROMIUM", &["chromium", "chromium-browser", "google-chrome"]),
            Self::Firefox => ("FIREFOX", &["firefox-esr", "firefox"]),
        };
        if let Some(path) = std::env::var_os(variable) {
            return path.into();
        }
        let folders = std::env::var_os("PATH").expect("programs are found on PATH");
        let mut found =
            names.iter().flat_map(|name| std::env::split_paths(&folders).map(move |folder| folder.join(name)));
        found
            .find(|path| path.exists())
            .unwrap_or_else(|| panic!("none of {names:?} on PATH; `./justw test` installs it"))
    }

    fn arguments(self, profile: &Path, page: &str) -> Vec<String> {
        let profile = profile.display();
        let arguments: &[&str] = match self {
            Self::Chromium => &[
                "--headless",
                // Its sandbox refuses to run as root, which is who runs the tests in a container.
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--no-default-browser-check",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-default-apps",
                "--disable-sync",
                "--disable-background-timer-throttling",
                "--disable-renderer-backgrounding",
                "--no-proxy-server",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            ],
            Self::Firefox => &["--headless", "--no-remote", "--new-instance", "--profile"],
        };
        let own = match self {
            Self::Chromium => format!("--user-data-dir={profile}"),
            Self::Firefox => profile.to_string(),
        };
        arguments.iter().map(|text| (*text).to_owned()).chain([own, page.to_owned()]).collect()
    }
}

/// No first-run pages, updates or reports. A proxy that nobody runs stands before everything but this machine, so that what
/// is forgotten here gets nowhere either.
const FIREFOX_PREFERENCES: &str = r#"user_pref("app.normandy.enabled", false);
user_pref("app.shield.optoutstudies.enabled", false);
user_pref("app.update.enabled", false);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.cache.disk.enable", false);
user_pref("browser.safebrowsing.downloads.enabled", false);
user_pref("browser.safebrowsing.malware.enabled", false);
user_pref("browser.safebrowsing.phishing.enabled", false);
user_pref("browser.sessionstore.resume_from_crash", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("browser.startup.homepage_override.mstone", "ignore");
user_pref("browser.startup.page", 0);
user_pref("datareporting.healthreport.uploadEnabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("dom.push.connection.enabled", false);
user_pref("extensions.update.enabled", false);
user_pref("media.gmp-manager.updateEnabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("network.proxy.type", 1);
user_pref("network.proxy.socks", "127.0.0.1");
user_pref("network.proxy.socks_port", 9);
user_pref("network.proxy.socks_remote_dns", true);
user_pref("network.proxy.no_proxies_on", "127.0.0.1");
user_pref("network.proxy.failover_direct", false);
user_pref("toolkit.telemetry.reportingpolicy.firstRun", false);
user_pref("toolkit.telemetry.server", "");
"#;

/// A running browser.
pub(super) struct Browser {
    control: Arc<Control>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Browser {
    /// The browser that other tests are using already, or a new one.
    pub(super) async fn get(kind: Kind) -> Arc<Self> {
        static SHARED: [Mutex<Weak<Browser>>; 2] = [const { Mutex::new(Weak::new()) }; 2];
        let browser = {
            let mut shared = lock(&SHARED[kind as usize]);
            shared.upgrade().unwrap_or_else(|| {
                let browser = Arc::new(Self::start(kind));
                *shared = Arc::downgrade(&browser);
                browser
            })
        };
        let what = format!("{kind:?} opens its page");
        let is_up = || *browser.control.ready.borrow();
        until(&what, START_LIMIT, || (is_up() || browser.has_ended()).then_some(())).await;
        assert!(is_up(), "{kind:?} has ended, and says why above");
        browser
    }

    fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// In a thread of its own, because it outlives the test that happens to be first.
    fn start(kind: Kind) -> Self {
        let control = Control::new();
        let (end, ended) = oneshot::channel();
        let shared = Arc::clone(&control);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime needs nothing special").block_on(run(kind, shared, ended));
        });
        Self { control, end: Some(end), thread: Some(thread) }
    }

    /// Opens an EventSource in the page; what it hears goes to `ear`.
    pub(super) fn open(self: &Arc<Self>, url: &str, origin: Origin, ear: &Ear) -> Source {
        Source { browser: Arc::clone(self), number: self.control.open(url, origin, ear) }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Neither matters where the thread has ended already.
        drop(self.end.take());
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// An EventSource in a page of a browser, closed when dropped.
pub(super) struct Source {
    browser: Arc<Browser>,
    number: usize,
}

impl Source {
    /// `readyState` at its last `open` or `error`: 0 connecting, 1 open, 2 closed for good.
    pub(super) fn state(&self) -> u8 {
        self.browser.control.state(self.number)
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.browser.control.close(self.number);
    }
}

async fn run(kind: Kind, control: Arc<Control>, ended: oneshot::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
    let address: SocketAddr = listener.local_addr().expect("a bound socket has an address");
    let page = format!("http://{address}/");
    tokio::select! {
        () = control::serve(listener, Arc::clone(&control)) => {}
        () = keep(kind, &page, &control, ended) => {}
    }
}

/// Runs the browser until it is to end. One in some thousands crashes while it starts, which says nothing of streams: such a
/// one is started again, and each crash is written down.
#[expect(clippy::print_stderr, reason = "shown with the failure that it may explain")]
async fn keep(kind: Kind, page: &str, control: &Control, mut ended: oneshot::Receiver<()>) {
    for start in 1.. {
        let profile = tempfile::tempdir().expect("a folder for the profile");
        if kind == Kind::Firefox {
            std::fs::write(profile.path().join("user.js"), FIREFOX_PREFERENCES).expect("the folder is ours");
        }
        let variable = |name: &str| std::env::var(name).map(|value| (name.to_owned(), value));
        let mut env: BTreeMap<String, String> =
            ["PATH", "LANG"].into_iter().filter_map(|name| variable(name).ok()).collect();
        // What a browser that is killed leaves behind goes with its profile.
        for name in ["HOME", "TMPDIR"] {
            env.insert(name.to_owned(), profile.path().display().to_string());
        }
        env.insert("MOZ_CRASHREPORTER_DISABLE".to_owned(), "1".to_owned());
        let process = Process::spawn(&kind.program(), &kind.arguments(profile.path(), page), &env);
        tokio::select! {
            status = process.exited() => {
                let told = format!("{kind:?} ended with {status}:\n{}", process.text());
                assert!(start < STARTS && !*control.ready.borrow(), "{told}");
                eprintln!("{told}\nstarted again");
            }
            _ = &mut ended => {
                process.signal(Signal::TERM);
                if tokio::time::timeout(END_LIMIT, process.exited()).await.is_err() {
                    process.signal(Signal::KILL);
                    process.exited().await;
                }
                return;
            }
        }
    }
}
