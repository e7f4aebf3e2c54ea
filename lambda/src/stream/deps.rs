//! What the stream routes need.

use std::sync::Arc;
use std::time::Duration;

use contract::StreamSettings;
use tokio::sync::watch;
use tokio::time::Instant;

use super::goodbyes::Lookout;
use super::hub::Hub;
use super::slots::Slots;
use crate::auth::Auth;
use crate::clock::Clock;
use crate::store::{Configurations, Stores};
use crate::watch::meter::Meter;
use crate::watch::xray::XRay;

/// What the stream routes need.
#[derive(Clone)]
pub struct Deps {
    /// Settings of the function.
    pub settings: Arc<StreamSettings>,
    /// What configurations say.
    pub configurations: Arc<dyn Configurations>,
    /// For items.
    pub hub: Hub,
    /// For goodbyes, where clients say any.
    pub goodbyes: Option<Lookout>,
    /// Limits of this instance.
    pub slots: Slots,
    /// Users of requests.
    pub auth: Auth,
    /// Reads the time.
    pub clock: Clock,
    /// Where it counts.
    pub meter: Meter,
    /// Where streams are traced; nowhere, unless the settings say so.
    pub xray: XRay,
    /// When the instance started.
    pub started: Instant,
    /// Turns true when the process is told to stop.
    pub shutdown: watch::Receiver<bool>,
    /// Time over which clients are told to come back then; a function has none to wait for them.
    pub drain: Duration,
}

impl Deps {
    /// Puts the parts of one instance together.
    #[must_use]
    pub fn new(
        settings: StreamSettings,
        stores: &Stores,
        hub: Hub,
        auth: Auth,
        clock: Clock,
        shutdown: watch::Receiver<bool>,
        meter: Meter,
    ) -> Self {
        let goodbyes = settings
            .goodbye
            .enabled
            .then(|| Lookout::new(Arc::clone(&stores.goodbyes), settings.poll.poll_interval.get()));
        let slots = Slots::new(settings.max_connections.get(), settings.connections_per_client.get());
        Self {
            settings: Arc::new(settings),
            configurations: Arc::clone(&stores.configurations),
            hub,
            goodbyes,
            slots,
            auth,
            clock,
            meter,
            xray: XRay::default(),
            started: Instant::now(),
            shutdown,
            drain: Duration::ZERO,
        }
    }
}
