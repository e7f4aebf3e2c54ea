//! Both functions as an ordinary server, at one address: for a container, a machine, or whatever else runs a program.

use std::process::ExitCode;

use contract::settings::both;
use contract::{AuthMode, CorsSettings, DashboardSettings, ServerSettings, StreamSettings};
use lambda::auth::Auth;
use lambda::clock::Clock;
use lambda::fatal::Fatal;
use lambda::serve::server::{self, Instance, Server, Settings};
use lambda::serve::start::{self, shutdown_flag, variable};
use lambda::store::Stores;

const HELP: &str = "Both functions as an ordinary HTTP server, at one address: streams, REST and health.

Its settings are variables of the environment: SENTIMENTS_TABLE, USERS_TABLE and AWS_REGION must be there, where no
profile names the region; SERVER_ADDRESS (127.0.0.1), SERVER_PORT (8080) and SERVER_DRAIN (8s) say where it listens
and how it ends. `infragen --env local render` writes all of them to generated/local/functions.env, and docs/server.md
says what they mean.

  --help      this
  --version   its version";

fn main() -> ExitCode {
    start::server(HELP, run())
}

async fn run() -> Result<(), Fatal> {
    let functions = both(StreamSettings::from_env(&variable), DashboardSettings::from_env(&variable));
    let rest = both(ServerSettings::on_this_platform(&variable), CorsSettings::from_env(&variable));
    let ((stream, dashboard), (own, cors)) = both(functions, rest)?;
    let (clock, shutdown) = (Clock::system(), shutdown_flag()?);
    if stream.auth.mode == AuthMode::TrustedHeader && !own.address.0.is_loopback() {
        tracing::warn!(address = %own.address.0, "whoever reaches this address can be any user: AUTH_MODE is `trusted-header`");
    }
    let streams = stream.max_connections.get();
    let auth = Auth::new(&stream.auth, clock.clone(), &variable)?;
    let stores = Stores::of(server::table(stream.data.clone(), &clock, &variable).await?);
    let listener = Server::listen((own.address.0, own.port.number()).into(), ServerSettings::variables(&variable))?;
    let address = listener.local_addr().map_err(Fatal::new)?;
    auth.warm_up().await;
    let of_both = Settings { stream, dashboard, cors, drain: own.drain.get() };
    let instance = Instance::start(of_both, "server", &stores, auth, clock, shutdown.clone());
    let Instance { stream, dashboard, operation, serving } = instance;
    let router = dashboard.merge(stream).merge(operation);
    let server = Server::new(vec![(listener, router)], serving)?;
    // Of the library's name: of others only what is wrong is logged.
    tracing::info!(target: "lambda::server", %address, streams, "listening");
    server.serve(&shutdown).await;
    Ok(())
}
