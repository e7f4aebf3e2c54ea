//! Both functions as an ordinary server, at one address: for a container, a machine, or whatever else runs a program.

use std::process::ExitCode;

use contract::{AuthMode, CorsSettings, DashboardSettings, ServerSettings, StreamSettings};
use lambda::auth::Auth;
use lambda::clock::Clock;
use lambda::fatal::Fatal;
use lambda::serve::server::{self, Instance, Server, Settings};
use lambda::serve::start::{self, shutdown_flag, variable};
use lambda::store::Stores;

fn main() -> ExitCode {
    start::server(run())
}

async fn run() -> Result<(), Fatal> {
    let own = ServerSettings::on_this_platform(&variable)?;
    let stream = StreamSettings::from_env(&variable)?;
    let (dashboard, cors) = (DashboardSettings::from_env(&variable)?, CorsSettings::from_env(&variable)?);
    let (clock, shutdown) = (Clock::system(), shutdown_flag()?);
    if stream.auth.mode == AuthMode::TrustedHeader && !own.address.0.is_loopback() {
        tracing::warn!(address = %own.address.0, "whoever reaches this address can be any user: AUTH_MODE is `trusted-header`");
    }
    let streams = stream.max_connections.get();
    let auth = Auth::new(&stream.auth, clock.clone(), &variable)?;
    let stores = Stores::of(server::table(stream.data.clone(), &clock, &variable).await?);
    let listener = Server::listen((own.address.0, own.port.number()).into(), "SERVER_PORT")?;
    let address = listener.local_addr().map_err(Fatal::new)?;
    auth.warm_up().await;
    let of_both = Settings { stream, dashboard, cors, drain: own.drain.get() };
    let instance = Instance::start(of_both, "server", &stores, auth, clock, shutdown.clone());
    let Instance { stream, dashboard, operation, serving } = instance;
    let router = dashboard.merge(stream).merge(operation);
    let server = Server::new(vec![(listener, router)], serving)?;
    tracing::info!(%address, streams, "listening");
    server.serve(&shutdown).await;
    Ok(())
}
