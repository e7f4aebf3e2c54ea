//! Who pushes: asked of `aws` for Amazon ECR, else of what `docker login` and `podman login` have left.
//!
//! The AWS command line and not requests of our own, signed: it knows profiles, single sign-on, roles and machines, and whoever
//! bootstraps has it, because `infragen doctor` looks at the account through it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use infragen::doctor::Ran;
use infragen::image::credentials::{self, Login, Stored};
use infragen::image::repository::Repository;

use super::super::Outcome;
use super::super::run::{run, run_with};
use super::super::shell::Shell;

/// What a program may take that asks a person nothing and AWS one thing.
const PROGRAM_LIMIT: Duration = Duration::from_secs(30);
/// User of every registry of Amazon ECR.
const ECR_USER: &str = "AWS";

#[expect(clippy::disallowed_methods, reason = "where credentials are, the environment says")]
fn path(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Where credentials may be; the first that knows the registry counts.
fn files() -> Vec<PathBuf> {
    let below = |variable: &str, file: &str| path(variable).map(|folder| folder.join(file));
    let docker = below("DOCKER_CONFIG", "config.json").or_else(|| below("HOME", ".docker/config.json"));
    let podman = path("REGISTRY_AUTH_FILE").or_else(|| below("XDG_RUNTIME_DIR", "containers/auth.json"));
    docker.into_iter().chain(podman).collect()
}

#[expect(clippy::disallowed_methods, reason = "credentials are read from the disk")]
fn read(path: &Path) -> std::io::Result<String> {
    std::fs::read_to_string(path)
}

impl Shell<'_> {
    /// Finds out who one is to a registry; none is an answer, too.
    pub(super) fn login(&self, repository: &Repository) -> Result<Option<Login>, Outcome> {
        if let Some(region) = repository.ecr_region() {
            match run(&["aws", "ecr", "get-login-password", "--region", region], PROGRAM_LIMIT) {
                Ran::Done(password) => {
                    return Ok(Some(Login { user: ECR_USER.to_owned(), password: password.trim().to_owned() }));
                }
                // Docker's helper for ECR may be there instead.
                Ran::Absent => {}
                ran => {
                    let message = ran.silence("aws ecr get-login-password").unwrap_or_default();
                    self.error(
                        &message,
                        Some("sign in to AWS, such as with `aws sso login`, and run the same command again"),
                    );
                    return Err(Outcome::NeedsPerson);
                }
            }
        }
        for path in files() {
            let text = match read(&path) {
                Ok(text) => text,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(self.bad_file(&path, &error)),
            };
            let stored = credentials::find(&text, repository.host()).map_err(|error| self.bad_file(&path, &error))?;
            match stored {
                Stored::Login(login) => return Ok(Some(login)),
                Stored::Helper(name) => {
                    if let Some(login) = self.ask_helper(&name, repository.host())? {
                        return Ok(Some(login));
                    }
                }
                Stored::Nothing => {}
            }
        }
        Ok(None)
    }

    fn bad_file(&self, path: &Path, error: &dyn std::error::Error) -> Outcome {
        self.error(&format!("`{}` holds no credentials: {error}", path.display()), Some("mend or remove that file"));
        Outcome::NeedsPerson
    }

    fn ask_helper(&self, name: &str, host: &str) -> Result<Option<Login>, Outcome> {
        let program = format!("docker-credential-{name}");
        match run_with(&[program.as_str(), "get"], host, PROGRAM_LIMIT) {
            Ran::Done(answer) => Ok(credentials::from_helper(&answer)),
            // That is how helpers say that they know nothing of a registry.
            Ran::Failed(_) => Ok(None),
            ran => {
                let message = format!("the credentials of `{host}`: {}", ran.silence(&program).unwrap_or_default());
                self.error(&message, Some(&format!("install it, or run `docker login {host}` without it")));
                Err(Outcome::NeedsPerson)
            }
        }
    }
}
