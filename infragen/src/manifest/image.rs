//! Images in ECR and their repositories, named as Amazon ECR has it.

use super::aws::is_name;
use super::reader::{ManifestValue, Problem};
use super::tree::{Node, shorten};
use super::types::texts;
use super::values::text;

texts!(
    /// Name of an ECR repository.
    RepositoryName, "a repository name",
    "2 to 256 of a-z, 0-9 and single ., _, - and /, beginning with a letter (Amazon ECR refuses upper case)",
    r"^[a-z][a-z0-9]*((\.|_|__|-|/)[a-z0-9]+)*$",
    => "repository-name", ["team/sse-streaming", "live"],
    is_repository;
    /// A container image in ECR, pinned by digest.
    ImageUri, "an image reference",
    "ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY@sha256: and 64 hexadecimal digits, because a tag can be moved",
    r"^[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.(com|com\.cn|eu)/[a-z][a-z0-9._/-]*@sha256:[0-9a-f]{64}$",
    => "image-reference", hints wrong_part, ["123456789012.dkr.ecr.us-east-1.amazonaws.com/live@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"],
    is_image;
);

impl ImageUri {
    /// The region of the registry that the image is in.
    #[must_use]
    pub fn region(&self) -> &str {
        let host = self.as_str().split('/').next().unwrap_or_default();
        registry(host).map_or("", |(_, region)| region)
    }
}

/// Repository names of ECR: parts of lower case, joined by single separators, in folders.
fn is_repository(text: &str) -> bool {
    let part = |part: &str| {
        let word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        // `__` is one separator, a single `.`, `_` or `-` another.
        part.replace("__", ".").split(['.', '_', '-']).all(word)
    };
    (2..=256).contains(&text.len()) && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.split('/').all(part)
}

/// The host of a private ECR registry: account and region.
fn registry(host: &str) -> Option<(&str, &str)> {
    let (account, rest) = host.split_once(".dkr.ecr.")?;
    let region =
        [".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu"].iter().find_map(|end| rest.strip_suffix(end))?;
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    (is_account && is_name(region, "-")).then_some((account, region))
}

fn is_image(text: &str) -> bool {
    let Some((name, digest)) = text.split_once("@sha256:") else {
        return false;
    };
    let Some((host, repository)) = name.split_once('/') else {
        return false;
    };
    is_digest(digest) && registry(host).is_some() && is_repository(repository)
}

/// Returns whether a text is the SHA-256 that pins an image: 64 hexadecimal digits in lower case.
#[must_use]
pub fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Which part of a reference to an image is wrong, the first one; none where it is a reference.
fn wrong_part(text: &str) -> Option<String> {
    let (name, digest) = text.split_once("@sha256:").unwrap_or((text, ""));
    let (host, repository) = name.split_once('/').unwrap_or((name, ""));
    let said = |part: &str, found: &str, rule: &str| Some(format!("{part}, `{}`, must be {rule}", shorten(found)));
    if registry(host).is_none() {
        return said("its registry", host, "ACCOUNT.dkr.ecr.REGION.amazonaws.com, with an account of 12 digits");
    }
    if let Some((bare, tag)) = repository.split_once(':').filter(|(bare, _)| is_repository(bare)) {
        let digest = if is_digest(digest) { "" } else { ", and name the digest that it has now behind `@sha256:`" };
        return Some(format!("leave the tag away, `:{}` after `{}`{digest}", shorten(tag), shorten(bare)));
    }
    if !is_repository(repository) {
        return said("its repository", repository, RepositoryName::rule().as_str());
    }
    if digest.is_empty() {
        return Some("put the digest behind it, `@sha256:` and 64 hexadecimal digits".to_owned());
    }
    if !is_digest(digest) {
        let said =
            format!("behind `@sha256:` there are {} characters: it must be 64 of 0-9 and a-f", digest.chars().count());
        return Some(said);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_named_as_ecr_allows() {
        for good in ["ab", "sse-streaming-dev", "team/sse.stream_1", "a__b"] {
            assert!(is_repository(good), "{good}");
        }
        for bad in ["a", "A-b", "a--b", "a..b", "-ab", "ab-", "a/", "/a", "1ab", "a b"] {
            assert!(!is_repository(bad), "{bad}");
        }
    }

    #[test]
    fn an_image_is_pinned_by_digest() {
        let digest = "0".repeat(64);
        let host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
        let good = format!("{host}/sse@sha256:{digest}");
        assert_eq!(ImageUri::new(&good).unwrap().region(), "eu-west-1");
        for bad in [
            format!("{host}/sse:latest"),
            format!("{host}/sse:1@sha256:{digest}"),
            format!("{host}/sse@sha256:{}", "0".repeat(63)),
            format!("{host}/sse@sha256:{}", "G".repeat(64)),
            format!("docker.io/sse@sha256:{digest}"),
            format!("{host}@sha256:{digest}"),
            String::new(),
        ] {
            assert!(ImageUri::new(&bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn the_part_of_a_reference_that_is_wrong_is_named() {
        let (host, digest) = ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "0".repeat(64));
        assert_eq!(wrong_part(&format!("{host}/live@sha256:{digest}")), None);
        for (found, part) in [
            (format!("{host}/a@sha256:{digest}"), "its repository, `a`, must be 2 to 256 of a-z"),
            (format!("{host}/Live@sha256:{digest}"), "its repository, `Live`, must be 2"),
            (format!("{host}@sha256:{digest}"), "its repository, ``, must be 2"),
            (format!("docker.io/live@sha256:{digest}"), "its registry, `docker.io`, must be"),
            (format!("{host}/live:1@sha256:{digest}"), "leave the tag away, `:1` after `live`"),
            (format!("{host}/live:1"), "leave the tag away, `:1` after `live`, and name the digest"),
            (format!("{host}/live"), "put the digest behind it"),
            (format!("{host}/live@sha256:{}", "0".repeat(63)), "behind `@sha256:` there are 63 characters"),
            (
                format!("{host}/live@sha256:{}", "G".repeat(64)),
                "behind `@sha256:` there are 64 characters: it must be 64 of 0-9",
            ),
        ] {
            let said = wrong_part(&found).unwrap_or_default();
            assert!(said.starts_with(part), "{found}: {said}");
        }
    }
}
