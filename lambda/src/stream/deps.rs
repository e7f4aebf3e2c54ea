//! What the stream routes need.

use std::sync::Arc;

use contract::StreamSettings;
use tokio::sync::watch;
use tokio::time::Instant;

use super::goodbyes::Goodbyes;
use super::hub::Hub;
use super::slots::Slots;
use crate::auth::Auth;
use crate::clock::Clock;
use crate::store::Store;
use crate::watch::meter::Meter;
use crate::watch::xray::XRay;

/// What the stream routes need.
#[derive(Clone)]
pub struct Deps {
    /// Settings of the function.
    pub settings: Arc<StreamSettings>,
    /// For configurations.
    pub store: Arc<dyn Store>,
    /// For items.
    pub hub: Hub,
    /// For goodbyes, where pages say any.
    pub goodbyes: Option<Goodbyes>,
    /// Limits of this instance.
    pub slots: Slots,
    /// Who callers are.
    pub auth: Auth,
    /// Reads the time.
    pub clock: Clock,
    /// Where it counts.
    pub meter: Meter,
    /// Where streams are traced; nowhere, unless somebody says so.
    pub xray: XRay,
    /// When the instance started.
    pub started: Instant,
    /// Turns true when the process is told to stop.
    pub shutdown: watch::Receiver<bool>,
}

impl Deps {
    /// Puts the parts of one instance together.
    #[must_use]
    pub fn new(
        settings: StreamSettings,
        store: Arc<dyn Store>,
        auth: Auth,
        clock: Clock,
        shutdown: watch::Receiver<bool>,
        meter: Meter,
    ) -> Self {
        let goodbyes =
            settings.goodbye.enabled.then(|| Goodbyes::new(Arc::clone(&store), settings.poll.poll_interval.get()));
        let (data, poll) = (settings.data.clone(), settings.poll.clone());
        let hub = Hub::new(Arc::clone(&store), data, poll, clock.clone(), meter.clone());
        let slots = Slots::new(settings.max_connections.get(), settings.connections_per_client.get());
        Self {
            settings: Arc::new(settings),
            store,
            hub,
            goodbyes,
            slots,
            auth,
            clock,
            meter,
            xray: XRay::default(),
            started: Instant::now(),
            shutdown,
        }
    }
}
