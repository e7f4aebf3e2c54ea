//! Terraform, as it is, with the real provider for AWS, as it is, without what takes most of the time of a short run: Terraform hashes the 650 MB
//! of the provider before it starts it, and reads from it the schemas of some 1,600 types; six seconds of a processor before anything is looked at.
//!
//! This starts the provider itself, in the same folder and with the same variables (its own `-debug`; Terraform attaches to it by
//! `TF_REATTACH_PROVIDERS`, so there is nothing to hash), and stands between the two: the one question for schemas is answered with those of the types that
//! this repository names anywhere, all else goes through as it is. A type that is named nowhere is one that the provider does not support.
//! Then it becomes Terraform (`exec`), so signals, exit codes and what is said are Terraform's own.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a program of the tests, whose settings are Terraform's"
)]

mod between;
mod schema;

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::io::FdFlags;

/// Name by which Terraform knows the provider.
const SOURCE: &str = "registry.terraform.io/hashicorp/aws";
/// Said instead of arguments of Terraform: this is the process that stands between, for a run in this folder.
const BETWEEN: &str = "--between-terraform-and-provider";
/// What Terraform does without a provider.
const WITHOUT: [&str; 8] = ["fmt", "force-unlock", "get", "init", "login", "output", "version", "-version"];

type Failed = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failed> {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    if let [role, provider] = &arguments[..]
        && role == BETWEEN
    {
        return stand_between(Path::new(provider));
    }
    let (root, command) = asked(&arguments);
    let mut terraform = Command::new(terraform()?);
    terraform.args(&arguments);
    let installed = command.filter(|command| !WITHOUT.contains(&command.as_str())).and_then(|_| installed(&root));
    if let Some(provider) = installed {
        let (reattach, alive) = start_between(&provider, &root)?;
        terraform.env("TF_REATTACH_PROVIDERS", reattach);
        // It lives as long as Terraform has this end of the pipe, and no longer.
        rustix::io::fcntl_setfd(&alive, FdFlags::empty())?;
        std::mem::forget(alive);
    }
    Err(terraform.exec().into())
}

/// The root that arguments are about, and their command.
fn asked(arguments: &[OsString]) -> (PathBuf, Option<String>) {
    let mut root = PathBuf::from(".");
    for argument in arguments {
        let argument = argument.to_string_lossy();
        match argument.strip_prefix("-chdir=") {
            Some(folder) => root = PathBuf::from(folder),
            None => return (root, Some(argument.into_owned())),
        }
    }
    (root, None)
}

/// The next Terraform on the PATH that is not this program.
fn terraform() -> Result<PathBuf, Failed> {
    let this = env::current_exe()?.canonicalize()?;
    let path = env::var_os("PATH").ok_or("there is no PATH")?;
    let mut programs = env::split_paths(&path).map(|folder| folder.join("terraform"));
    let is_other = |program: &PathBuf| program.canonicalize().is_ok_and(|program| program != this);
    Ok(programs.find(is_other).ok_or("there is no `terraform` on PATH")?)
}

/// The provider that `terraform init` put below a root's folder of data, where it did.
fn installed(root: &Path) -> Option<PathBuf> {
    let data = env::var_os("TF_DATA_DIR").map_or_else(|| PathBuf::from(".terraform"), PathBuf::from);
    let mut folders = vec![root.join(data).join("providers").join(SOURCE)];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().ok()? {
            let path = entry.ok()?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name()?.to_string_lossy().starts_with("terraform-provider-aws") {
                return path.canonicalize().ok();
            }
        }
    }
    None
}

/// Starts the process that stands between; returns what to tell Terraform, and what keeps that process alive.
fn start_between(provider: &Path, root: &Path) -> Result<(String, OwnedFd), Failed> {
    let mut between = Command::new(env::current_exe()?)
        .arg(BETWEEN)
        .arg(provider)
        .current_dir(root)
        // Ctrl-C is for Terraform, which then tells the provider what to do.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut reattach = String::new();
    let said = between.stdout.take().ok_or("a pipe was asked for")?;
    BufReader::new(said).read_line(&mut reattach)?;
    if reattach.is_empty() {
        return Err(format!("the provider {} did not start: {}", provider.display(), between.wait()?).into());
    }
    Ok((reattach.trim().to_owned(), between.stdin.take().ok_or("a pipe was asked for")?.into()))
}

/// Stands between until Terraform has ended, however it ended.
fn stand_between(path: &Path) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let (mut provider, socket) = start_provider(path, folder.path())?;
    let schema = schema::file(path)?;
    let place = folder.path().join("between");
    between::serve(&place, socket, schema)?;
    let reattach = serde_json::json!({ SOURCE: {
        "Protocol": "grpc", "ProtocolVersion": 5, "Pid": provider.id(), "Test": true,
        "Addr": { "Network": "unix", "String": place },
    }});
    println!("{reattach}");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    provider.kill()?;
    provider.wait()?;
    Ok(())
}

/// Starts the provider; returns where it listens, too.
fn start_provider(path: &Path, folder: &Path) -> Result<(Child, PathBuf), Failed> {
    let mut provider = Command::new(path)
        .arg("-debug")
        // Where it makes its socket.
        .env("TMPDIR", folder)
        // An apply configures it twice, for the plan and for itself, and with certificates of one's own this version refuses the second time
        // (Terraform starts it anew in between). AWS in memory speaks no TLS.
        .env_remove("AWS_CA_BUNDLE")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(provider.stdout.take().ok_or("a pipe was asked for")?);
    let mut line = String::new();
    while lines.read_line(&mut line)? > 0 {
        if let Some((_, said)) = line.split_once("TF_REATTACH_PROVIDERS='") {
            let said: serde_json::Value = serde_json::from_str(said.trim().trim_end_matches('\''))?;
            let socket = said[SOURCE]["Addr"]["String"].as_str().ok_or("it listens somewhere")?;
            // A full pipe would stop it.
            std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
            return Ok((provider, socket.into()));
        }
        line.clear();
    }
    Err("it ended before it said where it listens".into())
}
