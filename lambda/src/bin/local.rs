//! The server with the page and rows of some source, on two local ports.

use std::process::ExitCode;

use lambda::fatal::Fatal;
use lambda::serve::local::{Local, LocalSettings};
use lambda::serve::start::{self, shutdown_flag, variable};

const HELP: &str =
    "Both functions and the page on this machine, with made-up rows or those of a table. `./justw dev` starts it.

Its settings are variables of the environment: DASHBOARD_PORT (8080) for page and REST, STREAM_PORT (8081),
FRONTEND_DIR (frontend), and those of both functions. docs/your-table.md says how it shows a table.

  --help      this
  --version   its version";

fn main() -> ExitCode {
    start::server(HELP, run())
}

#[expect(clippy::print_stderr, reason = "a person started this and wants to know where to look")]
async fn run() -> Result<(), Fatal> {
    let settings = LocalSettings::from_env(&variable)?;
    let store = settings.source.to_string();
    let local = Local::bind(settings, &variable, shutdown_flag()?).await?;
    let (page, stream) = local.urls();
    eprintln!("page and REST  {page}");
    eprintln!("stream         {stream}/api/v2/stream");
    eprintln!("store          {store}");
    eprintln!("Ctrl-C stops.");
    local.serve().await;
    Ok(())
}
