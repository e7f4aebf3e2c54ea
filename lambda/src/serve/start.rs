//! What the binaries share: reading the environment, setting up what both functions need, and the end of the process.

use std::process::ExitCode;

use contract::{AuthSettings, DataSettings, limits};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::auth::Auth;
use crate::clock::Clock;
use crate::fatal::Fatal;
use crate::store::dynamodb::DynamoDb;
use crate::store::{Items, Stores};
use crate::watch::{lines, logs};

/// Reads a variable of the process; one that is not UTF-8 reads as its lossy form, which no rule accepts.
#[must_use]
pub fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this is where the binaries read their environment")]
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// Memory that the function has, bytes, where the platform says so (AWS Lambda, "Defined runtime environment variables").
#[must_use]
pub fn memory_bytes() -> Option<usize> {
    let megabytes: usize = variable("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")?.parse().ok()?;
    megabytes.checked_mul(1024 * 1024)
}

/// Runs a function's program to its end.
pub fn function(run: impl Future<Output = Result<(), Fatal>>) -> ExitCode {
    logs::start(&variable);
    end(runtime().and_then(|runtime| runtime.block_on(run)))
}

/// Runs a server's program to its end, on a thread per core. It takes no arguments, but says what it is to who asks with `--help`.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a person typed this and reads the answer")]
pub fn server(help: &str, run: impl Future<Output = Result<(), Fatal>>) -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        None => {}
        Some("--help" | "-h") => {
            println!("{help}");
            return ExitCode::SUCCESS;
        }
        Some("--version" | "-V") => {
            println!("{}", env!("CARGO_PKG_VERSION"));
            return ExitCode::SUCCESS;
        }
        Some(other) => {
            eprintln!(
                "error: `{}` is no argument: settings are variables of the environment; see --help",
                other.escape_debug()
            );
            return ExitCode::from(2);
        }
    }
    logs::start(&variable);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Fatal::new);
    end(runtime.and_then(|runtime| runtime.block_on(run)))
}

fn end(result: Result<(), Fatal>) -> ExitCode {
    lines::finish();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(fatal) => fatal.report(),
    }
}

/// Sets up the tables from the environment and reaches them once: init runs at full CPU, so the handshake is cheapest now.
///
/// # Errors
/// [`Fatal`] when the environment lacks something. A table that does not answer is logged; it may when it is needed.
async fn tables(data: DataSettings, clock: &Clock) -> Result<Stores, Fatal> {
    let store = DynamoDb::from_env(data, clock, &variable).map_err(Fatal::new)?;
    match tokio::time::timeout(limits::INIT_READ_TIMEOUT, store.warm_up()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "first read failed; going on"),
        Err(_) => tracing::warn!("first read took too long; going on"),
    }
    Ok(Stores::of(store))
}

/// Sets up the stores and the identification of users, and reaches the tables and the keys at the same time.
///
/// # Errors
/// [`Fatal`] when the environment lacks something.
pub async fn tables_and_auth(data: DataSettings, auth: &AuthSettings, clock: Clock) -> Result<(Stores, Auth), Fatal> {
    let auth = Auth::new(auth, clock.clone(), &variable)?;
    let (store, ()) = tokio::join!(tables(data, &clock), auth.warm_up());
    Ok((store?, auth))
}

/// Makes the runtime: one thread where one request is served at a time, a thread per core on Managed Instances.
///
/// # Errors
/// [`Fatal`] when the system gives no threads.
fn runtime() -> Result<Runtime, Fatal> {
    let mut builder = if variable("AWS_LAMBDA_MAX_CONCURRENCY").is_some() {
        tokio::runtime::Builder::new_multi_thread()
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    builder.enable_all().build().map_err(Fatal::new)
}

/// Returns a flag that turns true when the process is told to stop by SIGTERM or SIGINT. Must be called within a runtime.
///
/// # Errors
/// [`Fatal`] when signals cannot be listened for.
pub fn shutdown_flag() -> Result<watch::Receiver<bool>, Fatal> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).map_err(Fatal::new)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Fatal::new)?;
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("told to stop");
        sender.send_replace(true);
        // Keeps the flag readable for streams that look later.
        std::future::pending::<()>().await;
    });
    Ok(receiver)
}

/// Waits until the flag turns true. An error means that no signal can come any more; then only the platform ends the process.
pub async fn stopped(flag: &mut watch::Receiver<bool>) {
    if flag.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}
