//! Where images go: a registry's host and the repository there. Text becomes a [`Repository`] here and nowhere else.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Longest name of a repository: what the specification of registries allows a client to send, with the host.
const NAME_BYTES_MAX: usize = 255;

/// A repository of a registry, such as `123456789012.dkr.ecr.eu-west-1.amazonaws.com/live`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Repository {
    host: String,
    name: String,
}

/// Why a text names no repository.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RepositoryError {
    /// No host in front.
    #[error("`{0}` names no registry: it must be HOST/REPOSITORY, such as `registry.example.com/live`")]
    NoHost(String),
    /// A tag or a digest behind.
    #[error("`{0}` has a tag or a digest: images are pushed by their own digest, so name the repository alone")]
    Pinned(String),
    /// Characters that no registry takes.
    #[error(
        "`{0}` has another name than registries take: parts of a-z, 0-9 and single ., _, - between them, joined by /"
    )]
    Name(String),
}

impl FromStr for Repository {
    type Err = RepositoryError;

    fn from_str(text: &str) -> Result<Self, RepositoryError> {
        // People copy addresses from their browser.
        let plain = text.strip_prefix("https://").unwrap_or(text).trim_end_matches('/');
        let shown = || text.escape_debug().to_string();
        let (host, name) = plain.split_once('/').ok_or_else(|| RepositoryError::NoHost(shown()))?;
        if !is_host(host) {
            return Err(RepositoryError::NoHost(shown()));
        }
        if name.contains(['@', ':']) {
            return Err(RepositoryError::Pinned(shown()));
        }
        if name.len() > NAME_BYTES_MAX || !name.split('/').all(is_part) {
            return Err(RepositoryError::Name(shown()));
        }
        Ok(Self { host: host.to_owned(), name: name.to_owned() })
    }
}

/// Whether the text before the first `/` is a host, as container engines tell it from a folder: by its dot, port or name.
fn is_host(text: &str) -> bool {
    let (name, port) = split_port(text);
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let is_bracketed =
        name.starts_with('[') && name.ends_with(']') && name[1..name.len() - 1].parse::<IpAddr>().is_ok();
    let is_written_well = is_bracketed || (!name.is_empty() && name.chars().all(is_name));
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    is_written_well && is_port && (is_bracketed || name.contains('.') || port.is_some() || name == "localhost")
}

fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    }
}

fn is_part(part: &str) -> bool {
    let is_good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    // `__` and any number of `-` are one separator.
    let words = part.replace("__", ".").split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(".");
    let has_ends = part.starts_with(is_good) && part.ends_with(is_good);
    has_ends && words.split(['.', '_']).all(|word| !word.is_empty() && word.chars().all(is_good))
}

impl Repository {
    /// The registry: host, and port where one is given.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The repository's name at its registry.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Address of something of this repository, such as `blobs/uploads/`.
    ///
    /// TLS, but for a registry on this machine: the rule that container engines have, so that what is typed means the same.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.is_on_this_machine() { "http" } else { "https" };
        format!("{scheme}://{}/v2/{}/{path}", self.host, self.name)
    }

    /// Whether the registry is on this machine.
    #[must_use]
    pub fn is_on_this_machine(&self) -> bool {
        let (name, _) = split_port(&self.host);
        let address = name.trim_start_matches('[').trim_end_matches(']');
        name == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Region of the registry, where it is one of Amazon ECR.
    #[must_use]
    pub fn ecr_region(&self) -> Option<&str> {
        let (account, rest) = self.host.split_once(".dkr.ecr.").or_else(|| self.host.split_once(".dkr-ecr."))?;
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        // `on.aws` is the name with an IPv6 address.
        let ends = [".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".on.aws"];
        let region = ends.iter().find_map(|end| rest.strip_suffix(end))?;
        (is_account && !region.is_empty() && !region.contains('.')).then_some(region)
    }

    /// What pins an image of this repository.
    #[must_use]
    pub fn pin(&self, digest: &str) -> String {
        format!("{self}@{digest}")
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.host, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Repository {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn repositories_are_a_host_and_a_name() {
        for (text, url) in [
            ("registry.example.com/live", "https://registry.example.com/v2/live/x"),
            ("https://registry.example.com/team/live/", "https://registry.example.com/v2/team/live/x"),
            ("registry:5000/a--b__c.d_e", "https://registry:5000/v2/a--b__c.d_e/x"),
            ("localhost/live", "http://localhost/v2/live/x"),
            ("127.0.0.9:5000/live", "http://127.0.0.9:5000/v2/live/x"),
            ("[::1]:5000/live", "http://[::1]:5000/v2/live/x"),
            ("10.0.0.1:5000/live", "https://10.0.0.1:5000/v2/live/x"),
        ] {
            assert_eq!(parse(text).url("x"), url);
        }
    }

    #[test]
    fn what_is_no_repository_says_why() {
        for (text, why) in [
            ("live", "names no registry"),
            ("library/live", "names no registry"),
            ("/live", "names no registry"),
            ("http://registry.example.com/live", "names no registry"),
            ("user@registry.example.com/live", "names no registry"),
            ("registry.example.com:0/live", "names no registry"),
            ("registry.example.com:99999/live", "names no registry"),
            ("registry.example.com/live:latest", "has a tag or a digest"),
            ("registry.example.com/live@sha256:00", "has a tag or a digest"),
            ("registry.example.com/Live", "has another name"),
            ("registry.example.com/../live", "has another name"),
            ("registry.example.com/live?x=1", "has another name"),
            ("registry.example.com/-live", "has another name"),
            ("registry.example.com/a..b", "has another name"),
            ("registry.example.com//live", "has another name"),
        ] {
            let error = text.parse::<Repository>().expect_err(text).to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn ecr_is_known_by_its_host() {
        let account = "123456789012";
        for (host, region) in [
            (".dkr.ecr.eu-west-1.amazonaws.com", Some("eu-west-1")),
            (".dkr.ecr.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            (".dkr-ecr.eu-west-1.on.aws", Some("eu-west-1")),
            (".dkr.ecr.eu-west-1.example.com", None),
            (".dkr.ecr..amazonaws.com", None),
        ] {
            assert_eq!(parse(&format!("{account}{host}/live")).ecr_region(), region, "{host}");
        }
        assert_eq!(parse("x.dkr.ecr.eu-west-1.amazonaws.com/live").ecr_region(), None);
        assert_eq!(parse("a.example.com/live").pin("sha256:0"), "a.example.com/live@sha256:0");
    }
}
