//! What the dashboard routes need.

use std::sync::Arc;

use contract::DashboardSettings;

use super::write_limits::WriteLimits;
use crate::auth::Auth;
use crate::clock::Clock;
use crate::store::Store;
use crate::stream::hub::Hub;
use crate::watch::meter::Meter;

/// What the dashboard routes need.
#[derive(Clone)]
pub struct Deps {
    /// Settings of the function.
    pub settings: Arc<DashboardSettings>,
    /// For goodbyes and configurations.
    pub store: Arc<dyn Store>,
    /// For items.
    pub hub: Hub,
    /// Reads the time.
    pub clock: Clock,
    /// Who callers are.
    pub auth: Auth,
    /// How often who may change something.
    pub(super) writes: Arc<WriteLimits>,
}

impl Deps {
    /// Puts the parts of one instance together.
    #[must_use]
    pub fn new(settings: DashboardSettings, store: Arc<dyn Store>, auth: Auth, clock: Clock, meter: Meter) -> Self {
        let hub = Hub::new(Arc::clone(&store), settings.data.clone(), settings.poll.clone(), clock.clone(), meter);
        Self { settings: Arc::new(settings), store, hub, clock, auth, writes: Arc::default() }
    }
}
