//! A zip archive that somebody has put into S3, as the manifest names it.

use super::reader::{ManifestValue, Problem, section};
use super::tree::Node;
use super::types::{BucketName, texts};
use super::values::text;

/// Longest key of an object (Amazon S3).
const OBJECT_KEY_BYTES_MAX: usize = 1024;
/// Longest version of an object (AWS Lambda).
const OBJECT_VERSION_BYTES_MAX: usize = 1024;
/// A hash of 256 bits in Base64: 43 characters, and one that fills up.
const HASH_CHARS: usize = 44;

texts!(
    /// Key of an object in S3, without a `*`, which a policy would take for any text.
    ObjectKey, "the key of an object",
    "the key of an object in S3, 1 to 1024 of a-z, A-Z, 0-9, /, !, -, _, ., ' and parentheses, not beginning with /",
    r"^[A-Za-z0-9!_.'()-][A-Za-z0-9/!_.'()-]{0,1023}$",
    ["live/1.4.0/stream.zip", "stream.zip"],
    |text| (1..=OBJECT_KEY_BYTES_MAX).contains(&text.len())
        && !text.starts_with('/')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/!-_.'()".contains(&b));
    /// Version of an object in S3.
    ObjectVersion, "the version of an object",
    "the version of an object as S3 names it, 1 to 1024 of a-z, A-Z, 0-9, ., _ and -",
    r"^[A-Za-z0-9._-]{1,1024}$",
    ["3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY", "null"],
    |text| (1..=OBJECT_VERSION_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    /// SHA-256 of an archive.
    ArchiveHash, "the hash of an archive",
    "the base64 SHA-256 of an archive's bytes, 44 characters",
    "^[A-Za-z0-9+/]{43}=$",
    ["LI1CBoY11NBpRmfyMROQtzqbidohM6Zpa5WZrhEsYfE=", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="],
    |text| text.len() == HASH_CHARS
        && text.strip_suffix('=').is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/".contains(&b)));
);

section! {
    /// `[stream.archive]`, `[dashboard.archive]`: a zip archive in S3 that is there already, in place of one of this machine.
    pub struct ArchiveSection {
        /// Bucket that it is in, in the function's region.
        "bucket" => bucket: Option<BucketName> = None;
        /// Its key in that bucket.
        "key" => key: Option<ObjectKey> = None;
        /// Version of the object, where the bucket keeps versions; left out, it is the newest.
        "object_version" => object_version: Option<ObjectVersion> = None;
        /// Hash of its bytes: another one is another version of the function, and other bytes than these never go live.
        "sha256" => sha256: Option<ArchiveHash> = None;
    }
}

impl ArchiveSection {
    /// Bucket and key, where an object is named.
    #[must_use]
    pub fn place(&self) -> Option<(&str, &str)> {
        Some((self.bucket.as_ref()?.as_str(), self.key.as_ref()?.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_of_256_bits() {
        let good = "LI1CBoY11NBpRmfyMROQtzqbidohM6Zpa5WZrhEsYfE=";
        assert!(ArchiveHash::new(good).is_some());
        let hexadecimal = "0".repeat(64);
        for bad in ["", &good[1..], &good.replace('=', "A"), &good.replace('L', "-"), &hexadecimal, &format!("{good}=")]
        {
            assert!(ArchiveHash::new(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_key_is_safe_in_addresses_and_policies() {
        let longest = "k".repeat(OBJECT_KEY_BYTES_MAX);
        for good in ["a", "live/1.4.0/stream.zip", "a(1)'!", &longest] {
            assert!(ObjectKey::new(good).is_some(), "{good}");
        }
        let too_long = format!("{longest}k");
        for bad in ["", "/a", "a*", "a b", "${a}", "a?b", "\u{e4}", &too_long] {
            assert!(ObjectKey::new(bad).is_none(), "{bad}");
        }
    }
}
