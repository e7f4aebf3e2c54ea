//! `infragen image push`: layouts of the disk go to the repositories that the functions run from, and Terraform is told.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueHint};
use contract::Environment;
use infragen::doctor::Ran;
use infragen::image::repository::Repository;
use infragen::image::{Blob, Image, layout, oci_architecture};
use infragen::load::Loaded;
use infragen::targets::{Function as Which, ImageTarget as Target, images};

use super::super::run::run;
use super::super::shell::Shell;
use super::super::{Outcome, Stopped};
use super::registry::Registry;
use super::{Program, SERVER, layout_folder, size};

/// What a program may take that prints one value; Terraform may have to ask for its state.
const PROGRAM_LIMIT: Duration = Duration::from_secs(60);

#[derive(Args, Debug)]
pub(super) struct PushArguments {
    /// Push one image; else those of all functions whose `package` is `image`. That of the server goes to `--repository`.
    #[arg(long, value_enum)]
    function: Option<Program>,
    /// Where to push; else the repository that the bootstrap root of each region has made.
    #[arg(long, value_name = "HOST/NAME")]
    repository: Option<String>,
    /// Folder with the image, in the place of dist/images/FUNCTION below the manifest's folder.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, requires = "function")]
    from_layout: Option<PathBuf>,
}

/// What goes where: a repository and a function, and the roots that are told.
type Pushes = BTreeMap<(Repository, Which), Vec<Target>>;

#[expect(clippy::disallowed_methods, reason = "images are read from the disk")]
fn read(path: &Path) -> io::Result<Vec<u8>> {
    std::fs::read(path)
}

impl Shell<'_> {
    pub(super) fn image_push(&self, arguments: &PushArguments) -> Stopped {
        if arguments.function == Some(Program::Server) {
            return self.push_server(arguments);
        }
        let all = self.load_all()?.all;
        let targets = self.targets(&all, arguments.function.and_then(Program::function))?;
        let images = self.images(&targets, arguments.from_layout.as_deref())?;
        let pushes = match &arguments.repository {
            Some(text) => self.pushes_to(text, targets)?,
            None => self.pushes_of_manifest(&all, targets)?,
        };
        // Before anything is sent: what cannot be written afterwards need not be.
        let told = pushes.values().flatten().map(|target| target.root.as_str());
        let mut roots = self.references(told.filter(|root| !root.is_empty()))?;
        let mut logins = BTreeMap::new();
        for ((repository, function), targets) in &pushes {
            let Some(image) = images.get(function) else { continue };
            // Whose account the repository is in, who pushes for it says: the first of the environments that run from it.
            let Some(first) = targets.first() else { continue };
            let known = (repository.host(), &first.environment);
            let login = match logins.get(&known) {
                Some(login) => Clone::clone(login),
                None => {
                    self.signed_in_for(&all, first)?;
                    self.login(repository)?
                }
            };
            logins.insert(known, login.clone());
            self.push(&Registry::new(repository, login, &|text| self.say(text)), function.as_str(), image)?;
            for target in targets {
                let pin = repository.pin(image.digest());
                roots.entry(target.root.clone()).or_default().insert(function.image_variable().to_owned(), pin.into());
            }
        }
        self.tell(&roots, "the images are pushed: make room there, and run the same command again")?;
        for (repository, function) in pushes.keys() {
            let digest = images.get(function).map_or("", Image::digest);
            self.print(&format!("{}  {}\n", function.image_variable(), repository.pin(digest)))?;
        }
        Ok(Outcome::Done)
    }

    /// The server's image goes where it is told to, and no root of Terraform runs it.
    fn push_server(&self, arguments: &PushArguments) -> Stopped {
        let Some(text) = &arguments.repository else {
            self.error(
                "`--function server` goes to no repository of the manifest",
                Some("name one: `--repository HOST/NAME`"),
            );
            return Err(Outcome::Usage);
        };
        let repository = self.repository(text)?;
        let image = self.image_in(SERVER, arguments.from_layout.as_deref())?;
        if repository.ecr_region().is_some() {
            // As everything else that is asked of AWS: by the manifest's role, and for no account that it does not name.
            self.signed_in(&self.load()?.manifest)?;
        }
        let login = self.login(&repository)?;
        self.push(&Registry::new(&repository, login, &|text| self.say(text)), SERVER, &image)?;
        self.print(&format!("{SERVER}  {}\n", repository.pin(image.digest())))?;
        Ok(Outcome::Done)
    }

    fn repository(&self, text: &str) -> Result<Repository, Outcome> {
        text.parse().map_err(|error| {
            self.error(&format!("`--repository`: {error}"), None);
            Outcome::Usage
        })
    }

    /// Reads the image of a program.
    fn image_in(&self, name: &str, from: Option<&Path>) -> Result<Image, Outcome> {
        let folder = from.map_or_else(|| self.root().join(layout_folder(name)), Path::to_owned);
        layout::read(&|path| read(&folder.join(path))).map_err(|error| {
            let message = format!("`{}` holds no image of {name}: {}", folder.display(), chain(&error));
            self.error(&message, Some("build it with `infragen image build`"));
            Outcome::NeedsPerson
        })
    }

    /// The functions whose images are asked for.
    fn targets(&self, all: &[Loaded], function: Option<Which>) -> Result<Vec<Target>, Outcome> {
        let mut found = images(all);
        if let Some(name) = &self.global.env {
            // Refuses an environment that is not there.
            let _there = self.load()?;
            found.retain(|target| target.environment == *name);
        }
        found.retain(|target| function.is_none_or(|function| target.function == function));
        if found.is_empty() {
            let (who, table) = match function {
                Some(function) => (function.as_str(), function.as_str()),
                None => ("no function", Which::Stream.as_str()),
            };
            let message = match function {
                Some(_) => format!(
                    "{who} runs no image that is made here: its `package` is `zip`, or `{table}.image.uri` is set"
                ),
                None => format!("{who} runs an image that is made here: `package` is `zip`, or `image.uri` is set"),
            };
            self.error(&message, Some(&format!("set `package = \"image\"` under `[{table}]`")));
            return Err(Outcome::NeedsPerson);
        }
        Ok(found)
    }

    /// Reads the images of all functions, and compares their processors with those of the environments.
    fn images(&self, targets: &[Target], from: Option<&Path>) -> Result<BTreeMap<Which, Image>, Outcome> {
        let mut images = BTreeMap::new();
        for target in targets {
            let function = target.function;
            let folder = from.map_or_else(|| self.root().join(layout_folder(function.as_str())), Path::to_owned);
            if let std::collections::btree_map::Entry::Vacant(entry) = images.entry(function) {
                entry.insert(self.image_in(function.as_str(), from)?);
            }
            let (found, wanted) = (&images[&function].architecture, oci_architecture(target.architecture));
            if found != wanted {
                let message = format!(
                    "`{}` is for the processor {found}, and {} of `{}` runs on {wanted}",
                    folder.display(),
                    function.as_str(),
                    target.environment
                );
                let hint = "build it for the environment's `package.architecture`, or name another one with `--env`";
                self.error(&message, Some(hint));
                return Err(Outcome::NeedsPerson);
            }
        }
        Ok(images)
    }

    /// Everything into the repository that was named. Lambda takes images of its own region only, so one of Amazon ECR is for the
    /// environments of its region.
    fn pushes_to(&self, text: &str, mut targets: Vec<Target>) -> Result<Pushes, Outcome> {
        let repository = self.repository(text)?;
        match repository.ecr_region() {
            Some(region) => {
                let elsewhere = targets.iter().find(|target| target.region != region).cloned();
                targets.retain(|target| target.region == region);
                if let Some(other) = elsewhere {
                    let message = format!(
                        "`{repository}` is in {region}, and `{}` is deployed in {}",
                        other.environment, other.region
                    );
                    let hint = "a function runs images of its own region only: push to a repository there, too";
                    if targets.is_empty() {
                        self.error(&message, Some(hint));
                        return Err(Outcome::NeedsPerson);
                    }
                    self.warning(&message, hint);
                }
            }
            None => self.warning(
                &format!("`{repository}` is no repository of Amazon ECR, and Lambda runs images of Amazon ECR only"),
                "copy the image there by its digest before you apply",
            ),
        }
        let mut pushes = Pushes::new();
        for target in targets {
            pushes.entry((repository.clone(), target.function)).or_default().push(target);
        }
        Ok(pushes)
    }

    /// Acts as the role that an environment names, if any, and never in an account that it does not.
    fn signed_in_for(&self, all: &[Loaded], target: &Target) -> Result<(), Outcome> {
        let named = all.iter().find(|loaded| loaded.manifest.project.environment == target.environment);
        named.map_or(Ok(()), |loaded| self.signed_in(&loaded.manifest))
    }

    /// Each into the repository that Terraform has made for its region, or that was there before.
    fn pushes_of_manifest(&self, all: &[Loaded], targets: Vec<Target>) -> Result<Pushes, Outcome> {
        let mut known: BTreeMap<String, Repository> = BTreeMap::new();
        let mut pushes = Pushes::new();
        for target in targets {
            let repository = match &target.bootstrap {
                Some((maker, folder)) => match known.get(folder) {
                    Some(repository) => repository.clone(),
                    None => {
                        self.signed_in_for(all, &target)?;
                        let repository = self.repository_of(maker, folder, &target)?;
                        known.insert(folder.clone(), repository.clone());
                        repository
                    }
                },
                None => {
                    self.signed_in_for(all, &target)?;
                    self.existing_repository(&target)?
                }
            };
            pushes.entry((repository, target.function)).or_default().push(target);
        }
        Ok(pushes)
    }

    /// Asks Terraform for what the bootstrap root has made. Its state is a file of whoever applied it: on another machine, such as
    /// that of a pipeline, the repository follows from the account that one is signed in to.
    fn repository_of(&self, maker: &Environment, folder: &str, target: &Target) -> Result<Repository, Outcome> {
        let chdir = format!("-chdir={}", self.root().join(folder).display());
        let ask =
            |program: &str| run(&[program, &chdir, "output", "-no-color", "-raw", "repository_url"], PROGRAM_LIMIT);
        let ran = match ask("terraform") {
            Ran::Absent => ask("tofu"),
            ran => ran,
        };
        let problem = match &ran {
            Ran::Done(text) => match text.trim().parse::<Repository>() {
                Ok(repository) => return Ok(repository),
                Err(error) => error.to_string(),
            },
            Ran::Absent => "neither terraform nor tofu is on PATH".to_owned(),
            other => error_line(other).or_else(|| other.silence("terraform output")).unwrap_or_default(),
        };
        if let Some(repository) = of_account(target) {
            self.say(&format!("`repository_url` of `{folder}`: {problem}; taking the account's `{repository}`"));
            return Ok(repository);
        }
        let message = format!("the repository of images is not known: `repository_url` of `{folder}`: {problem}");
        let hint = format!("make it with `infragen --env {maker} bootstrap`, or name one with `--repository`");
        self.error(&message, Some(&hint));
        Err(Outcome::NeedsPerson)
    }

    /// The repository that was there before, in the account that one is signed in to.
    fn existing_repository(&self, target: &Target) -> Result<Repository, Outcome> {
        of_account(target).ok_or_else(|| {
            let message = format!(
                "the repository `{}` is there already, and whose account it is in is not known: `aws sts get-caller-identity` \
                 names none",
                target.repository
            );
            self.error(&message, Some("sign in to AWS, or name the repository with `--repository`"));
            Outcome::NeedsPerson
        })
    }

    fn push(&self, registry: &Registry<'_>, name: &str, image: &Image) -> Result<(), Outcome> {
        let what = format!("{name} to {}", registry.repository);
        self.say(&format!("pushing {what}: {}", size(image.size())));
        let is_terminal = io::stderr().is_terminal() && !self.global.quiet;
        let shown = Cell::new(None);
        let progress = |blob: &Blob, sent: usize| {
            let percent = sent * 100 / blob.bytes.len().max(1);
            // The configuration is over before anybody could read of it.
            if is_terminal && blob == &image.layer && shown.replace(Some(percent)) != Some(percent) {
                self.complain(&bar(percent, blob.bytes.len()));
            }
        };
        let pushed = registry.push(image, &progress);
        if shown.get().is_some() {
            self.complain("\n");
        }
        let missing = pushed.map_err(|error| self.fail(&error, Some(&error.hint())))?;
        match missing {
            0 => self.say(&format!("{name}: there already, {}", image.digest())),
            bytes => self.say(&format!("{name}: {} sent, {}", size(bytes), image.digest())),
        }
        Ok(())
    }
}

/// The repository of the account that one is signed in to, where the AWS command line knows one.
fn of_account(target: &Target) -> Option<Repository> {
    let asked = ["aws", "sts", "get-caller-identity", "--query", "Account", "--output", "text"];
    let Ran::Done(account) = run(&asked, PROGRAM_LIMIT) else { return None };
    let end = if target.region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let text = format!("{}.dkr.ecr.{}.{end}/{}", account.trim(), target.region, target.repository);
    // Whatever else the command may have said is no account.
    text.parse().ok().filter(|repository: &Repository| repository.ecr_region().is_some())
}

/// The line that Terraform puts its finding in; warnings, which come first, are about something else.
fn error_line(ran: &Ran) -> Option<String> {
    let Ran::Failed(said) = ran else { return None };
    said.lines().find_map(|line| line.trim_start_matches(['│', ' ']).strip_prefix("Error: ")).map(str::to_owned)
}

/// A line that replaces itself.
fn bar(percent: usize, total: usize) -> String {
    const WIDTH: usize = 30;
    let full = (percent * WIDTH / 100).min(WIDTH);
    format!("\r  [{}{}] {percent:>3} % of {} ", "#".repeat(full), " ".repeat(WIDTH - full), size(total))
}

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_of_terraform_is_in_its_error() {
        let said =
            "There are some problems with the CLI configuration:\n\n│ Error: Output \"repository_url\" not found\n│ \n";
        assert_eq!(error_line(&Ran::Failed(said.into())).as_deref(), Some("Output \"repository_url\" not found"));
        assert_eq!(error_line(&Ran::Failed("killed".into())), None);
        assert_eq!(error_line(&Ran::Absent), None);
    }

    #[test]
    fn a_bar_has_one_width() {
        assert_eq!(bar(0, 3_400_000), format!("\r  [{}]   0 % of 3.4 MB ", " ".repeat(30)));
        assert_eq!(bar(50, 3_400_000), format!("\r  [{}{}]  50 % of 3.4 MB ", "#".repeat(15), " ".repeat(15)));
        assert_eq!(bar(100, 3_400_000), format!("\r  [{}] 100 % of 3.4 MB ", "#".repeat(30)));
    }
}
