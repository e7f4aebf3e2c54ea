//! Which functions run an archive or an image that is made here, and which Terraform root is told of it.

use contract::Environment;

use crate::load::{Loaded, Target};
use crate::manifest::types::{Architecture, Packaging};

/// A function, by the name of its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Function {
    /// Behind EventSource.
    Stream,
    /// Behind the REST API.
    Dashboard,
}

impl Function {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Stream, Self::Dashboard];

    /// The name of its program, and of its table in the manifest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Dashboard => "dashboard",
        }
    }

    /// The variable of the Terraform root that takes its zip archive.
    #[must_use]
    pub const fn zip_variable(self) -> &'static str {
        match self {
            Self::Stream => "stream_zip",
            Self::Dashboard => "dashboard_zip",
        }
    }

    /// The variable of the Terraform root that takes its image.
    #[must_use]
    pub const fn image_variable(self) -> &'static str {
        match self {
            Self::Stream => "stream_image",
            Self::Dashboard => "dashboard_image",
        }
    }
}

/// One function of one environment that runs a zip archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZipTarget {
    /// The function.
    pub function: Function,
    /// Name of the environment.
    pub environment: Environment,
    /// Terraform's root that is told, from the manifest's folder.
    pub root: String,
    /// Processor that it runs on.
    pub architecture: Architecture,
}

/// One function of one environment that runs an image of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageTarget {
    /// The function.
    pub function: Function,
    /// Name of the environment.
    pub environment: Environment,
    /// Whether that is the base, which commands need not name.
    pub is_base: bool,
    /// Terraform's root that is told, from the manifest's folder.
    pub root: String,
    /// The environment that makes the repository, and Terraform's root that does; none where the repository is there already.
    pub bootstrap: Option<(Environment, String)>,
    /// Name of the repository.
    pub repository: String,
    /// AWS region: a function runs images of its own only.
    pub region: String,
    /// Processor that it runs on.
    pub architecture: Architecture,
}

/// The environments that are deployed.
fn deployed(all: &[Loaded]) -> impl Iterator<Item = &Loaded> {
    all.iter().filter(|loaded| loaded.target != Target::Local)
}

/// Finds every function that runs a zip archive, in the order of the environments.
#[must_use]
pub fn zips(all: &[Loaded]) -> Vec<ZipTarget> {
    let of = |loaded: &Loaded| {
        let manifest = &loaded.manifest;
        let target = |function| ZipTarget {
            function,
            environment: manifest.project.environment.clone(),
            root: format!("{}/terraform", loaded.folder()),
            architecture: manifest.package.architecture,
        };
        let is_zip = |function: &Function| manifest.built().contains(&(function.as_str(), Packaging::Zip));
        Function::ALL.into_iter().filter(is_zip).map(target).collect::<Vec<_>>()
    };
    deployed(all).flat_map(of).collect()
}

/// Folder of the archives for a processor, from the manifest's folder: those that the base runs lie in `dist` itself.
#[must_use]
pub fn zip_folder(all: &[Loaded], architecture: Architecture) -> String {
    let base = all.iter().find(|loaded| loaded.target == Target::Base);
    match base.is_none_or(|base| base.manifest.package.architecture == architecture) {
        true => "dist".to_owned(),
        false => format!("dist/{}", architecture.as_str()),
    }
}

/// Finds every function that runs an image made here, in the order of the environments.
#[must_use]
pub fn images(all: &[Loaded]) -> Vec<ImageTarget> {
    let mut found = Vec::new();
    for loaded in deployed(all) {
        let manifest = &loaded.manifest;
        let is_built = |function: &Function| manifest.built_images().contains(&function.as_str());
        for function in Function::ALL.into_iter().filter(is_built) {
            let maker = loaded.maker(all);
            found.push(ImageTarget {
                function,
                environment: manifest.project.environment.clone(),
                is_base: loaded.target == Target::Base,
                root: format!("{}/terraform", loaded.folder()),
                bootstrap: maker
                    .map(|maker| (maker.manifest.project.environment.clone(), format!("{}/bootstrap", maker.folder()))),
                repository: loaded.shared.repository.clone(),
                region: manifest.project.region.as_str().to_owned(),
                architecture: manifest.package.architecture,
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Input, Source};
    use crate::load::load_all;

    fn check(manifest: &str, expected: &[(&str, &str, Option<&str>)]) {
        let manifest = Source { name: "deploy.toml".into(), text: manifest.into() };
        let all = load_all(&Input::new(manifest)).unwrap().all;
        let found = images(&all);
        let found: Vec<(&str, &str, Option<&str>)> = found
            .iter()
            .map(|target| {
                let bootstrap = target.bootstrap.as_ref().map(|(_, root)| root.as_str());
                (target.function.as_str(), target.root.as_str(), bootstrap)
            })
            .collect();
        assert_eq!(found, expected, "{all:#?}");
    }

    const BASE: (&str, &str, Option<&str>) = ("stream", "generated/terraform", Some("generated/bootstrap"));

    #[test]
    fn functions_with_an_image_of_ours_are_found() {
        let zips = "[stream]\npackage = \"zip\"\n[dashboard]\npackage = \"zip\"\n";
        check(zips, &[]);
        let both = "[stream]\npackage = \"image\"\n[dashboard]\npackage = \"image\"\n";
        check(both, &[BASE, ("dashboard", BASE.1, BASE.2)]);
        let uri = format!(
            "[stream]\npackage = \"image\"\nimage.uri = \"123456789012.dkr.ecr.us-east-1.amazonaws.com/x1@sha256:{}\"\n\
             image.architecture = \"arm64\"\n[dashboard]\npackage = \"zip\"\n",
            "0".repeat(64)
        );
        check(&uri, &[]);
    }

    #[test]
    fn environments_of_a_region_share_a_repository_and_others_have_their_own() {
        let base = "[stream]\npackage = \"image\"\n[dashboard]\npackage = \"zip\"\n";
        let far = "[env.far]\nproject.region = \"eu-west-1\"\n[env.near]\nstream.memory = \"256 MiB\"\n";
        check(
            &format!("{base}{far}"),
            &[
                BASE,
                ("stream", "generated/far/terraform", Some("generated/far/bootstrap")),
                ("stream", "generated/near/terraform", Some("generated/bootstrap")),
            ],
        );
        // The base has no image: the first that has one makes the repository.
        let only =
            "[stream]\npackage = \"zip\"\n[dashboard]\npackage = \"zip\"\n[env.near]\nstream.package = \"image\"\n";
        check(only, &[("stream", "generated/near/terraform", Some("generated/near/bootstrap"))]);
    }
}
