//! A generator with a feature more: renders the manifest of a folder as `infragen render` does, and a queue beside it.
//!
//! `cargo run -p infragen --example queue -- FOLDER`

mod queue;

use std::error::Error;
use std::path::PathBuf;

use infragen::diagnostic::{Input, Source};
use infragen::load::load;
use infragen::render::{Templates, render_more};
use infragen::write::{self, WriteMode};

use queue::{Queue, TEMPLATE};

#[expect(clippy::disallowed_methods, reason = "this is the shell around the generator")]
fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("name the folder of a manifest")?);
    let text = std::fs::read_to_string(folder.join("deploy.toml"))?;
    let input = Input::new(Source { name: "deploy.toml".into(), text });
    let loaded = load(&input, None).map_err(|error| format!("the manifest is not valid: {error:?}"))?;
    let mut templates = Templates::embedded();
    templates.add(TEMPLATE.0, TEMPLATE.1.to_owned());
    let queue = Queue { name: "late-rows".into(), keeps_days: 4 };
    let rendering = render_more(&loaded, &templates.engine()?, &[&queue])?;
    write::write(&folder, &rendering, WriteMode::Write)?;
    Ok(())
}
