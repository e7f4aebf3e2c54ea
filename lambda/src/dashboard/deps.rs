//! What the dashboard routes need.

use std::sync::Arc;

use contract::DashboardSettings;

use super::write_limits::WriteLimits;
use crate::auth::Auth;
use crate::clock::Clock;
use crate::store::{Configurations, Goodbyes, Hours, Items, Stores};
use crate::stream::hub::Hub;

/// What the dashboard routes need.
#[derive(Clone)]
pub struct Deps {
    /// Settings of the function.
    pub settings: Arc<DashboardSettings>,
    /// For items that the hub does not have whole any more.
    pub items: Arc<dyn Items>,
    /// For configurations.
    pub configurations: Arc<dyn Configurations>,
    /// For goodbyes.
    pub goodbyes: Arc<dyn Goodbyes>,
    /// For histories that reach beyond the window.
    pub hours: Arc<dyn Hours>,
    /// For items.
    pub hub: Hub,
    /// Reads the time.
    pub clock: Clock,
    /// Users of requests.
    pub auth: Auth,
    /// How often something may be changed.
    pub(super) writes: Arc<WriteLimits>,
}

impl Deps {
    /// Puts the parts of one instance together.
    #[must_use]
    pub fn new(settings: DashboardSettings, stores: &Stores, hub: Hub, auth: Auth, clock: Clock) -> Self {
        Self {
            settings: Arc::new(settings),
            items: Arc::clone(&stores.items),
            configurations: Arc::clone(&stores.configurations),
            goodbyes: Arc::clone(&stores.goodbyes),
            hours: Arc::clone(&stores.hours),
            hub,
            clock,
            auth,
            writes: Arc::default(),
        }
    }
}
